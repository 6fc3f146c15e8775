"""A connection until it is a WebSocket: read, decide, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IHalfCloseableDescriptor,
    IHalfCloseableProtocol,
    ISSLTransport,
)
from twisted.python.failure import Failure
from zope.interface import alsoProvides

from gows.access.request import MAX_HEAD, RequestHead
from gows.chat.context import Context
from gows.eager import started
from gows.errors import Refusal, refusalAnswer, undecided
from gows.wire.handshake import Handshake

if TYPE_CHECKING:
    from gows.wire.protocol import GowsProtocol

MAX_EARLY: Final = 16 * 1024
"""How many bytes may come before the opening is decided; RFC 6455 allows none."""

_HEAD_END = b"\r\n\r\n"


class Opening:
    """
    Takes a connection's bytes until it is known what it wants.

    An upgrade is decided and handed back to the connection, what is not one goes on
    to twisted.web; what may not go on is refused here, with a complete answer.

    @ivar address: the client's own address, once the request's head is read
    """

    __slots__ = (
        "_began",
        "_buffer",
        "_channelLost",
        "_deciding",
        "_factory",
        "_handshake",
        "_head",
        "_protocol",
        "_receive",
        "address",
    )

    def __init__(self, protocol: GowsProtocol) -> None:
        """Begin on a connection that has just been made."""
        self.address = ""
        self._protocol = protocol
        self._factory = protocol.factory
        self._began: float = self._factory.reactor.seconds()
        self._receive = self._readHead
        self._buffer = b""
        self._head: RequestHead | None = None
        self._handshake: Handshake | None = None
        self._deciding: Deferred[None] | None = None
        self._channelLost = _noChannel

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._receive(data)

    def age(self) -> float:
        """Tell how long ago the connection was made, in seconds."""
        seconds: float = self._factory.reactor.seconds()
        return seconds - self._began

    def connectionLost(self, reason: Failure) -> None:
        """Tell whoever still works on this connection that the peer left."""
        self._receive = self._discard
        if self._deciding is not None:
            self._deciding.cancel()
        self._channelLost(reason)

    def timedOut(self) -> None:
        """Take note that the peer is dropped for not completing its opening."""
        if self._receive in (self._readHead, self._hold):
            address = self.address or self._clientAddress(None)
            self._factory.journal.neverOpened(address)
            self._factory.counts.neverOpened()

    def _readHead(self, data: bytes) -> None:
        self._buffer = (self._buffer + data).lstrip(b"\r\n")
        end = self._buffer.find(_HEAD_END) + len(_HEAD_END)
        isComplete = end >= len(_HEAD_END)
        try:
            if (end if isComplete else len(self._buffer)) > MAX_HEAD:
                raise Refusal(431, f"The request's head is over {MAX_HEAD} bytes.")
            if isComplete:
                raw, self._buffer = self._buffer[:end], self._buffer[end:]
                self._headReceived(RequestHead.parse(raw))
            elif self._buffer and not self._buffer[:1].isalpha():
                raise Refusal(400, "This is not HTTP. Is it TLS, to a port without?")
        except Refusal as refusal:
            self.refuse(refusal)

    def _headReceived(self, head: RequestHead) -> None:
        self._head = head
        self.address = self._clientAddress(head)
        if head.wantsWebSocket:
            self._checkUpgrade(head)
            self._handshake = Handshake.of(head)
            self._receive = self._hold
            self._decide(head)
        else:
            self._servePlain(head)

    def _clientAddress(self, head: RequestHead | None) -> str:
        hops = head.values("x-forwarded-for") if head else ()
        return self._factory.proxies.clientOf(self._protocol.transport.getPeer(), hops)

    def _checkUpgrade(self, head: RequestHead) -> None:
        if head.path != "/":
            raise Refusal(404, "There is nothing here. WebSockets connect to /.")
        if head.method != "GET":
            raise Refusal(405, "An opening must be a GET request.", Allow="GET, HEAD")
        if head.version != "1.1":
            raise Refusal(505, "An opening must be HTTP/1.1.")
        if head.hasBody:
            raise Refusal(400, "An opening takes no body.")
        if not {"13"}.issuperset(head.values("sec-websocket-version")):
            raise Refusal(
                426,
                "This version of WebSocket is not spoken here: take 13.",
                Upgrade="websocket",
                Sec_WebSocket_Version="13",
            )

    def _servePlain(self, head: RequestHead) -> None:
        site = self._factory.site
        if not site.knows(head.path):
            raise Refusal(404, "There is nothing here.")
        if head.method not in ("GET", "HEAD"):
            raise Refusal(405, "Only GET and HEAD are allowed.", Allow="GET, HEAD")
        if head.version not in ("1.0", "1.1"):
            raise Refusal(505, "A request must be HTTP/1.1 or HTTP/1.0.")
        if head.hasBody:
            raise Refusal(400, "A request takes no body here.")
        channel = site.channelFor(head, self.address)
        self._receive = self._discard
        self._channelLost = channel.connectionLost
        channel.makeConnection(self._protocol.transport)
        channel.dataReceived(head.plain())

    def _decide(self, head: RequestHead) -> None:
        admit = self._factory.admission.admit
        try:
            decision = started(admit(head, self.address, head.origin, self._protocol))
        except Exception:
            self._denied(Failure())
            return
        if isinstance(decision, Context):
            self._admitted(decision)
        else:
            self._deciding = decision.addCallbacks(self._admitted, self._denied)

    def _admitted(self, context: Context) -> None:
        assert self._handshake is not None
        early, self._buffer = self._buffer, b""
        self._protocol.admitted(context, self.address, self._handshake, early)

    def _denied(self, failure: Failure) -> None:
        if self._protocol.isLost:
            return
        refusal = failure.value
        if not isinstance(refusal, Refusal):
            self._factory.journal.applicationFailed(failure)
            refusal = undecided()
        self.refuse(refusal)

    def refuse(self, refusal: Refusal) -> None:
        """
        Answer with a refusal, and end the connection once the peer has it.

        What still comes is read and dropped: closing on unread bytes would make
        the kernel send a reset, which can overtake the answer (RFC 9112, 9.6).
        """
        self._receive = self._discard
        self._buffer = b""
        address = self.address or self._clientAddress(None)
        self._factory.journal.refused(address, refusal.status, refusal.text)
        self._factory.counts.refusal(refusal.status)
        isHead = self._head is not None and self._head.method == "HEAD"
        self._protocol.sendData(refusalAnswer(refusal, withBody=not isHead))
        if _canHalfClose(self._protocol.transport):
            # A peer that has shut down its side is sent the answer nevertheless.
            alsoProvides(self._protocol, IHalfCloseableProtocol)
            # The handshake's timeout bounds how long the peer may take from here.
            self._protocol.outbox.finish(self._protocol.transport.loseWriteConnection)
        else:
            self._protocol.dropConnection()

    def _hold(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > MAX_EARLY:
            self._protocol.dropConnection(abort=True)

    def _discard(self, data: bytes) -> None:
        """Drop what a peer sends that has had its answer."""


def _canHalfClose(transport: object) -> bool:
    return bool(
        IHalfCloseableDescriptor.providedBy(transport)
        and not ISSLTransport.providedBy(transport)
    )


def _noChannel(reason: Failure) -> None:
    """Nothing to tell: this was no plain request."""
