"""Messages: everything typed that goes over the WebSocket, one tagged union per direction.

A request carries the client's `id`; its answer carries the same. A turn is named by the daemon's own number. Unknown
fields are ignored and new ones have defaults, so that older and newer sides understand each other.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from aimark_daemon.errors import Fault, Text
from aimark_daemon.protocol.faults import BAD_MESSAGE

PROTOCOL_VERSION = 1
MAX_TEXT_CHARS = 100_000
"""Longest text of one utterance, in characters."""

Topic = Literal["turns", "engines", "sessions", "telemetry", "notices", "plugins"]
ExportFormat = Literal["json", "markdown"]


# What clients send ----------------------------------------------------------------------------------------------


class Request(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """A client's message; `id` is the client's own number, unique among its requests in flight."""

    id: int


class Hello(Request, frozen=True, tag="hello"):
    """The first message: which protocol and language the client speaks."""

    version: int = PROTOCOL_VERSION
    client: str = ""
    language: Literal["en", "ko"] = "en"


class Submit(Request, frozen=True, tag="submit"):
    """A typed utterance: begins a turn. Without `session` a new one is made. `speak` asks for sound too.

    It takes the place of the session's user message `replaces` and of all that came after it.
    """

    text: str
    session: str | None = None
    speak: bool = False
    replaces: int | None = None


class Listen(Request, frozen=True, tag="listen"):
    """Opens the microphone: binary frames of stream `id` follow, then `end_listen`. Begins a turn when it ends.

    With the mode `hands_free` the daemon decides where each utterance ends, begins its turn, and goes on listening.
    A client that does not cancel its loudspeaker's echo (`echo_cancelled`) is not heard while it plays an answer.
    """

    session: str | None = None
    language: Literal["auto", "ko", "en"] = "auto"
    speak: bool = True
    mode: Literal["push_to_talk", "hands_free"] = "push_to_talk"
    echo_cancelled: bool = False


class EndListen(Request, frozen=True, tag="end_listen"):
    """The key was released: stream `listen` is complete."""

    listen: int


class Cancel(Request, frozen=True, tag="cancel"):
    """Stops a turn, or a listening stream, in all its stages."""

    turn: int | None = None
    listen: int | None = None


class AnswerQuestion(Request, frozen=True, tag="answer_question"):
    """A person's answer to a command's `question`. Not `accept`: no, or no answer. `text` for one that asks for it.

    Nothing else answers a question: what is said or typed into the conversation, or written by a model, does not.
    """

    turn: int
    question: int
    accept: bool
    text: str = ""


class Played(Request, frozen=True, tag="played"):
    """The answer to `speech_stopped`: how much of the turn's speech the client has played, in milliseconds."""

    turn: int
    ms: int


class ReadAloud(Request, frozen=True, tag="read_aloud"):
    """Asks for a stored message as speech: `reading` answers, its sound follows; `cancel` with its `turn` ends it."""

    session: str
    message: int


class ListSessions(Request, frozen=True, tag="list_sessions"):
    """Asks for sessions: pinned ones, then the others, newest first."""

    limit: int = 1000
    offset: int = 0


class CreateSession(Request, frozen=True, tag="create_session"):
    """Makes an empty session."""

    title: str = ""


class ShowSession(Request, frozen=True, tag="show_session"):
    """Asks for one session with its messages."""

    session: str


class RenameSession(Request, frozen=True, tag="rename_session"):
    """Gives one session, and only that one, another title."""

    session: str
    title: str


class PinSession(Request, frozen=True, tag="pin_session"):
    """Keeps a session at the top of the list, or lets it go from there."""

    session: str
    pinned: bool = True


class BranchSession(Request, frozen=True, tag="branch_session"):
    """Makes a new session of what was said before the message `before`; the old one stays as it is."""

    session: str
    before: int


class DeleteSession(Request, frozen=True, tag="delete_session"):
    """Hides a session; `restore_session` brings it back until it is purged."""

    session: str


class RestoreSession(Request, frozen=True, tag="restore_session"):
    """Undoes `delete_session`."""

    session: str


