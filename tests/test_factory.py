"""Tests of L{gows.wire.factory}: one message to many, and who is here."""

from __future__ import annotations

import gzip
from typing import Any

from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from gows.chat.inbound import gzipText
from gows.interfaces import IChat, IConnection
from gows.wire import frames as framesModule
from gows.wire.factory import GowsFactory
from tests.memory import (
    BINARY,
    BROKEN,
    DEFLATE,
    TEXT,
    Chat,
    Client,
    MemoryTestCase,
    closeFrame,
    frame,
)


class BroadcastTests(MemoryTestCase):
    """A message goes to everyone, in each one's form."""

    def test_interface(self) -> None:
        """To applications the factory is an L{IChat}."""
        self.assertTrue(verifyObject(IChat, self.factory()))

    def test_payloads(self) -> None:
        """Strings and bytes are text; bytes may be binary."""
        server = self.factory()
        alice = self.opened(server)
        server.broadcast("Grüße")
        server.broadcast(b"bytes")
        server.broadcast(b"\xff\x00", isBinary=True)
        server.broadcast("")
        alice.flush()
        self.assertEqual(
            alice.protocol.frames,
            [
                (0x81, "Grüße".encode()),
                (0x81, b"bytes"),
                (0x82, b"\xff\x00"),
                (0x81, b""),
            ],
        )

    def test_wrongPayloads(self) -> None:
        """What cannot be sent raises, and nobody hears anything."""
        server = self.factory()
        alice = self.opened(server)
        self.assertRaises(UnicodeEncodeError, server.broadcast, "\ud800")
        self.assertRaises(ValueError, server.broadcast, "text", isBinary=True)
        alice.flush()
        self.assertEqual(alice.protocol.frames, [])

    def test_nobody(self) -> None:
        """Where nobody is, nothing is made."""
        made = self.countGzip()
        self.factory().broadcast("anybody?")
        self.assertEqual(made, [])

    def countGzip(self) -> list[bytes]:
        """Answer a list that grows with each gzip payload that is made."""
        made: list[bytes] = []

        def counting(payload: bytes, level: int) -> bytes:
            made.append(payload)
            return gzipText(payload, level)

        self.patch(framesModule, "gzipText", counting)
        return made

    def countFrames(self) -> list[object]:
        """Answer a list that grows with each frame that is made."""
        made: list[object] = []
        original = framesModule._framed

        def counting(firstByte: int, payload: bytes) -> bytes:
            made.append(payload)
            return original(firstByte, payload)

        self.patch(framesModule, "_framed", counting)
        return made

    def test_madeOnce(self) -> None:
        """Each form is made once, however many read it, and only if somebody does."""
        server = self.factory(compressThreshold=0)
        zipped, made = self.countGzip(), self.countFrames()
        for number in range(5):
            self.opened(server, f"specialKey={number}")
        server.broadcast("plain" * 9)
        self.assertEqual((len(zipped), len(made)), (0, 1))
        for number in range(5):
            self.opened(server, f"specialKey={number}&support_gzip=1")
        server.broadcast("and gzip" * 9)
        self.assertEqual((len(zipped), len(made)), (1, 3))
        for number in range(4):
            self.opened(
                server,
                f"specialKey=d{number}",
                Sec_WebSocket_Extensions=(
                    f"{DEFLATE}; server_max_window_bits={10 + number % 2}"
                ),
            )
        server.broadcast("and two windows" * 9)
        self.assertEqual((len(zipped), len(made)), (2, 7))
        server.broadcast(b"binary" * 9, isBinary=True)
        self.assertEqual((len(zipped), len(made)), (2, 10))

    def test_onlyGzip(self) -> None:
        """Where only gzip readers are, no plain form is made."""
        server = self.factory()
        made = self.countFrames()
        self.opened(server, "specialKey=a&support_gzip=1").send(frame(TEXT, b"x"))
        self.assertEqual(len(made), 1)

    def test_shared(self) -> None:
        """The bytes of a form are shared, not copied, on the way to all sockets."""
        server = self.factory()
        for suffix in ("", "&support_gzip=1"):
            clients = [self.opened(server, f"specialKey={n}{suffix}") for n in "abc"]
            server.broadcast("x" * 1000)
            self.clock.advance(0)
            [one, two, three] = [client.transport.stream[-1] for client in clients]
            self.assertIs(one, two)
            self.assertIs(two, three)

    def test_whileDelivering(self) -> None:
        """What is said in answer to a message comes after it, for all."""

        class Answering(Chat):
            def onMessage(self, connection: Any, message: Any) -> Any:
                self.chat.publish(message)
                if message.text == "ping":
                    self.chat.broadcast("pong")
                    connection.send("only you")

        server = self.factory(Answering)
        clients = [self.opened(server, f"specialKey={name}") for name in "abc"]
        clients[1].send(frame(TEXT, b"ping") + frame(TEXT, b"end"))
        for client in clients:
            client.flush()
        self.assertEqual(clients[0].protocol.texts, ["ping", "pong", "end"])
        self.assertEqual(clients[1].protocol.texts, ["ping", "pong", "only you", "end"])
        self.assertEqual(clients[2].protocol.texts, ["ping", "pong", "end"])

    def test_notOpenYet(self) -> None:
        """Who is not open yet, or asks for the page only, hears nothing."""
        server = self.factory()
        waiting = self.wire(server)
        waiting.send(b"GET /?specialKey=a HTTP/1.1\r\n")
        server.broadcast("hello")
        waiting.flush()
        self.assertEqual(waiting.protocol.received, b"")

    def test_joinsMeanwhile(self) -> None:
        """Who comes later hears what is said from then on."""
        server = self.factory()
        alice = self.opened(server)
        server.broadcast("before")
        bob = self.opened(server, "specialKey=bob")
        server.broadcast("after")
        for client in (alice, bob):
            client.flush()
        self.assertEqual(alice.protocol.texts, ["before", "after"])
        self.assertEqual(bob.protocol.texts, ["after"])

    def test_mixedReaders(self) -> None:
        """All forms of one message hold the same text."""
        server = self.factory()
        plain = self.opened(server, "specialKey=p")
        zipped = self.opened(server, "specialKey=p&support_gzip=1")
        plain.send(frame(BINARY, gzip.compress("süß".encode())))
        zipped.flush()
        self.assertEqual(plain.protocol.texts, ["süß"])
        [received] = zipped.protocol.frames
        self.assertEqual(gzip.decompress(received.payload).decode(), "süß")


