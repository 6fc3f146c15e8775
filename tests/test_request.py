"""Tests for the one reading of a request's head."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.access.request import RequestHead
from gows.errors import Refusal

PROPERTY = settings(max_examples=150, deadline=None, database=None, derandomize=True)

END = b"\r\n\r\n"
OPENING = (
    b"GET /?specialKey=alice HTTP/1.1\r\n"
    b"Host: chat.example\r\n"
    b"Upgrade: websocket\r\n"
    b"Connection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: gows.v1, raw\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
    b"Origin: https://app.example\r\n"
    b"Cookie: secret=1\r\n"
    b"Authorization: Bearer secret\r\n"
    b"X-Forwarded-For: 203.0.113.7\r\n\r\n"
)
LINE_ENDS = (b"\r", b"\n", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x85")
"""What Python's str.splitlines takes for the end of a line, in ISO 8859-1."""

TOKENS = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=8)
NAMES = TOKENS | st.sampled_from(
    [
        "Host",
        "UPGRADE",
        "connection",
        "Origin",
        "Content-Length",
        "Transfer-Encoding",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Key",
    ]
)
VALUES = st.binary(max_size=12) | st.sampled_from(
    [b"websocket", b"Upgrade", b"0", b"x\x85Origin: https://app.example", b"\xff"]
)
FIELDS = st.builds(lambda name, value: name.encode() + b": " + value, NAMES, VALUES)
TARGETS = st.sampled_from([b"/", b"/?specialKey=a", b"*", b"http://x/y?z", b"/\xff"])
HEADS = st.builds(
    lambda target, version, fields: b"\r\n".join(
        [b"GET " + target + b" HTTP/" + version, *fields]
    ),
    TARGETS | st.binary(max_size=12),
    st.sampled_from([b"1.1", b"1.0", b"2", b"1.1 "]),
    st.lists(FIELDS | st.binary(max_size=12), max_size=4),
)


def head(*fields: bytes, line: bytes = b"GET / HTTP/1.1") -> RequestHead:
    """Read a head with these fields."""
    return RequestHead.parse(b"\r\n".join([line, *fields]) + END)


class RequestCase(SynchronousTestCase):
    """Asks for refusals."""

    def refused(self, *fields: bytes, line: bytes = b"GET / HTTP/1.1") -> str:
        """Assert that a head is refused with 400; answer the refusal's text."""
        refusal = self.assertRaises(Refusal, head, *fields, line=line)
        self.assertEqual(refusal.status, 400)
        return str(refusal.text)


class RequestLineTests(RequestCase):
    """The first line says what is wanted."""

    def test_parts(self) -> None:
        """Method, path, query and version are told apart."""
        request = head(line=b"HEAD /check?specialKey=a%20b&x=?y HTTP/1.0")
        self.assertEqual(request.method, "HEAD")
        self.assertEqual(request.path, "/check")
        self.assertEqual(request.query, "specialKey=a%20b&x=?y")
        self.assertEqual(request.version, "1.0")

    def test_noQuery(self) -> None:
        """Without a question mark, or with nothing behind it, there is no query."""
        self.assertEqual(head(line=b"GET / HTTP/1.1").query, "")
        self.assertEqual(head(line=b"GET /? HTTP/1.1").query, "")

    def test_absolute(self) -> None:
        """A target that names scheme and host, as to a proxy, is read as a path."""
        for target, path, query in (
            (b"http://chat.example/check?a=b", "/check", "a=b"),
            (b"https://chat.example:443/", "/", ""),
            (b"WS://chat.example", "/", ""),
            (b"wss://chat.example?a=b", "/", "a=b"),
            (b"http://chat.example/?u=http://x/y", "/", "u=http://x/y"),
        ):
            request = head(line=b"GET " + target + b" HTTP/1.1")
            self.assertEqual((request.path, request.query), (path, query), target)

    def test_urlInTheQuery(self) -> None:
        """A URL inside of the query, or of the path, stays whole."""
        for target in ("/?specialKey=http://a", "/?a=b&page=wss://x.example/y?z"):
            request = head(line=b"GET " + target.encode() + b" HTTP/1.1")
            self.assertEqual(f"{request.path}?{request.query}", target)
        request = head(line=b"GET /http://x.example/check HTTP/1.1")
        self.assertEqual(request.path, "/http://x.example/check")

    def test_slashes(self) -> None:
        """A path that begins with two slashes is no host."""
        self.assertEqual(head(line=b"GET //x.example/ HTTP/1.1").path, "//x.example/")

    def test_wrongLine(self) -> None:
        """What is no request line is refused."""
        for line in (
            b"",
            b" ",
            b"GET",
            b"GET /",
            b"GET  / HTTP/1.1",
            b"GET / HTTP/1.1 ",
            b" GET / HTTP/1.1",
            b"GET\t/\tHTTP/1.1",
            b"GET / / HTTP/1.1",
            b"GET / http/1.1",
            b"GET / HTTP/1",
            b"GET / HTTP/11.1",
            b"GET / HTTP/1.1.1",
            b"GET / HTTP/\xb2.0",
            b"G(T / HTTP/1.1",
            b"G\xc4T / HTTP/1.1",
            b"HTTP/1.1 200 OK",
            b"\x16\x03\x01\x02\x00\x01",
        ):
            self.assertIn("HTTP/1.1", self.refused(line=line))

    def test_wrongTarget(self) -> None:
        """A target that is no path, or not percent-encoded, is refused."""
        for target in (
            b"*",
            b"chat.example:443",
            b"check",
            b"ftp://chat.example/",
            b"http:/chat.example/",
            b"/#top",
            b"/?a#b",
            b"/caf\xc3\xa9",
            b"/\x00",
            b"/\x7f",
            b"/\x1b[31m",
            b"/\x85",
            b"/\xa0",
        ):
            self.refused(line=b"GET " + target + b" HTTP/1.1")

    def test_refusalsRepeatNothing(self) -> None:
        """No answer holds what was sent."""
        for line in (b"xyzzy", b"GET xyzzy HTTP/1.1", b"GET /xyzzy# HTTP/1.1"):
            self.assertNotIn("xyzzy", self.refused(line=line))
        self.assertNotIn("xyzzy", self.refused(b"xyzzy"))


