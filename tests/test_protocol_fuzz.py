"""Tests of L{gows.wire.protocol}: whatever comes, it stays with who sent it."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.memory import DEFLATE, TEXT, MemoryTestCase, closeFrame, frame, opening

LIMIT = 300


def deflated(data: bytes) -> bytes:
    """Compress as a client does."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -12)
    return (deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]


PAYLOADS = st.one_of(
    st.binary(max_size=140),
    st.text(max_size=60).map(str.encode),
    st.text(max_size=60).map(lambda text: gzip.compress(text.encode(), mtime=0)),
    st.binary(max_size=60).map(deflated),
    st.sampled_from(
        [
            b"x" * (LIMIT + 1),
            gzip.compress(bytes(100_000), mtime=0),
            deflated(bytes(100_000)),
            gzip.compress(b"text", mtime=0)[:-1],
        ]
    ),
)

ANY_FRAMES = st.builds(
    frame,
    st.integers(0, 15),
    PAYLOADS,
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 4, 4, 1, 2, 7]),
    mask=st.sampled_from([b"\x00\x00\x00\x00", b"mask", b"\xff\x01\x80\x7f", None]),
)

SOUND_FRAMES = st.builds(
    frame,
    st.sampled_from([0, 1, 1, 1, 2, 2, 9, 10]),
    PAYLOADS,
    fin=st.sampled_from([True, True, False]),
    rsv=st.sampled_from([0, 0, 4]),
)

CLOSES = st.builds(
    closeFrame,
    st.one_of(st.none(), st.integers(0, 65535)),
    st.one_of(st.just(b""), st.binary(max_size=20)),
)

CONVERSATIONS = st.lists(
    st.one_of(SOUND_FRAMES, SOUND_FRAMES, ANY_FRAMES, CLOSES, st.binary(max_size=20)),
    max_size=12,
).map(b"".join)

CUTS = st.lists(st.integers(0, 3000), max_size=6)

BINARY = st.sampled_from(["gzip", "relay", "refuse"])


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut data at these places."""
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(places) if b > a]


class FuzzTests(MemoryTestCase):
    """Random input never raises, never touches others, and leaves no ghosts."""

    def fresh(self) -> None:
        """Begin each example anew: hypothesis runs many in one test."""
        self.setUp()

    def assertUnharmed(self, server: Any, alice: Any, bob: Any) -> None:
        """Check that nothing is wrong with the server and with bob."""
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual([e for e in self.events if "log_failure" in e], [])
        here = set(server.registry)
        self.assertIn(bob.server, here)
        self.assertEqual(
            here - {bob.server},
            {alice.server} if alice.server.state == alice.server.STATE_OPEN else set(),
        )
        for member in here:
            self.assertIn(member, server.lookUp(member.context.key))
        bob.send(frame(TEXT, b"unharmed"))
        self.assertEqual(bob.protocol.texts[-1], "unharmed")
        self.assertEqual(bob.protocol.closeCodes, [])

    def assertForgotten(self, server: Any, alice: Any, bob: Any) -> None:
        """Check that nothing is left of alice in the end."""
        self.advance(21)
        alice.flush()
        alice.leave()
        self.assertEqual(set(server.registry), {bob.server})
        kinds = [call[0] for call in self.calls(server) if call[1] == "alice"]
        self.assertEqual(kinds.count("open"), kinds.count("close"))
        self.assertEqual(kinds[-1:], ["close"] if kinds else [])
        self.assertEqual(self.flushLoggedErrors(), [])

    @settings(database=None, deadline=None, max_examples=150)
    @given(CONVERSATIONS, CUTS, BINARY, st.booleans(), st.booleans())
    def test_frames(
        self, data: bytes, cuts: list[int], binary: str, deflates: bool, reads: bool
    ) -> None:
        """Valid and invalid frames, cut at any place."""
        self.fresh()
        server = self.factory(maxMessageSize=LIMIT, binary=binary, pingInterval=0)
        bob = self.opened(server, "specialKey=bob")
        alice = self.opened(
            server, Sec_WebSocket_Extensions=DEFLATE if deflates else None
        )
        alice.transport.peerReads = reads
        for piece in pieces(data, cuts):
            alice.send(piece)
        self.assertUnharmed(server, alice, bob)
        alice.transport.peerReads = True
        alice.flush()
        frames = alice.protocol.frames  # raises if they are not whole
        closes = [at for at, one in enumerate(frames) if one.opcode == 8]
        self.assertIn(closes, ([], [len(frames) - 1]), "something follows a close")
        self.assertForgotten(server, alice, bob)

    @settings(database=None, deadline=None, max_examples=80)
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 400),
                st.one_of(st.binary(max_size=3), st.sampled_from([b"\r\n", b"\x85"])),
            ),
            max_size=4,
        ),
        CONVERSATIONS,
        CUTS,
    )
    def test_openings(
        self, changes: list[tuple[int, bytes]], data: bytes, cuts: list[int]
    ) -> None:
        """Openings with bytes changed at random, frames behind them."""
        self.fresh()
        server = self.factory(maxMessageSize=LIMIT, pingInterval=0)
        bob = self.opened(server, "specialKey=bob")
        head = opening(
            Origin="https://a.b",
            X_Forwarded_For="::1",
            Sec_WebSocket_Extensions=DEFLATE,
        )
        for anywhere, change in changes:
            place = anywhere % len(head)
            head = head[:place] + change + head[place + len(change) :]
        alice = self.wire(server)
        for piece in pieces(head + data, cuts):
            alice.send(piece)
        if (
            alice.server not in server.registry
            and b" 101 " not in (alice.protocol.received[:15])
        ):
            self.assertRegex(alice.protocol.received + b"-", rb"^(HTTP/1\.[01] |-$)")
        self.assertUnharmed(server, alice, bob)
        self.assertForgotten(server, alice, bob)
