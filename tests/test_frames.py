"""Tests for messages as WebSocket frames."""

from __future__ import annotations

import gzip
import random
import zlib

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.message import Message
from gows.counts import KINDS
from gows.dialects.saying import envelopeOf
from gows.wire.frames import PLAIN, Compression, Frames, WireForm
from gows.wire.frames import frameOf as frameMaker

PROPERTY = settings(max_examples=80, deadline=None, database=None, derandomize=True)

WINDOWS = range(9, 16)
FORMS = [WireForm(gzip, bits) for gzip in (False, True) for bits in (0, *WINDOWS)]
TEXT = "Grüße, \N{GRINNING FACE}! ".encode() * 20
ALWAYS = Compression(level=6, threshold=0)
NOISE = random.Random(6455).randbytes(50_000)


def frameOf(
    payload: bytes,
    form: WireForm,
    isBinary: bool = False,
    compression: Compression = ALWAYS,
) -> bytes:
    """Make the frame of a message in one form."""
    return framesOf(payload, isBinary, compression).frame(form)


def framesOf(
    payload: bytes, isBinary: bool = False, compression: Compression = ALWAYS
) -> Frames:
    """Begin on the frames of a message."""
    return Frames(Message(payload, isBinary), compression)


def taken(frame: bytes) -> tuple[int, bytes]:
    """Take a server's frame apart as RFC 6455 says: first byte, payload."""
    length, start = frame[1], 2
    assert length < 128, "a server masks nothing"
    if length == 126:
        length, start = int.from_bytes(frame[2:4], "big"), 4
    elif length == 127:
        length, start = int.from_bytes(frame[2:10], "big"), 10
    assert len(frame) == start + length
    return frame[0], frame[start:]


def inflated(payload: bytes, windowBits: int) -> bytes:
    """Inflate a message as RFC 7692 says, with a window of that size alone."""
    inflater = zlib.decompressobj(-windowBits)
    data = inflater.decompress(payload + b"\x00\x00\xff\xff")
    assert not inflater.unconsumed_tail
    assert not inflater.unused_data
    return data


def read(frame: bytes, windowBits: int) -> bytes:
    """Read a message of a connection with permessage-deflate, deflated or not."""
    first, payload = taken(frame)
    return inflated(payload, windowBits) if first & 0x40 else payload


