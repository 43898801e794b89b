// The wire's types, generated from aimark_daemon/protocol/messages.py. Change them there, then run
// `python -m aimark_daemon.protocol.generate`.

export const PROTOCOL_VERSION = 1;

export type ClientMessage =
  | Hello
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
  | Shutdown;

export type ServerMessage =
  | Welcome
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
  | PluginsChanged;

/** The first message: which protocol and language the client speaks. */
export interface Hello {
  type: "hello";
  version?: number;
  client?: string;
  language?: "en" | "ko";
  id: number;
}

/**
 * A typed utterance: begins a turn. Without `session` a new one is made. `speak` asks for sound too. It takes the
 * place of the session's user message `replaces` and of all that came after it.
 */
export interface Submit {
  type: "submit";
  text: string;
  session?: string | null;
  speak?: boolean;
  replaces?: number | null;
  id: number;
}

/**
 * Opens the microphone: binary frames of stream `id` follow, then `end_listen`. Begins a turn when it ends. With the
 * mode `hands_free` the daemon decides where each utterance ends, begins its turn, and goes on listening. A client
 * that does not cancel its loudspeaker's echo (`echo_cancelled`) is not heard while it plays an answer.
 */
export interface Listen {
  type: "listen";
  session?: string | null;
  language?: "auto" | "en" | "ko";
  speak?: boolean;
  mode?: "hands_free" | "push_to_talk";
  echo_cancelled?: boolean;
  id: number;
}

/** The key was released: stream `listen` is complete. */
export interface EndListen {
  type: "end_listen";
  listen: number;
  id: number;
}

/** Stops a turn, or a listening stream, in all its stages. */
export interface Cancel {
  type: "cancel";
  turn?: number | null;
  listen?: number | null;
  id: number;
}

/**
 * A person's answer to a command's `question`. Not `accept`: no, or no answer. `text` for one that asks for it.
 * Nothing else answers a question: what is said or typed into the conversation, or written by a model, does not.
 */
export interface AnswerQuestion {
  type: "answer_question";
  turn: number;
  question: number;
  accept: boolean;
  text?: string;
  id: number;
}

/** The answer to `speech_stopped`: how much of the turn's speech the client has played, in milliseconds. */
export interface Played {
  type: "played";
  turn: number;
  ms: number;
  id: number;
}

/** Asks for a stored message as speech: `reading` answers, its sound follows; `cancel` with its `turn` ends it. */
export interface ReadAloud {
  type: "read_aloud";
  session: string;
  message: number;
  id: number;
}

/** Asks for sessions: pinned ones, then the others, newest first. */
export interface ListSessions {
  type: "list_sessions";
  limit?: number;
  offset?: number;
  id: number;
}

/** Makes an empty session. */
export interface CreateSession {
  type: "create_session";
  title?: string;
  id: number;
}

/** Asks for one session with its messages. */
export interface ShowSession {
  type: "show_session";
  session: string;
  id: number;
}

/** Gives one session, and only that one, another title. */
export interface RenameSession {
  type: "rename_session";
  session: string;
  title: string;
  id: number;
}

/** Keeps a session at the top of the list, or lets it go from there. */
export interface PinSession {
  type: "pin_session";
  session: string;
  pinned?: boolean;
  id: number;
}

/** Makes a new session of what was said before the message `before`; the old one stays as it is. */
export interface BranchSession {
  type: "branch_session";
  session: string;
  before: number;
  id: number;
}

/** Hides a session; `restore_session` brings it back until it is purged. */
export interface DeleteSession {
  type: "delete_session";
  session: string;
  id: number;
}

/** Undoes `delete_session`. */
export interface RestoreSession {
  type: "restore_session";
  session: string;
  id: number;
}

/** Looks for words in titles and messages. */
export interface SearchSessions {
  type: "search_sessions";
  query: string;
  limit?: number;
  id: number;
}

/** Asks for sessions as text; all of them without `sessions`. */
export interface ExportSessions {
  type: "export_sessions";
  sessions?: string[] | null;
  format?: "json" | "markdown";
  id: number;
}

/**
 * Adds sessions from text that `export_sessions` (json) wrote or that has the documented shape, all or none. What is
 * larger than a message comes in parts: `more` says that another one follows, once this one was answered with `ok`.
 * The last one is answered with the sessions.
 */
export interface ImportSessions {
  type: "import_sessions";
  text: string;
  more?: boolean;
  id: number;
}

