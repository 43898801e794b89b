"""Housekeeping: what the store needs now and then, in the background."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from aimark_daemon.store import AsyncStore

log = logging.getLogger("aimark.daemon")

_BACKUP_AGE: Final = timedelta(days=1)
_HOUSEKEEPING_S: Final = 3600.0
_KEEP_DELETED: Final = timedelta(days=30)
"""How long a deleted session can be restored."""


async def keep_house(store: AsyncStore) -> None:
    """Back up when it is due and remove what was deleted long ago, for as long as the daemon runs."""
    while True:
        try:
            await store.purge(datetime.now(UTC) - _KEEP_DELETED)
            await store.backup_if_due(_BACKUP_AGE)
        except Exception:
            log.exception("housekeeping failed; it is tried again later")
        await asyncio.sleep(_HOUSEKEEPING_S)
