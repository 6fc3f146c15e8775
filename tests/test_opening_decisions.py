"""Tests of L{gows.wire.opening}: who is let in, and who decides on that."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress

from gows.chat.context import Context
from tests.memory import (
    PEER,
    TEXT,
    answerOf,
    frame,
    opening,
)
from tests.test_opening_application import DecisionTestCase

PROXY = IPv4Address("TCP", "10.0.0.1", 4711)


class ContextTests(DecisionTestCase):
    """The URL says who connects."""

    def context(self, query: str, **settings: Any) -> Context:
        """Answer as whom an opening with a query is let in."""
        server = self.factory(**settings)
        client = self.opened(server, query)
        return client.server.context

    def test_key(self) -> None:
        """Every legal specialKey is let in and found again by its key."""
        for key in ("a", "a:b:1", ":", "Zoë 🐘", "%", "+", "&=", "k" * 128, "\u202e"):
            for gzip in (0, 1):
                server = self.factory()
                client = self.opened(
                    server, f"specialKey={quote(key, safe='')}&support_gzip={gzip}"
                )
                self.assertEqual(server.lookUp(f"{key}:{gzip}"), (client.server,))
                self.assertEqual(client.server.context.specialKey, key)

    def test_supportGzip(self) -> None:
        """Absent, empty and 0 mean no; 1 means yes; everything else is refused."""
        for suffix in ("", "&support_gzip=", "&support_gzip=0"):
            self.assertFalse(self.context(f"specialKey=a{suffix}").supportGzip)
        self.assertTrue(self.context("support_gzip=1&specialKey=a").supportGzip)
        for bad in ("2", "true", "01", "1%20", "yes"):
            head = opening(f"specialKey=a&support_gzip={bad}")
            answer = self.refusal(self.factory(), head)
            self.assertEqual(answer.status, 400, bad)
            self.assertIn(b"support_gzip", answer.body)

    def test_badQueries(self) -> None:
        """What cannot be understood without guessing is refused with 400."""
        for query in (
            "",
            "specialKey=",
            "specialKey",
            "SpecialKey=a",
            "specialKey=a&specialKey=a",
            "specialKey=a&specialKey=b",
            "specialKey=a&support_gzip=1&support_gzip=1",
            "specialKey=a&x=1&x=2",
            "specialKey=a&special%4bey=a",
            "specialKey=%",
            "specialKey=%4",
            "specialKey=%zz",
            "specialKey=a&b=%",
            "specialKey=%ff",
            "specialKey=%c3",
            "specialKey=%ed%a0%80",
            "specialKey=a%00",
            "specialKey=%0a",
            "specialKey=%7f",
            "specialKey=%c2%85",
            f"specialKey={'k' * 129}",
        ):
            answer = self.refusal(self.factory(), opening(query))
            self.assertEqual(answer.status, 400, query)

    def test_parameters(self) -> None:
        """Other parameters are kept, decoded, for applications."""
        context = self.context("topic=caf%C3%A9+1&specialKey=a&empty=")
        self.assertEqual(context.parameters, {"topic": "café 1", "empty": ""})

    def test_anonymous(self) -> None:
        """With --anonymous, who says no specialKey gets one that nobody has."""
        server = self.factory(anonymous=True)
        one, two = (self.opened(server, query) for query in ("", "specialKey="))

        self.assertEqual(len(server.registry), 2)
        self.assertNotEqual(one.server.context.key, two.server.context.key)
        self.assertEqual(
            self.opened(server, "specialKey=a").server.context.specialKey, "a"
        )


class OriginTests(DecisionTestCase):
    """With --origin, only pages of these origins may connect."""

    ORIGINS = ("https://app.example", "http://localhost:3000")

    def status(self, *values: str, origins: tuple[str, ...] = ORIGINS) -> int:
        """Answer the status that an opening with these Origin headers gets."""
        alice = self.wire(self.factory(origin=origins))
        alice.send(opening(Origin=list(values)))
        return int(alice.protocol.received.split(b" ")[1])

    def test_allowed(self) -> None:
        """These are let in, in any spelling of RFC 6454."""
        for value in (
            "https://app.example",
            "https://APP.example:443",
            "http://localhost:3000",
        ):
            self.assertEqual(self.status(value), 101, value)

    def test_others(self) -> None:
        """All others get 403, null and what is no origin among them."""
        for value in (
            "http://app.example",
            "https://app.example:444",
            "https://app.example.evil.example",
            "https://evil.example/https://app.example",
            "https://app.example@evil.example",
            "https://app.example/",
            "http://localhost",
            "null",
            "",
            "https://",
            "app.example",
            "https://app.example, https://app.example",
            "https://[",
            "https://app.example:x",
            "https://\xe4pp.example",
        ):
            self.assertEqual(self.status(value), 403, value)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_absent(self) -> None:
        """Who has none is no browser, and passes."""
        self.assertEqual(self.status(), 101)

    def test_twice(self) -> None:
        """Two Origin headers are refused with 400, whatever they say."""
        for origins in (self.ORIGINS, ()):
            status = self.status(
                "https://app.example", "https://app.example", origins=origins
            )
            self.assertEqual(status, 400)

    def test_null(self) -> None:
        """The origin null can be allowed by its name."""
        self.assertEqual(self.status("null", origins=("null",)), 101)

    def test_any(self) -> None:
        """Without --origin all pages may connect, whatever their Origin says."""
        for value in ("https://evil.example", "null", "nonsense", "https://["):
            self.assertEqual(self.status(value, origins=()), 101, value)


class AddressTests(DecisionTestCase):
    """A client's address is its own, behind trusted proxies too."""

    TRUSTED = ("10.0.0.0/8", "unix")

    def address(
        self,
        *forwardedFor: str,
        peer: IAddress = PROXY,
        trusted: tuple[str, ...] = TRUSTED,
    ) -> str:
        """Answer what is taken for the address of a client."""
        client = self.wire(self.factory(trustedProxy=trusted), peer)
        client.send(opening(X_Forwarded_For=list(forwardedFor)))
        return client.server.address

    def test_direct(self) -> None:
        """Without a proxy it is the transport's."""
        self.assertEqual(self.address(peer=PEER), "203.0.113.7")

    def test_proxy(self) -> None:
        """A trusted proxy's word is taken, a port behind the address or not."""
        self.assertEqual(self.address("198.51.100.9"), "198.51.100.9")
        self.assertEqual(self.address("198.51.100.9:55"), "198.51.100.9")
        self.assertEqual(self.address("2001:db8::1"), "2001:db8::1")
        self.assertEqual(self.address("[2001:db8::1]:55"), "2001:db8::1")

    def test_severalProxies(self) -> None:
        """Trusted proxies in a row are followed back, in one header or several."""
        self.assertEqual(self.address("198.51.100.9, 10.1.1.1"), "198.51.100.9")
        self.assertEqual(self.address("198.51.100.9", "10.1.1.1"), "198.51.100.9")

    def test_unix(self) -> None:
        """A proxy over a Unix socket is trusted if told so."""
        peer = UNIXAddress(None)
        self.assertEqual(self.address("198.51.100.9", peer=peer), "198.51.100.9")
        self.assertEqual(
            self.address("198.51.100.9", peer=peer, trusted=("10.0.0.1",)), "unix"
        )

    def test_mapped(self) -> None:
        """A proxy on a dual-stack port is known by its IPv4 address."""
        peer = IPv6Address("TCP", "::ffff:10.0.0.1", 1)
        self.assertEqual(self.address("198.51.100.9", peer=peer), "198.51.100.9")

    def test_untrusted(self) -> None:
        """What others claim counts for nothing."""
        for trusted in ((), self.TRUSTED):
            address = self.address("198.51.100.9", peer=PEER, trusted=trusted)
            self.assertEqual(address, "203.0.113.7")

    def test_spoofed(self) -> None:
        """What a client puts in front of what its proxy adds counts for nothing."""
        self.assertEqual(
            self.address("1.1.1.1, 10.9.9.9, 198.51.100.9"), "198.51.100.9"
        )
        self.assertEqual(self.address("10.9.9.9", "198.51.100.9"), "198.51.100.9")

    def test_nonsense(self) -> None:
        """What is no address ends the search at the last that was one."""
        self.assertEqual(self.address("198.51.100.9, what"), "10.0.0.1")
        self.assertEqual(self.address("what, 198.51.100.9"), "198.51.100.9")
        self.assertEqual(self.address(""), "10.0.0.1")
        self.assertEqual(self.address("unix"), "10.0.0.1")

    def test_smuggled(self) -> None:
        """A header hidden in another behind an odd line end is not believed."""
        for end in "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e":
            client = self.wire(self.factory(trustedProxy=self.TRUSTED), PROXY)
            hidden = f"x{end}X-Forwarded-For: 1.1.1.1"
            client.send(opening(X_Any=hidden, X_Forwarded_For="198.51.100.9"))
            if b" 101 " in client.protocol.received:
                self.assertEqual(client.server.address, "198.51.100.9")
            else:
                self.assertEqual(answerOf(client.protocol.received).status, 400)

    def test_smuggledBehind(self) -> None:
        """An odd line end in the header itself does not add an address."""
        client = self.wire(self.factory(trustedProxy=self.TRUSTED), PROXY)
        client.send(opening(X_Forwarded_For="198.51.100.9\x85, 1.1.1.1\x85"))
        self.assertRegex(client.protocol.received, b"^HTTP/1.1 (101|400) ")

    def test_application(self) -> None:
        """Applications are told the client's own address."""
        server = self.server(lambda request: request.context, trustedProxy=["10.0.0.1"])
        client = self.wire(server, PROXY)
        client.send(opening(X_Forwarded_For="198.51.100.9"))
        self.assertEqual(self.bouncer(server).requests[0].address, "198.51.100.9")
        [connection] = server.lookUp("alice:0")
        self.assertEqual(connection.address, "198.51.100.9")


