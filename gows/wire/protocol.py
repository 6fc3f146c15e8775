"""One connection of the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from gows.chat.context import Context
from gows.errors import MessageError
from gows.interfaces import IConnection
from gows.wire import closing
from gows.wire.callbacks import Callback
from gows.wire.ending import endingOf, wasCut
from gows.wire.handshake import Handshake
from gows.wire.line import GONE
from gows.wire.opening import Opening
from gows.wire.speaking import SpeakingProtocol

if TYPE_CHECKING:
    from gows.wire.factory import GowsFactory


@implementer(IConnection)
class GowsProtocol(SpeakingProtocol):
    """
    A connection from its first byte to its last.

    L{Opening} has it first. Then Autobahn parses, and what it finds goes to the
    dialect, and on to the application.

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

    def connectionMade(self) -> None:
        """Begin with the opening."""
        super().connectionMade()
        self._opening = Opening(self)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the peer."""
        if self._opening is not None:
            self._opening.dataReceived(data)
        else:
            self.framesReceived(data)

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
            self.framesReceived(early)

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
            self.parseOn()

    def _leave(self) -> None:
        self.forgetExpiry()
        self.factory.unregister(self)

    def readerStalled(self) -> None:
        """Close a connection that does not read."""
        self.violated(closing.TOO_SLOW)

    def callbackFailed(self, callback: Callback, failure: Failure) -> None:
        """End the connection, and tell the application."""
        self.factory.journal.applicationFailed(failure)
        self.closeWith(closing.INTERNAL_ERROR)
        if callback != self.factory.application.onError:
            self._callbacks.call(self.factory.application.onError, self, failure)
