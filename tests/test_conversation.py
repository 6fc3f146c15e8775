"""Tests for L{gows.dialects.conversation}: gows.v1 on one connection."""

from __future__ import annotations

import gzip
import json
from typing import Any

from hypothesis import given, settings
from twisted.internet.defer import Deferred

from gows.chat.grant import Grant, RoomRights
from gows.chat.presence import LINGER
from gows.wire.factory import GowsFactory
from tests.memory import BINARY, CLOSE, PING, TEXT, Chat, MemoryTestCase, Talker, frame
from tests.test_reading import VALUES

PROPERTY = settings(max_examples=60, deadline=None, database=None, derandomize=True)

V1 = {"Sec_WebSocket_Protocol": "gows.v1"}


class Granting(Chat):
    """An application that grants what a test says."""

    grant = Grant()

    def onConnect(self, request: Any) -> Any:
        """Grant it to everybody."""
        context = request.context
        return type(context)(
            context.specialKey, context.supportGzip, room=context.room, grant=self.grant
        )


class ConversationTestCase(MemoryTestCase):
    """
    Alice and Bob speak gows.v1, Ron is raw.

    @ivar server: where they are
    """

    def setUp(self) -> None:
        """Have them come."""
        super().setUp()
        self.server = self.factory()
        self.alice = self.talker(self.server)
        self.bob = self.talker(self.server, "specialKey=bob")
        self.ron = self.opened(self.server, "specialKey=ron")

    def granted(self, name: str, grant: Grant) -> Talker:
        """Have somebody come to another server, with these rights there."""
        server = self.factory(Granting)
        assert isinstance(server.application, Granting)
        server.application.grant = grant
        return self.talker(server, f"specialKey={name}")

    def raw(self, text: str) -> None:
        """Have Ron say something."""
        self.ron.send(frame(TEXT, text.encode()))

    def texts(self) -> list[str]:
        """Answer all that Ron has heard."""
        self.ron.flush()
        texts: list[str] = self.ron.protocol.texts
        return texts


class WelcomeTests(ConversationTestCase):
    """The first thing that is said is welcome."""

    def test_welcome(self) -> None:
        """It says who the client is, where, and what it has to keep to."""
        self.clock.advance(1234.5)
        server = self.factory(rate=5, maxRooms=7)
        client = self.opened(server, "specialKey=Zo%C3%AB&room=lobby", **V1)
        [text] = client.protocol.texts
        welcome = json.loads(text)
        self.assertRegex(welcome.pop("session"), r"\A[0-9a-f]{16}\Z")
        self.assertEqual(
            welcome,
            {
                "type": "welcome",
                "key": "Zoë",
                "rooms": ["lobby"],
                "time": 1234500,
                "limits": {
                    "message_size": 65536,
                    "rooms": 7,
                    "depth": 64,
                    "errors": 10,
                    "presence": 200,
                    "rate": 5.0,
                },
            },
        )

    def test_everyone(self) -> None:
        """Without a room in the URL one is in everyone's."""
        client = self.opened(self.server, "specialKey=cid", **V1)
        self.assertEqual(json.loads(client.protocol.texts[0])["rooms"], ["*"])

    def test_subprotocol(self) -> None:
        """The dialect that was chosen is in the answer; no other is."""
        for offered, chosen in (
            ("gows.v1", b"gows.v1"),
            ("x, gows.raw, gows.v1", b"gows.raw"),
            ("gows.v2, gows.v1", b"gows.v1"),
            ("gows.v2", None),
        ):
            client = self.opened(self.server, Sec_WebSocket_Protocol=offered)
            head = client.protocol.received.partition(b"\r\n\r\n")[0]
            if chosen is None:
                self.assertNotIn(b"Sec-WebSocket-Protocol", head)
            else:
                self.assertIn(b"\r\nSec-WebSocket-Protocol: " + chosen + b"\r\n", head)

    def test_nothingForRaw(self) -> None:
        """A raw client is not told anything, whether it names its dialect or not."""
        client = self.opened(self.server, Sec_WebSocket_Protocol="gows.raw")
        self.assertEqual((client.protocol.texts, self.texts()), ([], []))


