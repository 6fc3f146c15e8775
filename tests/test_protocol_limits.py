"""Tests of L{gows.wire.protocol}: slow and silent peers, and those that flood."""

from __future__ import annotations

from gows.wire.patient import MAX_UNPARSED
from tests.memory import (
    CLOSE,
    DEFLATE,
    PING,
    PONG,
    TEXT,
    Client,
    closeFrame,
    frame,
)
from tests.test_protocol import ProtocolTestCase

LIMIT = 1024 * 1024
"""The default of --slow-limit."""

SLACK = 256 * 1024
"""What may wait on top of the bounds: a message, and Twisted's own buffer."""


class SlowReaderTests(ProtocolTestCase):
    """A reader that reads nothing costs a known amount, and only itself."""

    MESSAGE = "x" * 60_000

    def setUp(self) -> None:
        """Have carol stop to read."""
        super().setUp()
        self.chat = self.server(maxMessageSize=1 << 22, pingInterval=0)
        self.alice = self.opened(self.chat)
        self.carol = self.opened(self.chat, "specialKey=carol")
        self.carol.transport.peerReads = False

    def flood(self, count: int) -> None:
        """Say much."""
        for _ in range(count):
            self.chat.broadcast(self.MESSAGE)
            self.alice.flush()

    def test_bounded(self) -> None:
        """So much waits and no more; then it is told so with 4002."""
        self.flood(100)
        self.assertLess(self.carol.transport.waiting, SLACK)
        self.assertEqual(len(self.alice.protocol.frames), 100)
        self.assertEqual(self.chat.lookUp("carol:0"), ())
        self.assertNotIn("closed", "\n".join(self.logged()))

        self.carol.transport.peerReads = True
        self.carol.flush()

        frames = self.carol.protocol.frames
        self.assertLess(len(frames) * len(self.MESSAGE), SLACK)
        self.assertEqual(self.carol.protocol.closeCodes, [4002])
        self.assertEqual(frames[-1].opcode, CLOSE)
        self.assertEqual({f.payload.decode() for f in frames[:-1]}, {self.MESSAGE})
        dropped = LIMIT // len(self.MESSAGE) + 2  # and the one too many
        self.assertEqual(self.carol.server.outbox.dropped, dropped)
        self.carol.send(closeFrame(4002))
        self.assertEqual(self.end(self.chat), ("close", "carol", True, 4002))
        self.assertEqual(
            self.errors(self.chat), ["too slow: too much was waiting to be read"]
        )

    def test_cut(self) -> None:
        """Who does not read that either is cut after --close-timeout."""
        self.flood(30)
        self.advance(9.9)
        self.assertFalse(self.carol.transport.wasAborted)
        self.advance(0.2)
        self.carol.flush()
        self.assertTrue(self.carol.transport.wasAborted)
        self.assertEqual(self.end(self.chat), ("close", "carol", False, 4002))
        self.assertEqual(self.carol.transport.waiting, 0)

    def test_catchesUp(self) -> None:
        """Who reads in time is not closed, however much it was in the end."""
        for _ in range(10):
            self.flood(15)
            self.carol.transport.peerReads = True
            self.carol.flush()
            self.carol.transport.peerReads = False
        self.assertEqual(len(self.carol.protocol.frames), 150)
        self.assertEqual(len(self.chat.lookUp("carol:0")), 1)

    def test_largeMessage(self) -> None:
        """A reader that has nothing waiting is sent a message of any size."""
        self.chat.broadcast("y" * (3 << 20))
        self.assertEqual(len(self.chat.lookUp("carol:0")), 1)
        self.carol.transport.peerReads = True
        self.carol.flush()
        self.assertEqual(len(self.carol.protocol.texts[0]), 3 << 20)

    def test_smallMessages(self) -> None:
        """Small messages are bounded as large ones are."""
        self.alice.leave()
        for _ in range(30_000):
            self.chat.broadcast("a small message of some length")
        self.assertNotEqual(self.chat.lookUp("carol:0"), ())
        for _ in range(30_000):
            self.chat.broadcast("a small message of some length")
        self.assertEqual(self.chat.lookUp("carol:0"), ())
        self.assertLess(self.carol.transport.waiting, LIMIT + SLACK)

    def test_pings(self) -> None:
        """A flood of pings from who reads no pongs is bounded in the same way."""
        pings = frame(PING, b"x" * 125) * 100
        for _ in range(200):
            self.carol.send(pings)
        self.assertLess(self.carol.transport.waiting, SLACK)
        self.carol.transport.peerReads = True
        self.carol.flush()
        self.assertLess(len(self.carol.protocol.frames) * 127, LIMIT + SLACK)
        self.assertEqual(self.carol.protocol.closeCodes, [4002])
        self.assertEqual(self.carol.protocol.frames[0].opcode, PONG)

    def test_sendsMeanwhile(self) -> None:
        """While it reads nothing, what it says is heard."""
        self.flood(3)
        self.carol.send(frame(TEXT, b"I am busy"))
        self.alice.flush()
        self.assertEqual(self.alice.protocol.texts[-1], "I am busy")

    def test_logsTheCodeSent(self) -> None:
        """Where there is no room for another close frame, what was sent is logged."""
        count = 0
        while self.chat.lookUp("carol:0"):
            self.flood(1)
            count += 1
        dave = self.opened(self.chat, "specialKey=dave")
        dave.transport.peerReads = False
        self.flood(count - 1)
        self.application(self.chat).connections["dave"].close(4444)
        dave.transport.peerReads = True
        dave.flush()
        [code] = dave.protocol.closeCodes
        dave.send(closeFrame(code))
        self.assertEqual(self.end(self.chat), ("close", "dave", True, code))
        self.assertIn(f"code sent {code}, received {code}", self.logged()[-1])


