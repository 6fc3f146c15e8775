"""One connection of the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from gows.chat.context import Context
from gows.errors import MessageError
from gows.interfaces import IConnection
from gows.wire import closing
from gows.wire.callbacks import Callbacks
from gows.wire.ending import endingOf, wasCut
from gows.wire.handshake import Handshake
from gows.wire.line import GONE
from gows.wire.opening import Opening
from gows.wire.shortcut import takeTexts
from gows.wire.speaking import SpeakingProtocol

if TYPE_CHECKING:
    from gows.wire.factory import GowsFactory

MAX_UNPARSED: Final = 64 * 1024
"""How many bytes may wait, unparsed, for an application that takes its time."""


@implementer(IConnection)
class GowsProtocol(SpeakingProtocol):
    """
    A connection from its first byte to its last.

    L{Opening} has it first. Then Autobahn parses, and what it finds goes to the
    application, one callback at a time.

    @ivar number: its place among all that ever opened
    @ivar openedAt: when that was, in the reactor's seconds
    @ivar messagesIn: how many came, ignored ones among them
    """

    factory: GowsFactory

    _opening: Opening | None = None
    number = 0
    openedAt = 0.0
    messagesIn = 0
    _lostReason = connectionDone
    _isHeldUp = False
    _isPaused = False

    def connectionMade(self) -> None:
        """Begin with the opening."""
        super().connectionMade()
        self._opening = Opening(self)
        self._callbacks = Callbacks(
            self._applicationFailed, self._parseOn, self.factory.now
        )

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
        assert self._opening is not None
        self.factory.counts.answered(self._opening.age())
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
        self.beginSpeaking()
        self._hasOpened = True
        self.openedAt = self.factory.reactor.seconds()
        self.outbox.begin()
        self.number = self.factory.register(self)
        self.dialect.begin()
        self.mindExpiry()
        self.factory.journal.opened(
            self.context.specialKey,
            self.context.supportGzip,
            self.address,
            len(self.factory.registry),
        )
        self._callbacks.call(self.factory.application.onOpen, self)

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
        self.messagesIn += 1
        if self._meter is not None and self.isTooMuch(self._meter, payload, isBinary):
            return
        try:
            content = self.factory.interpret(payload, isBinary)
            if isBinary and self._meter is not None:
                self._meter.add(max(0, len(content.payload) - len(payload)))
            self.dialect.received(content)
        except MessageError as error:
            self._failure = Failure()
            self.closeWith(closing.closeFor(error))
        except Exception:  # ours to mend: meanwhile it ends this connection only
            self._failure = Failure()
            self.factory.journal.connectionFailed(self._failure)
            self.closeWith(closing.INTERNAL_ERROR)

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

    def dismiss(self, code: int, reason: str, returnAfter: float | None) -> None:
        """
        Close because an operator says so.

        @param code: any that may be sent
        @param reason: at most 123 bytes of UTF-8
        @param returnAfter: seconds after which a client of gows.v1 may come back;
            L{None}: as the code has it
        """
        if self.state == self.STATE_OPEN:
            self._returnAfter = returnAfter
            self.sendCloseFrame(code, reason.encode("utf-8"))

    def goAway(self, seconds: float, returnAfter: float) -> None:
        """
        Close because the server stops.

        @param seconds: how long the server waits; no shorter timeout shall cut this
        @param returnAfter: in how many seconds the client may come back
        """
        if self.state == self.STATE_OPEN:
            self.closeHandshakeTimeout = max(self.closeHandshakeTimeout, seconds)
            self._returnAfter = returnAfter
            self.closeWith(closing.GOING_AWAY)

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
        sentAt, now = self.outbox.sentAt, self.factory.reactor.seconds()
        self._leave()
        self.factory.journal.closed(
            self.context.specialKey,
            self.context.supportGzip,
            self.address,
            seconds=now - self.openedAt,
            sentCode=self.localCloseCode,
            receivedCode=self.remoteCloseCode,
            received=self.messagesIn,
            sent=self.outbox.messages,
            dropped=self.outbox.dropped,
            ignored=self.messagesIgnored,
        )
        ending = endingOf(self, self._lostReason)
        if wasCut(ending, self._lostReason, self._failure):
            self.factory.cuts.cut(now - self.openedAt, now - sentAt)
        call, application = self._callbacks.call, self.factory.application
        if (failure := self._failure or ending.failure) is not None:
            call(application.onError, self, failure)
        call(application.onClose, self, ending.wasClean, ending.code, ending.reason)
        call(self.factory.forget, self)
        self.factory.counts.gone(closing.labelOf(ending.code))
        self.factory.addressLeft(self.address)

    def left(self) -> None:
        """Take note that nothing may be sent any more: be nobody's receiver."""
        if self._hasOpened:
            self._leave()
            self._parseOn()

    def _leave(self) -> None:
        self.forgetExpiry()
        self.factory.unregister(self)

    def readerStalled(self) -> None:
        """Close a connection that does not read."""
        self.violated(closing.TOO_SLOW)

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
