"""Tests of L{gows.wire.opening} and the protocol under TLS, in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.internet.protocol import Factory
from twisted.internet.ssl import (
    CertificateOptions,
    ClientContextFactory,
    PrivateCertificate,
)
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.test.iosim import FakeTransport, connect

from gows.wire.factory import GowsFactory
from gows.wire.patient import MAX_UNPARSED
from tests.memory import (
    PEER,
    TEXT,
    HalfCloseable,
    MemoryTestCase,
    Wire,
    answerOf,
    closeFrame,
    frame,
    opening,
    request,
)
from tests.support import selfSigned


class SecureClient:
    """
    A client that speaks TLS in memory.

    @ivar wire: what it reads
    @ivar server: the server's protocol, inside TLS
    @ivar transport: the server's, outside of TLS
    """

    def __init__(self, test: SecureTests, factory: GowsFactory) -> None:
        """Connect, and shake hands."""
        servers = TLSMemoryBIOFactory(test.options, False, factory, clock=test.clock)
        clients = TLSMemoryBIOFactory(
            _Trusting(), True, Factory.forProtocol(Wire), clock=test.clock
        )
        outside, inside = servers.buildProtocol(PEER), clients.buildProtocol(PEER)
        self.transport = HalfCloseable(outside, PEER)
        self._clock = test.clock
        self._tls = inside
        self._pump = connect(
            outside, self.transport, inside, FakeTransport(inside, isServer=False)
        )
        self.wire: Any = inside.wrappedProtocol
        self.server: Any = outside.wrappedProtocol

    def flush(self) -> None:
        """Move bytes; TLS gathers small writes until the end of a turn."""
        for _ in range(3):
            self._clock.advance(0)
            self._pump.flush()

    def send(self, data: bytes) -> None:
        """Send bytes, and move all there are."""
        self._tls.write(data)
        self.flush()


class _Trusting(ClientContextFactory):
    """Trusts every certificate: here it matters only that bytes are encrypted."""

    method = SSL.TLS_METHOD


class SecureTests(MemoryTestCase):
    """Everything is the same over TLS."""

    def setUp(self) -> None:
        """Make a certificate."""
        super().setUp()
        folder = Path(self.mktemp())
        folder.mkdir()
        certFile, keyFile = selfSigned(folder)
        pem = certFile.read_bytes() + keyFile.read_bytes()
        self.options: CertificateOptions = PrivateCertificate.loadPEM(pem).options()

    def test_chat(self) -> None:
        """A client opens, is heard, and closes."""
        server = self.factory()
        alice = SecureClient(self, server)
        alice.send(opening() + frame(TEXT, b"hi"))
        self.assertEqual(alice.wire.texts, ["hi"])
        alice.send(frame(TEXT, b"bye") + closeFrame(1000))
        self.assertEqual(alice.wire.texts, ["hi", "bye"])
        self.assertEqual(alice.wire.closeCodes, [1000])
        self.assertTrue(alice.wire.isLost)
        self.assertEqual(self.calls(server)[-1], ("close", "alice", True, 1000))

    def test_refused(self) -> None:
        """A refusal is whole, and ends the connection: TLS has no half-closing."""
        alice = SecureClient(self, self.factory())
        alice.send(opening("specialKey="))
        self.assertFalse(alice.transport.isHalfClosed)
        self.assertEqual(answerOf(alice.wire.received).status, 400)
        self.assertTrue(alice.wire.isLost)

    def test_page(self) -> None:
        """The page is served, and the connection ends after it."""
        alice = SecureClient(self, self.factory())
        alice.send(request())
        self.assertIn(b"<!doctype html>", answerOf(alice.wire.received).body)
        self.assertTrue(alice.wire.isLost)

    def test_slowReader(self) -> None:
        """A reader that reads nothing is bounded here, too."""
        server = self.factory(pingInterval=0)
        alice = SecureClient(self, server)
        alice.send(opening())
        alice.transport.peerReads = False
        for _ in range(100):
            server.broadcast("x" * 60_000)
            alice.flush()
        self.assertLess(alice.transport.waiting, 512 * 1024)
        self.assertEqual(server.lookUp("alice:0"), ())
        alice.transport.peerReads = True
        alice.flush()
        self.assertEqual(alice.wire.closeCodes, [4002])

    def test_floodsAfterItsClose(self) -> None:
        """TLS delivers on while it closes: what comes then is not kept."""
        server = self.factory(pingInterval=0)
        alice = SecureClient(self, server)
        alice.send(opening())
        alice.transport.peerReads = False
        server.broadcast("unread" * 1000)
        alice.send(closeFrame(1000))
        for _ in range(50):
            alice.send(frame(TEXT, b"x" * 60_000))
            self.assertLess(len(alice.server.data), 2 * MAX_UNPARSED)
        self.advance(10.1)
        alice.flush()
        self.assertEqual(self.calls(server)[-1], ("close", "alice", True, 1000))
