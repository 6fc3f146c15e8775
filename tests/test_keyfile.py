"""Tests for L{gows.access.keyfile}: what may be in a file, and reading it again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from twisted.internet.task import Clock
from twisted.logger import LogLevel, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from gows.access.keyfile import (
    ReloadingTokenKeys,
    checkingKeys,
    loadKeys,
    readTokenKeys,
)
from gows.access.keys import ALGORITHMS
from gows.errors import CannotStart
from gows.journal import Journal
from gows.watching import LOOK_EVERY
from tests.support import issue, pemOfChain, recorder
from tests.tokens import (
    privateJwk,
    privateKey,
    privatePem,
    publicJwk,
    publicPem,
    written,
)

PEM_ALGORITHMS = ("RS256", "ES256", "EdDSA")

MESSED = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"


class KeyFileCase(SynchronousTestCase):
    """
    Tests with a file of keys.

    @ivar path: where it is
    """

    def setUp(self) -> None:
        """Name the file; a test writes it."""
        self.path = Path(self.mktemp()).absolute()

    def read(self, content: object) -> Any:
        """Read keys as a server does; bytes are taken as they are, the rest as JSON."""
        return readTokenKeys(written(self.path, content))

    def refusal(self, content: object, read: Any = readTokenKeys) -> str:
        """Answer the line that refuses a file, which must name it, without its name."""
        path = written(self.path, content)
        line = str(self.assertRaises(CannotStart, read, path))
        self.assertTrue(line.isprintable())
        self.assertIn(path, line)
        return line.replace(path, "FILE")


class JsonTests(KeyFileCase):
    """A file with a JWK, or a JWKS."""

    def test_jwk(self) -> None:
        """One key, of each kind; only the public part is kept."""
        for algorithm in ALGORITHMS:
            for jwk in (publicJwk(algorithm), privateJwk(algorithm, kid="one")):
                [key] = self.read(jwk).all
                self.assertEqual(key.algorithm, algorithm)
                self.assertEqual(key.kid, jwk.get("kid"))
                self.assertNotIn("d", key.jwk.as_dict())

    def test_jwks(self) -> None:
        """Several keys, of different kinds, each with its name."""
        jwks = {"keys": [publicJwk(name, kid=name.lower()) for name in ALGORITHMS]}
        keys = self.read(jwks)
        self.assertEqual(tuple(key.algorithm for key in keys.all), ALGORITHMS)
        self.assertEqual(keys.find("es256").algorithm, "ES256")

    def test_jwksOfOne(self) -> None:
        """A set of one key is as good as that key; it needs no name."""
        [key] = self.read({"keys": [publicJwk("ES256")]}).all
        self.assertIsNone(key.kid)

    def test_noName(self) -> None:
        """Of several keys each must have a name."""
        one, two = publicJwk("ES256", kid="one"), publicJwk("EdDSA")
        wanted = "FILE holds several keys: each must have a kid of its own"
        self.assertEqual(self.refusal({"keys": [one, two]}), wanted)

    def test_sameName(self) -> None:
        """No two may have the same."""
        one, two = publicJwk("ES256", kid="one"), publicJwk("EdDSA", kid="one")
        wanted = "FILE holds several keys: each must have a kid of its own"
        self.assertEqual(self.refusal({"keys": [one, two]}), wanted)

    def test_brokenInASet(self) -> None:
        """One wrong key makes the whole file wrong; it is said which one."""
        one, two = publicJwk("ES256", kid="one"), publicJwk("RS256", kid="two", e="x")
        self.assertEqual(self.refusal({"keys": [one, two]}), "key 2 in FILE is broken")

    def test_emptySet(self) -> None:
        """A set without keys is none."""
        wrong: list[Any] = [[], {}, None, "x"]
        for keys in wrong:
            self.assertEqual(
                self.refusal({"keys": keys}), "FILE is a JWKS without keys"
            )

    def test_forbidden(self) -> None:
        """A key that must not check tokens is no use to a server."""
        for algorithm, operations in (
            ("HS256", ["sign"]),
            ("dir", ["encrypt"]),
            ("ES256", []),
        ):
            jwk = privateJwk(algorithm, key_ops=operations)
            self.assertIn("its key_ops lack verify", self.refusal(jwk))
        self.assertEqual(len(self.read(privateJwk("ES256", key_ops=["sign"])).all), 1)

    def test_broken(self) -> None:
        """A single wrong key is refused under the file's name."""
        self.assertEqual(self.refusal({}), self.refusal([]))
        self.assertIn("the key in FILE is no JWK", self.refusal({}))

    def test_noJson(self) -> None:
        """A file may be no text at all."""
        wanted = "FILE holds neither JSON (JWK, JWKS) nor PEM"
        for content in (
            *(b"", b"\n", b"nonsense", b"{", b"\xff\xfe", b'{"kty": "oct"'),
            *(b"[" * 10_000, b"1" * 10_000, b"'" + bytes(100)),
        ):
            self.assertEqual(self.refusal(content), wanted)


