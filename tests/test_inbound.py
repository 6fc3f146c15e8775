"""Tests for what an inbound binary message means."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc
import zlib

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.inbound import Content, gunzipText, gzipText, interpreterOf, roomFor
from gows.errors import InvalidPayload, MessageError, MessageTooBig, UnsupportedData

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)

LIMIT = 65536
TEXT = "Grüße, \N{GRINNING FACE}! ".encode() * 20
MIB = 1024 * 1024


def bomb(mebibytes: int) -> bytes:
    """
    Make one valid gzip member of zeros.

    After a full flush the compressor begins anew: equal pieces compress equally,
    so one piece is compressed and repeated.
    """
    zeros = bytes(MIB)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = deflater.compress(zeros) + deflater.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(mebibytes):
        checksum = zlib.crc32(zeros, checksum)
    length = mebibytes * MIB % (1 << 32)
    head = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
    tail = checksum.to_bytes(4, "little") + length.to_bytes(4, "little")
    return head + piece * mebibytes + deflater.flush() + tail


class GunzipTests(SynchronousTestCase):
    """Text may come as one whole gzip member, and as nothing else."""

    def invalid(self, payload: bytes) -> None:
        """Assert that a payload is refused as broken."""
        self.assertRaises(InvalidPayload, gunzipText, payload, LIMIT)

    @PROPERTY
    @given(st.text())
    @example("")
    def test_text(self, text: str) -> None:
        """What was compressed is read."""
        utf8 = text.encode()
        self.assertEqual(gunzipText(gzipText(utf8), LIMIT), utf8)
        self.assertEqual(gunzipText(gzip.compress(utf8), LIMIT), utf8)

    def test_headerFields(self) -> None:
        """A gzip header may hold a time and a file's name."""
        file = io.BytesIO()
        with gzip.GzipFile("note.txt", "wb", fileobj=file, mtime=1) as member:
            member.write(TEXT)
        self.assertEqual(gunzipText(file.getvalue(), LIMIT), TEXT)

    def test_limit(self) -> None:
        """Text as large as the limit is read, one byte more is too big."""
        for limit in (1, 10, 65536, 65537):
            self.assertEqual(gunzipText(gzipText(b"a" * limit), limit), b"a" * limit)
            payload = gzipText(b"a" * (limit + 1))
            error = self.assertRaises(MessageTooBig, gunzipText, payload, limit)
            self.assertIn(str(limit), str(error))

    def test_limitCountsBytes(self) -> None:
        """The limit is on bytes, not on characters."""
        payload = gzipText("é".encode() * 10)
        self.assertRaises(MessageTooBig, gunzipText, payload, 19)
        self.assertEqual(gunzipText(payload, 20), "é".encode() * 10)

    def test_truncated(self) -> None:
        """A member that ends too early, at whichever byte, is refused."""
        member = gzipText(TEXT)
        for length in range(len(member)):
            self.invalid(member[:length])

    def test_truncatedAtTheLimit(self) -> None:
        """A member whose end is missing is refused even if its text just fits."""
        self.assertRaises(InvalidPayload, gunzipText, gzipText(b"a" * 9)[:-1], 9)

    def test_somethingBehind(self) -> None:
        """What follows the member, a second member or padding too, is refused."""
        member = gzipText(TEXT)
        for rest in (b"\0", b"\n", b"rubbish", b"\x1f", member, gzipText(b"")):
            self.invalid(member + rest)

    def test_somethingBefore(self) -> None:
        """A member that does not begin with the first byte is refused."""
        for start in (b"\0", b"\n", b"rubbish"):
            self.invalid(start + gzipText(TEXT))

    def test_otherCompression(self) -> None:
        """Only gzip is gzip: neither zlib's nor raw deflate, nor plain text."""
        raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        for payload in (
            zlib.compress(TEXT),
            raw.compress(TEXT) + raw.flush(),
            TEXT,
            b"a",
        ):
            self.invalid(payload)

    def test_checksum(self) -> None:
        """Text that differs from its checksum or length is refused."""
        member = gzipText(TEXT)
        for position in range(-8, 0):
            broken = bytearray(member)
            broken[position] ^= 1
            self.invalid(bytes(broken))

    def test_notUTF8(self) -> None:
        """A member that holds no UTF-8 is refused."""
        for data in (b"\xff", "café".encode("latin-1"), b"\xed\xa0\x80", b"\xc3"):
            self.invalid(gzipText(data))

    def test_bomb(self) -> None:
        """A member of a GiB is refused, in memory that the limit bounds."""
        payload = bomb(1024)
        self.assertLess(len(payload), 2 * MIB)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assertRaises(MessageTooBig, gunzipText, payload, LIMIT)
        _, peak = tracemalloc.get_traced_memory()
        # The text and its pieces at once, and the rest of the payload once more.
        self.assertLess(peak, 2 * LIMIT + len(payload) + LIMIT)

    def test_bombIsValid(self) -> None:
        """The bomb is a fair one: a smaller one of its kind is read."""
        self.assertEqual(gunzipText(bomb(2), 2 * MIB), bytes(2 * MIB))

    @PROPERTY
    @given(st.binary() | st.binary().map(lambda data: b"\x1f\x8b\x08\0" + data))
    def test_anythingIsRefused(self, payload: bytes) -> None:
        """Whatever a client sends, nothing else than a refusal comes of it."""
        try:
            text = gunzipText(payload, LIMIT)
        except MessageError:
            return
        self.assertEqual(gzip.decompress(payload), text)

    @PROPERTY
    @given(st.integers(0, len(gzipText(TEXT)) - 1), st.integers(1, 255))
    def test_oneByteWrong(self, position: int, change: int) -> None:
        """One wrong byte is noticed, unless it is one that does not matter."""
        member = bytearray(gzipText(TEXT))
        member[position] ^= change
        try:
            self.assertEqual(gunzipText(bytes(member), LIMIT), TEXT)
        except MessageError:
            return
        self.assertLess(position, 10)  # in the header: flags, time, system


