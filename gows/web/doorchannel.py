"""A connection to the operators' door: neither silence nor haste keeps others out."""

from __future__ import annotations

from typing import Final, Protocol, cast

from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    ITCPTransport,
)
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request
from zope.interface import implementer

from gows.web.answers import Problem, lastAnswer

IDLE: Final = 60.0
"""
Seconds until the first line of a request must be there, once the answer before has been
read; that must be within as many.
"""

WHOLE_WITHIN: Final = 20.0
"""Seconds in which the rest of a request must follow its first line."""

ANSWERED_WITHIN: Final = 60.0
"""
Seconds in which all must be answered and read, once a client has ended its side.
Whether it is still there cannot be told.
"""

MAX_CHANNELS: Final = 500
"""How many connections there are at a time."""

_NO_REQUEST: Final = lastAnswer(
    Problem(
        400,
        "bad_request",
        "This must be a request of HTTP/1.1, with a head of 16 KiB at the most.",
    )
)


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


@implementer(IHalfCloseableProtocol)
class DoorChannel(HTTPChannel):
    """
    One connection, whose requests take turns with all else.

    Clients may send many at once. One of these is answered in a turn of the reactor,
    and none while answers wait for the client to read them; nothing is read meanwhile.
    Left to itself twisted.web answers all in one go: it holds back what comes while an
    answer is being made, but most are made at once here.

    @ivar channels: all of its door
    """

    channels: Channels
    _isBetween = True
    _isFull = False
    _isEnding = False
    _isHalfClosed = False
    _turn: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Begin, if there is a place."""
        super().connectionMade()
        if not self.channels.enter(self):
            self.abort()

    def dataReceived(self, data: bytes) -> None:
        """Take what comes, unless the end has been decided on."""
        if not self._isEnding:
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """Take a line; the first one of a request begins its time."""
        if self._isBetween:
            self._isBetween = False
            self.setTimeout(WHOLE_WITHIN)
        super().lineReceived(line)

    def setTimeout(self, period: float | None) -> float | None:
        """Set the time; who has ended its side has one for all that is to come."""
        if self._isHalfClosed:
            return None
        before: float | None = super().setTimeout(period)
        return before

    def resetTimeout(self) -> None:
        """Do nothing: a request has so long, however often a piece of it comes."""

    def requestDone(self, request: Request) -> None:
        """Wait for the next request, which has to wait for a turn."""
        self._isBetween = self.paused = True  # what came behind it is not looked at
        super().requestDone(request)
        self.setTimeout(IDLE)
        if not self._isEnding:
            self._awaitTurn()

    def pauseProducing(self) -> None:
        """Take note that answers wait for the client."""
        self._isFull = True
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """Take note that the client has read them."""
        self._isFull = False
        super().resumeProducing()
        if self.paused:
            self._awaitTurn()

    def _awaitTurn(self) -> None:
        cast(IPushProducer, self.transport).pauseProducing()
        if self._turn is None:
            self._turn = self.callLater(0, self._takeTurn)

    def _takeTurn(self) -> None:
        self._turn = None
        if self._isFull:
            return
        self.paused = False
        self.setTimeout(IDLE)
        cast(IPushProducer, self.transport).resumeProducing()
        self.dataReceived(b"")
        if self._isHalfClosed:
            self._endUnlessOwing()

    def lineLengthExceeded(self, line: bytes) -> None:
        """Answer that a line of the head is too long."""
        self._respondToBadRequestAndDisconnect()

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Answer in our way, and end: twisted.web's own answer says nothing."""
        assert self.transport is not None
        self.transport.write(_NO_REQUEST)
        self.loseConnection()

    def loseConnection(self) -> None:
        """End when all that is written has been sent; nothing more is looked at."""
        self._isEnding = self.paused = True
        super().loseConnection()

    def readConnectionLost(self) -> None:
        """
        End, now that the client has, once what it asked for has been answered.

        This comes again each time that reading is resumed.
        """
        if not self._isEnding:
            self.setTimeout(ANSWERED_WITHIN)
            self._isHalfClosed = True
            self._endUnlessOwing()

    def _endUnlessOwing(self) -> None:
        isLeft = any(request.endsWithClient for request in self.requests)
        if isLeft or not (self._handlingRequest or self.paused):
            self.stopProducing()
            self.loseConnection()

    def writeConnectionLost(self) -> None:
        """Never called here: the interface has it."""

    def abort(self) -> None:
        """Cut the line."""
        cast(ITCPTransport, self.transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave a place."""
        self._isHalfClosed = False  # there is no time any more
        self.channels.leave(self)
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        super().connectionLost(reason)
