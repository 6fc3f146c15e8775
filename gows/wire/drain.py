"""Ending all connections within a given time."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gows.journal import Journal


class Drainable(Protocol):
    """What draining asks of a connection."""

    def whenIdle(self) -> Deferred[None]:
        """Wait for the callback that is running."""

    def goAway(self, seconds: float) -> None:
        """Begin the closing handshake; the peer may take so long to answer."""

    def cut(self) -> None:
        """Cut the line now."""


class Drain:
    """
    Closes connections with 1001 once their callbacks are done, then waits.

    A message that was accepted before is sent before the close frame, on each
    connection; who answers the close frame has read it. Callbacks get half of the
    time: one that hangs is not to keep the others from a proper close.
    """

    def __init__(
        self,
        connections: Set[Drainable],
        seconds: float,
        clock: IReactorTime,
        journal: Journal,
    ) -> None:
        """
        Begin to drain.

        @param connections: all that have opened and are not gone; it shrinks as
            they go, and L{connectionGone} is called for each
        @param seconds: after so long the others are cut
        """
        self.done: Deferred[None] = Deferred()
        self._connections = connections
        self._journal = journal
        self._seconds = seconds
        self._calls: list[IDelayedCall] = [
            clock.callLater(seconds / 2, self._closeAll),
            clock.callLater(seconds, self.hurry),
        ]
        journal.stopping(len(connections), seconds)
        before: Iterable[Drainable] = tuple(connections)
        idle = DeferredList([connection.whenIdle() for connection in before])
        idle.addCallback(lambda _: self._closeAll())

    def connectionGone(self) -> None:
        """Take note that a connection is gone; the last one ends the draining."""
        if not self._connections:
            self._finish()

    def hurry(self) -> None:
        """Wait no longer: cut who is left."""
        if self.done.called:
            return
        left = tuple(self._connections)
        self._journal.cut(len(left))
        for connection in left:
            connection.cut()
        self._finish()

    def _closeAll(self) -> None:
        if self.done.called:
            return
        for connection in tuple(self._connections):
            connection.goAway(self._seconds)
        self.connectionGone()

    def _finish(self) -> None:
        if self.done.called:
            return
        for call in self._calls:
            if call.active():
                call.cancel()
        self.done.callback(None)
