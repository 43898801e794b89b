"""`aimark run`: the daemon in the foreground, or detached for the other commands."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from aimark_daemon.cli.display import open_page
from aimark_daemon.cli.logs import log_to_file
from aimark_daemon.cli.progress import Downloads
from aimark_daemon.cli.shell import MARKER, Shell
from aimark_daemon.cli.states import in_words
from aimark_daemon.config import Loaded
from aimark_daemon.daemon import Daemon, Options
from aimark_daemon.errors import AimarkError, Exit
from aimark_daemon.protocol.messages import EngineInfo
from aimark_daemon.server.faults import ALREADY_RUNNING

ONLY_PLUGINS = "AIMARK_PLUGINS"
"""Names of the only plugins to load, with commas between; empty for none."""
_LINGER_S = 1.0
"""How long a daemon for a call stays after its last client: commands called at the same time overlap."""
_FIRST_CLIENT_S = 60.0
_LOOK_S = 0.1


def run(shell: Shell, arguments: Namespace) -> int:
    """Run the daemon until it is told to stop."""
    if arguments.detached:
        return _run_detached(shell, arguments)
    shell.paths.create()
    log_to_file(shell.paths.logs, shell.loaded.config.log, also_stderr=True, everything=shell.debug)
    loaded = shell.loaded
    for warning in loaded.warnings:
        shell.complain(warning)
    browser = not arguments.no_browser and loaded.config.server.open_browser
    downloads = Downloads()

    def ready(address: str) -> None:
        (shell.paths.runtime / MARKER).unlink(missing_ok=True)
        shell.out(address)
        opened = browser and open_page(address)
        shell.note(_invitation(shell, opened=opened))

    told: dict[str, str] = {}

    def engine_changed(job: str, info: EngineInfo) -> None:
        line = _engine_line(shell, job, info)
        if line and told.get(job) != line:
            told[job] = line
            shell.note(line)

    daemon_options = _options(shell, arguments)

    async def main() -> None:
        daemon = Daemon(
            shell.paths,
            loaded,
            daemon_options,
            ready=ready,
            progress=downloads.update,
            engine_changed=engine_changed,
        )
        await daemon.run()

    try:
        with contextlib.suppress(KeyboardInterrupt):  # Windows
            asyncio.run(main())
    except AimarkError as error:
        if not ALREADY_RUNNING.caught_in(error):
            raise
        return _point_to_running(shell, arguments.port, browser=browser)
    finally:
        downloads.close()
    return Exit.OK


def _options(shell: Shell, arguments: Namespace) -> Options:
    only = os.environ.get(ONLY_PLUGINS)
    return Options(
        port=arguments.port,
        fake_engines=shell.fake_engines,
        safe_mode=arguments.safe_mode,
        only_plugins=None if only is None else frozenset(name.strip() for name in only.split(",")),
    )


def _run_detached(shell: Shell, arguments: Namespace) -> int:
    """Run without a terminal. The caller reads a failure's fault from the last line of stderr."""
    marker = shell.base_paths.runtime / MARKER
    try:
        shell.paths.create()
        log_to_file(shell.paths.logs, shell.loaded.config.log, also_stderr=False)
        loaded = shell.loaded
        if arguments.detached == "call":
            # The command that started it has fetched what it needs, with its progress shown.
            config = msgspec.structs.replace(loaded.config, download_starter_models=False)
            loaded = Loaded(config, loaded.warnings, loaded.path)
        asyncio.run(_detached(shell, loaded, arguments, marker))
        if arguments.detached == "call":
            marker.unlink(missing_ok=True)
    except AimarkError as error:
        if ALREADY_RUNNING.caught_in(error):
            return Exit.OK
        sys.stderr.write(msgspec.json.encode(error.fault).decode() + "\n")
        return error.fault.exit_code or Exit.INTERNAL
    return Exit.OK


async def _detached(shell: Shell, loaded: Loaded, arguments: Namespace, marker: Path) -> None:
    for_call = arguments.detached == "call"
    looker: list[asyncio.Task[None]] = []

    def ready(_address: str) -> None:
        if for_call:
            marker.touch(mode=0o600)
            looker.append(asyncio.get_running_loop().create_task(_stop_when_unused(daemon, marker.exists)))
        else:
            marker.unlink(missing_ok=True)

    daemon = Daemon(
        shell.paths,
        loaded,
        _options(shell, arguments),
        ready=ready,
        progress=lambda _model, _done, _total: None,
    )
    try:
        await daemon.run()
    finally:
        for task in looker:
            task.cancel()


async def _stop_when_unused(daemon: Daemon, for_call: Callable[[], bool]) -> None:
    """Stop the daemon when nobody has used it for a moment; it stays once it is no longer `for_call`."""
    loop = asyncio.get_running_loop()
    until, seen = loop.time() + _FIRST_CLIENT_S, 0
    while for_call():
        # A quick client comes and goes between two looks.
        if daemon.in_use or daemon.clients_seen != seen:
            seen = daemon.clients_seen
            until = loop.time() + _LINGER_S
        elif loop.time() > until:
            daemon.shutdown()
            return
        await asyncio.sleep(_LOOK_S)


def _point_to_running(shell: Shell, wanted: int | None, *, browser: bool) -> int:
    """Say that a daemon runs and where; it stays, even if it was started for one call, and on its port."""
    from aimark_daemon.cli.open import page_address

    url = page_address(shell)
    shell.note(shell.text("The daemon is running already.", "데몬이 이미 실행 중입니다."))
    if wanted and urlsplit(url).port != wanted:
        shell.note(
            shell.text(
                f"It stays on its port; for port {wanted}, stop it first with `aimark stop`.",
                f"포트는 그대로입니다. {wanted} 포트를 쓰려면 먼저 `aimark stop`으로 끝내 주세요.",
            )
        )
    shell.out(url)
    if browser:
        open_page(url)
    return Exit.OK


def _invitation(shell: Shell, *, opened: bool) -> str:
    """What to do with the address, for people who see it for the first time."""
    if opened:
        return shell.text(
            "The page opens in your browser; if it does not, open the address above. Models are still being loaded."
            " Ctrl-C ends the assistant.",
            "브라우저에 페이지가 열립니다. 열리지 않으면 위 주소를 직접 열어 주세요. 모델은 아직 불러오는 중입니다."
            " 끝내려면 Ctrl-C를 눌러 주세요.",
        )
    return shell.text(
        "Open the address above in a browser on this computer, within a minute; `aimark open` gives a new one."
        " Models are still being loaded. Ctrl-C ends the assistant.",
        "이 컴퓨터의 브라우저에서 1분 안에 위 주소를 열어 주세요. 새 주소는 `aimark open`으로 받을 수 있습니다."
        " 모델은 아직 불러오는 중입니다. 끝내려면 Ctrl-C를 눌러 주세요.",
    )


def _engine_line(shell: Shell, job: str, info: EngineInfo) -> str:
    """What to tell of an engine's new state; nothing of the small steps."""
    if info.state == "ready":
        return f"{shell.name(job).capitalize()}: {info.model} ({in_words(info.state, shell.language)})"
    if info.fault is not None:
        return f"{shell.name(job).capitalize()}: {info.fault.message.in_language(shell.language)} [{info.fault.code}]"
    return ""
