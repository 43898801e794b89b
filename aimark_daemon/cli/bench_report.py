"""The report of `aimark bench llm`: one HTML page with charts drawn as SVG, and nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

import msgspec

from aimark_daemon.cli.bench_figures import FIGURES, GROUPS, Figure, Figures
from aimark_daemon.errors import Text

SIDES: Final = {"ours": "AI MARK", "bare": "llama_decode", "llama_server": "llama-server"}
_BAR, _GAP, _LABEL, _WIDTH, _VALUE = 18, 8, 104, 236, 60
_BASELINE: Final = 14

_STYLE: Final = """
:root { color-scheme: light dark; --ground: #f7f7f5; --card: #fff; --ink: #1c1e21; --soft: #5c636b; --line: #e2e3e0;
  --ours: #2563a8; --bare: #8a8f98; --llama_server: #b7791f; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #15171a; --card: #1e2125; --ink: #e8eaed; --soft: #a3abb5; --line: #33383e;
    --ours: #6aa9ee; --bare: #9aa1ab; --llama_server: #e0a94f; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 4rem;
  background: var(--ground); color: var(--ink); }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
header p { color: var(--soft); margin: .35rem 0 0; }
ul.key { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem 1.25rem; padding: 0; margin: 1rem 0 0; }
ul.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: 3px; margin-right: .4rem; }
.charts { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); }
figure, .table { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
figure { padding: .75rem 1rem 1rem; }
figcaption { font-weight: 600; margin-bottom: .6rem; }
figcaption small { color: var(--soft); font-weight: 400; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: currentColor; font-size: 13px; font-variant-numeric: tabular-nums; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-top: 1px solid var(--line); padding: .35rem 1rem; text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
tr:first-child > * { border-top: 0; }
th { font-weight: 600; }
th[scope=row] { font-weight: 400; text-align: left; white-space: normal; }
"""


class Conditions(msgspec.Struct, frozen=True):
    """What the figures are of: `load` is the machine's of one minute when it began, `plan` where the layers are."""

    model: str
    threads: int | None
    rounds: int
    load: float | None
    cores: int
    plan: Text | None = None

    def line(self, language: str) -> str:
        """One line for people."""
        load = "?" if self.load is None else f"{self.load:.2f}"
        if language == "ko":
            return (
                f"{self.model}, 스레드 {self.threads or '?'}개, 코어 {self.cores}개, {self.rounds}회의 중앙값, "
                f"시작할 때 부하 {load}"
            )
        return (
            f"{self.model}; threads: {self.threads or '?'}; cores: {self.cores}; rounds: {self.rounds}, "
            f"of which these are medians; load at the beginning: {load}"
        )


def page(results: Mapping[str, Figures], conditions: Conditions, language: str) -> str:
    """The whole page."""
    title = "언어 모델 성능" if language == "ko" else "Speed of the language model"
    plan = f"\n<p>{escape(conditions.plan.in_language(language))}</p>" if conditions.plan is not None else ""
    measured = [side for side, values in results.items() if any(value is not None for value in values.values())]
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
        f"<p>{escape(conditions.line(language))}</p>{plan}\n{_key(measured)}\n</header>\n<main>\n"
        f"{''.join(_group(title, names, results, language) for title, names in GROUPS)}"
        f"{_table({side: results[side] for side in measured}, language)}\n</main>\n</body>\n</html>\n"
    )


def chart(figure: Figure, values: Mapping[str, float | None], language: str) -> str:
    """A bar for each side that has the figure, all by one scale from 0."""
    there = {side: value for side, value in values.items() if value is not None}
    most = max(there.values(), default=0.0) or 1.0
    width, height = _LABEL + _WIDTH + _VALUE, len(there) * (_BAR + _GAP) - _GAP
    name = _name(figure, language)
    better = (
        ("클수록 좋음" if figure.more else "작을수록 좋음")
        if language == "ko"
        else ("more is better" if figure.more else "less is better")
    )
    bars = []
    for row, (side, value) in enumerate(there.items()):
        y = row * (_BAR + _GAP)
        bar = max(1.0, _WIDTH * value / most)
        bars.append(
            f'<text x="0" y="{y + _BASELINE}">{escape(SIDES[side])}</text>'
            f'<rect x="{_LABEL}" y="{y}" width="{bar:.1f}" height="{_BAR}" rx="3" fill="var(--{side})"/>'
            f'<text x="{_LABEL + bar + 6:.1f}" y="{y + _BASELINE}">{value:.4g}</text>'
        )
    told = ", ".join(f"{SIDES[side]} {value:.4g}" for side, value in there.items())
    return (
        f"<figure>\n<figcaption>{escape(name)} <small>({better})</small></figcaption>\n"
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(f"{name}: {told}")}">'
        f"{''.join(bars)}</svg>\n</figure>\n"
    )


def _group(title: Text, names: tuple[str, ...], results: Mapping[str, Figures], language: str) -> str:
    """A heading and its charts; nothing where nothing of it was measured."""
    charts = "".join(
        chart(FIGURES[name], {side: values[name] for side, values in results.items()}, language)
        for name in names
        if any(values[name] is not None for values in results.values())
    )
    return f'<h2>{escape(title.in_language(language))}</h2>\n<div class="charts">\n{charts}</div>\n' if charts else ""


def _key(sides: list[str]) -> str:
    items = "".join(f'<li><i style="background: var(--{side})"></i>{escape(SIDES[side])}</li>' for side in sides)
    return f'<ul class="key">{items}</ul>'


def _table(results: Mapping[str, Figures], language: str) -> str:
    title = "모든 수치" if language == "ko" else "All figures"
    head = "".join(f'<th scope="col">{escape(SIDES[side])}</th>' for side in results)
    rows = "\n".join(
        f'<tr><th scope="row">{escape(_name(figure, language))}</th>'
        + "".join(f"<td>{'–' if (v := values[name]) is None else f'{v:.4g}'}</td>" for values in results.values())
        + "</tr>"
        for name, figure in FIGURES.items()
    )
    return f'<h2>{title}</h2>\n<div class="table"><table>\n<tr><td></td>{head}</tr>\n{rows}\n</table></div>'


def _name(figure: Figure, language: str) -> str:
    name = figure.ko if language == "ko" else figure.en
    return f"{name}, {figure.unit}" if figure.unit else name