class PublishTests(ConversationTestCase):
    """What is said is heard by those for whom it is."""

    def test_everyone(self) -> None:
        """Everyone hears it, the speaker too; the ack comes after acceptance."""
        self.alice.say(type="publish", to="everyone", data={"a": 1}, id=1)
        message = {"type": "message", "room": "*", "from": "alice", "data": {"a": 1}}
        ack = {"type": "ack", "id": 1}
        self.assertCountEqual(self.alice.heard(), [ack, message])
        self.assertEqual(self.bob.heard(), [message])
        self.assertEqual(self.texts(), ['{"a": 1}'])

    def test_string(self) -> None:
        """A string is plain text for raw readers."""
        self.alice.say(type="publish", to="everyone", data='Grüße\n"x"')
        self.assertEqual(self.bob.heard()[0]["data"], 'Grüße\n"x"')
        self.assertEqual(self.texts(), ['Grüße\n"x"'])

    def test_fromRaw(self) -> None:
        """What a raw client says is a string."""
        self.raw('{"a": 1}')
        [message] = self.bob.heard()
        self.assertEqual((message["data"], message["from"]), ('{"a": 1}', "ron"))

    def test_ids(self) -> None:
        """Messages have ids of their own, the same for all, and the time."""
        self.clock.advance(10)
        for _ in range(2):
            self.raw("x")
        self.alice.heard()
        self.bob.heard()
        heard = [
            [json.loads(text) for text in talker.client.protocol.texts[1:]]
            for talker in (self.alice, self.bob)
        ]
        self.assertEqual(heard[0], heard[1])
        first, second = heard[0]
        self.assertNotEqual(first["id"], second["id"])
        self.assertEqual(first["time"], 10_000)

    def test_noAck(self) -> None:
        """Without an id there is no ack."""
        self.alice.say(type="publish", to="everyone", data=1)
        self.assertEqual([one["type"] for one in self.alice.heard()], ["message"])

    def test_room(self) -> None:
        """Who is in a room hears it; the speaker need not be there."""
        self.bob.say(type="join", room="lobby")
        ack = self.alice.ask(type="publish", to={"room": "lobby"}, data=[2], id="x")
        self.assertEqual(ack, {"type": "ack", "id": "x"})
        self.assertEqual(
            self.bob.heard(),
            [{"type": "message", "room": "lobby", "from": "alice", "data": [2]}],
        )
        self.assertEqual(self.texts(), [])

    def test_emptyRoom(self) -> None:
        """A room with nobody in it is no error."""
        ack = self.alice.ask(type="publish", to={"room": "nowhere"}, data=1, id=1)
        self.assertEqual(ack["type"], "ack")

    def test_person(self) -> None:
        """A person hears it on all connections, and nobody else does."""
        gzipped = self.opened(self.server, "specialKey=bob&support_gzip=1")
        ack = self.alice.ask(type="publish", to={"key": "bob"}, data="psst", id=1)
        self.assertEqual(ack, {"type": "ack", "id": 1})
        self.assertEqual(
            self.bob.heard(),
            [{"type": "message", "key": "bob", "from": "alice", "data": "psst"}],
        )
        gzipped.flush()
        [data] = [f.payload for f in gzipped.protocol.frames if f.opcode == BINARY]
        self.assertEqual(gzip.decompress(data), b"psst")
        self.assertEqual(self.texts(), [])

    def test_toRaw(self) -> None:
        """A raw client hears what is said to it as text."""
        self.alice.say(type="publish", to={"key": "ron"}, data="psst")
        self.assertEqual(self.texts(), ["psst"])

    def test_absent(self) -> None:
        """Who is not here cannot be spoken to; the connection stays."""
        error = self.alice.ask(type="publish", to={"key": "zoe"}, data=1, id=5)
        self.assertEqual(error["code"], "absent")
        self.assertEqual((error["id"], error["field"]), (5, "to.key"))
        for _ in range(50):
            self.alice.say(type="publish", to={"key": "zoe"}, data=1)
        self.assertEqual(self.alice.client.protocol.closeCodes, [])

    def test_loneSurrogate(self) -> None:
        """Half of a character is refused: raw readers could not be told."""
        error = self.alice.ask(type="publish", to="everyone", data="\ud800", id=1)
        self.assertIn(error["code"], ("invalid", "malformed"))

    @PROPERTY
    @given(VALUES)
    def test_anyData(self, value: Any) -> None:
        """Any JSON arrives as it was said."""
        self.alice.say(type="publish", to="everyone", data=value)
        [message] = self.bob.heard()
        self.assertEqual(message["data"], value)

    def test_gzip(self) -> None:
        """With support_gzip=1 everything comes as gzip, and may be said so."""
        client = self.opened(self.server, "specialKey=cid&support_gzip=1", **V1)
        request = {"type": "publish", "to": "everyone", "data": "hi", "id": 1}
        client.send(frame(BINARY, gzip.compress(json.dumps(request).encode())))
        client.flush()
        heard = [json.loads(gzip.decompress(f.payload)) for f in client.protocol.frames]
        self.assertCountEqual(
            [one["type"] for one in heard], ["welcome", "message", "ack"]
        )
        self.assertEqual(self.texts(), ["hi"])

    def test_application(self) -> None:
        """The ack waits for the application; one that fails gives none."""
        waiting: Deferred[None] = Deferred()

        class Slow(Chat):
            def onMessage(self, connection: Any, message: Any) -> Any:
                super().onMessage(connection, message)
                return waiting

        alice = self.talker(self.factory(Slow))
        alice.say(type="publish", to="everyone", data=1, id=1)
        self.assertEqual([one["type"] for one in alice.heard()], ["message"])
        waiting.callback(None)
        self.assertEqual(alice.heard(), [{"type": "ack", "id": 1}])

    def test_applicationFails(self) -> None:
        """An application that fails closes the connection, without an ack."""

        class Failing(Chat):
            def onMessage(self, connection: Any, message: Any) -> Any:
                raise RuntimeError("it broke")

        alice = self.talker(self.factory(Failing))
        alice.say(type="publish", to="everyone", data=1, id=1)
        self.assertEqual([one["type"] for one in alice.heard()], ["closing"])
        self.assertEqual(alice.client.protocol.closeCodes, [1011])

    def test_whatApplicationsSay(self) -> None:
        """An application's own word has no sender; its private one has a key."""
        self.server.broadcast("to all")
        [bob] = self.server.connectionsOf("bob")
        bob.send("to you")
        self.assertEqual(
            self.bob.heard(),
            [
                {"type": "message", "room": "*", "data": "to all"},
                {"type": "message", "key": "bob", "data": "to you"},
            ],
        )


