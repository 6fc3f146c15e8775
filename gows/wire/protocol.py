"""One connection of the chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import structs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from gows.access.rates import Meter
from gows.chat.audience import toKey
from gows.chat.context import Context
from gows.chat.grant import Grant
from gows.chat.message import Message
from gows.dialects.dialect import Dialect
from gows.errors import MessageError, ProtocolError
from gows.interfaces import IConnection
from gows.wire import closing
from gows.wire.callbacks import Callbacks
from gows.wire.ending import endingOf
from gows.wire.frames import PLAIN, WireForm, frameOf
from gows.wire.handshake import Handshake
from gows.wire.line import GONE
from gows.wire.opening import Opening
from gows.wire.orderly import OrderlyProtocol
from gows.wire.shortcut import takeTexts

if TYPE_CHECKING:
    from gows.wire.factory import GowsFactory

MAX_UNPARSED: Final = 64 * 1024
"""How many bytes may wait, unparsed, for an application that takes its time."""


@implementer(IConnection)
class GowsProtocol(OrderlyProtocol):
    """
    A connection from its first byte to its last.

    L{Opening} has it first. Then Autobahn parses, and what it finds goes to the
    application, one callback at a time.
    """

    factory: GowsFactory
    context: Context
    address: str
    dialect: Dialect
    form = PLAIN
    rooms: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()

    _opening: Opening | None = None
    _hasOpened = False
    _openedAt = 0.0
    _received = 0
    _ignored = 0
    _meter: Meter | None = None
    _expiryCall: IDelayedCall | None = None
    _failure: Failure | None = None
    _lostReason = connectionDone
    _isHeldUp = False
    _isPaused = False

    def connectionMade(self) -> None:
        """Begin with the opening."""
        super().connectionMade()
        self._opening = Opening(self)
        self._callbacks = Callbacks(self._applicationFailed, self._parseOn)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the peer."""
        if self._opening is not None:
            self._opening.dataReceived(data)
        else:
            self._framesReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take note that the transport is gone."""
        self._lostReason = reason
        super().connectionLost(reason)
        if self._opening is not None:
            self._opening.connectionLost(reason)

    # The opening handshake.

    def admitted(
        self, context: Context, address: str, handshake: Handshake, early: bytes
    ) -> None:
        """
        Answer with 101, unless the peer left while it was decided.

        @param address: the peer's own
        @param early: what came behind the request's head
        """
        if self.isLost or self.state != self.STATE_CONNECTING:
            self.factory.vacate(self, context.key)
            self.factory.addressLeft(address)
            return
        self.context = context
        self.address = address
        if handshake.dialect is not None:
            self.websocket_protocol_in_use = handshake.dialect
        answer, compression = handshake.answer(
            self.factory.server, self.perMessageCompressionAccept
        )
        self.sendData(answer)
        self.becomeOpen(compression)
        self.onOpen()
        self._opening = None
        if early:
            self._framesReceived(early)

    def onOpenHandshakeTimeout(self) -> None:
        """Drop a peer that has not completed its opening in time."""
        if self._opening is not None:
            self._opening.timedOut()
        super().onOpenHandshakeTimeout()

    # Open.

    def onOpen(self) -> None:
        """Join the others."""
        self.dialect = self.factory.dialectFor(self)
        self.form = self._chooseForm()
        self._hasOpened = True
        self._openedAt = self.factory.reactor.seconds()
        if (meter := self.factory.newMeter()) is not None:
            self._meter = meter
        self.outbox.begin()
        self.factory.register(self)
        self.dialect.begin()
        self.regrant(self.context.grant)
        self.factory.journal.opened(
            self.context.specialKey,
            self.context.supportGzip,
            self.address,
            len(self.factory.registry),
        )
        self._callbacks.call(self.factory.application.onOpen, self)

    def _chooseForm(self) -> WireForm:
        isEnveloped = self.dialect.isEnveloped
        if self.context.supportGzip:
            return WireForm(gzip=True, isEnveloped=isEnveloped)
        for deflate in self.websocket_extensions_in_use:
            return WireForm(False, deflate.server_max_window_bits, isEnveloped)
        return WireForm(isEnveloped=True) if isEnveloped else PLAIN

    def _framesReceived(self, data: bytes) -> None:
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

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Hand a message to the dialect, unless there are too many."""
        if self.state != self.STATE_OPEN:
            return
        self._received += 1
        if self._meter is not None and not self._passes(self._meter, payload, isBinary):
            return
        try:
            self.dialect.received(self.factory.interpret(payload, isBinary))
        except MessageError as error:
            self._failure = Failure()
            self.closeWith(closing.closeFor(error))

    def _passes(self, meter: Meter, payload: bytes, isBinary: bool) -> bool:
        wait = meter.take(len(payload), self.factory.reactor.seconds())
        if wait:
            self.dialect.tooFast(payload, isBinary, wait)
            if meter.isOverdrawn:
                self._violated(closing.TOO_FAST)
        return not wait

    def _violated(self, close: closing.Close) -> None:
        self._failure = Failure(ProtocolError(close.reason))
        self.closeWith(close)

    # What the dialect asks for; see L{gows.dialects.dialect.Speaker}.

    def hand(self, message: Message) -> None:
        """Hand a message to the application."""
        self._callbacks.call(self.factory.application.onMessage, self, message)

    def afterwards(self, then: Callable[[], None]) -> None:
        """Do something when the application is done with what it was handed."""
        self._callbacks.call(then)

    def tell(self, text: bytes) -> None:
        """Send text to this one connection, as it is."""
        if self.state == self.STATE_OPEN:
            frame = frameOf(Message(text), self.form.bare, self.factory.compression)
            self.outbox.write(frame, isMessage=True)

    def ignored(self) -> None:
        """Count a message that was dropped."""
        self._ignored += 1

    def misbehaved(self) -> None:
        """Close the connection: its peer does not keep to the dialect."""
        self._violated(closing.TOO_MANY_ERRORS)

    def regrant(self, grant: Grant) -> None:
        """Change what it may do, and until when."""
        if grant is not self.context.grant:
            self.context = structs.replace(self.context, grant=grant)
        self._forgetExpiry()
        if grant.expires is not None:
            left = max(0.0, grant.expires - self.factory.now())
            self._expiryCall = self.factory.reactor.callLater(left, self._expired)

    def _expired(self) -> None:
        self._expiryCall = None
        self.closeWith(closing.EXPIRED)

    def _forgetExpiry(self) -> None:
        if self._expiryCall is not None:
            self._expiryCall.cancel()
            self._expiryCall = None

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

    # Sending.

    def send(self, payload: str | bytes, isBinary: bool = False) -> None:
        """See L{IConnection.send}."""
        message = Message.of(payload, isBinary)
        if self.form.isEnveloped:
            message = self.factory.accept(message, toKey(self.context.specialKey))
        if self.state == self.STATE_OPEN:
            frame = frameOf(message, self.form, self.factory.compression)
            self.outbox.write(frame, isMessage=True)

    def sendingFailed(self, failure: Failure) -> None:
        """Drop a connection on which nothing can be sent any more."""
        if not failure.check(*GONE):
            self.factory.journal.deliveryFailed(failure)
        self._failure = failure
        self.dropConnection(abort=True)

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
        self.closeWith(closing.GOING_AWAY)

    def farewell(self, code: int, reason: str) -> None:
        """Say why the connection ends, if its dialect has words for that."""
        if self._hasOpened:
            self.dialect.farewell(code, reason, closing.returnAfter(code))

    def missed(self, count: int) -> bytes | None:
        """Make a frame that says so many messages were dropped, if one can."""
        text = self.dialect.missed(count) if self._hasOpened else None
        if text is None:
            return None
        return frameOf(Message(text), self.form.bare, self.factory.compression)

    def beReplaced(self) -> None:
        """Close because a newer connection has the same key."""
        self.closeWith(closing.REPLACED)

    def whenIdle(self) -> Deferred[None]:
        """Wait for the callback that is running, if there is one."""
        return self._callbacks.whenIdle()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """Tell the journal and the application that this connection is gone."""
        if not self._hasOpened:
            return
        self._leave()
        self.factory.journal.closed(
            self.context.specialKey,
            self.context.supportGzip,
            self.address,
            seconds=self.factory.reactor.seconds() - self._openedAt,
            sentCode=self.localCloseCode,
            receivedCode=self.remoteCloseCode,
            received=self._received,
            sent=self.outbox.messages,
            dropped=self.outbox.dropped,
            ignored=self._ignored,
        )
        ending = endingOf(self, self._lostReason)
        call, application = self._callbacks.call, self.factory.application
        if (failure := self._failure or ending.failure) is not None:
            call(application.onError, self, failure)
        call(application.onClose, self, ending.wasClean, ending.code, ending.reason)
        call(self.factory.forget, self)
        self.factory.addressLeft(self.address)

    def left(self) -> None:
        """Take note that nothing may be sent any more: be nobody's receiver."""
        if self._hasOpened:
            self._leave()
            self._parseOn()

    def _leave(self) -> None:
        self._forgetExpiry()
        self.factory.unregister(self)

    def readerStalled(self) -> None:
        """Close a connection that does not read."""
        self._violated(closing.TOO_SLOW)

    def _applicationFailed(self, callback: object, failure: Failure) -> None:
        self.factory.journal.applicationFailed(failure)
        self.closeWith(closing.INTERNAL_ERROR)
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
