"""Tests of L{gows.web.cmdline}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gows.web.cmdline import HIDDEN, CommandLine, shown
from tests.asking import AskingTestCase

SECRET = "KILROY4711was"

HARMLESS = (
    *("/opt/gows/bin/python3", "/opt/gows/bin/twistd", "-n", "--pidfile=", "gows"),
    *("--port", "8888", "--token-key", "/etc/gows/key.json", "--key", "tls.pem"),
    *("--token-issuer", "https://app.example/", "--token-leeway", "5"),
    *("--cert=/etc/tls/chain.pem", "--app", "our.chat.Application"),
    *("--listen", "ssl:443:privateKey=key.pem:certKey=cert.pem"),
    *("--max-message-size", "16777216", "--rate", "20"),
)


class ShownTests(AskingTestCase):
    """A command line is shown so far as it is no secret."""

    def one(self, *argv: str) -> str:
        """Answer how a command line is shown."""
        return "\n".join(shown(argv))

    def test_harmless(self) -> None:
        """Paths, numbers and names are, those of files with keys too."""
        self.assertEqual(tuple(shown(HARMLESS)), HARMLESS)

    def test_secrets(self) -> None:
        """What is given as a secret, or looks like one, is not."""
        for argv in (
            ("--token", SECRET),
            (f"--token={SECRET}",),
            ("--admin-password", f"a/{SECRET}"),
            ("--api-key", SECRET),
            ("--redis-url", f"redis://user:{SECRET}@host:6379/0"),
            (f"--redis-url=rediss://:{SECRET}/@x@host",),
            ("--hook", f"https://app.example/?a={SECRET}&b=c"),
            ("--hook", f"https://app.example/#{SECRET}={SECRET}"),
            ("--listen", f"ssl:443:passphrase={SECRET}:x=y"),
            ("--token-key", f'{{"k":"{SECRET}"}}'),
            ("--port", f"eyJhbGciOi.{SECRET}.sig"),
            (f"{SECRET}0123456789abcdef",),
        ):
            text = self.one(*argv)
            self.assertIn(HIDDEN, text)
            self.assertNotIn(SECRET, text.replace(f"#{SECRET}={HIDDEN}", ""), argv)

    @given(st.text(min_size=1), st.sampled_from(["--token", "--secret", "--password"]))
    def test_anything(self, secret: str, flag: str) -> None:
        """Whatever stands behind such a flag is hidden, unless it is a flag itself."""
        secret = secret.lstrip("-") or "x"
        self.assertEqual(self.one(flag, secret), f"{flag}\n{HIDDEN}")
        self.assertEqual(self.one(f"{flag}={secret}"), f"{flag}={HIDDEN}")

    def test_page(self) -> None:
        """Of the environment only names are shown, and of these only ours."""
        environment = {"GOWS_PORT": SECRET, "GOWS_KEY": SECRET, "AWS_SECRET": SECRET}
        page = CommandLine(("gows", "--token", SECRET), environment, self.clock)
        pages = self.door({"/debug/cmdline": page})
        text = self.got(pages, "/debug/cmdline").body.decode()
        self.assertNotIn(SECRET, text)
        self.assertNotIn("AWS", text)
        self.assertIn("GOWS_KEY\nGOWS_PORT\n", text)
        self.assertIn("twisted.internet.task.Clock", text)
        self.assertRegex(text, r"\ngows \d[\s\S]*\ntwisted \d")
        self.assertEqual(self.got(pages, "/debug/cmdline?env=1").status, 400)