class RoomsTests(ConversationTestCase):
    """Clients come and go."""

    def say(self, room: str) -> None:
        """Have Alice say something in a room."""
        self.alice.say(type="publish", to={"room": room}, data="hi")

    def test_joinAndLeave(self) -> None:
        """One hears a room from the join to the leave."""
        self.say("a")
        self.assertEqual(self.bob.ask(type="join", room="a", id=1)["type"], "ack")
        self.say("a")
        self.assertEqual(len(self.bob.heard()), 1)
        self.assertEqual(self.bob.ask(type="leave", room="a", id=2)["type"], "ack")
        self.say("a")
        self.assertEqual(self.bob.heard(), [])

    def test_twice(self) -> None:
        """To join twice, or to leave where one is not, changes nothing."""
        for _ in range(2):
            self.assertEqual(self.bob.ask(type="join", room="a", id=1)["type"], "ack")
        self.say("a")
        self.assertEqual(len(self.bob.heard()), 1)
        for _ in range(2):
            self.assertEqual(self.bob.ask(type="leave", room="a", id=1)["type"], "ack")

    def test_everyone(self) -> None:
        """Everyone's room is one as well."""
        self.bob.say(type="leave", room="*")
        self.raw("to all")
        self.assertEqual(self.bob.heard(), [])
        self.bob.say(type="join", room="*")
        self.raw("to all")
        self.assertEqual(len(self.bob.heard()), 1)

    def test_order(self) -> None:
        """What is said in a room has one order for all; messages are not lost."""
        for talker in (self.alice, self.bob):
            talker.say(type="join", room="a")
        for number in range(20):
            talker = (self.alice, self.bob)[number % 2]
            talker.say(type="publish", to={"room": "a"}, data=number)
        for talker in (self.alice, self.bob):
            self.assertEqual([one["data"] for one in talker.heard()], [*range(20)])

    def test_tooMany(self) -> None:
        """So many rooms are allowed, besides everyone's; then one must leave some."""
        alice = self.talker(self.factory(maxRooms=3))
        for room in "abc":
            self.assertEqual(alice.ask(type="join", room=room, id=1)["type"], "ack")
        error = alice.ask(type="join", room="d", id=2)
        self.assertEqual((error["code"], error["field"]), ("too_many_rooms", "room"))
        alice.say(type="leave", room="a")
        self.assertEqual(alice.ask(type="join", room="d", id=3)["type"], "ack")

    def test_gone(self) -> None:
        """Who is gone is in no room any more."""
        self.bob.say(type="join", room="a")
        self.bob.client.send(frame(CLOSE))
        self.say("a")
        self.assertEqual(self.server.hall.who("a").people, 0)
        self.assertEqual(self.alice.ask(type="presence", room="a")["keys"], [])


