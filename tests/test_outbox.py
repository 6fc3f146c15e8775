"""Tests for the one place through which bytes leave for a connection."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.audience import TO_EVERYONE
from gows.chat.message import Message
from gows.wire.backlog import Backlog
from gows.wire.fanout import FanOut
from gows.wire.frames import PLAIN, Compression
from gows.wire.group import Group
from gows.wire.outbox import MAX_GATHERED, Outbox
from gows.wire.terms import SlowPolicy, Terms
from gows.wire.turn import Turn

PROPERTY = settings(max_examples=80, deadline=None, database=None, derandomize=True)

LIMIT = 1000
CLOSE = b"\x88\x02\x0f\xa2"


class Peer:
    """
    A connection's outbox, and a transport that may be full.

    @ivar sent: all that the transport got
    @ivar stalls: how much it had got each time that the reader was called too slow
    """

    def __init__(self, terms: Terms) -> None:
        """Open."""
        self.saysWhatIsMissing = False
        self.transport = StringTransport()
        self.stalls: list[int] = []
        self.failures: list[Failure] = []
        self.outbox = Outbox(self.transport, self, terms)
        self.outbox.begin()

    @property
    def producer(self) -> Any:
        """What the transport tells that it is full, and that it is empty."""
        return self.transport.producer

    @property
    def sent(self) -> bytes:
        """All that the transport got."""
        return bytes(self.transport.value())

    def readerStalled(self) -> None:
        """Do what a connection does: say goodbye."""
        self.stalls.append(len(self.sent))
        self.outbox.lastWords()
        self.outbox.write(CLOSE)

    def missed(self, count: int) -> bytes | None:
        """Say so, if that is to be."""
        return b"(%d)" % count if self.saysWhatIsMissing else None

    def sendingFailed(self, failure: Failure) -> None:
        """Remember it."""
        self.failures.append(failure)


class OutboxTestCase(SynchronousTestCase):
    """Tests with a clock that ends turns."""

    def setUp(self) -> None:
        """Begin with nothing waiting for anybody."""
        self.clock = Clock()
        self.backlog = Backlog(1 << 30)
        self.turn = Turn(self.clock, 0, self.backlog)

    def peer(self, policy: SlowPolicy = "close") -> Peer:
        """Make a peer."""
        return Peer(Terms(self.turn, self.backlog, LIMIT, policy, 0))

    def say(self, peer: Peer, *messages: bytes) -> None:
        """Send messages, each in a turn of its own."""
        for message in messages:
            peer.outbox.write(message, isMessage=True)
            self.clock.advance(0)


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
    """What a slow reader has not read waits, within bounds."""

    def stalled(self, policy: SlowPolicy = "close") -> Peer:
        """Make a peer whose transport is full."""
        peer = self.peer(policy)
        IPushProducer(peer.producer).pauseProducing()
        return peer

    def resume(self, peer: Peer) -> None:
        """Have the peer read again."""
        peer.producer.resumeProducing()
        self.clock.advance(0)

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

    def test_close(self) -> None:
        """Beyond the limit everything is dropped but what ends the connection."""
        peer = self.stalled()
        self.say(peer, *[bytes(LIMIT // 4)] * 4, b"the last one")
        self.assertEqual((peer.stalls, peer.outbox.dropped), ([], 0))
        self.say(peer, b"too much")
        self.assertEqual((peer.stalls, peer.outbox.dropped), ([0], 6))
        self.assertLess(peer.outbox.waiting, 10)
        self.resume(peer)
        self.assertEqual(peer.sent, CLOSE)
        self.assertEqual(peer.outbox.messages, 0)

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

    def test_manyTooSlow(self) -> None:
        """Many that are too slow are told so one after the other, and all are."""
        peers = [self.stalled() for _ in range(20)]
        for peer in peers:
            peer.outbox.write(bytes(LIMIT + 1), isMessage=True)
        self.turn.flush()
        for peer in peers:
            peer.outbox.write(b"too much", isMessage=True)
        self.assertEqual([len(peer.stalls) for peer in peers], [0] * 20)
        self.turn.flush()
        told = sum(len(peer.stalls) for peer in peers)
        self.assertIn(told, range(1, 20))
        self.clock.advance(0)
        self.assertEqual([len(peer.stalls) for peer in peers], [1] * 20)

    def test_largeMessage(self) -> None:
        """A reader for whom nothing waits is sent any message, however large."""
        for policy in ("close", "drop-oldest", "latest"):
            peer = self.stalled(policy)
            self.say(peer, bytes(5 * LIMIT))
            self.resume(peer)
            self.assertEqual((len(peer.sent), peer.stalls), (5 * LIMIT, []))

    def test_resumed(self) -> None:
        """Once all is read, what was read does not count any more."""
        peer = self.peer()
        for _ in range(5):
            peer.producer.pauseProducing()
            self.say(peer, bytes(LIMIT + 1))
            self.resume(peer)
        self.assertEqual((len(peer.sent), peer.stalls), (5 * (LIMIT + 1), []))

    def test_dropOldest(self) -> None:
        """With drop-oldest the newest messages wait, as many as the limit allows."""
        peer = self.stalled("drop-oldest")
        messages = [b"%099d;" % number for number in range(50)]
        self.say(peer, *messages)
        self.assertEqual(peer.outbox.waiting, LIMIT)
        self.resume(peer)
        self.assertEqual(peer.sent, b"".join(messages[-10:]))
        self.assertEqual((peer.outbox.dropped, peer.outbox.messages), (40, 10))
        self.assertEqual(peer.stalls, [])

    def test_latest(self) -> None:
        """With latest only the newest message waits."""
        peer = self.stalled("latest")
        self.say(peer, b"1", b"2", b"3")
        self.assertEqual(peer.outbox.waiting, 1)
        self.resume(peer)
        self.assertEqual((peer.sent, peer.outbox.dropped), (b"3", 2))

    def test_missed(self) -> None:
        """Where messages are missing it is said how many, each time anew."""
        peer = self.stalled("drop-oldest")
        peer.saysWhatIsMissing = True
        messages = [b"%099d;" % number for number in range(12)]
        self.say(peer, *messages)
        self.resume(peer)
        self.assertEqual(peer.sent, b"(2)" + b"".join(messages[2:]))
        peer.transport.clear()
        peer.producer.pauseProducing()
        self.say(peer, *messages, b"x" * 100)
        self.resume(peer)
        self.assertEqual(peer.sent, b"(3)" + b"".join(messages[3:]) + b"x" * 100)
        peer.transport.clear()
        self.say(peer, b"y")
        self.assertEqual(peer.sent, b"y")

    def test_missedOfClosed(self) -> None:
        """Who is closed for being slow is not told what is missing as well."""
        peer = self.stalled("close")
        peer.saysWhatIsMissing = True
        self.say(peer, *[b"x" * 100] * 30)
        self.resume(peer)
        self.assertNotIn(b"(", peer.sent)
        self.assertTrue(peer.sent.endswith(CLOSE))

    def test_latestOfAGroup(self) -> None:
        """Of several messages that come at once only the newest waits, too."""
        peer, group = self.stalled("latest"), Group()
        self.say(peer, b"1")
        peer.outbox.join(group)
        for message in (b"2", b"3", b"4"):
            group.gather(message)
        peer.outbox.leave(group)
        self.clock.advance(0)
        self.resume(peer)
        self.assertEqual((peer.sent, peer.outbox.dropped), (b"4", 3))

    def test_controlFrames(self) -> None:
        """Control frames are not dropped with the messages, and keep their place."""
        peer = self.stalled("latest")
        self.say(peer, b"1")
        peer.outbox.write(b"pong")
        self.clock.advance(0)
        self.say(peer, b"2", b"3")
        self.resume(peer)
        self.assertEqual(peer.sent, b"pong3")

    def test_pongs(self) -> None:
        """A flood of pings is bounded under all policies: some get no answer."""
        for policy in ("drop-oldest", "latest"):
            peer = self.stalled(policy)
            for _ in range(100):
                peer.outbox.write(b"\x8a\x7d" + bytes(125))
                self.clock.advance(0)
            self.assertLess(peer.outbox.waiting, LIMIT + 128)
            self.assertEqual(peer.stalls, [])

    def test_answers(self) -> None:
        """What must not be dropped is bounded, too: by the end of the connection."""
        for policy in ("drop-oldest", "latest"):
            peer = self.stalled(policy)
            for _ in range(100):
                if not peer.stalls:
                    self.say(peer, bytes(100))
                    peer.outbox.write(bytes(100))
                    self.clock.advance(0)
            self.assertEqual(len(peer.stalls), 1)
            self.assertLess(peer.outbox.waiting, LIMIT + 500)

    def test_ping(self) -> None:
        """A ping is never left out: its pong is waited for."""
        for policy in ("drop-oldest", "latest"):
            peer = self.stalled(policy)
            self.say(peer, bytes(3 * LIMIT))
            peer.outbox.write(b"\x89\x00")
            self.clock.advance(0)
            self.resume(peer)
            self.assertEqual(peer.sent, bytes(3 * LIMIT) + b"\x89\x00")

    def test_largeOnes(self) -> None:
        """What is too large to be gathered is bounded as well."""
        peer = self.stalled()
        self.say(peer, *[bytes(MAX_GATHERED + 1)] * 3)
        self.assertEqual((peer.stalls, peer.outbox.dropped), ([0], 3))

    def test_backlogLimit(self) -> None:
        """Of many with large ones those go for whom the most waits."""
        self.backlog = Backlog(MAX_GATHERED * 3)
        self.turn = Turn(self.clock, 0, self.backlog)
        peers = [self.stalled("latest") for _ in range(10)]
        for peer in peers:
            peer.outbox.write(bytes(MAX_GATHERED + 1), isMessage=True)
        self.clock.advance(0)
        self.assertLess(self.backlog.size, MAX_GATHERED * 3)
        self.assertEqual(sum(len(peer.stalls) for peer in peers), 8)

    def test_latestAtOnce(self) -> None:
        """Of several that are not taken at once only the newest waits."""
        peer, group = self.peer("latest"), Group()
        peer.outbox.join(group)
        peer.producer.pauseProducing()
        for message in (b"1", b"2", b"3"):
            group.gather(message)
        peer.outbox.leave(group)
        self.clock.advance(0)
        self.assertEqual((peer.outbox.waiting, peer.outbox.dropped), (1, 2))

    def test_unsent(self) -> None:
        """What had not left when the transport went does not count as sent."""
        peer = self.stalled()
        self.say(peer, b"1", b"2")
        peer.outbox.write(b"3", isMessage=True)
        peer.outbox.close()
        self.assertEqual((peer.outbox.messages, peer.outbox.dropped), (0, 0))

    def test_overflow(self) -> None:
        """Who is to go because of all that waits for anybody loses it at once."""
        for policy in ("close", "drop-oldest", "latest"):
            peer = self.stalled(policy)
            self.say(peer, bytes(LIMIT))
            peer.outbox.overflow()
            peer.outbox.overflow()
            self.clock.advance(0)
            self.assertEqual((peer.stalls, peer.outbox.dropped), ([0], 1))
            self.assertEqual(peer.outbox.waiting, len(CLOSE))

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

    @PROPERTY
    @given(
        st.sampled_from(["close", "drop-oldest", "latest"]),
        st.lists(st.integers(1, LIMIT // 2) | st.booleans(), max_size=30),
    )
    def test_bounded(self, policy: SlowPolicy, steps: list[int | bool]) -> None:
        """However a reader reads, no more waits than the limit and one message."""
        peer = self.peer(policy)
        written = 0
        for step in steps:
            if step is True:
                peer.producer.pauseProducing()
            elif step is False:
                self.resume(peer)
            else:
                self.say(peer, bytes(step))
                written += 1
                self.assertLessEqual(peer.outbox.waiting, LIMIT + step)
                self.assertEqual(
                    peer.outbox.messages + peer.outbox.dropped,
                    written,
                )
            if peer.stalls:
                self.assertEqual(policy, "close")
                return
