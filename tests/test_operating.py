"""Tests for L{gows.operating}: what operators do, done on a real chat."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from twisted.internet.address import IPv4Address

from gows.access import ledger
from gows.access.keys import TokenKeys
from gows.access.tokens import TokenVerifier
from gows.operating import Operating
from tests.doors import DoorTestCase
from tests.memory import BINARY, CLOSE, Client, opening
from tests.tokens import NOW, tokenKey


class OperatingTestCase(DoorTestCase):
    """Tests with a door and people."""

    def publish(self, **body: Any) -> dict[str, Any]:
        """Say something."""
        answer: dict[str, Any] = self.answered("POST", "/api/publish", body)
        return answer

    def texts(self, client: Client) -> list[str]:
        """Answer what a raw client got."""
        client.flush()
        found: list[str] = client.protocol.texts
        return found


class PublishTests(OperatingTestCase):
    """What is said reaches whom it is for."""

    def test_everyone(self) -> None:
        """Everyone hears it, each in the own way; it is counted how many."""
        raw = self.opened(self.chat, "specialKey=raw")
        talker = self.talker(self.chat, "specialKey=v1")
        answer = self.publish(to="everyone", data={"a": [1, "é"]})
        self.assertEqual(answer["readers"], 2)
        self.assertEqual(list(map(json.loads, self.texts(raw))), [{"a": [1, "é"]}])
        [heard] = talker.heard()
        self.assertEqual(
            heard, {"type": "message", "room": "*", "data": {"a": [1, "é"]}}
        )

    def test_id(self) -> None:
        """Its id is that of the message, and each is another."""
        talker = self.talker(self.chat, "specialKey=v1")
        answers = [self.publish(to="everyone", data=n)["id"] for n in range(3)]
        talker.client.flush()
        messages = map(json.loads, talker.client.protocol.texts[1:])
        self.assertEqual([message["id"] for message in messages], answers)
        self.assertEqual(len(set(answers)), 3)

    def test_text(self) -> None:
        """A string reaches raw clients as it is; all else, null too, as JSON."""
        raw = self.opened(self.chat)
        values: list[object] = ["hi", "", 'é\n"', None, True, 1.5, [], {}]
        for data in values:
            self.publish(to="everyone", data=data)
        wanted = ["hi", "", 'é\n"', "null", "true", "1.5", "[]", "{}"]
        self.assertEqual(self.texts(raw), wanted)

    def test_room(self) -> None:
        """Who is in a room hears it, and nobody else."""
        inside = self.opened(self.chat, "specialKey=a&room=7")
        outside = self.opened(self.chat, "specialKey=b")
        answer = self.publish(to={"room": "7"}, data="x")
        self.assertEqual(answer["readers"], 1)
        self.assertEqual((self.texts(inside), self.texts(outside)), (["x"], []))
        self.assertEqual(self.publish(to={"room": "empty"}, data="x")["readers"], 0)
        self.assertEqual(self.publish(to={"room": "*"}, data="x")["readers"], 1)

    def test_key(self) -> None:
        """A person hears it on all connections."""
        one = self.opened(self.chat, "specialKey=a:b&support_gzip=1")
        two = self.talker(self.chat, "specialKey=a:b")
        self.opened(self.chat, "specialKey=a")
        answer = self.publish(to={"key": "a:b"}, data="x")
        self.assertEqual(answer["readers"], 2)
        one.flush()
        [frame] = one.protocol.frames
        self.assertEqual(gzip.decompress(frame.payload), b"x")
        self.assertEqual(two.heard()[0]["data"], "x")

    def test_binary(self) -> None:
        """Bytes arrive as bytes; in gows.v1 as base64."""
        raw = self.opened(self.chat)
        talker = self.talker(self.chat, "specialKey=b")
        payload = bytes(range(256))
        self.publish(to="everyone", binary=base64.b64encode(payload).decode())
        raw.flush()
        [frame] = raw.protocol.frames
        self.assertEqual((frame.opcode, frame.payload), (BINARY, payload))
        [heard] = talker.heard()
        self.assertEqual(base64.b64decode(heard["data"]), payload)

    def test_batch(self) -> None:
        """Several are said in their order, all of them or none."""
        raw = self.opened(self.chat)
        said = [{"to": "everyone", "data": str(n)} for n in range(1000)]
        body: dict[str, Any] = {"messages": said}
        answer = self.answered("POST", "/api/publish/batch", body)
        self.assertEqual([one["readers"] for one in answer["messages"]], [1] * 1000)
        self.assertEqual(self.texts(raw), [str(n) for n in range(1000)])
        for messages, field in (
            ([], "messages"),
            ([*said, said[0]], "messages"),
            ([said[0], {"to": "everyone"}], "messages[1].data"),
            ([said[0], {"to": "nobody", "data": 1}], "messages[1].to"),
        ):
            refused = self.call("POST", "/api/publish/batch", {"messages": messages})
            self.assertProblem(refused, 400, "invalid", field)
        self.assertEqual(len(self.texts(raw)), 1000)


class DisconnectTests(OperatingTestCase):
    """Connections are closed, with a reason."""

    def close(self, **body: Any) -> int:
        """Close connections, and answer how many these were."""
        count: int = self.answered("POST", "/api/disconnect", body)["connections"]
        return count

    def test_person(self) -> None:
        """All of a person, and nobody else's."""
        one = self.opened(self.chat, "specialKey=a&support_gzip=1")
        two = self.talker(self.chat, "specialKey=a")
        other = self.opened(self.chat, "specialKey=b")
        self.assertEqual(self.close(key="a", retry_after=1500), 2)
        self.assertEqual(self.close(key="a"), 0)
        one.flush()
        self.assertEqual(
            one.protocol.frames[-1].payload, b"\x03\xf0disconnected by an operator"
        )
        [closing] = two.heard()
        self.assertEqual(
            closing,
            {
                "type": "closing",
                "code": 1008,
                "reason": "disconnected by an operator",
                "retry_after": 1500,
            },
        )
        self.assertIn("backend at 203.0.113.7 closes 2 connections", self.logged())
        other.flush()
        self.assertEqual(other.protocol.frames, [])

    def test_session(self) -> None:
        """One by its session, as the list of connections has it."""
        one = self.opened(self.chat, "specialKey=a")
        two = self.opened(self.chat, "specialKey=b")
        [first, _] = self.answered("GET", "/api/connections")["connections"]
        self.assertEqual(self.close(session=first["session"], code=4321.0), 1)
        self.assertEqual(self.close(session="0" * 16), 0)
        for client in (one, two):
            client.flush()
        self.assertEqual(one.protocol.closeCodes, [4321])
        self.assertEqual(two.protocol.closeCodes, [])

    def test_reason(self) -> None:
        """A long reason is cut between characters, where a frame ends."""
        for reason, wanted in (("", ""), ("x" * 500, "x" * 123), ("é" * 80, "é" * 61)):
            raw = self.opened(self.chat, "specialKey=a")
            talker = self.talker(self.chat, "specialKey=b")
            for key in "ab":
                self.close(key=key, code=3000, reason=reason)
            raw.flush()
            last = raw.protocol.frames[-1]
            self.assertEqual(last.opcode, CLOSE)
            self.assertEqual(last.payload[2:].decode(), wanted)
            self.assertEqual(talker.heard()[0]["reason"], wanted)

    def test_refused(self) -> None:
        """It is about one person or one connection, with a code that may be sent."""
        for body, field in (
            ({}, "key"),
            ({"key": "a", "session": "0" * 16}, "key"),
            ({"key": ""}, "key"),
            ({"session": "x"}, "session"),
            ({"session": "A" * 16}, "session"),
            ({"key": "a", "code": 999}, "code"),
            ({"key": "a", "code": 5000}, "code"),
            ({"key": "a", "code": 1006}, "code"),
            ({"key": "a", "code": 2999}, "code"),
            ({"key": "a", "code": 3000.5}, "code"),
            ({"key": "a", "retry_after": -1}, "retry_after"),
            ({"key": "a", "retry_after": 86_400_001}, "retry_after"),
            ({"key": "a", "reason": 1}, "reason"),
        ):
            answer = self.call("POST", "/api/disconnect", body)
            self.assertProblem(answer, 400, "invalid", field)


