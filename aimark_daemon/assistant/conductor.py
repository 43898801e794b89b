"""The conductor: takes utterances, runs their turns one after another in each session, and ends each exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from aimark_daemon.assistant.answering import Answer, answer_by_command, answer_by_model, done
from aimark_daemon.assistant.ears import Ears
from aimark_daemon.assistant.ending import end_early
from aimark_daemon.assistant.faults import TEXT_EMPTY, TEXT_TOO_LONG, TURN_UNKNOWN
from aimark_daemon.assistant.listener import Listener, Publish
from aimark_daemon.assistant.loudspeaker import Speech
from aimark_daemon.assistant.preparing import Preparing
from aimark_daemon.assistant.questions import Questions
from aimark_daemon.assistant.reading import Readings
from aimark_daemon.assistant.running import RunningTurn
from aimark_daemon.assistant.speaking import Speaker
from aimark_daemon.assistant.stopwatch import Stopwatch
from aimark_daemon.assistant.utterance import Utterance
from aimark_daemon.config.types import Config
from aimark_daemon.conversation.heard import heard_text
from aimark_daemon.conversation.slash import parse_slash
from aimark_daemon.conversation.turn import Step
from aimark_daemon.engines.base import Language
from aimark_daemon.plugins.service import Plugins
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import MAX_TEXT_CHARS, CommandInfo, SessionChanged, SpeechHeard
from aimark_daemon.roster import ENGINE_STOPPED, Roster
from aimark_daemon.store import AsyncStore
from aimark_daemon.store.faults import MESSAGE_UNKNOWN
from aimark_daemon.store.sessions import new_identity

log = logging.getLogger("aimark.assistant")


class Assistant:
    """Conducts turns. Belongs to the event loop; `clock` gives monotonic seconds."""

    def __init__(
        self,
        *,
        store: AsyncStore,
        roster: Roster,
        plugins: Plugins,
        config: Callable[[], Config],
        publish: Publish,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._roster = roster
        self._plugins = plugins
        self._config = config
        self._publish = publish
        self._clock = clock
        self._turns: dict[int, RunningTurn] = {}
        self.questions = Questions()
        self._preparing = Preparing(store, roster, config)
        self._ears = Ears(roster, store, config, clock, self._begin, self._may_prepare, self._cut)
        self._readings = Readings(roster, clock, plugins.transform_speech)
        self._queues: dict[str, asyncio.Lock] = {}
        self._tokens_per_s: float | None = None
        self._stopped = False

    @property
    def tokens_per_s(self) -> float | None:
        """How fast the last answer came; None before the first."""
        return self._tokens_per_s

    def reply_so_far(self, turn: int) -> str | None:
        """The answer of a running turn, further than what is stored of it; None when it does not run."""
        running = self._turns.get(turn)
        return running.reply if running is not None else None

    @property
    def load(self) -> tuple[int, int]:
        """How many turns run, and how many of them have no word of their answer yet."""
        return len(self._turns), sum(not turn.reply for turn in self._turns.values())

    @property
    def busy(self) -> bool:
        """Whether a turn runs or someone is being heard."""
        return bool(self._turns) or self._ears.any

    async def submit(
        self,
        text: str,
        *,
        session: str | None,
        speak: bool,
        listener: Listener,
        request: int | None = None,
        replaces: int | None = None,
    ) -> int:
        """Begin the turn of a typed utterance; returns its number, its events follow. `replaces`: see `Submit`.

        Raises:
            AimarkError: refused before any work - empty or too long text, unknown session, unknown command, a command
                without its content.
        """
        if not text.strip():
            raise TEXT_EMPTY()
        if len(text) > MAX_TEXT_CHARS:
            raise TEXT_TOO_LONG(length=len(text), limit=MAX_TEXT_CHARS)
        text = await self._plugins.transform_input(text, listener.language)
        if (line := parse_slash(text)) is not None:
            self._plugins.check(line)
        stopwatch = Stopwatch(self._clock)
        return (await self._begin(Utterance(text, session, speak, listener, request, stopwatch, replaces))).number

    async def listen(
        self,
        listener: Listener,
        stream: int,
        *,
        language: Language,
        session: str | None,
        hands_free: bool = False,
        speak: bool = True,
        echo_cancelled: bool = False,
    ) -> None:
        """Open the microphone stream `stream` of a client; "auto" hears the configured language.

        A `hands_free` stream begins a turn, which it may `speak`, at the end of each utterance.

        Raises:
            AimarkError: unknown session, nothing here can hear (yet), or the stream is open already.
        """
        self.wake()
        await self._ears.open(
            listener,
            stream,
            language=language,
            session=session,
            hands_free=hands_free,
            speak=speak,
            echo_cancelled=echo_cancelled,
        )

    async def hear(self, listener: Listener, frame: AudioFrame) -> None:
        """Take a microphone frame.

        Raises:
            AimarkError: no such stream, a lost frame, or the engine's fault; the stream is closed then.
        """
        await self._ears.feed(listener, frame)

    async def end_listening(self, listener: Listener, stream: int, *, session: str | None, speak: bool) -> int | None:
        """The stream is complete: transcribe it and begin its turn; returns the turn's number.

        A hands-free stream has begun its turns; what was being said is its last one.

        Raises:
            AimarkError: no such stream, nothing heard, cancelled meanwhile, or the engine's fault.
        """
        return await self._ears.end(listener, stream, session=session, speak=speak)

    def wake(self) -> None:
        """Somebody begins to type or to speak: a language model that sleeps is loaded meanwhile."""
        self._roster.wake("llm")

    def stop_listening(self, listener: Listener, stream: int) -> bool:
        """Forget a stream; False if there is none."""
        return self._ears.close(listener, stream)

    def played(self, listener: Listener, turn: int, ms: int) -> None:
        """The client says how many milliseconds of an interrupted turn's speech it has played."""
        self._ears.played(listener, turn, ms)

    def cancel(self, turn: int) -> None:
        """Stop a turn in all its stages, its `cancelled` follows; or a reading.

        Raises:
            AimarkError: `turn_unknown`.
        """
        if self._readings.cancel(turn):
            return
        running = self._turns.get(turn)
        if running is None:
            raise TURN_UNKNOWN(turn=turn)
        running.cancel()

    async def read_aloud(self, listener: Listener, session: str, message: int) -> int:
        """Speak a stored message to this client alone; returns the number that its speech carries.

        Raises:
            AimarkError: unknown session or message.
        """
        said = next((stored.content for stored in await self._store.messages(session) if stored.id == message), None)
        if said is None:
            raise MESSAGE_UNKNOWN(number=message)
        return self._readings.begin(listener, self._ears.loudspeaker(listener), said, self._config().tts.speed)

    def forget(self, listener: Listener) -> None:
        """A client left: its streams are dropped and its sound is no longer made. Its turns are completed."""
        self._ears.forget(listener)
        self._readings.forget(listener)
        for running in self._turns.values():
            if running.listener is listener:
                running.deafen()

    async def stop(self) -> None:
        """Cancel everything, begin nothing more, and wait until each turn has ended."""
        self._stopped = True
        self._ears.close_all()
        await self._readings.stop()
        running = list(self._turns.values())
        for turn in running:
            turn.cancel()
        await asyncio.gather(*(turn.ended() for turn in running), return_exceptions=True)
        await self._preparing.stop()

    # What commands may ask for

    def commands(self) -> Sequence[CommandInfo]:
        """Every command there is."""
        return self._plugins.commands()

    async def rename_session(self, session: str, title: str) -> None:
        """Give one session another title, and tell everyone."""
        info = await self._store.rename_session(session, title)
        self._publish("sessions", SessionChanged(session=info), None)

    async def ask(self, turn: int, text: str, *, confirm: bool, choices: tuple[str, ...]) -> str | None:
        """A person's answer to a question, "" to a confirmed one; None if it was declined or the turn has ended."""
        running = self._turns.get(turn)
        return None if running is None else await self.questions.ask(running, text, confirm=confirm, choices=choices)

    # One turn

    def _may_prepare(self, session: str) -> bool:
        """Whether an answer in a session may be prepared. What is evaluated in the background gives way to it."""
        if session in self._queues:
            return False
        self._preparing.cancel(session)
        return True

    async def _begin(self, said: Utterance) -> RunningTurn:
        if self._stopped:
            raise ENGINE_STOPPED()
        if said.transcript is not None:
            words = await self._plugins.transform_input(said.text, said.listener.language)
            if words != said.text and said.ahead is not None:
                said.ahead.discard()  # It answers other words.
                said = replace(said, ahead=None)
            said = replace(said, text=words)
        session = said.session if said.session is not None else said.new_id or new_identity()
        self._preparing.cancel(session)
        number = await self._store.begin_turn(session, said.text, said.replaces, new=said.session is None)
        ear = self._ears.loudspeaker(said.listener)
        running = RunningTurn(number, session, said, publish=self._publish, ear=ear)
        self._turns[number] = running
        self._preparing.cancel(session)  # again: a turn that ended meanwhile has begun one
        running.announce(said.request, said.replaces)
        if (transcript := said.transcript) is not None:
            running.heard(transcript)
        running.run(self._conduct(running, said.speak))
        if self._stopped:
            running.cancel()
        return running

    async def _conduct(self, turn: RunningTurn, speak: bool) -> None:
        """From the words to the end of the turn. Whatever happens, exactly one ending is stored and sent."""
        speaker: Speaker | None = None
        answer = Answer()
        try:
            turn.begin()
            self._log(turn.number, "asked", turn.text)
            self._publish("sessions", SessionChanged(session=await self._store.get_session(turn.session)), None)
            lock = self._queues.setdefault(turn.session, asyncio.Lock())
            async with lock:
                config = self._config()
                if speak and config.tts.enabled:
                    speaker = Speaker(
                        turn.number,
                        roster=self._roster,
                        listener=turn.voice,
                        stopwatch=turn.stopwatch,
                        speed=config.tts.speed,
                        clock=self._clock,
                        transform=self._plugins.transform_speech,
                    )
                try:
                    answer = await self._answer(turn, speaker, config)
                    turn.step(Step.ANSWER)
                    # Whatever becomes of its sound: the answer is complete.
                    await self._store.end_turn(
                        turn.number, "complete", turn.reply, timings=turn.stopwatch.timings(), tokens=answer.tokens
                    )
                except (asyncio.CancelledError, Exception) as error:  # noqa: BLE001 - the turn must end, and say why
                    # Before the lock is left: the turn that waits for it reads what was said in this one.
                    await end_early(turn, speaker, self._store, error)
                    return
            if speaker is not None:
                await speaker.finish()
            turn.close()
            turn.stopwatch.mark("end")
            self._log(turn.number, "answered", turn.reply)
            turn.end(Step.FALL_SILENT, done(turn, answer))
        except (asyncio.CancelledError, Exception) as error:  # noqa: BLE001 - the turn must end, and say why
            await end_early(turn, speaker, self._store, error)
        finally:
            if turn.ahead is not None:
                turn.ahead.discard()
            self._turns.pop(turn.number, None)
            self._tidy(turn.session, answer)

    async def _answer(self, turn: RunningTurn, speaker: Speaker | None, config: Config) -> Answer:
        if (line := parse_slash(turn.text)) is not None:
            context = self._plugins.context(line, turn.number, turn.session, turn.listener.language, self)
            return await answer_by_command(
                turn, speaker, self._plugins, line, context, lambda told: self._publish("notices", told, None)
            )
        answer = await answer_by_model(
            turn, speaker, self._roster, self._store, config, plugins=self._plugins, clock=self._clock
        )
        self._tokens_per_s = answer.tokens_per_s or self._tokens_per_s
        return answer

    async def _cut(self, listener: Listener, speech: Speech, played: int) -> None:
        """End the turn of an interrupted speech, and keep of its answer what was heard; or end a reading."""
        if self._readings.cancel(speech.turn):
            return
        if (running := self._turns.get(speech.turn)) is not None:
            running.cancel()
            await running.ended()
        session, reply = await self._store.cut_answer(
            speech.turn, lambda reply: heard_text(reply, speech.clauses, speech.end, played)
        )
        heard = SpeechHeard(turn=speech.turn, session=session, reply=reply)
        listener.send(heard)
        self._publish("turns", heard, listener)

    def _log(self, turn: int, what: str, words: str) -> None:
        """Logs hold no conversation unless the configuration asks for it."""
        log.info("turn %d %s: %s", turn, what, words if self._config().log.content else f"{len(words)} characters")

    def _tidy(self, session: str, answer: Answer) -> None:
        """Forget a session's queue with the last of its turns, so that days of sessions cost nothing."""
        # An unlocked queue is no sign: one that was just left is unlocked until the next in it wakes.
        if not any(turn.session == session for turn in self._turns.values()):
            self._queues.pop(session, None)
            if not self._stopped:
                self._preparing.begin(session, dropped_turns=answer.dropped_turns)
