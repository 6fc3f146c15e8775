"""From where requests come to the operators' door, behind proxies too."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from twisted.web.http import Request

from gows.access.addresses import UNIX, TrustedProxies

_OF_PROXIES: Final = (b"X-Forwarded-For", b"X-Real-IP", b"Forwarded", b"Via")
"""Headers with which a proxy says that it is one."""


class Peers:
    """Tells whose a request is, as far as addresses go."""

    def __init__(self, proxies: TrustedProxies) -> None:
        """Believe what these say of their clients."""
        self._proxies = proxies

    def addressOf(self, request: Request) -> str:
        """Find the client's own address; see L{TrustedProxies.clientOf}."""
        hops = _forwardedFor(request)
        return self._proxies.clientOf(request.getClientAddress(), hops)

    def isHere(self, request: Request) -> bool:
        """
        Tell whether a request comes from this host.

        What a proxy passes on may come from anywhere, if the proxy is here or not,
        unless it is trusted and says from where. One that says nothing at all is not
        noticed.
        """
        nearest = self._proxies.clientOf(request.getClientAddress(), ())
        isPassedOn = any(map(request.requestHeaders.hasHeader, _OF_PROXIES))
        isVouchedFor = self._proxies.isProxy(nearest) and self._proxies.namesClient(
            _forwardedFor(request)
        )
        if isPassedOn and not isVouchedFor:
            return False
        return _isLocal(self.addressOf(request))


def _forwardedFor(request: Request) -> list[str]:
    # As bytes: twisted.web raises for a text that is not UTF-8.
    values = request.requestHeaders.getRawHeaders(b"X-Forwarded-For", [])
    return [value.decode("latin-1") for value in values]


def _isLocal(address: str) -> bool:
    if address == UNIX:
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
