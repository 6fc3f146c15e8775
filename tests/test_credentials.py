"""Tests for L{gows.access.credentials}: where a token may be, and whom it names."""

from __future__ import annotations

import json
from typing import Any

import jwt
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred

from gows.access.keys import TokenKeys
from gows.access.tickets import LIFETIME
from gows.access.tokens import TokenVerifier
from gows.chat.grant import Grant, Pass, RoomRights
from gows.eager import started
from gows.errors import Refusal
from gows.interfaces import IChat
from tests.memory import (
    TEXT,
    Answer,
    Chat,
    Client,
    MemoryTestCase,
    Talker,
    frame,
    opening,
    request,
)
from tests.tokens import NOW, encrypted, privateKey, tokenKey

PROPERTY = settings(max_examples=60, deadline=None, database=None, derandomize=True)

SECRET = privateKey("HS256")


def token(sub: str = "alice", **claims: Any) -> str:
    """Make a token with another library than ours."""
    whole = {"sub": sub, "exp": NOW + 60, **claims}
    return jwt.encode(whole, SECRET, "HS256")


class AccessTestCase(MemoryTestCase):
    """
    A server with a token key.

    @ivar server: that
    """

    def setUp(self) -> None:
        """Start it."""
        super().setUp()
        self.clock.advance(NOW)
        self.server = self.guarded()

    def guarded(self, **settings: Any) -> Any:
        """Make a server with a token key."""
        keys = TokenKeys([tokenKey("HS256").public])
        verifier = TokenVerifier(lambda: keys)
        return self.factory(verify=verifier.verify, **settings)

    def refused(self, query: str = "", **headers: str | list[str]) -> Answer:
        """Assert that an opening is refused, and answer how."""
        answer = self.ask(self.server, opening(query, **headers))
        self.assertNotEqual(answer.status, 101)
        return answer

    def context(self, client: Client) -> Any:
        """Answer who a connection is."""
        return client.server.context

    def ticket(self, pass_: Pass) -> str:
        """Have a ticket made, as the operators' door will."""
        made = started(self.server.tickets.mint(pass_))
        assert isinstance(made, str)
        return made


class PlacesTests(AccessTestCase):
    """A token may come in a header, as a subprotocol, or in the URL."""

    def test_header(self) -> None:
        """Authorization: Bearer, whatever its case."""
        for scheme in ("Bearer ", "bearer ", "BEARER   "):
            client = self.opened(self.server, "", Authorization=scheme + token())
            self.assertEqual(self.context(client).specialKey, "alice")

    def test_subprotocol(self) -> None:
        """Beside a dialect, which alone is in the answer."""
        for dialect in ("gows.v1", "gows.raw"):
            for offered in (f"{dialect}, {{}}", f"{{}}, {dialect}"):
                protocols = offered.format(f"gows.token.{token()}")
                client = self.opened(self.server, "", Sec_WebSocket_Protocol=protocols)
                self.assertEqual(self.context(client).specialKey, "alice")
                head = client.protocol.received.partition(b"\r\n\r\n")[0]
                self.assertIn(f"Sec-WebSocket-Protocol: {dialect}\r\n".encode(), head)
                self.assertNotIn(b"gows.token", head)

    def test_subprotocolAlone(self) -> None:
        """Without a dialect the browser would fail: that is said."""
        answer = self.refused(Sec_WebSocket_Protocol=f"gows.token.{token()}")
        self.assertEqual(answer.status, 400)
        self.assertIn(b"gows.v1 or gows.raw", answer.body)

    def test_url(self) -> None:
        """In the URL; the application does not see it there."""
        client = self.opened(self.server, f"token={token()}&a=b")
        self.assertEqual(self.context(client).specialKey, "alice")
        self.assertEqual(self.context(client).parameters, {"a": "b"})

    def test_order(self) -> None:
        """The header counts before the subprotocol, that before the URL."""
        a, b, c = map(token, "abc")
        ticket = self.ticket(Pass("d", Grant()))
        protocols = f"gows.v1, gows.token.{b}"
        query = f"token={c}&ticket={ticket}"
        for headers, name in (
            (
                {"Authorization": f"Bearer {a}", "Sec_WebSocket_Protocol": protocols},
                "a",
            ),
            ({"Sec_WebSocket_Protocol": protocols}, "b"),
            ({}, "c"),
        ):
            client = self.opened(self.server, query, **headers)
            self.assertEqual(self.context(client).specialKey, name)
        self.assertIsNotNone(started(self.server.tickets.look(ticket)))

    def test_firstCounts(self) -> None:
        """A wrong one in the first place is not made good by another."""
        answer = self.refused(f"token={token()}", Authorization="Bearer nonsense")
        self.assertEqual(answer.status, 401)

    def test_otherSchemes(self) -> None:
        """What another scheme says in the header is not ours."""
        headers = {"Authorization": "Basic YTpi"}
        client = self.opened(self.server, f"token={token()}", **headers)
        self.assertEqual(self.context(client).specialKey, "alice")
        self.assertEqual(self.refused("", **headers).status, 401)

    def test_twice(self) -> None:
        """Two headers are not guessed at."""
        both = [f"Bearer {token()}", f"Bearer {token('bob')}"]
        self.assertEqual(self.refused("", Authorization=both).status, 400)


