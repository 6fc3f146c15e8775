"""Tests for L{gows.lag}."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.lag import BOUNDS, EVERY, REMEMBERED, Look, ReactorLag

PROPERTY = settings(max_examples=50, deadline=None, database=None, derandomize=True)


class SetBack(Clock):
    """A clock that somebody sets back each time before it calls."""

    def callLater(self, delay: float, callable: Any, *args: Any, **kw: Any) -> Any:
        """Have the clock set back, and then be called."""

        def later() -> None:
            self.rightNow -= 100
            callable(*args, **kw)

        return super().callLater(delay, later)


class ReactorLagTests(SynchronousTestCase):
    """How late the reactor is gets noted."""

    def setUp(self) -> None:
        """Begin to look, at no whole second."""
        self.clock = Clock()
        self.clock.advance(1000.25)
        self.lag = ReactorLag(self.clock)
        self.lag.startService()

    def test_begin(self) -> None:
        """Before the first look nothing is late."""
        self.assertEqual((self.lag.latest, len(self.lag.history)), (0.0, 0))

    def test_inTime(self) -> None:
        """A reactor that has nothing to do is in time."""
        self.clock.pump([EVERY] * 4)
        self.assertEqual([look.lag for look in self.lag.history], [0.0] * 4)
        self.assertEqual(self.lag.bins.count, 4)

    def test_late(self) -> None:
        """What keeps the reactor busy makes it late; afterwards it is in time."""
        self.clock.advance(EVERY + 2)
        self.assertEqual(self.lag.latest, 2)
        self.assertEqual(list(self.lag.history), [Look(1000.25 + EVERY + 2, 2)])
        self.clock.advance(EVERY)
        self.assertEqual(self.lag.latest, 0)
        self.assertEqual((self.lag.bins.count, self.lag.bins.sum), (2, 2))

    def test_clockSetBack(self) -> None:
        """A clock that goes back makes nothing early."""
        clock = SetBack()
        lag = ReactorLag(clock)
        lag.startService()
        clock.advance(EVERY)
        self.assertEqual([look.lag for look in lag.history], [0])

    @PROPERTY
    @given(st.lists(st.floats(EVERY, 200), max_size=60))
    def test_remembered(self, steps: list[float]) -> None:
        """However late it is, what is remembered is of the last minutes, in order."""
        self.setUp()
        for step in steps:
            self.clock.advance(step)
        times = [look.time for look in self.lag.history]
        self.assertEqual(times, sorted(times))
        self.assertEqual(self.lag.bins.count, len(steps))
        now = self.clock.seconds()
        self.assertTrue(all(time >= now - REMEMBERED for time in times))

    def test_bounded(self) -> None:
        """As many looks are remembered as there are in a quarter of an hour."""
        self.clock.pump([EVERY] * (int(REMEMBERED / EVERY) + 100))
        self.assertEqual(len(self.lag.history), REMEMBERED / EVERY)
        self.assertEqual(self.lag.bins.count, REMEMBERED / EVERY + 100)

    def test_stop(self) -> None:
        """After its stop it asks for nothing; it can be started again."""
        self.lag.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.lag.startService()
        self.clock.advance(EVERY)
        self.assertEqual(len(self.lag.history), 1)

    def test_neverStarted(self) -> None:
        """A service that was not started can be stopped, and started after that."""
        clock = Clock()
        lag = ReactorLag(clock)
        lag.stopService()
        self.assertEqual(clock.getDelayedCalls(), [])
        lag.startService()
        clock.advance(EVERY)
        self.assertEqual(len(lag.history), 1)

    def test_bounds(self) -> None:
        """The bounds ascend."""
        self.assertEqual(sorted(set(BOUNDS)), list(BOUNDS))