class ListTests(OperatingTestCase):
    """Who is here."""

    def list(self, query: str = "") -> dict[str, Any]:
        """List connections."""
        found: dict[str, Any] = self.answered("GET", f"/api/connections?{query}")
        return found

    def test_one(self) -> None:
        """What is known of a connection."""
        talker = self.talker(self.chat, "specialKey=a&room=7")
        self.opened(self.chat, "specialKey=b&support_gzip=1")
        self.clock.advance(2)
        talker.say(type="publish", to="everyone", data="x")
        [one] = self.list("key=a")["connections"]
        session = one.pop("session")
        self.assertEqual(
            one,
            {
                "number": 1,
                "key": "a",
                "device": "",
                "dialect": "gows.v1",
                "form": "plain",
                "rooms": ["7"],
                "address": "203.0.113.7",
                "age": 2.0,
                "messages_in": 1,
                "messages_out": one["messages_out"],
                "ignored": 0,
                "dropped": 0,
                "bytes_in": None,
                "bytes_out": None,
                "waiting": 0,
                "round_trip": None,
            },
        )
        self.assertRegex(session, r"\A[0-9a-f]{16}\Z")
        [other] = self.list("key=b")["connections"]
        self.assertEqual((other["dialect"], other["form"]), ("raw", "gzip"))

    def test_roundTrip(self) -> None:
        """It is known how long the last ping and its pong took."""
        client = self.client(self.chat)
        self.assertIsNone(self.list()["connections"][0]["round_trip"])
        self.advance(26)
        client.flush()
        self.assertGreaterEqual(self.list()["connections"][0]["round_trip"], 0)

    def test_filters(self) -> None:
        """They are found by key, room and address, and all of these together."""
        self.opened(self.chat, "specialKey=a&room=7")
        self.opened(self.chat, "specialKey=b&room=7")
        other = self.wire(self.chat, IPv4Address("TCP", "198.51.100.1", 1))
        other.send(opening("specialKey=c"))
        for query, keys in (
            *(("", "abc"), ("room=7", "ab"), ("room=*", "c"), ("key=a", "a")),
            *(("address=198.51.100.1", "c"), ("room=7&key=c", ""), ("room=8", "")),
            ("address=203.0.113.7&room=7&key=b", "b"),
        ):
            found = self.list(query)
            names = "".join(one["key"] for one in found["connections"])
            self.assertEqual((names, found["total"]), (keys, 3), query)

    def test_pages(self) -> None:
        """Page by page each is there once, though some come and go meanwhile."""
        clients = [self.opened(self.chat, f"specialKey={n}") for n in range(7)]
        found, after = [], 0
        while after is not None:
            page = self.list(f"limit=3&after={after}")
            found += [one["key"] for one in page["connections"]]
            if after == 0:
                clients[2].leave()
                self.opened(self.chat, "specialKey=new")
            after = page["next"]
        self.assertEqual(found, [*"0123456", "new"])

    def test_lastPage(self) -> None:
        """A page that is exactly full is known to be the last."""
        for n in range(4):
            self.opened(self.chat, f"specialKey={n}")
        self.assertEqual(self.list("limit=2")["next"], 2)
        self.assertIsNone(self.list("limit=2&after=2")["next"])

    def test_rooms(self) -> None:
        """The rooms with somebody in them, by name, with people and connections."""
        self.opened(self.chat, "specialKey=a&room=x")
        self.opened(self.chat, "specialKey=a&room=x&support_gzip=1")
        self.opened(self.chat, "specialKey=b&room=y")
        self.opened(self.chat, "specialKey=c")
        rooms = self.answered("GET", "/api/rooms")
        self.assertEqual(
            rooms,
            {
                "rooms": [
                    {"room": "*", "people": 1, "connections": 1},
                    {"room": "x", "people": 1, "connections": 2},
                    {"room": "y", "people": 1, "connections": 1},
                ],
                "total": 3,
                "next": None,
            },
        )
        page = self.answered("GET", "/api/rooms?limit=1&after=*")
        self.assertEqual(
            ([r["room"] for r in page["rooms"]], page["next"]), (["x"], "x")
        )

    def test_room(self) -> None:
        """Who is in a room, by key, page by page; an empty one has nobody."""
        for key in "cab":
            self.opened(self.chat, f"specialKey={key}&room=x")
        found = self.answered("GET", "/api/rooms/x")
        self.assertEqual(
            found,
            {
                "room": "x",
                "people": 3,
                "connections": 3,
                "keys": ["a", "b", "c"],
                "next": None,
            },
        )
        page = self.answered("GET", "/api/rooms/x?limit=2")
        self.assertEqual((page["keys"], page["next"]), (["a", "b"], "b"))
        page = self.answered("GET", "/api/rooms/x?limit=2&after=b")
        self.assertEqual((page["keys"], page["next"]), (["c"], None))
        self.assertEqual(self.answered("GET", "/api/rooms/empty")["people"], 0)