class PemTests(KeyFileCase):
    """A file with a PEM key."""

    def test_public(self) -> None:
        """A public key, of each kind that has one, with or without text around it."""
        for algorithm in PEM_ALGORITHMS:
            pem = publicPem(privateKey(algorithm))
            for content in (pem, b"# ours\n" + pem + b"\n# that was it\n"):
                [key] = self.read(content).all
                self.assertEqual((key.algorithm, key.kid), (algorithm, None))
                self.assertFalse(key.jwk.is_private)

    def test_oldForm(self) -> None:
        """RSA has a form of its own (PKCS#1), which is accepted."""
        pem = (
            privateKey("RS256")
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
        )
        self.assertIn(b"BEGIN RSA PUBLIC KEY", pem)
        self.assertEqual(self.read(pem).all[0].algorithm, "RS256")

    def test_private(self) -> None:
        """A server must not be given a private key; it says what to do instead."""
        for algorithm in PEM_ALGORITHMS:
            self.assertEqual(
                self.refusal(privatePem(privateKey(algorithm))),
                "FILE holds a private key: give the server the public one, which "
                "gows key public writes",
            )

    def test_load(self) -> None:
        """Who makes tokens may have it."""
        for algorithm in PEM_ALGORITHMS:
            path = written(self.path, privatePem(privateKey(algorithm)))
            [key] = loadKeys(path)
            self.assertEqual(key.algorithm, algorithm)
            self.assertTrue(key.mayMint)
            self.assertFalse(checkingKeys([key], path).all[0].mayMint)

    def test_loadWithParameters(self) -> None:
        """The form that openssl ecparam writes, with a second block, is accepted."""
        pem = privateKey("ES256").private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        parameters = (
            b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
            b"-----END EC PARAMETERS-----\n"
        )
        [key] = loadKeys(written(self.path, parameters + pem))
        self.assertEqual(key.algorithm, "ES256")

    def test_encrypted(self) -> None:
        """Nobody is asked for a passphrase."""
        pem = privateKey("ES256").private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"open sesame"),
        )
        self.assertEqual(
            self.refusal(pem, loadKeys), "the key in FILE is encrypted: it must not be"
        )

    def test_others(self) -> None:
        """Other curves, and short keys, are refused."""
        for key, wanted in (
            (ec.generate_private_key(ec.SECP384R1()), "RSA, EC on P-256, or Ed25519"),
            (ed448.Ed448PrivateKey.generate(), "RSA, EC on P-256, or Ed25519"),
            (rsa.generate_private_key(65537, 1024), "is too short: RS256 takes"),
        ):
            self.assertIn(wanted, self.refusal(publicPem(key)))
            self.assertIn(wanted, self.refusal(privatePem(key), loadKeys))

    def test_certificate(self) -> None:
        """A certificate is no key."""
        self.assertEqual(
            self.refusal(pemOfChain(issue("leaf"))),
            "FILE holds no PEM keys: it must be one (several make a JWKS)",
        )

    def test_several(self) -> None:
        """Several keys have no names as PEM."""
        pem = publicPem(privateKey("EdDSA")) + publicPem(privateKey("ES256"))
        self.assertEqual(
            self.refusal(pem),
            "FILE holds 2 PEM keys: it must be one (several make a JWKS)",
        )

    def test_broken(self) -> None:
        """What is between the lines must be a key."""
        for content in (
            *(MESSED, MESSED.replace(b"AAAA", b"!"), MESSED.replace(b"END", b"FIN")),
            publicPem(privateKey("EdDSA")).replace(b"M", b"N", 1),
        ):
            self.assertEqual(self.refusal(content), "the key in FILE is broken")


