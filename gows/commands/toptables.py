"""The tables of ``gows top``: connections, rooms, warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from rich.table import Table
from rich.text import Text

from gows.chat.audience import EVERYONE
from gows.commands import figures
from gows.commands.topstructs import Connection, Room, Warned
from gows.journal import escaped

_NARROW: Final = 72
_WIDE: Final = 110
_MAX_TEXT: Final = 300
_WIDTHS: Final = {"form": 7, "session": 16}
_LEVELS: Final = {"warn": "yellow", "error": "red", "critical": "bold red"}


class _Measure(NamedTuple):
    label: str
    shown: Callable[[Connection], str]


_MEASURES: Final = {
    "age": _Measure("age", lambda c: figures.age(c.age)),
    "messages_in": _Measure("in", lambda c: figures.count(c.messagesIn)),
    "bytes_out": _Measure("out", lambda c: figures.size(c.bytesOut)),
    "waiting": _Measure("waiting", lambda c: figures.size(c.waiting)),
    "round_trip": _Measure("ping", lambda c: figures.milliseconds(c.roundTrip)),
}
"""What is shown of a connection, and by what it may be sorted."""


def connections(
    found: Iterable[Connection], by: str, selected: str, width: int, rows: int = 0
) -> Table:
    """
    List connections.

    @param by: in which order they are
    @param selected: the session of one that stands out; empty: none does
    @param rows: with how many, at least; what is missing stays empty
    """
    texts, measures = _columnsFor(width, by)
    table = _table(width)
    for name in texts:
        fixed = _WIDTHS.get(name)
        table.add_column(name, no_wrap=True, width=fixed, ratio=None if fixed else 1)
    for name in measures:
        label = _MEASURES[name].label + ("▼" if name == by else "")
        table.add_column(label, no_wrap=True, width=8, justify="right")
    for each in found:
        table.add_row(
            *(Text(safe(getattr(each, name))) for name in texts),
            *(_MEASURES[name].shown(each) for name in measures),
            style="reverse" if each.session == selected else "",
        )
    while table.row_count < rows:
        table.add_row()
    return table


def _columnsFor(width: int, by: str) -> tuple[list[str], list[str]]:
    if width < _NARROW:
        return ["key", "address"], [by]
    more = ["device", "session"] if width >= _WIDE else []
    return ["key", "address", *more, "form"], list(_MEASURES)


def rooms(found: Iterable[Room], width: int) -> Table:
    """List rooms."""
    table = _table(width)
    table.add_column("room", no_wrap=True, ratio=1)
    table.add_column("people", no_wrap=True, width=7, justify="right")
    for each in found:
        name = "everyone" if each.room == EVERYONE else f"#{safe(each.room)}"
        table.add_row(Text(name), figures.count(each.people))
    return table


def warnings(found: Iterable[Warned], width: int) -> Table:
    """List warnings."""
    table = _table(width, hasHead=False)
    table.add_column(no_wrap=True, width=8, style="dim")
    table.add_column(no_wrap=True, ratio=1)
    for each in found:
        style = _LEVELS.get(each.level, "")
        table.add_row(figures.clock(each.time), Text(safe(each.text), style=style))
    return table


def safe(text: str) -> str:
    """Make a text of the server's fit for a line of a terminal."""
    return escaped(text[:_MAX_TEXT])


def _table(width: int, hasHead: bool = True) -> Table:
    return Table(
        box=None,
        width=width,
        show_header=hasHead,
        header_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
