"""How ``gows top`` looks: a picture of the server becomes what rich can print."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gows.commands import figures
from gows.commands.topfeed import Picture
from gows.commands.topstructs import ORDERS, Connection, Sample
from gows.commands.toptables import connections, rooms, safe, warnings

PERIOD: Final = 300.0
"""How many seconds a sparkline shows."""

_TWO_COLUMNS: Final = 64


@dataclass
class Choice:
    """
    What is looked at.

    @ivar by: one of L{ORDERS}
    @ivar session: the connection that is selected; empty: none is
    @ivar asked: who is about to be disconnected; it is asked whether to
    @ivar note: what happened last
    @ivar trouble: why nothing new comes; empty: it does
    """

    by: str = "waiting"
    session: str = ""
    asked: Connection | None = None
    note: str = ""
    trouble: str = ""


class _Gauge(NamedTuple):
    label: str
    figure: Callable[[Sample], float | None]
    show: Callable[[float | None], str]


_GAUGES: Final = (
    _Gauge("connections", lambda s: s.connections, figures.count),
    _Gauge("lag", lambda s: s.lag, figures.seconds),
    _Gauge("messages/s", lambda s: s.messagesIn, figures.count),
    _Gauge("waiting", lambda s: s.waiting, figures.size),
    _Gauge("deliveries/s", lambda s: s.deliveries, figures.count),
    _Gauge("dropped/s", lambda s: s.dropped, figures.count),
    _Gauge("fan-out p50", lambda s: s.fanoutP50, figures.seconds),
    _Gauge("CPU", lambda s: s.cpu, figures.share),
    _Gauge("fan-out p99", lambda s: s.fanoutP99, figures.seconds),
    _Gauge("memory", lambda s: s.memory, figures.size),
)


def screen(
    picture: Picture, choice: Choice, place: str, width: int, height: int
) -> RenderableType:
    """
    Fill a terminal.

    @param place: where the door is
    """
    gauges = _gauges(picture, width, max(1, height - 5))
    rest = height - 2 - gauges.row_count
    below = 0 if rest < 12 else min(10, rest // 3)
    count = max(0, rest - 2 - (below and below + 1))
    parts: list[RenderableType] = [
        _title(picture, choice, place, width),
        gauges,
        _rule(_headline(picture, choice.by), width),
        connections(
            _near(choice.session, picture.top.connections, count),
            choice.by,
            choice.session,
            width,
            count,
        ),
    ]
    if below:
        parts += [
            _rule(f"Rooms ({picture.rooms.total:,}), warnings", width),
            _belowOf(picture, width, below),
        ]
    return Group(*parts, _footer(choice, width))


def snapshot(picture: Picture, choice: Choice, place: str, width: int) -> Group:
    """Show all that is known, from top to bottom, for a pipe."""
    return Group(
        _title(picture, choice, place, width),
        _gauges(picture, width, len(_GAUGES)),
        "",
        Text(_headline(picture, choice.by)),
        connections(picture.top.connections, choice.by, "", width),
        "",
        Text(f"Rooms ({picture.rooms.total:,})"),
        rooms(picture.rooms.rooms, width),
        "",
        Text("Warnings"),
        warnings(picture.warnings, width),
    )


def _title(picture: Picture, choice: Choice, place: str, width: int) -> Text:
    hello, samples = picture.hello, picture.samples
    parts = [
        f"{safe(hello.name)} {safe(hello.version)}" if hello else "gows",
        f"up {figures.age(picture.uptime)}",
    ]
    if samples:
        parts.append(_counted(samples[-1].people, "person", "people"))
        parts.append(_counted(samples[-1].rooms, "room", "rooms"))
    line = Text("  ".join(parts), style="bold")
    if samples and samples[-1].draining:
        line.append("  draining", style="bold yellow")
    if choice.trouble:
        line.append("  connection lost, retrying", style="bold red")
    line.append(f"  {safe(place)}", style="dim")
    return _cut(line, width)


def _counted(number: float, one: str, more: str) -> str:
    return f"{figures.count(number)} {one if number == 1 else more}"


def _headline(picture: Picture, by: str) -> str:
    shown, total = len(picture.top.connections), picture.top.total
    of = f"{shown} of {total:,}" if total > shown else f"{total:,}"
    return f"Connections by {by} ({of})"


def _gauges(picture: Picture, width: int, rows: int) -> Table:
    columns = 2 if width >= _TWO_COLUMNS else 1
    line = max(1, width // columns - 13 - 9 - 3)
    table = Table.grid(padding=(0, 1))
    for _ in range(columns):
        table.add_column(width=12, no_wrap=True)
        table.add_column(width=9, no_wrap=True, justify="right", style="bold")
        table.add_column(width=line, no_wrap=True, style="green")
    for at in range(0, min(len(_GAUGES), rows * columns), columns):
        cells: list[RenderableType] = []
        for gauge in _GAUGES[at : at + columns]:
            last = gauge.figure(picture.samples[-1]) if picture.samples else None
            cells += [gauge.label, gauge.show(last), _sparkline(picture, gauge, line)]
        table.add_row(*cells)
    return table


def _sparkline(picture: Picture, gauge: _Gauge, width: int) -> str:
    if not picture.samples:
        return ""
    points = ((each.time / 1000, gauge.figure(each)) for each in picture.samples)
    now = picture.samples[-1].time / 1000
    return figures.sparkline(points, width, PERIOD, now)


def _near(
    session: str, found: tuple[Connection, ...], count: int
) -> tuple[Connection, ...]:
    """Choose those that are shown: the first, or so many that one is among them."""
    places = [at for at, each in enumerate(found) if each.session == session]
    first = max(0, places[0] - count + 1) if places else 0
    return found[first : first + count]


def _belowOf(picture: Picture, width: int, height: int) -> Table:
    left = width // 2 if width < _TWO_COLUMNS else max(20, width // 3)
    right = max(1, width - left - 2)
    table = Table.grid(padding=(0, 1))
    table.add_column(width=left)
    table.add_column(width=right)
    shown = picture.warnings[-height:]
    space = Text("\n" * (height - len(shown) - 1))  # the last line is at the bottom
    table.add_row(
        rooms(picture.rooms.rooms[: height - 1], left),
        Group(warnings(shown, right), *([space] if len(shown) < height else [])),
    )
    return table


def _footer(choice: Choice, width: int) -> Text:
    if choice.asked is not None:
        key, address = safe(choice.asked.key), safe(choice.asked.address)
        line = Text(f"Disconnect {key} from {address}? (y/n)", style="bold reverse")
    elif choice.note or choice.trouble:
        line = Text(safe(choice.note or choice.trouble), style="bold")
    else:
        keys = " ".join(ORDERS.values())
        line = Text(f"q quit  ↑↓ select  k kick  ←→ or {keys}: order by", style="dim")
    return _cut(line, width)


def _rule(text: str, width: int) -> Text:
    line = Text(f"── {text} ", style="cyan")
    line.append("─" * max(0, width - line.cell_len))
    return _cut(line, width)


def _cut(line: Text, width: int) -> Text:
    line.no_wrap = True
    line.truncate(width, overflow="ellipsis")
    return line
