"""What an inbound message means; for binary ones, the values of C{--binary}."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Literal

import msgspec

from gows.errors import InvalidPayload, MessageTooBig, UnsupportedData

_GZIP_MEMBER = 16 + zlib.MAX_WBITS

BinaryPolicy = Literal["gzip", "relay", "refuse"]


class Content(msgspec.Struct, frozen=True, gc=False):
    """
    What an inbound message holds.

    @ivar payload: for text, valid UTF-8
    """

    payload: bytes
    isBinary: bool = False


Interpreter = Callable[[bytes, bool], Content]


def interpreterOf(policy: BinaryPolicy, limit: int) -> Interpreter:
    """
    Choose what an inbound message means.

    @param policy: for binary ones
    @param limit: the most bytes that one may hold, once decompressed
    @return: a callable from payload, which is UTF-8 for text, and whether it is
        binary, to L{Content}; it raises L{MessageError}s
    """

    def checked(payload: bytes) -> bytes:
        if len(payload) > limit:
            raise MessageTooBig(f"the message holds more than {limit} bytes")
        return payload

    def gzipped(payload: bytes) -> Content:
        return Content(gunzipText(payload, limit))

    def relayed(payload: bytes) -> Content:
        return Content(checked(payload), isBinary=True)

    def refused(payload: bytes) -> Content:
        raise UnsupportedData("binary messages are refused here: send text")

    binary = {"gzip": gzipped, "relay": relayed, "refuse": refused}[policy]

    def interpret(payload: bytes, isBinary: bool) -> Content:
        return binary(payload) if isBinary else Content(checked(payload))

    return interpret


def roomFor(limit: int) -> int:
    """
    Say how long a payload may be on the wire for a message of so many bytes.

    Compression makes some messages longer: by 18 bytes of gzip's, and by an eighth
    at the worst (RFC 1951, 3.2.6: nine bits for a byte). So the parser's limit is a
    little larger than the message's, which is checked behind it.
    """
    return limit + limit // 8 + 64


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


def gzipText(payload: bytes, level: int = 6) -> bytes:
    """
    Compress to one complete gzip member, the same bytes for the same text.

    @param level: zlib's, 1 (fast) to 9 (small)
    """
    return gzip.compress(payload, compresslevel=level, mtime=0)
