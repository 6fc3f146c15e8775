"""Tests for L{gows.eager}: coroutines that mostly need not wait."""

from __future__ import annotations

import gc
from collections.abc import Awaitable
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from gows.eager import started, toItsEnd


async def addUp(*terms: Awaitable[int]) -> int:
    """Wait for numbers, one after the other, and add them up."""
    return sum([await term for term in terms])


class StartedTests(SynchronousTestCase):
    """A coroutine runs at once, as far as it goes."""

    def later(self, *terms: Awaitable[int]) -> Deferred[int]:
        """Start a coroutine that has to wait."""
        result = started(addUp(*terms))
        self.assertIsInstance(result, Deferred)
        return cast("Deferred[int]", result)

    def test_atOnce(self) -> None:
        """Without anything to wait for the result is there, no Deferred."""
        self.assertEqual(started(addUp()), 0)
        self.assertEqual(started(addUp(succeed(1), addUp(succeed(2)))), 3)

    def test_raisesAtOnce(self) -> None:
        """So is what it raises."""
        self.assertRaises(KeyError, started, addUp(succeed(1), fail(KeyError())))

    def test_waits(self) -> None:
        """What has to wait goes on when that is there, as often as it must."""
        first: Deferred[int] = Deferred()
        second: Deferred[int] = Deferred()
        result = self.later(first, succeed(10), second)
        first.callback(1)
        self.assertNoResult(result)
        second.callback(100)
        self.assertEqual(self.successResultOf(result), 111)

    def test_raisesLater(self) -> None:
        """What it raises later is the Deferred's failure."""
        first: Deferred[int] = Deferred()
        result = self.later(first, fail(KeyError("x")))
        first.callback(1)
        self.failureResultOf(result, KeyError)

    def test_caught(self) -> None:
        """It can catch what it waited for."""

        async def careful(awaited: Deferred[int]) -> int:
            try:
                return await awaited
            except KeyError:
                return await succeed(7)

        first: Deferred[int] = Deferred()
        result: Any = started(careful(first))
        first.errback(KeyError())
        self.assertEqual(self.successResultOf(result), 7)

    def test_cancelled(self) -> None:
        """To cancel it is to cancel what it waits for."""
        cancelled: list[Deferred[int]] = []
        first: Deferred[int] = Deferred(cancelled.append)
        result = self.later(first)
        result.cancel()
        self.assertEqual(cancelled, [first])
        self.failureResultOf(result, CancelledError)


class ToItsEndTests(SynchronousTestCase):
    """Something is done to its end, whether or not somebody still waits."""

    def setUp(self) -> None:
        """Count what is given back."""
        self.given = 0

    async def giveBack(self) -> None:
        """Count it."""
        self.given += 1

    def test_atOnce(self) -> None:
        """What need not wait does not."""
        for result in (True, False):
            self.assertIs(started(toItsEnd(succeed(result), self.giveBack)), result)
        self.assertRaises(KeyError, started, toItsEnd(fail(KeyError()), self.giveBack))
        self.assertEqual(self.given, 0)

    def test_later(self) -> None:
        """Who waits gets the answer, or the failure."""
        for result in (True, False):
            asked: Deferred[bool] = Deferred()
            waiting = Deferred.fromCoroutine(toItsEnd(asked, self.giveBack))
            self.assertNoResult(waiting)
            asked.callback(result)
            self.assertIs(self.successResultOf(waiting), result)
        asked = Deferred()
        waiting = Deferred.fromCoroutine(toItsEnd(asked, self.giveBack))
        asked.errback(KeyError())
        self.failureResultOf(waiting, KeyError)
        self.assertEqual(self.given, 0)

    def test_cancelled(self) -> None:
        """Who is cancelled does not wait; what it would have got is given back."""
        for result, given in ((False, 0), (True, 1)):
            asked: Deferred[bool] = Deferred()
            waiting = Deferred.fromCoroutine(toItsEnd(asked, self.giveBack))
            waiting.cancel()
            self.failureResultOf(waiting, CancelledError)
            self.assertEqual(self.given, 0)
            asked.callback(result)
            self.assertEqual(self.given, given)

    def test_cancelledAndFails(self) -> None:
        """A failure that nobody waits for is logged."""
        asked: Deferred[bool] = Deferred()
        waiting = Deferred.fromCoroutine(toItsEnd(asked, self.giveBack))
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        asked.errback(KeyError())
        del asked, waiting
        gc.collect()
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
