"""The access token: 256 random bits in a file that only its owner can read."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from aimark_daemon.server.faults import TOKEN_MISSING, TOKEN_UNSAFE

_TOKEN: Final = re.compile(rb"[A-Za-z0-9_-]{43}")
_MAX_BYTES: Final = 256
# Windows has neither; there the user's profile folder keeps other users out.
_NO_FOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_NO_BLOCK: Final[int] = getattr(os, "O_NONBLOCK", 0)


def read_token(path: Path) -> str:
    """The token in the file.

    Raises:
        AimarkError: `token_missing`; `token_unsafe` - a link, another owner's, readable by others, or not a token.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_BLOCK)
    except FileNotFoundError:
        raise TOKEN_MISSING(path=path) from None
    except OSError as error:
        raise TOKEN_UNSAFE(detail=str(error), path=path) from error
    try:
        why = _unsafe(os.fstat(descriptor))
        if why:
            raise TOKEN_UNSAFE(detail=why, path=path)
        content = os.read(descriptor, _MAX_BYTES).strip()
    finally:
        os.close(descriptor)
    if not _TOKEN.fullmatch(content):
        raise TOKEN_UNSAFE(detail="it does not hold a token", path=path)
    return content.decode("ascii")


def load_or_create_token(path: Path) -> str:
    """The token in the file; a new one if there is no file. Two programs that do this at once get the same token.

    Raises:
        AimarkError: `token_unsafe`.
        OSError: the folder cannot be written.
    """
    if not os.path.lexists(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = _write_new(path)
        try:
            # Both fail, rather than replace, when another program was quicker.
            if os.name == "nt":
                made.rename(path)
            else:
                os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink(missing_ok=True)
    return read_token(path)


def replace_token(path: Path) -> str:
    """Put a new token in the file; the old one is worth nothing afterwards.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_new(path).replace(path)
    return read_token(path)


def _write_new(path: Path) -> Path:
    """A finished token file under another name, so that the real name never shows half a token."""
    made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_urlsafe(32).encode("ascii") + b"\n")
        file.flush()
        os.fsync(descriptor)
    return made


def _unsafe(facts: os.stat_result) -> str:
    """Why a file with these facts cannot be trusted; empty if it can."""
    if not stat.S_ISREG(facts.st_mode):
        return "it is not a plain file"
    if os.name == "nt":
        return ""
    if facts.st_uid != os.geteuid():
        return f"it belongs to user {facts.st_uid}, not to {os.geteuid()}"
    if facts.st_mode & 0o077:
        return f"its mode is {stat.S_IMODE(facts.st_mode):04o}, it has to be 0600"
    return ""
