"""Tests of L{gows.wire.protocol}: an application's callbacks on a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from gows.chat.application import Application
from gows.chat.message import Message
from gows.dialects.raw import Raw
from gows.interfaces import IChat, IConnection
from gows.wire.factory import GowsFactory
from gows.wire.protocol import MAX_UNPARSED
from tests.memory import (
    BROKEN,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Client,
    MemoryTestCase,
    closeFrame,
    frame,
    opening,
)


class Scripted(Application):
    """
    An application that does what a test tells it.

    @ivar calls: its callbacks, in order
    @ivar does: what they do, by their names
    """

    def __init__(self, chat: IChat) -> None:
        """Do nothing yet."""
        super().__init__(chat)
        self.calls: list[tuple[Any, ...]] = []
        self.does: dict[str, Callable[..., Any]] = {}

    def _called(self, name: str, connection: IConnection, *args: Any) -> Any:
        self.calls.append((name, connection.context.specialKey, *args))
        return self.does.get(name, lambda *_: None)(connection, *args)

    def onOpen(self, connection: IConnection) -> Any:
        """Do it."""
        return self._called("open", connection)

    def onMessage(self, connection: IConnection, message: Message) -> Any:
        """Do it."""
        content = message.payload, message.isBinary
        return self._called("message", connection, *content)

    def onError(self, connection: IConnection, failure: Failure) -> Any:
        """Do it."""
        return self._called("error", connection, failure)

    def onClose(
        self, connection: IConnection, wasClean: bool, code: int, reason: str
    ) -> Any:
        """Do it."""
        return self._called("close", connection, wasClean, code, reason)


class Broken(Exception):
    """What applications of these tests fail with."""


def broken(*_: Any) -> None:
    """Fail at once."""
    raise Broken("the secret is 42")


def brokenDeferred(*_: Any) -> Deferred[None]:
    """Fail with a Deferred."""
    return succeed(None).addCallback(broken)


async def brokenCoroutine(*_: Any) -> None:
    """Fail in a coroutine."""
    await succeed(None)
    broken()


class CallbackTestCase(MemoryTestCase):
    """Tests with an application that does what it is told."""

    def server(self, **does: Callable[..., Any]) -> GowsFactory:
        """Make a server whose application's callbacks do so."""
        server = self.factory(Scripted)
        self.application(server).does = does
        return server

    def application(self, server: GowsFactory) -> Scripted:
        """Answer its application."""
        assert isinstance(server.application, Scripted)
        return server.application

    def names(self, server: GowsFactory, who: str = "alice") -> list[str]:
        """Answer the names of the callbacks on a connection, in order."""
        return [call[0] for call in self.application(server).calls if call[1] == who]

    def tracebacks(self) -> list[str]:
        """Answer the tracebacks that have been logged."""
        return [
            event["log_failure"].getTraceback()
            for event in self.events
            if "log_failure" in event
        ]


