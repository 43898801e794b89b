"""Reasons: why a plan is as it is, for people, in English and Korean. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from aimark_daemon.errors import Text
from aimark_daemon.gpu.facts import Layout

GB: Final = 1_000_000_000
_WORTH_SAYING: Final = 600_000_000
"""What the desktop itself holds is no other program."""


class Room(NamedTuple):
    """What decides how much fits. Bytes of all cards; `program` is the one that holds most, if it is known."""

    free: int
    held: int = 0
    reserve: int = 0
    program: str = ""
    program_bytes: int = 0


def gigabytes(size: int) -> str:
    """An amount of memory as people read it."""
    return f"{size / GB:.1f} GB"


def asked_for_cpu() -> Text:
    """The user wants no layers on the card."""
    return Text("On the CPU, as the settings ask.", "설정에 따라 CPU에서 실행합니다.")


def no_backend() -> Text:
    """The engine is built for the processor alone, or there is no card."""
    return Text(
        "On the CPU: the installed engine uses no graphics card.",
        "설치된 엔진이 그래픽 카드를 쓰지 않아 CPU에서 실행합니다.",
    )


def driver_late() -> Text:
    """Nobody knows yet whether there is a card."""
    return Text(
        "On the CPU for now, because the graphics driver did not answer in time.",
        "그래픽 드라이버가 제때 응답하지 않아 우선 CPU에서 실행합니다.",
    )


def unmeasured() -> Text:
    """A card, but nobody tells how full it is."""
    return Text(
        "On the graphics card as far as its memory goes; how much is free is not known.",
        "그래픽 카드의 남은 메모리를 알 수 없어, 들어가는 만큼 그래픽 카드에 올립니다.",
    )


def placement(layout: Layout, everything: int) -> Text:
    """Where the layers are, without a full stop."""
    if layout.layers <= 0:
        return Text("On the CPU", "CPU에서 실행합니다")
    if layout.layers >= everything:
        head = Text(f"All {everything} layers on the GPU", f"{everything}개 층이 모두 GPU에 있습니다")
    else:
        rest = everything - layout.layers
        head = Text(
            f"{layout.layers} of {everything} layers on the GPU, {rest} on the CPU",
            f"{everything}개 층 중 {layout.layers}개는 GPU에, {rest}개는 CPU에 있습니다",
        )
    if layout.experts_on_cpu:
        return Text(
            f"{head.en}, the experts on the CPU", f"{head.ko.removesuffix('있습니다')}있고, 전문가는 CPU에 있습니다"
        )
    return head


def asked(layers: int, everything: int) -> Text:
    """The user named a number of layers."""
    head = placement(Layout(layers=layers, n_ctx=0, n_ubatch=0), everything)
    return Text(f"{head.en}, as the settings ask.", f"설정에 따라 {head.ko}.")


def game_mode() -> Text:
    """The user wants the card for a game."""
    return Text(
        "On the CPU, because game mode keeps the graphics card free.",
        "CPU에서 실행합니다. 게임 모드에서는 그래픽 카드를 비워 두기 때문입니다.",
    )


def fits(layout: Layout, everything: int, room: Room) -> Text:
    """As much as fits is on the card."""
    head = placement(layout, everything)
    if layout.layers >= everything and not layout.experts_on_cpu:
        return _sentence(head)
    return _because(head, room)


def no_room(room: Room) -> Text:
    """Not one layer fits."""
    return _because(Text("On the CPU", "CPU에서 실행합니다"), room)


def after_out_of_memory(layout: Layout, everything: int, context: int) -> Text:
    """A larger plan failed. `context`: tokens that the context was cut to; 0 if it was not."""
    head = placement(layout, everything)
    if context:
        head = Text(
            f"{head.en}, with a context of {context} tokens", f"{head.ko}. 컨텍스트는 {context}토큰으로 줄였습니다"
        )
    return Text(
        f"{head.en}, because memory ran out with more.", f"{head.ko}. 더 많이 쓰면 메모리가 부족했기 때문입니다."
    )


def no_memory_on_card() -> Text:
    """Every plan on the card failed."""
    return Text(
        "On the CPU, because the graphics card's memory ran out.",
        "CPU에서 실행합니다. 그래픽 카드의 메모리가 부족했기 때문입니다.",
    )


def after_crashes() -> Text:
    """The engine crashed on the card too often."""
    return Text(
        "On the CPU, because the engine crashed again and again on the GPU.",
        "CPU에서 실행합니다. GPU에서 엔진이 거듭 비정상 종료되었기 때문입니다.",
    )


def remembered(layout: Layout, everything: int) -> Text:
    """This worked last time."""
    head = placement(layout, everything)
    return Text(f"{head.en}, as it worked last time.", f"{head.ko}. 지난번에 이렇게 실행되었기 때문입니다.")


def _sentence(head: Text) -> Text:
    return Text(f"{head.en}.", f"{head.ko}.")


def _because(head: Text, room: Room) -> Text:
    free, held, reserve = gigabytes(room.free), gigabytes(room.held), gigabytes(room.reserve)
    if room.program and room.program_bytes >= max(_WORTH_SAYING, room.held // 2):
        en = f"{room.program} holds {gigabytes(room.program_bytes)}"
        ko = f"{room.program} 프로그램이 {gigabytes(room.program_bytes)}를 쓰고 있기"
    elif room.reserve:
        en = f"{free} are free and {reserve} of it stay reserved"
        ko = f"{free}가 비어 있고 그중 {reserve}는 남겨 두기로 했기"
    elif room.held >= _WORTH_SAYING:
        en = f"{held} are held by other programs"
        ko = f"다른 프로그램이 {held}를 쓰고 있기"
    else:
        en = f"the graphics card has {free} free"
        ko = f"그래픽 카드에 {free}가 비어 있기"
    return Text(f"{head.en}, because {en}.", f"{head.ko}. {ko} 때문입니다.")
