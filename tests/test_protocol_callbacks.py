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
from tests.memory import (
    BROKEN,
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
