"""What applications implement, and what they are given."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

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
