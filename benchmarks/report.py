"""
Results as Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.measuring import Outcome
from benchmarks.record import Record
from benchmarks.scenarios import METRICS, Scenario, Target
from benchmarks.servers import SERVERS


def number(value: float | None) -> str:
    """
    A figure for people: three digits, or so.
    """
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def heading(metric: str) -> str:
    """
    A metric's name and unit.
    """
    name, unit = METRICS[metric]
    return f"{name}, {unit}" if unit else name


def titleOf(label: str) -> str:
    """
    A contender for a reader who does not know it.
    """
    return SERVERS[label].title if label in SERVERS else label


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """
    Lines of a Markdown table; all columns but the first hold numbers.
    """
    yield "| " + " | ".join(header) + " |"
    yield "|---|" + "---:|" * (len(header) - 1)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def figuresTable(scenario: Scenario, outcome: Outcome) -> Iterator[str]:
    """
    A row a contender: its figures, and the ratio of gows's first metric to its own.
    """
    first, mine = scenario.metrics[0], scenario.contenders[0].label
    header = ["", *map(heading, scenario.metrics), "rounds", "gows is"]
    rows = []
    for contender in scenario.contenders:
        label = contender.label
        if label not in outcome.figures:
            continue
        cells = [number(outcome.figure(label, each)) for each in scenario.metrics]
        ratio = quotient(outcome.figure(mine, first), outcome.figure(label, first))
        cells.append(spread(outcome, label, first))
        rows.append([titleOf(label), *cells, "" if label == mine else ratio])
    yield from table(header, rows)


def spread(outcome: Outcome, label: str, metric: str) -> str:
    """
    The least and the most of a contender's rounds.
    """
    values = [figures[metric] for figures in outcome.figures[label]]
    return f"{number(min(values))} to {number(max(values))}"


def quotient(mine: float | None, other: float | None) -> str:
    """
    How many times another's figure ours is.
    """
    return "-" if mine is None or not other else f"{mine / other:.2f} x"


def verdict(target: Target, scenario: Scenario, outcome: Outcome) -> str:
    """
    One target in words: what was to be reached, what was, and whether that is it.
    """
    mine = outcome.figure(scenario.contenders[0].label, target.metric)
    name, unit = METRICS[target.metric]
    if not target.other:
        wanted = f"{name}: at most {number(target.factor)} {unit}".rstrip()
        found, limit = f"{number(mine)} {unit}".rstrip(), target.factor
    else:
        other = outcome.figure(target.other, target.metric)
        title = titleOf(target.other)
        if other is None or mine is None:
            return f"{name}: not compared with {title}"
        if target.plus is not None:
            wanted = f"{name}: at most {number(target.plus)} {unit} above {title}"
            found, limit = f"{number(mine - other)} {unit}", other + target.plus
        else:
            wanted = f"{name}: at most {target.factor:.2f} x {title}"
            found, limit = quotient(mine, other), other * target.factor
    if mine is None:
        return f"{wanted}; not measured"
    return f"{wanted}; {found}: {'reached' if mine <= limit else 'missed'}"


def section(scenario: Scenario, record: Record) -> Iterator[str]:
    """
    All that is to be said of a scenario, in lines.
    """
    outcome = record.outcome
    yield f"### {scenario.name}: {scenario.title}"
    yield ""
    yield from figuresTable(scenario, outcome)
    yield ""
    for target in scenario.targets:
        yield f"* {verdict(target, scenario, outcome)}"
    for label, why in outcome.leftOut.items():
        yield f"* left out: {titleOf(label)}: {why}"
    own = [outcome.figure(label, "own_us") for label in outcome.figures]
    costs = [cost for cost in own if cost is not None]
    if costs:
        span = " to ".join(dict.fromkeys(map(number, (min(costs), max(costs)))))
        yield f"* the load generator's own CPU: {span} µs each"
    yield f"* {record.date}, rounds: {outcome.rounds()}, gows {record.versions['gows']}"
    yield ""


def summary(records: Mapping[str, Record]) -> Iterator[str]:
    """
    The chart, and on what all of it was measured. What differs between scenarios
    is told of each.
    """
    yield "![What gows costs beside others](performance.svg)"
    yield ""
    machines = {name: record.machine for name, record in records.items()}
    yield from _facts("machine", machines)
    servers = {name: None for record in records.values() for name in record.versions}
    for server in servers:
        yield from _facts(
            titleOf(server),
            {
                name: record.versions[server]
                for name, record in records.items()
                if server in record.versions
            },
        )


def _facts(what: str, byScenario: Mapping[str, str]) -> Iterator[str]:
    values = list(dict.fromkeys(byScenario.values()))
    for value in values:
        names = [name for name, each in byScenario.items() if each == value]
        where = f" ({', '.join(names)})" if len(values) > 1 else ""
        yield f"* {what}{where}: {value}"
