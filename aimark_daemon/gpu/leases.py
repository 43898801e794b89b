"""Leases: who may hold memory of the graphics card, and who gives it up for whom. Pure: time is an argument.

A request waits in a queue; only its first one is served, so that a large request is not passed by small ones for ever.
It is granted when the driver shows enough free memory beside what was granted and is not filled yet. Otherwise idle
holders are asked to leave, those used longest ago first, and what they held counts again once the driver shows it free.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aimark_daemon.errors import Fault, Text
from aimark_daemon.gpu.plan_faults import GPU_MEMORY_HELD, GPU_MEMORY_SHORT
from aimark_daemon.gpu.reasons import gigabytes

SETTLE_S: Final = 5.0
"""How long the driver may take to give the memory of an ended process back."""
HEAD_START_S: Final = 10.0
"""A request goes before those of one priority less that came at most so much earlier."""

NAMES: Final = {
    "llm": Text("the language model", "언어 모델"),
    "stt": Text("speech recognition", "음성 인식"),
    "tts": Text("the voice", "음성 합성"),
    "image": Text("the image model", "이미지 모델"),
}


class Use(StrEnum):
    """What a holder does with its lease."""

    LOADING = "loading"
    """Granted; how much of it the driver counts already is not known. It is not evicted."""
    IDLE = "idle"
    BUSY = "busy"
    LEAVING = "leaving"
    """It was asked to give its memory back."""


@dataclass(slots=True)
class Lease:
    """What one holder has, in bytes."""

    holder: str
    size: int
    use: Use
    used: float
    """When it was used last; seconds."""
    filled: float | None = None
    """When it was known that all of it is allocated."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that waits. Times in seconds."""

    number: int
    holder: str
    size: int
    priority: int
    asked: float
    until: float

    @property
    def rank(self) -> tuple[float, int]:
        """Its place in the queue; the least is served first."""
        return self.asked - self.priority * HEAD_START_S, self.number


@dataclass(frozen=True, slots=True)
class Granted:
    """The ticket's holder has a lease now, and loads."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Refused:
    """The ticket is void."""

    ticket: Ticket
    fault: Fault


@dataclass(frozen=True, slots=True)
class Evict:
    """These holders must end; then tell `left`, or `stays` of one that does not."""

    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done until something changes, or free memory is measured again."""


Step = Granted | Refused | Evict | Wait


