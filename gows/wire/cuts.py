"""Noticing a proxy that cuts connections after a fixed time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

PERIODS: Final = (30, 60, 100)
"""Seconds after which proxies are known to cut what they take for idle."""

TOLERANCE: Final = 2.0
"""Seconds by which a time may differ from a period and still be that one."""

WITHIN: Final = 600.0
"""Seconds for which a cut counts, or up to a minute less."""

ENOUGH: Final = 10
"""So many cuts at least, and more than half of all, raise a suspicion."""

QUIET: Final = 3600.0
"""Seconds between two warnings of one period."""

_SLICE: Final = WITHIN / 10


class _Slice:
    """
    The cuts of a minute.

    @ivar number: which minute
    @ivar count: all of them
    @ivar near: those near each period
    """

    __slots__ = ("count", "near", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.count = 0
        self.near = dict.fromkeys(PERIODS, 0)


class Cuts:
    """
    Counts connections that end without a close frame, by how long they lasted.

    Phones that lose their network, and tabs that crash, go at any time. Where most go
    at the same age, or after the same time of silence, and it is one at which proxies
    do that, one most likely does. Memory and time are constant, however many end.
    """

    def __init__(
        self,
        now: Callable[[], float],
        warn: Callable[[int, int, int], object],
    ) -> None:
        """
        Begin without suspicion.

        @param now: the time in seconds
        @param warn: called with the period of a new suspicion, its cuts, and how many
            there were of all; for a period once an hour at the most
        """
        self._now = now
        self._warn = warn
        self._slices: deque[_Slice] = deque()
        self._warnedAt: dict[int, float] = {}

    def cut(self, age: float, silence: float) -> None:
        """
        Count a connection that others cut: its peer, or somebody between.

        @param age: seconds since it opened
        @param silence: seconds since something last passed over it
        """
        now = self._now()
        current = self._slice(now)
        current.count += 1
        for period in PERIODS:
            if min(abs(age - period), abs(silence - period)) <= TOLERANCE:
                current.near[period] += 1
                self._judge(period, now)

    def _slice(self, now: float) -> _Slice:
        number = int(now // _SLICE)
        if not self._slices or self._slices[-1].number != number:
            self._slices.append(_Slice(number))
        while self._slices[0].number <= number - WITHIN / _SLICE:
            self._slices.popleft()
        return self._slices[-1]

    def _judge(self, period: int, now: float) -> None:
        if now - self._warnedAt.get(period, -QUIET) < QUIET:
            return
        cuts = sum(one.near[period] for one in self._slices)
        ofAll = sum(one.count for one in self._slices)
        if cuts >= ENOUGH and cuts * 2 > ofAll:
            self._warnedAt[period] = now
            self._warn(period, cuts, ofAll)