class GzipTests(SynchronousTestCase):
    """Text goes out as one gzip member that every decoder reads."""

    @PROPERTY
    @given(st.binary(max_size=3000))
    @example(b"")
    @example(bytes(100_000))
    def test_everyDecoder(self, payload: bytes) -> None:
        """Python's gzip and a zlib decoder read it, and nothing is left over."""
        member = gzipText(payload)
        self.assertEqual(gzip.decompress(member), payload)
        inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self.assertEqual(inflater.decompress(member), payload)
        self.assertTrue(inflater.eof)
        self.assertEqual(inflater.unused_data, b"")

    def test_sameBytes(self) -> None:
        """The same text makes the same bytes: there is no time in them."""
        self.assertEqual(gzipText(TEXT), gzipText(TEXT))
        self.assertEqual(gzipText(TEXT)[:8], b"\x1f\x8b\x08\0\0\0\0\0")

    def test_smaller(self) -> None:
        """Text that repeats becomes smaller."""
        self.assertLess(len(gzipText(TEXT)), len(TEXT) // 4)


class PolicyTests(SynchronousTestCase):
    """--binary says what a binary message is; text is text."""

    def test_text(self) -> None:
        """Text of up to the limit is passed on, whatever binary messages are."""
        for policy in ("gzip", "relay", "refuse"):
            interpret = interpreterOf(policy, 10)
            self.assertEqual(interpret(b"a" * 10, False), Content(b"a" * 10))
            self.assertRaises(MessageTooBig, interpret, b"a" * 11, False)

    def test_gzip(self) -> None:
        """With gzip it is text, and what is not is refused."""
        interpret = interpreterOf("gzip", 10)
        self.assertEqual(interpret(gzipText(b"hi"), True), Content(b"hi"))
        self.assertRaises(InvalidPayload, interpret, b"hi", True)
        self.assertRaises(MessageTooBig, interpret, gzipText(b"a" * 11), True)

    def test_relay(self) -> None:
        """With relay it stays as it is, whatever it is."""
        interpret = interpreterOf("relay", 10)
        for payload in (b"", b"\xff\x00", bytes(10)):
            self.assertEqual(interpret(payload, True), Content(payload, isBinary=True))
        self.assertRaises(MessageTooBig, interpret, bytes(11), True)

    def test_refuse(self) -> None:
        """With refuse none is taken, not even a good one."""
        interpret = interpreterOf("refuse", 10)
        self.assertRaises(UnsupportedData, interpret, b"", True)
        self.assertRaises(UnsupportedData, interpret, gzipText(b"hi"), True)


class RoomTests(SynchronousTestCase):
    """The parser lets everything through that may turn out to be small enough."""

    def test_gzip(self) -> None:
        """A gzip member of what does not compress is within it."""
        for size in (0, 1, 100, 65536):
            self.assertLessEqual(len(gzipText(os.urandom(size))), roomFor(size))

    def test_deflate(self) -> None:
        """So is the worst that a deflater can make of a message."""
        for size in (0, 1, 100, 65536):
            deflater = zlib.compressobj(9, zlib.DEFLATED, -9, 1, zlib.Z_FIXED)
            deflated = deflater.compress(b"\xff\xfe" * (size // 2)) + deflater.flush()
            self.assertLessEqual(len(deflated), roomFor(size))
