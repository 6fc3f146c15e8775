"""Tests of L{gows.wire.opening}: what a connection may begin with."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.address import IPv4Address

from gows.access.request import MAX_HEAD
from tests.memory import (
    DEFLATE,
    OPENING,
    TEXT,
    HalfCloseable,
    MemoryTestCase,
    answerOf,
    frame,
    opening,
    request,
)

CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(180))

MARKER = "KILROY"
ORIGIN = "https://app.example"


class HeadTests(MemoryTestCase):
    """An opening may come in any pieces, but must be whole, small and in time."""

    def test_inOnePiece(self) -> None:
        """A valid opening is answered with 101 and the key's digest of RFC 6455."""
        alice = self.wire(self.factory())
        alice.send(opening())

        head, _, rest = alice.protocol.received.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.assertEqual(lines[0], "HTTP/1.1 101 Switching Protocols")
        self.assertIn("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", lines)
        self.assertIn("Server: gows", lines)
        self.assertEqual(rest, b"")

    def test_byteByByte(self) -> None:
        """An opening may come one byte at a time, frames behind it as well."""
        server = self.factory()
        alice = self.wire(server)
        for byte in opening() + frame(TEXT, b"hello") + frame(TEXT, b"world"):
            alice.send(bytes([byte]))

        self.assertEqual(alice.protocol.texts, ["hello", "world"])

    def test_framesBehindTheHead(self) -> None:
        """Frames in the same segment as the opening are taken, in order."""
        server = self.factory()
        alice = self.wire(server)
        alice.send(opening() + frame(TEXT, b"one") + frame(TEXT, b"two"))

        self.assertEqual(alice.protocol.texts, ["one", "two"])
        self.assertEqual(
            self.calls(server),
            [
                ("open", "alice"),
                ("message", "alice", b"one"),
                ("message", "alice", b"two"),
            ],
        )

    def test_emptyLinesBefore(self) -> None:
        """Empty lines before the request are ignored (RFC 9112, 2.2)."""
        alice = self.wire(self.factory())
        alice.send(b"\r\n")
        alice.send(b"\r\n" + opening())

        self.assertIn(b"HTTP/1.1 101 ", alice.protocol.received)

    def padded(self, size: int) -> bytes:
        """Write an opening whose head has just this size."""
        rest = size - len(opening(X_Padding=""))
        return opening(X_Padding="p" * rest)

    def test_largestHead(self) -> None:
        """A head of exactly 16 KiB is let in, in one piece or in two."""
        for cut in (MAX_HEAD, MAX_HEAD - 1, 1000):
            head = self.padded(16 * 1024)
            alice = self.wire(self.factory())
            alice.send(head[:cut])
            alice.send(head[cut:] + frame(TEXT, b"hi"))
            self.assertEqual(alice.protocol.texts, ["hi"])

    def test_headTooLarge(self) -> None:
        """One byte more is refused with 431, in one piece or byte by byte."""
        head = self.padded(16 * 1024 + 1)
        self.assertEqual(self.ask(self.factory(), head).status, 431)

        alice = self.wire(self.factory())
        alice.send(head[:MAX_HEAD])
        self.assertEqual(alice.protocol.received, b"")
        alice.send(head[MAX_HEAD:])
        answer = answerOf(alice.protocol.received)
        self.assertEqual(answer.status, 431)
        self.assertEqual(answer.phrase, "Request Header Fields Too Large")

    def test_endlessHead(self) -> None:
        """A head that never ends is refused once it is too large, and forgotten."""
        alice = self.wire(self.factory())
        alice.send(b"GET / HTTP/1.1\r\n")
        for _ in range(40):
            alice.protocol.transport.write(b"X-Filler: " + b"x" * 1000 + b"\r\n")
            alice.pump.pump()
        alice.flush()

        self.assertEqual(answerOf(alice.protocol.received).status, 431)

    def test_neverCompleted(self) -> None:
        """Who has not completed an opening within the time is dropped."""
        server = self.factory(handshakeTimeout=10)
        alice = self.wire(server)
        alice.send(opening()[:-1])
        self.advance(9.9)
        alice.flush()
        self.assertFalse(alice.protocol.isLost)

        self.advance(0.2)
        alice.flush()

        self.assertTrue(alice.protocol.isLost)
        self.assertTrue(alice.transport.wasAborted)
        self.assertEqual(self.logged(), ["dropped 203.0.113.7: no opening in time"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothingSent(self) -> None:
        """Who connects and says nothing is dropped as well."""
        alice = self.wire(self.factory(handshakeTimeout=3))
        self.advance(3.1)
        alice.flush()
        self.assertTrue(alice.protocol.isLost)

    def test_slowly(self) -> None:
        """A byte a second keeps nobody longer than the time allows."""
        alice = self.wire(self.factory(handshakeTimeout=10))
        for byte in opening()[:11]:
            alice.send(bytes([byte]))
            self.advance(1)
        alice.flush()
        self.assertTrue(alice.protocol.isLost)

    def test_timeoutOfUnderASecond(self) -> None:
        """A handshake timeout of half a second is half a second, not none."""
        self.clock.advance(0.2)
        alice = self.wire(self.factory(handshakeTimeout=0.5))
        self.advance(0.4)
        alice.flush()
        self.assertFalse(alice.protocol.isLost)
        self.advance(0.2)
        alice.flush()
        self.assertTrue(alice.protocol.isLost)

    def test_openedInTime(self) -> None:
        """Who has opened in time is not dropped by that timeout."""
        alice = self.opened(self.factory(handshakeTimeout=1, pingInterval=0))
        self.advance(30)
        alice.send(frame(TEXT, b"still here"))
        self.assertEqual(alice.protocol.texts, ["still here"])

    def test_peerLeaves(self) -> None:
        """Who leaves in the middle of the head leaves nothing behind."""
        server = self.factory()
        alice = self.wire(server)
        alice.send(opening()[:50])
        alice.leave()

        self.assertEqual(len(server.registry), 0)
        self.assertEqual(self.calls(server), [])
        self.assertEqual(self.logged(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class NotHTTPTests(MemoryTestCase):
    """What is not an HTTP request is told so."""

    def test_clientHello(self) -> None:
        """A TLS client on a plain port gets 400 at once, with a hint."""
        answer = self.ask(self.factory(), CLIENT_HELLO)
        self.assertEqual(answer.status, 400)
        self.assertIn(b"TLS", answer.body)

    def test_firstByteOfClientHello(self) -> None:
        """That is told from the first byte: nobody waits for a timeout."""
        self.assertEqual(self.ask(self.factory(), b"\x16").status, 400)

    def test_garbage(self) -> None:
        """Whatever else it is, it is answered with 400."""
        for garbage in (
            b"\x00",
            b"{}\r\n\r\n",
            b"HELLO\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/1.1 \r\n\r\n",
            b"GET  / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\nHost: x\r\n\r\n",
            b"GET / http/1.1\r\n\r\n",
            b"GET / HTTP/11\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\n\r\n",
            b"GET /#top HTTP/1.1\r\n\r\n",
            b"GET * HTTP/1.1\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\n\r\n",
            b"CONNECT host:80 HTTP/1.1\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\n",
        ):
            answer = self.ask(self.factory(), garbage)
            self.assertEqual(answer.status, 400, garbage)

    def test_malformedHeaders(self) -> None:
        """A header that RFC 9112 does not allow is refused with 400."""
        for line in (
            b"no colon",
            b"Na me: x",
            b"Name : x",
            b": x",
            b" folded: x",
            b"Name: \x00",
            b"Name: a\rb",
            b"Name: a\nb",
            b"Na\xe9me: x",
            b"Name: \x7f",
        ):
            head = opening().replace(b"Upgrade: w", line + b"\r\nUpgrade: w", 1)
            answer = self.ask(self.factory(), head)
            self.assertEqual(answer.status, 400, line)

    def test_notUTF8(self) -> None:
        """Bytes over 127 in a header are not our business: no header breaks us."""
        for name in (
            "Host",
            "Upgrade",
            "Connection",
            "Sec-WebSocket-Key",
            "Sec-WebSocket-Version",
            "Sec-WebSocket-Protocol",
            "Sec-WebSocket-Extensions",
            "Origin",
            "Referer",
            "X-Forwarded-For",
            "Content-Length",
            "User-Agent",
            "Cookie",
        ):
            head = opening(**{name: "\xff\xfe"})
            server = self.factory(trustedProxy=("203.0.113.7",), origin=("http://a",))
            alice = self.wire(server)
            alice.send(head)
            received = alice.protocol.received
            self.assertRegex(received, rb"^HTTP/1.1 (101|200|4\d\d) ", name)
            self.assertEqual(self.flushLoggedErrors(), [], name)
            self.assertNotIn("Traceback", "\n".join(self.logged()), name)


class HandshakeTests(MemoryTestCase):
    """An opening that RFC 6455 does not allow gets an answer that says why."""

    def status(self, **changes: str | list[str] | None) -> int:
        """Answer the status that an opening with other headers gets."""
        alice = self.wire(self.factory())
        alice.send(opening("specialKey=alice", **changes))
        return int(alice.protocol.received.split(b" ")[1])

    def test_missing(self) -> None:
        """A header that must be there and is not: 400 (no upgrade: a page)."""
        for name in OPENING:
            expected = 200 if name == "Upgrade" else 400
            self.assertEqual(self.status(**{name: None}), expected, name)

    def test_twice(self) -> None:
        """A header that must be there once and is there twice: 400."""
        for name in ("Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version"):
            twice = [OPENING[name], OPENING[name]]
            self.assertEqual(self.status(**{name: twice}), 400, name)

    def test_listsInSeveralHeaders(self) -> None:
        """What RFC 6455 calls a list may come as one header or as several."""
        for name, values in {
            "Upgrade": ["h2c", "websocket"],
            "Connection": ["keep-alive", "Upgrade"],
            "Sec-WebSocket-Protocol": ["a", "b"],
            "Sec-WebSocket-Extensions": [DEFLATE, "x-other"],
        }.items():
            self.assertEqual(self.status(**{name: values}), 101, name)
            self.assertEqual(self.status(**{name: ", ".join(values)}), 101, name)

    def test_letterCase(self) -> None:
        """Names and tokens are taken in any letter case."""
        head = opening(Upgrade="WebSocket", Connection="uPGRADE")
        lower = b"\r\n".join(
            line.lower() if b"-Key" not in line and b":" in line else line
            for line in head.replace(b"Sec-WebSocket-Key", b"sec-websocket-Key").split(
                b"\r\n"
            )
        ).replace(b"get /", b"GET /")
        for one in (head, lower):
            alice = self.wire(self.factory())
            alice.send(one)
            self.assertIn(b"HTTP/1.1 101 ", alice.protocol.received)

    def test_otherUpgrade(self) -> None:
        """An upgrade to something else is none: the page is answered."""
        self.assertEqual(self.status(Upgrade="h2c"), 200)

    def test_badConnection(self) -> None:
        """A Connection header without Upgrade in it: 400."""
        for value in ("keep-alive", "", "Upgrades"):
            self.assertEqual(self.status(Connection=value), 400, value)

    def test_badKey(self) -> None:
        """A key that is not 16 bytes in base64: 400."""
        for key in (
            "",
            "short==",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZTEyMw==",
            "dGhlIHNhbXBsZSBub25jZQ!=",
            "dGhlIHNhbXBsZSBub25j\xe9Q==",
        ):
            self.assertEqual(self.status(Sec_WebSocket_Key=key), 400, key)

    def test_badHost(self) -> None:
        """A Host whose port is none: 400."""
        self.assertEqual(self.status(Host="example.com:http"), 400)

    def test_ipv6Host(self) -> None:
        """A Host may be an IPv6 address."""
        self.assertEqual(self.status(Host="[::1]"), 101)
        self.assertEqual(self.status(Host="[::1]:8888"), 101)

    def test_otherVersion(self) -> None:
        """A version that is not spoken: 426, naming the one that is."""
        for version in ("0", "7", "14", "14, 7", "x", "", "13\x85"):
            head = opening(Sec_WebSocket_Version=version)
            answer = self.ask(self.factory(), head)
            self.assertEqual(answer.status, 426, version)
            self.assertEqual(answer.headers["sec-websocket-version"], "13")
            self.assertEqual(answer.headers["upgrade"], "websocket")
            self.assertIn(b"13", answer.body)

    def test_otherMethod(self) -> None:
        """An opening that is no GET: 405, with what is allowed."""
        for method in ("POST", "PUT", "OPTIONS", "get", "BREW"):
            head = request(method, "/?specialKey=alice", OPENING)
            answer = self.ask(self.factory(), head)
            self.assertEqual(answer.status, 405, method)
            self.assertEqual(answer.headers["allow"], "GET, HEAD")

    def test_head(self) -> None:
        """The refusal of a HEAD request has no body, but says how long it is."""
        head = request("HEAD", "/?specialKey=alice", OPENING)
        answer = self.ask(self.factory(), head)
        self.assertEqual((answer.status, answer.body), (405, b""))
        self.assertGreater(int(answer.headers["content-length"]), 0)

    def test_otherPath(self) -> None:
        """An opening of another path: 404."""
        for path in ("/chat", "/healthz", "/check", "//", "/index.html", "/%2f"):
            head = request("GET", f"{path}?specialKey=alice", OPENING)
            self.assertEqual(self.ask(self.factory(), head).status, 404, path)

    def test_absoluteTarget(self) -> None:
        """The whole URL may stand in the request line (RFC 9112, 3.2.2)."""
        for target in (
            "http://127.0.0.1:8888/?specialKey=alice",
            "http://127.0.0.1:8888?specialKey=alice",
            "wss://chat.example/?specialKey=alice",
        ):
            alice = self.wire(self.factory())
            alice.send(request("GET", target, OPENING))
            self.assertIn(b"HTTP/1.1 101 ", alice.protocol.received, target)

    def test_otherHTTP(self) -> None:
        """An opening of HTTP/1.0, or of a version yet unknown: 505."""
        for version in ("1.0", "0.9", "1.2", "2.0"):
            head = request("GET", "/?specialKey=alice", OPENING, version)
            self.assertEqual(self.ask(self.factory(), head).status, 505, version)

    def test_body(self) -> None:
        """An opening has no body: one that announces it is refused with 400."""
        for body in ({"Content_Length": "5"}, {"Transfer_Encoding": "chunked"}):
            self.assertEqual(self.status(**body), 400)
        self.assertEqual(self.status(Content_Length="0"), 101)

    def test_oldVersion(self) -> None:
        """What came before RFC 6455, with its own header for Origin, is not spoken."""
        self.assertEqual(self.status(Sec_WebSocket_Version="8"), 426)

    def test_subprotocols(self) -> None:
        """Of the subprotocols that a client offers none is selected."""
        alice = self.opened(self.factory(), Sec_WebSocket_Protocol="chat, superchat")
        self.assertNotIn(b"Sec-WebSocket-Protocol", alice.protocol.received)

    def test_smuggledLineEnds(self) -> None:
        """What only some parsers take for line ends hides no headers in others."""
        for end in "\x85", "\x1c", "\x0b", "\x0c":
            head = opening(X_A=f"b{end}Upgrade: websocket", Upgrade=None)
            alice = self.wire(self.factory())
            alice.send(head)
            self.assertNotIn(b" 101 ", alice.protocol.received)


AGREED = f"{DEFLATE}; client_no_context_takeover; server_no_context_takeover"


class DeflateTests(MemoryTestCase):
    """permessage-deflate is negotiated as RFC 7692 has it."""

    def negotiated(self, offer: str | list[str]) -> str | None:
        """Answer what is agreed on upon an offer."""
        alice = self.opened(self.factory(), Sec_WebSocket_Extensions=offer)
        head = alice.protocol.received.partition(b"\r\n\r\n")[0].decode()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        return fields.get("Sec-WebSocket-Extensions")

    def test_agreed(self) -> None:
        """No context is kept, and the window is bounded where the client can."""
        self.assertEqual(self.negotiated(DEFLATE), AGREED)
        self.assertEqual(
            self.negotiated(f"{DEFLATE}; client_max_window_bits"),
            f"{DEFLATE}; client_no_context_takeover; client_max_window_bits=12; "
            "server_no_context_takeover",
        )
        self.assertEqual(
            self.negotiated(
                f"{DEFLATE}; server_max_window_bits=10; server_no_context_takeover"
            ),
            f"{DEFLATE}; server_no_context_takeover; server_max_window_bits=10; "
            "client_no_context_takeover",
        )

    def test_notOffered(self) -> None:
        """Nothing is agreed on that was not offered."""
        self.assertIsNone(self.negotiated("x-webkit-deflate-frame"))
        self.assertIsNone(self.negotiated(""))

    def test_severalOffers(self) -> None:
        """Of several offers the first that can be accepted is."""
        self.assertEqual(
            self.negotiated(f"x-other; a=b, {DEFLATE}, {DEFLATE}; x"[: -len("; x")]),
            AGREED,
        )

    def test_offerThatCannotBeAccepted(self) -> None:
        """Such an offer is declined, not the opening (RFC 7692, 5.1 and 7)."""
        for offer in (
            f"{DEFLATE}; server_max_window_bits=8",
            f"{DEFLATE}; server_max_window_bits=16",
            f"{DEFLATE}; some_future_parameter",
            f"{DEFLATE}; client_no_context_takeover=1",
            f"{DEFLATE}; server_max_window_bits=10; server_max_window_bits=10",
        ):
            self.assertIsNone(self.negotiated(offer), offer)

    def test_fallBack(self) -> None:
        """Behind an offer that cannot be accepted another one can be."""
        self.assertEqual(
            self.negotiated(f"{DEFLATE}; some_future_parameter, {DEFLATE}"),
            AGREED,
        )


class RefusalTests(MemoryTestCase):
    """A refusal is a whole HTTP answer and never repeats what the peer sent."""

    def heads(self) -> Sequence[tuple[int, bytes]]:
        """Write an opening for each refusal, with a marker wherever it fits."""
        noise = {
            **OPENING,
            "Host": f"{MARKER}.example",
            "User-Agent": MARKER,
            "Cookie": f"token={MARKER}",
            "Authorization": f"Bearer {MARKER}",
            "Origin": ORIGIN,
            "Referer": f"https://{MARKER}.example/{MARKER}",
            "X-Forwarded-For": MARKER,
            "Sec-WebSocket-Protocol": MARKER,
            f"X-{MARKER}": MARKER,
        }
        key = f"specialKey={MARKER}"

        def head(
            target: str = f"/?{key}", method: str = "GET", **changed: str
        ) -> bytes:
            named = {name.replace("_", "-"): value for name, value in changed.items()}
            return request(method, target, {**noise, **named})

        return (
            (400, head(f"/?{MARKER}=1")),
            (400, head(f"/?{key}&{key}")),
            (400, head(f"/?{key}&x=%{MARKER}")),
            (400, head(f"/?{key}&x=%FF")),
            (400, head(f"/?{key}&support_gzip={MARKER}")),
            (400, head(f"/?specialKey={MARKER * 30}")),
            (400, head(f"/?specialKey={MARKER}%00")),
            (400, head(f"/{MARKER}#{MARKER}")),
            (400, head(Sec_WebSocket_Key=MARKER)),
            (400, head(Connection=MARKER)),
            (400, head(Host=f"x:{MARKER}")),
            (400, head(Sec_WebSocket_Protocol=f"{MARKER}, {MARKER}")),
            (400, head(**{f"{MARKER} {MARKER}": "x"})),
            (403, head(Origin=f"https://{MARKER}.example")),
            (403, head(Origin=MARKER)),
            (404, head(f"/{MARKER}?{key}")),
            (405, head(method=MARKER)),
            (426, head(Sec_WebSocket_Version=MARKER)),
            (431, head(X_Padding=MARKER * 3000)),
        )

    def test_neverRepeated(self) -> None:
        """Neither the answer nor the log holds anything that the peer sent."""
        for status, head in self.heads():
            server = self.factory(origin=(ORIGIN,), trustedProxy=("203.0.113.7",))
            answer = self.ask(server, head)
            self.assertEqual(answer.status, status, head)
            said = f"{answer} {self.logged()} {self.events}"
            self.assertNotIn(MARKER.lower(), said.lower())
            self.assertEqual(self.flushLoggedErrors(), [])
            self.clock.advance(2)

    def test_complete(self) -> None:
        """Each has a fixed phrase, a line of text that helps, and ends the line."""
        for _, head in self.heads():
            answer = self.ask(self.factory(origin=(ORIGIN,)), head)
            self.assertRegex(answer.body.decode(), r"^\S[^\n]{10,}\n$")
            self.assertEqual(answer.headers["connection"], "close")
            self.assertEqual(answer.headers["server"], "gows")
            self.assertEqual(
                answer.headers["content-type"], "text/plain; charset=utf-8"
            )
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertEqual(answer.headers["cache-control"], "no-store")

    def test_logged(self) -> None:
        """A refusal is one event, with the address, the status and our words."""
        self.ask(self.factory(), opening("specialKey="))
        [line] = self.logged()
        self.assertRegex(line, r"^refused 203\.0\.113\.7: 400 specialKey is missing")

    def test_flood(self) -> None:
        """When refusals flood, ten a second are written, the others counted."""
        server = self.factory()
        for _ in range(25):
            self.ask(server, opening("specialKey="))
        self.assertEqual(len(self.logged()), 10)

        self.clock.advance(1)

        self.assertEqual(len(self.logged()), 11)
        self.assertIn("15 more", self.logged()[-1])

    def test_halfClosed(self) -> None:
        """On TCP only our side is closed, so that no reset overtakes the answer."""
        alice = self.wire(self.factory(), transport=HalfCloseable)
        alice.send(opening("specialKey=") + b"more")
        transport = alice.transport
        assert isinstance(transport, HalfCloseable)
        self.assertTrue(transport.isHalfClosed)
        self.assertFalse(alice.protocol.isLost)
        alice.send(b"and more" * 10_000)

        self.assertEqual(answerOf(alice.protocol.received).status, 400)
        self.assertEqual(alice.server.data, b"")
        alice.leave()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.logged()), 1)

    def test_halfClosedAndStays(self) -> None:
        """Who does not end its side then is cut after the handshake's timeout."""
        alice = self.wire(self.factory(), transport=HalfCloseable)
        alice.send(opening("specialKey="))
        self.advance(10.1)
        alice.flush()

        self.assertTrue(alice.protocol.isLost)
        self.assertTrue(alice.transport.wasAborted)
        self.assertEqual(len(self.logged()), 1)

    def test_doesNotRead(self) -> None:
        """Who does not read the answer is cut after a while."""
        alice = self.wire(self.factory(closeTimeout=5))
        alice.transport.peerReads = False
        alice.send(opening("specialKey="))
        self.assertFalse(alice.protocol.isLost)
        self.advance(5.1)
        alice.flush()

        self.assertTrue(alice.protocol.isLost)

    def test_addressOfProxy(self) -> None:
        """What is refused before its head is read has its neighbour's address."""
        peer = IPv4Address("TCP", "192.0.2.1", 1)
        self.ask(self.factory(trustedProxy=("192.0.2.1",)), b"\x16", peer)
        self.assertIn("refused 192.0.2.1: 400", self.logged()[0])
