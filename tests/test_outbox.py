"""Tests for the one place through which bytes leave for a connection."""

from __future__ import annotations

from gows.chat.audience import TO_EVERYONE
from gows.chat.message import Message
from gows.wire.fanout import FanOut
from gows.wire.frames import PLAIN, Compression
from gows.wire.group import Group
from gows.wire.outbox import MAX_GATHERED
from tests.outboxes import CLOSE, LIMIT, OutboxTestCase, Peer


class OrderTests(OutboxTestCase):
    """What is written leaves at the end of the turn, in order."""

    def test_turnsEnd(self) -> None:
        """What is written in one turn leaves together at its end."""
        peer = self.peer()
        peer.outbox.write(b"a")
        peer.outbox.write(b"b")
        self.assertEqual(peer.sent, b"")
        self.clock.advance(0)
        self.assertEqual(peer.sent, b"ab")

    def test_large(self) -> None:
        """Much does not wait for the turn's end."""
        peer = self.peer()
        peer.outbox.write(bytes(MAX_GATHERED))
        self.assertEqual(peer.sent, b"")
        peer.outbox.write(b"a")
        self.assertEqual(len(peer.sent), MAX_GATHERED + 1)

    def test_behindTheGroups(self) -> None:
        """What a group gathered before leaves before, what it gathers after, after."""
        peer, other = self.peer(), self.peer()
        group = Group()
        for one in (peer, other):
            one.outbox.join(group)
        group.gather(b"1")
        peer.outbox.write(b"own")
        group.gather(b"2")
        peer.outbox.write(b"pong")
        self.turn.flush()
        owed, short = group.send()
        self.assertEqual((list(owed), short), ([other.outbox], {}))
        self.assertEqual(owed[other.outbox].data, b"12")
        self.assertEqual(peer.sent, b"1own2pong")

    def test_leaves(self) -> None:
        """Who leaves a group is sent what it had gathered until then."""
        peer, group = self.peer(), Group()
        peer.outbox.join(group)
        group.gather(b"1")
        peer.outbox.leave(group)
        group.gather(b"2")
        self.clock.advance(0)
        self.assertEqual(peer.sent, b"1")
        self.assertEqual(len(group), 0)

    def test_messages(self) -> None:
        """Messages are counted, those of groups as well, and no control frames."""
        peer, group = self.peer(), Group()
        group.gather(b"before")
        peer.outbox.join(group)
        group.gather(b"1")
        peer.outbox.write(b"own", isMessage=True)
        peer.outbox.write(b"pong")
        self.assertEqual(peer.outbox.messages, 2)
        peer.outbox.leave(group)
        group.gather(b"after")
        self.assertEqual(peer.outbox.messages, 2)

    def test_sentAt(self) -> None:
        """It is known when something was sent last, alone or to a room."""
        peer, fanOut = self.peer(), FanOut(self.turn, Compression(6, 256))
        fanOut.join(TO_EVERYONE, PLAIN, peer.outbox)
        self.assertEqual(peer.outbox.sentAt, float("-inf"))
        self.clock.advance(5)
        peer.outbox.write(b"ping")
        self.assertEqual(peer.outbox.sentAt, 5)
        self.clock.advance(5)
        fanOut.deliver(Message(b"hello"))
        self.assertEqual(peer.outbox.sentAt, 5)
        self.clock.advance(0)
        self.assertEqual(peer.outbox.sentAt, 10)
        self.clock.advance(5)
        peer.outbox.write(b"pong")
        self.assertEqual(peer.outbox.sentAt, 15)

    def test_broken(self) -> None:
        """When the transport raises, the connection is told, and nothing goes on."""
        peer = self.peer()
        self.patch(peer.transport, "write", None)
        self.say(peer, b"a", b"b")
        [failure] = peer.failures
        self.assertTrue(failure.check(TypeError))

    def test_gone(self) -> None:
        """When the transport is gone everything is forgotten."""
        peer = self.peer()
        peer.producer.pauseProducing()
        self.say(peer, b"a")
        peer.outbox.write(b"b")
        peer.outbox.close()
        peer.outbox.write(b"c")
        self.clock.advance(0)
        self.assertEqual((peer.sent, peer.outbox.waiting), (b"", 0))
        self.assertEqual(self.backlog.size, 0)


