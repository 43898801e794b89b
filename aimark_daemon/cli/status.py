"""`aimark status`: what the daemon is doing."""

from __future__ import annotations

from argparse import Namespace

from aimark_daemon.cli.connection import call_daemon
from aimark_daemon.cli.shell import Shell
from aimark_daemon.cli.states import in_words
from aimark_daemon.client import DaemonClient
from aimark_daemon.errors import Exit
from aimark_daemon.protocol.messages import EngineInfo, GetStatus, GpuInfo, Status, StatusReply

_MIB = 1024 * 1024


def run(shell: Shell, _arguments: Namespace) -> int:
    """Print the state; starts nothing."""

    async def work(client: DaemonClient) -> Status:
        return (await client.request(GetStatus(id=0), StatusReply)).status

    status = call_daemon(shell, work, start=False)
    if shell.json:
        shell.emit(status)
        return Exit.OK
    state = in_words(status.state, shell.language)
    shell.out(
        shell.text(
            f"AI MARK {status.version}: {state}, process {status.pid}, port {status.port}",
            f"AI MARK {status.version}: {state}, 프로세스 {status.pid}, 포트 {status.port}",
        )
    )
    if status.game:
        shell.out(shell.text("  game mode: the graphics card is kept free", "  게임 모드: 그래픽 카드를 비워 둡니다"))
    for name, engine in status.engines.items():
        shell.out(_engine_line(shell, name, engine))
        if engine.plan is not None:
            shell.out(f"    {engine.plan.reason.in_language(shell.language)}")
    for card in status.gpu:
        shell.out(_gpu_line(shell, card))
    if status.gpu_fault is not None:
        card_name = shell.text("graphics card", "그래픽 카드")
        shell.out(f"  {card_name}: {status.gpu_fault.message.in_language(shell.language)} [{status.gpu_fault.code}]")
    for fault in status.notices:
        words = f" ({fault.detail})" if fault.detail else ""
        shell.out(f"  {fault.message.in_language(shell.language)} [{fault.code}]{words}")
        shell.out(f"    {fault.hint.in_language(shell.language)}")
    shell.out(shell.text(f"{status.sessions} conversations", f"대화 {status.sessions}개"))
    return Exit.OK


def _engine_line(shell: Shell, name: str, engine: EngineInfo) -> str:
    parts = [f"{shell.name(name).capitalize()}: {in_words(engine.state, shell.language)}", engine.model]
    if engine.pid is not None:
        parts.append(shell.text(f"process {engine.pid}", f"프로세스 {engine.pid}"))
    if engine.restarts:
        parts.append(shell.text(f"{engine.restarts} restarts", f"다시 시작 {engine.restarts}번"))
    if engine.fault is not None:
        parts.append(f"{engine.fault.message.in_language(shell.language)} [{engine.fault.code}]")
    return "  " + ", ".join(part for part in parts if part)


def _gpu_line(shell: Shell, card: GpuInfo) -> str:
    """What the driver tells; what it does not is left out."""
    parts = [shell.text(f"graphics card {card.index}: {card.name}", f"그래픽 카드 {card.index}: {card.name}")]
    if card.vram_used is not None and card.vram_total is not None:
        parts.append(f"{card.vram_used // _MIB}/{card.vram_total // _MIB} MiB")
    if card.utilisation is not None:
        parts.append(f"{card.utilisation:.0f} %")
    if card.power_w is not None:
        parts.append(f"{card.power_w:.0f} W")
    if card.temperature_c is not None:
        parts.append(f"{card.temperature_c:.0f} °C")
    return "  " + ", ".join(parts)
