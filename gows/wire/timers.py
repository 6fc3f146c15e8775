"""Autobahn's timers: exact, and small, since each idle connection holds one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Timers:
    """
    Calls later, to the moment.

    Autobahn's own (txaio's batched timer) cuts the time of a call down to whole
    seconds: a timeout of one second could be none at all. Calls with the same delay
    come due in the order in which they were made, so they wait in line, and the
    reactor is asked for the first of each line only.
    """

    def __init__(self, clock: IReactorTime) -> None:
        """Keep time by this clock."""
        self._clock = clock
        self._lines: dict[float, _Line] = {}

    def call_later(
        self, delay: float, function: Callable[..., object], *args: object
    ) -> Timer:
        """See C{txaio.IBatchedTimer}."""
        line = self._lines.get(delay)
        if line is None:
            line = self._lines[delay] = _Line(self._clock, delay)
        return line.add(function, args)


class Timer:
    """
    One call that is to come; also a link in the ring of those with the same delay.

    @ivar time: when it is due
    """

    __slots__ = ("_args", "_function", "_instance", "_line", "next", "previous", "time")

    next: Timer
    previous: Timer

    def __init__(
        self,
        line: _Line | None,
        time: float,
        function: Callable[..., object] | None,
        args: tuple[object, ...],
    ) -> None:
        """Be due at a time, not in any ring."""
        # Taken apart, a bound method takes the less memory.
        self._instance = getattr(function, "__self__", None)
        self._function = getattr(function, "__func__", None)
        if self._instance is None or self._function is None:
            self._instance, self._function = None, function
        self._args = args
        self._line = line
        self.time = time

    def active(self) -> bool:
        """Tell whether it is still to come."""
        return self._line is not None

    def cancel(self) -> None:
        """Let it not come, if it still is to."""
        line = self.leave()
        if line is not None:
            line.left()

    def leave(self) -> _Line | None:
        """
        Step out of the ring.

        @return: the line that it was in; L{None}: it was in none any more
        """
        line, self._line = self._line, None
        if line is not None:
            self.previous.next, self.next.previous = self.next, self.previous
            del self.previous, self.next
        return line

    def call(self) -> None:
        """Call."""
        function, instance, args = self._function, self._instance, self._args
        self._function = self._instance = None
        assert function is not None
        if instance is None:
            function(*args)
        else:
            function(instance, *args)


class _Line:
    """The calls of one delay, and the reactor's call for the first of them."""

    def __init__(self, clock: IReactorTime, delay: float) -> None:
        self._clock = clock
        self._delay: Final = delay
        self._ends = Timer(None, 0.0, None, ())  # both ends of the line
        self._ends.next = self._ends.previous = self._ends
        self._call: IDelayedCall | None = None

    def add(self, function: Callable[..., object], args: tuple[object, ...]) -> Timer:
        timer = Timer(self, self._clock.seconds() + self._delay, function, args)
        last = self._ends.previous
        timer.previous, timer.next = last, self._ends
        last.next = self._ends.previous = timer
        if self._call is None:
            self._call = self._clock.callLater(self._delay, self._due)
        return timer

    def left(self) -> None:
        """Take note that a call was cancelled: let the reactor forget the last."""
        if self._ends.next is self._ends and self._call is not None:
            call, self._call = self._call, None
            call.cancel()

    def _due(self) -> None:
        self._call = None
        now = self._clock.seconds()
        try:
            while (first := self._ends.next) is not self._ends and first.time <= now:
                first.leave()
                first.call()
        finally:  # one that raises does not keep the others from their time
            first = self._ends.next
            if first is not self._ends and self._call is None:
                wait = max(0.0, first.time - now)
                self._call = self._clock.callLater(wait, self._due)
