"""Tests for L{gows.wire.tcpinfo}: what the kernel knows, asked on real sockets."""

from __future__ import annotations

import socket
import sys
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gows.wire.tcpinfo import Traffic, acknowledged, queued, trafficOf
from tests.support import TIMEOUT, until


def fill(connection: socket.socket) -> int:
    """Send until the kernel takes no more, and answer how many bytes that were."""
    connection.setblocking(False)
    sent = 0
    try:
        while True:
            sent += connection.send(bytes(1 << 16))
    except BlockingIOError:
        return sent


def read(connection: socket.socket, size: int) -> None:
    """Read so many bytes."""
    while size:
        part = connection.recv(min(size, 1 << 16))
        assert part, "the line was cut"
        size -= len(part)


class OldSocket(socket.socket):
    """A socket of a kernel that knows less."""

    def getsockopt(self, *arguments: Any) -> Any:
        """Answer the beginning of what there is."""
        info: Any = super().getsockopt(*arguments)
        return info[:104]


class AcknowledgedTests(SynchronousTestCase):
    """
    How much has arrived.

    @ivar ours: the sending end
    @ivar peer: the reading end
    """

    if not sys.platform.startswith("linux"):
        skip = "only Linux tells"

    def setUp(self) -> None:
        """Connect two sockets, between which not much fits."""
        listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        self.peer = self.enterContext(socket.socket())
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self.peer.settimeout(TIMEOUT)
        self.peer.connect(listener.getsockname())
        self.ours = self.enterContext(listener.accept()[0])
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)

    def test_nothingYet(self) -> None:
        """Where nothing was sent, nothing is on its way, and nothing has arrived."""
        self.assertEqual((acknowledged(self.ours), queued(self.ours)), (0, 0))
        self.assertEqual(trafficOf(self.ours), Traffic(0, 0))

    def test_bothWays(self) -> None:
        """What came is counted as well as what went."""
        self.ours.sendall(b"12345")
        self.peer.sendall(b"123")
        read(self.peer, 5)
        read(self.ours, 3)
        until(lambda: trafficOf(self.ours) == Traffic(5, 3))

    def test_count(self) -> None:
        """It is what was sent, without what the kernel still holds."""
        sent = fill(self.ours)
        until(lambda: acknowledged(self.ours) == sent - queued(self.ours))
        self.assertGreater(queued(self.ours), 0)

    def test_grows(self) -> None:
        """It grows when the peer reads, as long as something is on its way."""
        sent = fill(self.ours)
        until(lambda: acknowledged(self.ours) == sent - queued(self.ours))
        before = acknowledged(self.ours)
        assert before is not None
        self.assertLess(before, sent)
        read(self.peer, before)
        until(lambda: (acknowledged(self.ours) or 0) > before)

    def test_stalled(self) -> None:
        """It does not grow when more is sent to a peer that does not read."""
        sent = fill(self.ours)
        until(lambda: acknowledged(self.ours) == sent - queued(self.ours))
        before = acknowledged(self.ours)
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.assertGreater(fill(self.ours), 0)
        self.assertEqual(acknowledged(self.ours), before)

    def test_allArrived(self) -> None:
        """When the peer's side has got everything, nothing is on its way."""
        sent = fill(self.ours)
        self.assertGreater(queued(self.ours), 0)
        read(self.peer, sent)
        until(lambda: acknowledged(self.ours) == sent)
        self.assertEqual(queued(self.ours), 0)

    def test_unix(self) -> None:
        """Unix sockets do not tell, but whether the peer reads is seen."""
        ours, peer = socket.socketpair()
        self.enterContext(ours)
        self.enterContext(peer)
        self.assertGreater(fill(ours), 0)
        self.assertIsNone(acknowledged(ours))
        before = queued(ours)
        read(peer, 100_000)
        self.assertIn(queued(ours), range(1, before))

    def test_closed(self) -> None:
        """A closed socket does not tell, nor raise."""
        fill(self.ours)
        self.ours.close()
        self.assertIsNone(acknowledged(self.ours))
        self.assertEqual(queued(self.ours), 0)

    def test_oldKernel(self) -> None:
        """A kernel that does not count what arrived does not tell."""
        fill(self.ours)
        old = self.enterContext(OldSocket(fileno=self.ours.detach()))
        self.assertIsNone(acknowledged(old))

    def test_otherSystem(self) -> None:
        """A system without TCP_INFO does not tell."""
        fill(self.ours)
        self.addCleanup(setattr, socket, "TCP_INFO", socket.TCP_INFO)
        del socket.TCP_INFO
        self.assertIsNone(acknowledged(self.ours))
