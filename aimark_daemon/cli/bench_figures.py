"""The figures of `aimark bench llm`: their names, how samples become a figure, and what each one means."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Final, NamedTuple

from aimark_daemon.errors import Text

Samples = dict[str, list[float]]
Figures = dict[str, float | None]


class Figure(NamedTuple):
    """A figure: unit, and what it is in both languages. `more` is better where it is true."""

    unit: str
    more: bool
    en: str
    ko: str


FIGURES: Final[dict[str, Figure]] = {
    "load_s": Figure("s", False, "Loading the model", "모델 불러오기"),
    "load_cpu_s": Figure("s", False, "Loading it without the graphics card", "그래픽 카드 없이 모델 불러오기"),
    "prefill_tokens_per_s": Figure("tokens/s", True, "Reading the prompt", "프롬프트 읽기"),
    "decode_tokens_per_s": Figure("tokens/s", True, "Writing, one answer", "답변 쓰기, 하나"),
    "together_tokens_per_s": Figure("tokens/s", True, "Writing, four answers at once", "답변 쓰기, 동시에 넷"),
    "first_token_cold_s": Figure("s", False, "First token, nothing known", "첫 토큰, 처음 보는 대화"),
    "first_token_warm_s": Figure("s", False, "First token, next turn", "첫 토큰, 이어지는 차례"),
    "first_token_switch_s": Figure("s", False, "First token, back to another session", "첫 토큰, 다른 대화로 전환"),
    "first_token_restored_s": Figure("s", False, "First token, session put back", "첫 토큰, 저장된 대화 복원"),
    "switch_ratio": Figure("", False, "Switch, of reading it all again", "전환 비율(다시 읽기 대비)"),
    "restored_ratio": Figure("", False, "Put back, of reading it all again", "복원 비율(다시 읽기 대비)"),
    "cancel_prefill_s": Figure("s", False, "Cancel while reading", "읽는 중 취소"),
    "cancel_decode_s": Figure("s", False, "Cancel while writing", "쓰는 중 취소"),
    "recovery_s": Figure("s", False, "Killed worker to next token", "워커 강제 종료 후 다음 토큰"),
}
"""Every figure, in the order of the output."""

GROUPS: Final = (
    (Text("Loading", "불러오기"), ("load_s", "load_cpu_s", "recovery_s")),
    (Text("Speed", "속도"), ("prefill_tokens_per_s", "decode_tokens_per_s", "together_tokens_per_s")),
    (
        Text("Until the first token", "첫 토큰까지"),
        (
            *("first_token_cold_s", "first_token_warm_s", "first_token_switch_s", "first_token_restored_s"),
            *("switch_ratio", "restored_ratio"),
        ),
    ),
    (Text("Letting go", "취소"), ("cancel_prefill_s", "cancel_decode_s")),
)
"""The figures as the report groups them: each one once."""

_DIGITS: Final = 4


def figures(samples: Mapping[str, list[float]]) -> Figures:
    """The median of each figure's samples; None where there are none."""
    medians: Figures = {
        name: round(statistics.median(samples[name]), _DIGITS) if samples.get(name) else None for name in FIGURES
    }
    cold = medians["first_token_cold_s"]
    for ratio, part in (("switch_ratio", "first_token_switch_s"), ("restored_ratio", "first_token_restored_s")):
        value = medians[part]
        medians[ratio] = round(value / cold, _DIGITS) if cold and value is not None else None
    return medians
