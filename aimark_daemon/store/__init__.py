"""Store: conversations in SQLite (write-ahead log, synchronous=FULL, one writer), migrated, backed up and searched."""

from aimark_daemon.store.aio import AsyncStore
from aimark_daemon.store.store import Store

__all__ = ["AsyncStore", "Store"]
