"""Runtime: one daemon per runtime folder, and how others find it or start it.

`daemon.lock` is an operating system lock held while the daemon lives, so that a crash frees it; a process id alone
proves nothing. `daemon.json` says where the daemon answers; it counts only while the lock is held.
"""

from __future__ import annotations

import http.client
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from filelock import FileLock, Timeout

from aimark_daemon.server.faults import ALREADY_RUNNING, DAEMON_START_FAILED

LOCK_NAME: Final = "daemon.lock"
INFO_NAME: Final = "daemon.json"
_PROBE_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.05
_LOCK_PATIENCE_SECONDS: Final = 1.0
"""Those who look for a daemon hold the lock for a moment; a daemon that starts waits that out."""
_LOG_TAIL_BYTES: Final = 2000

_log = logging.getLogger(__name__)


class DaemonAddress(msgspec.Struct, frozen=True, omit_defaults=False):
    """Where a daemon answers. `started` is UTC, RFC 3339."""

    port: int
    pid: int
    version: str
    started: str


class Instance:
    """The right to be the daemon of a runtime folder. Hold it for the process's life."""

    def __init__(self, runtime_dir: Path, lock: FileLock) -> None:
        self._info = runtime_dir / INFO_NAME
        self._lock = lock

    @classmethod
    def acquire(cls, runtime_dir: Path) -> Instance:
        """Become the daemon.

        Raises:
            AimarkError: `already_running`; its detail names port and process if they are known.
            OSError: the folder cannot be written.
        """
        runtime_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(runtime_dir / LOCK_NAME, timeout=_LOCK_PATIENCE_SECONDS, poll_interval=0.02)
        try:
            lock.acquire()
        except Timeout as error:
            other = read_address(runtime_dir)
            where = f"port {other.port}, process {other.pid}" if other else ""
            raise ALREADY_RUNNING(detail=where) from error
        instance = cls(runtime_dir, lock)
        instance._info.unlink(missing_ok=True)  # a crashed daemon's
        return instance

    def publish(self, port: int, version: str) -> DaemonAddress:
        """Say where the daemon answers. Call it once the port is bound."""
        started = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        address = DaemonAddress(port=port, pid=os.getpid(), version=version, started=started)
        made = self._info.with_suffix(".json.new")
        made.write_bytes(msgspec.json.encode(address))
        made.replace(self._info)
        return address

    def release(self) -> None:
        """Stop being the daemon. Idempotent."""
        if self._lock.is_locked:
            self._info.unlink(missing_ok=True)
            self._lock.release()


def read_address(runtime_dir: Path) -> DaemonAddress | None:
    """What `daemon.json` says, whether or not that daemon still lives."""
    try:
        return msgspec.json.decode((runtime_dir / INFO_NAME).read_bytes(), type=DaemonAddress)
    except (OSError, msgspec.DecodeError, UnicodeError):
        return None


def is_running(runtime_dir: Path) -> bool:
    """Whether some process holds the lock: a daemon, perhaps one that just starts."""
    path = runtime_dir / LOCK_NAME
    if not path.exists():
        return False
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False


def find_daemon(runtime_dir: Path) -> DaemonAddress | None:
    """The daemon of the folder if it lives and answers; waits a second at most.

    The lock comes first: a dead daemon's port may belong to a stranger, who must not be handed the token.
    """
    address = read_address(runtime_dir)
    if address is None or not is_running(runtime_dir):
        return None
    return address if answers(address.port) else None


def answers(port: int, timeout_s: float = _PROBE_SECONDS) -> bool:
    """Whether a daemon's `/health` answers on the port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/health")
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            return False
        return bool(msgspec.json.decode(response.read(4096), type=dict[str, Any]).get("status") == "ok")
    except (OSError, http.client.HTTPException, msgspec.DecodeError, UnicodeError):
        return False
    finally:
        connection.close()


def start_daemon_detached(
    runtime_dir: Path,
    log_file: Path,
    *,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] | None = None,
    timeout_s: float = 20.0,
) -> DaemonAddress:
    """Start a daemon that outlives this process, unless one runs, and wait until it answers. Blocks.

    Several programs may do this at once: the lock lets one daemon live, and all of them get its address.
    `command` replaces `python -m aimark_daemon run --no-browser`; `arguments` are added to it.

    Raises:
        AimarkError: `daemon_start_failed` with the end of the log.
    """
    deadline = time.monotonic() + timeout_s
    child: subprocess.Popen[bytes] | None = None
    while True:
        address = find_daemon(runtime_dir)
        if address is not None:
            _dismiss(child, address)
            return address
        if child is None and not is_running(runtime_dir):
            child = _spawn([*(command or _default_command()), *arguments], log_file, environment)
        # One that lost the race ends with 0; then the winner is waited for.
        code = None if child is None else child.poll()
        if code or time.monotonic() > deadline:
            why = f"it ended with exit code {code}" if code else f"it did not answer within {timeout_s:g} s"
            raise DAEMON_START_FAILED(detail=f"{why}\n{_tail(log_file)}".strip(), log=log_file)
        if code == 0 and not is_running(runtime_dir):
            child = None
        time.sleep(_POLL_SECONDS)


def _dismiss(child: subprocess.Popen[bytes] | None, address: DaemonAddress) -> None:
    """End a child that lost the race before it noticed: it would become a daemon once the winner has stopped.

    Not on Windows, where the interpreter of a virtual environment is a launcher with a process id of its own.
    """
    if child is not None and child.pid != address.pid and sys.platform != "win32":
        child.terminate()
        child.wait()


def _default_command() -> list[str]:
    return [sys.executable, "-m", "aimark_daemon", "run", "--no-browser"]


def _spawn(command: Sequence[str], log_file: Path, environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    """Start a process of its own session, its words in the log file."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    descriptor = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=None if environment is None else dict(environment),
            start_new_session=True,
            creationflags=flags,
        )


def _tail(log_file: Path) -> str:
    """The last words in the log."""
    try:
        return log_file.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace")
    except OSError:
        return ""