/** Chooses which broadcasts this client gets; replaces the earlier choice. */
export interface Subscribe {
  type: "subscribe";
  topics: ("engines" | "notices" | "plugins" | "sessions" | "telemetry" | "turns")[];
  id: number;
}

/** Asks for the state of the daemon and its engines. */
export interface GetStatus {
  type: "get_status";
  id: number;
}

/** Asks for the catalogue, and what of it is installed. */
export interface ListModels {
  type: "list_models";
  id: number;
}

/** Downloads a model; `pull_progress` follows, then `ok`. */
export interface PullModel {
  type: "pull_model";
  model: string;
  id: number;
}

/** Chooses a model for its kind of engine and loads it; "auto" lets every kind be chosen automatically. */
export interface UseModel {
  type: "use_model";
  model: string;
  id: number;
}

/** Deletes an installed model's files. */
export interface RemoveModel {
  type: "remove_model";
  model: string;
  id: number;
}

/** Asks for the slash commands. */
export interface ListCommands {
  type: "list_commands";
  id: number;
}

/** Asks for the plugins and their states. */
export interface ListPlugins {
  type: "list_plugins";
  id: number;
}

/** Enables or disables a plugin, at once and for the next starts. Enabling lifts a quarantine. */
export interface SetPlugin {
  type: "set_plugin";
  plugin: string;
  enabled: boolean;
  id: number;
}

/** Asks for the configuration in force and its JSON Schema. */
export interface GetConfig {
  type: "get_config";
  id: number;
}

/** Changes one value by its dotted key, as `llm.temperature`. */
export interface SetConfig {
  type: "set_config";
  key: string;
  value: unknown;
  id: number;
}

/** A person begins to type: a language model that sleeps is loaded meanwhile. `listen` does the same. */
export interface Typing {
  type: "typing";
  id: number;
}

/** Turns game mode on or off: the graphics card is kept free, and answers come from the processor. */
export interface SetGame {
  type: "set_game";
  on: boolean;
  id: number;
}

/** Asks for the page's address with a single-use log-in code. */
export interface OpenPage {
  type: "open_page";
  id: number;
}

/** Replaces the access token: after the `ok` every program and browser is shut out, this client too. */
export interface LogOut {
  type: "log_out";
  id: number;
}

/** Stops the daemon. */
export interface Shutdown {
  type: "shutdown";
  id: number;
}

/** The answer to `hello`. */
export interface Welcome {
  type: "welcome";
  id: number;
  version: number;
  daemon: string;
  status: Status;
}

/**
 * The daemon at a glance. `state` is starting, ready, degraded or stopping; `gpu_fault` why `gpu` lacks cards. `game`:
 * game mode keeps the graphics card free. `notices` is what people should know: a plugin that was not loaded, a
 * setting that waits for a restart.
 */
export interface Status {
  state: string;
  version: string;
  pid: number;
  port: number;
  engines: Record<string, EngineInfo>;
  gpu: GpuInfo[];
  sessions: number;
  uptime_s?: number;
  gpu_fault?: Fault | null;
  game?: boolean;
  notices?: Fault[];
}

/** An engine's worker as clients see it. `plan` is how a language model is laid out in memory. */
export interface EngineInfo {
  state: string;
  pid?: number | null;
  model?: string;
  restarts?: number;
  facts?: Record<string, unknown>;
  fault?: Fault | null;
  plan?: PlanInfo | null;
}

/**
 * What went wrong, as it is stored, sent and shown. `code` is stable and machine-readable; `hint` says what the person
 * can do; `detail` keeps an engine's or the system's own words, untranslated.
 */
export interface Fault {
  code: string;
  message: Text;
  hint: Text;
  detail?: string;
  exit_code?: number;
}

/** One sentence for people, in both languages of the program. */
export interface Text {
  en: string;
  ko: string;
}

/**
 * How a language model is laid out in memory, and why. `vram` and `ram` are what it is expected to take, in bytes.
 * `gpu_layers` of `layers` are on the graphics card. `kv` is how keys and values are kept: f16 or q8_0.
 */
export interface PlanInfo {
  reason: Text;
  gpu_layers: number;
  layers: number;
  context: number;
  ubatch: number;
  kv: string;
  vram: number;
  ram: number;
  experts_on_cpu?: boolean;
  mmproj_on_cpu?: boolean;
}

/**
 * One graphics card. What the driver does not tell is absent. Bytes, watts, degrees Celsius, percent, MHz. `throttle`
 * is empty when nothing slows the card down. `mig` is there when the card is divided; programs then get its parts, and
 * `vram_free` of the whole is free to nobody.
 */
