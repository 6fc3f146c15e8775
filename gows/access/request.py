"""One request's head, read once, strictly, for all who need it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from twisted.web.http_headers import Headers
from zope.interface import implementer

from gows.chat.context import Context
from gows.errors import Refusal
from gows.interfaces import IRequest

MAX_HEAD: Final = 16 * 1024
"""The largest request head, in bytes, its empty line included."""

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/(\d\.\d)")
# Twisted keeps header names for good, 10,000 of them: they must not be long.
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}):(.*)")
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # a bare CR or LF, too
_AUTHORITY = re.compile(r"(?i)\A(?:https?|wss?)://[^/?]*")


class RequestHead(msgspec.Struct, frozen=True):
    """
    A request line and its headers.

    @ivar method: such as C{GET}
    @ivar path: percent-encoded, never empty
    @ivar query: what follows the C{?}, percent-encoded; empty if there is none
    @ivar version: such as C{1.1}
    @ivar fields: the values of each header, in their order, by its name in lower
        case; those that are not UTF-8 have been taken for Latin-1
    """

    method: str
    path: str
    query: str
    version: str
    fields: Mapping[str, list[str]]

    @classmethod
    def parse(cls, raw: bytes) -> RequestHead:
        """
        Read a head.

        @param raw: all of it, with the empty line that ends it
        @raise Refusal: 400, if RFC 9112 does not allow it
        """
        requestLine, *fields = raw[:-4].split(b"\r\n")
        found = _REQUEST_LINE.fullmatch(requestLine)
        if found is None:
            raise Refusal(400, "This is not an HTTP/1.1 request.")
        method, target, version = (part.decode("latin-1") for part in found.groups())
        if not target.isascii() or not target.isprintable() or "#" in target:
            raise Refusal(400, "The URL must be percent-encoded ASCII.")
        target = _AUTHORITY.sub("", target, count=1)
        if target[:1] not in ("/", "?", ""):
            raise Refusal(400, "The request's target must be a path.")
        path, _, query = target.partition("?")
        return cls(method, path or "/", query, version, _parseFields(fields))

    @property
    def headers(self) -> Headers:
        """The headers, for others; made anew each time."""
        headers = Headers()
        for name, values in self.fields.items():
            for value in values:
                headers.addRawHeader(name, value)
        return headers

    @property
    def wantsWebSocket(self) -> bool:
        """Whether this asks for an upgrade to WebSocket, rightly or wrongly."""
        return any(name.lower() == "websocket" for name in self.items("upgrade"))

    @property
    def hasBody(self) -> bool:
        """Whether a body follows."""
        lengths = self.values("content-length")
        return bool(self.values("transfer-encoding")) or any(
            length != "0" for length in lengths
        )

    @property
    def origin(self) -> str | None:
        """
        The Origin header; L{None} if there is none.

        @raise Refusal: 400, if there are several
        """
        origins = self.values("origin")
        if len(origins) > 1:
            raise Refusal(400, "The Origin header is given more than once.")
        return origins[0] if origins else None

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """The subprotocols that are offered, in order."""
        return tuple(self.items("sec-websocket-protocol"))

    def values(self, name: str) -> Sequence[str]:
        """
        Answer each header of one name.

        @param name: in lower case
        """
        return self.fields.get(name, ())

    def items(self, name: str) -> list[str]:
        """
        Answer the items of a list that may come as one header or as several.

        @param name: in lower case
        """
        values = self.fields.get(name)
        if values is None:
            return []
        return [item for item in map(str.strip, ",".join(values).split(",")) if item]

    def plain(self) -> bytes:
        """
        Write the head anew with nothing but what a static resource asks about.

        twisted.web reads this one: what it does not see it cannot read differently.
        """
        lines = [f"{self.method} {self.path} HTTP/{self.version}", "Host: gows"]
        return "\r\n".join([*lines, "", ""]).encode("ascii")


def _parseFields(lines: list[bytes]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    isMalformed = _FORBIDDEN.search(b"\t".join(lines)) is not None
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None or isMalformed:
            raise Refusal(400, "A header of the request is malformed.")
        name, value = found.groups()
        key = name.decode("ascii").lower()
        fields.setdefault(key, []).append(_decoded(value.strip(b" \t")))
    return fields


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


@implementer(IRequest)
class OpeningRequest(msgspec.Struct, frozen=True):
    """
    An opening, as applications see it before they decide.

    @ivar head: where the rest is from
    """

    context: Context
    head: RequestHead
    address: str
    origin: str | None
    isCheck: bool

    @property
    def headers(self) -> Headers:
        """See L{IRequest}."""
        return self.head.headers

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """See L{IRequest}."""
        return self.head.subprotocols