class PassTests(AccessTestCase):
    """A token says who somebody is and what they may do."""

    def test_whole(self) -> None:
        """Person, device, rights and what the application wants to know."""
        made = token(device="phone", rooms={"a": "rw"}, direct=True, app={"x": [1]})
        context = self.context(self.opened(self.server, f"token={made}"))
        self.assertEqual(context.key, "alice:0@phone")
        rights = RoomRights.of({"a": "rw"})
        self.assertEqual(context.grant, Grant(rights, True, NOW + 65, {"x": [1]}))

    def test_specialKey(self) -> None:
        """The URL may say the same, but not otherwise."""
        self.opened(self.server, f"specialKey=alice&token={token()}")
        answer = self.refused(f"specialKey=bob&token={token()}")
        self.assertEqual(answer.status, 403)
        self.assertNotIn(b"alice", answer.body)

    def test_devices(self) -> None:
        """A phone does not evict a laptop, but a second phone does a first one."""
        phone, laptop = (
            self.opened(self.server, f"token={token(device=d)}") for d in ("p", "l")
        )
        self.opened(self.server, f"token={token(device='p')}")
        laptop.flush()
        phone.flush()
        self.assertEqual(phone.protocol.closeCodes, [4001])
        self.assertEqual(laptop.protocol.closeCodes, [])

    def test_direct(self) -> None:
        """A message to a person reaches all of her devices."""
        devices = [
            self.opened(self.server, f"token={token('bob', device=device)}")
            for device in ("p", "l")
        ]
        alice = self.talker(self.server, f"token={token(direct=True)}")
        alice.say(type="publish", to={"key": "bob"}, data="hi")
        for device in devices:
            device.flush()
            self.assertEqual(device.protocol.texts, ["hi"])

    def test_room(self) -> None:
        """A URL's room is refused where the token allows nothing."""
        made = token(rooms={"a": "r"})
        self.opened(self.server, f"room=a&token={made}")
        self.assertEqual(self.refused(f"room=b&token={made}").status, 403)

    def test_application(self) -> None:
        """What an application makes of it keeps the rights, and the end."""

        class Renaming(Chat):
            def onConnect(self, request: Any) -> Any:
                return type(request.context)("other")

        keys = TokenKeys([tokenKey("HS256").public])
        verifier = TokenVerifier(lambda: keys)
        server = self.factory(Renaming, verify=verifier.verify)
        made = token(rooms={"a": "r"})
        context = self.context(self.opened(server, f"token={made}"))
        self.assertEqual(context.specialKey, "other")
        self.assertFalse(context.grant.mayWrite("a"))
        self.assertEqual(context.grant.expires, NOW + 65)


