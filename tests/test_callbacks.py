"""Tests of L{gows.wire.callbacks}."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gows.wire.callbacks import Callback, Callbacks


class CallbacksTests(SynchronousTestCase):
    """An application never has two callbacks of one connection at a time."""

    def setUp(self) -> None:
        """Record what happens."""
        self.done = 0
        self.clock = Clock()
        self.failed: list[tuple[Callback, Failure]] = []
        self.callbacks = Callbacks(
            lambda callback, failure: self.failed.append((callback, failure)),
            self._countDone,
            self.clock.seconds,
        )

    def _countDone(self) -> None:
        self.done += 1

    def test_ordinary(self) -> None:
        """A callback that answers nothing is over at once."""
        seen: list[Any] = []
        self.callbacks.call(seen.append, 1)
        self.callbacks.call(seen.append, 2)
        self.assertEqual(seen, [1, 2])
        self.assertFalse(self.callbacks.isBusy)

    def test_deferred(self) -> None:
        """While a Deferred has not fired, the next callbacks wait, in order."""
        waiting: Deferred[None] = Deferred()
        seen: list[Any] = []
        self.callbacks.call(lambda: waiting)
        self.assertTrue(self.callbacks.isBusy)
        self.callbacks.call(seen.append, 1)
        self.callbacks.call(seen.append, 2)
        self.assertEqual(seen, [])
        waiting.callback(None)
        self.assertEqual(seen, [1, 2])
        self.assertFalse(self.callbacks.isBusy)
        self.assertEqual(self.done, 1)

    def test_queuedDeferreds(self) -> None:
        """A callback that waited and then takes its time makes others wait on."""
        first: Deferred[None] = Deferred()
        second: Deferred[None] = Deferred()
        seen: list[Any] = []
        self.callbacks.call(lambda: first)
        self.callbacks.call(lambda: second)
        self.callbacks.call(seen.append, 3)
        first.callback(None)
        self.assertTrue(self.callbacks.isBusy)
        self.assertEqual(seen, [])
        second.callback(None)
        self.assertEqual(seen, [3])

    def test_coroutine(self) -> None:
        """A coroutine is run, and waited for."""
        waiting: Deferred[str] = Deferred()
        seen: list[str] = []

        async def callback() -> None:
            seen.append(await waiting)

        self.callbacks.call(callback)
        self.assertTrue(self.callbacks.isBusy)
        waiting.callback("done")
        self.assertEqual(seen, ["done"])
        self.assertFalse(self.callbacks.isBusy)

    def test_firedAlready(self) -> None:
        """A Deferred that has fired delays nothing."""
        self.callbacks.call(lambda: succeed(None))
        self.assertFalse(self.callbacks.isBusy)

    def test_busySince(self) -> None:
        """Each callback that takes its time is timed from its own begin."""
        self.clock.advance(5)
        first: Deferred[None] = Deferred()
        second: Deferred[None] = Deferred()
        self.callbacks.call(lambda: first)
        self.callbacks.call(lambda: second)
        self.assertEqual(self.callbacks.busySince, 5)
        self.clock.advance(2)
        self.assertEqual(self.callbacks.busySince, 5)
        first.callback(None)
        self.assertTrue(self.callbacks.isBusy)
        self.assertEqual(self.callbacks.busySince, 7)

    def test_raises(self) -> None:
        """An exception is reported with the callback that raised it."""

        def callback() -> None:
            raise RuntimeError("no")

        self.callbacks.call(callback)
        [(failed, failure)] = self.failed
        self.assertIs(failed, callback)
        self.assertIsInstance(failure.value, RuntimeError)

    def test_failsLater(self) -> None:
        """A Deferred that fails is reported, and those that waited go on."""
        waiting: Deferred[None] = Deferred()
        seen: list[int] = []
        self.callbacks.call(lambda: waiting)
        self.callbacks.call(seen.append, 1)
        waiting.errback(Failure(RuntimeError("no")))
        self.assertEqual(len(self.failed), 1)
        self.assertEqual(seen, [1])

    def test_whenIdle(self) -> None:
        """Who waits for idleness is told at once, or when the callback is done."""
        self.successResultOf(self.callbacks.whenIdle())
        waiting: Deferred[None] = Deferred()
        self.callbacks.call(lambda: waiting)
        idle = self.callbacks.whenIdle()
        self.assertNoResult(idle)
        waiting.callback(None)
        self.successResultOf(idle)