class FinishTests(OutboxTestCase):
    """The transport is closed when it has got everything."""

    def setUp(self) -> None:
        """Remember what had been sent when the transport was closed."""
        super().setUp()
        self.closed: list[bytes] = []

    def finish(self, peer: Peer) -> None:
        """Close once all is sent."""
        peer.outbox.finish(lambda: self.closed.append(peer.sent))

    def test_atOnce(self) -> None:
        """What is gathered is sent, then the transport closed, as nobody's consumer."""
        peer = self.peer()
        peer.outbox.write(b"a")
        self.finish(peer)
        self.assertEqual(self.closed, [b"a"])
        self.assertIsNone(peer.producer)

    def test_slow(self) -> None:
        """What waits is sent first."""
        peer = self.peer()
        peer.producer.pauseProducing()
        self.say(peer, b"a")
        peer.outbox.write(b"b")
        self.finish(peer)
        self.assertEqual(self.closed, [])
        peer.producer.resumeProducing()
        self.assertEqual(self.closed, [b"ab"])

    def test_gone(self) -> None:
        """If the transport goes before, it need not be closed."""
        peer = self.peer()
        peer.producer.pauseProducing()
        self.say(peer, b"a")
        self.finish(peer)
        peer.outbox.close()
        peer.outbox.drain()
        self.assertEqual(self.closed, [])


class SlowTests(OutboxTestCase):
    """What a slow reader has not read waits, and nothing overtakes it."""

    def test_quickReader(self) -> None:
        """A reader that keeps up is sent however much there is."""
        peer = self.peer()
        self.say(peer, *[bytes(LIMIT)] * 5)
        self.assertEqual((len(peer.sent), peer.stalls), (5 * LIMIT, []))

    def test_order(self) -> None:
        """What waited goes out before what is written after it."""
        peer = self.stalled()
        self.say(peer, b"a", b"b")
        self.resume(peer)
        self.say(peer, b"c")
        self.assertEqual(peer.sent, b"abc")

    def test_noGap(self) -> None:
        """Nothing is sent behind what was dropped, however the reader hurries."""
        peer = self.stalled()
        peer.outbox.write(bytes(LIMIT + 1), isMessage=True)
        self.turn.flush()
        peer.outbox.write(b"dropped", isMessage=True)
        peer.outbox.flush()
        peer.producer.resumeProducing()
        peer.outbox.write(b"not sent", isMessage=True)
        peer.outbox.flush()
        self.assertEqual(len(peer.sent), LIMIT + 1)
        self.clock.advance(0)
        self.assertEqual(peer.sent[LIMIT + 1 :], CLOSE)
        self.assertEqual((peer.outbox.dropped, peer.outbox.messages), (2, 1))

    def test_resumed(self) -> None:
        """Once all is read, what was read does not count any more."""
        peer = self.peer()
        for _ in range(5):
            peer.producer.pauseProducing()
            self.say(peer, bytes(LIMIT + 1))
            self.resume(peer)
        self.assertEqual((len(peer.sent), peer.stalls), (5 * (LIMIT + 1), []))

    def test_largeOnes(self) -> None:
        """What is too large to be gathered is bounded as well."""
        peer = self.stalled()
        self.say(peer, *[bytes(MAX_GATHERED + 1)] * 3)
        self.assertEqual((peer.stalls, peer.outbox.dropped), ([0], 3))

    def test_progress(self) -> None:
        """Only while bytes wait does it count that some have left."""
        peer = self.stalled()
        peer.outbox.pinged()
        self.assertFalse(peer.outbox.isProgressing())
        self.say(peer, b"1", b"2")
        peer.outbox.pinged()
        self.assertFalse(peer.outbox.isProgressing())
        self.resume(peer)
        self.assertFalse(peer.outbox.isProgressing())