class PresenceTests(ConversationTestCase):
    """One may ask who is in a room, and be told who comes and goes."""

    def test_ask(self) -> None:
        """The answer has each person once, with an id or without."""
        self.opened(self.server, "specialKey=ron&support_gzip=1")
        answer = self.alice.ask(type="presence", room="*", id=1)
        self.assertEqual(
            answer,
            {
                "type": "ack",
                "id": 1,
                "room": "*",
                "count": 3,
                "keys": ["alice", "bob", "ron"],
            },
        )
        self.assertEqual(self.alice.ask(type="presence", room="a")["count"], 0)

    def test_watch(self) -> None:
        """Who watches is told; who does not, is not."""
        answer = self.alice.ask(type="presence", room="a", watch=True)
        self.assertEqual(answer["keys"], [])
        self.bob.say(type="join", room="a")
        self.assertEqual(
            self.alice.heard(),
            [{"type": "joined", "room": "a", "key": "bob", "count": 1}],
        )
        self.bob.client.leave()
        self.assertEqual(self.alice.heard(), [])
        self.clock.advance(LINGER)
        self.assertEqual(
            self.alice.heard(),
            [{"type": "left", "room": "a", "key": "bob", "count": 0}],
        )

    def test_reconnect(self) -> None:
        """Who comes back within five seconds was never away."""
        self.bob.say(type="join", room="a")
        self.alice.ask(type="presence", room="a", watch=True)
        self.bob.client.leave()
        self.clock.advance(LINGER - 1)
        bob = self.talker(self.server, "specialKey=bob")
        bob.say(type="join", room="a")
        self.clock.advance(LINGER)
        self.assertEqual(self.alice.heard(), [])

    def test_unwatch(self) -> None:
        """One may have enough."""
        self.alice.ask(type="presence", room="a", watch=True)
        self.alice.ask(type="presence", room="a", watch=True)
        self.alice.ask(type="presence", room="a", watch=False)
        self.alice.ask(type="presence", room="a", watch=False)
        self.bob.say(type="join", room="a")
        self.assertEqual(self.alice.heard(), [])

    def test_crowd(self) -> None:
        """Rooms with too many people are told of in numbers."""
        server = self.factory(presenceLimit=2)
        alice = self.talker(server)
        alice.ask(type="presence", room="*", watch=True)
        for name in "bcd":
            self.opened(server, f"specialKey={name}")
        self.clock.advance(1)
        self.assertEqual(
            alice.heard(),
            [
                {"type": "joined", "room": "*", "key": "b", "count": 2},
                {"type": "joined", "room": "*", "count": 3},
                {"type": "joined", "room": "*", "count": 4},
            ],
        )
        answer = alice.ask(type="presence", room="*")
        self.assertEqual(answer["count"], 4)
        self.assertNotIn("keys", answer)

    def test_tooMany(self) -> None:
        """As many rooms may be watched as one may be in."""
        alice = self.talker(self.factory(maxRooms=2))
        for room in "ab*":
            alice.ask(type="presence", room=room, watch=True)
        error = alice.ask(type="presence", room="c", watch=True)
        self.assertEqual(error["code"], "too_many_rooms")
        self.assertEqual(alice.ask(type="presence", room="c")["type"], "ack")

    def test_rawIsSeen(self) -> None:
        """Raw clients are seen in the rooms of their URLs."""
        self.opened(self.server, "specialKey=cid&room=a")
        self.assertEqual(self.alice.ask(type="presence", room="a")["keys"], ["cid"])

    def test_watcherGoes(self) -> None:
        """Nothing is left of a watcher that is gone."""
        self.alice.ask(type="presence", room="a", watch=True)
        self.alice.client.leave()
        self.bob.say(type="join", room="a")
        self.bob.say(type="leave", room="a")
        self.assertEqual(self.bob.ask(type="presence", room="a")["count"], 0)