class Arbiter:
    """Decides. A holder has one lease at most; whoever asks again has given up what it held."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}
        self._queue: list[Ticket] = []
        self._numbers = 0
        self._returning: list[tuple[int, float]] = []
        """Bytes of ended holders, and until when the driver may take to show them."""
        self._free = 0

    @property
    def leases(self) -> tuple[Lease, ...]:
        """What is held now."""
        return tuple(self._leases.values())

    @property
    def waiting(self) -> tuple[Ticket, ...]:
        """Requests in the order in which they are served."""
        return tuple(sorted(self._queue, key=lambda ticket: ticket.rank))

    def ask(self, holder: str, size: int, now: float, *, priority: int = 0, patience_s: float = 30.0) -> Ticket:
        """Queue a request for `size` bytes. `step` answers it.

        Raises:
            ValueError: the size is not positive, or the holder waits already.
        """
        if size <= 0:
            raise ValueError(f"{size} bytes are no request")
        if any(ticket.holder == holder for ticket in self._queue):
            raise ValueError(f"{holder} waits already")
        self.release(holder, now)
        self._numbers += 1
        ticket = Ticket(self._numbers, holder, size, priority, now, now + patience_s)
        self._queue.append(ticket)
        return ticket

    def withdraw(self, ticket: Ticket) -> None:
        """Nobody waits for the ticket any more. Idempotent."""
        self._queue = [other for other in self._queue if other.number != ticket.number]

    def loaded(self, holder: str, now: float) -> None:
        """The holder has allocated what it was granted, and is idle."""
        lease = self._leases.get(holder)
        if lease is not None and lease.use is Use.LOADING:
            lease.use, lease.used, lease.filled = Use.IDLE, now, now

    def begin(self, holder: str, now: float) -> bool:
        """The holder is about to work. False: it has no lease, or is leaving; it must ask for one first."""
        lease = self._leases.get(holder)
        if lease is None or lease.use not in {Use.IDLE, Use.BUSY}:
            return False
        lease.use, lease.used = Use.BUSY, now
        return True

    def rest(self, holder: str, now: float) -> None:
        """The holder has nothing to do."""
        lease = self._leases.get(holder)
        if lease is not None and lease.use is Use.BUSY:
            lease.use, lease.used = Use.IDLE, now

    def stays(self, holder: str, now: float) -> None:
        """A holder that was asked to leave could not be ended: it counts as busy until it `rest`s."""
        lease = self._leases.get(holder)
        if lease is not None and lease.use is Use.LEAVING:
            lease.use, lease.used = Use.BUSY, now

    def left(self, holder: str, now: float) -> None:
        """A holder that was asked to leave has ended; not one that has a new lease meanwhile."""
        lease = self._leases.get(holder)
        if lease is not None and lease.use is Use.LEAVING:
            self.release(holder, now)

    def release(self, holder: str, now: float) -> None:
        """The holder's process has ended. Idempotent."""
        lease = self._leases.pop(holder, None)
        if lease is not None:
            self._returning.append((lease.size, now + SETTLE_S))

    def step(self, free: int | None, measured: float, now: float) -> Step:
        """What to do next, given the bytes that the driver shows free; `measured` is when that was asked for.

        None is a driver that does not answer: then nothing is granted and nobody evicted.
        """
        queue = self.waiting
        self._returning = [(size, until) for size, until in self._returning if until > now]
        if free is None:
            return self._overdue(queue, now) or Wait()
        self._free = free
        if not queue:
            return Wait()
        first = queue[0]
        room = free - sum(lease.size for lease in self._leases.values() if _unseen(lease, measured))
        if first.size <= room:
            self.withdraw(first)
            self._leases[first.holder] = Lease(first.holder, first.size, Use.LOADING, now)
            return Granted(first)
        return self._overdue(queue, now) or self._make_room(first, first.size - free)

    def _make_room(self, first: Ticket, missing: int) -> Step:
        """Wait for what comes back by itself, let idle holders leave, or give up; `missing` bytes at least are needed.

        That much is sure: what was granted and is not seen yet may be among what the driver shows as taken. Nobody has
        to leave where that would not be enough.
        """
        leases = self._leases.values()
        missing -= sum(size for size, _ in self._returning)
        missing -= sum(lease.size for lease in leases if lease.use is Use.LEAVING)
        idle = sorted((lease for lease in leases if lease.use is Use.IDLE), key=lambda lease: lease.used)
        working = sum(lease.size for lease in leases if lease.use in {Use.LOADING, Use.BUSY})
        if 0 < missing <= sum(lease.size for lease in idle):
            return self._evict(idle, missing)
        if missing <= working + sum(lease.size for lease in idle):
            return Wait()
        self.withdraw(first)
        return Refused(first, self._fault(first, short=True))

    def _evict(self, idle: list[Lease], missing: int) -> Evict:
        leaving: list[str] = []
        for lease in idle:
            if missing <= 0:
                break
            lease.use = Use.LEAVING
            leaving.append(lease.holder)
            missing -= lease.size
        return Evict(tuple(leaving))

    def _overdue(self, queue: tuple[Ticket, ...], now: float) -> Refused | None:
        for ticket in queue:
            if now >= ticket.until:
                self.withdraw(ticket)
                return Refused(ticket, self._fault(ticket, short=False))
        return None

    def _fault(self, ticket: Ticket, *, short: bool) -> Fault:
        kind = GPU_MEMORY_SHORT if short else GPU_MEMORY_HELD
        holder, held = _name(ticket.holder), _held(self.leases)
        return kind.fault(
            holder=holder.en,
            holder_ko=holder.ko,
            wanted=gigabytes(ticket.size),
            free=gigabytes(self._free),
            held=held.en,
            held_ko=held.ko,
        )


def _unseen(lease: Lease, measured: float) -> bool:
    """Whether a measurement begun at `measured` may not show the lease's memory as taken."""
    return lease.filled is None or lease.filled >= measured


def _name(holder: str) -> Text:
    return NAMES.get(holder, Text(holder, holder))


def _held(leases: tuple[Lease, ...]) -> Text:
    """Who holds what, without a full stop."""
    if not leases:
        return Text("other programs hold the rest", "나머지는 다른 프로그램이 쓰고 있습니다")
    parts = [(_name(lease.holder), gigabytes(lease.size), lease.use is Use.IDLE) for lease in leases]
    return Text(
        ", ".join(f"{name.en} holds {size}{'' if idle else ' and is in use'}" for name, size, idle in parts),
        ", ".join(f"{name.ko} {size}{'' if idle else '(사용 중)'}" for name, size, idle in parts)
        + " 차지하고 있습니다",
    )
