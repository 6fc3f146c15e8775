"""Tests for what waits for a slow reader, and what is left out for it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gows.wire.backlog import Backlog
from gows.wire.batch import Batch
from gows.wire.group import Group
from gows.wire.outbox import MAX_GATHERED
from gows.wire.terms import SlowPolicy
from gows.wire.turn import Turn
from tests.outboxes import CLOSE, LIMIT, OutboxTestCase

PROPERTY = settings(max_examples=80, deadline=None, database=None, derandomize=True)


class PolicyTests(OutboxTestCase):
    """What waits for a slow reader stays within bounds, as the policy says."""

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

    def test_closed(self) -> None:
        """Of who is gone nothing waits any more, a half-sent message neither."""
        peer = self.stalled()
        peer.outbox.wait([Batch((b"1" * 10,)), Batch((b"2",))], 3)
        self.assertEqual(self.backlog.size, 11)
        self.assertEqual(len(self.backlog._readers), 1)
        peer.outbox.close()
        self.assertEqual(self.backlog.size, 0)
        self.assertEqual(len(self.backlog._readers), 0)

    def test_pong(self) -> None:
        """A pong is left out only where there is no room, not with any policy."""
        for policy in ("close", "drop-oldest", "latest"):
            peer = self.stalled(policy)
            self.say(peer, b"x" * 10)
            peer.outbox.write(b"\x8a\x01p")
            self.clock.advance(0)
            self.resume(peer)
            self.assertEqual(peer.sent, b"x" * 10 + b"\x8a\x01p", policy)

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
