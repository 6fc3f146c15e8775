"""Tests for L{gows.commands.eventstream}: server-sent events out of bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.commands.eventstream import Event, EventStream, StreamError

RECORDED = (
    b": hello\n\n"
    b'event: hello\ndata: {"name":"gows"}\n\n'
    b'event: sample\r\ndata: {"time":1,\r\ndata: "n":"\xc3\xa9"}\r\n\r\n'
    b"retry: 5\rid: 7\rdata\rdata:x\rdata:  y\r\r"
    b"event: none\n\n"
    b"nonsense\nData: no\n\n"
    b"event: unfinished\ndata: 1\n"
)

EVENTS = [
    Event("hello", '{"name":"gows"}'),
    Event("sample", '{"time":1,\n"n":"é"}'),
    Event("message", "\nx\n y"),
]


class EventStreamTests(SynchronousTestCase):
    """What a server sends becomes events."""

    def test_recorded(self) -> None:
        """Comments, all line ends, fields without a value, and what is no event."""
        self.assertEqual(list(EventStream().fed(RECORDED)), EVENTS)

    def test_byteOrderMark(self) -> None:
        """One at the beginning is not part of the first field; later ones are."""
        stream = EventStream()
        raw = b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n"
        self.assertEqual(list(stream.fed(raw)), [Event("message", "a")])

    @given(st.sets(st.integers(0, len(RECORDED))))
    def test_pieces(self, cuts: set[int]) -> None:
        """It does not matter where the bytes are cut."""
        stream = EventStream()
        ends = [*sorted(cuts), len(RECORDED)]
        pieces = [RECORDED[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        found = [event for piece in pieces for event in stream.fed(piece)]
        self.assertEqual(found, EVENTS)

    @given(st.binary())
    def test_anything(self, raw: bytes) -> None:
        """Whatever comes, there are events, or it is said that there are none."""
        try:
            for event in EventStream().fed(raw):
                self.assertTrue(event.name)
        except StreamError:
            pass

    def test_retry(self) -> None:
        """For how long one should stay away is kept, if it is a number of ms."""
        for raw, seconds in (
            (b"data: x\n\n", 0),
            (b"retry: 2500\n\n", 2.5),
            (b"retry: 1\nretry: 5000", 0.001),
            (b"retry: 5000\nretry: -1\nretry: \xd9\xa1\nretry: x\nretry\n", 5),
            (b"retry: " + b"9" * 5000 + b"\n", 0),
        ):
            stream = EventStream()
            list(stream.fed(raw))
            self.assertEqual(stream.retry, seconds)

    def test_notUtf8(self) -> None:
        """Bytes that are no text are refused."""
        self.assertRaises(StreamError, list, EventStream().fed(b"data: \xff\n\n"))

    def test_tooMuch(self) -> None:
        """No more is kept than an event may have."""
        stream = EventStream(limit=10)
        self.assertEqual(
            list(stream.fed(b"data: 123456789\n\n" * 3)),
            [Event("message", "123456789")] * 3,
        )
        for raw in (b"x" * 11, b"data: 12345\ndata: 6789\ndata: 1\n"):
            self.assertRaises(StreamError, list, EventStream(limit=10).fed(raw))
