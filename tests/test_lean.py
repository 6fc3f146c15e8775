"""Tests of L{gows.wire.lean}: Autobahn's own connections are the measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.interfaces import ITCPTransport
from twisted.test.iosim import FakeTransport
from zope.interface import directlyProvides

from gows.wire.compression import acceptDeflate
from gows.wire.lean import withOptions
from gows.wire.protocol import GowsProtocol
from tests.memory import (
    CONTINUATION,
    DEFLATE,
    TEXT,
    MemoryTestCase,
    frame,
    opening,
)

OWN = {"factory", "transport", "is_open", "is_closed", "trafficStats", "utf8validator"}
"""What is another object with us, on purpose, but there."""

EMPTY = {"send_queue", "websocket_extensions_in_use"}
"""What nobody adds anything to with us."""

UNREAD = {
    "_results",
    "_transport_details",
    "_valid_events",
    "_wskey",
    "http_headers",
    "http_request_data",
    "http_request_host",
    "http_request_params",
    "http_request_path",
    "http_request_uri",
    "http_response_data",
    "http_status_line",
    "peer",
    "websocket_extensions",
    "websocket_origin",
    "websocket_protocols",
}
"""What is for the handshake or for the log alone, and not there with us."""


class AutobahnTests(MemoryTestCase):
    """A connection has all that Autobahn's methods expect of one."""

    def autobahns(self) -> WebSocketServerProtocol:
        """Make a connection of Autobahn's with the options of our factory."""
        ours = self.factory()
        factory = WebSocketServerFactory(server="gows", reactor=self.clock)
        for name in WebSocketServerProtocol.CONFIG_ATTRS:
            setattr(factory, name, getattr(ours, name))
        factory.protocol = WebSocketServerProtocol
        protocol = factory.buildProtocol(None)
        assert isinstance(protocol, WebSocketServerProtocol)
        protocol.makeConnection(FakeTransport(protocol, isServer=True))
        return protocol

    def compare(self, ours: GowsProtocol, theirs: Mapping[str, Any]) -> None:
        """Assert that all their attributes are there with us, and the same."""
        self.assertGreater(len(theirs), 60)
        for name, value in theirs.items():
            if name in UNREAD:
                continue
            self.assertTrue(hasattr(ours, name), name)
            if name in EMPTY:
                self.assertEqual([*getattr(ours, name)], [*value], name)
            elif name.endswith("Call"):
                self.assertEqual(getattr(ours, name) is None, value is None, name)
            elif name not in OWN:
                self.assertEqual(getattr(ours, name), value, name)

    def test_made(self) -> None:
        """That is so before the opening."""
        ours = self.wire(self.factory()).server
        self.compare(ours, vars(self.autobahns()))

    def test_open(self) -> None:
        """And behind it."""
        theirs = self.autobahns()
        theirs.dataReceived(opening())
        self.assertEqual(theirs.state, theirs.STATE_OPEN)
        self.compare(self.opened(self.factory()).server, vars(theirs))

    def test_compressed(self) -> None:
        """With permessage-deflate as well."""
        theirs = self.autobahns()
        theirs.dataReceived(opening(Sec_WebSocket_Extensions=DEFLATE))
        ours = self.opened(self.factory(), Sec_WebSocket_Extensions=DEFLATE).server
        for protocol in (ours, theirs):
            self.assertIs(
                protocol._perMessageCompress, protocol.websocket_extensions_in_use[0]
            )
        self.assertEqual(
            vars(ours._perMessageCompress), vars(theirs._perMessageCompress)
        )


class OptionsTests(MemoryTestCase):
    """Options are the class's, and each connection may have its own."""

    def test_onTheClass(self) -> None:
        """No connection holds one; each has the factory's."""
        server = self.factory(pingInterval=7)
        connection = self.opened(server).server
        for name in WebSocketServerProtocol.CONFIG_ATTRS:
            self.assertNotIn(name, vars(connection))
            self.assertEqual(getattr(connection, name), getattr(server, name), name)
        self.assertIs(connection.perMessageCompressionAccept, acceptDeflate)
        self.assertEqual(type(connection).CONFIG_ATTRS, ())

    def test_own(self) -> None:
        """One connection's own concerns no other."""
        server = self.factory(closeTimeout=3)
        alice = self.opened(server).server
        bob = self.opened(server, "specialKey=bob").server
        alice.goAway(99, 1)
        self.assertEqual(
            (alice.closeHandshakeTimeout, bob.closeHandshakeTimeout), (99, 3)
        )

    def test_later(self) -> None:
        """Options that are set later are those of later connections."""
        server = self.factory()
        alice = self.opened(server).server
        server.setProtocolOptions(autoPingSize=99)
        bob = self.opened(server, "specialKey=bob").server
        self.assertEqual((alice.autoPingSize, bob.autoPingSize), (12, 99))

    def test_twoServers(self) -> None:
        """Each server has its own."""
        one, two = self.factory(pingInterval=7), self.factory(pingInterval=8)
        self.assertEqual(self.wire(one).server.autoPingInterval, 7)
        self.assertEqual(self.wire(two).server.autoPingInterval, 8)
        self.assertEqual(withOptions(GowsProtocol, one).autoPingInterval, 7)


class LeanTests(MemoryTestCase):
    """A connection holds little."""

    def test_idle(self) -> None:
        """Nothing of the opening stays, but who this is."""
        connection = self.opened(self.factory(), "specialKey=alice&room=7").server
        self.assertLessEqual(len(vars(connection)), 17)
        self.assertNotIn("dGhlIHNhbXBsZSBub25jZQ", repr(vars(connection)))

    def test_validators(self) -> None:
        """Each has its own place in the middle of a character."""
        server = self.factory()
        clients = [self.opened(server, f"specialKey={name}") for name in "ab"]
        for client in clients:
            client.send(frame(TEXT, b"\xc3", fin=False))
        clients[0].send(frame(CONTINUATION, b"\xa4"))
        clients[1].send(frame(CONTINUATION, b"a"))
        self.assertEqual(clients[0].protocol.closeCodes, [])
        self.assertEqual(clients[1].protocol.closeCodes, [1007])

    def test_noDelay(self) -> None:
        """Small messages are not held back for larger ones (Nagle)."""

        class Transport(FakeTransport):
            noDelay = False

            def setTcpNoDelay(self, enabled: bool) -> None:
                self.noDelay = enabled

        protocol = self.factory().buildProtocol(None)
        assert protocol is not None
        transport = Transport(protocol, isServer=True)
        directlyProvides(transport, ITCPTransport)
        protocol.makeConnection(transport)
        self.assertTrue(transport.noDelay)

    def test_counted(self) -> None:
        """Autobahn's count of connections goes up and down."""
        server = self.factory()
        client = self.opened(server)
        self.assertEqual(server.countConnections, 1)
        client.leave()
        self.assertEqual(server.countConnections, 0)
