"""Session ids as people type them: whole, or a beginning that only one conversation has."""

from __future__ import annotations

from aimark_daemon.cli.faults import SESSION_AMBIGUOUS
from aimark_daemon.client import DaemonClient
from aimark_daemon.protocol.messages import ListSessions, SessionInfo, SessionsReply

WHOLE = 16
"""Characters of an id."""
_PAGE = 1000


async def all_sessions(client: DaemonClient) -> list[SessionInfo]:
    """Every session, newest first."""
    found: list[SessionInfo] = []
    while True:
        reply = await client.request(ListSessions(id=0, limit=_PAGE, offset=len(found)), SessionsReply)
        found += reply.sessions
        if len(reply.sessions) < _PAGE:
            return found


async def resolve_session(client: DaemonClient, given: str | None) -> str | None:
    """The id that `given` means; what fits nothing is left to the daemon, which knows deleted ones too.

    Raises:
        AimarkError: `session_ambiguous`.
    """
    if given is None or len(given) >= WHOLE or not given:
        return given
    fitting = [session.id for session in await all_sessions(client) if session.id.startswith(given)]
    if len(fitting) > 1:
        raise SESSION_AMBIGUOUS(prefix=given, count=len(fitting))
    return fitting[0] if fitting else given