class RefusalsTests(AccessTestCase):
    """What is no good is refused with 401, saying why, and nothing of what came."""

    def test_missing(self) -> None:
        """Without anything it is said where a token may be."""
        for query in ("", "specialKey=alice", "token=", "ticket="):
            answer = self.refused(query)
            self.assertEqual(answer.status, 401)
            self.assertEqual(answer.headers["www-authenticate"], 'Bearer realm="gows"')
            self.assertIn(b"?token=", answer.body)

    def test_reasons(self) -> None:
        """Each fault has its reason."""
        good = token()
        other = jwt.encode({"sub": "a", "exp": NOW + 60}, bytes(32), "HS256")
        none = jwt.encode({"sub": "a", "exp": NOW + 60}, "", "none")
        sealed = encrypted(b"{}", {"alg": "dir", "enc": "A256GCM"}, bytes(32))
        for bad, reason in (
            ("nonsense", b"malformed"),
            (other, b"signature"),
            (good[:-2], b"signature"),
            (none, b"algorithm"),
            (sealed, b"algorithm"),
            (token(exp=NOW - 10), b"expired"),
            (token(nbf=NOW + 60), b"not valid yet"),
            (token(exp="x"), b"exp"),
            (token(sub=""), b"sub"),
            (token(rooms=["a"]), b"rooms"),
            ("x" * 8193, b"too long"),
        ):
            answer = self.refused(f"token={bad}")
            self.assertEqual(answer.status, 401)
            self.assertIn(reason, answer.body)
            self.assertNotIn(bad[:20].encode(), answer.body)
            self.assertIn("www-authenticate", answer.headers)

    def test_check(self) -> None:
        """GET /check says the same, for all ways that it can be asked."""
        for target, headers, status in (
            ("/check", {}, 401),
            (f"/check?token={token()}", {}, 200),
            ("/check?token=x", {}, 401),
            ("/check", {"Authorization": f"Bearer {token()}"}, 200),
        ):
            answer = self.ask(self.server, request(target=target, headers=headers))
            self.assertEqual(answer.status, status)

    def test_log(self) -> None:
        """Neither tokens nor tickets nor queries reach the log."""
        made, ticket = token(), self.ticket(Pass("bob", Grant()))
        self.opened(self.server, f"token={made}&a=querystring").leave()
        self.opened(self.server, f"ticket={ticket}").leave()
        self.refused(f"token={made}x")
        self.refused(f"ticket={ticket}")
        self.refused("", Authorization=f"Bearer {made}x")
        self.refused("", Sec_WebSocket_Protocol=f"gows.v1, gows.token.{made}x")
        self.assertGreater(len(self.logged()), 6)
        everything = repr(self.events) + "".join(self.logged())
        for secret in (made, ticket, made.split(".")[2], "querystring"):
            self.assertNotIn(secret, everything)

    @PROPERTY
    @given(st.text(st.characters(codec="latin-1"), max_size=60), st.integers(0, 3))
    def test_anything(self, text: str, place: int) -> None:
        """Whatever stands where a token may be, it is refused, and others go on."""
        escaped = "".join(f"%{byte:02x}" for byte in text.encode())
        clean = "".join(c for c in text if c.isprintable() and c != ",")
        headers: dict[str, str] = {}
        query = f"{('token', 'ticket')[place % 2]}={escaped}"
        if place == 2:
            query, headers = "", {"Authorization": f"Bearer {clean}"}
        elif place == 3:
            query, headers = (
                "",
                {"Sec_WebSocket_Protocol": f"gows.v1,gows.token.{clean}"},
            )
        self.assertIn(self.refused(query, **headers).status, (400, 401))


class Picky(Chat):
    """An application that refuses who is unwanted."""

    def onConnect(self, request: Any) -> Any:
        """Refuse, or not."""
        if "unwanted" in request.context.parameters:
            raise Refusal(418, "Unwanted.")
        return request.context


class Slow(Chat):
    """
    An application that takes its time.

    @ivar asked: what it has not decided yet
    """

    def __init__(self, chat: IChat) -> None:
        """Decide nothing yet."""
        super().__init__(chat)
        self.asked: list[Deferred[None]] = []

    def onConnect(self, request: Any) -> Any:
        """Decide later."""
        self.asked.append(Deferred())
        return self.asked[-1].addCallback(lambda _: request.context)


