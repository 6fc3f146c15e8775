"""Tests for L{gows.commands.configcommand}: files of settings."""

from __future__ import annotations

import sys

from tests.commands import CommandCase
from tests.support import ROOT, selfSigned
from tests.tokens import privateKey, privatePem, publicJwk


class CheckConfigTests(CommandCase):
    """gows config check"""

    def config(self, **settings: str) -> str:
        """Write a file of settings that are texts."""
        lines = [f"{k.replace('_', '-')} = '{v}'\n" for k, v in settings.items()]
        return self.file("gows.toml", "".join(lines).encode())

    def assertRight(self, path: str) -> None:
        """Assert that a file is right."""
        self.assertEqual(self.output("config", "check", path), f"{path} is all right\n")

    def test_right(self) -> None:
        """A right file is said to be right."""
        self.assertRight(self.config(binary="relay"))
        self.assertRight(str(ROOT / "etc" / "gows.toml"))

    def test_wrong(self) -> None:
        """A wrong setting is named, as the server would."""
        path = self.config(binary="zip")
        self.assertEqual(
            self.fault("config", "check", path),
            f"binary in {path} must be one of gzip, relay, refuse, not 'zip'",
        )

    def test_missing(self) -> None:
        """A file that is not there is named."""
        path = str(self.folder / "none.toml")
        self.assertEqual(
            self.fault("config", "check", path),
            f"{path}: cannot be read: No such file or directory",
        )

    def test_environment(self) -> None:
        """What is in the environment does not matter: the file is checked."""
        self.variables["GOWS_BINARY"] = "zip"
        self.variables["GOWS_CONFIG"] = "none.toml"
        self.assertRight(self.config(binary="relay"))

    def test_tokenKey(self) -> None:
        """The keys of tokens that it names are read."""
        jwk = self.file("key.json", publicJwk("EdDSA"))
        self.assertRight(self.config(token_key=jwk))
        pem = self.file("key.pem", privatePem(privateKey("EdDSA")))
        line = self.fault("config", "check", self.config(token_key=pem))
        self.assertIn(f"{pem} holds a private key", line)

    def test_apiKeys(self) -> None:
        """So are the keys of the operators' door."""
        good = self.file("good", b"backend: a-key-that-is-long\n")
        self.assertRight(self.config(api_key_file=good))
        bad = self.file("bad", b"backend: short\n")
        line = self.fault("config", "check", self.config(api_key_file=bad))
        self.assertIn(f"line 1 of {bad}: a key is", line)

    def test_ports(self) -> None:
        """Ports with which the server would not start are refused as it would."""
        self.assertRight(self.config(admin="tcp:1:interface=127.0.0.1"))
        for description, words in (
            ("tcp:1", "admin is a port that other hosts reach: it needs keys"),
            ("haproxy:tcp:1:interface=127.0.0.1", "it needs keys (api-key-file)"),
            ("tcp:x", "admin 'tcp:x' is not understood: a number is missing"),
            ("tls:/no/such:443", "/no/such holds no .pem files"),
        ):
            line = self.fault("config", "check", self.config(admin=description))
            self.assertIn(words, line)
        keys = self.file("keys", b"backend: a-key-that-is-long\n")
        self.assertRight(self.config(admin="tcp:1", api_key_file=keys))
        path = self.file("gows.toml", b"listen = ['tcp:1', 'tcp:x']")
        line = self.fault("config", "check", path)
        self.assertIn("listen 'tcp:x' is not understood", line)

    def test_application(self) -> None:
        """The application is imported, and not made."""
        self.assertRight(self.config(app="fractions.Fraction"))
        line = self.fault("config", "check", self.config(app="no_such.Chat"))
        self.assertIn("app no_such.Chat cannot be imported", line)
        (self.folder / "leaves_for_test.py").write_text("raise SystemExit")
        self.patch(sys, "path", [str(self.folder), *sys.path])
        line = self.fault("config", "check", self.config(app="leaves_for_test.Chat"))
        self.assertIn("app leaves_for_test.Chat cannot be imported: SystemExit", line)
        line = self.fault("config", "check", self.config(app="os.sep"))
        self.assertIn("app os.sep is no class or callable", line)

    def test_logFile(self) -> None:
        """The log file is looked for, and not made."""
        path = self.folder / "gows.log"
        self.assertRight(self.config(log_file=str(path)))
        self.assertFalse(path.exists())
        line = self.fault("config", "check", self.config(log_file="/no/such/file"))
        self.assertEqual(
            line,
            "the log file /no/such/file cannot be opened: No such file or directory",
        )

    def test_certificate(self) -> None:
        """So is the certificate, with its key."""
        cert, key = map(str, selfSigned(self.folder))
        self.assertRight(self.config(cert=cert, key=key))
        other = self.file("other.pem", privatePem(privateKey("ES256")))
        self.assertEqual(
            self.fault("config", "check", self.config(cert=cert, key=other)),
            f"the key in {other} does not fit the certificate in {cert}",
        )
