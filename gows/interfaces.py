"""What applications implement, and what they are given."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol

from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from zope.interface import Attribute, Interface

from gows.chat.context import Context
from gows.chat.message import Message
from gows.errors import Refusal


class IRequest(Interface):
    """An opening that has not been decided yet."""

    context: Context = Attribute("what the URL says of the peer")
    headers: Headers = Attribute("the request's headers")
    address: str = Attribute(
        "the client's own address, behind trusted proxies too; 'unix' if it has none"
    )
    origin: str | None = Attribute("the Origin header; None: not a browser")
    subprotocols: Sequence[str] = Attribute("the subprotocols offered, in order")
    isCheck: bool = Attribute(
        "true when nobody connects: GET /check asks what an opening would be answered"
    )


class IConnection(Interface):
    """One WebSocket."""

    context: Context = Attribute(
        "what onConnect answered; a client that refreshes its token has its grant "
        "changed, and nothing else"
    )
    address: str = Attribute("the client's own address; 'unix' if it has none")

    def send(payload: str | bytes, isBinary: bool = False) -> None:
        """
        Send a message to this connection alone.

        Text goes out gzip-compressed in a binary frame if the connection asked
        for that. On a connection that is closing or closed nothing happens.

        @param payload: a string, or bytes, which must be UTF-8 unless C{isBinary}
        """

    def close(code: int = 1000, reason: str = "") -> None:
        """
        Begin the closing handshake. Nothing the peer sends after that counts.

        @param code: 1000, or 3000 to 4999
        @param reason: for the peer; cut after 123 bytes of UTF-8
        @raise ValueError: if the code is not one of these
        """


class IChat(Interface):
    """The server, as applications see it."""

    def publish(message: Message) -> None:
        """
        Send a message to those whom it is for.

        All in a room receive its messages in one order.
        """

    def broadcast(payload: str | bytes, isBinary: bool = False) -> None:
        """
        Send a message of the application's own to everyone's room.

        @param payload: a string, or bytes, which must be UTF-8 unless C{isBinary}
        """

    def lookUp(key: str) -> tuple[IConnection, ...]:
        """
        Find the open connections of a key.

        @param key: a L{Context.key}: C{specialKey:0}, or C{:1} for gzip readers
        @return: the oldest first; more than one only with C{--duplicate allow}
        """

    def connectionsOf(specialKey: str) -> tuple[IConnection, ...]:
        """
        Find all open connections of a person, on whatever device.

        @return: the oldest first
        """


class Holder(Protocol):
    """Somebody who may be the one holder of a key."""

    def beReplaced(self) -> None:
        """Take note that another holds the key now."""


class ILedger(Interface):
    """
    What there is once, or is counted once, over all processes of a server.

    Each method answers an awaitable, since another process may have to be asked. Who
    waited looks whether its peer is still there; if not, it gives back what it got:
    L{release} what it holds, L{leave} where it entered.
    """

    def hold(key: str, holder: Holder, mayReplace: bool) -> Awaitable[bool]:
        """
        Make somebody the one holder of a key.

        @param mayReplace: whether it may be held already; who held it is told then,
            when the new one holds it
        @return: whether it holds it now
        """

    def release(key: str, holder: Holder) -> Awaitable[None]:
        """Hold a key no more; if another holds it by now, nothing happens."""

    def isHeld(key: str) -> Awaitable[bool]:
        """Tell whether a key is held."""

    def enter(name: str, limit: int) -> Awaitable[bool]:
        """
        Count one more under a name.

        @return: false, and nothing is counted, if there are as many as the limit
        """

    def leave(name: str) -> Awaitable[None]:
        """Count one less under a name."""

    def count(name: str) -> Awaitable[int]:
        """Tell how many are counted under a name."""

    def keep(name: str, value: bytes, seconds: float) -> Awaitable[None]:
        """
        Keep a value for so long, in place of the one that there may be.

        @param name: what is before its first colon is its kind: each has its own room
        @raise gows.errors.TooMany: if too many of its kind are kept; what was kept is
        """

    def keepNew(name: str, value: bytes, seconds: float) -> Awaitable[bytes | None]:
        """
        Keep a value, unless there is one.

        @param name: as for L{keep}
        @return: the one that there is; L{None}: this one is kept
        @raise gows.errors.TooMany: if too many of its kind are kept
        """

    def look(name: str) -> Awaitable[bytes | None]:
        """Look at a value; L{None}: there is none, or it was too old."""

    def take(name: str) -> Awaitable[bytes | None]:
        """Take a value, which nobody else gets then; L{None}: there is none."""


class IApplication(Interface):
    """
    The callbacks of an application.

    Its constructor is called with the L{IChat}. Each callback may return a
    Deferred or be a coroutine; a connection's callbacks never overlap: its next
    message waits. An exception in one goes to L{onError}, is logged with its
    traceback, and closes that connection alone with code 1011.
    """

    def onConnect(
        request: IRequest,
    ) -> Context | Refusal | Awaitable[Context | Refusal]:
        """
        Decide on an opening.

        @return: who this is from now on (often C{request.context}), or a refusal;
            a L{Refusal} may be raised as well
        """

    def onOpen(connection: IConnection) -> Awaitable[object] | None:
        """Take note of a connection that has just opened."""

    def onMessage(
        connection: IConnection, message: Message
    ) -> Awaitable[object] | None:
        """
        Take a message, and publish it, or another one, or none.

        Its sender may say it: that has been checked. It may be for everyone, a room
        or one person; C{message.saying(...)} keeps that, C{broadcast} does not.

        @param message: text that came gzip-compressed has been decompressed; binary
            only ever with C{--binary relay}
        """

    def onError(connection: IConnection, failure: Failure) -> Awaitable[object] | None:
        """
        Take note of a failure of the transport, the protocol, or this application.

        The connection is closing or closed by then.
        """

    def onClose(
        connection: IConnection, wasClean: bool, code: int, reason: str
    ) -> Awaitable[object] | None:
        """
        Take note of a connection that is gone, once for each L{onOpen}.

        @param wasClean: whether there was a complete closing handshake
        @param code: the code of the close frame that began it; 1005: it had none;
            1006: there was no close frame
        """
