"""Tests for whose address a request came from."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.trial.unittest import SynchronousTestCase

from gows.access.addresses import UNIX, TrustedProxies, parseProxy

PROPERTY = settings(max_examples=150, deadline=None, database=None, derandomize=True)

CLIENT = "203.0.113.7"
PROXY = IPv4Address("TCP", "10.0.0.1", 40000)
STRANGER = IPv4Address("TCP", "198.51.100.1", 40000)
SOCKET = UNIXAddress(None)


def v6(host: str) -> IPv6Address:
    """Make the address of a peer that came over IPv6."""
    return IPv6Address("TCP", host, 40000)


class AddressCase(SynchronousTestCase):
    """Asks for clients' addresses."""

    def assertClient(
        self, wanted: str, peer: IAddress, *hops: str, trusted: str = "10.0.0.0/8"
    ) -> None:
        """Assert whose address is found behind the trusted proxies."""
        proxies = TrustedProxies(trusted.split())
        self.assertEqual(proxies.clientOf(peer, hops), wanted, hops)


class ParseProxyTests(SynchronousTestCase):
    """A trusted proxy is an address, a network, or unix."""

    def test_right(self) -> None:
        """Addresses and networks of both families are taken, and unix."""
        for text in ("10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "0.0.0.0/0"):
            self.assertEqual(parseProxy(text), ip_network(text))
        self.assertEqual(parseProxy("unix"), UNIX)

    def test_wrong(self) -> None:
        """Everything else is not."""
        for text in (
            "",
            "proxy.example",
            "10.0.0.1:80",
            "10.0.0.1/8",  # which network is meant?
            "10.0.0.0/33",
            "10.0.0",
            "10.0.0.0-10.0.0.9",
            "UNIX",
            "unix:",
            "*",
        ):
            self.assertRaises(ValueError, parseProxy, text)
            self.assertRaises(ValueError, TrustedProxies, [text])


class NoProxyTests(AddressCase):
    """Who is no trusted proxy is believed nothing."""

    def test_nobodyTrusted(self) -> None:
        """Without trusted proxies the peer's own address counts."""
        self.assertClient("10.0.0.1", PROXY, CLIENT, trusted="")
        self.assertClient("2001:db8::1", v6("2001:db8::1"), CLIENT, trusted="")
        self.assertClient(UNIX, SOCKET, CLIENT, trusted="")

    def test_stranger(self) -> None:
        """A peer that is not the proxy cannot make up an address."""
        self.assertClient("198.51.100.1", STRANGER, CLIENT)
        self.assertClient("198.51.100.1", STRANGER, f"{CLIENT}, 10.0.0.1")
        self.assertClient(UNIX, SOCKET, CLIENT)

    def test_mappedPeer(self) -> None:
        """A peer over IPv4 has its IPv4 address on a port for both families too."""
        self.assertClient("198.51.100.1", v6("::ffff:198.51.100.1"))

    def test_canonical(self) -> None:
        """However an address is written, it is shown in one way."""
        self.assertClient("2001:db8::1", v6("2001:0DB8:0:0:0:0:0:0001"))


class ProxyTests(AddressCase):
    """What a trusted proxy says is believed."""

    def test_oneHop(self) -> None:
        """The client is whom the proxy named."""
        self.assertClient(CLIENT, PROXY, CLIENT)
        self.assertClient("2001:db8::1", PROXY, "2001:db8::1")

    def test_noHeader(self) -> None:
        """A request of the proxy's own is the proxy's."""
        self.assertClient("10.0.0.1", PROXY)

    def test_forged(self) -> None:
        """What the client wrote into the header itself does not count."""
        self.assertClient(CLIENT, PROXY, f"192.0.2.66, {CLIENT}")
        self.assertClient(CLIENT, PROXY, "192.0.2.66", CLIENT)
        self.assertClient(CLIENT, PROXY, f"10.0.0.9, 192.0.2.66 ,{CLIENT}")

    def test_chain(self) -> None:
        """Behind several trusted proxies the first untrusted address counts."""
        self.assertClient(CLIENT, PROXY, f"192.0.2.66, {CLIENT}, 10.0.0.3, 10.0.0.2")
        self.assertClient(CLIENT, PROXY, CLIENT, "10.0.0.3", "10.0.0.2")

    def test_onlyProxies(self) -> None:
        """When all are trusted, the farthest is the client."""
        self.assertClient("10.0.0.3", PROXY, "10.0.0.3, 10.0.0.2")

    def test_severalNetworks(self) -> None:
        """Each of the networks is trusted, in both families."""
        trusted = "10.0.0.1 192.0.2.0/24 2001:db8::/32"
        self.assertClient(
            CLIENT, v6("2001:db8::5"), f"{CLIENT}, 192.0.2.9, 10.0.0.1", trusted=trusted
        )
        self.assertClient("10.0.0.2", PROXY, f"{CLIENT}, 10.0.0.2", trusted=trusted)

    def test_mappedProxy(self) -> None:
        """A proxy over IPv4 is trusted on a port for both families too."""
        self.assertClient(CLIENT, v6("::ffff:10.0.0.1"), CLIENT)
        self.assertClient(CLIENT, PROXY, f"::ffff:{CLIENT}")

    def test_unixSocket(self) -> None:
        """A proxy in front of a Unix socket is trusted as unix."""
        self.assertClient(CLIENT, SOCKET, CLIENT, trusted="unix")
        self.assertClient(UNIX, SOCKET, trusted="unix")
        self.assertClient("10.0.0.1", SOCKET, f"{CLIENT}, 10.0.0.1", trusted="unix")
        self.assertClient("10.0.0.1", PROXY, CLIENT, trusted="unix")

    def test_ports(self) -> None:
        """Proxies that write ports are understood."""
        self.assertClient(CLIENT, PROXY, f"{CLIENT}:40000")
        self.assertClient("2001:db8::1", PROXY, "[2001:db8::1]:40000")
        self.assertClient("2001:db8::1", PROXY, "[2001:db8::1]")
        self.assertClient(CLIENT, PROXY, f"{CLIENT}:40000 , 10.0.0.2:40001")

    def test_rubbish(self) -> None:
        """At what is no address the search ends: left of it anybody wrote."""
        for rubbish in ("", "unknown", "_hidden", "x:y", "1.2.3", "[", "unix", "::g"):
            self.assertClient("10.0.0.1", PROXY, rubbish)
            self.assertClient("10.0.0.2", PROXY, f"{CLIENT}, {rubbish}, 10.0.0.2")
            self.assertClient(CLIENT, PROXY, f"{rubbish}, {CLIENT}")


class IsProxyTests(AddressCase):
    """A trusted proxy's own address is known as one, in each form."""

    def test_isProxy(self) -> None:
        """What is trusted, and nothing else."""
        proxies = TrustedProxies(["10.0.0.0/8", "2001:db8::1"])
        for address in ("10.1.2.3", "2001:db8::1", "2001:DB8:0::1", "::ffff:10.0.0.1"):
            self.assertTrue(proxies.isProxy(address), address)
        for address in ("11.0.0.1", "2001:db8::2", "unix", "unknown", ""):
            self.assertFalse(proxies.isProxy(address), address)
        self.assertTrue(TrustedProxies(["unix"]).isProxy("unix"))
        self.assertFalse(TrustedProxies([]).isProxy("10.0.0.1"))


class HostileTests(AddressCase):
    """What a forwarded header holds does no harm."""

    @PROPERTY
    @given(st.lists(st.text() | st.text("0123456789abf.:[]%, ", max_size=30)))
    @example(["fe80::1%eth0"])
    @example(["fe80::1%\x9b31m"])
    @example(["fe80::1%0 opened admin"])
    def test_anAddressComesOut(self, hops: list[str]) -> None:
        """Whatever the header holds, the answer is an address and nothing else."""
        client = TrustedProxies(["10.0.0.0/8"]).clientOf(PROXY, hops)
        self.assertEqual(str(ip_address(client)), client)
        self.assertRegex(client, r"\A[0-9a-f.:]+\Z")
