"""Tests for L{gows.commands.keycommand}: keys for tokens."""

from __future__ import annotations

import json
from typing import Any

from gows.access.jwk import keyOfJwk
from gows.access.keys import ALGORITHMS
from tests.commands import CommandCase
from tests.tokens import (
    privateJwk,
    privateKey,
    privatePem,
    publicJwk,
    publicPem,
)


class NewKeyTests(CommandCase):
    """gows key new"""

    def new(self, *arguments: str) -> dict[str, Any]:
        """Make a key."""
        jwk: dict[str, Any] = json.loads(self.output("key", "new", *arguments))
        return jwk

    def test_byDefault(self) -> None:
        """It is a private key of Ed25519, with a name that nobody else has."""
        one, two = self.new(), self.new()
        self.assertEqual(set(one), {"kty", "crv", "alg", "use", "kid", "x", "d"})
        self.assertEqual(
            (one["alg"], one["crv"], one["use"]), ("EdDSA", "Ed25519", "sig")
        )
        self.assertRegex(one["kid"], r"^[0-9a-f]{16}$")
        self.assertNotEqual(one["kid"], two["kid"])
        self.assertNotEqual(one["d"], two["d"])

    def test_algorithms(self) -> None:
        """For each algorithm there is one that tokens can be made with."""
        for algorithm in ALGORITHMS:
            jwk = self.new("--alg", algorithm, "--kid", "one")
            self.assertEqual(jwk["kid"], "one")
            self.assertEqual(jwk["use"], "enc" if algorithm == "dir" else "sig")
            key = keyOfJwk(jwk, "the key")
            self.assertEqual(key.algorithm, algorithm)
            self.assertTrue(key.mayMint)

    def test_otherAlgorithm(self) -> None:
        """Others are refused."""
        for wrong in ("RS512", "eddsa", "", "none"):
            self.assertEqual(
                self.fault("key", "new", "--alg", wrong),
                "--alg must be one of HS256, RS256, ES256, EdDSA, dir",
            )


class PublicKeyTests(CommandCase):
    """gows key public"""

    def public(self, content: object) -> dict[str, Any]:
        """Write the public part of what is in a file."""
        path = self.file("key", content)
        jwk: dict[str, Any] = json.loads(self.output("key", "public", path))
        return jwk

    def test_jwk(self) -> None:
        """The public part of a JWK says what it is for, and holds no secret."""
        for algorithm in ("RS256", "ES256", "EdDSA"):
            wanted = publicJwk(algorithm, kid="one", alg=algorithm, use="sig")
            for private in (
                privateJwk(algorithm, kid="one"),
                privateJwk(algorithm, kid="one", key_ops=["sign"], ext=True),
                publicJwk(algorithm, kid="one"),
            ):
                self.assertEqual(self.public(private), wanted)

    def test_pem(self) -> None:
        """PEM becomes a JWK."""
        for algorithm in ("RS256", "ES256", "EdDSA"):
            wanted = publicJwk(algorithm, alg=algorithm, use="sig")
            key = privateKey(algorithm)
            self.assertEqual(self.public(privatePem(key)), wanted)
            self.assertEqual(self.public(publicPem(key)), wanted)

    def test_jwks(self) -> None:
        """Of several keys all are written."""
        jwks = {"keys": [privateJwk("ES256", kid="a"), publicJwk("EdDSA", kid="b")]}
        self.assertEqual(
            self.public(jwks),
            {
                "keys": [
                    publicJwk("ES256", kid="a", alg="ES256", use="sig"),
                    publicJwk("EdDSA", kid="b", alg="EdDSA", use="sig"),
                ]
            },
        )

    def test_secret(self) -> None:
        """A secret has no public part, alone or beside others."""
        one, two = privateJwk("ES256", kid="a"), privateJwk("HS256", kid="b")
        for content in (privateJwk("HS256"), privateJwk("dir"), {"keys": [one, two]}):
            path = self.file("key", content)
            self.assertEqual(
                self.fault("key", "public", path),
                f"{path} holds a secret, which has no public part: who checks tokens "
                "with it can make them",
            )

    def test_broken(self) -> None:
        """A broken file is refused."""
        path = self.file("key", b"nonsense")
        self.assertIn("neither JSON", self.fault("key", "public", path))
        path = str(self.folder / "none")
        self.assertIn("cannot be read", self.fault("key", "public", path))
