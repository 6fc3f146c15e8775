"""When to send: once a reactor turn, and more rarely when it is too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gows.counts import Counts, Uncounted
from gows.wire.backlog import Backlog


class Flushable(Protocol):
    """Somebody who has something to send."""

    def flush(self) -> None:
        """Send it."""


class Turn:
    """
    Ends a reactor turn: what was gathered in it is sent.

    What goes to single connections always leaves at the end of the turn. So do the
    groups' messages, as long as they come one by one. When several came in the
    time that it took to send to everybody, the server is busy: then it reads for as
    long as the sending took, but no longer than the delay allows, before it sends
    again. The more there is to send, the more goes with one C{send}.
    """

    def __init__(
        self,
        clock: IReactorTime,
        maxDelay: float,
        backlog: Backlog,
        counts: Counts | None = None,
    ) -> None:
        """
        Begin with nothing to send.

        @param maxDelay: seconds that the groups' messages wait at the most; 0: they
            never do
        @param backlog: relieved after each sending
        @param counts: told of each sending to the groups; L{None}: nobody is
        """
        self._clock = clock
        self._maxDelay = maxDelay
        self._backlog = backlog
        self._counts = counts or Uncounted()
        self._own: dict[Flushable, None] = {}
        self._sendGroups: Callable[[], int] | None = None
        self._notBefore = 0.0
        self._call: IDelayedCall | None = None
        self._laterCall: IDelayedCall | None = None
        self._isSending = False

    def seconds(self) -> float:
        """Tell the time."""
        return self._clock.seconds()

    def soon(self, connection: Flushable) -> None:
        """Have somebody send at the end of this turn."""
        self._own[connection] = None
        self._callSoon()

    def paced(self, sendGroups: Callable[[], int]) -> None:
        """
        Have the groups' messages sent as soon as the pace allows.

        @param sendGroups: answers how many messages there were
        """
        self._sendGroups = sendGroups
        if self._laterCall is None:
            self._callSoon()

    def flush(self) -> None:
        """Send everything now, unless that is being done already."""
        if self._isSending:
            return
        self._isSending = True
        isMoreToDo = False
        try:
            self._flushOwn()
            if self._sendGroups is not None:
                self._flushGroups(self._sendGroups)
                self._flushOwn()
            isMoreToDo = self._backlog.relieve()
        finally:
            self._isSending = False
            if self._own or isMoreToDo:
                self._callSoon()

    def _callSoon(self) -> None:
        if self._call is None:
            self._call = self._clock.callLater(0, self._end)

    def _end(self) -> None:
        self._call = None
        wait = min(self._notBefore - self._clock.seconds(), self._maxDelay)
        if self._sendGroups is None or wait <= 0:
            self.flush()
            return
        if self._laterCall is None:
            self._laterCall = self._clock.callLater(wait, self._endLater)
        self._flushOwn()
        if self._backlog.relieve():
            self._callSoon()

    def _endLater(self) -> None:
        self._laterCall = None
        self.flush()

    def _flushOwn(self) -> None:
        own, self._own = self._own, {}
        inOrder = iter(own)
        try:
            for connection in inOrder:
                connection.flush()
        finally:
            self._own |= dict.fromkeys(inOrder)  # those behind one that raised

    def _flushGroups(self, sendGroups: Callable[[], int]) -> None:
        self._sendGroups = None
        if self._laterCall is not None:
            self._laterCall.cancel()
            self._laterCall = None
        began = self._clock.seconds()
        messages = sendGroups()
        ended = self._clock.seconds()
        self._counts.fannedOut(ended - began)
        self._notBefore = 0.0
        if messages > 1:
            self._notBefore = ended + min(ended - began, self._maxDelay)
