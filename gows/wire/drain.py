"""Ending all connections within a given time, one after the other."""

from __future__ import annotations

import random
from collections.abc import Callable, Set
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gows.journal import Journal
from gows.wire.closing import GOING_AWAY

TOLD_WITHIN: Final = 0.8
"""The part of the time within which all are told; the last need the rest to answer."""

IDLE_WITHIN: Final = 0.1
"""The part that running callbacks have before the first connection is told."""

LONGEST_GAP: Final = 0.1
"""Seconds between two closes at the most: where few are, it ends soon."""

_MOMENT: Final = 0.25
_TURN: Final = 0.02
"""Seconds between two looks at who is next, where many are."""


class Drainable(Protocol):
    """What draining asks of a connection."""

    def whenIdle(self) -> Deferred[None]:
        """Wait for the callback that is running."""

    def goAway(self, seconds: float, returnAfter: float) -> None:
        """
        Begin the closing handshake, unless it has begun.

        @param seconds: the peer may take so long to answer
        @param returnAfter: in so many seconds it may come back
        """

    def cut(self) -> None:
        """Cut the line now."""


class Drain:
    """
    Closes connections with 1001, spread over the time, then waits for answers.

    The order is random, so nobody is always the first. The closes have even distances
    and take L{TOLD_WITHIN} of the time, or less where few are. So have the times at
    which clients are told to come back, in the same order: they take twice as long, so
    that the first may come a second after its close, and the last has the longest wait.

    A message that was accepted before is sent before the close frame, on each
    connection; who answers the close frame has read it. Nobody is told before the
    callbacks that run at first are done, or L{IDLE_WITHIN} of the time is over; after
    that a connection whose callback runs is told when it is done, or when all must be.
    """

    def __init__(
        self,
        connections: Set[Drainable],
        seconds: float,
        clock: IReactorTime,
        journal: Journal,
        shuffle: Callable[[list[Any]], object] = random.shuffle,
    ) -> None:
        """
        Begin to drain.

        @param connections: all that have opened and are not gone; it shrinks as
            they go, and L{connectionGone} is called for each. None may be added
        @param seconds: after so long the others are cut; 0: at once
        @param shuffle: puts a list into the order in which they are told
        """
        self.done: Deferred[None] = Deferred()
        self._connections = connections
        self._clock = clock
        self._journal = journal
        order = list(connections)
        shuffle(order)
        self._untold = dict.fromkeys(order)
        self._thinking: dict[Drainable, float] = {}
        self._hasBegun = False
        self._endsAt = clock.seconds() + seconds
        self._tellAllAt = clock.seconds() + seconds * TOLD_WITHIN
        self._shareTime()
        journal.stopping(len(connections), seconds)
        self._nextAt = 0.0
        self._call: IDelayedCall | None = None
        self._calls: list[IDelayedCall] = [
            clock.callLater(seconds * IDLE_WITHIN, self._begin),
            clock.callLater(seconds * TOLD_WITHIN, self._tellAll),
            clock.callLater(seconds, self.hurry),
        ]
        if not seconds:
            self._tellAll()
        idle = DeferredList([connection.whenIdle() for connection in order])
        idle.addCallback(lambda _: self._begin())

    def connectionGone(self, connection: Drainable) -> None:
        """Take note that a connection is gone; the last one ends the draining."""
        self._untold.pop(connection, None)
        self._thinking.pop(connection, None)
        self._finishIfEmpty()

    def hurry(self) -> None:
        """
        Wait no longer: cut who is left.

        Those who have not been told are told first, so that they do not come back at
        once and all together, and have a moment to hear it.
        """
        if self.done.called:
            return
        if not (self._untold or self._thinking):
            self._cut()
            return
        if not self._hasBegun:
            self._shareTime()
        self._tellAll()
        if not self.done.called:
            self._calls.append(self._clock.callLater(_MOMENT, self._cut))

    def _cut(self) -> None:
        left = tuple(self._connections)
        self._journal.cut(len(left))
        for connection in left:
            connection.cut()
        self._finish()

    def _begin(self) -> None:
        if self._hasBegun or self.done.called:
            return
        self._hasBegun = True
        self._shareTime()
        self._nextAt = self._clock.seconds()
        self._tellNext()

    def _shareTime(self) -> None:
        now, count = self._clock.seconds(), len(self._untold)
        spread = min(self._tellAllAt - now, LONGEST_GAP * count)
        self._tellBy = now + spread
        self._returnAt = now
        self._returnGap = 2 * spread / max(count, 1)

    def _tellNext(self) -> None:
        left, now = len(self._untold), self._clock.seconds()
        if left and not self.done.called:
            # After a stall the others share the time that is left, without a rush.
            self._nextAt = max(self._nextAt, now - LONGEST_GAP)
            gap = min((self._tellBy - self._nextAt) / left, LONGEST_GAP)
            due = min(int((now - self._nextAt) / gap) + 1, left) if gap > 0 else left
            self._nextAt += due * gap
            self._tell(due)
            wait = max(self._nextAt - now, _TURN)
            self._call = self._clock.callLater(wait, self._tellNext)
        self._finishIfEmpty()

    def _tellAll(self) -> None:
        self._tell(len(self._untold))
        for connection in tuple(self._thinking):
            self._close(connection)
        self._finishIfEmpty()

    def _tell(self, count: int) -> None:
        while count and self._untold:
            connection, _ = self._untold.popitem()
            self._thinking[connection] = self._returnAt
            self._returnAt += self._returnGap
            count -= 1
            connection.whenIdle().addCallback(self._idle, connection)

    def _idle(self, result: None, connection: Drainable) -> None:
        self._close(connection)

    def _close(self, connection: Drainable) -> None:
        returnAt = self._thinking.pop(connection, None)
        if returnAt is not None and not self.done.called:
            now = self._clock.seconds()
            after = GOING_AWAY.returnAfter + max(0.0, returnAt - now)
            connection.goAway(self._endsAt - now, after)

    def _finishIfEmpty(self) -> None:
        if not self._connections:
            self._finish()

    def _finish(self) -> None:
        if self.done.called:
            return
        for call in (*self._calls, self._call):
            if call is not None and call.active():
                call.cancel()
        self.done.callback(None)