class MissingTests(KeyFileCase):
    """A file that cannot be read."""

    def test_missing(self) -> None:
        """One that is not there, or is none, is named."""
        for read in (readTokenKeys, loadKeys):
            error = self.assertRaises(CannotStart, read, str(self.path))
            self.assertEqual(
                str(error), f"{self.path} cannot be read: No such file or directory"
            )
        error = self.assertRaises(CannotStart, readTokenKeys, str(self.path.parent))
        self.assertIn("cannot be read: Is a directory", str(error))


class ReloadingTokenKeysTests(KeyFileCase):
    """Keys that rotate while the server runs."""

    def setUp(self) -> None:
        """Start with one key."""
        super().setUp()
        self.clock = Clock()
        self.events, observe = recorder()
        self.journal = Journal("info", self.clock, observe)
        self.write("one")
        self.service = ReloadingTokenKeys(str(self.path), self.journal, self.clock)
        self.service.privilegedStartService()
        self.service.startService()
        self.addCleanup(self.service.stopService)

    def write(self, *names: str) -> None:
        """Write keys with these names."""
        written(self.path, {"keys": [publicJwk("EdDSA", kid=kid) for kid in names]})

    def names(self) -> list[str | None]:
        """Answer the names of the keys that count now."""
        return [key.kid for key in self.service.current().all]

    def logged(self, level: Any) -> list[str]:
        """Take the lines of a level that were logged."""
        lines = [formatEvent(e) for e in self.events if e["log_level"] is level]
        self.events.clear()
        return lines

    def test_unchanged(self) -> None:
        """A file that stays as it is is read once."""
        self.assertEqual(self.names(), ["one"])
        self.clock.pump([LOOK_EVERY] * 3)
        self.assertEqual(
            self.logged(LogLevel.info), [f"keys of tokens read from {self.path}: 1"]
        )

    def test_rotated(self) -> None:
        """Within a minute of a change the new keys count."""
        self.logged(LogLevel.info)
        self.write("one", "two")
        self.assertEqual(self.names(), ["one"])
        self.clock.advance(LOOK_EVERY)

        self.assertEqual(self.names(), ["one", "two"])
        self.assertEqual(
            self.logged(LogLevel.info), [f"keys of tokens read from {self.path}: 2"]
        )

    def test_reload(self) -> None:
        """Told to, it reads the file at once, and then not again."""
        self.write("two")
        self.service.reload()
        self.assertEqual(self.names(), ["two"])
        self.logged(LogLevel.info)
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(self.logged(LogLevel.info), [])

    def test_broken(self) -> None:
        """A broken or missing file keeps the old keys; that is said once."""
        self.path.write_bytes(b"nonsense")
        self.clock.pump([LOOK_EVERY] * 3)
        self.assertEqual(
            self.logged(LogLevel.error),
            [
                "the keys of tokens were not read again, the old ones stay: "
                f"{self.path} holds neither JSON (JWK, JWKS) nor PEM"
            ],
        )
        os.remove(self.path)
        self.clock.pump([LOOK_EVERY] * 3)
        [line] = self.logged(LogLevel.error)
        self.assertIn("No such file or directory", line)

        self.assertEqual(self.names(), ["one"])
        self.write("repaired")
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(self.names(), ["repaired"])

    def test_privateKey(self) -> None:
        """A private PEM key, put there by mistake, keeps the old keys too."""
        self.path.write_bytes(privatePem(privateKey("EdDSA")))
        self.service.reload()
        self.assertEqual(self.names(), ["one"])
        [line] = self.logged(LogLevel.error)
        self.assertIn("holds a private key", line)

    def test_brokenAtFirst(self) -> None:
        """A start with a broken file fails."""
        self.path.write_bytes(b"nonsense")
        for start in ("privilegedStartService", "startService"):
            service = ReloadingTokenKeys(str(self.path), self.journal, Clock())
            self.assertRaises(CannotStart, getattr(service, start))

    def test_startWithoutPrivileges(self) -> None:
        """A plain start reads the file as well."""
        service = ReloadingTokenKeys(str(self.path), self.journal, Clock())
        service.startService()
        self.addCleanup(service.stopService)
        self.assertEqual(len(service.current().all), 1)

    def test_stop(self) -> None:
        """Once stopped it looks at nothing any more."""
        self.service.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])
