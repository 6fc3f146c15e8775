"""Tests for L{gows.access.jwk}: which JWKs are accepted, and for what."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.access.jwk import jwkOf, keyOfJwk, newKey
from gows.access.keys import ALGORITHMS
from gows.errors import CannotStart
from tests.tokens import encoded, jwkOfPrivate, privateJwk, publicJwk

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)


class JwkCase(SynchronousTestCase):
    """Reads JWKs."""

    def fault(self, jwk: object) -> str:
        """Answer the one line that refuses a JWK, without where it is from."""
        error = self.assertRaises(CannotStart, keyOfJwk, jwk, "key 2 in x.json")
        line = str(error)
        self.assertTrue(line.isprintable())
        self.assertTrue(line.startswith("key 2 in x.json "), line)
        for secret in ("k", "d", "n", "x"):
            if isinstance(jwk, dict) and len(str(jwk.get(secret, ""))) > 3:
                self.assertNotIn(str(jwk[secret]), line)
        return line.removeprefix("key 2 in x.json ")

    def algorithm(self, jwk: dict[str, Any]) -> str:
        """Answer what a JWK is for."""
        return keyOfJwk(jwk, "the key").algorithm


class AlgorithmTests(JwkCase):
    """Each key has one algorithm."""

    def test_byKind(self) -> None:
        """What a key is decides, unless it says more."""
        for algorithm in ALGORITHMS:
            for jwk in (privateJwk(algorithm), publicJwk(algorithm)):
                self.assertEqual(self.algorithm(jwk), algorithm)

    def test_said(self) -> None:
        """A key may say its algorithm, in all ways in which it is written."""
        for made, said, algorithm in (
            ("HS256", "HS256", "HS256"),
            ("HS256", "dir", "dir"),
            ("HS256", "A256GCM", "dir"),
            ("RS256", "RS256", "RS256"),
            ("ES256", "ES256", "ES256"),
            ("EdDSA", "EdDSA", "EdDSA"),
            ("EdDSA", "Ed25519", "EdDSA"),
        ):
            self.assertEqual(self.algorithm(privateJwk(made, alg=said)), algorithm)

    def test_encryption(self) -> None:
        """A secret whose use is to encrypt is for encrypted tokens."""
        jwk = privateJwk("HS256")
        self.assertEqual(self.algorithm({**jwk, "use": "enc"}), "dir")
        self.assertEqual(self.algorithm({**jwk, "use": "sig"}), "HS256")

    def test_others(self) -> None:
        """Algorithms that are not ours, or not of this kind of key, are refused."""
        for made, said, allowed in (
            ("HS256", "HS512", "HS256, dir or A256GCM"),
            ("HS256", "none", "HS256, dir or A256GCM"),
            ("HS256", "A128GCM", "HS256, dir or A256GCM"),
            ("HS256", "", "HS256, dir or A256GCM"),
            ("RS256", "PS256", "RS256"),
            ("RS256", "HS256", "RS256"),
            ("RS256", "RSA-OAEP", "RS256"),
            ("ES256", "ES384", "ES256"),
            ("ES256", "ECDH-ES", "ES256"),
            ("EdDSA", "Ed448", "EdDSA or Ed25519"),
            ("EdDSA", "eddsa", "EdDSA or Ed25519"),
        ):
            self.assertEqual(
                self.fault(privateJwk(made, alg=said)),
                f"is not accepted: alg must be {allowed} with this kty",
            )

    def test_kinds(self) -> None:
        """Other kinds of keys are refused."""
        for kty in ("AKP", "", "ec", "OCT"):
            self.assertEqual(
                self.fault({"kty": kty}),
                "is not accepted: kty must be oct, RSA, EC or OKP",
            )

    def test_curves(self) -> None:
        """Other curves are refused, and so is a key that does not say its curve."""
        for key, curve in (
            (ec.generate_private_key(ec.SECP384R1()), "P-256"),
            (ec.generate_private_key(ec.SECP521R1()), "P-256"),
            (ed448.Ed448PrivateKey.generate(), "Ed25519"),
            (x25519.X25519PrivateKey.generate(), "Ed25519"),
        ):
            jwk = jwkOfPrivate(key)
            wanted = f"is not accepted: crv must be {curve}"
            self.assertEqual(self.fault(jwk), wanted)
            del jwk["crv"]
            self.assertEqual(self.fault(jwk), wanted)


class LengthTests(JwkCase):
    """Short keys are refused."""

    def secret(self, size: int, **members: str) -> dict[str, str]:
        """Make a secret of so many bytes."""
        return {"kty": "oct", "k": encoded(bytes(range(1, size + 1))), **members}

    def test_secret(self) -> None:
        """HS256 takes 32 bytes and more."""
        wanted = "is too short: HS256 takes at least 32 bytes"
        for size in (1, 16, 31):
            self.assertEqual(self.fault(self.secret(size)), wanted)
        for size in (32, 33, 64, 200):
            self.assertEqual(self.algorithm(self.secret(size)), "HS256")

    def test_encryption(self) -> None:
        """A256GCM takes 32 bytes, no more, no less."""
        wanted = "is not accepted: A256GCM takes exactly 32 bytes"
        for size in (1, 16, 31, 33, 64):
            self.assertEqual(self.fault(self.secret(size, alg="dir")), wanted)
            self.assertEqual(self.fault(self.secret(size, use="enc")), wanted)
        self.assertEqual(self.algorithm(self.secret(32, alg="A256GCM")), "dir")

    def test_modulus(self) -> None:
        """RS256 takes 2048 bits and more."""
        short = jwkOfPrivate(rsa.generate_private_key(65537, 1024))
        self.assertEqual(
            self.fault(short), "is too short: RS256 takes at least 2048 bits"
        )
        self.assertEqual(self.flushWarnings(), [])


class PurposeTests(JwkCase):
    """What a key says that it is for counts."""

    def test_use(self) -> None:
        """A key for another use is refused."""
        for algorithm in ALGORITHMS:
            right, wrong = "sig", "enc"
            if algorithm == "dir":
                right, wrong = wrong, right
            jwk = privateJwk(algorithm, use=right)
            self.assertEqual(self.algorithm(jwk), algorithm)
            if algorithm != "HS256":  # a secret may encrypt
                self.assertEqual(
                    self.fault({**jwk, "use": wrong}),
                    f"is not accepted: use must be {right}",
                )
            self.assertIn("use must be", self.fault({**jwk, "use": "tls"}))

    def test_useAndAlgorithm(self) -> None:
        """A secret for HS256 that is for encryption contradicts itself."""
        self.assertEqual(
            self.fault(privateJwk("HS256", alg="HS256", use="enc")),
            "is not accepted: use must be sig",
        )

    def test_operations(self) -> None:
        """What its key_ops allow is told; without them everything is allowed."""
        for algorithm, mint, check in (
            ("HS256", "sign", "verify"),
            ("ES256", "sign", "verify"),
            ("dir", "encrypt", "decrypt"),
        ):
            for operations, mayMint, mayCheck in (
                (None, True, True),
                ([mint, check], True, True),
                ([mint], True, algorithm == "ES256"),
                ([check], False, True),
                (["wrapKey"], False, False),
                ([], False, False),
            ):
                members = {} if operations is None else {"key_ops": operations}
                key = keyOfJwk(privateJwk(algorithm, **members), "the key")
                self.assertIs(key.mayMint, mayMint, (algorithm, operations))
                self.assertIs(key.mayCheck, mayCheck, (algorithm, operations))

    def test_name(self) -> None:
        """Its kid is its name."""
        self.assertEqual(keyOfJwk(privateJwk("EdDSA", kid="a b"), "k").kid, "a b")
        self.assertIsNone(keyOfJwk(privateJwk("EdDSA"), "k").kid)

    def test_otherMembers(self) -> None:
        """What else a JWK holds does not matter."""
        jwk = publicJwk("RS256", x5u="?", x5c=1, x5t=["!"], iat=1, revoked={"a": 1})
        self.assertEqual(self.algorithm(jwk), "RS256")


class BrokenTests(JwkCase):
    """What is no key is refused, on one line."""

    def test_noObject(self) -> None:
        """A JWK is an object with kty; what we read of it has its types."""
        good = privateJwk("EdDSA")
        for jwk in (
            *(None, 1, "x", [], [good], {}, {"kty": 1}, {"kty": None}),
            *({**good, name: 1} for name in ("kid", "alg", "use", "key_ops", "crv")),
            {**good, "key_ops": "sign"},
            {**good, "key_ops": [1]},
            {**privateJwk("HS256"), "k": 1},
        ):
            self.assertTrue(self.fault(jwk).startswith("is no JWK: "))

    def test_missing(self) -> None:
        """A key of which a part is missing is broken."""
        for algorithm in ALGORITHMS:
            for name in publicJwk(algorithm):
                if name not in ("kty", "alg", "crv"):
                    jwk = publicJwk(algorithm)
                    del jwk[name]
                    self.assertEqual(self.fault(jwk), "is broken", name)

    def test_wrong(self) -> None:
        """So is one of which a part is no base64url, or no part of such a key."""
        for algorithm in ALGORITHMS:
            for name in publicJwk(algorithm):
                if name in ("kty", "alg", "crv"):
                    continue
                for value in ("", "=", "a", "+/+/", "é", "\ud800"):
                    jwk = publicJwk(algorithm, **{name: value})
                    self.assertEqual(self.fault(jwk), "is broken", (name, value))

    def test_notOnTheCurve(self) -> None:
        """A point beside the curve is no key."""
        jwk = publicJwk("ES256")
        self.assertEqual(self.fault({**jwk, "y": jwk["x"]}), "is broken")

    def test_publicPart(self) -> None:
        """The public part of a private key is its own, and none that is broken."""
        for algorithm, member in (
            ("EdDSA", "x"),
            ("ES256", "x"),
            ("ES256", "y"),
            ("RS256", "n"),
        ):
            other = jwkOf(newKey(algorithm, "other"))[member]
            for value in (other, "A", "é", "AAAA"):
                jwk = privateJwk(algorithm, **{member: value})
                self.assertIn(self.fault(jwk).split()[1], ("broken", "too"))

    def test_publicKeyAsSecret(self) -> None:
        """A public key is no secret, whoever calls it one."""
        der = b"0" * 32
        self.assertEqual(self.algorithm({"kty": "oct", "k": encoded(der)}), "HS256")
        pem = (
            b"-----BEGIN PUBLIC KEY-----\n"
            b"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
            b"-----END PUBLIC KEY-----\n"
        )
        self.assertEqual(self.fault({"kty": "oct", "k": encoded(pem)}), "is broken")

    @PROPERTY
    @given(
        st.sampled_from(ALGORITHMS),
        st.dictionaries(
            st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "p", "k", "alg"]),
            st.none() | st.text() | st.integers() | st.lists(st.text()),
            min_size=1,
        ),
    )
    def test_anything(self, algorithm: str, members: dict[str, Any]) -> None:
        """Whatever is in it, a JWK is read or refused."""
        jwk = privateJwk(algorithm, **members)
        try:
            key = keyOfJwk(json.loads(json.dumps(jwk)), "the key")
        except CannotStart as error:
            self.assertTrue(str(error).startswith("the key is "))
        else:
            self.assertIn(key.algorithm, ALGORITHMS)
