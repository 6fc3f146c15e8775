"""Tests for L{gows.access.keys}: keys, their public parts, and who takes which."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gows.access.keys import ALGORITHMS, TokenKeys
from tests.tokens import publicJwk, tokenKey


class TokenKeyTests(SynchronousTestCase):
    """What may be done with a key."""

    def test_private(self) -> None:
        """With a private key, or a secret, tokens are made and checked."""
        for algorithm in ALGORITHMS:
            key = tokenKey(algorithm, kid="one")
            self.assertTrue(key.mayMint)
            self.assertTrue(key.mayCheck)
            self.assertEqual(key.encrypts, algorithm == "dir")
            self.assertEqual(key.isSecret, algorithm in ("HS256", "dir"))

    def test_public(self) -> None:
        """The public part checks only; it holds nothing of the private one."""
        for algorithm in ("RS256", "ES256", "EdDSA"):
            key = tokenKey(algorithm, kid="one", use="sig", key_ops=["sign"])
            public = key.public
            self.assertEqual((public.algorithm, public.kid), (algorithm, "one"))
            self.assertFalse(public.mayMint)
            self.assertTrue(public.mayCheck)
            self.assertFalse(public.jwk.is_private)
            self.assertEqual(public.jwk.as_dict(), publicJwk(algorithm))
            self.assertIs(public.public, public)

    def test_publicOfSecret(self) -> None:
        """A secret has no public part: it stays what it is."""
        for algorithm in ("HS256", "dir"):
            key = tokenKey(algorithm)
            self.assertIs(key.public, key)

    def test_shown(self) -> None:
        """What Python shows of a key is not the key."""
        key = tokenKey("HS256")
        self.assertNotIn(publicJwk("HS256")["k"], repr(key))


class TokenKeysTests(SynchronousTestCase):
    """Which key a token takes."""

    def test_alone(self) -> None:
        """A key that is alone and has no name serves every token."""
        key = tokenKey("EdDSA")
        keys = TokenKeys([key])
        for kid in (None, "one", ""):
            self.assertIs(keys.find(kid), key)

    def test_aloneWithName(self) -> None:
        """One with a name serves those that name it, or none."""
        key = tokenKey("EdDSA", kid="one")
        keys = TokenKeys([key])
        self.assertIs(keys.find(None), key)
        self.assertIs(keys.find("one"), key)
        for kid in ("", "two", "One"):
            self.assertIsNone(keys.find(kid))

    def test_several(self) -> None:
        """Of several each serves those that name it."""
        one, two = tokenKey("EdDSA", kid="one"), tokenKey("EdDSA", kid="two")
        keys = TokenKeys([one, two])
        self.assertEqual(keys.all, (one, two))
        self.assertIs(keys.find("one"), one)
        self.assertIs(keys.find("two"), two)
        self.assertIsNone(keys.find("three"))
        self.assertIsNone(keys.find(None))

    def test_emptyName(self) -> None:
        """An empty name is a name."""
        key = tokenKey("EdDSA", kid="")
        keys = TokenKeys([key, tokenKey("EdDSA", kid="two")])
        self.assertIs(keys.find(""), key)
        self.assertIsNone(keys.find(None))
