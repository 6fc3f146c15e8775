"""Autobahn's protocol, made to send through the outbox and to end in good order."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Final

import txaio
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from gows.wire.closing import NO_STATUS, Close, reasonOf
from gows.wire.lean import LeanProtocol
from gows.wire.outbox import Outbox

CONTROL: Final = 0x8
"""The opcodes from here on are those of control frames, reserved ones included."""


class OrderlyProtocol(LeanProtocol):
    """
    A server's end of a WebSocket, without the chat.

    Everything leaves through the L{Outbox}. A peer is told why it is closed, has
    time to answer, and is cut when it does not.

    @ivar isLost: whether the transport is gone
    """

    autoPingTimeout: float
    closeHandshakeTimeout: float
    factory: Any
    outbox: Outbox

    isLost = False
    _cutCall: IDelayedCall | None = None

    # Autobahn's own lines hold whole requests and repeat what the peer sent.
    log = txaio.make_logger(level="none")

    @abstractmethod
    def left(self) -> None:
        """Take note that nothing may be sent any more; may be called repeatedly."""

    @abstractmethod
    def farewell(self, code: int, reason: str) -> None:
        """Say why the connection ends, before a close frame that begins the end."""

    @abstractmethod
    def missed(self, count: int) -> bytes | None:
        """Make a frame that says so many messages were dropped, if one can."""

    @abstractmethod
    def readerStalled(self) -> None:
        """Take note that too much waits for the peer to read it."""

    @abstractmethod
    def sendingFailed(self, failure: Failure) -> None:
        """Take note that the transport raised on what it was to send."""

    def connectionMade(self) -> None:
        """Begin."""
        self.outbox = Outbox(self.transport, self, self.factory.terms)
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take note that the transport is gone."""
        self.isLost = True
        if self._cutCall is not None and self._cutCall.active():
            self._cutCall.cancel()
        if self.closeHandshakeTimeoutCall is not None:  # Autobahn lets it run on
            self.closeHandshakeTimeoutCall.cancel()
            self.closeHandshakeTimeoutCall = None
        self.outbox.close()
        super().connectionLost(reason)

    def readConnectionLost(self) -> None:
        """Take note that a peer that was refused sends no more: it has had its say."""
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Take note that a refusal has been sent whole."""

    def sendData(
        self, data: bytes, sync: bool = False, chopsize: object = None
    ) -> None:
        """Send what Autobahn makes: handshakes, pings, pongs, close frames."""
        self.outbox.write(data)

    def onFrameData(self, payload: bytes) -> bool | None:
        """
        Take a piece of a frame, or skip it once the peer has been told to close.

        Autobahn stops in the middle of a frame that does not decompress, and would
        not come to the close frame behind it.
        """
        if self._skipsFrame():
            return None
        goesOn = super().onFrameData(payload)
        return None if self.failedByMe else goesOn

    def onFrameEnd(self) -> bool | None:
        """Take the end of a frame, or of one that is skipped."""
        if not self._skipsFrame():
            return bool(super().onFrameEnd() is not False)
        self.inside_message = not self.current_frame.fin
        self.current_frame = None
        return None

    def _skipsFrame(self) -> bool:
        return bool(self.failedByMe and self.current_frame.opcode < CONTROL)

    def closeWith(self, close: Close) -> None:
        """Begin the closing handshake, if the connection is open."""
        if self.state == self.STATE_OPEN:
            try:
                self.sendCloseFrame(close.code, close.reason.encode("utf-8"))
            except Exception:
                self.sendingFailed(Failure())

    def sendCloseFrame(
        self,
        code: int | None = None,
        reasonUtf8: bytes | None = None,
        isReply: bool = False,
    ) -> None:
        """Send a close frame; from here on this connection is nobody's receiver."""
        self.outbox.lastWords()
        if self.failedByMe and code is not None:
            reasonUtf8 = reasonOf(code)  # Autobahn's has an exception's text
        if not isReply and self.state == self.STATE_OPEN:
            self.farewell(code or NO_STATUS, (reasonUtf8 or b"").decode("utf-8"))
        try:
            super().sendCloseFrame(code, reasonUtf8, isReply)
        finally:
            self.left()

    def dropConnection(self, abort: bool = False) -> None:
        """
        End the transport: at once, or when the peer has read what is left.

        A clean close is never aborted: a reset could overtake the last messages.
        A peer that does not read is cut after C{--close-timeout}.
        """
        if self.state == self.STATE_CLOSING and not (abort or self.wasClean):
            return  # a second fault: it still may answer the close frame of the first
        abort = abort and not self.wasClean
        super().dropConnection(abort)
        self.left()
        if not abort and not self.isLost and self._cutCall is None:
            self._cutCall = self.factory.reactor.callLater(
                self.closeHandshakeTimeout, self.cut
            )

    def unregisterProducer(self) -> None:
        """Do nothing: the outbox sees to it, once it is empty."""

    def _closeConnection(self, abort: bool = False) -> None:
        if abort:
            self.transport.abortConnection()
        else:
            self.outbox.finish(self.transport.loseConnection)

    def sendPing(self, payload: bytes | None = None) -> None:
        """Send a ping, and remember what the peer had got before."""
        self.outbox.pinged()
        super().sendPing(payload)

    def cut(self) -> None:
        """Cut the line now."""
        if not self.isLost:
            self.outbox.flush()
            self.transport.abortConnection()
