"""A connection to the operators' door: who says nothing does not keep others out."""

from __future__ import annotations

from typing import Final, Protocol, cast

from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request

IDLE: Final = 60.0
"""Seconds until the first line of a request must be there, from the answer before."""

WHOLE_WITHIN: Final = 20.0
"""Seconds in which the rest of a request must follow its first line."""

MAX_CHANNELS: Final = 500
"""How many connections there are at a time."""


class Channels:
    """
    The connections of a door, of which there is an end.

    When there are too many, one that has brought no key yet has to go for the next: the
    oldest. Operators and their monitoring keep theirs.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._strangers: dict[Abortable, None] = {}
        self._known: dict[Abortable, None] = {}

    def __len__(self) -> int:
        """Count them."""
        return len(self._strangers) + len(self._known)

    def enter(self, channel: Abortable) -> bool:
        """
        Take note of a new one, about which nothing is known.

        @return: false, if there is no place for it
        """
        if len(self) >= MAX_CHANNELS:
            oldest = next(iter(self._strangers), None)
            if oldest is None:
                return False
            del self._strangers[oldest]
            oldest.abort()
        self._strangers[channel] = None
        return True

    def letIn(self, channel: Abortable) -> None:
        """Take note that one has brought a key."""
        if channel in self._strangers:
            del self._strangers[channel]
            self._known[channel] = None

    def leave(self, channel: Abortable) -> None:
        """Take note that one is gone."""
        self._strangers.pop(channel, None)
        self._known.pop(channel, None)


class Abortable(Protocol):
    """What L{Channels} ask of a connection."""

    def abort(self) -> None:
        """Cut the line."""


class DoorChannel(HTTPChannel):
    """
    One connection.

    @ivar channels: all of its door
    """

    channels: Channels
    _isBetween = True

    def connectionMade(self) -> None:
        """Begin, if there is a place."""
        super().connectionMade()
        if not self.channels.enter(self):
            self.abort()

    def lineReceived(self, line: bytes) -> None:
        """Take a line; the first one of a request begins its time."""
        if self._isBetween:
            self._isBetween = False
            self.setTimeout(WHOLE_WITHIN)
        super().lineReceived(line)

    def resetTimeout(self) -> None:
        """Do nothing: a request has so long, however often a piece of it comes."""

    def requestDone(self, request: Request) -> None:
        """Wait for the next request."""
        self._isBetween = True
        super().requestDone(request)
        if self._isBetween and self.timeOut is not None:
            self.setTimeout(IDLE)

    def abort(self) -> None:
        """Cut the line."""
        cast(ITCPTransport, self.transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave a place."""
        self.channels.leave(self)
        super().connectionLost(reason)
