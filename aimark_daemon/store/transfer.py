"""Export and import of conversations: JSON (both ways) and Markdown (to read). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec

from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.protocol.messages import MessageInfo, MessageState, SessionInfo
from aimark_daemon.store.faults import IMPORT_INVALID, IMPORT_TOO_BIG
from aimark_daemon.store.text import TITLE_CHARS, tidy

IMPORT_MIB: Final = 64
_PLACE: Final = re.compile(r" - at `\$(.*)`$")
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class MovedMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of an export. Only `role` and `content` are needed."""

    role: Literal["user", "assistant", "system"]
    content: str
    created: Moment | None = None
    state: MessageState = "complete"
    fault: Fault | None = None


class MovedSession(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One conversation of an export. Without a title it gets one from its first message."""

    title: str = ""
    created: Moment | None = None
    updated: Moment | None = None
    messages: tuple[MovedMessage, ...]


class MovedSessions(msgspec.Struct, frozen=True):
    """A whole export."""

    version: Literal[1]
    sessions: tuple[MovedSession, ...]


def timestamp(moment: datetime) -> str:
    """The moment as it is stored: UTC, RFC 3339, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_json(sessions: Iterable[tuple[SessionInfo, Iterable[MessageInfo]]]) -> str:
    """Sessions with their messages as JSON that `from_json` reads."""
    moved = MovedSessions(1, tuple(_moved(session, messages) for session, messages in sessions))
    return msgspec.json.format(msgspec.json.encode(moved), indent=2).decode() + "\n"


def to_markdown(sessions: Iterable[tuple[SessionInfo, Iterable[MessageInfo]]]) -> str:
    """Sessions with their messages as Markdown; the messages' own Markdown is kept."""
    parts = []
    for session, messages in sessions:
        lines = [f"# {session.title or session.id}", "", session.created, ""]
        for message in messages:
            mark = "" if message.state == "complete" else f" ({message.state})"
            lines += [f"## {message.role.capitalize()}{mark}", "", message.content, ""]
        parts.append("\n".join(lines))
    return "\n---\n\n".join(parts)


def from_json(text: str) -> MovedSessions:
    """Read an export; a byte order mark and unknown fields are allowed. Titles come back tidied.

    Raises:
        AimarkError: `import_too_big`, `import_invalid` naming the place.
    """
    try:
        data = text.removeprefix("\ufeff").encode()
        if len(data) > IMPORT_MIB * 2**20:
            raise IMPORT_TOO_BIG(size=f"{len(data) / 2**20:.1f}", limit=IMPORT_MIB)
        moved = msgspec.json.decode(data, type=MovedSessions)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        raise _invalid((place[1] if place else "").lstrip("."), str(error)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise IMPORT_INVALID(place="the JSON itself", place_ko="JSON 형식", detail=str(error)) from error
    return MovedSessions(1, tuple(_tidied(session, index) for index, session in enumerate(moved.sessions)))


def _invalid(place: str, detail: str) -> AimarkError:
    return IMPORT_INVALID(place=place or "the top", place_ko=place or "파일의 맨 위", detail=detail)


def _tidied(session: MovedSession, index: int) -> MovedSession:
    title = tidy(session.title)
    if len(title) > TITLE_CHARS:
        raise _invalid(f"sessions[{index}].title", f"longer than {TITLE_CHARS} characters")
    try:
        for moment in (session.created, session.updated, *(message.created for message in session.messages)):
            if moment is not None:
                timestamp(moment)
    except OverflowError as error:
        raise _invalid(f"sessions[{index}]", "a time before the year 1") from error
    return msgspec.structs.replace(session, title=title)


def _moved(session: SessionInfo, messages: Iterable[MessageInfo]) -> MovedSession:
    return MovedSession(
        title=session.title,
        created=datetime.fromisoformat(session.created),
        updated=datetime.fromisoformat(session.updated),
        messages=tuple(
            MovedMessage(
                role=message.role,
                content=message.content,
                created=datetime.fromisoformat(message.created),
                state="interrupted" if message.state == "streaming" else message.state,
                fault=message.fault,
            )
            for message in messages
        ),
    )