class RightsTests(ConversationTestCase):
    """What one may not do is answered with an error; the connection stays."""

    def test_rooms(self) -> None:
        """Reading and writing are allowed one by one."""
        rights = RoomRights.of({"r-*": "r", "w-*": "w", "*": "r"})
        alice = self.granted("alice", Grant(rights))
        for fields, field in (
            ({"type": "join", "room": "w-1"}, "room"),
            ({"type": "join", "room": "other"}, "room"),
            ({"type": "presence", "room": "w-1"}, "room"),
            ({"type": "publish", "to": {"room": "r-1"}, "data": 1}, "to.room"),
            ({"type": "publish", "to": {"room": "other"}, "data": 1}, "to.room"),
            ({"type": "publish", "to": "everyone", "data": 1}, "to"),
        ):
            error = alice.ask(**fields, id=1)
            self.assertEqual((error["code"], error["field"]), ("forbidden", field))
        for fields in (
            {"type": "join", "room": "r-1"},
            {"type": "presence", "room": "r-1"},
            {"type": "publish", "to": {"room": "w-1"}, "data": 1},
        ):
            self.assertEqual(alice.ask(**fields, id=1)["type"], "ack")
        self.assertEqual(alice.client.protocol.closeCodes, [])

    def test_person(self) -> None:
        """Speaking to one person is a right of its own; none is told who is here."""
        alice = self.granted("alice", Grant(direct=False))
        for key in ("alice", "nobody"):
            error = alice.ask(type="publish", to={"key": key}, data=1)
            self.assertEqual((error["code"], error["field"]), ("forbidden", "to.key"))

    def test_notInEveryones(self) -> None:
        """Who may not read everyone's room does not hear it."""
        rights = RoomRights.of({"lobby": "rw"})
        alice = self.granted("alice", Grant(rights))
        server: GowsFactory = alice.client.server.factory
        server.broadcast("to all")
        self.assertEqual(alice.heard(), [])
        self.assertEqual(alice.ask(type="presence", room="lobby")["count"], 0)

    def test_refresh(self) -> None:
        """Without tokens there is nothing to refresh."""
        error = self.alice.ask(type="refresh", token="a.b.c", id=1)
        self.assertEqual(error["code"], "unsupported")


class FaultsTests(ConversationTestCase):
    """What is no request is answered with what is wrong."""

    def test_answered(self) -> None:
        """The field is named, and the id comes back."""
        error = self.alice.ask(type="join", room="a b", id=7)
        self.assertEqual(error["type"], "error")
        self.assertEqual(
            (error["code"], error["field"], error["id"]), ("invalid", "room", 7)
        )

    def test_maxErrors(self) -> None:
        """Ten faults are answered; with the tenth it is enough."""
        for number in range(1, 11):
            self.assertEqual(self.alice.client.protocol.closeCodes, [], number)
            self.alice.client.send(frame(TEXT, b"nonsense"))
        heard = self.alice.heard()
        self.assertEqual([one["type"] for one in heard], ["error"] * 10 + ["closing"])
        self.assertEqual((heard[-1]["code"], heard[-1]["retry_after"]), (1008, 10_000))
        self.assertEqual(self.alice.client.protocol.closeCodes, [1008])
        self.raw("others go on")
        self.assertEqual(self.bob.heard()[0]["data"], "others go on")

    def test_noLimit(self) -> None:
        """A server may be patient."""
        alice = self.talker(self.factory(maxErrors=0))
        for _ in range(100):
            alice.client.send(frame(TEXT, b"nonsense"))
        self.assertEqual(len(alice.heard()), 100)

    def test_binary(self) -> None:
        """Binary messages that are passed on elsewhere are not spoken here."""
        server = self.factory(binary="relay")
        alice = self.talker(server)
        alice.client.send(frame(BINARY, b'{"type":"join","room":"a"}'))
        self.assertEqual(alice.client.protocol.closeCodes, [1003])

    def test_relayed(self) -> None:
        """A raw client's binary message is base64 here."""
        server = self.factory(binary="relay")
        alice, ron = self.talker(server), self.opened(server, "specialKey=ron")
        ron.send(frame(BINARY, b"\xff"))
        [message] = alice.heard()
        self.assertEqual((message["data"], message["encoding"]), ("/w==", "base64"))


