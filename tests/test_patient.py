"""Tests of L{gows.wire.patient}: what waits while a callback runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost

from gows.wire.patient import MAX_UNPARSED
from tests.memory import CLOSE, PING, PONG, TEXT, Client, closeFrame, frame
from tests.test_protocol import ProtocolTestCase
from tests.test_protocol_callbacks import Broken, CallbackTestCase


class WaitingTests(CallbackTestCase):
    """A callback that takes its time makes its own connection wait."""

    def setUp(self) -> None:
        """Have messages take their time, as the test says."""
        super().setUp()
        self.waiting: list[Deferred[None]] = []
        self.chat = self.server(message=self.wait)
        self.alice: Client = self.opened(self.chat)

    def wait(self, *_: Any) -> Deferred[None]:
        """Take time."""
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def said(self) -> list[bytes]:
        """Answer the messages that the application has been given."""
        calls = self.application(self.chat).calls
        return [call[2] for call in calls if call[0] == "message"]

    def test_nextMessageWaits(self) -> None:
        """The next message waits, in the same segment or in another one."""
        self.alice.send(frame(TEXT, b"1") + frame(TEXT, b"2"))
        self.alice.send(frame(TEXT, b"3"))
        self.assertEqual(self.said(), [b"1"])
        for number in (0, 1, 2):
            self.waiting[number].callback(None)
            self.assertEqual(self.said(), [b"1", b"2", b"3"][: number + 2])

    def test_othersDoNotWait(self) -> None:
        """Other connections do not."""
        bob = self.opened(self.chat, "specialKey=bob")
        self.alice.send(frame(TEXT, b"1"))
        bob.send(frame(TEXT, b"2"))
        self.chat.broadcast("all")
        self.alice.flush()
        self.assertEqual(self.said(), [b"1", b"2"])
        self.assertEqual(self.alice.protocol.texts, ["all"])

    def test_coroutine(self) -> None:
        """A coroutine is waited for as well, and what it does is in order."""

        async def onMessage(connection: Any, payload: bytes, _: bool) -> None:
            await self.wait()
            connection.send(b"done " + payload)

        self.application(self.chat).does["message"] = onMessage
        self.alice.send(frame(TEXT, b"1") + frame(TEXT, b"2"))
        for number in (0, 1):
            self.waiting[number].callback(None)
        self.alice.flush()
        self.assertEqual(self.alice.protocol.texts, ["done 1", "done 2"])

    def test_busyFor(self) -> None:
        """It is known of each how long it has been running."""
        bob = self.opened(self.chat, "specialKey=bob")
        self.assertEqual(self.chat.busyFor(), [])
        self.alice.send(frame(TEXT, b"1"))
        self.clock.advance(2)
        bob.send(frame(TEXT, b"2"))
        self.clock.advance(1)
        self.assertEqual(sorted(self.chat.busyFor()), [1, 3])
        self.waiting[0].callback(None)
        self.assertEqual(self.chat.busyFor(), [1])

    def test_open(self) -> None:
        """The first message waits for onOpen."""
        welcome: Deferred[None] = Deferred()
        self.application(self.chat).does = {"open": lambda _: welcome}
        bob = self.opened(self.chat, "specialKey=bob")
        bob.send(frame(TEXT, b"hi"))
        self.assertEqual(self.names(self.chat, "bob"), ["open"])
        welcome.callback(None)
        self.assertEqual(self.names(self.chat, "bob"), ["open", "message"])

    def test_pingsWaitToo(self) -> None:
        """What comes behind the message waits in its order, pings included."""
        self.alice.send(frame(TEXT, b"1") + frame(PING, b"?"))
        self.assertEqual(self.alice.protocol.frames, [])
        self.waiting[0].callback(None)
        self.alice.flush()
        self.assertEqual(self.alice.protocol.frames, [(0x80 | PONG, b"?")])

    def test_paused(self) -> None:
        """Beyond a bound the peer is not read any more, until there is room again."""
        self.alice.send(frame(TEXT, b"first"))
        message = b"x" * 10_000
        for _ in range(20):
            self.alice.send(frame(TEXT, message))
        self.assertTrue(self.alice.transport.isPaused)
        self.assertLess(len(self.alice.server.data), 2 * MAX_UNPARSED)

        while self.waiting:
            self.waiting.pop(0).callback(None)
            self.alice.flush()

        self.assertFalse(self.alice.transport.isPaused)
        self.assertEqual(self.said(), [b"first", *[message] * 20])
        self.assertEqual(self.alice.server.data, b"")

    def test_pausedAgain(self) -> None:
        """What waits is bounded however often there is room for one message more."""
        small = frame(TEXT, b"tick")
        for _ in range(40):
            self.alice.send(small * 6000)
        for number in range(40):
            self.waiting[number].callback(None)
            self.alice.flush()
            self.assertLess(len(self.alice.server.data), 3 * MAX_UNPARSED)
        self.assertEqual(len(self.said()), 41)

    def test_notPaused(self) -> None:
        """Below it the peer is read on, so that its end is noticed."""
        self.alice.send(frame(TEXT, b"first") + frame(TEXT, b"x" * 60_000))
        self.assertFalse(self.alice.transport.isPaused)

    def test_pausedAndLost(self) -> None:
        """A peer that is lost while it is paused is not read again."""
        self.alice.send(frame(TEXT, b"first"))
        for _ in range(3):
            self.alice.send(frame(TEXT, b"x" * 60_000))
        self.assertTrue(self.alice.transport.isPaused)
        self.alice.leave()
        self.waiting[0].callback(None)
        self.assertTrue(self.alice.transport.isPaused)
        self.assertEqual(self.names(self.chat), ["open", "message", "close"])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_closeWaits(self) -> None:
        """The end of a connection is told when the callback before is done."""
        self.alice.send(frame(TEXT, b"1"))
        self.alice.leave()
        self.assertEqual(self.names(self.chat), ["open", "message"])
        self.assertEqual(self.chat.lookUp("alice:0"), ())
        self.waiting[0].callback(None)
        self.assertEqual(self.names(self.chat), ["open", "message", "close"])

    def test_closeFrameWaits(self) -> None:
        """A close frame behind a message is answered once the message is done."""
        self.application(self.chat).does["message"] = self.echoLater
        self.alice.send(frame(TEXT, b"1") + closeFrame(1000))
        self.assertEqual(self.alice.protocol.frames, [])
        self.waiting[0].callback(None)
        self.alice.flush()
        self.assertEqual([f.opcode for f in self.alice.protocol.frames], [TEXT, CLOSE])
        self.assertEqual(
            self.application(self.chat).calls[-1], ("close", "alice", True, 1000, "")
        )

    async def echoLater(self, connection: Any, payload: bytes, _: bool) -> None:
        """Answer after a while."""
        await self.wait()
        connection.send(payload)

    def test_closedMeanwhile(self) -> None:
        """What waited for a callback that closes the connection does not count."""
        self.alice.send(frame(TEXT, b"1") + frame(TEXT, b"2"))
        self.alice.server.close()
        self.waiting[0].callback(None)
        self.alice.flush()
        self.assertEqual(self.said(), [b"1"])

    def test_errorWaits(self) -> None:
        """A failure of the transport is told after the callback that runs."""
        self.alice.send(frame(TEXT, b"1"))
        self.alice.leave(ConnectionLost("broken"))
        self.assertEqual(self.names(self.chat), ["open", "message"])
        self.waiting[0].callback(None)
        self.assertEqual(self.names(self.chat), ["open", "message", "error", "close"])

    def test_neverOverlap(self) -> None:
        """Whatever takes its time, no two callbacks of a connection overlap."""
        running: list[str] = []
        steps: list[Deferred[None]] = []

        def taking(name: str) -> Callable[..., Any]:
            async def callback(*_: Any) -> None:
                running.append(name)
                self.assertEqual(len(running), 1, running)
                steps.append(Deferred())
                await steps[-1]
                running.remove(name)
                if name == "message":
                    raise Broken

            return callback

        names = ("open", "message", "error", "close")
        chat = self.server(**{name: taking(name) for name in names})
        bob = self.opened(chat, "specialKey=bob")
        bob.send(frame(TEXT, b"1") + frame(TEXT, b"2"))
        for _ in range(2):
            steps.pop(0).callback(None)
        bob.leave(ConnectionLost("broken"))
        while steps:
            steps.pop(0).callback(None)
        self.assertEqual(
            self.names(chat, "bob"), ["open", "message", "error", "error", "close"]
        )
        self.assertEqual(len(self.tracebacks()), 1)

    def test_answersMeanwhile(self) -> None:
        """Who answers our close while a callback runs is not kept waiting for it."""
        self.alice.send(frame(TEXT, b"1") + frame(TEXT, b"2"))
        self.alice.server.close(4000)
        self.alice.send(closeFrame(4000))
        self.assertTrue(self.alice.protocol.isLost)
        self.assertEqual(self.names(self.chat), ["open", "message"])
        self.waiting[0].callback(None)
        calls = self.application(self.chat).calls
        self.assertEqual(calls[-1], ("close", "alice", True, 4000, ""))
        self.assertEqual(self.said(), [b"1"])

    def test_takeoverMeanwhile(self) -> None:
        """A takeover does not wait for the old one's callback."""
        self.alice.send(frame(TEXT, b"1") + frame(TEXT, b"2"))
        new = self.opened(self.chat)
        self.alice.flush()
        self.assertEqual(self.alice.protocol.closeCodes, [4001])
        self.waiting[0].callback(None)
        self.assertEqual(self.said(), [b"1"])
        self.assertEqual(self.chat.lookUp("alice:0"), (new.server,))


