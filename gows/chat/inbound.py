"""What an inbound binary message means: the three values of C{--binary}."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Literal

from gows.chat.message import Message
from gows.errors import InvalidPayload, MessageTooBig, UnsupportedData

_GZIP_MEMBER = 16 + zlib.MAX_WBITS

BinaryPolicy = Literal["gzip", "relay", "refuse"]
Interpreter = Callable[[bytes], Message]


def interpreterOf(policy: BinaryPolicy, limit: int) -> Interpreter:
    """
    Choose how inbound binary messages become messages.

    @param limit: the most bytes that one may hold once decompressed
    @return: a callable from payload to L{Message} that raises L{MessageError}s
    """

    def text(payload: bytes) -> Message:
        return Message(gunzipText(payload, limit))

    def relay(payload: bytes) -> Message:
        return Message(payload, isBinary=True)

    def refuse(payload: bytes) -> Message:
        raise UnsupportedData("binary messages are refused here: send text")

    return {"gzip": text, "relay": relay, "refuse": refuse}[policy]


def gunzipText(payload: bytes, limit: int) -> bytes:
    """
    Decompress one complete gzip member that holds UTF-8 text.

    No more than C{limit + 1} bytes are ever made of it, whatever it claims.

    @raise InvalidPayload: not gzip, truncated, something behind it, not UTF-8
    @raise MessageTooBig: it holds more than C{limit} bytes
    """
    inflater = zlib.decompressobj(_GZIP_MEMBER)
    try:
        text = inflater.decompress(payload, limit + 1)
    except zlib.error:
        raise InvalidPayload(
            "a binary message must be text as one gzip member"
        ) from None
    if len(text) > limit:
        raise MessageTooBig(f"the message holds more than {limit} bytes")
    if not inflater.eof:
        raise InvalidPayload("the gzip member is truncated")
    if inflater.unused_data:
        raise InvalidPayload("something follows the gzip member")
    try:
        str(text, "utf-8")
    except UnicodeDecodeError:
        raise InvalidPayload("the gzip member does not hold UTF-8 text") from None
    return text


def gzipText(payload: bytes) -> bytes:
    """Compress to one complete gzip member, the same bytes for the same text."""
    return gzip.compress(payload, compresslevel=6, mtime=0)
