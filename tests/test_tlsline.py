"""Tests for L{gows.wire.tlsline}: over TLS, on real sockets."""

from __future__ import annotations

import socket
from typing import Any

from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection

from gows.wire.tlsline import TLSLine
from tests import test_line
from tests.test_line import MUCH, SEND_BUFFER, readExactly


class TLSLineTests(test_line.SocketLineTests):
    """Through OpenSSL, and straight to the socket below."""

    async def connectHere(self) -> None:
        """Connect over TLS."""
        await self.connectSecurely()

    @property
    def secureLine(self) -> TLSLine:
        """The line, as what it is."""
        line = self.sender.line
        assert isinstance(line, TLSLine)
        return line

    async def test_direct(self) -> None:
        """Those who send to many in a loop go through OpenSSL as well."""
        await self.connectSecurely()
        direct = self.sender.line.direct
        assert direct is not None
        self.assertEqual(direct, self.sender.line.direct)
        self.assertEqual(direct(b"hello"), 5)
        self.assertEqual(await self.read(5), b"hello")

    async def test_full(self) -> None:
        """Where there is no room nothing is taken, that is all."""
        await self.connectSecurely()
        await self.stall()
        self.assertFalse(self.secureLine.isClear)
        self.assertEqual(self.sender.line.send(b"x"), 0)
        self.assertEqual(self.sender.line.sendParts([b"x", b"y"]), 0)

    async def test_takesAll(self) -> None:
        """A large message leaves at once, if there is room, in several records."""
        await self.connectSecurely()
        for size in (40_000, 1, 16_384, 16_385, 70_000):
            self.assertEqual(self.sender.line.send(bytes(size)), size)
            self.assertTrue(self.secureLine.isClear)
            self.assertEqual(await self.read(size), bytes(size))

    async def test_bounded(self) -> None:
        """What waits encrypted, and so for one alone, is little."""
        await self.connectSecurely()
        await self.stall()
        encrypted = len(self.base.dataBuffer) + self.base._tempDataLen
        self.assertLess(encrypted, 80_000)

    async def test_twistedInBetween(self) -> None:
        """What Twisted itself writes while the line is full is where it was written."""
        await self.connectSecurely()
        await self.stall()
        taken = len(MUCH) - len(self.sender.waiting)
        self.served.transport.write(b"Twisted says")
        await self.turns()
        self.assertEqual(len(MUCH) - len(self.sender.waiting), taken)
        got = await self.read(len(MUCH) + 12)
        self.assertEqual(got[:taken] == MUCH[:taken], True)
        self.assertEqual(got[taken : taken + 12], b"Twisted says")
        self.assertEqual(got[taken + 12 :] == MUCH[taken:], True)

    async def test_openSSLFirst(self) -> None:
        """What OpenSSL had to say before goes before, however much that is."""
        await self.connectSecurely()
        secure = self.served.transport.getHandle()
        for _ in range(4):
            self.assertEqual(secure.send(bytes(16_000)), 16_000)
        self.assertEqual(self.sender.line.send(b"behind"), 6)
        self.assertEqual(await self.read(64_006), bytes(64_000) + b"behind")

    async def test_openSSLExactly(self) -> None:
        """Wherever the end of that is, nothing is left behind."""
        await self.connectSecurely()
        secure = self.served.transport.getHandle()
        for size in range(200, 300):
            secure.send(bytes(size))
            self.sender.line.send(b"behind")
            self.assertRaises(SSL.WantReadError, secure.bio_read, 1)
            got = readExactly(self.peer, size + 6)
            self.assertEqual(got, bytes(size) + b"behind")

    async def test_closedFull(self) -> None:
        """What has been taken arrives before Twisted's goodbye, in good order."""
        await self.connectSecurely()
        await self.stall()
        taken = len(MUCH) - len(self.sender.waiting)
        self.sender.waiting = memoryview(b"")
        self.sender.line.end()
        self.served.transport.loseConnection()
        self.assertEqual(await self.readAll() == MUCH[:taken], True)

    async def test_broken(self) -> None:
        """When the peer's bytes are no TLS, sending raises what it is said to raise."""
        await self.connectSecurely()
        secure = self.served.transport.getHandle()
        secure.bio_write(b"\x17\x03\x03\x00\x20" + bytes(32))
        self.assertRaises(SSL.Error, secure.recv, 1)
        self.assertTrue(self.fails())


class BufferTests(test_line.LineTestCase):
    """
    Twisted's private buffers, which tell whether TLS records have left.

    If one of these fails, Twisted has changed: L{TLSLine.isClear} must follow.
    """

    def test_attributes(self) -> None:
        """They have the names and the kinds that they had."""
        ours, peer = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(peer.close)
        connection: Any = Connection(ours, Protocol(), reactor)
        self.assertEqual(connection.dataBuffer, b"")
        self.assertEqual(connection._tempDataBuffer, [])

    async def test_states(self) -> None:
        """One holds what was written, the other what has been tried to be sent."""
        await self.connectPlain()
        self.sender.line.begin(SEND_BUFFER)
        line = TLSLine(self.base, self.sender, None)
        self.assertTrue(line.isClear)
        self.base.write(MUCH)
        self.assertEqual(
            (self.base.dataBuffer, self.base._tempDataBuffer), (b"", [MUCH])
        )
        self.assertFalse(line.isClear)
        await self.until(lambda: not self.base._tempDataBuffer)
        self.assertTrue(self.base.dataBuffer)
        self.assertFalse(line.isClear)
        await self.read(len(MUCH))
        await self.until(lambda: line.isClear)
        self.assertEqual((self.base.dataBuffer, self.base._tempDataBuffer), (b"", []))
