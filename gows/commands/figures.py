"""Figures for people: short numbers with their units, and sparklines."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Final

NONE: Final = "-"
"""What is shown where there is no figure."""

_BLOCKS: Final = "▁▂▃▄▅▆▇█"


def count(number: float | None) -> str:
    """Show a number in at most seven characters: 12,345 or 1.23 M."""
    if number is None or not math.isfinite(number):
        return NONE
    if abs(number) < 99_999.5:
        isWhole = number == int(number) or abs(number) >= 100
        return f"{number:,.0f}" if isWhole else f"{number:.1f}"
    return _scaled(number, 1000, ("", " k", " M", " G", " T", " P"))


def size(number: float | None) -> str:
    """Show bytes in at most eight characters: 12.3 MiB."""
    if number is None or not math.isfinite(number):
        return NONE
    return _scaled(number, 1024, (" B", " KiB", " MiB", " GiB", " TiB", " PiB"))


def seconds(number: float | None) -> str:
    """Show a short time in at most seven characters: 12.3 ms."""
    if number is None or not math.isfinite(number):
        return NONE
    if abs(number) < 1e-3:
        return f"{number * 1e6:.0f} µs"
    if abs(number) < 1:
        return f"{number * 1e3:.3g} ms"
    return f"{number:.3g} s"


def milliseconds(number: float | None) -> str:
    """Show a short time that is in milliseconds."""
    return seconds(None if number is None else number / 1000)


def age(number: float | None) -> str:
    """Show a long time in at most seven characters: 3d 04h."""
    if number is None or not math.isfinite(number):
        return NONE
    whole = max(0, int(number))
    for per, inner, names in (
        (86400, 3600, "dh"),
        (3600, 60, "hm"),
        (60, 1, "ms"),
    ):
        if whole >= per:
            big, small = whole // per, whole % per // inner
            if big > 999:
                return f"{big:,}{names[0]}"
            return f"{big}{names[0]} {small:02}{names[1]}"
    return f"{whole}s"


def share(number: float | None) -> str:
    """Show a fraction in percent."""
    if number is None or not math.isfinite(number):
        return NONE
    return f"{number * 100:.0f} %"


def clock(milliseconds: float) -> str:
    """Show when something was, of the local day: 12:34:56."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(milliseconds / 1000))
    except (ValueError, OverflowError, OSError):
        return "??:??:??"


def sparkline(
    points: Iterable[tuple[float, float | None]], width: int, period: float, now: float
) -> str:
    """
    Draw the last figures, from zero to the largest of them.

    @param points: times in seconds, and figures; where there is none, there is a gap
    @param width: in characters; each shows the largest figure of its share
    @param period: how many seconds all of it shows
    @param now: the time at its end; it stands still within a character's share
    """
    each = max(period / width, 1.0)
    last = int(now / each)
    cells: list[float | None] = [None] * width
    for moment, figure in points:
        place = width - 1 - (last - int(moment / each))
        if figure is not None and math.isfinite(figure) and 0 <= place < width:
            cells[place] = max(cells[place] or 0.0, figure)
    top = max((cell for cell in cells if cell is not None), default=0.0)
    return "".join(" " if cell is None else _blockOf(cell, top) for cell in cells)


def _blockOf(figure: float, top: float) -> str:
    if top <= 0:
        return _BLOCKS[0]
    return _BLOCKS[max(0, min(7, int(figure / top * 7 + 0.5)))]


def _scaled(number: float, step: int, units: tuple[str, ...]) -> str:
    power = 0
    while abs(number) >= step * 0.9995 and power < len(units) - 1:
        number /= step
        power += 1
    isWhole = power == 0 or abs(number) >= 1000
    return f"{number:.0f}{units[power]}" if isWhole else f"{number:.3g}{units[power]}"
