"""Whose address a request came from, behind proxies too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from socket import AF_INET, inet_pton

from twisted.internet.address import IPv4Address as TCP4
from twisted.internet.address import IPv6Address as TCP6
from twisted.internet.interfaces import IAddress

UNKNOWN = "unknown"
"""The address of who came through a proxy whose header names no address."""

UNIX = "unix"
"""The address of who came over a Unix socket, where there are no addresses."""

Network = IPv4Network | IPv6Network
IP = IPv4Address | IPv6Address


def parseProxy(text: str) -> Network | str:
    """
    Read one value of C{--trusted-proxy}.

    @return: a network (of one, for an address), or L{UNIX}
    @raise ValueError: if it is neither address nor network nor C{unix}
    """
    return UNIX if text == UNIX else ip_network(text)


class TrustedProxies:
    """The proxies whose C{X-Forwarded-For} is believed."""

    def __init__(self, proxies: Iterable[str]) -> None:
        """
        Trust these.

        @param proxies: addresses, networks, or C{unix}
        @raise ValueError: see L{parseProxy}
        """
        parsed = [parseProxy(proxy) for proxy in proxies]
        self._unix = UNIX in parsed
        self._networks = [net for net in parsed if not isinstance(net, str)]

    def clientOf(self, peer: IAddress, forwardedFor: Sequence[str]) -> str:
        """
        Find the client's own address.

        The header is read from the right, the side that the nearest proxy wrote:
        the first address that is not a trusted proxy's is the client's. What
        stands left of that anybody may have made up.

        @param peer: whom the transport is connected to
        @param forwardedFor: the values of the C{X-Forwarded-For} headers, in order
        @return: an IP address, L{UNIX}, or L{UNKNOWN}
        """
        if isinstance(peer, TCP4) and not self._networks and _isIPv4(peer.host):
            return peer.host  # as it mostly is
        if isinstance(peer, TCP4 | TCP6):
            nearest = _parsed(peer.host)
            if nearest is None:
                return UNKNOWN
        else:
            nearest = None
        if not self._trusts(nearest):
            return _written(nearest)
        client, _ = self._walk(forwardedFor)
        return _written(nearest if client is None else client)

    def namesClient(self, forwardedFor: Sequence[str]) -> bool:
        """
        Tell whether trusted proxies say whose request they have passed on.

        @param forwardedFor: see L{clientOf}
        @return: false, if one of them has not said it, or did not know
        """
        client, isKnown = self._walk(forwardedFor)
        return isKnown and client is not None

    def _walk(self, forwardedFor: Sequence[str]) -> tuple[IP | None, bool]:
        """
        Go from hop to hop, as far as trusted proxies name the next.

        @return: how far that is, and whether all who were asked have named one
        """
        hops = [hop for value in forwardedFor for hop in value.split(",")]
        client = None
        for hop in reversed(hops):
            ip = _ipOfHop(hop)
            if ip is None:
                return client, False
            client = ip
            if not self._trusts(ip):
                break
        return client, True

    def isProxy(self, address: str) -> bool:
        """Tell whether what L{clientOf} answered is a trusted proxy's own address."""
        if address == UNIX:
            return self._unix
        ip = _parsed(address)
        return ip is not None and self._trusts(ip)

    def _trusts(self, ip: IP | None) -> bool:
        if ip is None:
            return self._unix
        return any(ip in network for network in self._networks)


def _written(ip: IP | None) -> str:
    return UNIX if ip is None else str(ip)


def _ipOfHop(hop: str) -> IP | None:
    hop = hop.strip()
    if "%" in hop:  # a zone, which is anything, and means nothing to another host
        return None
    if hop.startswith("["):  # [2001:db8::1]:443
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:  # 192.0.2.1:443
        hop = hop.partition(":")[0]
    return _parsed(hop)


def _isIPv4(text: str) -> bool:
    try:
        inet_pton(AF_INET, text)
    except (OSError, ValueError):  # ValueError: a NUL, or not ASCII
        return False
    return True


def _parsed(text: str) -> IP | None:
    try:
        ip = ip_address(text)
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip
