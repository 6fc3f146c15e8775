"""
The results as an SVG: for each scenario, a bar a contender.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from benchmarks.record import Record
from benchmarks.report import heading, number, quotient, titleOf
from benchmarks.scenarios import METRICS, SCENARIOS, Scenario

WIDTH = 860
MARGIN = 20
LABELS = 210
BARS = 400
ROW = 20
BAR = 13
HEAD = 46
GAP = 14

# It brings its own background, so that it can be read on any page.
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.head { font-weight: 600; font-size: 13px; }
.what, .note { fill: #57606a; }
.page { fill: #ffffff; stroke: #d0d7de; }
.peer { fill: #afb8c1; }
.gows { fill: #0969da; }
.own { font-weight: 600; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.what, .note { fill: #9198a1; }
.page { fill: #0d1117; stroke: #3d444d; }
.peer { fill: #656c76; }
.gows { fill: #4493f8; }
}
"""


def drawn(records: Mapping[str, Record]) -> str:
    """
    The whole chart: the first metric of each scenario, less is better.
    """
    lines: list[str] = []
    y = MARGIN + 12
    note = "less is better; behind a figure: how many times it gows's own is"
    lines.append(_text("note", MARGIN, y, note))
    y += GAP
    for name, record in records.items():
        lines += _group(SCENARIOS[name], record, y)
        y += HEAD + ROW * len(_rows(SCENARIOS[name], record)) + GAP
    size = f'width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    title = "<title>What gows costs beside others</title>"
    page = f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{y - 1}"/>'
    style = f"<style>\n{STYLE}</style>"
    return "\n".join([head, title, style, page, *lines, "</svg>", ""])


def _text(kind: str, x: float, y: float, text: str, anchor: str = "start") -> str:
    place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{escape(text)}</text>'


def _rows(scenario: Scenario, record: Record) -> list[tuple[str, bool, float]]:
    """
    Label, whether it is gows, figure; of those that have one.
    """
    metric = scenario.metrics[0]
    return [
        (contender.label, contender.server == "gows", figure)
        for contender in scenario.contenders
        if (figure := record.outcome.figure(contender.label, metric)) is not None
    ]


def _group(scenario: Scenario, record: Record, top: float) -> Iterator[str]:
    rows = _rows(scenario, record)
    mine = record.outcome.figure(scenario.contenders[0].label, scenario.metrics[0])
    most = max((figure for _, _, figure in rows), default=0) or 1
    unit = METRICS[scenario.metrics[0]][1]
    title = f"{scenario.name}: {heading(scenario.metrics[0])}"
    yield _text("head", MARGIN, top + 20, title)
    yield _text("what", MARGIN, top + 36, scenario.title)
    for index, (label, isGows, figure) in enumerate(rows):
        y = top + HEAD + ROW * index
        kind = "own" if isGows else "label"
        length = max(1.0, BARS * figure / most)
        said = f"{number(figure)} {unit}".rstrip()
        if index:
            said += f"  ({quotient(figure, mine)})"
        x = MARGIN + LABELS
        yield _text(kind, x - 8, y + BAR - 2, titleOf(label), "end")
        shape = f'x="{x}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"'
        yield f'<rect class="{"gows" if isGows else "peer"}" {shape}/>'
        yield _text(kind, x + length + 8, y + BAR - 2, said)
