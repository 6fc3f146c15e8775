"""Under which names the operators' door is called, and from which pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

from gows.access.origins import parseOrigin
from gows.web.answers import Problem

_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{0,5})?")
"""A Host header, stricter than RFC 9110: what a browser never sends is no name."""


class Hosts:
    """
    Checks the Host and the Origin of requests.

    A page of somebody else's may have its own name lead here (DNS rebinding), and then
    reads what it likes. But it cannot do so under an IP address, nor localhost.
    """

    def __init__(self, names: Iterable[str], origins: Iterable[str]) -> None:
        """
        Allow these.

        @param names: under which the door is reached besides
        @param origins: whose pages may call it besides its own
        """
        self._names = {"localhost", *(name.lower() for name in names)}
        self._origins = {parseOrigin(origin) for origin in origins}

    def checkHost(self, host: str | None) -> None:
        """
        Check the Host header.

        @raise Problem: 421, if it is another name than these
        """
        name = _nameOf(host or "")
        if name is None or not (name in self._names or _isAddress(name)):
            raise Problem(
                421,
                "wrong_host",
                "This door is not known under this name: call it by an IP address, as "
                "localhost, or by a name that admin-host allows.",
            )

    def originFor(self, origin: str | None, host: str | None) -> str | None:
        """
        Check the Origin header.

        Whether it is http or https does not matter: a proxy may speak TLS before us.

        @return: the origin, if it is that of a page elsewhere that may call
        @raise Problem: 403, if it may not
        """
        if origin is None:
            return None
        scheme, _, name = origin.lower().partition("://")
        if scheme in ("http", "https") and host is not None and name == host.lower():
            return None
        try:
            isAllowed = parseOrigin(origin) in self._origins
        except ValueError:
            isAllowed = False
        if not isAllowed:
            raise Problem(
                403,
                "cross_site",
                "Pages of this origin may not call this door; admin-origin says which "
                "may.",
            )
        return origin


def _nameOf(host: str) -> str | None:
    found = _HOST.fullmatch(host)
    return None if found is None else found[1].strip("[]").lower()


def _isAddress(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
