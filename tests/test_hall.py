"""Tests for L{gows.wire.hall}: who is here, in which rooms."""

from __future__ import annotations

from gows.chat.audience import toKey, toRoom
from gows.chat.message import Message
from tests.memory import CLOSE, Client, MemoryTestCase, frame


class HallTests(MemoryTestCase):
    """Connections come, are in rooms, and go."""

    def setUp(self) -> None:
        """Have Alice and Bob come."""
        super().setUp()
        self.server = self.factory()
        self.hall = self.server.hall
        self.alice = self.opened(self.server)
        self.bob = self.opened(self.server, "specialKey=bob")

    def say(self, text: str, room: str) -> None:
        """Say something in a room."""
        self.hall.deliver(Message.of(text, audience=toRoom(room)))

    def texts(self, client: Client) -> list[str]:
        """Answer what somebody has heard."""
        client.flush()
        texts: list[str] = client.protocol.texts
        return texts

    def test_rooms(self) -> None:
        """A connection knows where it is; to join twice changes nothing."""
        connection = self.alice.server
        self.assertEqual(connection.rooms, ("*",))
        for _ in range(2):
            self.hall.join(connection, "a")
        self.assertEqual(connection.rooms, ("*", "a"))
        self.say("hi", "a")
        self.assertEqual(self.texts(self.alice), ["hi"])
        for _ in range(2):
            self.hall.leave(connection, "*")
        self.assertEqual(connection.rooms, ("a",))
        self.assertEqual(self.hall.who("*").keys, ("bob",))

    def test_several(self) -> None:
        """What several rooms are told in one turn reaches who is in both, in order."""
        for room in "ab":
            self.hall.join(self.alice.server, room)
        self.hall.join(self.bob.server, "b")
        for number in range(6):
            self.say(str(number), "ab"[number % 2])
        self.assertEqual(self.texts(self.bob), ["1", "3", "5"])
        heard = self.texts(self.alice)
        for parity in (0, 1):
            mine = [text for text in heard if int(text) % 2 == parity]
            self.assertEqual(mine, sorted(mine))
        self.assertEqual(sorted(heard), [*"012345"])

    def test_person(self) -> None:
        """A person is reached on all connections, in one frame for all."""
        other = self.opened(self.server, "specialKey=alice&support_gzip=1")
        self.assertTrue(self.hall.isHere("alice"))
        self.assertFalse(self.hall.isHere("zoe"))
        self.hall.deliver(Message.of("psst", audience=toKey("alice")))
        self.hall.deliver(Message.of("nobody", audience=toKey("zoe")))
        other.flush()
        self.assertEqual(self.texts(self.alice), ["psst"])
        self.assertEqual(len(other.protocol.frames), 1)
        self.assertEqual(self.texts(self.bob), [])

    def test_readers(self) -> None:
        """It is known to how many connections a message goes."""
        self.opened(self.server, "specialKey=alice&support_gzip=1&room=a")
        for audience, count in (
            (toRoom("*"), 2),
            (toRoom("a"), 1),
            (toRoom("b"), 0),
            (toKey("alice"), 2),
            (toKey("zoe"), 0),
        ):
            self.assertEqual(self.hall.readers(audience), count, audience)
        self.assertEqual(dict(self.hall.people()), {"*": 2, "a": 1})
        self.assertEqual(self.hall.keys("*"), ("alice", "bob"))

    def test_closing(self) -> None:
        """Who is closing is in no room, but gets what was said before."""
        self.hall.join(self.alice.server, "a")
        self.hall.watch(self.alice.server, "a")
        self.say("before", "a")
        self.alice.server.close(1000)
        self.say("after", "a")
        self.assertEqual(self.texts(self.alice), ["before"])
        self.assertEqual((self.alice.server.rooms, self.alice.server.watched), ((), ()))
        self.assertEqual(self.hall.who("a").people, 0)

    def test_nothingLeft(self) -> None:
        """When all are gone, nothing is left of them or of their rooms."""
        for client in (self.alice, self.bob):
            self.hall.join(client.server, "a")
            self.hall.watch(client.server, "*")
        self.alice.send(frame(CLOSE))
        self.bob.leave()
        self.assertEqual(len(self.hall.registry), 0)
        self.assertEqual(self.hall._fanOut._audiences, {})
        self.assertEqual([*self.hall._presence.rooms()], [])
        self.assertEqual(self.hall.rooms, 0)
        self.assertFalse(self.hall.exit(self.bob.server))
