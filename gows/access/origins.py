"""Which web pages may connect (RFC 6455, section 10.2)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from gows.errors import Refusal

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def parseOrigin(text: str) -> str:
    """
    Read an origin (RFC 6454): C{https://app.example}, C{http://localhost:3000}.

    @return: the origin as browsers write it: in lower case, without a default port;
        or C{null}, which sandboxed pages and local files send
    @raise ValueError: if it is anything else, a path or a trailing slash included
    """
    if text == "null":
        return text
    if not (text.isascii() and text.isprintable()) or set(text) & {" ", "*"}:
        raise ValueError("an origin is ASCII (IDNA), without blanks or wildcards")
    parts = urlsplit(text)
    if not (parts.scheme and parts.hostname):
        raise ValueError("an origin is scheme://host or scheme://host:port")
    if parts.path or "?" in text or "#" in text or "@" in parts.netloc:
        raise ValueError("an origin ends after the host or the port: no / behind it")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme):
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{parts.port}"


class AllowedOrigins:
    """The origins whose pages may connect; none named: all may."""

    def __init__(self, origins: Iterable[str]) -> None:
        """
        Allow these.

        @raise ValueError: see L{parseOrigin}
        """
        self._origins = frozenset(map(parseOrigin, origins))

    def check(self, origin: str | None) -> None:
        """
        Let an origin pass, or not.

        @param origin: the Origin header; L{None}, which is not a browser, passes
        @raise Refusal: 403
        """
        if not self._origins or origin is None:
            return
        try:
            allowed = parseOrigin(origin) in self._origins
        except ValueError:
            allowed = False
        if not allowed:
            raise Refusal(403, "Pages of this origin may not connect here.")
