"""Tests for which web pages may connect."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.access.origins import AllowedOrigins, parseOrigin
from gows.errors import Refusal

PROPERTY = settings(max_examples=150, deadline=None, database=None, derandomize=True)

APP = "https://app.example"


class ParseOriginTests(SynchronousTestCase):
    """An origin is a scheme, a host, perhaps a port, and nothing else."""

    def test_asBrowsersWriteIt(self) -> None:
        """What a browser sends stays as it is."""
        for origin in (
            APP,
            "http://localhost:3000",
            "http://127.0.0.1:8888",
            "http://[::1]:8888",
            "https://[2001:db8::1]",
            "http://app.example:443",
            "https://app.example:80",
            "https://xn--bcher-kva.example",
            "chrome-extension://abcdefghijklmnop",
            "null",
        ):
            self.assertEqual(parseOrigin(origin), origin)

    def test_otherSpellings(self) -> None:
        """What an operator writes becomes what browsers send."""
        for written, sent in (
            ("HTTPS://App.Example", APP),
            ("https://app.example:443", APP),
            ("https://app.example:0443", APP),
            ("https://app.example:", APP),
            ("http://app.example:80", "http://app.example"),
            ("http://[2001:DB8::1]:80", "http://[2001:db8::1]"),
            ("wss://app.example:443", "wss://app.example"),
            ("ws://app.example:80", "ws://app.example"),
        ):
            self.assertEqual(parseOrigin(written), sent)

    def test_wrong(self) -> None:
        """What is no origin is refused."""
        for text in (
            "",
            "*",
            "app.example",
            "app.example:443",
            "//app.example",
            "https://",
            "https:app.example",
            "https://:443",
            f"{APP}/",
            f"{APP}/chat",
            f"{APP}?",
            f"{APP}?a=b",
            f"{APP}#",
            "https://user@app.example",
            "https://@app.example",
            "https://app.example:65536",
            "https://app.example:-1",
            "https://app.example:x",
            "https://app.example:80:80",
            "https://[::1",
            "https://[nowhere]",
            "file://",
            "Null",
            "null ",
            f"{APP},{APP}",
            f"{APP} {APP}",
        ):
            self.assertRaises(ValueError, parseOrigin, text)

    def test_blanks(self) -> None:
        """Blanks and control characters are not passed over."""
        for text in (
            f" {APP}",
            f"\n{APP}",
            f"{APP}\n",
            f"{APP}\t",
            "https://app\t.example",
            "https://app\r\n.example",
            "https://app.exa mple",
            "ht\ttps://app.example",
        ):
            self.assertRaises(ValueError, parseOrigin, text)

    @PROPERTY
    @given(st.text() | st.text("htps:/[]@?#.a0 \\%", max_size=20).map("http".__add__))
    def test_anythingElse(self, text: str) -> None:
        """Whatever is given, it is an origin or a ValueError."""
        try:
            origin = parseOrigin(text)
        except ValueError:
            return
        self.assertEqual(parseOrigin(origin), origin)


class AllowedOriginsTests(SynchronousTestCase):
    """Only pages of the named origins connect, and what is no page."""

    def assertRefused(self, allowed: AllowedOrigins, origin: str) -> None:
        """Assert that pages of an origin may not connect."""
        refusal = self.assertRaises(Refusal, allowed.check, origin)
        self.assertEqual(refusal.status, 403)
        self.assertNotIn(origin or "no origin", refusal.text)

    def test_noneNamed(self) -> None:
        """When none is named, all may connect, however they call themselves."""
        allowed = AllowedOrigins([])
        for origin in (None, APP, "null", "", "rubbish\xff"):
            allowed.check(origin)

    def test_named(self) -> None:
        """Named origins may connect."""
        allowed = AllowedOrigins([APP, "HTTP://LOCALHOST:80", "null"])
        for origin in (APP, "http://localhost", "https://app.example:443", "null"):
            allowed.check(origin)

    def test_others(self) -> None:
        """Others may not: another scheme, host or port is another origin."""
        allowed = AllowedOrigins([APP])
        for origin in (
            "http://app.example",
            "https://app.example:8443",
            "https://evil.example",
            "https://x.app.example",
            "https://app.example.evil.example",
            "https://evil.example/?https://app.example",
            "null",
        ):
            self.assertRefused(allowed, origin)

    def test_rubbish(self) -> None:
        """A header that is no origin is refused like a wrong one."""
        allowed = AllowedOrigins([APP])
        for origin in ("", "https://[", f"{APP}/", f"{APP}, {APP}", f"{APP} ", "\xff"):
            self.assertRefused(allowed, origin)

    def test_noBrowser(self) -> None:
        """Who sends no Origin is no web page and may connect."""
        AllowedOrigins([APP]).check(None)

    def test_wrongOrigin(self) -> None:
        """An origin that cannot be allowed is a mistake of the operator."""
        self.assertRaises(ValueError, AllowedOrigins, [APP, f"{APP}/"])
