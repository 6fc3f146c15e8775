"""Tests for L{gows.web.peers}: who counts as somebody of this host."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import HTTPChannel, Request
from twisted.web.http_headers import Headers

from gows.access.addresses import TrustedProxies
from gows.web.peers import Peers

HERE = IPv4Address("TCP", "127.0.0.1", 1)
ELSEWHERE = IPv4Address("TCP", "203.0.113.9", 1)
UNIX = UNIXAddress(None)


class PeersTests(SynchronousTestCase):
    """Requests from here and from elsewhere, by way of proxies and without."""

    def isHere(self, peer: IAddress, *proxies: str, **headers: str) -> bool:
        """Tell whether a request counts as one of this host."""
        channel = HTTPChannel()
        channel.makeConnection(StringTransport(peerAddress=peer))
        request = Request(channel)
        named = {name.replace("_", "-"): [value] for name, value in headers.items()}
        request.requestHeaders = Headers(named)
        return Peers(TrustedProxies(proxies)).isHere(request)

    def test_direct(self) -> None:
        """Loopback and Unix sockets are here."""
        for peer, isHere in (
            (HERE, True),
            (IPv4Address("TCP", "127.9.9.9", 1), True),
            (IPv6Address("TCP", "::1", 1), True),
            (UNIX, True),
            (ELSEWHERE, False),
            (IPv6Address("TCP", "2001:db8::1", 1), False),
        ):
            self.assertEqual(self.isHere(peer), isHere, peer)

    def test_unknownProxy(self) -> None:
        """What a proxy passes on may come from anywhere, if nobody vouches for it."""
        for name, value in (
            ("X_Forwarded_For", "203.0.113.9"),
            ("X_Forwarded_For", "127.0.0.1"),
            ("x_real_ip", "127.0.0.1"),
            ("Forwarded", "for=127.0.0.1"),
            ("Via", "1.1 proxy"),
            ("Via", ""),
        ):
            for peer in (HERE, UNIX):
                self.assertFalse(self.isHere(peer, **{name: value}), name)
                elsewhere = self.isHere(peer, "192.0.2.0/24", **{name: value})
                self.assertFalse(elsewhere, name)

    def test_trustedProxy(self) -> None:
        """A proxy that is trusted says whose it is."""
        for peer, trusted in ((HERE, "127.0.0.1"), (UNIX, "unix")):
            for address, isHere in (("203.0.113.9", False), ("127.0.0.2", True)):
                passedOn = {"X_Forwarded_For": address, "Via": "1.1 proxy"}
                self.assertEqual(self.isHere(peer, trusted, **passedOn), isHere)
            self.assertTrue(self.isHere(peer, trusted))

    def test_silentProxy(self) -> None:
        """A trusted one that does not say whose it is may pass on anybody's."""
        for headers in (
            {"X_Real_IP": "203.0.113.9"},
            {"Via": "1.1 proxy"},
            {"Forwarded": "for=203.0.113.9"},
            {"X_Forwarded_For": ""},
            {"X_Forwarded_For": "unknown"},
            {"X_Forwarded_For": "127.0.0.1, unknown"},
            {"X_Forwarded_For": "unknown, 127.0.0.1"},
            {"X_Forwarded_For": "203.0.113.9, 127.0.0.1"},
        ):
            for peer, trusted in ((HERE, "127.0.0.1"), (UNIX, "unix")):
                if trusted == "unix" and headers.get("X_Forwarded_For", "")[-1:] == "1":
                    continue  # the last is no proxy then, but somebody of this host
                self.assertFalse(self.isHere(peer, trusted, **headers), headers)
        self.assertTrue(self.isHere(HERE, "127.0.0.1", X_Forwarded_For="127.0.0.1"))

    def test_madeUp(self) -> None:
        """Nobody elsewhere is here for saying so."""
        self.assertFalse(self.isHere(ELSEWHERE, X_Forwarded_For="127.0.0.1"))
