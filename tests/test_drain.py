"""Tests of L{gows.wire.drain}: how a server ends its connections."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from gows.wire.factory import GowsFactory
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
        """All are told at once; the last one's answer ends it."""
        server, clients = self.meet()
        done = server.drain(10)
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
        self.advance(1)
        application.thoughts[0].callback(None)
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


class HurryTests(MemoryTestCase):
    """A second signal ends it at once."""

    def test_hurry(self) -> None:
        """Who is left is cut, and it is done."""
        server = self.factory()
        clients = [self.opened(server, f"specialKey={name}") for name in "ab"]
        done = server.drain(10)
        clients[0].send(closeFrame(1001))
        server.hurry()
        self.successResultOf(done)
        self.assertTrue(clients[1].transport.wasAborted)
        self.assertFalse(clients[0].transport.wasAborted)
        self.assertIn("cut 1 connections", self.logged())
        clients[1].flush()
        server.hurry()
        self.assertEqual(len([line for line in self.logged() if "cut" in line]), 1)

    def test_whilePending(self) -> None:
        """A callback that hangs does not matter then."""
        server = self.factory(Thinking)
        application = server.application
        assert isinstance(application, Thinking)
        alice = self.opened(server)
        alice.send(frame(TEXT, b"hang"))
        done = server.drain(10)
        server.hurry()
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
