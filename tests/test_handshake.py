"""Tests of L{gows.wire.handshake}: Autobahn's own handshake is the measure."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.access.request import RequestHead
from gows.errors import Refusal
from gows.wire.compression import acceptDeflate, soundOffers
from gows.wire.handshake import DIALECTS, Handshake

PROPERTY = settings(max_examples=400, deadline=None, database=None, derandomize=True)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
VALID = {
    "Host": ["chat.example"],
    "Upgrade": ["websocket"],
    "Connection": ["keep-alive, Upgrade"],
    "Sec-WebSocket-Key": [KEY],
    "Sec-WebSocket-Version": ["13"],
}
SOME = {
    "Host": [
        "",
        "a",
        "a:80",
        "a:http",
        "a:",
        "[::1]",
        "[::1]:80",
        "a:+80",
        "a: 8",
        ":",
    ],
    "Upgrade": ["websocket", "h2c, WebSocket,"],
    "Connection": ["Upgrade", "upgrade,", "close", "keep-alive , UPGRADE", ""],
    "Sec-WebSocket-Key": [
        KEY,
        "x" * 22 + "==",
        "x" * 24,
        "x" * 21 + "==",
        "x" * 23 + "==",
        "x" * 21 + "-==",
        "x" * 21 + " ==",
        "",
    ],
    "Sec-WebSocket-Version": ["13"],
    "Sec-WebSocket-Protocol": [
        "a",
        "a, b",
        "b,a",
        "a,a",
        "a,,b",
        ",,",
        "",
        "gows.v1",
        "a, gows.raw,gows.v1",
    ],
    "Sec-WebSocket-Extensions": [
        "permessage-deflate",
        'permessage-deflate; server_max_window_bits="10", permessage-deflate',
        "Permessage-Deflate; client_max_window_bits; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=\uff11\uff12",
        "permessage-deflate; server_max_window_bits=8",
        "x-other; a=\xe4",
    ],
}
HEADS = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.sampled_from(values), max_size=2)
        for name, values in SOME.items()
    },
)
"""Headers that differ from L{VALID}'s."""


def headOf(fields: dict[str, list[str]]) -> RequestHead:
    """Make a head of what differs from a valid one."""
    merged = {**VALID, **fields}
    lines = [f"{name}: {value}" for name, values in merged.items() for value in values]
    return RequestHead.parse("\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode())


class Transport:
    """Keeps what is written, and like real ones minds no producer that is missing."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self.written = b""

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.written += data

    def unregisterProducer(self) -> None:
        """Take note of nothing."""

    loseConnection = unregisterProducer


class Choosing(WebSocketServerProtocol):
    """Autobahn's own, which chooses a subprotocol as we do."""

    def onConnect(self, request: Any) -> str | None:
        """Choose the first that we speak."""
        return next((name for name in request.protocols if name in DIALECTS), None)


def autobahnsAnswer(head: RequestHead) -> tuple[bytes, Any]:
    """
    Have Autobahn answer a handshake.

    @return: what it writes, and its half of permessage-deflate
    """
    names = [*SOME]
    lines = [
        f"{name}: {value}" for name in names[:-1] for value in head.values(name.lower())
    ]
    if offers := soundOffers(head):
        lines.append(f"{names[-1]}: {offers}")
    factory = WebSocketServerFactory(server="gows", reactor=Clock())
    factory.setProtocolOptions(
        openHandshakeTimeout=0, perMessageCompressionAccept=acceptDeflate
    )
    protocol = Choosing()
    protocol.factory = factory
    transport = Transport()
    protocol.transport = transport  # type: ignore[assignment]  # all that is asked of one
    protocol._connectionMade()
    protocol.data = "\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode("latin-1")
    protocol.consumeData()
    return transport.written, protocol._perMessageCompress


class HandshakeTests(SynchronousTestCase):
    """What is a handshake for Autobahn is one for us, with the same answer."""

    def test_answer(self) -> None:
        """RFC 6455's own example is answered as it says."""
        answer, compression = Handshake.of(headOf({})).answer("gows", acceptDeflate)
        self.assertEqual(
            answer,
            b"HTTP/1.1 101 Switching Protocols\r\nServer: gows\r\n"
            b"Upgrade: WebSocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        )
        self.assertIsNone(compression)

    def test_notAccepted(self) -> None:
        """An offer that is declined is not mentioned."""
        head = headOf({"Sec-WebSocket-Extensions": ["permessage-deflate"]})
        answer, compression = Handshake.of(head).answer("gows", lambda _: None)
        self.assertNotIn(b"Extensions", answer)
        self.assertIsNone(compression)

    def test_notASCII(self) -> None:
        """What is not ASCII is refused, unless nobody reads it."""
        for name in SOME:
            for value in ("\x85", "a, \xe4", "\u2028"):
                if name != "Sec-WebSocket-Extensions":
                    fields = {name: [value]}
                    refusal = self.assertRaises(Refusal, Handshake.of, headOf(fields))
                    self.assertEqual(refusal.status, 400)
        self.assertTrue(Handshake.of(headOf({"X-Name": ["\xe4"]})))
        self.assertTrue(Handshake.of(headOf({"Sec-WebSocket-Extensions": ["\xe4"]})))

    @PROPERTY
    @given(HEADS)
    def test_asAutobahn(self, fields: dict[str, list[str]]) -> None:
        """Each is refused by both, or has the same answer of both."""
        head = headOf(fields)
        if not head.wantsWebSocket or not soundOffers(head).isascii():
            return
        expected, theirs = autobahnsAnswer(head)
        try:
            answer, ours = Handshake.of(head).answer("gows", acceptDeflate)
        except Refusal as refusal:
            self.assertEqual(refusal.status, 400)
            self.assertTrue(expected.startswith(b"HTTP/1.1 4"), expected)
            return
        self.assertEqual(answer, expected)
        self.assertEqual(repr(ours), repr(theirs))

    def test_measured(self) -> None:
        """Autobahn takes what is valid, and refuses what is not."""
        self.assertTrue(autobahnsAnswer(headOf({}))[0].startswith(b"HTTP/1.1 101 "))
        fields = {"Host": ["a", "b"]}
        self.assertTrue(autobahnsAnswer(headOf(fields))[0].startswith(b"HTTP/1.1 400 "))