class OrderTests(CallbackTestCase):
    """Callbacks come in order, with what belongs to them."""

    def test_all(self) -> None:
        """Open, messages, close: each with its connection and what was said."""
        server = self.server()
        alice = self.opened(server)
        alice.send(frame(TEXT, b"one") + frame(TEXT, b"two"))
        alice.send(closeFrame(3456, b"enough"))
        self.assertEqual(
            self.application(server).calls,
            [
                ("open", "alice"),
                ("message", "alice", b"one", False),
                ("message", "alice", b"two", False),
                ("close", "alice", True, 3456, "enough"),
            ],
        )

    def test_openIsRegistered(self) -> None:
        """In onOpen the connection is found, hears broadcasts, and can be sent to."""
        seen: list[Any] = []

        def onOpen(connection: Any) -> None:
            seen.append(server.lookUp("alice:0"))
            connection.send("welcome")
            server.broadcast("alice is here")

        server = self.server(open=onOpen)
        alice = self.opened(server)
        self.assertEqual(seen, [(alice.server,)])
        self.assertEqual(alice.protocol.texts, ["welcome", "alice is here"])

    def test_closeInOpen(self) -> None:
        """Closing in onOpen: the peer is told, and frames that follow are not read."""
        server = self.server(open=lambda connection: connection.close(4100, "no"))
        alice = self.wire(server)
        alice.send(opening() + frame(TEXT, b"hi") + closeFrame(4100))
        self.assertEqual(alice.protocol.closeCodes, [4100])
        self.assertTrue(alice.protocol.isLost)
        self.assertEqual(self.names(server), ["open", "close"])

    def test_closeInMessage(self) -> None:
        """Closing in onMessage: what came with that message is not read any more."""
        server = self.server(message=lambda connection, *_: connection.close())
        alice = self.opened(server)
        alice.send(frame(TEXT, b"one") + frame(TEXT, b"two"))
        self.assertEqual(self.names(server), ["open", "message"])
        self.assertEqual(alice.protocol.closeCodes, [1000])

    def test_closeIsGone(self) -> None:
        """In onClose the connection is not found any more, and hears nothing."""
        seen: list[Any] = []

        def onClose(connection: Any, *_: Any) -> None:
            seen.append(server.lookUp("alice:0"))
            connection.send("too late")
            connection.close()
            server.broadcast("alice left")

        server = self.server(close=onClose)
        alice, bob = self.opened(server), self.opened(server, "specialKey=bob")
        alice.leave()
        bob.flush()
        self.assertEqual(seen, [()])
        self.assertEqual(bob.protocol.texts, ["alice left"])
        self.assertEqual(alice.protocol.frames, [])

    def test_closeAnother(self) -> None:
        """A callback on one connection may close another."""

        def onMessage(connection: Any, payload: bytes, _: bool) -> None:
            for other in server.lookUp(payload.decode()):
                other.close(4003, "kicked")

        server = self.server(message=onMessage)
        alice, bob = self.opened(server), self.opened(server, "specialKey=bob")
        alice.send(frame(TEXT, b"bob:0"))
        bob.flush()
        self.assertEqual(bob.protocol.closeCodes, [4003])
        self.assertEqual(alice.protocol.frames, [])

    def test_errorBeforeClose(self) -> None:
        """A failure of the transport is told before the end."""
        server = self.server()
        self.opened(server).leave(ConnectionLost("broken"))
        calls = self.application(server).calls
        self.assertEqual(self.names(server), ["open", "error", "close"])
        self.assertTrue(calls[1][2].check(ConnectionLost))
        self.assertEqual(calls[2], ("close", "alice", False, 1006, ""))
        self.assertEqual(self.tracebacks(), [])


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


