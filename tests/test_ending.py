"""Tests of L{gows.wire.ending}."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionLost

from gows.errors import ProtocolError
from tests.memory import Client, MemoryTestCase


class EndingTests(MemoryTestCase):
    """What an application is told of the end of a connection."""

    def setUp(self) -> None:
        """Connect a client."""
        super().setUp()
        self.server = self.factory()
        self.alice: Client = self.client(self.server)

    def ending(self) -> list[tuple[Any, ...]]:
        """Answer what came after the opening."""
        self.alice.flush()
        return self.calls(self.server)[1:]

    def test_peerCloses(self) -> None:
        """A peer's close code is passed on."""
        self.alice.protocol.sendClose(4321, "bye")
        self.assertEqual(self.ending(), [("close", "alice", True, 4321)])

    def test_peerClosesWithoutCode(self) -> None:
        """A close frame without a code is 1005."""
        self.alice.protocol.sendClose()
        self.assertEqual(self.ending(), [("close", "alice", True, 1005)])

    def test_peerLeaves(self) -> None:
        """A peer that just goes is 1006 and not clean, but no failure."""
        self.alice.protocol.transport.loseConnection()
        self.assertEqual(self.ending(), [("close", "alice", False, 1006)])

    def test_weClose(self) -> None:
        """Our own code counts, whatever the peer answers."""
        [connection] = self.server.lookUp("alice:0")
        connection.close(4000, "enough")
        self.assertEqual(self.ending(), [("close", "alice", True, 4000)])

    def test_peerBreaksTheProtocol(self) -> None:
        """What the peer did wrong is a failure, told before the end."""
        self.alice.protocol.sendFrame(opcode=3)
        [(error, _, failure), close] = self.ending()
        self.assertEqual(error, "error")
        self.assertTrue(failure.check(ProtocolError))
        self.assertIn("1002", str(failure.value))
        self.assertEqual(close, ("close", "alice", True, 1002))

    def test_transportFails(self) -> None:
        """A transport that fails is a failure."""
        from twisted.python.failure import Failure

        self.alice.server.connectionLost(Failure(ConnectionLost("broken")))
        [(error, _, failure), close] = self.ending()
        self.assertEqual(error, "error")
        self.assertTrue(failure.check(ConnectionLost))
        self.assertEqual(close, ("close", "alice", False, 1006))

    def test_pingTimeout(self) -> None:
        """A peer that does not answer is a failure that says so."""
        for _ in range(40):
            self.clock.advance(1)
        [(error, _, failure), close] = self.ending()
        self.assertEqual(error, "error")
        self.assertIn("ping timeout", str(failure.value))
        self.assertEqual(close, ("close", "alice", False, 1006))