class FieldsTests(RequestCase):
    """A request's headers are read as RFC 9112 says, or not at all."""

    def values(self, field: bytes, name: str) -> list[str]:
        """Read one field's values."""
        return list(head(field).headers.getRawHeaders(name, []))

    def test_value(self) -> None:
        """Blanks around a value do not count, those inside do."""
        for field in (b"X: a b", b"X:a b", b"x: \t a b \t ", b"X:\ta b"):
            self.assertEqual(self.values(field, "X"), ["a b"], field)
        self.assertEqual(self.values(b"X:", "X"), [""])
        self.assertEqual(self.values(b"X: a:b", "X"), ["a:b"])

    def test_repeated(self) -> None:
        """A header given several times has several values, in order."""
        request = head(b"X: a", b"Y: b", b"x: c")
        self.assertEqual(request.headers.getRawHeaders("X"), ["a", "c"])

    def test_none(self) -> None:
        """There may be no headers at all."""
        self.assertEqual(list(head().headers.getAllRawHeaders()), [])

    def test_wrong(self) -> None:
        """What is no header is refused."""
        for field in (
            b"",
            b"X",
            b": a",
            b"X : a",
            b"X\t: a",
            b" X: a",
            b"\tX: a",
            b"X Y: a",
            b"X(: a",
            b"X\xe4: a",
            b"X: a\x00",
            b"X: \x08",
            b"X: \x1b[31m",
            b"X: \x7f",
        ):
            self.refused(field)

    def test_folded(self) -> None:
        """A header that goes on in the next line (obs-fold) is refused."""
        self.refused(b"X: a", b" b")
        self.refused(b"X: a", b"\tb: c")

    def test_smuggledLineEnds(self) -> None:
        """Nothing but CRLF ends a line: others are refused or part of a value."""
        for lineEnd in LINE_ENDS:
            smuggled = b"X: a" + lineEnd + b"Origin: https://app.example"
            try:
                request = head(smuggled)
            except Refusal as refusal:
                self.assertEqual(refusal.status, 400)
            else:
                self.assertIsNone(request.origin)
        for lineEnd in LINE_ENDS[:-1]:
            self.refused(b"X: a" + lineEnd + b"Y: b")
            self.refused(b"X: a" + lineEnd)

    def test_plain(self) -> None:
        """For a plain answer nothing is shown but method, path and version."""
        self.assertEqual(
            RequestHead.parse(OPENING).plain(), b"GET / HTTP/1.1\r\nHost: gows\r\n\r\n"
        )


