"""Tests of L{gows.web.steps}."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock, TaskStopped
from twisted.trial.unittest import SynchronousTestCase

from gows.eager import started
from gows.web.steps import inTurns, stepwise


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


class InTurnsTests(SynchronousTestCase):
    """A sequence is gone through in parts, one a turn."""

    def setUp(self) -> None:
        """Have gone through nothing yet."""
        self.clock = Turns()
        self.parts: list[Sequence[str]] = []

    async def goThrough(self, everything: str, until: str = "") -> None:
        """Take note of each part, up to the one that is enough."""
        async for part in inTurns(self.clock, everything, 2):
            self.parts.append(part)
            if part == until:
                break

    def begun(self) -> Deferred[None]:
        """Begin with what takes three turns."""
        going = started(self.goThrough("abcde"))
        assert isinstance(going, Deferred)
        return going

    def test_turns(self) -> None:
        """The first is at once, the last may be smaller, and no turn is for nothing."""
        going = self.begun()
        for count in range(1, 3):
            self.assertEqual(self.parts, ["ab", "cd"][:count])
            self.assertNoResult(going)
            self.clock.advance(1)
        self.assertEqual(self.parts, ["ab", "cd", "e"])
        self.successResultOf(going)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_atOnce(self) -> None:
        """What is no more than a part does not wait, nor what has found enough."""
        for everything in ("", "ab", "abcde"):
            self.assertIsNone(started(self.goThrough(everything, until="ab")))
        self.assertEqual(self.parts, ["ab", "ab"])

    def test_cancel(self) -> None:
        """It ends when nobody wants it any more."""
        going = self.begun()
        going.cancel()
        self.failureResultOf(going, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.parts, ["ab"])
