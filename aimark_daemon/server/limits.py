"""Limits of the door: how much, how many, how long; and the token bucket that measures a pace. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_MESSAGE_BYTES = 1024 * 1024
"""Longest message a client may send, text or binary; a longer one closes its connection with 1009."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server, and one client of it, may use. Times in seconds."""

    connections: int = 16
    """WebSocket connections at once."""
    sockets: int = 64
    """TCP connections at once: those, page loads, and half-open ones."""
    open_timeout_s: float = 5.0
    hello_timeout_s: float = 10.0
    ping_interval_s: float = 20.0
    ping_timeout_s: float = 20.0
    close_timeout_s: float = 2.0
    stop_timeout_s: float = 4.0
    messages_per_s: float = 200.0
    """Four times what a microphone needs with 20 ms frames."""
    messages_burst: float = 1000.0
    bytes_per_s: float = 4.0 * 1024 * 1024
    bytes_burst: float = 8.0 * 1024 * 1024
    requests_in_flight: int = 64
    """Requests of one client that are not answered yet."""
    ordered_bytes: int = 4 * 1024 * 1024
    """Frames of one client that wait for the assistant: about two minutes of sound. Then reading pauses."""
    outbound_bytes: int = 8 * 1024 * 1024
    """What waits for a client that does not read. Then it is closed."""


@dataclass(slots=True)
class TokenBucket:
    """A pace: `rate` a second on average, `burst` at once. Time is an argument, in seconds of any steady clock."""

    rate: float
    burst: float
    _level: float = field(init=False)
    _at: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._level = self.burst

    def take(self, amount: float, now: float) -> float:
        """Take `amount` and say how many seconds to wait before going on; 0.0 within the pace."""
        self._refill(now)
        self._level -= amount
        return max(0.0, -self._level / self.rate)

    def try_take(self, amount: float, now: float) -> bool:
        """Take `amount` if it is there."""
        self._refill(now)
        if self._level < amount:
            return False
        self._level -= amount
        return True

    def has(self, amount: float, now: float) -> bool:
        """Whether `amount` could be taken."""
        self._refill(now)
        return self._level >= amount

    def _refill(self, now: float) -> None:
        if self._at is not None:
            self._level = min(self.burst, self._level + max(0.0, now - self._at) * self.rate)
        self._at = now