class Telling(Chat):
    """An application that tells everybody of errors and ends."""

    def onError(self, connection: IConnection, failure: Failure) -> Any:
        """Tell."""
        super().onError(connection, failure)
        self.chat.broadcast(f"{connection.context.specialKey} has trouble")

    def onClose(
        self, connection: IConnection, wasClean: bool, code: int, reason: str
    ) -> Any:
        """Tell."""
        super().onClose(connection, wasClean, code, reason)
        self.chat.broadcast(f"{connection.context.specialKey} is gone")


class FailingReceiverTests(MemoryTestCase):
    """One failing receiver never stops the rest, nor the sender."""

    def setUp(self) -> None:
        """Have three clients, the second one's transport broken."""
        super().setUp()
        self.chat: GowsFactory = self.factory(Telling)
        self.clients: list[Client] = [
            self.opened(self.chat, f"specialKey={name}") for name in "abc"
        ]
        self.clients[1].transport.breaks = BROKEN

    def flush(self) -> None:
        """Move all bytes."""
        for client in self.clients * 2:
            client.flush()

    def test_others(self) -> None:
        """All others read on, those behind it as well."""
        self.clients[0].send(frame(TEXT, b"one"))
        self.clients[2].send(frame(TEXT, b"two"))
        self.flush()
        expected = ["one", "two", "b has trouble", "b is gone"]
        for client in (self.clients[0], self.clients[2]):
            self.assertEqual(sorted(client.protocol.texts), sorted(expected))
        self.assertEqual(self.clients[0].protocol.texts, self.clients[2].protocol.texts)

    def test_dropped(self) -> None:
        """It is cut, logged with the traceback, and its application is told."""
        self.clients[1].transport.breaks = RuntimeError("this transport is broken")
        self.clients[0].send(frame(TEXT, b"one"))
        self.assertEqual(self.chat.lookUp("b:0"), ())
        self.flush()
        self.assertTrue(self.clients[1].protocol.isLost)
        failures = [e["log_failure"] for e in self.events if "log_failure" in e]
        self.assertEqual(len(failures), 1)
        self.assertIn("this transport is broken", failures[0].getTraceback())
        told = [call for call in self.calls(self.chat) if call[1] == "b"]
        self.assertEqual([call[0] for call in told], ["open", "error", "close"])
        self.assertTrue(told[1][2].check(RuntimeError))
        self.assertEqual(told[2], ("close", "b", False, 1006))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_gone(self) -> None:
        """A peer that is gone is no fault of ours: there is no traceback."""
        self.clients[0].send(frame(TEXT, b"one"))
        self.flush()
        self.assertTrue(self.clients[1].protocol.isLost)
        self.assertEqual([e for e in self.events if "log_failure" in e], [])
        told = [call for call in self.calls(self.chat) if call[1] == "b"]
        self.assertEqual([call[0] for call in told], ["open", "error", "close"])
        self.assertTrue(told[1][2].check(OSError))

    def test_isSender(self) -> None:
        """Even if it is the sender itself, all others read what it said."""
        self.clients[1].send(frame(TEXT, b"last words"))
        self.flush()
        for client in (self.clients[0], self.clients[2]):
            self.assertEqual(client.protocol.texts[0], "last words")
        self.assertNotIn(
            "error", [c[0] for c in self.calls(self.chat) if c[1] in ("a", "c")]
        )
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_all(self) -> None:
        """When all fail, all are dropped."""
        for client in self.clients:
            client.transport.breaks = BROKEN
        self.chat.broadcast("hello")
        self.flush()
        self.assertEqual(len(self.chat.registry), 0)
        self.assertEqual(self.flushLoggedErrors(), [])