class ClosingTests(ConversationTestCase):
    """Before a close frame it is said why, and when to come back."""

    def test_closed(self) -> None:
        """Each way to be closed has its code, its reason, and its time."""
        [bob] = self.server.connectionsOf("bob")
        self.talker(self.server)
        self.assertEqual(
            self.alice.heard(),
            [
                {
                    "type": "closing",
                    "code": 4001,
                    "reason": "replaced by a newer connection of this key",
                }
            ],
        )
        bob.close(4100, "as you like")
        self.assertEqual(
            self.bob.heard(),
            [{"type": "closing", "code": 4100, "reason": "as you like"}],
        )

    def test_stopping(self) -> None:
        """When the server stops, one may come back soon, and not all at once."""
        self.server.drain(10)
        self.advance(0.4)
        closings = self.alice.heard() + self.bob.heard()
        self.assertEqual([closing["code"] for closing in closings], [1001, 1001])
        first, second = sorted(closing["retry_after"] for closing in closings)
        self.assertTrue(1000 <= first < second < 1300, closings)

    def test_ownClose(self) -> None:
        """Who closes is not told why."""
        self.alice.client.send(frame(CLOSE, b"\x03\xe8"))
        self.assertEqual(self.alice.heard(), [])

    def test_expires(self) -> None:
        """Who may be here until a moment is closed then, and may come at once."""
        alice = self.granted("alice", Grant(expires=self.clock.seconds() + 60))
        self.clock.advance(59.9)
        self.assertEqual(alice.heard(), [])
        self.clock.advance(0.1)
        [closing] = alice.heard()
        self.assertEqual((closing["code"], closing["retry_after"]), (4003, 0))

    def test_expiredLongAgo(self) -> None:
        """A moment in the past is now."""
        alice = self.granted("alice", Grant(expires=0))
        self.clock.advance(0)
        alice.client.flush()
        self.assertEqual(alice.client.protocol.closeCodes, [4003])

    def test_gone(self) -> None:
        """Who is gone before does not matter any more."""
        alice = self.granted("alice", Grant(expires=self.clock.seconds() + 60))
        alice.client.leave()
        self.assertEqual(
            [c for c in self.clock.getDelayedCalls() if c.getTime() == 60], []
        )


class SlowReaderTests(ConversationTestCase):
    """Who reads slowly may miss messages, and nothing else."""

    def test_answers(self) -> None:
        """Answers and news come, however many messages are dropped before them."""
        for policy in ("drop-oldest", "latest"):
            server = self.factory(slowPolicy=policy, slowLimit=10_000, pingInterval=0)
            alice = self.talker(server)
            alice.ask(type="presence", room="*", watch=True)
            alice.client.transport.peerReads = False
            for number in range(20):
                for _ in range(5):
                    server.broadcast("x" * 200_000)
                alice.say(type="join", room="a", id=number)
                self.clock.advance(0)
            self.opened(server, "specialKey=bob")
            alice.client.transport.peerReads = True
            for _ in range(10):
                alice.client.flush()
                self.clock.advance(0)
            heard = alice.heard()
            acks = [one["id"] for one in heard if one["type"] == "ack"]
            self.assertEqual(acks, list(range(20)))
            self.assertIn("bob", [one.get("key") for one in heard])
            messages = [one for one in heard if one["type"] == "message"]
            missed = sum(one["count"] for one in heard if one["type"] == "missed")
            self.assertGreater(missed, 50)
            self.assertEqual(len(messages) + missed, 100)

    def test_requestsWithoutEnd(self) -> None:
        """Who asks and asks, and reads no answer, is closed, whatever the policy."""
        server = self.factory(slowPolicy="latest", slowLimit=10_000, pingInterval=0)
        alice = self.talker(server)
        alice.client.transport.peerReads = False
        for number in range(50_000):
            alice.say(type="leave", room="a", id=number)
            if not server.lookUp("alice:0"):
                break
        self.assertEqual(server.lookUp("alice:0"), ())
        alice.client.transport.peerReads = True
        alice.client.flush()
        self.assertEqual(alice.client.protocol.closeCodes, [4002])


