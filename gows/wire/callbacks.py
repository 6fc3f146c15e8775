"""An application's callbacks on one connection: never two at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.python.failure import Failure

Callback = Callable[..., Awaitable[object] | None]


class Callbacks:
    """
    Calls back, and waits for what a callback answers before the next one.

    @ivar isBusy: whether a callback is still running: a Deferred or a coroutine
        that is not done
    @ivar busySince: since when it is, if it is, by the clock; else whatever
    """

    __slots__ = ("_now", "_onDone", "_onFailed", "_pending", "busySince", "isBusy")

    def __init__(
        self,
        onFailed: Callable[[Callback, Failure], None],
        onDone: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        """
        Begin idle.

        @param onFailed: called with a callback that failed, and how
        @param onDone: called when a callback is done that others had to wait for
        @param now: the clock
        """
        self.isBusy = False
        self.busySince = 0.0
        self._now = now
        self._onFailed = onFailed
        self._onDone = onDone
        self._pending: Deferred[object] | None = None

    def call(self, callback: Callback, *args: Any) -> None:
        """Call back, now or when the callback that is running is done."""
        if self._pending is not None:
            self._pending.addCallback(lambda _: self.call(callback, *args))
            return
        try:
            result = callback(*args)
        except Exception:
            self._onFailed(callback, Failure())
            return
        if result is not None:
            self._waitFor(callback, maybeDeferred(lambda: result))

    def whenIdle(self) -> Deferred[None]:
        """Wait for the callback that is running, if there is one."""
        if self._pending is None:
            return succeed(None)
        idle: Deferred[None] = Deferred()
        self._pending.addCallback(lambda _: idle.callback(None))
        return idle

    def _waitFor(self, callback: Callback, pending: Deferred[object]) -> None:
        self.isBusy = True
        self._pending = pending
        pending.addBoth(self._ended, callback)
        if self.isBusy:
            self.busySince = self._now()

    def _ended(self, result: object, callback: Callback) -> None:
        self.isBusy = False
        self._pending = None
        if isinstance(result, Failure):
            self._onFailed(callback, result)
        self._onDone()