class TicketsTests(AccessTestCase):
    """A ticket lets in once."""

    def test_once(self) -> None:
        """To ask does not spend it, to come does."""
        ticket = self.ticket(Pass("bob", Grant(direct=False), "phone"))
        for _ in range(2):
            check = request(target=f"/check?ticket={ticket}")
            self.assertEqual(self.ask(self.server, check).status, 200)
        context = self.context(self.opened(self.server, f"ticket={ticket}"))
        self.assertEqual(context.key, "bob:0@phone")
        self.assertEqual(context.parameters, {})
        answer = self.refused(f"ticket={ticket}")
        self.assertEqual(answer.status, 401)
        self.assertIn(b"spent", answer.body)

    def test_refusedOtherwise(self) -> None:
        """An opening that is refused for another reason does not spend it."""
        self.server = self.guarded(
            makeApplication=Picky, maxConnections=2, maxPerAddress=1
        )
        rights = RoomRights.of({"*": "rw"})
        ticket = self.ticket(Pass("bob", Grant(rights)))
        for query, status in (
            ("support_gzip=9", 400),
            ("specialKey=alice", 403),
            ("room=secret", 403),
            ("unwanted=1", 418),
        ):
            self.assertEqual(self.refused(f"ticket={ticket}&{query}").status, status)
        first = self.opened(self.server, f"token={token()}")
        self.assertEqual(self.refused(f"ticket={ticket}").status, 429)
        other = IPv4Address("TCP", "198.51.100.1", 1)
        second = self.wire(self.server, other)
        second.send(opening(f"token={token('eve')}"))
        self.assertEqual(self.refused(f"ticket={ticket}").status, 503)
        first.leave()
        second.leave()
        self.opened(self.server, f"ticket={ticket}")
        self.assertEqual(self.refused(f"ticket={ticket}").status, 401)

    def test_twiceAtOnce(self) -> None:
        """Of those that come together with one, one gets in; the rest leave nothing."""
        self.server = self.guarded(makeApplication=Slow, maxPerAddress=2)
        ticket = self.ticket(Pass("bob", Grant()))
        clients = [self.wire(self.server) for _ in range(5)]
        for client in clients:
            client.send(opening(f"ticket={ticket}"))
        answers, self.server.application.asked = self.server.application.asked, []
        for answer in answers:
            answer.callback(None)
        for client in clients:
            client.flush()
        statuses = [client.protocol.received.split()[1] for client in clients]
        self.assertEqual(sorted(statuses), [b"101"] + [b"401"] * 4)
        [bob] = self.server.lookUp("bob:0")
        count = self.server.ledger.count(f"address:{bob.address}")
        self.assertEqual(started(count), 1)

    def test_tooOld(self) -> None:
        """After thirty seconds it is worth nothing."""
        ticket = self.ticket(Pass("bob", Grant()))
        self.clock.advance(LIFETIME)
        self.assertEqual(self.refused(f"ticket={ticket}").status, 401)

    def test_unknown(self) -> None:
        """What is no ticket is refused."""
        for text in ("x", "x" * 43, "x" * 8000):
            self.assertEqual(self.refused(f"ticket={text}").status, 401)


class WithoutKeyTests(MemoryTestCase):
    """Without a token key everything is as it was."""

    def test_ignored(self) -> None:
        """A token is a parameter like any other."""
        server = self.factory()
        client = self.opened(server, "specialKey=a&token=x&ticket=y")
        self.assertEqual(
            client.server.context.parameters, {"token": "x", "ticket": "y"}
        )
        self.opened(server, Sec_WebSocket_Protocol="gows.v1, gows.token.x")


class ExpiryTests(AccessTestCase):
    """A connection lasts as long as its token, and the leeway."""

    def test_closed(self) -> None:
        """Raw ones are closed with 4003, others are told before."""
        raw = self.opened(self.server, f"token={token('raw')}")
        alice = self.talker(self.server, f"token={token()}")
        self.clock.advance(64.9)
        self.assertEqual(alice.heard(), [])
        self.clock.advance(0.1)
        [closing] = alice.heard()
        self.assertEqual((closing["code"], closing["retry_after"]), (4003, 0))
        raw.flush()
        self.assertEqual(raw.protocol.closeCodes, [4003])

    def test_welcome(self) -> None:
        """The welcome says when."""
        client = self.opened(
            self.server, f"token={token()}", Sec_WebSocket_Protocol="gows.v1"
        )
        welcome = json.loads(client.protocol.texts[0])
        self.assertEqual(welcome["expires"], (NOW + 65) * 1000)


class Restricting(Chat):
    """An application that lets everybody read everyone's room, and nothing else."""

    def onConnect(self, request: Any) -> Any:
        """Grant that."""
        grant = Grant(RoomRights.of({"*": "r"}), direct=False)
        return msgspec.structs.replace(request.context, grant=grant)


class Renaming(Chat):
    """An application that has names of its own."""

    def onConnect(self, request: Any) -> Any:
        """Make one."""
        context = request.context
        name = f"t1:{context.specialKey}"
        return msgspec.structs.replace(context, specialKey=name, pass_=None)


