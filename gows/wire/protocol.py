"""One connection: Autobahn's protocol, with the chat on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import txaio
from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from gows.chat.context import Context
from gows.chat.message import Message
from gows.errors import MessageError, ProtocolError
from gows.interfaces import IConnection
from gows.wire import closing
from gows.wire.callbacks import Callbacks
from gows.wire.ending import endingOf
from gows.wire.frames import Frames, WireForm
from gows.wire.opening import Opening
from gows.wire.outbox import Outbox, widen

if TYPE_CHECKING:
    from gows.wire.factory import GowsFactory

MAX_UNPARSED: Final = 64 * 1024
"""How many bytes may wait, unparsed, for an application that takes its time."""


_DATA: Final = (0x0, 0x1, 0x2)


@implementer(IConnection)
class GowsProtocol(WebSocketServerProtocol):
    """
    A connection from its first byte to its last.

    L{Opening} has it first. Then Autobahn parses, and what it finds goes to the
    application, one callback at a time. Everything leaves through the L{Outbox}.

    @ivar isLost: whether the transport is gone
    """

    factory: GowsFactory
    transport: Any
    autoPingTimeout: float
    closeHandshakeTimeout: float
    current_frame: Any
    context: Context
    address: str

    # Autobahn's own lines hold whole requests and repeat what the peer sent.
    log = txaio.make_logger(level="none")

    def connectionMade(self) -> None:
        """Begin with the opening."""
        self.isLost = False
        self._outbox = Outbox(self.transport, self._readerStalled)
        super().connectionMade()
        self._opening: Opening | None = Opening(self)
        self._hasOpened = False
        self._openedAt = 0.0
        self._form = WireForm()
        self._received = 0
        self._sent = 0
        self._failure: Failure | None = None
        self._lostReason = connectionDone
        self._callbacks = Callbacks(self._applicationFailed, self._parseOn)
        self._isHeldUp = False
        self._isPaused = False
        self._cutCall: IDelayedCall | None = None

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the peer."""
        if self._opening is not None:
            self._opening.dataReceived(data)
        else:
            self._framesReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take note that the transport is gone."""
        self.isLost = True
        if self._cutCall is not None and self._cutCall.active():
            self._cutCall.cancel()
        self._lostReason = reason
        if self.closeHandshakeTimeoutCall is not None:  # Autobahn lets it run on
            self.closeHandshakeTimeoutCall.cancel()
            self.closeHandshakeTimeoutCall = None
        super().connectionLost(reason)
        if self._opening is not None:
            self._opening.connectionLost(reason)

    def readConnectionLost(self) -> None:
        """Take note that a peer that was refused sends no more: it has had its say."""
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Take note that a refusal has been sent whole."""

    # The opening handshake.

    def beginHandshake(self, head: bytes) -> None:
        """Have Autobahn check the head of an opening."""
        super().dataReceived(head)

    def onConnect(  # type: ignore[override]  # Autobahn takes Deferreds, untold
        self, request: object
    ) -> Deferred[None]:
        """Decide on an opening whose handshake is valid."""
        assert self._opening is not None
        return self._opening.decide()

    def succeedHandshake(self, res: object) -> None:
        """Answer with 101, unless the peer left while it was decided."""
        if self.isLost or self.state != self.STATE_CONNECTING:
            return
        super().succeedHandshake(res)
        opening = self._opening
        if not self._hasOpened or opening is None:
            return
        self._opening = None
        if early := opening.takeEarly():
            self._framesReceived(early)

    def failHandshake(
        self, reason: str, code: int = 400, responseHeaders: object = None
    ) -> None:
        """Answer with a refusal in our words."""
        if self._opening is not None and not self.isLost:
            self._opening.handshakeFailed()

    def onOpenHandshakeTimeout(self) -> None:
        """Drop a peer that has not completed its opening in time."""
        if self._opening is not None:
            self._opening.timedOut()
        super().onOpenHandshakeTimeout()

    # Open.

    def onOpen(self) -> None:
        """Join the others."""
        self._form = self._chooseForm()
        self._hasOpened = True
        self._openedAt = self.factory.reactor.seconds()
        widen(self.transport)
        self.registerProducer(self._outbox, True)
        self.factory.register(self)
        self.factory.journal.opened(
            self.context.specialKey,
            self.context.supportGzip,
            self.address,
            len(self.factory.registry),
        )
        self._callbacks.call(self.factory.application.onOpen, self)

    def _chooseForm(self) -> WireForm:
        if self.context.supportGzip:
            return WireForm(gzip=True)
        for deflate in self.websocket_extensions_in_use:
            return WireForm(windowBits=deflate.server_max_window_bits)
        return WireForm()

    def _framesReceived(self, data: bytes) -> None:
        if self.state == self.STATE_CLOSED:
            return
        super().dataReceived(data)
        if len(self.data) > MAX_UNPARSED:
            self._isPaused = True
            self.transport.pauseProducing()

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
        return bool(self.failedByMe and self.current_frame.opcode in _DATA)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Hand a message to the application."""
        if self.state != self.STATE_OPEN:
            return
        self._received += 1
        try:
            message = self.factory.interpret(payload, isBinary)
        except MessageError as error:
            self._failure = Failure()
            self._sendClose(closing.closeFor(error))
            return
        self._callbacks.call(
            self.factory.application.onMessage,
            self,
            message.payload,
            message.isBinary,
        )

    def onAutoPingTimeout(self) -> None:
        """Drop a silent peer; not one whose pong waits behind the application."""
        if self.state != self.STATE_OPEN:
            self.autoPingTimeoutCall = None
        elif not self._callbacks.isBusy:
            super().onAutoPingTimeout()
        else:
            self.sendPing(self.autoPingPending)  # a dead transport will notice
            self.autoPingTimeoutCall = self.factory.reactor.callLater(
                self.autoPingTimeout, self.onAutoPingTimeout
            )

    # Sending.

    def send(self, payload: str | bytes, isBinary: bool = False) -> None:
        """See L{IConnection.send}."""
        frames = Frames(Message.of(payload, isBinary))
        try:
            self.deliver(frames)
        except Exception:
            self.deliveryFailed(Failure())

    def deliver(self, frames: Frames) -> None:
        """Send a message in this connection's wire form, if it is open."""
        if self.state == self.STATE_OPEN:
            self._outbox.write(frames.frame(self._form))
            self._sent += self.state == self.STATE_OPEN

    def deliveryFailed(self, failure: Failure) -> None:
        """Drop a connection that L{deliver} raised on."""
        self.factory.journal.deliveryFailed(failure)
        self._failure = failure
        self.dropConnection(abort=True)

    def sendData(
        self, data: bytes, sync: bool = False, chopsize: object = None
    ) -> None:
        """Send what Autobahn makes: handshakes, pings, pongs, close frames."""
        self._outbox.write(data)

    # Closing.

    def close(self, code: int = closing.NORMAL.code, reason: str = "") -> None:
        """See L{IConnection.close}."""
        utf8 = closing.checkedReason(code, reason)
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code, utf8)

    def goAway(self, seconds: float) -> None:
        """
        Close because the server stops.

        @param seconds: how long the server waits; no shorter timeout shall cut this
        """
        self.closeHandshakeTimeout = max(self.closeHandshakeTimeout, seconds)
        self._sendClose(closing.GOING_AWAY)

    def beReplaced(self) -> None:
        """Close because a newer connection has the same key."""
        self._sendClose(closing.REPLACED)

    def cut(self) -> None:
        """Cut the line now."""
        if not self.isLost:
            self.transport.abortConnection()

    def whenIdle(self) -> Deferred[None]:
        """Wait for the callback that is running, if there is one."""
        return self._callbacks.whenIdle()

    def sendCloseFrame(
        self,
        code: int | None = None,
        reasonUtf8: bytes | None = None,
        isReply: bool = False,
    ) -> None:
        """Send a close frame; from here on this connection is nobody's receiver."""
        self._outbox.lastWords()
        if self.failedByMe and code is not None:
            reasonUtf8 = closing.reasonOf(code)  # Autobahn's has an exception's text
        try:
            super().sendCloseFrame(code, reasonUtf8, isReply)
        finally:
            self.factory.unregister(self)
        self._parseOn()

    def dropConnection(self, abort: bool = False) -> None:
        """
        End the transport: at once, or when the peer has read what is left.

        A clean close is never aborted: a reset could overtake the last messages.
        A peer that does not read is cut after C{--close-timeout}.
        """
        if self.state == self.STATE_CLOSING and not (abort or self.wasClean):
            return  # a second fault: it still may answer the close frame of the first
        abort = abort and not self.wasClean
        if not abort:
            self._outbox.flush()  # Autobahn unregisters it: nothing would ask again
        super().dropConnection(abort)
        if self._hasOpened:
            self.factory.unregister(self)
        if not abort and not self.isLost and self._cutCall is None:
            self._cutCall = self.factory.reactor.callLater(
                self.closeHandshakeTimeout, self.cut
            )

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """Tell the journal and the application that this connection is gone."""
        if not self._hasOpened:
            return
        self.factory.unregister(self)
        self.factory.journal.closed(
            self.context.specialKey,
            self.context.supportGzip,
            self.address,
            seconds=self.factory.reactor.seconds() - self._openedAt,
            sentCode=self.localCloseCode,
            receivedCode=self.remoteCloseCode,
            received=self._received,
            sent=self._sent,
        )
        ending = endingOf(self, self._lostReason)
        call, application = self._callbacks.call, self.factory.application
        if (failure := self._failure or ending.failure) is not None:
            call(application.onError, self, failure)
        call(application.onClose, self, ending.wasClean, ending.code, ending.reason)
        call(self.factory.forget, self)

    def _sendClose(self, close: closing.Close) -> None:
        if self.state == self.STATE_OPEN:
            try:
                self.sendCloseFrame(close.code, close.reason.encode("utf-8"))
            except Exception:
                self.deliveryFailed(Failure())

    def _readerStalled(self) -> None:
        self._failure = Failure(ProtocolError(closing.TOO_SLOW.reason))
        self._sendClose(closing.TOO_SLOW)

    def _applicationFailed(self, callback: object, failure: Failure) -> None:
        self.factory.journal.applicationFailed(failure)
        self._sendClose(closing.INTERNAL_ERROR)
        if callback != self.factory.application.onError:
            self._callbacks.call(self.factory.application.onError, self, failure)

    def _parseOn(self) -> None:
        if not self._isHeldUp:
            return
        self._isHeldUp = False
        self.consumeData()
        if self._isPaused and len(self.data) <= MAX_UNPARSED and not self.isLost:
            self._isPaused = False
            self.transport.resumeProducing()
