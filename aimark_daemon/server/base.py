"""Dispatcher contract: what the server hands to the assistant, and what it promises about order and failure."""

from __future__ import annotations

from typing import Literal, Protocol

from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.protocol.messages import ClientMessage, Event, Topic


class ClientHandle(Protocol):
    """One connected client, as the dispatcher sees it."""

    id: int
    """Its number, never used again while the daemon runs."""
    kind: str
    """How it proved itself: "page" (cookie) or "command line" (token)."""
    name: str
    """What it calls itself in `hello`."""
    language: Literal["en", "ko"]
    """The language it asked for in `hello`."""
    topics: frozenset[Topic]
    """The broadcasts it asked for with `subscribe`."""

    @property
    def closed(self) -> bool:
        """Whether nothing reaches it any more."""

    def send(self, event: Event) -> None:
        """Queue one message; never waits, never raises. A client that does not read is closed instead."""

    def send_audio(self, frame: AudioFrame) -> None:
        """Queue one audio frame, like `send`."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send what is queued, then close the connection. Idempotent."""


class Dispatcher(Protocol):
    """Who answers. The server calls these for every client.

    Order: `connected` first, then `request` with the `hello`. `hello`, `subscribe`, `listen`, `end_listen` and all
    audio frames of a client are awaited one after the other, as they came; they should return soon. Every other
    request runs in a task of its own, begun in the order of arrival, so that a slow one holds up nothing, `cancel`
    least of all. `disconnected` comes last, once. Requests in flight then go on, as a rename should; what they send
    is dropped.

    Failure: an exception is logged and becomes `refused` with its fault; the connection stays.

    The server has already applied `hello` (language, name) and `subscribe` (topics) to the client when the dispatcher
    sees them; the dispatcher answers both.
    """

    async def connected(self, client: ClientHandle) -> None:
        """A client said hello in a version that we speak."""

    async def request(self, client: ClientHandle, message: ClientMessage) -> None:
        """Answer one message through `client.send`."""

    def coming(self, client: ClientHandle, stream: int) -> None:
        """A `listen` of this number was read; its `request` follows when what came before it is done."""

    async def audio(self, client: ClientHandle, frame: AudioFrame) -> None:
        """Take one microphone frame. Waiting here slows this client's frames down, and nothing else."""

    async def disconnected(self, client: ClientHandle) -> None:
        """The client is gone."""
