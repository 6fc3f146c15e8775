"""Tests for L{gows.wire.line}: the ways to a peer, over real sockets."""

from __future__ import annotations

import os
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IConsumer, IPullProducer, IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from gows.wire.line import GONE, Line, Part
from gows.wire.route import lineOf
from gows.wire.tcpinfo import Traffic
from tests.support import TIMEOUT, selfSigned

SEND_BUFFER = 1 << 15
MUCH = os.urandom(1 << 16) * 24
"""More than fits between a server and a peer that does not read."""


class Sender:
    """
    What an outbox does: sends all, in order, as soon as there is room.

    @ivar waiting: what has not been taken
    @ivar drains: how often there was room
    """

    def __init__(self, transport: Any) -> None:
        """Send through a transport."""
        self.line: Line = lineOf(transport, self)
        self.waiting = memoryview(b"")
        self.drains = 0

    def send(self, data: bytes) -> None:
        """Send, behind what waits."""
        self.waiting = memoryview(bytes(self.waiting) + data)
        self._send()

    def drain(self) -> None:
        """Go on."""
        self.drains += 1
        self._send()

    def _send(self) -> None:
        try:
            while self.waiting:
                sent = self.line.send(self.waiting[: self.line.atOnce])
                self.waiting = self.waiting[sent:]
                if not sent:
                    break
        except BlockingIOError:
            pass
        if self.waiting:
            self.line.wait()
        else:
            self.line.stop()


