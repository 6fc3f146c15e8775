"""Tests of L{gows.wire.protocol}: takeovers, endings, the log."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.logger import ILogObserver, globalLogPublisher
from zope.interface.verify import verifyObject

from gows.interfaces import IConnection
from gows.wire.factory import GowsFactory
from tests.memory import (
    BINARY,
    BROKEN,
    CLOSE,
    PING,
    TEXT,
    Chat,
    MemoryTestCase,
    closeFrame,
    frame,
)
from tests.support import recorder


class Keeping(Chat):
    """
    An application that keeps its connections, and may be made to wait.

    @ivar connections: by their specialKeys
    @ivar busy: what C{onMessage} answers
    """

    def __init__(self, chat: Any) -> None:
        """Keep nobody yet."""
        super().__init__(chat)
        self.connections: dict[str, Any] = {}
        self.busy: Deferred[None] | None = None

    def onOpen(self, connection: Any) -> Any:
        """Keep it."""
        self.connections[connection.context.specialKey] = connection
        return super().onOpen(connection)

    def onMessage(self, connection: Any, message: Any) -> Any:
        """Pass it on, and wait."""
        super().onMessage(connection, message)
        return self.busy


class ProtocolTestCase(MemoryTestCase):
    """Tests with connections that a test can reach from both ends."""

    def server(self, **settings: Any) -> GowsFactory:
        """Make a server."""
        return self.factory(Keeping, **settings)

    def application(self, server: GowsFactory) -> Keeping:
        """Answer its application."""
        assert isinstance(server.application, Keeping)
        return server.application

    def errors(self, server: GowsFactory) -> list[str]:
        """Answer what the application was told of failures."""
        return [str(call[2].value) for call in self.calls(server) if call[0] == "error"]

    def end(self, server: GowsFactory) -> tuple[Any, ...]:
        """Answer the last callback."""
        return self.calls(server)[-1]


class ConnectionTests(ProtocolTestCase):
    """What applications are given."""

    def test_interface(self) -> None:
        """It is an L{IConnection}."""
        alice = self.opened(self.server())
        self.assertTrue(verifyObject(IConnection, alice.server))

    def test_send(self) -> None:
        """What is sent goes to that connection alone, in its form."""
        server = self.server(binary="relay")
        alice, bob = self.opened(server), self.opened(server, "specialKey=bob")
        connection = self.application(server).connections["alice"]
        connection.send("text")
        connection.send(b"more")
        connection.send(b"\xff", isBinary=True)
        alice.flush()
        bob.flush()
        self.assertEqual(
            alice.protocol.frames, [(0x81, b"text"), (0x81, b"more"), (0x82, b"\xff")]
        )
        self.assertEqual(bob.protocol.frames, [])

    def test_wrongPayloads(self) -> None:
        """What cannot be sent is told to who sends it, and nothing is sent."""
        server = self.server()
        alice = self.opened(server)
        connection = self.application(server).connections["alice"]
        self.assertRaises(UnicodeEncodeError, connection.send, "\ud800")
        self.assertRaises(ValueError, connection.send, "text", isBinary=True)
        alice.send(frame(TEXT, b"on"))
        self.assertEqual(alice.protocol.texts, ["on"])

    def test_close(self) -> None:
        """The peer gets code and reason; the answer ends the connection cleanly."""
        server = self.server()
        alice = self.opened(server)
        self.application(server).connections["alice"].close(3001, "Schluß")
        alice.flush()
        [(first, payload)] = alice.protocol.frames
        self.assertEqual((first, payload), (0x88, b"\x0b\xb9" + "Schluß".encode()))
        self.assertFalse(alice.protocol.isLost)
        alice.send(closeFrame(3001))
        self.assertTrue(alice.protocol.isLost)
        self.assertFalse(alice.transport.wasAborted)
        self.assertEqual(self.end(server), ("close", "alice", True, 3001))

    def test_closeDefault(self) -> None:
        """Without a code it is 1000."""
        server = self.server()
        alice = self.opened(server)
        self.application(server).connections["alice"].close()
        alice.flush()
        self.assertEqual(alice.protocol.closeCodes, [1000])

    def test_closeLongReason(self) -> None:
        """A reason is cut between characters so that the frame is a legal one."""
        server = self.server()
        alice = self.opened(server)
        self.application(server).connections["alice"].close(4000, "ä" * 100)
        alice.flush()
        [(_, payload)] = alice.protocol.frames
        self.assertEqual(payload[2:].decode(), "ä" * 61)

    def test_closeWrongCode(self) -> None:
        """A code that applications must not use raises, and nothing is closed."""
        server = self.server()
        alice = self.opened(server)
        connection = self.application(server).connections["alice"]
        for code in (0, 999, 1001, 1005, 1006, 1011, 2999, 5000):
            self.assertRaises(ValueError, connection.close, code)
        alice.send(frame(TEXT, b"on"))
        self.assertEqual(alice.protocol.texts, ["on"])

    def test_afterClose(self) -> None:
        """On a connection that is closing or gone, send and close do nothing."""
        server = self.server()
        alice = self.opened(server)
        connection = self.application(server).connections["alice"]
        connection.close(4000)
        for _ in range(2):
            connection.send("too late")
            connection.close(4001)
            alice.flush()
            self.assertEqual([f.opcode for f in alice.protocol.frames], [CLOSE])
            self.assertEqual(alice.protocol.closeCodes, [4000])
            alice.leave()
        self.assertRaises(ValueError, connection.close, 1001)

    def test_messagesAfterClose(self) -> None:
        """What a peer sends after it was told to close counts for nothing."""
        server = self.server()
        alice, bob = self.opened(server), self.opened(server, "specialKey=bob")
        self.application(server).connections["alice"].close()
        alice.send(frame(TEXT, b"late") + frame(BINARY, b"junk") + frame(PING, b"?"))
        bob.flush()
        self.assertEqual(bob.protocol.frames, [])
        self.assertEqual([f.opcode for f in alice.protocol.frames], [CLOSE])


class TakeoverTests(ProtocolTestCase):
    """A new connection with a live key replaces the old one."""

    def setUp(self) -> None:
        """Take alice over."""
        super().setUp()
        self.chat = self.server()
        self.old = self.opened(self.chat)
        self.new = self.opened(self.chat)
        self.old.flush()

    def test_told(self) -> None:
        """The old one is told why, and may answer in its time."""
        [(first, payload)] = self.old.protocol.frames
        self.assertEqual((first, payload[:2]), (0x88, (4001).to_bytes(2, "big")))
        self.assertIn(b"replaced", payload)
        self.assertFalse(self.old.protocol.isLost)

    def test_hearsNothing(self) -> None:
        """The old one hears nothing any more."""
        self.new.send(frame(TEXT, b"hi"))
        self.old.flush()
        self.assertEqual(self.new.protocol.texts, ["hi"])
        self.assertEqual(self.old.protocol.texts, [])

    def test_saysNothing(self) -> None:
        """Nothing that the old one sends counts any more."""
        self.old.send(frame(TEXT, b"I am alice"))
        self.new.flush()
        self.assertEqual(self.new.protocol.frames, [])
        self.assertNotIn("message", [call[0] for call in self.calls(self.chat)])

    def test_lateClose(self) -> None:
        """The old one's late close does not unregister the new one."""
        self.old.send(closeFrame(4001))
        self.assertTrue(self.old.protocol.isLost)
        self.assertEqual(self.end(self.chat), ("close", "alice", True, 4001))
        self.assertEqual(self.chat.lookUp("alice:0"), (self.new.server,))
        self.new.send(frame(TEXT, b"still here"))
        self.assertEqual(self.new.protocol.texts, ["still here"])

    def test_lateEnd(self) -> None:
        """Neither does its end without an answer, nor its being cut."""
        self.old.leave()
        self.assertEqual(self.end(self.chat), ("close", "alice", False, 4001))
        self.assertEqual(self.chat.lookUp("alice:0"), (self.new.server,))
        third = self.opened(self.chat)
        self.advance(10.1)
        self.new.flush()
        self.assertTrue(self.new.transport.wasAborted)
        self.assertEqual(self.chat.lookUp("alice:0"), (third.server,))

    def test_again(self) -> None:
        """Each of many takeovers in a row leaves one connection."""
        last = [self.opened(self.chat) for _ in range(10)][-1]
        self.assertEqual(self.chat.lookUp("alice:0"), (last.server,))
        self.assertEqual(len(self.chat.registry), 1)

    def test_brokenOld(self) -> None:
        """An old one whose transport is broken does not keep the new one out."""
        self.new.transport.breaks = BROKEN
        third = self.opened(self.chat)
        third.send(frame(TEXT, b"hi"))
        self.assertEqual(third.protocol.texts, ["hi"])
        self.assertEqual(self.chat.lookUp("alice:0"), (third.server,))

    def test_messagesBefore(self) -> None:
        """What the old one was sent before is not lost."""
        self.new.transport.peerReads = False
        self.chat.broadcast("before")
        third = self.opened(self.chat)
        self.new.transport.peerReads = True
        self.new.flush()
        third.flush()
        self.assertEqual([f.opcode for f in self.new.protocol.frames], [TEXT, CLOSE])
        self.assertEqual(third.protocol.frames, [])


