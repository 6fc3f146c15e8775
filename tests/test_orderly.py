"""Tests of L{gows.wire.orderly}; what it does for the chat is tested with that."""

from __future__ import annotations

from tests.memory import DEFLATE, Client, MemoryTestCase, closeFrame, frame

TEXT, CONTINUATION, PING = 1, 0, 9


class OrderlyTests(MemoryTestCase):
    """A connection ends in good order, whatever the peer does."""

    def setUp(self) -> None:
        """Open a connection that only bytes are sent over."""
        super().setUp()
        self.server = self.factory(closeTimeout=5, pingInterval=0)
        self.alice: Client = self.opened(self.server)

    def test_orderOfWhatLeaves(self) -> None:
        """Pongs and the close frame keep their place behind what waits."""
        self.alice.transport.peerReads = False
        self.server.broadcast("x" * 100_000)
        self.server.broadcast("waits")
        self.alice.send(frame(PING, b"?") + closeFrame(1000))
        self.alice.transport.peerReads = True
        self.alice.flush()
        opcodes = [received.opcode for received in self.alice.protocol.frames]
        self.assertEqual(opcodes, [1, 1, 10, 8])

    def test_secondFault(self) -> None:
        """After a fault another one changes nothing: the peer still may answer."""
        self.alice.send(frame(TEXT, b"\xff"))
        self.alice.send(
            frame(3, b"") + frame(CONTINUATION, b"x") + frame(TEXT, b"\xff")
        )
        self.assertEqual(self.alice.protocol.closeCodes, [1007])
        self.assertFalse(self.alice.protocol.isLost)
        self.alice.send(closeFrame(1007))
        self.assertTrue(self.alice.protocol.isLost)
        self.assertFalse(self.alice.transport.wasAborted)

    def test_reservedAndCompressed(self) -> None:
        """Nor does what a frame of no known kind holds: nobody inflates it."""
        bob = self.opened(
            self.server, "specialKey=bob", Sec_WebSocket_Extensions=DEFLATE
        )
        bob.send(frame(3, b"00", rsv=4))
        bob.send(frame(TEXT, b"") + closeFrame(1002))
        self.assertEqual(bob.protocol.closeCodes, [1002])
        self.assertTrue(bob.protocol.isLost)

    def test_noAnswer(self) -> None:
        """Who does not answer a close frame is cut after --close-timeout."""
        self.alice.server.close(4000)
        self.advance(4.9)
        self.assertFalse(self.alice.transport.wasAborted)
        self.advance(0.2)
        self.assertTrue(self.alice.transport.wasAborted)

    def test_nothingStaysBehind(self) -> None:
        """A connection that is gone has no timer left."""
        self.alice.server.close(4000)
        self.alice.leave()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closeIsNotAborted(self) -> None:
        """Who closed and reads slowly is not reset, but has --close-timeout."""
        self.alice.transport.peerReads = False
        self.server.broadcast("owed")
        self.alice.send(closeFrame(1000))
        self.advance(4.9)
        self.assertFalse(self.alice.transport.wasAborted)
        self.alice.transport.peerReads = True
        self.alice.flush()
        self.assertEqual(self.alice.protocol.texts, ["owed"])
        self.assertTrue(self.alice.protocol.isLost)