class FloodTests(ProtocolTestCase):
    """A peer that was told to close and sends on is cut, and never hoarded."""

    def assertBounded(self, alice: Client) -> None:
        """Flood, and check what is kept of it."""
        for _ in range(100):
            alice.protocol.transport.write(frame(TEXT, b"x" * 60_000))
            alice.pump.pump()
            self.assertLessEqual(len(alice.server.data), 2 * MAX_UNPARSED)

    def test_afterClose(self) -> None:
        """After an ordinary close."""
        server = self.server()
        alice = self.opened(server)
        self.application(server).connections["alice"].close()
        self.assertBounded(alice)
        self.advance(10.1)
        alice.flush()
        self.assertTrue(alice.protocol.isLost)

    def test_afterRefusedMessages(self) -> None:
        """After a message that was refused."""
        for data in (
            frame(TEXT, b"\xff"),
            frame(TEXT, b"x" * 70_000),
            frame(3),
            bytes([0x81, 0xFF]) + (1 << 62).to_bytes(8, "big") + b"mask",
        ):
            alice = self.opened(self.server())
            alice.send(data)
            self.assertBounded(alice)

    def test_afterABomb(self) -> None:
        """After what could not be decompressed, nothing is parsed any more."""
        alice = self.opened(self.server(), Sec_WebSocket_Extensions=DEFLATE)
        alice.send(frame(TEXT, b"\xff\xff\xff", rsv=4))
        self.assertBounded(alice)

    def test_afterItsOwnClose(self) -> None:
        """After its own close frame, while it does not read our answer."""
        alice = self.opened(self.server())
        alice.transport.peerReads = False
        alice.send(closeFrame(1000))
        self.assertBounded(alice)
        self.advance(10.1)
        self.assertTrue(alice.transport.wasAborted)