class QuestionsTests(RequestCase):
    """What gows asks of a head."""

    def test_wantsWebSocket(self) -> None:
        """An upgrade to websocket is one, in any case, among others too."""
        for field in (
            b"Upgrade: websocket",
            b"upgrade: WebSocket",
            b"Upgrade: h2c, websocket",
            b"Upgrade: ,websocket,",
        ):
            self.assertTrue(head(field).wantsWebSocket, field)
        self.assertTrue(head(b"Upgrade: h2c", b"Upgrade: websocket").wantsWebSocket)

    def test_wantsSomethingElse(self) -> None:
        """Everything else is a plain request."""
        for field in (
            b"Upgrade: h2c",
            b"Upgrade:",
            b"Upgrade: websocket/13",
            b"Upgrade: web socket",
            b"Connection: Upgrade",
            b"X: websocket",
        ):
            self.assertFalse(head(field).wantsWebSocket, field)
        self.assertFalse(head().wantsWebSocket)

    def test_hasBody(self) -> None:
        """A body is announced by its length or its encoding."""
        for fields in (
            [b"Content-Length: 1"],
            [b"Content-Length: 0", b"Content-Length: 1"],
            [b"Content-Length: 0, 1"],
            [b"Content-Length: x"],
            [b"Content-Length:"],
            [b"Transfer-Encoding: chunked"],
            [b"Transfer-Encoding: identity", b"Content-Length: 0"],
        ):
            self.assertTrue(head(*fields).hasBody, fields)

    def test_hasNoBody(self) -> None:
        """Without, or with a length of 0, there is none."""
        self.assertFalse(head().hasBody)
        self.assertFalse(head(b"Content-Length: 0").hasBody)

    def test_origin(self) -> None:
        """The origin is there if the client is a browser."""
        self.assertIsNone(head().origin)
        self.assertEqual(head(b"Origin: null").origin, "null")
        self.assertEqual(head(b"Origin:").origin, "")
        self.assertEqual(RequestHead.parse(OPENING).origin, "https://app.example")

    def test_severalOrigins(self) -> None:
        """Two origins are refused: it is not known which one counts."""
        request = head(b"Origin: https://a", b"origin: https://a")
        refusal = self.assertRaises(Refusal, lambda: request.origin)
        self.assertEqual(refusal.status, 400)

    def test_subprotocols(self) -> None:
        """Subprotocols are listed in the order of the offer."""
        self.assertEqual(head().subprotocols, ())
        self.assertEqual(head(b"Sec-WebSocket-Protocol: ,").subprotocols, ())
        request = head(
            b"Sec-WebSocket-Protocol: b ,a,", b"Sec-WebSocket-Protocol: gows.v1"
        )
        self.assertEqual(request.subprotocols, ("b", "a", "gows.v1"))


class HostileTests(RequestCase):
    """Whatever comes is understood or refused with 400."""

    def understand(self, raw: bytes) -> None:
        """Ask everything of a head."""
        try:
            request = RequestHead.parse(raw)
            asked = (
                request.wantsWebSocket,
                request.hasBody,
                request.origin,
                request.subprotocols,
                request.headers.getRawHeaders("X-Forwarded-For"),
            )
        except Refusal as refusal:
            self.assertEqual(refusal.status, 400)
            return
        self.assertEqual(len(asked), 5)
        self.assertEqual(request.path[:1], "/")
        self.assertTrue(f"{request.path}{request.query}".isascii())

    @PROPERTY
    @given(st.binary())
    @example(b"")
    @example(b"\r\n")
    @example(END)
    @example(b"GET / HTTP/1.1" + END + b"X: a")
    def test_anything(self, data: bytes) -> None:
        """Arbitrary bytes with an empty line behind them raise nothing else."""
        self.understand(data + END)

    @PROPERTY
    @given(HEADS)
    @example(b"GET / HTTP/1.1\r\nOrigin: \xff")
    @example(b"GET / HTTP/1.1\r\nUpgrade: \xff")
    @example(b"GET / HTTP/1.1\r\nContent-Length: \xff")
    @example(b"GET / HTTP/1.1\r\nSec-WebSocket-Protocol: \xff")
    @example(b"GET / HTTP/1.1\r\nX-Forwarded-For: \xff")
    @example(b"GET / HTTP/1.1\r\nHost: x\x85Origin: https://app.example")
    def test_nearlyARequest(self, data: bytes) -> None:
        """What is nearly a request raises nothing else."""
        self.understand(data + END)

    @PROPERTY
    @given(
        TOKENS,
        st.text("/?&=%:.~-az09", max_size=20).map("/".__add__),
        st.lists(
            st.tuples(TOKENS, st.text("!~azAZ09:;,=/ \t", max_size=8)), max_size=4
        ),
    )
    def test_everyRequest(
        self, method: str, target: str, fields: list[tuple[str, str]]
    ) -> None:
        """Every request that is one is understood."""
        request = head(
            *(f"{name}: {value}".encode() for name, value in fields),
            line=f"{method} {target} HTTP/1.1".encode(),
        )
        self.assertEqual(request.method, method)
        self.assertEqual(request.path, target.partition("?")[0])
        self.assertEqual(request.query, target.partition("?")[2])
        for name, value in fields:
            values = request.headers.getRawHeaders(name, [])
            self.assertIn(value.strip(" \t"), values)
