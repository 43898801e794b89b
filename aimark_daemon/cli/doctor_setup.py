"""The doctor's look at the set-up: configuration, folders, disk, conversations, models, daemon and port."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from aimark_daemon.cli.connection import call_daemon
from aimark_daemon.cli.doctor_machine import GIB
from aimark_daemon.cli.findings import Finding, error, of_fault, ok, warning
from aimark_daemon.cli.shell import Shell
from aimark_daemon.client import DaemonClient
from aimark_daemon.config.types import Config
from aimark_daemon.errors import AimarkError, Exit, Fault, Text
from aimark_daemon.models.choice import AUTO, is_path
from aimark_daemon.paths import Paths
from aimark_daemon.protocol.messages import GetStatus, ModelInfo, StatusReply

if TYPE_CHECKING:
    from aimark_daemon.models.store import ModelStore

_LITTLE_DISK = 2 * GIB


def setup(shell: Shell) -> Iterator[Finding]:
    """Everything that depends on how the program is set up; a broken configuration does not stop the rest."""
    try:
        loaded, paths = shell.loaded, shell.paths
    except AimarkError as broken:
        yield of_fault("config", broken.fault)
        paths, port, config = shell.base_paths, None, Config()
    else:
        config = loaded.config
        port = config.server.port
        yield from (of_fault("config", fault, "warning") for fault in loaded.warnings)
        if not loaded.warnings:
            there = loaded.path.is_file()
            yield ok(
                "config",
                f"{loaded.path}" + ("" if there else " (not there; defaults are used)"),
                f"{loaded.path}" + ("" if there else " (파일이 없어 기본값을 씁니다)"),
            )
    yield from _folders(paths)
    yield from _disk(paths)
    yield _database(paths.database)
    yield from _models(paths, config)
    yield from _daemon(shell, paths, port)
    yield ok("log", str(paths.logs / "daemon.log"))


def _folders(paths: Paths) -> Iterator[Finding]:
    private = {"data": paths.data, "runtime": paths.runtime, "logs": paths.logs}
    for name, folder in {**private, "models": paths.models}.items():
        finding = _folder(f"folder-{name}", folder, private=name in private)
        if finding is not None:
            yield finding
    token = paths.token
    if os.name == "posix" and token.exists() and stat.S_IMODE(token.stat().st_mode) & 0o077:
        yield error(
            "token",
            Text(
                f"Others can read the access token {token}.", f"다른 사용자가 접근 토큰 {token}을(를) 읽을 수 있습니다."
            ),
            Text("Delete it and start the daemon again.", "지운 뒤 데몬을 다시 시작해 주세요."),
            Exit.CONFIG,
        )


def _folder(name: str, folder: Path, *, private: bool) -> Finding | None:
    if not folder.exists():
        return ok(name, f"{folder} (made at the first start)", f"{folder} (처음 시작할 때 만듭니다)")
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return error(
            name,
            Text(f"{folder} cannot be written to.", f"{folder}에 쓸 수 없습니다."),
            Text("Check who owns it and its permissions.", "폴더의 소유자와 권한을 확인해 주세요."),
            Exit.CONFIG,
        )
    mode = stat.S_IMODE(folder.stat().st_mode)
    if private and os.name == "posix" and mode & 0o077:
        return warning(
            name,
            Text(
                f"Others may look into {folder} (mode {mode:04o}).",
                f"다른 사용자가 {folder}을(를) 볼 수 있습니다({mode:04o}).",
            ),
            Text(f"chmod 700 {folder}", f"chmod 700 {folder}"),
        )
    return ok(name, str(folder))


def _disk(paths: Paths) -> Iterator[Finding]:
    for name, folder in {"disk-data": paths.data, "disk-models": paths.models}.items():
        there = folder
        while not there.exists() and there != there.parent:
            there = there.parent
        free = shutil.disk_usage(there).free
        text = Text(f"{free / GIB:.1f} GiB are free at {folder}.", f"{folder}에 {free / GIB:.1f} GiB가 비어 있습니다.")
        if free < _LITTLE_DISK:
            yield warning(name, text, Text("Free some space.", "공간을 확보해 주세요."))
        else:
            yield Finding(name, "ok", text)


def _database(database: Path) -> Finding:
    if not database.exists():
        return ok("database", "No conversations yet.", "아직 대화가 없습니다.")
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=5)) as db:
            answer = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
            count = db.execute("SELECT count(*) FROM session WHERE deleted IS NULL").fetchone()[0]
    except sqlite3.Error as failure:
        answer = str(failure)
    if answer == "ok":
        return ok("database", f"{count} conversations in {database}", f"{database}에 대화 {count}개")
    return error(
        "database",
        Text(f"{database} is damaged: {answer}", f"{database}이(가) 손상되었습니다: {answer}"),
        Text(
            "Restart the program: it keeps the damaged file aside and goes on with the newest backup.",
            "프로그램을 다시 시작해 주세요. 손상된 파일은 따로 보관하고 최신 백업으로 이어 갑니다.",
        ),
        Exit.INTERNAL,
    )


def _models(paths: Paths, config: Config) -> Iterator[Finding]:
    from aimark_daemon.models.store import ModelStore

    store = ModelStore(paths.models)
    infos = store.list()
    wanted = {"llm": config.llm.model, "stt": config.stt.model, "tts": config.tts.model}
    for kind, model in wanted.items():
        yield _model(kind, model, [info for info in infos if info.kind == kind], store)


def _model(kind: str, wanted: str, infos: list[ModelInfo], store: ModelStore) -> Finding:
    """What the configuration asks for, and whether it is there."""
    name, installed = f"model-{kind}", [info.id for info in infos if info.installed]
    try:
        for model in installed:
            store.path(model)
    except AimarkError as damaged:
        return of_fault(name, damaged.fault)
    if wanted == AUTO and installed:
        among = ", ".join(installed)
        return ok(name, f"Chosen automatically among {among}.", f"자동으로 고릅니다: {among}")
    if wanted == AUTO:
        starter = next((info.id for info in infos if info.starter), "ID")
        pull = f"`aimark models pull {starter}`"
        return warning(name, Text("No model is installed.", "설치된 모델이 없습니다."), Text(pull, pull))
    if Path(wanted).expanduser().exists() if is_path(wanted) else wanted in installed:
        return ok(name, wanted)
    missing = Text(f"{wanted} is configured, but not there.", f"설정에 있는 {wanted} 모델이 이 컴퓨터에 없습니다.")
    if is_path(wanted):
        return warning(name, missing, Text("Correct the path in the settings.", "설정의 경로를 확인해 주세요."))
    pull = f"`aimark models pull {wanted}`"
    return warning(name, missing, Text(pull, pull))


def _notices(shell: Shell) -> Iterator[Finding]:
    """What the running daemon wants people to know."""

    async def work(client: DaemonClient) -> tuple[Fault, ...]:
        return (await client.request(GetStatus(id=0), StatusReply)).status.notices

    try:
        notices = call_daemon(shell, work, start=False)
    except AimarkError as silent:
        yield of_fault("daemon", silent.fault)
        return
    yield from (of_fault("notice", fault, "warning") for fault in notices)


def _daemon(shell: Shell, paths: Paths, port: int | None) -> Iterator[Finding]:
    from aimark_daemon.runtime import find_daemon, is_running
    from aimark_daemon.server.binding import bind_loopback

    address = find_daemon(paths.runtime)
    if address is not None:
        yield ok(
            "daemon",
            f"It runs: version {address.version}, port {address.port}, process {address.pid}",
            f"실행 중입니다: 버전 {address.version}, 포트 {address.port}, 프로세스 {address.pid}",
        )
        yield from _notices(shell)
        return
    if is_running(paths.runtime):
        yield error(
            "daemon",
            Text("It holds its lock but does not answer.", "잠금은 잡고 있지만 응답하지 않습니다."),
            Text("`aimark stop`, then `aimark`.", "`aimark stop` 후 `aimark`로 다시 시작해 주세요."),
            Exit.UNREACHABLE,
        )
        return
    yield ok("daemon", "It does not run; commands start one.", "실행 중이 아닙니다. 명령이 필요할 때 시작합니다.")
    if port is not None:
        try:
            for sock in bind_loopback(port):
                sock.close()
        except AimarkError as taken:
            yield of_fault("port", taken.fault)
        else:
            yield ok("port", f"Port {port} is free.", f"{port}번 포트가 비어 있습니다.")