class TimeoutTests(ProtocolTestCase):
    """Who does not answer in time is dropped."""

    def test_close(self) -> None:
        """Who does not answer a close is cut after --close-timeout."""
        server = self.server(closeTimeout=4, pingInterval=0)
        alice = self.opened(server)
        self.application(server).connections["alice"].close(4000)
        alice.flush()
        self.advance(3.9)
        alice.flush()
        self.assertFalse(alice.protocol.isLost)
        self.advance(0.2)
        alice.flush()
        self.assertTrue(alice.transport.wasAborted)
        self.assertEqual(self.end(server), ("close", "alice", False, 4000))
        [error] = self.errors(server)
        self.assertIn("closing handshake timeout", error)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_transportStays(self) -> None:
        """Who answers but never ends its side is cut as well, cleanly closed."""
        for starts in (False, True):
            server = self.server(closeTimeout=4, pingInterval=0)
            alice = self.opened(server)
            if starts:
                self.application(server).connections["alice"].close()
                alice.flush()
            alice.transport.peerReads = False
            alice.server.send("something unread")
            alice.protocol.transport.write(closeFrame(1000))
            alice.flush()
            if not starts:
                self.assertFalse(alice.protocol.isLost)
                self.advance(3.9)
                self.assertFalse(alice.transport.wasAborted)
                self.advance(0.2)
                self.assertTrue(alice.transport.wasAborted)
            alice.flush()
            self.assertTrue(alice.protocol.isLost)
            self.assertEqual(self.end(server), ("close", "alice", True, 1000))
            self.assertEqual(self.errors(server), [])

    def test_slowButClean(self) -> None:
        """Who closed cleanly and reads on slowly is not called unclean for that."""
        server = self.server(closeTimeout=60, pingInterval=10, pingTimeout=5)
        alice = self.opened(server)
        alice.transport.peerReads = False
        server.broadcast("x" * 1000)
        alice.send(closeFrame(3000))
        self.advance(30)
        alice.transport.peerReads = True
        alice.flush()
        self.assertEqual([f.opcode for f in alice.protocol.frames], [TEXT, CLOSE])
        self.assertEqual(self.end(server), ("close", "alice", True, 3000))
        self.assertEqual(self.errors(server), [])

    def test_silent(self) -> None:
        """A peer that does not answer pings is dropped, not before its time."""
        server = self.server(pingInterval=25, pingTimeout=8)
        alice = self.opened(server)
        self.advance(24.9)
        alice.flush()
        self.assertEqual(alice.protocol.frames, [])
        self.advance(0.2)
        alice.flush()
        self.assertEqual([f.opcode for f in alice.protocol.frames], [PING])
        self.advance(7.8)
        alice.flush()
        self.assertFalse(alice.protocol.isLost)
        self.assertEqual(len(server.registry), 1)
        self.advance(0.2)
        alice.flush()
        self.assertTrue(alice.transport.wasAborted)
        self.assertEqual(len(server.registry), 0)
        self.assertEqual(self.end(server), ("close", "alice", False, 1006))
        [error] = self.errors(server)
        self.assertIn("ping timeout", error)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_answering(self) -> None:
        """A peer that answers lives, however long it says nothing."""
        server = self.server(pingInterval=25, pingTimeout=8)
        alice = self.client(server)
        for _ in range(300):
            self.advance(1)
            alice.flush()
        self.assertTrue(alice.protocol.isOpen)
        self.assertIsNone(alice.protocol.closed)
        self.assertEqual(len(server.registry), 1)

    def test_wrongPong(self) -> None:
        """A pong that answers another ping is no answer."""
        server = self.server(pingInterval=25, pingTimeout=8)
        alice = self.opened(server)
        self.advance(25.1)
        alice.send(frame(PONG, b"anything"))
        self.advance(8.1)
        alice.flush()
        self.assertTrue(alice.protocol.isLost)

    def test_fractions(self) -> None:
        """The time to answer is what it is set to, whatever the time of the day."""
        for offset in (0.1, 0.5, 0.9):
            self.clock.advance(1 - self.clock.seconds() % 1 + offset)
            server = self.server(closeTimeout=1, pingInterval=0)
            alice = self.opened(server)
            self.application(server).connections["alice"].close()
            self.advance(0.9)
            alice.flush()
            self.assertFalse(alice.protocol.isLost, offset)
            self.advance(0.2)
            alice.flush()
            self.assertTrue(alice.protocol.isLost, offset)

    def test_shortIntervals(self) -> None:
        """A ping interval of under a second is one, not a flood of pings."""
        server = self.server(pingInterval=0.5, pingTimeout=5)
        self.clock.advance(0.1)
        alice = self.client(server)
        for _ in range(20):
            self.clock.advance(0.1)
            alice.flush()
        self.assertLess(alice.protocol.trafficStats.incomingWebSocketFrames, 1)
        self.assertIn(alice.server.autoPingPendingSeq, (1, 2, 3, 4))

    def test_off(self) -> None:
        """With --ping-interval 0 nobody is pinged."""
        alice = self.opened(self.server(pingInterval=0))
        self.advance(200)
        alice.flush()
        self.assertEqual(alice.protocol.frames, [])
        self.assertFalse(alice.protocol.isLost)