class FailureTests(CallbackTestCase):
    """An exception in a callback closes that connection alone, with 1011."""

    KINDS = (broken, brokenDeferred, brokenCoroutine)

    def assertClosedAlone(
        self, server: GowsFactory, alice: Client, bob: Client
    ) -> None:
        """Check that alice is told 1011 and no more, and bob goes on."""
        alice.flush()
        [(_, payload)] = alice.protocol.frames
        self.assertEqual(payload, b"\x03\xf3internal error")
        self.assertEqual(server.lookUp("alice:0"), ())
        self.assertEqual(server.lookUp("bob:0"), (bob.server,))
        self.application(server).does = {}
        bob.send(frame(TEXT, b"on"))
        self.assertEqual(self.names(server, "bob")[-1], "message")
        alice.send(closeFrame(1011))
        self.assertTrue(alice.protocol.isLost)
        calls = self.application(server).calls
        self.assertEqual(calls[-1], ("close", "alice", True, 1011, "internal error"))
        errors = [call for call in calls if call[0] == "error"]
        self.assertEqual([call[1] for call in errors], ["alice"])
        self.assertTrue(errors[0][2].check(Broken))
        [traceback] = self.tracebacks()
        self.assertIn("the secret is 42", traceback)
        self.assertIn("in broken", traceback)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.events.clear()

    def test_message(self) -> None:
        """In onMessage; what came behind that message is not read."""
        for kind in self.KINDS:
            server = self.server(message=kind)
            alice, bob = self.opened(server), self.opened(server, "specialKey=bob")
            alice.send(frame(TEXT, b"1") + frame(TEXT, b"2"))
            self.assertEqual(self.names(server), ["open", "message", "error"])
            self.assertClosedAlone(server, alice, bob)

    def test_open(self) -> None:
        """In onOpen; frames that follow are not read."""
        for kind in self.KINDS:
            server = self.server()
            bob = self.opened(server, "specialKey=bob")
            self.application(server).does = {"open": kind}
            alice = self.opened(server)
            alice.send(frame(TEXT, b"1"))
            self.assertClosedAlone(server, alice, bob)

    def test_later(self) -> None:
        """After a while, when other messages are waiting."""
        waiting: Deferred[None] = Deferred()
        server = self.server(message=lambda *_: waiting.addCallback(broken))
        alice, bob = self.opened(server), self.opened(server, "specialKey=bob")
        alice.send(frame(TEXT, b"1") + frame(TEXT, b"2"))
        waiting.callback(None)
        self.assertEqual(self.names(server), ["open", "message", "error"])
        self.assertClosedAlone(server, alice, bob)

    def test_cancelled(self) -> None:
        """A Deferred that is cancelled is a failure like others."""
        server = self.server(message=lambda *_: fail(CancelledError()))
        alice = self.opened(server)
        alice.send(frame(TEXT, b"1"))
        self.assertEqual(alice.protocol.closeCodes, [1011])

    def test_close(self) -> None:
        """In onClose: it is logged and told, and that was it."""
        for kind in self.KINDS:
            server = self.server(close=kind)
            self.opened(server).leave()
            self.assertEqual(self.names(server), ["open", "close", "error"])
            self.assertEqual(len(self.tracebacks()), 1)
            self.events.clear()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_error(self) -> None:
        """In onError: it is logged, and not told to onError again."""
        for kind in self.KINDS:
            server = self.server(message=broken, error=kind)
            alice = self.opened(server)
            alice.send(frame(TEXT, b"1"))
            self.assertEqual(self.names(server), ["open", "message", "error"])
            self.assertEqual(alice.protocol.closeCodes, [1011])
            self.assertEqual(len(self.tracebacks()), 2)
            alice.leave()
            self.assertEqual(self.names(server)[-1], "close")
            self.events.clear()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_errorOnTransport(self) -> None:
        """In onError for a broken transport: onClose comes nevertheless."""
        server = self.server(error=brokenCoroutine)
        self.opened(server).leave(ConnectionLost("broken"))
        self.assertEqual(self.names(server), ["open", "error", "close"])

    def test_afterTheEnd(self) -> None:
        """A callback that fails when the peer is gone is logged and told."""
        waiting: Deferred[None] = Deferred()
        server = self.server(message=lambda *_: waiting)
        alice = self.opened(server)
        alice.send(frame(TEXT, b"1"))
        alice.leave()
        waiting.errback(Failure(Broken("late")))
        self.assertEqual(self.names(server), ["open", "message", "error", "close"])
        self.assertEqual(len(self.tracebacks()), 1)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_valueOfBadClose(self) -> None:
        """A wrong close code is the application's own failure."""
        server = self.server(message=lambda connection, *_: connection.close(1001))
        alice = self.opened(server)
        alice.send(frame(TEXT, b"1"))
        self.assertEqual(alice.protocol.closeCodes, [1011])
        [traceback] = self.tracebacks()
        self.assertIn("close code 1001", traceback)

    def test_answers(self) -> None:
        """An answer that nobody waits for is no failure."""
        server = self.server(message=lambda *_: 42, open=lambda _: "hello")
        alice = self.opened(server)
        alice.send(frame(TEXT, b"1"))
        self.assertEqual(alice.protocol.frames, [])
        self.assertEqual(self.names(server), ["open", "message"])

    def test_sendToBroken(self) -> None:
        """Sending to another whose transport is broken is not the sender's failure."""

        def onMessage(connection: Any, payload: bytes, _: bool) -> None:
            for other in server.lookUp("bob:0"):
                other.send(payload)
            connection.send("sent")

        server = self.server(message=onMessage)
        alice, bob = self.opened(server), self.opened(server, "specialKey=bob")
        bob.transport.breaks = BROKEN
        alice.send(frame(TEXT, b"hi"))
        self.assertEqual(alice.protocol.texts, ["sent"])
        self.assertEqual(alice.protocol.closeCodes, [])


class OwnFaultTests(MemoryTestCase):
    """A fault of the server's own, too, ends no more than one connection."""

    def test_dialect(self) -> None:
        """It is logged; the peer is told 1011, and the others go on."""

        def broken(_: object) -> None:
            raise BROKEN

        server = self.factory()
        alice, bob = self.opened(server), self.opened(server, "specialKey=bob")
        self.patch(Raw, "received", lambda self, content: broken(content))
        alice.send(frame(TEXT, b"hello"))
        self.assertEqual(alice.protocol.closeCodes, [1011])
        self.assertIn("taking a message failed", self.logged()[-1])
        alice.send(closeFrame(1011))
        names = [call[:2] for call in self.calls(server)[-2:]]
        self.assertEqual(names, [("error", "alice"), ("close", "alice")])
        server.broadcast("still here")
        bob.flush()
        self.assertEqual(bob.protocol.texts, ["still here"])