export interface GpuInfo {
  index: number;
  name?: string;
  vram_total?: number | null;
  vram_used?: number | null;
  vram_free?: number | null;
  utilisation?: number | null;
  power_w?: number | null;
  power_limit_w?: number | null;
  temperature_c?: number | null;
  uuid?: string;
  driver?: string;
  clock_mhz?: number | null;
  memory_clock_mhz?: number | null;
  throttle?: ThrottleReason[] | null;
  processes?: GpuProcess[] | null;
  mig?: MigInstance[] | null;
}

/** Why a graphics card runs slower than it could. */
export interface ThrottleReason {
  code: string;
  words: Text;
}

/** A program that uses a graphics card. `worker` is the job of the daemon's own; `vram` in bytes. */
export interface GpuProcess {
  pid: number;
  name?: string;
  vram?: number | null;
  worker?: string;
}

/** One part of a graphics card that is divided (MIG). Bytes. */
export interface MigInstance {
  index: number;
  name?: string;
  uuid?: string;
  vram_total?: number | null;
  vram_used?: number | null;
  vram_free?: number | null;
}

/** Done, nothing to tell. */
export interface Ok {
  type: "ok";
  id: number;
}

/** The request `id` failed. */
export interface Refused {
  type: "refused";
  id: number;
  fault: Fault;
}

/** One session; `messages` when it was asked for with `show_session`. */
export interface SessionReply {
  type: "session";
  id: number;
  session: SessionInfo;
  messages?: MessageInfo[];
}

/** A conversation without its messages. Times are UTC, RFC 3339. */
export interface SessionInfo {
  id: string;
  title: string;
  created: string;
  updated: string;
  messages?: number;
  deleted?: boolean;
  pinned?: boolean;
}

/** One stored message. `turn` is the turn it belongs to; absent for imported ones. */
export interface MessageInfo {
  id: number;
  role: "assistant" | "system" | "user";
  content: string;
  created: string;
  turn?: number | null;
  state?: "cancelled" | "complete" | "failed" | "interrupted" | "streaming";
  fault?: Fault | null;
}

/** Sessions: pinned ones, then the others, newest first. */
export interface SessionsReply {
  type: "sessions";
  id: number;
  sessions: SessionInfo[];
}

/** Where the words were found, best first. */
export interface SearchReply {
  type: "search_hits";
  id: number;
  hits: SearchHit[];
}

/** A place where the words were found; without `message` it is the title. */
export interface SearchHit {
  session: string;
  title: string;
  excerpt: string;
  message?: number | null;
}

/** Sessions as text in the asked format. */
export interface ExportReply {
  type: "export";
  id: number;
  format: "json" | "markdown";
  text: string;
}

/** The state of the daemon. */
export interface StatusReply {
  type: "status";
  id: number;
  status: Status;
}

/** The catalogue with what is installed. */
export interface ModelsReply {
  type: "models";
  id: number;
  models: ModelInfo[];
}

/** A model of the catalogue or the store. Sizes in bytes. */
export interface ModelInfo {
  id: string;
  kind: string;
  title: string;
  bytes: number;
  licence: string;
  languages: string[];
  installed: boolean;
  used?: boolean;
  starter?: boolean;
  memory?: number;
  note?: string;
}

/** How far a download is, in bytes. */
export interface PullProgress {
  type: "pull_progress";
  id: number;
  model: string;
  done: number;
  total: number;
}

/** The slash commands. */
export interface CommandsReply {
  type: "commands";
  id: number;
  commands: CommandInfo[];
}

/**
 * A slash command: its names and help by language, and whether it needs content after its name. `permissions` are what
 * its author says it uses. `confirms`: it asks before it does anything.
 */
export interface CommandInfo {
  name: string;
  names: Record<string, string[]>;
  help: Record<string, string>;
  needs_content?: boolean;
  plugin?: string;
  parameters?: ParameterInfo[];
  permissions?: string[];
  confirms?: boolean;
}

/**
 * What may be typed after a command's name: `--option=value`, or the rest of the line if `flag` is empty. `kind` is
 * text, integer, number, boolean or choice. `choices` are a choice's values; `least` and `most` a number's.
 */
export interface ParameterInfo {
  name: string;
  flag: string;
  kind: string;
  required?: boolean;
  default?: unknown;
  choices?: string[];
  least?: number | null;
  most?: number | null;
  help?: Record<string, string>;
}