class LookUpTests(MemoryTestCase):
    """Connections are found by their keys."""

    def test_key(self) -> None:
        """The key is the specialKey and whether it reads gzip."""
        server = self.factory()
        plain = self.opened(server, "specialKey=a:1")
        zipped = self.opened(server, "specialKey=a:1&support_gzip=1")
        self.assertEqual(server.lookUp("a:1:0"), (plain.server,))
        self.assertEqual(server.lookUp("a:1:1"), (zipped.server,))
        for nobody in ("a:1", "a", "", "a:1:", "a:0", "b:0"):
            self.assertEqual(server.lookUp(nobody), (), nobody)

    def test_gone(self) -> None:
        """Who is closing or gone is not found."""
        server = self.factory()
        alice = self.opened(server)
        alice.server.close()
        self.assertEqual(server.lookUp("alice:0"), ())
        self.assertEqual(len(server.registry), 0)
        alice.send(closeFrame(1000))
        self.assertEqual(server.lookUp("alice:0"), ())

    def test_allow(self) -> None:
        """Where several may share a key, the oldest is first."""
        server = self.factory(duplicate="allow")
        clients = [self.opened(server) for _ in range(3)]
        self.assertEqual(
            server.lookUp("alice:0"), tuple(client.server for client in clients)
        )
        clients[1].leave()
        self.assertEqual(
            server.lookUp("alice:0"), (clients[0].server, clients[2].server)
        )


class TimersTests(MemoryTestCase):
    """Autobahn's timers are exact, and by the reactor that the factory is given."""

    def test_exact(self) -> None:
        """Each is there for its very time: whole seconds are nothing special."""
        self.clock.advance(0.25)
        server = self.factory(
            handshakeTimeout=0.5, pingInterval=0.75, pingTimeout=0.5, closeTimeout=1.75
        )
        alice = self.wire(server)

        def times() -> list[float]:
            return [call.getTime() for call in self.clock.getDelayedCalls()]

        self.assertEqual(times(), [0.75])
        alice.leave()
        self.assertEqual(times(), [])
        bob = self.opened(server)
        self.assertEqual(times(), [1.0])
        self.clock.advance(0.75)
        self.assertEqual(times(), [1.5])
        bob.server.close()
        self.clock.advance(0)
        self.assertEqual(times(), [1.5, 2.75])

    def test_peersAreForgotten(self) -> None:
        """What is gone leaves no timer and no trace in the factory."""
        server = self.factory()
        for number in range(5):
            client = self.opened(server, f"specialKey={number}")
            client.send(closeFrame(1000))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(server.registry), 0)
        self.assertEqual(server.countConnections, 0)
        self.assertEqual(len(server._notGone), 0)
