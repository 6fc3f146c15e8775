"""Tests for L{gows.web.hosts}: the door's names, and whose pages may call it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gows.web.answers import Problem
from gows.web.hosts import Hosts

HERE = "127.0.0.1:8889"


class HostTests(SynchronousTestCase):
    """The Host header: no name of somebody else's leads here."""

    def setUp(self) -> None:
        """Allow a name."""
        self.hosts = Hosts(["ops.example", "OPS"], [])

    def test_known(self) -> None:
        """Addresses, localhost and names that were given pass, with any port."""
        for host in (
            *("127.0.0.1", HERE, "192.0.2.1:80", "[::1]", "[::1]:8889", "[fe80::1]:1"),
            *("localhost", "LocalHost:8889", "ops.example", "OPS.example:443", "ops"),
            "localhost:",
        ):
            self.hosts.checkHost(host)

    def test_rebinding(self) -> None:
        """All other names are refused with 421, as is what is no name at all."""
        for host in (
            *(None, "", "evil.example", "evil.example:8889", "127.0.0.1.evil.example"),
            *("ops.example.evil.example", "evil.ops.example", "localhost.", "ops."),
            *("127.0.0.1:8889:1", "127.0.0.1:x", "127.0.0.1@evil.example", "a@ops"),
            *(
                "127.1",
                "2130706433",
                "0x7f.1",
                "[::1",
                "::1]",
                "[::1]evil",
                "[evil]",
                "evil[::1]",
                "[fe80::1%25x]",
            ),
            *("127.0.0.1%evil.example", "127.0.0.1%25evil", "ops/", "ops?x", "ops#"),
            *("ops,localhost", "ops localhost", "l\u00f6calhost", "\uff4focalhost"),
            *("ops\t", "loc\nalhost", "\u2488", "ops\\evil", "127.0.0.1:99999999"),
        ):
            problem = self.assertRaises(Problem, self.hosts.checkHost, host)
            self.assertEqual((problem.status, problem.fault.code), (421, "wrong_host"))
            self.assertNotIn(host or "nothing", problem.fault.message)


class OriginTests(SynchronousTestCase):
    """The Origin header: no page of another site."""

    def setUp(self) -> None:
        """Allow an origin."""
        self.hosts = Hosts([], ["https://ops.example"])

    def test_own(self) -> None:
        """The door's own pages pass, behind a proxy that speaks TLS as well."""
        for origin in (None, f"http://{HERE}", f"https://{HERE}", f"HTTP://{HERE}"):
            self.assertIsNone(self.hosts.originFor(origin, HERE))

    def test_allowed(self) -> None:
        """One that may call is told so, by its name."""
        for origin in ("https://ops.example", "https://ops.example:443"):
            self.assertEqual(self.hosts.originFor(origin, HERE), origin)

    def test_others(self) -> None:
        """All others are refused, another port of the same host among them."""
        for origin in (
            *("null", "", "evil", "http://evil.example", "http://127.0.0.1:3000"),
            *("http://127.0.0.1", f"ws://{HERE}", f"file://{HERE}", f"{HERE}"),
            *(f"http://{HERE}.evil.example", f"http://{HERE}/", f"http://a@{HERE}"),
            *("http://ops.example", "https://ops.example.evil", "https://ops.example/"),
            *("https://[", "https://ops.example:x", "*", f"http://{HERE} http://x"),
        ):
            problem = self.assertRaises(Problem, self.hosts.originFor, origin, HERE)
            self.assertEqual((problem.status, problem.fault.code), (403, "cross_site"))
        self.assertRaises(Problem, self.hosts.originFor, "http://", None)

    def test_null(self) -> None:
        """Sandboxed pages may call where that is said, and only there."""
        self.assertEqual(Hosts([], ["null"]).originFor("null", HERE), "null")
