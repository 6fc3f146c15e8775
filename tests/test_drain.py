"""Tests of L{gows.wire.drain}: how a server ends its connections."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.journal import Journal
from gows.wire.drain import Drain
from gows.wire.factory import GowsFactory
from gows.wire.protocol import GowsProtocol
from tests.memory import (
    BROKEN,
    CLOSE,
    TEXT,
    Chat,
    Client,
    MemoryTestCase,
    closeFrame,
    frame,
    opening,
    request,
)


class Thinking(Chat):
    """
    An application that thinks about what is said and ended, as the test says.

    @ivar thoughts: fire them to have it go on, in their order
    """

    def __init__(self, chat: Any) -> None:
        """Think of nothing yet."""
        super().__init__(chat)
        self.thoughts: list[Deferred[None]] = []

    async def onMessage(self, connection: Any, message: Any) -> None:
        """Think, and pass it on."""
        await self.think()
        super().onMessage(connection, message)

    async def onClose(
        self, connection: Any, wasClean: bool, code: int, reason: str
    ) -> None:
        """Note it, and think about it if it was unclean."""
        super().onClose(connection, wasClean, code, reason)
        if not wasClean:
            await self.think()

    def think(self) -> Deferred[None]:
        """Wait until the test goes on."""
        self.thoughts.append(Deferred())
        return self.thoughts[-1]


class DrainTests(MemoryTestCase):
    """Everybody is told 1001 and has some time to answer."""

    def meet(
        self, makeApplication: Any = Chat, **settings: Any
    ) -> tuple[GowsFactory, list[Client]]:
        """Connect three clients."""
        server = self.factory(makeApplication, **settings)
        return server, [self.opened(server, f"specialKey={name}") for name in "abc"]

    def test_slowReaders(self) -> None:
        """--close-timeout cuts nobody short who still reads what it is owed."""
        server, clients = self.meet(closeTimeout=3, pingInterval=0)
        clients[0].transport.peerReads = False
        server.broadcast("owed")
        done = server.drain(30)
        self.advance(0.3)
        for client in clients[1:]:
            client.leave()
        self.advance(20)
        self.assertNoResult(done)
        clients[0].transport.peerReads = True
        clients[0].flush()
        self.assertEqual(clients[0].protocol.texts, ["owed"])
        self.assertEqual(clients[0].protocol.closeCodes, [1001])
        clients[0].send(closeFrame(1001))
        self.successResultOf(done)

    def test_toldAndWaitedFor(self) -> None:
        """All are told, one after the other; the last one's answer ends it."""
        server, clients = self.meet()
        done = server.drain(10)
        states = [client.server.state for client in clients]
        self.assertEqual(states.count(GowsProtocol.STATE_OPEN), 2)
        self.advance(0.3)
        for client in clients:
            client.flush()
            [(_, payload)] = client.protocol.frames
            self.assertEqual(payload, b"\x03\xe9the server is stopping")
        for client in clients:
            self.assertNoResult(done)
            client.send(closeFrame(1001))
            self.assertTrue(client.protocol.isLost)
        self.successResultOf(done)
        closes = [call for call in self.calls(server) if call[0] == "close"]
        self.assertEqual(closes, [("close", name, True, 1001) for name in "abc"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertFalse(any("cut" in line for line in self.logged()))
        self.assertIn(
            "stopping: telling 3 connections, waiting at most 10 s", self.logged()
        )

    def test_clients(self) -> None:
        """Real clients answer by themselves."""
        server = self.factory()
        clients = [self.client(server, f"specialKey={name}") for name in "abc"]
        done = server.drain(10)
        self.advance(0.3)
        for client in clients:
            client.flush()
            self.assertEqual(
                client.protocol.closed, (True, 1001, "the server is stopping")
            )
        self.successResultOf(done)

    def test_nobody(self) -> None:
        """Where nobody is, it is done at once."""
        self.successResultOf(self.factory().drain(10))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_timeout(self) -> None:
        """Who has not answered by then is cut, and that is logged."""
        server, clients = self.meet()
        done = server.drain(10)
        clients[0].send(closeFrame(1001))
        self.advance(9.9)
        self.assertNoResult(done)
        self.assertFalse(clients[1].transport.wasAborted)
        self.advance(0.2)
        self.successResultOf(done)
        for client in clients[1:]:
            client.flush()
            self.assertTrue(client.transport.wasAborted)
            self.assertTrue(client.protocol.isLost)
        self.assertIn("cut 2 connections", self.logged())
        self.assertEqual(self.calls(server)[-1], ("close", "c", False, 1001))

    def test_noTime(self) -> None:
        """With a time of 0 all are told and cut."""
        server, clients = self.meet()
        done = server.drain(0)
        for client in clients:
            self.assertEqual(client.server.localCloseCode, 1001)
            self.assertFalse(client.transport.wasAborted)
        self.clock.advance(0)
        self.successResultOf(done)
        for client in clients:
            self.assertTrue(client.transport.wasAborted)

    def test_messagesBefore(self) -> None:
        """What was said before is read before the close frame, by slow readers too."""
        server, clients = self.meet()
        clients[1].transport.peerReads = False
        clients[0].send(frame(TEXT, b"last words"))
        server.drain(10)
        self.advance(5)
        clients[1].transport.peerReads = True
        for client in clients:
            client.flush()
            self.assertEqual(client.protocol.texts, ["last words"])
            self.assertEqual(client.protocol.frames[-1].opcode, CLOSE)

    def test_messagesAfter(self) -> None:
        """What is said after that counts for nothing."""
        server, clients = self.meet()
        server.drain(10)
        self.advance(0.3)
        clients[0].send(frame(TEXT, b"too late"))
        server.broadcast("too late")
        for client in clients:
            client.flush()
            self.assertEqual(client.protocol.texts, [])

    def test_pending(self) -> None:
        """A message that the application still thinks about reaches everyone."""
        server, clients = self.meet(Thinking)
        application = server.application
        assert isinstance(application, Thinking)
        clients[0].send(frame(TEXT, b"accepted"))
        done = server.drain(10)
        self.advance(0.8)
        for client in clients:
            client.flush()
            self.assertEqual(client.protocol.frames, [])
        application.thoughts[0].callback(None)
        self.advance(0.3)
        for client in clients:
            client.flush()
            self.assertEqual(client.protocol.texts, ["accepted"])
            self.assertEqual(client.protocol.closeCodes, [1001])
            client.send(closeFrame(1001))
        self.successResultOf(done)

    def test_hanging(self) -> None:
        """A callback that hangs costs the others nothing: they are told in time."""
        server, clients = self.meet(Thinking)
        clients[0].send(frame(TEXT, b"hang"))
        done = server.drain(10)
        for _ in range(98):
            self.clock.advance(0.1)
            for client in clients[1:]:
                client.flush()
        for client in clients[1:]:
            self.assertEqual(client.protocol.closeCodes, [1001])
        self.advance(0.3)
        self.successResultOf(done)
        clients[0].flush()
        self.assertTrue(clients[0].protocol.isLost)

    def test_leavesWhilePending(self) -> None:
        """Who leaves while the application thinks is not waited for."""
        server, clients = self.meet(Thinking)
        application = server.application
        assert isinstance(application, Thinking)
        clients[0].send(frame(TEXT, b"accepted"))
        done = server.drain(10)
        for client in clients:
            client.protocol.transport.write(closeFrame(1000))
            client.flush()
        application.thoughts[0].callback(None)
        for client in clients:
            client.flush()
        self.successResultOf(done)

    def test_lastCallbacks(self) -> None:
        """It is done when the last onClose is, after whatever it had to wait for."""
        server, clients = self.meet(Thinking)
        application = server.application
        assert isinstance(application, Thinking)
        done = server.drain(10)
        for client in clients:
            client.leave()
        self.assertEqual(len(application.thoughts), 3)
        for thought in application.thoughts:
            self.assertNoResult(done)
            thought.callback(None)
        self.successResultOf(done)

    def test_lastCallbacksQueue(self) -> None:
        """That holds when onClose itself had to wait for another callback."""
        server, clients = self.meet(Thinking)
        application = server.application
        assert isinstance(application, Thinking)
        for client in clients[1:]:
            client.send(closeFrame(1000))
        clients[0].send(frame(TEXT, b"accepted"))
        done = server.drain(10)
        clients[0].leave()
        application.thoughts.pop(0).callback(None)
        self.assertEqual(self.calls(server)[-1], ("close", "a", False, 1006))
        self.assertNoResult(done)
        application.thoughts.pop(0).callback(None)
        self.successResultOf(done)

    def test_closing(self) -> None:
        """Who is closing already is waited for, and not told a second time."""
        server, clients = self.meet()
        clients[0].server.close(4000)
        for client in clients[1:]:
            client.leave()
        done = server.drain(10)
        self.assertNoResult(done)
        clients[0].send(closeFrame(4000))
        self.successResultOf(done)
        self.assertEqual(clients[0].protocol.closeCodes, [4000])

    def test_newOpenings(self) -> None:
        """From then on nobody is let in: 503, and when to come again."""
        server, _ = self.meet()
        server.drain(10)
        answer = self.ask(server, opening("specialKey=new"))
        self.assertEqual(answer.status, 503)
        self.assertIn("retry-after", answer.headers)
        self.assertIn(b"stopping", answer.body)
        takeover = self.ask(server, opening("specialKey=a"))
        self.assertEqual(takeover.status, 503)
        check = self.ask(server, request(target="/check?specialKey=a"))
        self.assertEqual((check.status, check.body), (503, answer.body))

    def test_unfinishedOpenings(self) -> None:
        """Who has not opened yet is not waited for."""
        server = self.factory()
        waiting = self.wire(server)
        waiting.send(opening()[:20])
        self.successResultOf(server.drain(10))
        waiting.send(opening()[20:])
        self.assertIn(b"HTTP/1.1 503 ", waiting.protocol.received)

    def test_brokenTransport(self) -> None:
        """One whose transport is broken stops nobody else's end."""
        server, clients = self.meet()
        clients[0].transport.breaks = BROKEN
        done = server.drain(10)
        self.advance(0.3)
        for client in clients[1:]:
            client.flush()
            self.assertEqual(client.protocol.closeCodes, [1001])
            client.send(closeFrame(1001))
        clients[0].flush()
        self.advance(10.1)
        self.successResultOf(done)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_twice(self) -> None:
        """Draining twice is draining once."""
        server, clients = self.meet()
        first = server.drain(10)
        second = server.drain(1)
        self.advance(5)
        self.assertNoResult(first)
        for client in clients:
            client.flush()
            self.assertEqual(client.protocol.closeCodes, [1001])
            client.leave()
        self.successResultOf(first)
        self.assertIs(first, second)


class Fake:
    """
    A connection that notes when it is told, and what.

    @ivar told: when, and after how many seconds it may come back
    @ivar pending: the callback that runs
    """

    def __init__(self, clock: Clock) -> None:
        """Be idle."""
        self.told: list[tuple[float, float]] = []
        self.pending: Deferred[None] = succeed(None)
        self.wasCut = False
        self._clock = clock

    def whenIdle(self) -> Deferred[None]:
        """Wait for the callback."""
        return self.pending

    def goAway(self, seconds: float, returnAfter: float) -> None:
        """Note it."""
        self.told.append((self._clock.seconds(), returnAfter))

    def cut(self) -> None:
        """Note it."""
        self.wasCut = True


def busiest(times: Iterable[float]) -> int:
    """Count how many of some times there are in the second that has the most."""
    ordered = sorted(times)
    return max(
        bisect_left(ordered, begin + 1) - index for index, begin in enumerate(ordered)
    )


class SpreadTests(SynchronousTestCase):
    """When each is told, and when each may come back."""

    def setUp(self) -> None:
        """Begin at some time."""
        self.clock = Clock()
        self.clock.advance(1000.125)
        self.connections: set[Fake] = set()

    def drain(self, count: int, seconds: float) -> tuple[Drain, list[Fake]]:
        """Begin to drain so many, in an order that is not theirs."""
        fakes = [Fake(self.clock) for _ in range(count)]
        return self.drainThese(fakes, seconds), fakes

    def drainThese(self, fakes: list[Fake], seconds: float) -> Drain:
        """Begin to drain these."""
        self.connections = set(fakes)
        journal = Journal("critical", self.clock, lambda event: None)
        self.began = self.clock.seconds()
        order = random.Random(5)
        return Drain(self.connections, seconds, self.clock, journal, order.shuffle)

    def pass_(self, seconds: float, step: float = 0.01) -> None:
        """Let time pass."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)

    def toldAt(self, fakes: Iterable[Fake]) -> list[float]:
        """Answer when each was told, in seconds from the begin."""
        return [at - self.began for fake in fakes for at, _ in fake.told]

    def test_many(self) -> None:
        """Each second has its share, of closes and of returns, and leaves time."""
        for count, seconds in ((2000, 10.0), (2000, 30.0), (20_000, 7.0), (81, 10.0)):
            _, fakes = self.drain(count, seconds)
            self.pass_(seconds * 0.8 + 0.02)
            told = self.toldAt(fakes)
            self.assertEqual(len(told), count)
            self.assertLess(max(told), seconds * 0.8 + 0.01)
            self.assertGreater(max(told), seconds * 0.75)
            share = count / seconds
            self.assertLessEqual(busiest(told), 1.3 * share + 2, (count, seconds))
            returns = [at + after for fake in fakes for at, after in fake.told]
            # They take twice the time that the closes took.
            share = count / (max(told) * 2)
            self.assertLessEqual(busiest(returns), 1.1 * share + 2, (count, seconds))
            self.pass_(seconds, 1)

    def test_returns(self) -> None:
        """They come back after a second at the soonest, in twice the closes' time."""
        _, fakes = self.drain(2000, 10)
        self.pass_(8.1)
        afters = sorted(after for fake in fakes for _, after in fake.told)
        self.assertGreater(len(set(afters)), 1990)
        self.assertGreaterEqual(afters[0], 1)
        self.assertLess(afters[-1], 9.1)
        returns = sorted(at + after for fake in fakes for at, after in fake.told)
        for number, at in enumerate(returns):
            even = self.began + 1 + 16 * number / 2000
            self.assertLess(abs(at - even), 0.03)

    def test_hurried(self) -> None:
        """Those who are told at once come back evenly as well, whenever that was."""
        for before in (0.0, 0.5, 4.0):
            fakes = [Fake(self.clock) for _ in range(2000)]
            fakes[0].pending = Deferred()  # it begins after a second only
            drain = self.drainThese(fakes, 10)
            self.pass_(before)
            drain.hurry()
            returns = [at + after for fake in fakes for at, after in fake.told]
            self.assertEqual(len(returns), 2000)
            self.assertLessEqual(busiest(returns), 1.2 * 2000 / 14.4)
            self.pass_(0.3)
            self.successResultOf(drain.done)

    def test_few(self) -> None:
        """Where few are, there is a tenth of a second between two, and no more."""
        for count in (1, 2, 5, 30):
            _, fakes = self.drain(count, 60)
            self.pass_(count / 10)
            told = sorted(self.toldAt(fakes))
            self.assertEqual(len(told), count)
            for number, at in enumerate(told):
                self.assertLess(abs(at - number / 10), 0.011)
            for fake in fakes:
                [(_, after)] = fake.told
                self.assertTrue(1 <= after < 1 + count / 10, after)
            self.pass_(60, 1)

    def test_noTime(self) -> None:
        """Without any time all are told at once, and cut."""
        drain, fakes = self.drain(500, 0)
        self.assertEqual(self.toldAt(fakes), [0.0] * 500)
        self.assertNoResult(drain.done)
        self.clock.advance(0)
        self.successResultOf(drain.done)
        self.assertTrue(all(fake.wasCut for fake in fakes))

    def test_noTimeBusy(self) -> None:
        """Then, callbacks that run are not waited for."""
        fake = Fake(self.clock)
        fake.pending = Deferred()
        self.drainThese([fake], 0)
        self.assertEqual(self.toldAt([fake]), [0.0])
        fake.pending.callback(None)
        self.clock.advance(0)
        self.assertEqual(self.toldAt([fake]), [0.0])

    def test_order(self) -> None:
        """Nobody is the first because of when it came."""
        firsts = set()
        for _ in range(400):
            fakes = [Fake(self.clock) for _ in range(5)]
            journal = Journal("critical", self.clock, lambda event: None)
            drain = Drain(set(fakes), 10, self.clock, journal)
            firsts |= {number for number, fake in enumerate(fakes) if fake.told}
            drain.hurry()
        self.assertEqual(firsts, {0, 1, 2, 3, 4})

    def test_leaving(self) -> None:
        """Those who leave by themselves are not told; the others not any later."""
        drain, fakes = self.drain(1000, 10)
        self.pass_(1)
        untold = [fake for fake in fakes if not fake.told]
        for fake in untold[20:]:
            self.connections.remove(fake)
            drain.connectionGone(fake)
        self.pass_(2.1)
        self.assertTrue(all(len(fake.told) == 1 for fake in untold[:20]))
        self.assertFalse(any(fake.told for fake in untold[20:]))

    def test_stall(self) -> None:
        """After a stall there is no rush: the others share the time that is left."""
        _, fakes = self.drain(1000, 10)
        self.pass_(1)
        self.clock.advance(3)
        atOnce = self.toldAt(fakes).count(self.clock.seconds() - self.began)
        self.assertLess(atOnce, 25)
        self.pass_(4.1)
        told = self.toldAt(fakes)
        self.assertEqual(len(told), 1000)
        self.assertLess(busiest(told), 1000 / 4)

    def test_busy(self) -> None:
        """Who is busy is told when it is not any more; the others do not wait long."""
        fakes = [Fake(self.clock) for _ in range(100)]
        busy = fakes[7]
        busy.pending = Deferred()
        self.drainThese(fakes, 10)
        self.pass_(0.99)
        self.assertEqual(self.toldAt(fakes), [])
        self.pass_(6.5)
        busy.pending.callback(None)
        self.pass_(1.2)
        told = self.toldAt(fakes)
        self.assertEqual(len(told), 100)
        self.assertLessEqual(busiest(told), 1.5 * 10 + 1)  # and the busy one

    def test_fewAndBusy(self) -> None:
        """Where few are and one hangs, the others have their distances nevertheless."""
        for count, seconds in ((10, 10.0), (61, 60.0), (300, 300.0)):
            fakes = [Fake(self.clock) for _ in range(count)]
            fakes[0].pending = Deferred()
            self.drainThese(fakes, seconds)
            self.pass_(seconds * 0.9)
            told = sorted(self.toldAt(fakes[1:]))
            self.assertEqual(len(told), count - 1)
            self.assertGreaterEqual(told[0], seconds * 0.1 - 0.01)
            gap = min(0.1, seconds * 0.7 / count)
            self.assertGreater(told[-1] - told[0], gap * (count - 2) - 0.2)
            self.assertLessEqual(busiest(told), 1.2 / gap + 2)
            returns = [at + after for fake in fakes for at, after in fake.told]
            self.assertLessEqual(busiest(returns), 1.2 / (2 * gap) + 2)
            self.pass_(seconds * 0.2)

    def test_hanging(self) -> None:
        """Who is busy for too long is told when the last one is, and once."""
        fakes = [Fake(self.clock) for _ in range(100)]
        busy = fakes[7]
        busy.pending = Deferred()
        self.drainThese(fakes, 10)
        self.pass_(7.95)
        self.assertEqual(busy.told, [])
        self.pass_(0.1)
        busy.pending.callback(None)
        self.assertEqual(len(busy.told), 1)

    def test_leavesWhileBusy(self) -> None:
        """Who leaves while it is busy is not told."""
        fake = Fake(self.clock)
        fake.pending = Deferred()
        drain = self.drainThese([fake], 10)
        self.pass_(2)
        self.connections.remove(fake)
        drain.connectionGone(fake)
        self.successResultOf(drain.done)
        fake.pending.callback(None)
        self.assertEqual(fake.told, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_all(self) -> None:
        """It ends with the last one, wherever it was."""
        drain, fakes = self.drain(50, 10)
        self.pass_(1)
        for fake in fakes:
            self.assertNoResult(drain.done)
            self.connections.remove(fake)
            drain.connectionGone(fake)
        self.successResultOf(drain.done)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class CrowdTests(MemoryTestCase):
    """Two thousand clients of gows.v1, told one after the other."""

    def test_spread(self) -> None:
        """No second has more than one and a half times its share."""
        server = self.factory(pingInterval=0)
        talkers = [self.talker(server, f"specialKey=p{n}") for n in range(2000)]
        began = self.clock.seconds()
        done = server.drain(10)
        open_, told, returns = talkers, [], []
        for _ in range(200):
            self.clock.advance(0.05)
            still = []
            for talker in open_:
                if talker.client.server.state == GowsProtocol.STATE_OPEN:
                    still.append(talker)
                    continue
                [said] = talker.heard()
                self.assertEqual((said["type"], said["code"]), ("closing", 1001))
                at = self.clock.seconds() - began
                told.append(at)
                returns.append(at + said["retry_after"] / 1000)
                self.assertEqual(talker.client.protocol.closeCodes, [1001])
                talker.client.send(closeFrame(1001))
            open_ = still
        self.successResultOf(done)
        self.assertEqual(len(told), 2000)
        self.assertLessEqual(busiest(told), 1.5 * 2000 / 10)
        self.assertLessEqual(busiest(returns), 1.5 * 2000 / (2 * max(told)))
        self.assertFalse(any("cut" in line for line in self.logged()))
        closes = [call for call in self.calls(server) if call[0] == "close"]
        self.assertEqual(len(closes), 2000)
        self.assertEqual({call[2:] for call in closes}, {(True, 1001)})


class HurryTests(MemoryTestCase):
    """A second signal ends it at once."""

    def test_hurry(self) -> None:
        """Who is left is cut, and it is done."""
        server = self.factory()
        clients = [self.opened(server, f"specialKey={name}") for name in "ab"]
        done = server.drain(10)
        clients[0].send(closeFrame(1001))
        server.hurry()
        self.clock.advance(0.25)
        self.successResultOf(done)
        self.assertTrue(clients[1].transport.wasAborted)
        self.assertFalse(clients[0].transport.wasAborted)
        self.assertIn("cut 1 connections", self.logged())
        clients[1].flush()
        server.hurry()
        self.assertEqual(len([line for line in self.logged() if "cut" in line]), 1)

    def test_untold(self) -> None:
        """Who has not been told is told first: they come back one after the other."""
        server = self.factory(pingInterval=0)
        talkers = [self.talker(server, f"specialKey={n}") for n in range(50)]
        server.drain(100)
        self.clock.advance(0.1)
        server.hurry()
        after = []
        for talker in talkers:
            [closing] = [one for one in talker.heard() if one["type"] == "closing"]
            after.append(closing["retry_after"])
        self.assertGreater(len(set(after)), 25)

    def test_whilePending(self) -> None:
        """A callback that hangs does not matter then."""
        server = self.factory(Thinking)
        application = server.application
        assert isinstance(application, Thinking)
        alice = self.opened(server)
        alice.send(frame(TEXT, b"hang"))
        done = server.drain(10)
        server.hurry()
        self.assertNoResult(done)
        self.clock.advance(0.25)
        self.successResultOf(done)
        self.assertTrue(alice.transport.wasAborted)
        application.thoughts[0].callback(None)
        alice.flush()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_whileEnding(self) -> None:
        """Neither does an onClose that hangs: that connection is gone already."""
        server = self.factory(Thinking)
        alice, bob = self.opened(server), self.opened(server, "specialKey=bob")
        done = server.drain(10)
        alice.leave()
        self.assertNoResult(done)
        server.hurry()
        self.clock.advance(0.25)
        self.successResultOf(done)
        self.assertFalse(alice.transport.wasAborted)
        self.assertTrue(bob.transport.wasAborted)

    def test_beforehand(self) -> None:
        """Even when it comes before the first one is acted upon."""
        server = self.factory()
        alice = self.opened(server)
        server.hurry()
        self.successResultOf(server.drain(10))
        self.assertTrue(alice.transport.wasAborted)

    def test_notDraining(self) -> None:
        """Where nothing is drained, nothing is hurried."""
        server = self.factory()
        alice = self.opened(server)
        server.hurry()
        alice.send(frame(TEXT, b"on"))
        self.assertEqual(alice.protocol.texts, ["on"])
