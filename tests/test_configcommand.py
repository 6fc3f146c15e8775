"""Tests for L{gows.commands.configcommand}: files of settings."""

from __future__ import annotations

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

    def test_certificate(self) -> None:
        """So is the certificate, with its key."""
        cert, key = map(str, selfSigned(self.folder))
        self.assertRight(self.config(cert=cert, key=key))
        other = self.file("other.pem", privatePem(privateKey("ES256")))
        self.assertEqual(
            self.fault("config", "check", self.config(cert=cert, key=other)),
            f"the key in {other} does not fit the certificate in {cert}",
        )
