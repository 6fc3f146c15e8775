"""How late the reactor is: what is asked for a time, and comes after it."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gows.counts import Bins

EVERY: Final = 0.5
"""Seconds between two looks."""

REMEMBERED: Final = 900.0
"""Seconds of which each look is remembered."""

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Look(NamedTuple):
    """
    One look.

    @ivar time: when it happened, by the reactor's clock
    @ivar lag: how many seconds later than it was to
    """

    time: float
    lag: float


class ReactorLag(Service):
    """
    Asks the reactor again and again to be called, and looks how late it is.

    @ivar bins: all looks since the start
    @ivar history: the looks of the last L{REMEMBERED} seconds, the oldest first
    """

    def __init__(self, clock: IReactorTime) -> None:
        """Remember nothing yet; looks begin with the service's start."""
        self.bins = Bins(BOUNDS)
        self.history: deque[Look] = deque(maxlen=round(REMEMBERED / EVERY))
        self._clock = clock
        self._call: IDelayedCall | None = None

    @property
    def latest(self) -> float:
        """How late the last look was, in seconds; 0.0 before the first."""
        return self.history[-1].lag if self.history else 0.0

    def startService(self) -> None:
        """Begin to look."""
        super().startService()
        self._askAgain()

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _askAgain(self) -> None:
        due = self._clock.seconds() + EVERY
        self._call = self._clock.callLater(EVERY, self._look, due)

    def _look(self, due: float) -> None:
        now = self._clock.seconds()
        lag = max(0.0, now - due)  # the clock may have been set
        self.bins.add(lag)
        self.history.append(Look(now, lag))
        while self.history[0].time < now - REMEMBERED:
            self.history.popleft()
        self._askAgain()