/** The plugins, by name. `folder` is the user's; `fault` says why it cannot be read. */
export interface PluginsReply {
  type: "plugins";
  id: number;
  plugins: PluginInfo[];
  folder?: string;
  fault?: Fault | null;
}

/**
 * A plugin: where it comes from, and whether it works. `source` is bundled, installed (a package) or folder (the
 * user's). `state` is active, disabled, failed or quarantined: failed too often in a short time, and off until it is
 * enabled again. `fault` says why.
 */
export interface PluginInfo {
  name: string;
  source: string;
  state: string;
  fault?: Fault | null;
  path?: string;
  commands?: string[];
  permissions?: string[];
}

/** The configuration in force; `restart` names the keys that take effect at the next start. */
export interface ConfigReply {
  type: "config";
  id: number;
  values: Record<string, unknown>;
  schema?: Record<string, unknown>;
  restart?: string[];
}

/** The page's address; its fragment holds a code that works once, for a minute. */
export interface PageReply {
  type: "page";
  id: number;
  url: string;
}

/** Game mode is on or off. `took_s`: after so many seconds the programs that held the card for us were gone. */
export interface GameReply {
  type: "game";
  id: number;
  on: boolean;
  took_s?: number;
}

/** The microphone stream is open; send frames of stream `id`. */
export interface Listening {
  type: "listening";
  id: number;
}

/**
 * What the open microphone (`hands_free`) hears. `at_s`: in seconds from the stream's first sample. `speech` began; a
 * `pause`, after which it may go on (`speech`); the utterance `ended` and its turn begins; what was heard is
 * `dropped`, as it had no words; the stream is `closed`.
 */
export interface HearingChanged {
  type: "hearing";
  listen: number;
  state: "closed" | "dropped" | "ended" | "pause" | "speech";
  at_s?: number;
}

/** What was understood until now of an utterance that goes on; replaced by the next one and by `heard`. */
export interface HeardSoFar {
  type: "heard_so_far";
  listen: number;
  text: string;
  language?: string;
}

/** A message is read aloud: its speech carries `turn`, a number that no turn has. */
export interface Reading {
  type: "reading";
  id: number;
  turn: number;
}

/**
 * A turn began. `id` is the request that began it, for the client that sent it. `replaces`: that message and all after
 * it are gone from the session; ask for it again.
 */
export interface TurnStarted {
  type: "turn_started";
  turn: number;
  session: string;
  id?: number | null;
  text?: string;
  replaces?: number | null;
}

/** What was understood. `voiced_end_s`: last voiced sample, in seconds from the stream's first sample. */
export interface Heard {
  type: "heard";
  turn: number;
  text: string;
  language?: string;
  audio_s?: number;
  voiced_end_s?: number | null;
  took_s?: number;
}

/** More of the answer. `at`: how many characters came before it, so that a late client neither loses nor doubles. */
export interface Delta {
  type: "delta";
  turn: number;
  at: number;
  text: string;
}

/** The engine that answers died; the answer waits for a new one and then goes on after its last `delta`. */
export interface Interrupted {
  type: "interrupted";
  turn: number;
  fault: Fault;
}

/** An interrupted answer goes on. Nothing of it was lost or is said again. */
export interface Resumed {
  type: "resumed";
  turn: number;
}

/** How far a command is, 0..1. */
export interface Progress {
  type: "progress";
  turn: number;
  fraction: number;
  text?: string;
}

/**
 * A command waits for a person: `answer_question` answers it. Without `confirm` it wants one of `choices`, or text. It
 * is sent to who asked and to who follows turns; the first answer counts, and `question_closed` follows.
 */
export interface Question {
  type: "question";
  turn: number;
  question: number;
  text: string;
  confirm?: boolean;
  choices?: string[];
}

/** A question needs no answer any more: it has one, or the command has ended. */
export interface QuestionClosed {
  type: "question_closed";
  turn: number;
  question: number;
}

/** Sound follows as binary frames of stream `turn`. */
export interface SpeechStarted {
  type: "speech_started";
  turn: number;
  sample_rate: number;
}

/** The clause whose sound begins at sample `start` of the turn's speech, in `language`, spoken by `voice`. */
export interface SpeechClause {
  type: "speech_clause";
  turn: number;
  text: string;
  start: number;
  language?: string;
  voice?: string;
}

/** All sound of the turn was sent: `samples` of it. */
export interface SpeechEnded {
  type: "speech_ended";
  turn: number;
  samples: number;
}

