"""Tests for L{gows.wire.route}: the shortest way through a transport."""

from __future__ import annotations

from typing import Any

from twisted.internet.ssl import CertificateOptions
from twisted.internet.testing import StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase

from gows.wire.line import SocketLine, TransportLine
from gows.wire.tlsline import TLSLine
from tests import test_line
from tests.test_line import MUCH, Sender, Serving

PROXY_HEADER = b"PROXY TCP4 203.0.113.7 127.0.0.1 40000 8888\r\n"


class ChoiceTests(test_line.LineTestCase):
    """Where there is a socket, it is found, through whatever is around it."""

    async def test_tcp(self) -> None:
        """TCP has one."""
        await self.connectPlain()
        self.assertIs(type(self.sender.line), SocketLine)

    async def test_tls(self) -> None:
        """TLS has one below."""
        await self.connectSecurely()
        self.assertIs(type(self.sender.line), TLSLine)

    async def test_unix(self) -> None:
        """Unix sockets are sockets, and do not tell how much has arrived."""
        await self.connect(f"unix:{self.mktemp()}")
        self.assertIs(type(self.sender.line), SocketLine)
        self.assertIsNone(self.sender.line.underway()[0])
        self.sender.send(b"hello")
        self.assertEqual(await self.read(5), b"hello")

    async def test_proxied(self) -> None:
        """TCP behind a PROXY header is plain TCP."""
        where = "haproxy:tcp:0:interface=127.0.0.1"
        await self.connect(where, PROXY_HEADER + b"!")
        self.assertIs(type(self.sender.line), SocketLine)
        self.assertIsInstance(self.served.transport, ProtocolWrapper)
        assert self.sender.line.direct is not None
        self.assertEqual(self.sender.line.direct(b"direct "), 7)
        await self.stall()
        data = b"direct " + MUCH
        self.assertEqual(await self.read(len(data)), data)

    async def test_wrapped(self) -> None:
        """Whatever wrappers there are around it, it is found."""
        await self.connect("tcp:0:interface=127.0.0.1", wrappers=3)
        self.assertIs(type(self.sender.line), SocketLine)


class NoSocketTests(SynchronousTestCase):
    """Where there is no socket, there still is a transport."""

    def wrapped(self, factory: WrappingFactory[Any]) -> Any:
        """Wrap a transport without a socket, and answer the wrapper's transport."""
        wrapper = factory.buildProtocol(None)
        assert wrapper is not None
        wrapper.makeConnection(StringTransport())
        return wrapper

    def test_memory(self) -> None:
        """Something else is written to."""
        self.assertIs(type(Sender(StringTransport()).line), TransportLine)

    def test_wrappedMemory(self) -> None:
        """Also if something is around it."""
        wrapper = self.wrapped(WrappingFactory(Serving()))
        line = wrapper.wrappedProtocol.sender.line
        self.assertIs(type(line), TransportLine)
        line.send(b"abc")
        self.assertEqual(wrapper.transport.value(), b"abc")

    def test_secureMemory(self) -> None:
        """TLS over it goes through TLS."""
        factory = TLSMemoryBIOFactory(CertificateOptions(), False, Serving())
        wrapper = self.wrapped(factory)
        self.assertIs(type(wrapper.wrappedProtocol.sender.line), TransportLine)