class RoomTests(DecisionTestCase):
    """--duplicate and --max-connections."""

    def test_replace(self) -> None:
        """A live key connects again: the new connection takes over, with 4001."""
        server = self.factory()
        old, new = self.opened(server), self.opened(server)
        old.flush()

        self.assertEqual(old.protocol.closeCodes, [4001])
        self.assertEqual(server.lookUp("alice:0"), (new.server,))

    def test_replaceIsPerKey(self) -> None:
        """Another key, or the same with gzip, replaces nobody."""
        server = self.factory()
        one = self.opened(server)
        self.opened(server, "specialKey=alice&support_gzip=1")
        self.opened(server, "specialKey=Alice")
        one.flush()
        self.assertEqual(one.protocol.frames, [])
        self.assertEqual(len(server.registry), 3)

    def test_refuse(self) -> None:
        """With refuse, the second one gets 409 and the first one notices nothing."""
        server = self.factory(duplicate="refuse")
        old = self.opened(server)
        self.assertEqual(self.refusal(server).status, 409)
        old.send(frame(TEXT, b"hi"))
        self.assertEqual(old.protocol.texts, ["hi"])

        old.leave()
        self.opened(server)

    def test_refuseWhileClosing(self) -> None:
        """With refuse, a key is free again once its connection is closing."""
        server = self.factory(duplicate="refuse")
        old = self.opened(server)
        old.server.close()
        self.opened(server)
        self.assertEqual(len(server.registry), 1)

    def test_allow(self) -> None:
        """With allow both stay, both hear, and the look-up answers both."""
        server = self.factory(duplicate="allow")
        one, two = self.opened(server), self.opened(server)
        one.send(frame(TEXT, b"hi"))
        two.flush()
        self.assertEqual((one.protocol.texts, two.protocol.texts), (["hi"], ["hi"]))
        self.assertEqual(server.lookUp("alice:0"), (one.server, two.server))
        one.leave()
        self.assertEqual(server.lookUp("alice:0"), (two.server,))

    def test_full(self) -> None:
        """Above --max-connections: 503 and when to come again."""
        server = self.factory(maxConnections=2)
        self.opened(server, "specialKey=a")
        leaving = self.opened(server, "specialKey=b")
        answer = self.refusal(server)
        self.assertEqual(answer.status, 503)
        self.assertRegex(answer.headers["retry-after"], r"^[1-9]\d*$")

        leaving.leave()
        self.opened(server)

    def test_fullButTakeover(self) -> None:
        """A takeover is let in even when the server is full."""
        server = self.factory(maxConnections=1)
        old, new = self.opened(server), self.opened(server)
        old.flush()
        self.assertEqual(old.protocol.closeCodes, [4001])
        self.assertEqual(server.lookUp("alice:0"), (new.server,))

    def test_fullAndAllow(self) -> None:
        """With allow nobody is replaced, so a live key finds the server full too."""
        server = self.factory(maxConnections=1, duplicate="allow")
        self.opened(server)
        self.assertEqual(self.refusal(server).status, 503)

    def test_fullAndRefuse(self) -> None:
        """With refuse, a live key is told so, full or not."""
        server = self.factory(maxConnections=1, duplicate="refuse")
        self.opened(server)
        self.assertEqual(self.refusal(server).status, 409)

    def test_plainRequestsDoNotCount(self) -> None:
        """Only WebSockets count: not requests, not openings that wait."""
        server = self.server(lambda _: Deferred(), maxConnections=1)
        for _ in range(3):
            self.wire(server).send(opening())
        self.bouncer(server).decide = lambda request: request.context
        self.wire(server).send(b"GET / HTTP/1.1\r\n")
        self.opened(server)

    def test_fullMeanwhile(self) -> None:
        """Of two that are decided on at once, one finds the last place taken."""
        decisions: list[tuple[Any, Deferred[Any]]] = []

        def decide(request: Any) -> Deferred[Any]:
            decisions.append((request, Deferred()))
            return decisions[-1][1]

        server = self.server(decide, maxConnections=1)
        clients = [self.wire(server), self.wire(server)]
        for number, client in enumerate(clients):
            client.send(opening(f"specialKey={number}"))
        for request, decision in reversed(decisions):
            decision.callback(request.context)
        for client in clients:
            client.flush()

        self.assertEqual(answerOf(clients[0].protocol.received).status, 503)
        self.assertIn(b" 101 ", clients[1].protocol.received)
        self.assertEqual(len(server.registry), 1)

    def test_changedKey(self) -> None:
        """What counts is who the application says it is."""
        server = self.server(lambda _: Context("system", True), duplicate="refuse")
        self.opened(server, "specialKey=a")
        self.assertEqual(len(server.lookUp("system:1")), 1)
        self.assertEqual(self.refusal(server).status, 409)