class RatesTests(ConversationTestCase):
    """Too much is refused, saying when to go on."""

    def test_messages(self) -> None:
        """A burst passes, then the rate; the error has the id and the wait."""
        alice = self.talker(self.factory(rate=2))
        for number in range(4):
            ack = alice.ask(type="join", room="a", id=number)
            self.assertEqual(ack["type"], "ack")
        error = alice.ask(type="join", room="a", id="x")
        self.assertEqual((error["code"], error["id"]), ("too_fast", "x"))
        self.assertGreater(error["retry_after"], 0)
        self.clock.advance(error["retry_after"] / 1000)
        self.assertEqual(alice.ask(type="join", room="a", id=1)["type"], "ack")

    def test_sustained(self) -> None:
        """For minutes so many pass, and no more."""
        alice = self.talker(self.factory(rate=4, pingInterval=0))
        passed = 0
        for _ in range(4 * 120):
            self.clock.advance(0.25)
            passed += alice.ask(type="leave", room="a", id=1)["type"] == "ack"
        self.assertEqual(passed, 4 * 120)

    def test_tooMuch(self) -> None:
        """Who goes on for another burst's worth is closed."""
        alice = self.talker(self.factory(rate=2))
        for _ in range(4 + 1 + 5):
            alice.say(type="leave", room="a", id=1)
        heard = [one["type"] for one in alice.heard()]
        self.assertEqual(heard, ["ack"] * 4 + ["error"] * 6 + ["closing"])
        self.assertEqual(alice.client.protocol.closeCodes, [1008])

    def test_obedient(self) -> None:
        """Who goes on when told so is never closed."""
        for rate in (0.4, 2, 20):
            alice = self.talker(self.factory(rate=rate, pingInterval=0))
            for _ in range(200):
                answer = alice.ask(type="leave", room="a", id=1)
                if answer["type"] == "error":
                    self.clock.advance(answer["retry_after"] / 1000)
            self.assertEqual(alice.client.protocol.closeCodes, [])

    def test_bytesSaid(self) -> None:
        """What counts are the bytes that are said, however they come."""
        text = json.dumps({"type": "join", "room": "a", "since": "x" * 2400}).encode()
        plain = [frame(TEXT, text)]
        pieces = [frame(TEXT, text[:99], fin=False), frame(0, text[99:])]
        packed = [frame(BINARY, gzip.compress(text))]
        self.assertLess(len(packed[0]), 200)
        for frames in (plain, pieces, packed):
            alice = self.talker(self.factory(byteRate=1000))
            for one in frames:
                alice.client.send(one)
            error = alice.ask(type="leave", room="a", id=2)
            self.assertEqual(error["code"], "too_fast")
            self.assertGreater(error["retry_after"], 400)

    def test_bytes(self) -> None:
        """Large messages use up the bytes."""
        alice = self.talker(self.factory(byteRate=1000))
        large = {"type": "publish", "to": {"room": "a"}, "data": "x" * 2500, "id": 1}
        self.assertEqual(alice.ask(**large)["type"], "ack")
        error = alice.ask(type="leave", room="a", id=2)
        self.assertEqual(error["code"], "too_fast")

    def test_pings(self) -> None:
        """Control frames are cheap, but a flood of them ends the connection."""
        for name, limit in (("rate", 2), ("byteRate", 1000)):
            limits: dict[str, Any] = {name: limit}
            alice = self.talker(self.factory(**limits, pingInterval=0))
            for _ in range(60):
                alice.client.send(frame(PING, b"x" * 10))
                self.clock.advance(0.25)
            self.assertEqual(alice.client.protocol.closeCodes, [])
            for _ in range(1000):
                alice.client.send(frame(PING, b"x" * 10))
            self.assertEqual(alice.client.protocol.closeCodes, [1008])

    def test_fragments(self) -> None:
        """So does a message in pieces without end."""
        for name, limit in (("rate", 2), ("byteRate", 100)):
            limits: dict[str, Any] = {name: limit}
            alice = self.talker(self.factory(**limits, pingInterval=0))
            text = b'{"type":"leave","room":"a","id":1}'
            pieces = [
                frame(TEXT if n == 0 else 0, text[n : n + 1], fin=False)
                for n in range(34)
            ]
            alice.client.send(b"".join(pieces) + frame(0, b""))
            self.assertEqual(alice.heard()[0]["type"], "ack")
            self.clock.advance(2)
            alice.client.send(frame(TEXT, b"", fin=False))
            for _ in range(1000):
                alice.client.send(frame(0, b"", fin=False))
            self.assertEqual(alice.client.protocol.closeCodes, [1008])

    def test_gzip(self) -> None:
        """A binary message that is too much is refused without being unpacked."""
        alice = self.talker(self.factory(rate=0.5))
        alice.ask(type="leave", room="a", id=1)
        self.assertEqual(alice.heard(), [])
        alice.client.send(frame(BINARY, b"no gzip"))
        [error] = alice.heard()
        self.assertEqual(error["code"], "too_fast")
        self.assertNotIn("id", error)
