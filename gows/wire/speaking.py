"""A connection as its dialect, and an application, see it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from msgspec import structs
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from gows.access.rates import Meter
from gows.chat.audience import toKey
from gows.chat.context import Context
from gows.chat.grant import Pass
from gows.chat.message import Message
from gows.dialects.dialect import Dialect
from gows.errors import ProtocolError
from gows.wire import closing
from gows.wire.frames import PLAIN, WireForm, frameOf
from gows.wire.orderly import CONTROL
from gows.wire.patient import PatientProtocol

_DAY: Final = 86400.0


class SpeakingProtocol(PatientProtocol):
    """
    A WebSocket on which a dialect is spoken.

    @ivar context: who it is, and what it may do
    @ivar address: the client's own
    @ivar dialect: what is spoken
    @ivar form: in which messages go out
    @ivar rooms: where it is; see L{gows.wire.hall.Hall}
    @ivar watched: the rooms whose news it is told
    @ivar messagesIgnored: how many were dropped that came
    @ivar roundTrip: of the last ping, in seconds; L{None}: there was none
    """

    context: Context
    address: str
    dialect: Dialect
    form = PLAIN
    rooms: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()

    _hasOpened = False
    messagesIgnored = 0
    roundTrip: float | None = None
    _session: str | None = None
    _meter: Meter | None = None
    _expiryCall: IDelayedCall | None = None
    _failure: Failure | None = None
    _returnAfter: float | None = None  # if not what the close code says

    @property
    def session(self) -> str:
        """Sixteen hexadecimal digits that name this connection and no other."""
        if self._session is None:
            self._session = secrets.token_hex(8)
        return self._session

    def beginSpeaking(self) -> None:
        """Agree on a dialect and a form."""
        self.dialect = self.factory.dialectFor(self)
        self.form = self._chooseForm()
        if (meter := self.factory.newMeter()) is not None:
            self._meter = meter

    def _chooseForm(self) -> WireForm:
        isEnveloped = self.dialect.isEnveloped
        if self.context.supportGzip:
            return WireForm(gzip=True, isEnveloped=isEnveloped)
        for deflate in self.websocket_extensions_in_use:
            return WireForm(False, deflate.server_max_window_bits, isEnveloped)
        return WireForm(isEnveloped=True) if isEnveloped else PLAIN

    def isTooMuch(self, meter: Meter, payload: bytes, isBinary: bool) -> bool:
        """Tell whether a message comes too early, and tell its sender so."""
        wait = meter.take(len(payload), self.factory.reactor.seconds())
        if wait:
            self.factory.counts.ignored()
            self.dialect.tooFast(payload, isBinary, wait)
            if meter.isOverdrawn:
                self.violated(closing.TOO_FAST)
        return wait > 0

    def onAutoPong(
        self, sent: int, number: int, received: int, milliseconds: int, payload: bytes
    ) -> None:
        """Take note how long a ping and its pong took; times are in nanoseconds."""
        self.roundTrip = max(0, received - sent) / 1e9

    def onFrameEnd(self) -> bool | None:
        """Count control frames and fragments, where it is limited what may be sent."""
        frame = self.current_frame
        isControl = frame.opcode >= CONTROL
        if self._meter is not None and (isControl or not frame.fin):
            size = frame.length if isControl else 0
            self._meter.takeFrame(size, self.factory.reactor.seconds())
            if self._meter.isOverdrawn and self.state == self.STATE_OPEN:
                self.violated(closing.TOO_FAST)
        return super().onFrameEnd()

    def violated(self, close: closing.Close) -> None:
        """Close the connection: its peer did what it must not."""
        self._failure = Failure(ProtocolError(close.reason))
        self.closeWith(close)

    # See gows.dialects.dialect.Speaker.

    def hand(self, message: Message) -> None:
        """Hand a message to the application."""
        self.factory.counts.heard(message.audience, len(message.payload))
        self._callbacks.call(self.factory.application.onMessage, self, message)

    def afterwards(self, then: Callable[[], None]) -> None:
        """Do something when the application is done with what it was handed."""
        self._callbacks.call(then)

    def tell(self, text: bytes) -> None:
        """Send text to this one connection, as it is."""
        if self.state == self.STATE_OPEN:
            self.outbox.write(self._frameOf(text))

    def _frameOf(self, text: bytes) -> bytes:
        return frameOf(Message(text), self.form.bare, self.factory.compression)

    def ignored(self) -> None:
        """Count a message that was dropped."""
        self.messagesIgnored += 1

    def misbehaved(self) -> None:
        """Close the connection: its peer does not keep to the dialect."""
        self.violated(closing.TOO_MANY_ERRORS)

    def renew(self, pass_: Pass) -> None:
        """Change what it may do, and until when."""
        self.context = structs.replace(self.context, grant=pass_.grant, pass_=pass_)
        self.forgetExpiry()
        self.mindExpiry()

    def mindExpiry(self) -> None:
        """Have the connection end when what it may do does."""
        expires = self.context.grant.expires
        if expires is not None:
            self._waitForExpiry(expires)

    def _waitForExpiry(self, expires: float) -> None:
        left = max(0.0, expires - self.factory.now())
        self._expiryCall = self.factory.reactor.callLater(
            min(left, _DAY),  # a poller takes no more than some weeks
            self._lookWhetherExpired,
            expires,
        )

    def _lookWhetherExpired(self, expires: float) -> None:
        self._expiryCall = None
        if self.factory.now() < expires:
            self._waitForExpiry(expires)
        else:
            self.closeWith(closing.EXPIRED)

    def forgetExpiry(self) -> None:
        """Have the connection end for another reason."""
        if self._expiryCall is not None:
            self._expiryCall.cancel()
            self._expiryCall = None

    # What else is sent.

    def send(self, payload: str | bytes, isBinary: bool = False) -> None:
        """See L{gows.interfaces.IConnection.send}."""
        message = Message.of(payload, isBinary)
        audience = toKey(self.context.specialKey)
        if self.form.isEnveloped:
            message = self.factory.accept(message, audience)
        if self.state == self.STATE_OPEN:
            frame = frameOf(message, self.form, self.factory.compression)
            self.outbox.write(frame, isMessage=True)
            self.factory.counts.said(audience, 1, len(frame))

    def farewell(self, code: int, reason: str) -> None:
        """Say why the connection ends, if its dialect has words for that."""
        if self._hasOpened:
            after = self._returnAfter
            if after is None:
                after = closing.returnAfter(code)
            self.dialect.farewell(code, reason, after)

    def missed(self, count: int) -> bytes | None:
        """Make a frame that says so many messages were dropped, if one can."""
        text = self.dialect.missed(count) if self._hasOpened else None
        return None if text is None else self._frameOf(text)