class Served(Protocol):
    """
    The server's end.

    @ivar sender: sends through its transport
    @ivar lost: fires when the transport is gone
    """

    transport: Any

    def __init__(self, begun: Deferred[Served]) -> None:
        """
        Begin.

        @param begun: fires when the peer has said something: the TLS is done
        """
        self.lost: Deferred[None] = Deferred()
        self._begun: Deferred[Served] | None = begun

    def connectionMade(self) -> None:
        """Find the way."""
        self.sender = Sender(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """Begin."""
        if self._begun is not None:
            begun, self._begun = self._begun, None
            begun.callback(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell."""
        self.lost.callback(None)


class Serving(Factory):
    """Serves one peer."""

    noisy = False

    def __init__(self) -> None:
        """Wait for it."""
        self.begun: Deferred[Served] = Deferred()

    def buildProtocol(self, addr: object) -> Protocol:
        """Answer the server's end."""
        return Served(self.begun)


def readExactly(peer: socket.socket, size: int) -> bytes:
    """Read so many bytes, or all until the line ends."""
    parts = []
    while size and (part := peer.recv(min(size, 1 << 16))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def readAll(peer: socket.socket) -> bytes:
    """Read until the line ends, in good order."""
    return readExactly(peer, 1 << 30)


class LineTestCase(TestCase):
    """
    Tests with a real server, and a peer that reads only when it is told to.

    @ivar peer: the peer
    @ivar served: the server's end
    @ivar sender: what sends there
    @ivar base: the transport that has the socket
    """

    timeout = TIMEOUT
    peer: socket.socket
    served: Served
    sender: Sender
    base: Any

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds, at most until the test times out."""

        def look() -> None:
            if condition():
                looking.stop()

        def giveUp() -> None:
            if looking.running:
                looking.stop()

        looking = LoopingCall(look)
        self.addCleanup(giveUp)
        await looking.start(0.01)

    async def turns(self, count: int = 3) -> None:
        """Let the reactor do what it can at once."""
        for _ in range(count):
            await deferLater(reactor, 0)

    async def connect(self, where: str, hello: bytes = b"!", wrappers: int = 0) -> None:
        """
        Serve, and have a peer connect that says hello.

        @param wrappers: how many more there are around the transport
        """
        serving = Serving()
        factory: Any = serving
        for _ in range(wrappers):
            factory = WrappingFactory(factory)
        port = await serverFromString(reactor, where).listen(factory)
        self.addCleanup(port.stopListening)
        family = socket.AF_UNIX if where.startswith("unix") else socket.AF_INET
        self.peer = socket.socket(family)
        self.addCleanup(self._leave)
        if family == socket.AF_INET:  # else it would grow
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self.peer.settimeout(TIMEOUT)
        host = port.getHost()
        address = host.name if family == socket.AF_UNIX else ("127.0.0.1", host.port)
        self.peer.connect(address)
        if where.startswith("ssl"):
            await deferToThread(self._secure)
        self.peer.sendall(hello)
        self.served = await serving.begun
        self.addCleanup(self._end)
        self.sender = self.served.sender
        self.base = self.served.transport
        while isinstance(self.base, ProtocolWrapper):
            self.base = self.base.transport

    def _leave(self) -> None:
        self.peer.close()  # it is another one over TLS

    def _secure(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.peer = context.wrap_socket(self.peer, suppress_ragged_eofs=False)

    def _end(self) -> Deferred[None]:
        if not self.served.lost.called:
            self.served.transport.abortConnection()
        return self.served.lost

    async def connectPlain(self) -> None:
        """Connect over TCP."""
        await self.connect("tcp:0:interface=127.0.0.1")

    async def connectSecurely(self) -> None:
        """Connect over TLS."""
        folder = Path(self.mktemp())
        folder.mkdir()
        cert, key = selfSigned(folder)
        await self.connect(f"ssl:0:interface=127.0.0.1:certKey={cert}:privateKey={key}")

    async def stall(self) -> None:
        """Send more than there is room for."""
        self.sender.line.begin(SEND_BUFFER)
        self.sender.send(MUCH)
        self.assertTrue(self.sender.waiting)
        await self.turns()
        self.assertTrue(self.sender.waiting)

    async def read(self, size: int) -> bytes:
        """Have the peer read so many bytes."""
        return await deferToThread(readExactly, self.peer, size)

    async def readAll(self) -> bytes:
        """Have the peer read until the line ends."""
        return await deferToThread(readAll, self.peer)

    def reset(self) -> None:
        """Have the peer vanish, not in good order."""
        linger = struct.pack("ii", 1, 0)
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.peer.close()

    def fails(self, data: bytes = b"x") -> bool:
        """Tell whether sending raises what it does when the peer is gone."""
        try:
            self.sender.line.send(data)
        except BlockingIOError:
            return False
        except GONE:
            return True
        return False


class SocketLineTests(LineTestCase):
    """Straight to a socket; what is true over TLS as well."""

    async def connectHere(self) -> None:
        """Connect over TCP."""
        await self.connectPlain()

    async def test_producer(self) -> None:
        """It is what it says to Twisted."""
        await self.connectHere()
        verifyObject(IPullProducer, self.sender.line)

    async def test_sends(self) -> None:
        """What there is room for leaves at once, before the reactor turns again."""
        await self.connectHere()
        self.assertEqual(self.sender.line.send(b"hello "), 6)
        self.assertEqual(self.sender.line.send(memoryview(b"--world")[2:]), 5)
        self.assertEqual(readExactly(self.peer, 11), b"hello world")

    async def test_traffic(self) -> None:
        """What has passed is counted, by the kernel."""
        await self.connectHere()
        self.sender.line.send(b"hello")
        readExactly(self.peer, 5)
        await self.until(
            lambda: (self.sender.line.traffic() or Traffic(0, 0)).arrived >= 5
        )

    async def test_parts(self) -> None:
        """Several parts leave as one, in order, with one call."""
        await self.connectHere()
        parts: list[Part] = [b"one ", memoryview(b"--two ")[2:], b"three"]
        self.assertEqual(self.sender.line.sendParts(parts), 13)
        self.assertEqual(readExactly(self.peer, 13), b"one two three")

    async def test_manyParts(self) -> None:
        """So do more parts than the kernel takes."""
        await self.connectHere()
        parts = [number.to_bytes(2, "big") for number in range(3000)]
        self.assertEqual(self.sender.line.sendParts(parts), 6000)
        self.assertEqual(readExactly(self.peer, 6000), b"".join(parts))

    async def test_stalled(self) -> None:
        """A peer that stops to read, and reads on, gets everything in order."""
        await self.connectHere()
        await self.stall()
        got = await self.read(100_000)
        await self.turns()
        self.assertTrue(self.sender.waiting)
        self.sender.send(b"the end")
        got += await self.read(len(MUCH) + 7 - len(got))
        self.assertEqual(got == MUCH + b"the end", True)
        await self.until(lambda: self.base.producer is None)
        self.assertEqual(len(self.sender.waiting), 0)

    async def test_stalledAgain(self) -> None:
        """It may do so repeatedly, and what comes in between is in order, too."""
        await self.connectHere()
        for number in range(3):
            await self.stall()
            self.assertEqual(await self.read(len(MUCH)) == MUCH, True, number)
            await self.until(lambda: self.base.producer is None)
            self.sender.send(b"quick")
            self.assertEqual(readExactly(self.peer, 5), b"quick")

    async def test_idle(self) -> None:
        """While nothing waits, nobody is asked to send; while something does, are."""
        await self.connectHere()
        self.sender.send(b"hello")
        await self.turns()
        self.assertEqual(self.sender.drains, 0)
        await self.stall()
        drains = self.sender.drains
        await self.turns(10)
        self.assertLess(self.sender.drains - drains, 3)  # nor while there is no room
        await self.read(5 + len(MUCH))
        await self.until(lambda: self.base.producer is None)
        drains = self.sender.drains
        self.assertGreater(drains, 0)
        self.base.write(b"")
        self.base.startWriting()
        await self.turns()
        self.assertEqual(self.sender.drains, drains)

    async def test_sendBuffer(self) -> None:
        """The kernel holds as much as it is told to, or what it likes."""
        await self.connectHere()
        ours = self.base.getHandle()

        def size() -> int:
            return int(ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))

        before = size()
        self.sender.line.begin(0)
        self.assertEqual(size(), before)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            expected = other.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        self.assertNotEqual(before, expected)
        self.sender.line.begin(SEND_BUFFER)
        self.assertEqual(size(), expected)

    async def test_underway(self) -> None:
        """It is known how far a slow peer has come, and that a quick one has all."""
        await self.connectHere()
        await self.stall()
        first, queued = self.sender.line.underway()
        assert first is not None
        self.assertGreater(queued, 0)
        await self.read(100_000)
        await self.until(lambda: (self.sender.line.underway()[0] or 0) > first)
        self.assertTrue(self.sender.waiting)
        await self.read(len(MUCH) - 100_000)
        await self.until(lambda: self.sender.line.underway()[1] == 0)

    async def test_closedWhileWaiting(self) -> None:
        """Twisted does not close the line on what waits, and closes it behind it."""
        await self.connectHere()
        await self.stall()
        self.base.loseConnection()
        await self.turns()
        got = await self.read(len(MUCH))
        self.assertEqual(got == MUCH, True)
        await self.served.lost
        self.assertEqual(len(self.sender.waiting), 0)

    async def test_ended(self) -> None:
        """Once the line is let go, the transport can be closed in good order."""
        await self.connectHere()
        self.sender.send(b"goodbye")
        self.sender.line.end()
        self.served.transport.loseConnection()
        self.assertEqual(await self.readAll(), b"goodbye")
        self.peer.close()
        await self.served.lost

    async def test_endedWhileWaiting(self) -> None:
        """It can be let go with something waiting, of which then no more is sent."""
        await self.connectHere()
        await self.stall()
        left = len(self.sender.waiting)
        self.sender.line.end()
        self.assertIsNone(self.base.producer)
        drains = self.sender.drains
        await self.read(50_000)
        await self.turns()
        self.assertEqual((self.sender.drains, len(self.sender.waiting)), (drains, left))

    async def test_gone(self) -> None:
        """When the peer is gone, sending raises what it is said to raise."""
        await self.connectHere()
        self.base.stopReading()  # else Twisted notices, too
        self.reset()
        await self.until(self.fails)

    async def test_goneWhileWaiting(self) -> None:
        """When the transport is gone, nobody is asked to send; nothing need be done."""
        await self.connectHere()
        await self.stall()
        drains = self.sender.drains
        self.served.transport.abortConnection()
        await self.served.lost
        self.sender.line.stop()
        self.sender.line.end()
        await self.turns()
        self.assertEqual(self.sender.drains, drains)

    async def test_direct(self) -> None:
        """Who sends to many can do so without it; it is always the same to them."""
        await self.connectPlain()
        direct = self.sender.line.direct
        assert direct is not None
        self.assertEqual(len({direct, self.sender.line.direct}), 1)
        self.assertEqual(direct(b"hello"), 5)
        self.assertEqual(readExactly(self.peer, 5), b"hello")

    async def test_full(self) -> None:
        """Where there is no room it says so, and Twisted has nothing to do with it."""
        await self.connectPlain()
        await self.stall()
        self.assertRaises(BlockingIOError, self.sender.line.send, b"x")
        self.assertRaises(BlockingIOError, self.sender.line.sendParts, [b"x", b"y"])
        self.assertEqual((self.base.dataBuffer, self.base._tempDataBuffer), (b"", []))


class Recorder(StringTransport):
    """
    A transport that remembers what it was told.

    @ivar calls: the producers that came and went
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Remember it."""
        self.calls.append((producer, streaming))
        super().registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Remember it."""
        self.calls.append(())
        super().unregisterProducer()


class TransportLineTests(SynchronousTestCase):
    """Through whatever else is a transport."""

    def setUp(self) -> None:
        """Open."""
        self.transport: Any = Recorder()
        self.sender = Sender(self.transport)
        self.line = self.sender.line

    def test_interfaces(self) -> None:
        """It is what it says to the transport, which is what it should be."""
        verifyObject(IPushProducer, self.line)
        verifyObject(IConsumer, self.transport)

    def test_producer(self) -> None:
        """It is the transport's producer as long as the connection is open."""
        self.line.send(b"an answer")
        self.assertEqual(self.transport.calls, [])
        self.line.begin(1 << 16)
        self.assertEqual(self.transport.calls, [(self.line, True)])
        self.line.wait()
        self.line.stop()
        self.line.end()
        self.line.end()
        self.assertEqual(self.transport.calls, [(self.line, True), ()])

    def test_neverOpen(self) -> None:
        """What is let go without having been open was no producer."""
        self.line.end()
        self.assertEqual(self.transport.calls, [])

    def test_writes(self) -> None:
        """What it is given is written, as bytes."""
        self.assertEqual(self.line.send(b"one "), 4)
        self.assertEqual(self.line.send(memoryview(b"--two ")[2:]), 4)
        self.assertEqual(self.line.sendParts([b"three ", memoryview(b"four")]), 10)
        self.assertEqual(self.transport.value(), b"one two three four")

    def test_full(self) -> None:
        """While the transport is full nothing is taken; then the rest is asked for."""
        self.line.begin(0)
        self.transport.producer.pauseProducing()
        self.assertEqual(self.line.send(b"x"), 0)
        self.sender.send(b"abc")
        self.assertEqual(self.line.sendParts([b"a", b"b"]), 0)
        self.assertEqual((self.transport.value(), self.sender.drains), (b"", 0))
        self.transport.producer.resumeProducing()
        self.assertEqual((self.transport.value(), self.sender.drains), (b"abc", 1))

    def test_unknown(self) -> None:
        """Nobody knows what has arrived, and nobody can go around it."""
        self.line.send(b"abc")
        self.assertEqual(self.line.underway(), (None, 0))
        self.assertIsNone(self.line.direct)

    def test_gone(self) -> None:
        """When the transport is gone, nobody is asked to send."""
        self.line.begin(0)
        self.transport.producer.stopProducing()
        self.assertEqual(self.sender.drains, 0)