class PlainTests(SynchronousTestCase):
    """Without compression a payload has a head before it, and is as it was."""

    def test_heads(self) -> None:
        """The head is the shortest that holds the length."""
        for length, head in (
            (0, b"\x81\x00"),
            (1, b"\x81\x01"),
            (125, b"\x81\x7d"),
            (126, b"\x81\x7e\x00\x7e"),
            (127, b"\x81\x7e\x00\x7f"),
            (65535, b"\x81\x7e\xff\xff"),
            (65536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        ):
            payload = b"a" * length
            self.assertEqual(frameOf(payload, WireForm()), head + payload)

    def test_binary(self) -> None:
        """Binary messages go out as such."""
        self.assertEqual(frameOf(b"\xff\0", WireForm(), True), b"\x82\x02\xff\0")


class GzipTests(SynchronousTestCase):
    """Who asked for gzip gets text as a gzip member in a binary frame."""

    @PROPERTY
    @given(st.text())
    @example("")
    @example("a" * 100_000)
    def test_text(self, text: str) -> None:
        """Text comes out of it again."""
        firstByte, payload = taken(frameOf(text.encode(), WireForm(True)))
        self.assertEqual(firstByte, 0x82)
        self.assertEqual(gzip.decompress(payload).decode(), text)

    def test_notTwice(self) -> None:
        """It is not compressed again where permessage-deflate was negotiated."""
        for bits in WINDOWS:
            frame = frameOf(TEXT, WireForm(True, bits))
            self.assertEqual(frame, frameOf(TEXT, WireForm(True)))

    def test_binaryIsNot(self) -> None:
        """Binary messages are never gzipped: they would be taken for text."""
        for payload in (b"", b"\xff\0", TEXT):
            frames = framesOf(payload, isBinary=True)
            self.assertIs(frames.frame(WireForm(gzip=True)), frames.frame(WireForm()))


class DeflateTests(SynchronousTestCase):
    """Where permessage-deflate was negotiated, messages are deflated."""

    def test_marked(self) -> None:
        """RSV1 says that it is deflated; text stays text, binary stays binary."""
        for bits in WINDOWS:
            form = WireForm(False, bits)
            self.assertEqual(taken(frameOf(TEXT, form))[0], 0xC1)
            self.assertEqual(taken(frameOf(TEXT, form, True))[0], 0xC2)

    def test_notShorter(self) -> None:
        """What deflating would not make shorter goes out as it is: one for all."""
        for payload in (b"", b"a", b"short", NOISE):
            frames = framesOf(payload)
            for bits in WINDOWS:
                self.assertIs(frames.frame(WireForm(False, bits)), frames.frame(PLAIN))

    def test_threshold(self) -> None:
        """Messages of fewer bytes than the threshold are not deflated."""
        for length, first in ((99, 0x81), (100, 0xC1), (101, 0xC1)):
            for bits in WINDOWS:
                frame = frameOf(
                    b"a" * length, WireForm(False, bits), False, Compression(6, 100)
                )
                self.assertEqual(frame[0], first)

    def test_level(self) -> None:
        """A higher level makes what repeats in many ways smaller; gzip as well."""
        text = b" ".join(b"%d" % (n * n % 977) for n in range(5000))
        for form in (WireForm(False, 15), WireForm(True)):
            fast, small = (
                frameOf(text, form, False, Compression(level, 0)) for level in (1, 9)
            )
            self.assertLess(len(small), len(fast))

    def test_window(self) -> None:
        """An inflater with the negotiated window is enough, however far it repeats."""
        far = b"".join(NOISE[:size] * 2 for size in (200, 500, 5000, 20_000, 40_000))
        for bits in WINDOWS:
            for payload in (TEXT, NOISE, far, bytes(200_000)):
                frame = frameOf(payload, WireForm(False, bits))
                self.assertEqual(read(frame, bits), payload)

    def test_windowIsUsed(self) -> None:
        """A larger window finds what repeats farther back."""
        repeats = NOISE[:20_000] * 2
        small = frameOf(repeats, WireForm(False, 9))
        large = frameOf(repeats, WireForm(False, 15))
        self.assertLess(len(large), 22_000)
        self.assertGreater(len(small), 40_000)

    @PROPERTY
    @given(st.binary(max_size=2000), st.sampled_from(WINDOWS), st.booleans())
    @example(b"\x00\x00\xff\xff", 15, True)
    @example(b"\x00\x00\xff\xff" * 100, 9, True)
    def test_anything(self, payload: bytes, bits: int, isBinary: bool) -> None:
        """Whatever a message holds comes out of it again."""
        frame = frameOf(payload, WireForm(False, bits), isBinary)
        self.assertEqual(read(frame, bits), payload)
        if frame[0] & 0x40:
            self.assertFalse(frame.endswith(b"\x00\x00\xff\xff"))

    def test_noContext(self) -> None:
        """A message is deflated alone: before or after others it is the same."""
        form = WireForm(False, 12)
        before = frameOf(TEXT, form)
        frameOf(NOISE, form)
        self.assertEqual(frameOf(TEXT, form), before)

    def test_smaller(self) -> None:
        """What repeats becomes smaller."""
        for bits in WINDOWS:
            self.assertLess(len(frameOf(TEXT, WireForm(False, bits))), len(TEXT) // 4)


class SharedTests(SynchronousTestCase):
    """Each form of a message is made once, for however many receivers."""

    def test_once(self) -> None:
        """All who ask for one form get the very same bytes."""
        for isBinary in (False, True):
            frames = framesOf(TEXT, isBinary)
            first = [frames.frame(form) for form in FORMS]
            again = [frames.frame(WireForm(*form)) for form in FORMS]
            for one, other in zip(first, again, strict=True):
                self.assertIs(one, other)

    def test_forOne(self) -> None:
        """A frame for one receiver alone is the same that all would get."""
        for payload in (b"", b"short", TEXT):
            for isBinary in (False, True):
                message = Message(payload, isBinary)
                for form in [PLAIN, *FORMS]:
                    frame = frameMaker(message, form, ALWAYS)
                    self.assertEqual(frame, framesOf(payload, isBinary).frame(form))

    def test_order(self) -> None:
        """It makes no difference who asks first."""
        forwards, backwards = framesOf(TEXT), framesOf(TEXT)
        made = {form: forwards.frame(form) for form in FORMS}
        for form in reversed(FORMS):
            self.assertEqual(backwards.frame(form), made[form])

    def test_default(self) -> None:
        """Unless something is negotiated a message goes out as it is."""
        self.assertEqual(WireForm(), WireForm(gzip=False, windowBits=0))


class EnvelopedTests(SynchronousTestCase):
    """Readers of gows.v1 get the same in an envelope, in each form once."""

    def test_forms(self) -> None:
        """The envelope is text, compressed as each of its readers asked for."""
        message = Message(TEXT, sender="alice", id="1", time=2)
        frames, envelope = Frames(message, ALWAYS), envelopeOf(message)
        self.assertEqual(
            frames.frame(WireForm(isEnveloped=True)), frameOf(envelope, PLAIN)
        )
        first, payload = taken(frames.frame(WireForm(gzip=True, isEnveloped=True)))
        self.assertEqual((first, gzip.decompress(payload)), (0x82, envelope))
        deflated = frames.frame(WireForm(windowBits=12, isEnveloped=True))
        self.assertEqual(read(deflated, 12), envelope)

    def test_binary(self) -> None:
        """A binary message is text in its envelope, for gzip readers too."""
        message = Message(NOISE, isBinary=True)
        first, payload = taken(
            Frames(message, ALWAYS).frame(WireForm(gzip=True, isEnveloped=True))
        )
        self.assertEqual((first, gzip.decompress(payload)), (0x82, envelopeOf(message)))

    def test_once(self) -> None:
        """Each form is made once, beside those of raw readers."""
        frames = framesOf(TEXT)
        for form in FORMS:
            enveloped = form._replace(isEnveloped=True)
            self.assertIs(frames.frame(enveloped), frames.frame(enveloped))
            self.assertNotEqual(frames.frame(enveloped), frames.frame(form))

    def test_bare(self) -> None:
        """What is an envelope already goes out in the same form without another."""
        for form in FORMS:
            self.assertEqual(form._replace(isEnveloped=True).bare, form)
            self.assertIs(form.bare, form)


class KindTests(SynchronousTestCase):
    """What a form is counted as."""

    def test_all(self) -> None:
        """Each form is one kind of those that are counted, and all kinds there are."""
        enveloped = [form._replace(isEnveloped=True) for form in FORMS]
        kinds = {form.kind for form in (*FORMS, *enveloped)}
        self.assertEqual(kinds, set(KINDS))

    def test_words(self) -> None:
        """Gzip is what a reader gets who has permessage-deflate besides."""
        self.assertEqual(PLAIN.kind, ("raw", "plain"))
        self.assertEqual(WireForm(True, 12).kind, ("raw", "gzip"))
        self.assertEqual(WireForm(False, 12, True).kind, ("gows.v1", "deflate"))