class RefreshTests(AccessTestCase):
    """Who speaks gows.v1 may go on with a new token."""

    def come(self, **claims: Any) -> Talker:
        """Have Alice come with a token."""
        return self.talker(self.server, f"token={token(**claims)}")

    def test_goesOn(self) -> None:
        """With a new one in time the connection lasts longer."""
        alice = self.come()
        self.clock.advance(60)
        ack = alice.ask(type="refresh", token=token(exp=NOW + 120), id=1)
        self.assertEqual(
            ack,
            {"type": "ack", "id": 1, "rooms": ["*"], "expires": (NOW + 125) * 1000},
        )
        self.clock.advance(64.9)
        self.assertEqual(alice.heard(), [])
        self.clock.advance(0.1)
        self.assertEqual(alice.heard()[0]["code"], 4003)

    def test_otherRights(self) -> None:
        """Its rights count from then on; rooms that it does not allow are left."""
        alice = self.come()
        for room in "ab":
            alice.say(type="join", room=room)
            alice.ask(type="presence", room=room, watch=True)
        rights = {"a": "r", "*": ""}
        ack = alice.ask(type="refresh", token=token(rooms=rights), id=1)
        self.assertEqual(ack["rooms"], ["a"])
        self.assertEqual(alice.client.server.watched, ("a",))
        error = alice.ask(type="publish", to={"room": "a"}, data=1)
        self.assertEqual(error["code"], "forbidden")
        bob = self.opened(self.server, f"token={token('bob')}")
        bob.send(frame(TEXT, b"to all"))
        self.assertEqual(alice.heard(), [])

    def test_withoutId(self) -> None:
        """It is answered always: rooms may be left by it."""
        alice = self.come()
        ack = alice.ask(type="refresh", token=token(rooms={"q": "r"}))
        self.assertEqual((ack["type"], ack["rooms"]), ("ack", []))

    def test_guessing(self) -> None:
        """Bad tokens without end are faults, and end the connection."""
        alice = self.come()
        for number in range(10):
            alice.say(type="refresh", token="a.b.c", id=number)
        self.assertEqual(alice.heard()[-1]["code"], 1008)
        self.assertEqual(alice.client.protocol.closeCodes, [1008])

    def test_applicationDecides(self) -> None:
        """What an application granted is not given back by a token."""
        self.server = self.guarded(makeApplication=Restricting)
        alice = self.come(rooms={"*": "rw", "secret": "rw"})
        for _ in range(2):
            for asked in (
                {"type": "join", "room": "secret"},
                {"type": "publish", "to": "everyone", "data": 1},
            ):
                self.assertEqual(alice.ask(**asked, id=1)["code"], "forbidden")
            error = alice.ask(type="refresh", token=token(), id=1)
            self.assertEqual(error["code"], "unsupported")

    def test_otherName(self) -> None:
        """A token is compared with the last one, whatever an application made of it."""
        self.server = self.guarded(makeApplication=Renaming)
        alice = self.come(device="phone")
        [person] = self.server.connectionsOf("t1:alice")
        self.assertEqual(person.context.device, "phone")
        for fresh, kind in (
            (token(device="phone", exp=NOW + 120), "ack"),
            (token("t1:alice", device="phone"), "error"),
            (token(device="laptop"), "error"),
            (token(device="phone", rooms={}), "ack"),
            (token(device="phone"), "ack"),
        ):
            answer = alice.ask(type="refresh", token=fresh, id=1)
            self.assertEqual(answer["type"], kind)
        self.assertEqual(person.context.specialKey, "t1:alice")

    def test_bad(self) -> None:
        """One that is no good changes nothing; the reason is said."""
        alice = self.come()
        for bad, reason in (
            ("nonsense", "malformed"),
            (token(exp=NOW - 10), "expired"),
            (token("bob"), "another person"),
            (token(device="phone"), "another person"),
        ):
            error = alice.ask(type="refresh", token=bad, id=1)
            self.assertEqual((error["code"], error["field"]), ("bad_token", "token"))
            self.assertIn(reason, error["text"])
            self.assertNotIn(bad, error["text"])
        self.clock.advance(65)
        self.assertEqual(alice.heard()[0]["code"], 4003)
