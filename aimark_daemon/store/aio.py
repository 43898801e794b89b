"""Asynchronous store: the same methods, run one after the other in one thread of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from aimark_daemon.engines.base import ChatMessage
from aimark_daemon.errors import Fault
from aimark_daemon.protocol.messages import ExportFormat, MessageInfo, SearchHit, SessionInfo, Timings
from aimark_daemon.store.imported import take_in
from aimark_daemon.store.store import Store
from aimark_daemon.store.turns import Ending

P = ParamSpec("P")
T = TypeVar("T")


class AsyncStore:
    """`Store` for the event loop; see there for what the methods do and raise.

    Calls are carried out in the order they were made, but an import takes turns with those that come while it goes on.
    Cancelling a caller does not undo its call.
    """

    def __init__(self, store: Store, thread: ThreadPoolExecutor) -> None:
        self._store = store
        self._thread = thread
        self._importer = ThreadPoolExecutor(1, "store-import")
        self._closed = False

    @classmethod
    async def open(cls, path: Path, clock: Callable[[], datetime] | None = None) -> tuple[AsyncStore, Fault | None]:
        """Open the database; a damaged one is replaced, and the fault tells of it (see `Store.open_or_recover`)."""
        thread = ThreadPoolExecutor(1, "store")
        try:
            opened = asyncio.get_running_loop().run_in_executor(thread, Store.open_or_recover, path, clock)
            store, notice = await opened
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(store, thread), notice

    async def close(self) -> None:
        """Finish what was asked for, then close the database. Idempotent."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._importer.shutdown)
            await self._do(self._store.close)
            self._thread.shutdown(wait=False)

    async def backup(self) -> Path:
        """Copy the database into its folder of backups."""
        return await self._do(self._store.backup)

    async def backup_if_due(self, age: timedelta) -> Path | None:
        """Make a backup unless the newest one is younger than `age`."""
        return await self._do(self._store.backup_if_due, age)

    async def create_session(self, title: str = "") -> SessionInfo:
        """Make an empty session."""
        return await self._do(self._store.create_session, title)

    async def list_sessions(self, limit: int = 1000, offset: int = 0) -> list[SessionInfo]:
        """Sessions that are not deleted, last used first."""
        return await self._do(self._store.list_sessions, limit, offset)

    async def count_sessions(self) -> int:
        """How many sessions are not deleted."""
        return await self._do(self._store.count_sessions)

    async def get_session(self, session: str) -> SessionInfo:
        """One session."""
        return await self._do(self._store.get_session, session)

    async def messages(self, session: str) -> list[MessageInfo]:
        """A session's messages."""
        return await self._do(self._store.messages, session)

    async def rename_session(self, session: str, title: str) -> SessionInfo:
        """Give this session, and only this one, another title."""
        return await self._do(self._store.rename_session, session, title)

    async def pin_session(self, session: str, *, pinned: bool) -> SessionInfo:
        """Keep a session at the top of the list, or let it go from there."""
        return await self._do(self._store.pin_session, session, pinned=pinned)

    async def branch_session(self, session: str, before: int) -> SessionInfo:
        """Make a new session of what was said before a message."""
        return await self._do(self._store.branch_session, session, before)

    async def delete_session(self, session: str) -> SessionInfo:
        """Hide a session."""
        return await self._do(self._store.delete_session, session)

    async def restore_session(self, session: str) -> SessionInfo:
        """Undo `delete_session`."""
        return await self._do(self._store.restore_session, session)

    async def purge(self, before: datetime) -> int:
        """Remove sessions deleted before this time for good."""
        return await self._do(self._store.purge, before)

    async def search(self, query: str, limit: int = 50) -> list[SearchHit]:
        """Titles and messages that hold every part of `query`."""
        return await self._do(self._store.search, query, limit)

    async def export(self, ids: Sequence[str] | None = None, form: ExportFormat = "json") -> str:
        """Sessions as text."""
        return await self._do(self._store.export, ids, form)

    async def import_text(self, text: str) -> list[SessionInfo]:
        """Add sessions from an export."""
        work = self._importer.submit(take_in, self._store.database, text, self._store.now, self._in_turn)
        return await asyncio.shield(asyncio.wrap_future(work))

    async def begin_turn(self, session: str, text: str, replaces: int | None = None, *, new: bool = False) -> int:
        """Store what the user said, in a `new` session or one that is there; the turn's number."""
        return await self._do(self._store.begin_turn, session, text, replaces, new=new)

    async def checkpoint(self, turn: int, reply: str) -> None:
        """Store the answer so far."""
        await self._do(self._store.checkpoint, turn, reply)

    async def end_turn(
        self,
        turn: int,
        state: Ending,
        reply: str,
        timings: Timings | None = None,
        fault: Fault | None = None,
        tokens: int = 0,
    ) -> None:
        """Store the whole answer and how the turn ended."""
        await self._do(self._store.end_turn, turn, state, reply, timings, fault, tokens)

    async def cut_answer(self, turn: int, shorten: Callable[[str], str]) -> tuple[str, str]:
        """Keep of the answer of a turn that has ended what `shorten` leaves of it; the session, and what was kept."""
        return await self._do(self._store.cut_answer, turn, shorten)

    async def mark_interrupted(self) -> int:
        """Mark the turns that a crash left streaming."""
        return await self._do(self._store.mark_interrupted)

    async def history(self, session: str, turns_shown: int) -> list[ChatMessage]:
        """The last answered turns for the model."""
        return await self._do(self._store.history, session, turns_shown)

    async def _do(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.shield(asyncio.wrap_future(self._thread.submit(method, *args, **kwargs)))

    def _in_turn(self, work: Callable[[], T]) -> T:
        """Have work done in the store's thread, after what others asked for before."""
        return self._thread.submit(work).result()
