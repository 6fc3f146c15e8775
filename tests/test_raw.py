"""Tests for L{gows.dialects.raw}: each message is what is said."""

from __future__ import annotations

from typing import Any

from gows.chat.grant import Grant, RoomRights
from gows.wire.factory import GowsFactory
from tests.memory import BINARY, TEXT, Client, MemoryTestCase, frame, opening
from tests.test_conversation import Granting


class RawTestCase(MemoryTestCase):
    """Some are raw."""

    def granting(self, rooms: dict[str, str], **settings: Any) -> GowsFactory:
        """Make a server where everybody has these rights."""
        server = self.factory(Granting, **settings)
        assert isinstance(server.application, Granting)
        server.application.grant = Grant(RoomRights.of(rooms))
        return server

    def texts(self, *clients: Client) -> list[list[str]]:
        """Answer what each has heard."""
        for client in clients:
            client.flush()
        return [client.protocol.texts for client in clients]


class RoomTests(RawTestCase):
    """A URL may name a room."""

    def test_room(self) -> None:
        """What is said in a room is heard there, and nowhere else."""
        server = self.factory()
        queries = ("specialKey=a", "specialKey=b&room=x", "specialKey=c&room=x")
        clients = [self.opened(server, query) for query in queries]
        other = self.opened(server, "specialKey=d&room=y")
        clients[1].send(frame(TEXT, b"in x"))
        clients[0].send(frame(TEXT, b"to all"))
        self.assertEqual(
            self.texts(*clients, other), [["to all"], ["in x"], ["in x"], []]
        )

    def test_refused(self) -> None:
        """What is no room's name is refused."""
        answer = self.ask(self.factory(), opening("specialKey=a&room=a%20b"))
        self.assertEqual(answer.status, 400)
        self.assertIn("1 to 64 letters", answer.body.decode())


class RightsTests(RawTestCase):
    """What one may not say is dropped and counted."""

    def test_write(self) -> None:
        """Who may only read is not heard, and stays."""
        server = self.granting({"lobby": "r"})
        client = self.opened(server, "specialKey=a&room=lobby")
        for _ in range(3):
            client.send(frame(TEXT, b"hi"))
        self.assertEqual(self.texts(client), [[]])
        client.leave()
        self.assertIn("messages in 3, out 0, dropped 0, ignored 3", self.logged()[-1])

    def test_read(self) -> None:
        """Who may only write is heard, and hears nothing."""
        server = self.granting({"lobby": "w"})
        writer = self.opened(server, "specialKey=a&room=lobby")
        writer.send(frame(TEXT, b"hi"))
        self.assertEqual(self.texts(writer), [[]])
        self.assertEqual(self.calls(server)[-1], ("message", "a", b"hi"))

    def test_neither(self) -> None:
        """Who may neither in everyone's room hears what is said to it alone."""
        server = self.granting({})
        client = self.opened(server, "specialKey=a")
        server.broadcast("to all")
        client.send(frame(TEXT, b"hi"))
        [connection] = server.connectionsOf("a")
        connection.send("to you")
        self.assertEqual(self.texts(client), [["to you"]])


class RatesTests(RawTestCase):
    """Too much is dropped, and counted; who goes on is closed."""

    def test_dropped(self) -> None:
        """A burst passes, the next ones do not, and later others do."""
        server = self.factory(rate=2)
        client = self.opened(server)
        for number in range(6):
            client.send(frame(TEXT, b"%d" % number))
        self.clock.advance(0.6)
        client.send(frame(TEXT, b"later"))
        self.assertEqual(self.texts(client), [["0", "1", "2", "3", "later"]])
        self.assertEqual(client.protocol.closeCodes, [])

    def test_closed(self) -> None:
        """Another burst's worth is the end, in one segment too."""
        server = self.factory(rate=2)
        client = self.opened(server)
        client.send(b"".join(frame(TEXT, b"x") for _ in range(50)))
        self.assertEqual(client.protocol.closeCodes, [1008])
        self.assertEqual(self.texts(client), [["x"] * 4])
        client.leave()
        self.assertIn("code sent 1008", self.logged()[-1])
        self.assertIn("out 4, dropped 0, ignored 6", self.logged()[-1])

    def test_sustained(self) -> None:
        """A steady stream at the rate passes whole, for minutes."""
        server = self.factory(rate=4, pingInterval=0)
        client = self.opened(server)
        for _ in range(4 * 60 * 3):
            self.clock.advance(0.25)
            client.send(frame(TEXT, b"x"))
        self.assertEqual(len(self.texts(client)[0]), 4 * 60 * 3)

    def test_bytes(self) -> None:
        """Bytes count as they are on the wire, binary ones too."""
        server = self.factory(byteRate=100, binary="relay")
        client = self.opened(server)
        client.send(frame(BINARY, b"x" * 250))
        client.send(frame(TEXT, b"hi"))
        self.clock.advance(0.6)
        client.send(frame(TEXT, b"ho"))
        self.assertEqual(self.texts(client), [["ho"]])
        self.assertEqual(client.protocol.closeCodes, [])
