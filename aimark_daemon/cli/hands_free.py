"""`aimark say --hands-free`: a recording before an open microphone; the assistant decides where its utterances end."""

from __future__ import annotations

import asyncio
import contextlib
import time

from aimark_daemon.assistant.faults import NOTHING_HEARD
from aimark_daemon.cli.ask import cancel_turn, note_interruption
from aimark_daemon.cli.microphone import BLOCK, Microphone
from aimark_daemon.cli.shell import Shell
from aimark_daemon.cli.turns import TurnRecord
from aimark_daemon.client import Arrival, DaemonClient
from aimark_daemon.errors import AimarkError
from aimark_daemon.protocol.audio import MIC_RATE
from aimark_daemon.protocol.messages import (
    Cancel,
    EndListen,
    HearingChanged,
    Listen,
    Listening,
    Ok,
    Played,
    Refused,
    SpeechStopped,
    TurnStarted,
)

SILENCE_S = 3.0
"""Fed after a recording: every end has been decided by then."""
SURE_S = 0.5
"""So long after the recording nothing of it is still on its way."""


class Listened:
    """What became of one recording, `blocks` of the microphone long: its turns, of which the last answers its end."""

    def __init__(self, stream: int, microphone: Microphone, blocks: int) -> None:
        self._stream = stream
        self._microphone = microphone
        self._blocks = blocks
        self._speaking = False
        self.closed = False
        self.records: list[TurnRecord] = []
        self._refused: TurnRecord | None = None

    @property
    def record(self) -> TurnRecord:
        """The last turn, or why there is none."""
        if self.records:
            return self.records[-1]
        return self._refused or TurnRecord(self._stream, finish="error", fault=NOTHING_HEARD.fault())

    @property
    def complete(self) -> bool:
        """Whether all that was said has been answered, or nothing will be."""
        if self._refused is not None:
            return True
        ended = all(record.ended for record in self.records)
        fed = len(self._microphone.sent) >= self._blocks + SURE_S * MIC_RATE / BLOCK
        return ended and (self.closed or (fed and bool(self.records) and not self._speaking))

    async def played_out(self) -> None:
        """Wait until the answer has been played: what is said earlier interrupts it."""
        await asyncio.sleep(max(0.0, self.record.played_until - time.perf_counter()) + SURE_S)

    def played_ms(self, turn: int) -> int:
        """How much was played of a turn that was interrupted, in milliseconds."""
        return next((round(1000 * record.speech_s) for record in self.records if record.turn == turn), 0)

    def take(self, arrival: Arrival, at: float) -> None:
        """Learn from what arrived at the time `at`."""
        match arrival:
            case HearingChanged(listen=self._stream, state=state):
                self._speaking, self.closed = state in {"speech", "pause"}, state == "closed"
            case TurnStarted(id=self._stream):
                self.records.append(TurnRecord(self._stream))
            case Refused(id=self._stream, fault=fault):
                self._refused = TurnRecord(self._stream, finish="error", fault=fault)
        # A later turn of the stream must not be taken for an earlier one.
        for record in self.records[-1:] if isinstance(arrival, TurnStarted) else self.records:
            record.take(arrival, at)


async def listen_to(shell: Shell, client: DaemonClient, pcm: bytes, session: str | None) -> tuple[Listened, Microphone]:
    """Play 16 kHz samples and some silence in real time, until everything in them has been answered.

    Raises:
        AimarkError: the stream was refused, or the connection lost.
    """
    microphone = Microphone(pcm + bytes(2 * round(SILENCE_S * MIC_RATE)))
    listened = Listened(client.next_id(), microphone, -(-len(pcm) // (2 * BLOCK)))
    stream = listened.record.request
    # A recording is no microphone beside a loudspeaker.
    await client.request(Listen(id=stream, session=session, mode="hands_free", echo_cancelled=True), Listening)

    async def feed() -> None:
        await microphone.speak(client, stream)
        await client.request(EndListen(id=0, listen=stream), Ok)

    async def follow() -> None:
        async for arrival in client.events():
            listened.take(arrival, time.perf_counter())
            if isinstance(arrival, SpeechStopped):
                await client.send(Played(id=client.next_id(), turn=arrival.turn, ms=listened.played_ms(arrival.turn)))
            note_interruption(shell, listened.record, arrival)
            if listened.complete:
                return

    feeder, follower = asyncio.create_task(feed()), asyncio.create_task(follow())
    try:
        await asyncio.wait({feeder, follower}, return_when=asyncio.FIRST_COMPLETED)
        if not follower.done():
            await feeder
        await follower
        feeder.cancel()
        if not listened.closed:
            await client.request(Cancel(id=0, listen=stream), Ok)
    except asyncio.CancelledError:
        feeder.cancel()
        listened.records = listened.records or [TurnRecord(stream)]
        await cancel_turn(client, listened.record, listen=stream)
    finally:
        for task in (feeder, follower):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, AimarkError):
                await task
    return listened, microphone
