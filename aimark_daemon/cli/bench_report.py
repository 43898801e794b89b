"""The report of `aimark bench llm`: one HTML page with charts drawn as SVG, and nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

import msgspec

from aimark_daemon.cli.bench_figures import FIGURES, Figure, Figures

SIDES: Final = {"ours": "AI MARK", "bare": "llama_decode", "llama_server": "llama-server"}
_BAR, _GAP, _LABEL, _WIDTH = 20, 8, 120, 420

_STYLE: Final = """
:root { color-scheme: light dark; --ours: #2563a8; --bare: #8a8f98; --llama_server: #b7791f; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 52rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8885; padding: .3rem .5rem; text-align: right; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1.5rem 0; }
figcaption { font-weight: 600; }
svg { max-width: 100%; height: auto; }
svg text { fill: currentColor; font-size: 13px; }
"""


class Conditions(msgspec.Struct, frozen=True):
    """What the figures are of. `load` is the machine's load of one minute when it began."""

    model: str
    threads: int | None
    rounds: int
    load: float | None
    cores: int

    def line(self, language: str) -> str:
        """One line for people."""
        load = "?" if self.load is None else f"{self.load:.2f}"
        if language == "ko":
            return (
                f"{self.model}, 스레드 {self.threads or '?'}개, 코어 {self.cores}개, {self.rounds}회의 중앙값, "
                f"시작할 때 부하 {load}"
            )
        return (
            f"{self.model}, {self.threads or '?'} threads on {self.cores} cores, medians of {self.rounds} rounds, "
            f"load {load} at the beginning"
        )


def page(results: Mapping[str, Figures], conditions: Conditions, language: str) -> str:
    """The whole page."""
    title = "언어 모델 성능" if language == "ko" else "Speed of the language model"
    charts = "\n".join(
        chart(figure, {side: values[name] for side, values in results.items()}, language)
        for name, figure in FIGURES.items()
        if any(values[name] is not None for values in results.values())
    )
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n<style>{_STYLE}</style>\n'
        f"</head>\n<body>\n<h1>{title}</h1>\n<p>{escape(conditions.line(language))}</p>\n"
        f"{_table(results, language)}\n{charts}\n</body>\n</html>\n"
    )


def chart(figure: Figure, values: Mapping[str, float | None], language: str) -> str:
    """A bar for each side that has the figure."""
    there = {side: value for side, value in values.items() if value is not None}
    most = max(there.values(), default=0.0) or 1.0
    height = len(there) * (_BAR + _GAP)
    name = _name(figure, language)
    better = (
        ("클수록 좋음" if figure.more else "작을수록 좋음")
        if language == "ko"
        else ("more is better" if figure.more else "less is better")
    )
    bars = []
    for row, (side, value) in enumerate(there.items()):
        y = row * (_BAR + _GAP)
        width = max(1.0, _WIDTH * value / most)
        bars.append(
            f'<text x="0" y="{y + 15}">{escape(SIDES[side])}</text>'
            f'<rect x="{_LABEL}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="var(--{side})"/>'
            f'<text x="{_LABEL + width + 6:.1f}" y="{y + 15}">{value:.4g}</text>'
        )
    told = ", ".join(f"{SIDES[side]} {value:.4g}" for side, value in there.items())
    return (
        f"<figure>\n<figcaption>{escape(name)} ({better})</figcaption>\n"
        f'<svg viewBox="0 0 {_LABEL + _WIDTH + 80} {height}" width="{_LABEL + _WIDTH + 80}" height="{height}" '
        f'role="img" aria-label="{escape(f"{name}: {told}")}">{"".join(bars)}</svg>\n</figure>'
    )


def _table(results: Mapping[str, Figures], language: str) -> str:
    head = "".join(f"<th>{escape(SIDES[side])}</th>" for side in results)
    rows = "\n".join(
        f"<tr><td>{escape(_name(figure, language))}</td>"
        + "".join(f"<td>{'-' if (v := values[name]) is None else f'{v:.4g}'}</td>" for values in results.values())
        + "</tr>"
        for name, figure in FIGURES.items()
    )
    return f"<table>\n<tr><th></th>{head}</tr>\n{rows}\n</table>"


def _name(figure: Figure, language: str) -> str:
    name = figure.ko if language == "ko" else figure.en
    return f"{name}, {figure.unit}" if figure.unit else name
