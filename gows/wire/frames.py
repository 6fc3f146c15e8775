"""Messages as WebSocket frames: each wire form of each message is made once."""

from __future__ import annotations

import zlib
from typing import Final, NamedTuple

from gows.chat.inbound import gzipText
from gows.chat.message import Message
from gows.counts import Kind
from gows.dialects.saying import envelopeOf

_TEXT: Final = 0x1
_BINARY: Final = 0x2
_FIN: Final = 0x80
_RSV1: Final = 0x40  # permessage-deflate: this message is compressed (RFC 7692, 6)

_SYNC_TAIL: Final = b"\x00\x00\xff\xff"  # not sent (RFC 7692, 7.2.1)
_MEM_LEVEL: Final = 8


class WireForm(NamedTuple):
    """
    One way to put a message into bytes; each connection has one.

    @ivar gzip: text goes out as a gzip member in a binary frame, and binary as it is
    @ivar windowBits: permessage-deflate with a window of two to the power of this
        many bytes and no context takeover; 0: not negotiated
    @ivar isEnveloped: whether a message is put into an envelope of gows.v1 first
    """

    gzip: bool = False
    windowBits: int = 0
    isEnveloped: bool = False

    @property
    def bare(self) -> WireForm:
        """The same for what is ready to be sent."""
        return WireForm(self.gzip, self.windowBits) if self.isEnveloped else self

    @property
    def kind(self) -> Kind:
        """What it is counted as."""
        dialect = "gows.v1" if self.isEnveloped else "raw"
        if self.gzip:
            return dialect, "gzip"
        return dialect, "deflate" if self.windowBits else "plain"


PLAIN: Final = WireForm()


class Compression(NamedTuple):
    """
    How messages are compressed, where they are.

    @ivar level: zlib's, 1 (fast) to 9 (small)
    @ivar threshold: with permessage-deflate, shorter messages (in bytes) go out as
        they are
    """

    level: int = 6
    threshold: int = 0


def frameOf(message: Message, form: WireForm, compression: Compression) -> bytes:
    """Make the frame of a message for one receiver alone."""
    if form is PLAIN:
        opcode = _BINARY if message.isBinary else _TEXT
        return _framed(_FIN | opcode, message.payload)
    return Frames(message, compression).frame(form)


class Frames:
    """One message as a frame in each form that somebody asks for."""

    __slots__ = ("_compression", "_enveloped", "_made", "_message")

    def __init__(self, message: Message, compression: Compression) -> None:
        """Make nothing yet."""
        self._message = message
        self._compression = compression
        self._made: dict[WireForm, bytes] = {}
        self._enveloped: Frames | None = None

    def frame(self, form: WireForm) -> bytes:
        """
        Answer the whole frame of this form, made at the first call only.

        A message that compression would not make shorter goes out as it is, where
        the form allows that.
        """
        if form.isEnveloped:
            return self._inEnvelope().frame(form.bare)
        if self._goesPlain(form):
            form = PLAIN
        frame = self._made.get(form)
        if frame is None:
            frame = self._made[form] = self._make(form)
        return frame

    def _inEnvelope(self) -> Frames:
        if self._enveloped is None:
            text = Message(envelopeOf(self._message))
            self._enveloped = Frames(text, self._compression)
        return self._enveloped

    def _goesPlain(self, form: WireForm) -> bool:
        if form.gzip:
            return self._message.isBinary
        return len(self._message.payload) < self._compression.threshold

    def _make(self, form: WireForm) -> bytes:
        payload = self._message.payload
        if form.gzip:
            return _framed(_FIN | _BINARY, gzipText(payload, self._compression.level))
        opcode = _BINARY if self._message.isBinary else _TEXT
        if form.windowBits:
            deflated = _deflated(payload, form.windowBits, self._compression.level)
            if len(deflated) < len(payload):
                return _framed(_FIN | _RSV1 | opcode, deflated)
            return self.frame(PLAIN)
        return _framed(_FIN | opcode, payload)


def _framed(firstByte: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        head = bytes((firstByte, length))
    elif length < 1 << 16:
        head = bytes((firstByte, 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((firstByte, 127)) + length.to_bytes(8, "big")
    return head + payload


def _deflated(payload: bytes, windowBits: int, level: int) -> bytes:
    deflater = zlib.compressobj(level, zlib.DEFLATED, -windowBits, _MEM_LEVEL)
    body = deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return body.removesuffix(_SYNC_TAIL)