class LogTests(ProtocolTestCase):
    """One event when a connection opens, one when it ends, and no secrets."""

    def test_lines(self) -> None:
        """They say who, from where, for how long, what codes, how many messages."""
        server = self.server()
        alice = self.opened(server, "specialKey=alice-in-wonderland&support_gzip=1")
        bob = self.opened(server, "specialKey=bob")
        self.clock.advance(2.5)
        alice.send(frame(TEXT, b"one") + frame(TEXT, b"two"))
        bob.send(frame(TEXT, b"three"))
        alice.send(closeFrame(4321, b"because"))
        self.assertEqual(
            self.logged(),
            [
                "opened alic…:1 from 203.0.113.7, 1 open",
                "opened b…:0 from 203.0.113.7, 2 open",
                "closed alic…:1 from 203.0.113.7 after 2.500 s, code sent 4321, "
                "received 4321, messages in 2, out 3, dropped 0, "
                "ignored 0",
            ],
        )
        for event in self.events:
            self.assertEqual(event["log_namespace"], "gows.connection")
            self.assertEqual(event["log_level"].name, "info")

    def test_cut(self) -> None:
        """Who sent no close frame has no code."""
        server = self.server()
        self.opened(server).leave()
        self.assertIn("code sent -, received -, messages in 0", self.logged()[-1])

    def test_noSecrets(self) -> None:
        """Neither payloads nor the query nor a whole key are logged at any level."""
        server = self.server(binary="relay")
        alice = self.opened(server, "specialKey=SECRETKEY&token=SECRETTOKEN")
        alice.send(frame(TEXT, b"SECRETTEXT") + frame(BINARY, b"SECRETBYTES"))
        alice.send(frame(PING, b"SECRETPING"))
        alice.send(closeFrame(4000, b"SECRETREASON"))
        bad = self.opened(server, "specialKey=SECRETKEY")
        bad.send(frame(TEXT, b"SECRET\xff"))
        bad.leave(ConnectionLost("broken"))
        self.assertEqual(len(self.events), 4)
        said = f"{self.logged()} {self.events}"
        for secret in ("SECRETK", "SECRETT", "SECRETB", "SECRETP", "SECRETR", "token"):
            self.assertNotIn(secret, said)

    def test_nothingElse(self) -> None:
        """Autobahn's own lines, which hold whole requests, are not logged."""
        lines, observe = recorder()
        observer = cast(ILogObserver, observe)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        server = self.server()
        alice = self.opened(server)
        alice.send(frame(TEXT, b"hi") + frame(PING) + frame(3))
        alice.leave(ConnectionLost("broken"))
        self.ask(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        self.wire(server).send(
            b"GET /?specialKey=a HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
        )
        self.advance(20)
        self.assertEqual(lines, [])

    def test_keysAreEscaped(self) -> None:
        """Characters that would disturb a terminal are escaped."""
        self.opened(self.server(), "specialKey=%E2%80%AE%E2%80%AE%E2%80%AEabcdef")
        self.assertIn("opened \\u202e\\u202e\\u202e…:0 from", self.logged()[0])


class EndingTests(ProtocolTestCase):
    """However it ends, an application hears of it once, after all the rest."""

    def test_lostWhileClosing(self) -> None:
        """A line that breaks while we close is an unclean end with our code."""
        server = self.server()
        alice = self.opened(server)
        self.application(server).connections["alice"].close(4000)
        alice.leave(ConnectionLost("broken"))
        self.assertEqual(
            self.errors(server),
            ["Connection to the other side was lost in a non-clean fashion: broken."],
        )
        self.assertEqual(self.end(server), ("close", "alice", False, 4000))

    def test_withoutCode(self) -> None:
        """A close frame without a code is 1005, as RFC 6455 has it."""
        server = self.server()
        self.opened(server).send(closeFrame())
        self.assertEqual(self.end(server), ("close", "alice", True, 1005))

    def test_bothClose(self) -> None:
        """When both close at once, each one's frame answers the other's."""
        server = self.server()
        alice = self.opened(server)
        alice.protocol.transport.write(closeFrame(3000))
        self.application(server).connections["alice"].close(4000)
        alice.flush()
        self.assertEqual(alice.protocol.closeCodes, [4000])
        self.assertTrue(alice.protocol.isLost)
        self.assertEqual(self.end(server), ("close", "alice", True, 4000))

    def test_once(self) -> None:
        """There is one onClose for each onOpen, in every case."""
        endings = {
            "peer": lambda alice: alice.send(closeFrame(1000)),
            "drop": lambda alice: alice.leave(),
            "reset": lambda alice: alice.leave(ConnectionLost("broken")),
            "refused": lambda alice: alice.send(frame(3) + closeFrame(1002)),
            "application": lambda alice: alice.server.close(),
            "silent": lambda alice: None,
        }
        for name, ending in endings.items():
            server = self.server()
            alice = self.opened(server)
            ending(alice)
            self.advance(60)
            alice.flush()
            calls = [call[0] for call in self.calls(server)]
            self.assertEqual(calls.count("open"), 1, name)
            self.assertEqual(calls.count("close"), 1, name)
            self.assertEqual(calls[-1], "close", name)
            self.assertLessEqual(calls.count("error"), 1, name)
            self.assertEqual(len(server.registry), 0, name)
            self.assertEqual(self.clock.getDelayedCalls(), [], name)

    def test_halfAFrame(self) -> None:
        """A frame that is cut off by the end is no message."""
        server = self.server()
        alice = self.opened(server)
        alice.send(frame(TEXT, b"half")[:-1])
        alice.leave()
        self.assertEqual([call[0] for call in self.calls(server)], ["open", "close"])

    def test_nothingIsSentTwice(self) -> None:
        """All that left for a peer is whole frames, to the last byte."""
        server = self.server()
        alice = self.opened(server)
        alice.transport.peerReads = False
        for number in range(50):
            server.broadcast(f"{number}" * 1000)
            alice.send(frame(PING, b"%d" % number))
        alice.send(closeFrame(1000))
        alice.transport.peerReads = True
        alice.flush()
        frames = alice.protocol.frames
        self.assertEqual(len(frames), 101)
        self.assertEqual(frames[-1].opcode, CLOSE)
