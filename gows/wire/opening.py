"""A connection until it is a WebSocket: read, decide, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from autobahn.websocket.types import ConnectionDeny
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
from gows.errors import Refusal, refusalAnswer, undecided
from gows.wire.compression import soundOffers

if TYPE_CHECKING:
    from gows.wire.protocol import GowsProtocol

MAX_EARLY: Final = 16 * 1024
"""How many bytes may come before the opening is decided; RFC 6455 allows none."""

_HEAD_END = b"\r\n\r\n"

_FAULTY_HANDSHAKE: Final = (
    "This is no valid WebSocket opening (RFC 6455, 4.2.1): it needs Host, "
    "Connection: Upgrade, Sec-WebSocket-Version: 13, a Sec-WebSocket-Key of 16 bytes "
    "in base64, each once, and well-formed extensions."
)


class Opening:
    """
    Takes a connection's bytes until it is known what it wants.

    An upgrade goes on to Autobahn, what is not one to twisted.web; what may not
    go on is refused here, with a complete answer.

    @ivar address: the client's own address, once the request's head is read
    """

    def __init__(self, protocol: GowsProtocol) -> None:
        """Begin on a connection that has just been made."""
        self.address = ""
        self._protocol = protocol
        self._factory = protocol.factory
        self._receive = self._readHead
        self._buffer = b""
        self._head: RequestHead | None = None
        self._refusal: Refusal | None = None
        self._deciding: Deferred[None] | None = None
        self._channelLost = _noChannel

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._receive(data)

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

    def takeEarly(self) -> bytes:
        """Answer what came behind the head, which belongs to the WebSocket."""
        early, self._buffer = self._buffer, b""
        return early

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
            self._receive = self._hold
            self._protocol.beginHandshake(head.handshake(soundOffers(head)))
        else:
            self._servePlain(head)

    def _clientAddress(self, head: RequestHead | None) -> str:
        hops = head.values("X-Forwarded-For") if head else []
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
        if not {"13"}.issuperset(head.values("Sec-WebSocket-Version")):
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

    def decide(self) -> Deferred[None]:
        """
        Have the admission decide on a handshake that Autobahn finds valid.

        @return: fires with L{None}, the subprotocol, once the protocol has its
            context; fails with L{ConnectionDeny} if the opening is refused
        """
        assert self._head is not None
        admitted = Deferred.fromCoroutine(self._admit(self._head))
        self._deciding = admitted.addCallbacks(self._admitted, self._denied)
        return self._deciding

    async def _admit(self, head: RequestHead) -> Context:
        return await self._factory.admission.admit(head, self.address, head.origin)

    def _admitted(self, context: Context) -> None:
        self._protocol.context = context
        self._protocol.address = self.address

    def _denied(self, failure: Failure) -> None:
        if isinstance(failure.value, Refusal):
            self._refusal = failure.value
        elif not self._protocol.isLost:
            self._factory.journal.applicationFailed(failure)
            self._refusal = undecided()
        raise ConnectionDeny(500)

    def handshakeFailed(self) -> None:
        """
        Refuse an opening that L{decide} denied, or that Autobahn found faulty.

        Autobahn's own words are not used: they repeat what the peer sent.
        """
        self.refuse(self._refusal or Refusal(400, _FAULTY_HANDSHAKE))

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
        isHead = self._head is not None and self._head.method == "HEAD"
        self._protocol.sendData(refusalAnswer(refusal, withBody=not isHead))
        if _canHalfClose(self._protocol.transport):
            # A peer that has shut down its side is sent the answer nevertheless.
            alsoProvides(self._protocol, IHalfCloseableProtocol)
            # The handshake's timeout bounds how long the peer may take from here.
            self._protocol.transport.loseWriteConnection()
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