class TicketTests(OperatingTestCase):
    """Tickets, for one opening each."""

    def setUp(self) -> None:
        """Ask for tokens."""
        super().setUp()
        self.clock.advance(NOW)
        keys = TokenKeys([tokenKey("HS256").public])
        self.chat = self.factory(
            pingInterval=0, verify=TokenVerifier(lambda: keys).verify
        )
        self.makeDoor(self.chat)

    def mint(self, **body: Any) -> str:
        """Make one."""
        made = self.answered("POST", "/api/tickets", body)
        self.assertEqual(made["expires"], int((self.clock.seconds() + 30) * 1000))
        ticket: str = made["ticket"]
        return ticket

    def status(self, query: str) -> str:
        """Answer how an opening is answered."""
        client = self.wire(self.chat)
        client.send(opening(query))
        status: str = client.protocol.received.split()[1].decode()
        return status

    def test_once(self) -> None:
        """It lets in whom it is for, once."""
        ticket = self.mint(key="alice", device="phone")
        self.assertEqual(self.status(f"ticket={ticket}"), "101")
        [one] = self.answered("GET", "/api/connections")["connections"]
        self.assertEqual((one["key"], one["device"]), ("alice", "phone"))
        self.assertEqual(self.status(f"ticket={ticket}"), "401")

    def test_rights(self) -> None:
        """It allows the rooms that it names, and no others."""
        rooms = {"a": "rw", "b": "r", "team-*": "rw"}
        ticket = self.mint(key="alice", rooms=rooms)
        alice = self.talker(self.chat, f"ticket={ticket}&room=a")
        for room, kind in (("b", "ack"), ("team-1", "ack"), ("c", "error")):
            answer = alice.ask(type="join", room=room, id=1)
            self.assertEqual(answer["type"], kind, room)
        answer = alice.ask(type="publish", to={"key": "bob"}, data=1, id=1)
        self.assertEqual(answer["code"], "forbidden")

    def test_lifetime(self) -> None:
        """The connection ends when that was said."""
        ticket = self.mint(key="alice", lifetime=60, direct=True, app={"x": 1})
        client = self.opened(self.chat, f"ticket={ticket}")
        self.assertEqual(client.server.context.grant.app, {"x": 1})
        for _ in range(70):
            self.clock.advance(1)
            client.flush()
        self.assertEqual(client.protocol.closeCodes, [4003])

    def test_refused(self) -> None:
        """Names, rights and times are checked."""
        for body, field in (
            ({}, "key"),
            ({"key": "a\n"}, "key"),
            ({"key": "a", "device": "a b"}, "device"),
            ({"key": "a", "rooms": {"a": "x"}}, "rooms"),
            ({"key": "a", "rooms": {"a b": "r"}}, "rooms"),
            ({"key": "a", "lifetime": 0}, "lifetime"),
            ({"key": "a", "lifetime": "1"}, "lifetime"),
            ({"key": "a", "direct": 1}, "direct"),
            ({"key": "a", "app": "x" * 4095}, "app"),
            ({"key": "a", "rooms": {f"r{n}": "r" for n in range(201)}}, "rooms"),
        ):
            answer = self.call("POST", "/api/tickets", body)
            self.assertEqual(answer.status, 400)
            named = json.loads(answer.body)["error"].get("field")
            self.assertEqual(named, field)

    def test_tooMany(self) -> None:
        """With too many unused there are no more."""
        self.patch(ledger, "MAX_KEPT", 1)
        self.mint(key="a")
        self.assertProblem(
            self.call("POST", "/api/tickets", {"key": "a"}), 503, "too_many"
        )

    def test_withoutTokens(self) -> None:
        """Where URLs are believed, nobody would look at a ticket."""
        self.makeDoor(self.factory())
        answer = self.call("POST", "/api/tickets", {"key": "a"})
        self.assertProblem(answer, 409, "no_tickets")


class InfoTests(OperatingTestCase):
    """What this server is."""

    def test_info(self) -> None:
        """Versions, uptime, settings by their names, and limits."""
        self.makeDoor(self.chat, port=7, apiKeyFile="/etc/keys")
        self.opened(self.chat, "specialKey=a&room=7")
        self.clock.advance(90)
        info = self.answered("GET", "/api/info")
        self.assertEqual((info["name"], info["uptime"]), ("gows", 90))
        self.assertEqual((info["connections"], info["rooms"]), (1, 1))
        self.assertEqual(info["settings"]["port"], 7)
        self.assertEqual(info["settings"]["api-key-file"], "/etc/keys")
        self.assertFalse(info["draining"])
        self.assertGreater(info["limits"]["open_files"], info["limits"]["connections"])
        self.chat.drain(1)
        self.assertTrue(self.answered("GET", "/api/info")["draining"])

    def test_made(self) -> None:
        """It can be made of any chat."""
        self.assertEqual(Operating(self.chat, {}).info().settings, {})