class SearchSessions(Request, frozen=True, tag="search_sessions"):
    """Looks for words in titles and messages."""

    query: str
    limit: int = 50


class ExportSessions(Request, frozen=True, tag="export_sessions"):
    """Asks for sessions as text; all of them without `sessions`."""

    sessions: tuple[str, ...] | None = None
    format: ExportFormat = "json"


class ImportSessions(Request, frozen=True, tag="import_sessions"):
    """Adds sessions from text that `export_sessions` (json) wrote or that has the documented shape, all or none.

    What is larger than a message comes in parts: `more` says that another one follows, once this one was answered
    with `ok`. The last one is answered with the sessions.
    """

    text: str
    more: bool = False


class Subscribe(Request, frozen=True, tag="subscribe"):
    """Chooses which broadcasts this client gets; replaces the earlier choice."""

    topics: tuple[Topic, ...]


class GetStatus(Request, frozen=True, tag="get_status"):
    """Asks for the state of the daemon and its engines."""


class ListModels(Request, frozen=True, tag="list_models"):
    """Asks for the catalogue, and what of it is installed."""


class PullModel(Request, frozen=True, tag="pull_model"):
    """Downloads a model; `pull_progress` follows, then `ok`."""

    model: str


class UseModel(Request, frozen=True, tag="use_model"):
    """Chooses a model for its kind of engine and loads it; "auto" lets every kind be chosen automatically."""

    model: str


class RemoveModel(Request, frozen=True, tag="remove_model"):
    """Deletes an installed model's files."""

    model: str


class ListCommands(Request, frozen=True, tag="list_commands"):
    """Asks for the slash commands."""


class ListPlugins(Request, frozen=True, tag="list_plugins"):
    """Asks for the plugins and their states."""


class SetPlugin(Request, frozen=True, tag="set_plugin"):
    """Enables or disables a plugin, at once and for the next starts. Enabling lifts a quarantine."""

    plugin: str
    enabled: bool


class GetConfig(Request, frozen=True, tag="get_config"):
    """Asks for the configuration in force and its JSON Schema."""


class SetConfig(Request, frozen=True, tag="set_config"):
    """Changes one value by its dotted key, as `llm.temperature`."""

    key: str
    value: Any


class Typing(Request, frozen=True, tag="typing"):
    """A person begins to type: a language model that sleeps is loaded meanwhile. `listen` does the same."""


class SetGame(Request, frozen=True, tag="set_game"):
    """Turns game mode on or off: the graphics card is kept free, and answers come from the processor."""

    on: bool


class OpenPage(Request, frozen=True, tag="open_page"):
    """Asks for the page's address with a single-use log-in code."""


class LogOut(Request, frozen=True, tag="log_out"):
    """Replaces the access token: after the `ok` every program and browser is shut out, this client too."""


class Shutdown(Request, frozen=True, tag="shutdown"):
    """Stops the daemon."""


ClientMessage = (
    Hello
    | Submit
    | Listen
    | EndListen
    | Cancel
    | AnswerQuestion
    | Played
    | ReadAloud
    | ListSessions
    | CreateSession
    | ShowSession
    | RenameSession
    | PinSession
    | BranchSession
    | DeleteSession
    | RestoreSession
    | SearchSessions
    | ExportSessions
    | ImportSessions
    | Subscribe
    | GetStatus
    | ListModels
    | PullModel
    | UseModel
    | RemoveModel
    | ListCommands
    | ListPlugins
    | SetPlugin
    | GetConfig
    | SetConfig
    | Typing
    | SetGame
    | OpenPage
    | LogOut
    | Shutdown
)


# What is spoken about -------------------------------------------------------------------------------------------


class SessionInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A conversation without its messages. Times are UTC, RFC 3339."""

    id: str
    title: str
    created: str
    updated: str
    messages: int = 0
    deleted: bool = False
    pinned: bool = False


MessageState = Literal["complete", "streaming", "cancelled", "failed", "interrupted"]


class MessageInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """One stored message. `turn` is the turn it belongs to; absent for imported ones."""

    id: int
    role: Literal["user", "assistant", "system"]
    content: str
    created: str
    turn: int | None = None
    state: MessageState = "complete"
    fault: Fault | None = None


class SearchHit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place where the words were found; without `message` it is the title."""

    session: str
    title: str
    excerpt: str
    message: int | None = None


class PlanInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a language model is laid out in memory, and why. `vram` and `ram` are what it is expected to take, in bytes.

    `gpu_layers` of `layers` are on the graphics card. `kv` is how keys and values are kept: f16 or q8_0.
    """

    reason: Text
    gpu_layers: int
    layers: int
    context: int
    ubatch: int
    kv: str
    vram: int
    ram: int
    experts_on_cpu: bool = False
    mmproj_on_cpu: bool = False


class EngineInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """An engine's worker as clients see it. `plan` is how a language model is laid out in memory."""

    state: str
    pid: int | None = None
    model: str = ""
    restarts: int = 0
    facts: dict[str, Any] = {}
    fault: Fault | None = None
    plan: PlanInfo | None = None


class ThrottleReason(msgspec.Struct, frozen=True):
    """Why a graphics card runs slower than it could."""

    code: str
    words: Text


class GpuProcess(msgspec.Struct, frozen=True, omit_defaults=True):
    """A program that uses a graphics card. `worker` is the job of the daemon's own; `vram` in bytes."""

    pid: int
    name: str = ""
    vram: int | None = None
    worker: str = ""


class MigInstance(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of a graphics card that is divided (MIG). Bytes."""

    index: int
    name: str = ""
    uuid: str = ""
    vram_total: int | None = None
    vram_used: int | None = None
    vram_free: int | None = None


class GpuInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """One graphics card. What the driver does not tell is absent. Bytes, watts, degrees Celsius, percent, MHz.

    `throttle` is empty when nothing slows the card down. `mig` is there when the card is divided; programs then get
    its parts, and `vram_free` of the whole is free to nobody.
    """

    index: int
    name: str = ""
    vram_total: int | None = None
    vram_used: int | None = None
    vram_free: int | None = None
    utilisation: float | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    temperature_c: float | None = None
    uuid: str = ""
    driver: str = ""
    clock_mhz: int | None = None
    memory_clock_mhz: int | None = None
    throttle: tuple[ThrottleReason, ...] | None = None
    processes: tuple[GpuProcess, ...] | None = None
    mig: tuple[MigInstance, ...] | None = None


class ProcessShare(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one process takes: percent of one processor core since the sample before, and resident bytes."""

    pid: int
    cpu: float | None = None
    rss: int | None = None


class Status(msgspec.Struct, frozen=True, omit_defaults=False):
    """The daemon at a glance. `state` is starting, ready, degraded or stopping; `gpu_fault` why `gpu` lacks cards.

    `game`: game mode keeps the graphics card free.
    `notices` is what people should know: a plugin that was not loaded, a setting that waits for a restart.
    """

    state: str
    version: str
    pid: int
    port: int
    engines: dict[str, EngineInfo]
    gpu: tuple[GpuInfo, ...]
    sessions: int
    uptime_s: float = 0.0
    gpu_fault: Fault | None = None
    game: bool = False
    notices: tuple[Fault, ...] = ()


class ModelInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model of the catalogue or the store. Sizes in bytes."""

    id: str
    kind: str
    title: str
    bytes: int
    licence: str
    languages: tuple[str, ...]
    installed: bool
    used: bool = False
    starter: bool = False
    memory: int = 0
    note: str = ""


class ParameterInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What may be typed after a command's name: `--option=value`, or the rest of the line if `flag` is empty.

    `kind` is text, integer, number, boolean or choice. `choices` are a choice's values; `least` and `most` a number's.
    """

    name: str
    flag: str
    kind: str
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    help: dict[str, str] = {}


class CommandInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A slash command: its names and help by language, and whether it needs content after its name.

    `permissions` are what its author says it uses. `confirms`: it asks before it does anything.
    """

    name: str
    names: dict[str, list[str]]
    help: dict[str, str]
    needs_content: bool = False
    plugin: str = ""
    parameters: tuple[ParameterInfo, ...] = ()
    permissions: tuple[str, ...] = ()
    confirms: bool = False


class PluginInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plugin: where it comes from, and whether it works.

    `source` is bundled, installed (a package) or folder (the user's). `state` is active, disabled, failed or
    quarantined: failed too often in a short time, and off until it is enabled again. `fault` says why.
    """

    name: str
    source: str
    state: str
    fault: Fault | None = None
    path: str = ""
    commands: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()


class Timings(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a turn's time went: seconds since the utterance was complete. Absent if the stage did not happen."""

    transcript_s: float | None = None
    prefill_s: float | None = None
    first_token_s: float | None = None
    first_clause_s: float | None = None
    first_audio_s: float | None = None
    end_s: float | None = None


# What the daemon sends ------------------------------------------------------------------------------------------


class Event(msgspec.Struct, frozen=True, tag_field="type", kw_only=True, omit_defaults=True):
    """A message of the daemon."""


class Reply(Event, frozen=True):
    """The answer to the request `id`."""

    id: int


class Welcome(Reply, frozen=True, tag="welcome"):
    """The answer to `hello`."""

    version: int
    daemon: str
    status: Status


class Ok(Reply, frozen=True, tag="ok"):
    """Done, nothing to tell."""


class Refused(Reply, frozen=True, tag="refused"):
    """The request `id` failed."""

    fault: Fault


class SessionReply(Reply, frozen=True, tag="session"):
    """One session; `messages` when it was asked for with `show_session`."""

    session: SessionInfo
    messages: tuple[MessageInfo, ...] = ()


class SessionsReply(Reply, frozen=True, tag="sessions"):
    """Sessions: pinned ones, then the others, newest first."""

    sessions: tuple[SessionInfo, ...]


class SearchReply(Reply, frozen=True, tag="search_hits"):
    """Where the words were found, best first."""

    hits: tuple[SearchHit, ...]


class ExportReply(Reply, frozen=True, tag="export"):
    """Sessions as text in the asked format."""

    format: ExportFormat
    text: str


class StatusReply(Reply, frozen=True, tag="status"):
    """The state of the daemon."""

    status: Status


class ModelsReply(Reply, frozen=True, tag="models"):
    """The catalogue with what is installed."""

    models: tuple[ModelInfo, ...]


class PullProgress(Reply, frozen=True, tag="pull_progress"):
    """How far a download is, in bytes."""

    model: str
    done: int
    total: int


class CommandsReply(Reply, frozen=True, tag="commands"):
    """The slash commands."""

    commands: tuple[CommandInfo, ...]


class PluginsReply(Reply, frozen=True, tag="plugins"):
    """The plugins, by name. `folder` is the user's; `fault` says why it cannot be read."""

    plugins: tuple[PluginInfo, ...]
    folder: str = ""
    fault: Fault | None = None


class ConfigReply(Reply, frozen=True, tag="config"):
    """The configuration in force; `restart` names the keys that take effect at the next start."""

    values: dict[str, Any]
    schema: dict[str, Any] = {}
    restart: tuple[str, ...] = ()


class PageReply(Reply, frozen=True, tag="page"):
    """The page's address; its fragment holds a code that works once, for a minute."""

    url: str


class GameReply(Reply, frozen=True, tag="game"):
    """Game mode is on or off. `took_s`: after so many seconds the programs that held the card for us were gone."""

    on: bool
    took_s: float = 0.0


class Listening(Reply, frozen=True, tag="listening"):
    """The microphone stream is open; send frames of stream `id`."""


class HearingChanged(Event, frozen=True, tag="hearing"):
    """What the open microphone (`hands_free`) hears. `at_s`: in seconds from the stream's first sample.

    `speech` began; a `pause`, after which it may go on (`speech`); the utterance `ended` and its turn begins;
    what was heard is `dropped`, as it had no words; the stream is `closed`.
    """

    listen: int
    state: Literal["speech", "pause", "ended", "dropped", "closed"]
    at_s: float = 0.0


class HeardSoFar(Event, frozen=True, tag="heard_so_far"):
    """What was understood until now of an utterance that goes on; replaced by the next one and by `heard`."""

    listen: int
    text: str
    language: str = ""


class Reading(Reply, frozen=True, tag="reading"):
    """A message is read aloud: its speech carries `turn`, a number that no turn has."""

    turn: int


class TurnStarted(Event, frozen=True, tag="turn_started"):
    """A turn began. `id` is the request that began it, for the client that sent it.

    `replaces`: that message and all after it are gone from the session; ask for it again.
    """

    turn: int
    session: str
    id: int | None = None
    text: str = ""
    replaces: int | None = None


class Heard(Event, frozen=True, tag="heard"):
    """What was understood. `voiced_end_s`: last voiced sample, in seconds from the stream's first sample."""

    turn: int
    text: str
    language: str = ""
    audio_s: float = 0.0
    voiced_end_s: float | None = None
    took_s: float = 0.0


class Delta(Event, frozen=True, tag="delta"):
    """More of the answer. `at`: how many characters came before it, so that a late client neither loses nor doubles."""

    turn: int
    at: int
    text: str


class Interrupted(Event, frozen=True, tag="interrupted"):
    """The engine that answers died; the answer waits for a new one and then goes on after its last `delta`."""

    turn: int
    fault: Fault


class Resumed(Event, frozen=True, tag="resumed"):
    """An interrupted answer goes on. Nothing of it was lost or is said again."""

    turn: int


class Progress(Event, frozen=True, tag="progress"):
    """How far a command is, 0..1."""

    turn: int
    fraction: float
    text: str = ""


class Question(Event, frozen=True, tag="question"):
    """A command waits for a person: `answer_question` answers it. Without `confirm` it wants one of `choices`, or text.

    It is sent to who asked and to who follows turns; the first answer counts, and `question_closed` follows.
    """

    turn: int
    question: int
    text: str
    confirm: bool = False
    choices: tuple[str, ...] = ()


class QuestionClosed(Event, frozen=True, tag="question_closed"):
    """A question needs no answer any more: it has one, or the command has ended."""

    turn: int
    question: int


class SpeechStarted(Event, frozen=True, tag="speech_started"):
    """Sound follows as binary frames of stream `turn`."""

    turn: int
    sample_rate: int


class SpeechClause(Event, frozen=True, tag="speech_clause"):
    """The clause whose sound begins at sample `start` of the turn's speech, in `language`, spoken by `voice`."""

    turn: int
    text: str
    start: int
    language: str = ""
    voice: str = ""


class SpeechEnded(Event, frozen=True, tag="speech_ended"):
    """All sound of the turn was sent: `samples` of it."""

    turn: int
    samples: int


class SpeechPaused(Event, frozen=True, tag="speech_paused"):
    """Somebody speaks while the turn's speech is played: be silent at once, and keep what has come."""

    turn: int


class SpeechResumed(Event, frozen=True, tag="speech_resumed"):
    """Nobody wanted to interrupt: go on playing where it stopped."""

    turn: int


class SpeechStopped(Event, frozen=True, tag="speech_stopped"):
    """The turn's speech was interrupted: forget what has not been played. Nothing of it follows; say `played`."""

    turn: int


class SpeechHeard(Event, frozen=True, tag="speech_heard"):
    """What was heard of an interrupted answer, and is kept of it. Comes after the turn's ending."""

    turn: int
    session: str
    reply: str = ""


class Done(Event, frozen=True, tag="done"):
    """The turn is complete. Exactly one of `done`, `cancelled` or `error` ends a turn."""

    turn: int
    session: str
    finish: str
    reply: str
    tokens: int = 0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    dropped_turns: int = 0
    tokens_per_s: float = 0.0
    timings: Timings = Timings()


class Cancelled(Event, frozen=True, tag="cancelled"):
    """The turn was stopped; `reply` is what was said until then."""

    turn: int
    session: str
    reply: str = ""


class TurnError(Event, frozen=True, tag="error"):
    """The turn failed; `reply` is what was said until then."""

    turn: int
    session: str
    fault: Fault
    reply: str = ""


class EngineChanged(Event, frozen=True, tag="engine_changed"):
    """An engine's worker is in another state (topic engines)."""

    engine: str
    info: EngineInfo


class GameChanged(Event, frozen=True, tag="game_changed"):
    """Game mode was turned on or off (topic engines). What it does to an engine comes as `engine_changed`."""

    on: bool


class SessionChanged(Event, frozen=True, tag="session_changed"):
    """A session was made, renamed, deleted, restored or talked in (topic sessions)."""

    session: SessionInfo


class SessionsImported(Event, frozen=True, tag="sessions_imported"):
    """Another client has imported this many sessions (topic sessions): ask for the list again."""

    count: int


class Telemetry(Event, frozen=True, tag="telemetry"):
    """One sample of the machine (topic telemetry). `time` in seconds since the epoch; bytes; percent.

    `cpu` is of all cores. `workers` are by job. `turns` run now; `waiting` of them have no word of their answer yet.
    `tokens_per_s` is that of the last answer. `plan` says how the language model is laid out in memory.
    """

    time: float
    gpu: tuple[GpuInfo, ...] = ()
    cpu: float | None = None
    memory_total: int | None = None
    memory_available: int | None = None
    tokens_per_s: float | None = None
    workers: dict[str, ProcessShare] = {}
    daemon: ProcessShare | None = None
    turns: int = 0
    waiting: int = 0
    model: str = ""
    plan: str = ""


class TelemetryHistory(Event, frozen=True, tag="telemetry_history"):
    """The last minutes of telemetry, sent once to who subscribes to it, before the first sample (topic telemetry).

    `times` in seconds since the epoch, oldest first. Each series has one value for each time, null where it was not
    known; its name is that of the sample's field: `cpu`, `memory_available`, `tokens_per_s`, `gpu.0.vram_used`,
    `gpu.0.utilisation`, `worker.llm.cpu`, `worker.llm.rss`, `daemon.rss` and so on.
    """

    times: tuple[float, ...] = ()
    series: dict[str, tuple[float | None, ...]] = {}


class Notice(Event, frozen=True, tag="notice"):
    """Something people should know (topic notices)."""

    level: Literal["info", "warning", "error"]
    fault: Fault


class Notify(Event, frozen=True, tag="notify"):
    """A plugin tells people something (topic notices)."""

    plugin: str
    text: str
    title: str = ""
    turn: int | None = None


class PluginsChanged(Event, frozen=True, tag="plugins_changed"):
    """Plugins came, went or failed: what there is now (topic plugins)."""

    plugins: tuple[PluginInfo, ...]
    commands: tuple[CommandInfo, ...]


ServerMessage = (
    Welcome
    | Ok
    | Refused
    | SessionReply
    | SessionsReply
    | SearchReply
    | ExportReply
    | StatusReply
    | ModelsReply
    | PullProgress
    | CommandsReply
    | PluginsReply
    | ConfigReply
    | PageReply
    | GameReply
    | Listening
    | HearingChanged
    | HeardSoFar
    | Reading
    | TurnStarted
    | Heard
    | Delta
    | Interrupted
    | Resumed
    | Progress
    | Question
    | QuestionClosed
    | SpeechStarted
    | SpeechClause
    | SpeechEnded
    | SpeechPaused
    | SpeechResumed
    | SpeechStopped
    | SpeechHeard
    | Done
    | Cancelled
    | TurnError
    | EngineChanged
    | GameChanged
    | SessionChanged
    | SessionsImported
    | Telemetry
    | TelemetryHistory
    | Notice
    | Notify
    | PluginsChanged
)

_client_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_server_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_encoder = msgspec.json.Encoder()


def encode(message: Request | Event) -> str:
    """The message as one text frame."""
    return _encoder.encode(message).decode()


def decode_client(data: str | bytes) -> ClientMessage:
    """A client's message.

    Raises:
        AimarkError: `bad_message`, its detail naming the field.
    """
    try:
        return _client_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BAD_MESSAGE(detail=str(error)) from error


def decode_server(data: str | bytes) -> ServerMessage:
    """A daemon's message.

    Raises:
        AimarkError: `bad_message`.
    """
    try:
        return _server_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BAD_MESSAGE(detail=str(error)) from error
