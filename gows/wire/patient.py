"""Autobahn's protocol, made to wait for an application that takes its time."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from gows.wire.callbacks import Callback, Callbacks
from gows.wire.orderly import OrderlyProtocol
from gows.wire.shortcut import takeTexts

MAX_UNPARSED: Final = 64 * 1024
"""How many bytes may wait, unparsed, for an application that takes its time."""


class PatientProtocol(OrderlyProtocol):
    """
    A server's end of a WebSocket that calls an application back.

    While a callback runs nothing more is parsed, and beyond a bound nothing more is
    read. Who waits for that meanwhile is not taken for silent.
    """

    _callbacks: Callbacks
    _isHeldUp = False
    _isPaused = False

    @abstractmethod
    def callbackFailed(self, callback: Callback, failure: Failure) -> None:
        """Take note that a callback failed."""

    def connectionMade(self) -> None:
        """Begin idle."""
        super().connectionMade()
        self._callbacks = Callbacks(self.callbackFailed, self.parseOn, self.factory.now)

    @property
    def busySince(self) -> float | None:
        """When the callback began that runs; L{None}: none does."""
        callbacks = self._callbacks
        return callbacks.busySince if callbacks.isBusy else None

    def whenIdle(self) -> Deferred[None]:
        """Wait for the callback that is running, if there is one."""
        return self._callbacks.whenIdle()

    def framesReceived(self, data: bytes) -> None:
        """Take bytes of an open connection."""
        if taken := takeTexts(self, data):
            data = data[taken:]
        if not data or self.state == self.STATE_CLOSED:
            return
        super().dataReceived(data)
        if len(self.data) > MAX_UNPARSED:
            self._isPaused = True
            self.transport.pauseProducing()

    def isBetweenMessages(self) -> bool:
        """
        Tell whether what comes now begins a frame that may be taken at once.

        Not while a ping waits for its answer: data is one, and Autobahn notes that.
        """
        return (
            self.state == self.STATE_OPEN
            and not self.data
            and self.current_frame is None
            and not self.inside_message
            and not self._callbacks.isBusy
            and self.autoPingTimeoutCall is None
        )

    def processData(self) -> bool:
        """
        Parse the next frame, unless the application is still busy.

        Once the connection is closing nothing waits: messages do not count any
        more, and the peer's close frame is to be seen.
        """
        if self._callbacks.isBusy and self.state == self.STATE_OPEN:
            self._isHeldUp = True
            return False
        return bool(super().processData())

    def parseOn(self) -> None:
        """Parse what was held up, if anything was: the callback is done."""
        if not self._isHeldUp:
            return
        self._isHeldUp = False
        self.consumeData()
        if self._isPaused and len(self.data) <= MAX_UNPARSED and not self.isLost:
            self._isPaused = False
            self.transport.resumeProducing()

    def onAutoPingTimeout(self) -> None:
        """
        Drop a silent peer.

        But not one whose pong waits behind the application, nor one that the ping has
        not reached because other bytes are still on their way to it.
        """
        if self.state != self.STATE_OPEN:
            self.autoPingTimeoutCall = None
            return
        if self._callbacks.isBusy:
            self.sendPing(self.autoPingPending)  # a dead transport will notice
        elif not self.outbox.isProgressing():
            super().onAutoPingTimeout()
            return
        self.autoPingTimeoutCall = self.factory.reactor.callLater(
            self.autoPingTimeout, self.onAutoPingTimeout
        )
