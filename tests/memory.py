"""A server in memory: real protocols on both ends, no sockets, time by a Clock."""

from __future__ import annotations

from functools import partial
from typing import Any

import txaio
from autobahn.twisted.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
)
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, IOPump, connect
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.application import BroadcastChat
from gows.interfaces import IApplication, IChat, IConnection
from gows.journal import Journal
from gows.settings import Settings
from gows.web.site import PublicSite
from gows.wire.factory import GowsFactory
from gows.wire.protocol import GowsProtocol
from tests.support import recorder

PEER = IPv4Address("TCP", "203.0.113.7", 40000)


class WebSocket(WebSocketClientProtocol):
    """A client that remembers what happens to it."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        super().__init__()
        self.isOpen = False
        self.messages: list[tuple[bytes, bool]] = []
        self.pongs: list[bytes] = []
        self.closed: tuple[bool, int, str] | None = None

    def onOpen(self) -> None:
        """Remember the opening."""
        self.isOpen = True

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Remember a message."""
        self.messages.append((payload, isBinary))

    def onPong(self, payload: bytes) -> None:
        """Remember a pong."""
        self.pongs.append(payload)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        """Remember how it ended."""
        self.closed = (wasClean, code, reason)

    @property
    def texts(self) -> list[str]:
        """The text messages received."""
        return [data.decode() for data, isBinary in self.messages if not isBinary]


class Wire(Protocol):
    """A client that speaks bytes."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self.received = b""
        self.isLost = False

    def dataReceived(self, data: bytes) -> None:
        """Remember bytes."""
        self.received += data

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Remember the end."""
        self.isLost = True


class Chat(BroadcastChat):
    """The default application, with a record of its callbacks."""

    def __init__(self, chat: IChat) -> None:
        """Remember nothing yet."""
        super().__init__(chat)
        self.calls: list[tuple[Any, ...]] = []

    def onOpen(self, connection: IConnection) -> Any:
        """Remember it."""
        self.calls.append(("open", connection.context.specialKey))
        return super().onOpen(connection)

    def onMessage(self, connection: IConnection, payload: bytes, isBinary: bool) -> Any:
        """Remember it."""
        self.calls.append(("message", connection.context.specialKey, payload))
        return super().onMessage(connection, payload, isBinary)

    def onError(self, connection: IConnection, failure: Failure) -> Any:
        """Remember it."""
        self.calls.append(("error", connection.context.specialKey, failure))
        return super().onError(connection, failure)

    def onClose(
        self, connection: IConnection, wasClean: bool, code: int, reason: str
    ) -> Any:
        """Remember it."""
        self.calls.append(("close", connection.context.specialKey, wasClean, code))
        return super().onClose(connection, wasClean, code, reason)


class Client:
    """
    One end of a connection in memory, and the pump that moves its bytes.

    @ivar protocol: the client's
    @ivar server: the server's
    @ivar transport: the server's transport
    """

    def __init__(self, server: GowsProtocol, protocol: Any, peer: IAddress) -> None:
        """Connect the two."""
        self.protocol = protocol
        self.server = server
        self.transport = FakeTransport(server, isServer=True, peerAddress=peer)
        clientTransport = FakeTransport(protocol, isServer=False, hostAddress=peer)
        self.pump: IOPump = connect(server, self.transport, protocol, clientTransport)

    def flush(self) -> None:
        """Move bytes until there are none left."""
        self.pump.flush()


class MemoryTestCase(SynchronousTestCase):
    """
    Tests against a factory with clients in memory.

    @ivar clock: the time; nothing else moves it
    @ivar events: what was logged
    """

    def setUp(self) -> None:
        """Put Autobahn's timers on our clock."""
        self.clock = Clock()
        self.patch(txaio.config, "loop", self.clock)
        self.events, self._observe = recorder()

    def factory(
        self, makeApplication: Any = Chat, logLevel: str = "debug", **settings: Any
    ) -> GowsFactory:
        """Make a server with these settings (fields of L{Settings})."""
        journal = Journal(logLevel, self.clock, self._observe)
        return GowsFactory(
            Settings(**settings),
            makeApplication,
            partial(PublicSite, journal=journal, reactor=self.clock),
            journal,
            self.clock,
        )

    def calls(self, factory: GowsFactory) -> list[tuple[Any, ...]]:
        """Answer the callbacks that L{Chat} has had."""
        application: IApplication = factory.application
        assert isinstance(application, Chat)
        return application.calls

    def wire(self, factory: GowsFactory, peer: IAddress = PEER) -> Client:
        """Connect a client that speaks bytes."""
        return self._connect(factory, Wire(), peer)

    def client(
        self,
        factory: GowsFactory,
        query: str = "specialKey=alice",
        *,
        headers: dict[str, str] | None = None,
        peer: IAddress = PEER,
        **options: Any,
    ) -> Client:
        """
        Connect a WebSocket client, as far as the server lets it.

        @param options: for Autobahn's client (C{setProtocolOptions})
        """
        clients = WebSocketClientFactory(
            f"ws://127.0.0.1:8888/?{query}", headers=headers, reactor=self.clock
        )
        clients.protocol = WebSocket
        if options:
            clients.setProtocolOptions(**options)
        connected = self._connect(factory, clients.buildProtocol(None), peer)
        connected.flush()
        return connected

    def _connect(self, factory: GowsFactory, protocol: Any, peer: IAddress) -> Client:
        server = factory.buildProtocol(peer)
        assert isinstance(server, GowsProtocol)
        return Client(server, protocol, peer)

    def logged(self) -> list[str]:
        """Answer the log's lines, without their time."""
        from twisted.logger import formatEvent

        return [formatEvent(event) for event in self.events]