/** Somebody speaks while the turn's speech is played: be silent at once, and keep what has come. */
export interface SpeechPaused {
  type: "speech_paused";
  turn: number;
}

/** Nobody wanted to interrupt: go on playing where it stopped. */
export interface SpeechResumed {
  type: "speech_resumed";
  turn: number;
}

/** The turn's speech was interrupted: forget what has not been played. Nothing of it follows; say `played`. */
export interface SpeechStopped {
  type: "speech_stopped";
  turn: number;
}

/** What was heard of an interrupted answer, and is kept of it. Comes after the turn's ending. */
export interface SpeechHeard {
  type: "speech_heard";
  turn: number;
  session: string;
  reply?: string;
}

/** The turn is complete. Exactly one of `done`, `cancelled` or `error` ends a turn. */
export interface Done {
  type: "done";
  turn: number;
  session: string;
  finish: string;
  reply: string;
  tokens?: number;
  prompt_tokens?: number;
  reused_tokens?: number;
  dropped_turns?: number;
  tokens_per_s?: number;
  timings?: Timings;
}

/** Where a turn's time went: seconds since the utterance was complete. Absent if the stage did not happen. */
export interface Timings {
  transcript_s?: number | null;
  prefill_s?: number | null;
  first_token_s?: number | null;
  first_clause_s?: number | null;
  first_audio_s?: number | null;
  end_s?: number | null;
}

/** The turn was stopped; `reply` is what was said until then. */
export interface Cancelled {
  type: "cancelled";
  turn: number;
  session: string;
  reply?: string;
}

/** The turn failed; `reply` is what was said until then. */
export interface TurnError {
  type: "error";
  turn: number;
  session: string;
  fault: Fault;
  reply?: string;
}

/** An engine's worker is in another state (topic engines). */
export interface EngineChanged {
  type: "engine_changed";
  engine: string;
  info: EngineInfo;
}

/** Game mode was turned on or off (topic engines). What it does to an engine comes as `engine_changed`. */
export interface GameChanged {
  type: "game_changed";
  on: boolean;
}

/** A session was made, renamed, deleted, restored or talked in (topic sessions). */
export interface SessionChanged {
  type: "session_changed";
  session: SessionInfo;
}

/** Another client has imported this many sessions (topic sessions): ask for the list again. */
export interface SessionsImported {
  type: "sessions_imported";
  count: number;
}

/**
 * One sample of the machine (topic telemetry). `time` in seconds since the epoch; bytes; percent. `cpu` is of all
 * cores. `workers` are by job. `turns` run now; `waiting` of them have no word of their answer yet. `tokens_per_s` is
 * that of the last answer. `plan` says how the language model is laid out in memory.
 */
export interface Telemetry {
  type: "telemetry";
  time: number;
  gpu?: GpuInfo[];
  cpu?: number | null;
  memory_total?: number | null;
  memory_available?: number | null;
  tokens_per_s?: number | null;
  workers?: Record<string, ProcessShare>;
  daemon?: ProcessShare | null;
  turns?: number;
  waiting?: number;
  model?: string;
  plan?: string;
}

/** What one process takes: percent of one processor core since the sample before, and resident bytes. */
export interface ProcessShare {
  pid: number;
  cpu?: number | null;
  rss?: number | null;
}

/**
 * The last minutes of telemetry, sent once to who subscribes to it, before the first sample (topic telemetry). `times`
 * in seconds since the epoch, oldest first. Each series has one value for each time, null where it was not known; its
 * name is that of the sample's field: `cpu`, `memory_available`, `tokens_per_s`, `gpu.0.vram_used`,
 * `gpu.0.utilisation`, `worker.llm.cpu`, `worker.llm.rss`, `daemon.rss` and so on.
 */
export interface TelemetryHistory {
  type: "telemetry_history";
  times?: number[];
  series?: Record<string, (number | null)[]>;
}

/** Something people should know (topic notices). */
export interface Notice {
  type: "notice";
  level: "error" | "info" | "warning";
  fault: Fault;
}

/** A plugin tells people something (topic notices). */
export interface Notify {
  type: "notify";
  plugin: string;
  text: string;
  title?: string;
  turn?: number | null;
}

/** Plugins came, went or failed: what there is now (topic plugins). */
export interface PluginsChanged {
  type: "plugins_changed";
  plugins: PluginInfo[];
  commands: CommandInfo[];
}