class SilenceTests(ProtocolTestCase):
    """A peer that cannot be heard is not silent."""

    def test_busy(self) -> None:
        """Who waits for the application is not dropped for a pong that waits, too."""
        server = self.server(pingInterval=25, pingTimeout=8)
        busy = self.application(server).busy = Deferred()
        alice = self.client(server)
        alice.protocol.sendMessage(b"think")
        for _ in range(120):
            self.advance(1)
            alice.flush()
        self.assertIsNone(alice.protocol.closed)

        self.application(server).busy = None
        busy.callback(None)
        for _ in range(120):
            self.advance(1)
            alice.flush()

        self.assertIsNone(alice.protocol.closed)
        alice.protocol.sendMessage(b"thanks")
        alice.flush()
        self.assertEqual(alice.protocol.texts, ["think", "thanks"])

    def test_pingedMeanwhile(self) -> None:
        """It is pinged again and again: a line that is dead is found out by that."""
        server = self.server(pingInterval=25, pingTimeout=8)
        self.application(server).busy = Deferred()
        alice = self.opened(server)
        alice.send(frame(TEXT, b"think"))
        self.advance(25 + 3 * 8 + 1)
        alice.flush()
        opcodes = [each.opcode & 0x0F for each in alice.protocol.frames]
        self.assertEqual(opcodes.count(PING), 4)

    def test_busyThenSilent(self) -> None:
        """But who is silent when the application is done is dropped."""
        server = self.server(pingInterval=25, pingTimeout=8)
        busy = self.application(server).busy = Deferred()
        alice = self.opened(server)
        alice.send(frame(TEXT, b"think"))
        self.advance(100)
        busy.callback(None)
        self.advance(8.1)
        alice.flush()
        self.assertTrue(alice.protocol.isLost)
        self.assertEqual(self.end(server), ("close", "alice", False, 1006))
