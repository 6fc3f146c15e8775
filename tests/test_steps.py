"""Tests of L{gows.web.steps}."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock, TaskStopped
from twisted.trial.unittest import SynchronousTestCase

from gows.web.steps import stepwise


class Turns(Clock):
    """A clock on which a turn of the reactor takes a second."""

    def callLater(
        self, delay: float, callable: Callable[..., object], *args: object, **kw: object
    ) -> IDelayedCall:
        """Call in a later turn."""
        return super().callLater(delay + 1, callable, *args, **kw)


class StepsTests(SynchronousTestCase):
    """Others are served between two steps."""

    def setUp(self) -> None:
        """Take no step yet."""
        self.clock = Turns()
        self.taken: list[int] = []
        self.task = stepwise(self.clock, self.steps())

    def steps(self) -> Iterator[None]:
        """Take three."""
        for number in range(3):
            self.taken.append(number)
            yield

    def test_turns(self) -> None:
        """One step is taken a turn."""
        done = self.task.whenDone()
        for count in range(1, 4):
            self.clock.advance(1)
            self.assertEqual(self.taken, [0, 1, 2][:count])
            self.assertNoResult(done)
        self.clock.advance(1)
        self.successResultOf(done)

    def test_stop(self) -> None:
        """No step is taken any more once nobody wants it."""
        self.clock.advance(1)
        done = self.task.whenDone()
        self.task.stop()
        self.clock.advance(1)
        self.failureResultOf(done, TaskStopped)
        self.assertEqual(self.taken, [0])
