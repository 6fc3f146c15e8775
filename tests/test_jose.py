"""Tests for L{gows.access.jose}: the form of tokens, and their cryptography."""

from __future__ import annotations

import contextlib
import json
import string
import warnings
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.access.jose import MAX_TOKEN, Header, Malformed, readHeader, sealed, unsealed
from gows.access.keys import ALGORITHMS
from tests.tokens import encoded, encrypted, privateKey, tokenKey

PROPERTY = settings(max_examples=150, deadline=None, database=None, derandomize=True)

ALPHABET = string.ascii_letters + string.digits + "-_"
PAYLOAD = b'{"sub":"alice"}'


def tokenOf(header: object, parts: int = 3) -> str:
    """Write a token with a header, JSON or bytes, and nothing of use behind it."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return ".".join([encoded(raw), *["AAAA"] * (parts - 1)])


class HeaderTests(SynchronousTestCase):
    """What a header may say."""

    def assertMalformed(self, *tokens: str) -> None:
        """Assert that all of these are no tokens."""
        for token in tokens:
            self.assertRaises(Malformed, readHeader, token)

    def test_signed(self) -> None:
        """Of a signed token: its algorithm, and its key's name if it says one."""
        self.assertEqual(
            readHeader(tokenOf({"alg": "ES256", "typ": "JWT"})),
            Header(False, "ES256", "", None),
        )
        self.assertEqual(
            readHeader(tokenOf({"alg": "ES256", "kid": ""})),
            Header(False, "ES256", "", ""),
        )

    def test_encrypted(self) -> None:
        """Of an encrypted one: how its content is encrypted, too."""
        header = {"alg": "dir", "enc": "A256GCM", "kid": "one"}
        self.assertEqual(
            readHeader(tokenOf(header, 5)), Header(True, "dir", "A256GCM", "one")
        )

    def test_others(self) -> None:
        """What else a header says is ignored (RFC 7515, 4)."""
        header = {"alg": "ES256", "jwk": {"kty": "oct"}, "x5c": [1], "cty": "JWT"}
        self.assertEqual(readHeader(tokenOf(header)).alg, "ES256")

    def test_parts(self) -> None:
        """A token has three parts or five."""
        header = {"alg": "ES256"}
        self.assertMalformed(*(tokenOf(header, n) for n in (1, 2, 4, 6, 7)))
        self.assertMalformed("", ".", "..", "....", ".a.a", "a" * MAX_TOKEN)

    def test_alphabet(self) -> None:
        """It is base64url, without padding, blanks or line ends."""
        good = tokenOf({"alg": "ES256"})
        for wrong in ("+", "/", "=", " ", "\n", "\0", "é", "\ud800", "٣", "%2E"):
            self.assertMalformed(good + wrong, wrong + good, good[:-1] + wrong)

    def test_types(self) -> None:
        """What we read of it are texts."""
        for name in ("alg", "enc", "kid"):
            for value in (None, 1, True, ["ES256"], {"ES256": 1}):
                self.assertMalformed(tokenOf({"alg": "ES256", name: value}))

    def test_noObject(self) -> None:
        """A header is a JSON object in UTF-8, with an algorithm."""
        for raw in (
            *(b"", b"{", b"{}", b"[]", b"null", b'"alg"', b'["alg"]', b"1" * 5000),
            *(b'{"alg":"ES256"}}', b'\xef\xbb\xbf{"alg":"ES256"}', b"\xff"),
            '{"alg":"ES256"}'.encode("utf-16"),
            b'{"alg":"\xff"}',
            b'{"typ":"JWT"}',
        ):
            self.assertMalformed(tokenOf(raw))

    def test_deep(self) -> None:
        """What is too deep for Python is malformed; less deep, it is ignored."""
        for depth in (1000, 3000):
            self.assertMalformed(tokenOf(b"[" * depth))
            raw = b'{"alg":"ES256","x":' + b"[" * depth + b"]" * depth + b"}"
            with contextlib.suppress(Malformed):
                self.assertEqual(readHeader(tokenOf(raw)).alg, "ES256")

    def test_twice(self) -> None:
        """No name may occur twice, at any depth: who reads it might take the other."""
        self.assertMalformed(
            tokenOf(b'{"alg":"none","alg":"ES256"}'),
            tokenOf(b'{"alg":"ES256","alg":"ES256"}'),
            tokenOf(b'{"alg":"ES256","kid":"a","kid":"b"}'),
            tokenOf(b'{"alg":"ES256","\\u0061lg":"none"}'),
            tokenOf(b'{"alg":"ES256","jwk":{"a":1,"a":2}}'),
        )

    def test_extensions(self) -> None:
        """What changes the meaning of the rest is refused, whatever it says."""
        for name, value in (
            ("crit", ["exp"]),
            ("crit", []),
            ("b64", False),
            ("b64", True),
            ("zip", "DEF"),
            ("zip", None),
        ):
            self.assertMalformed(tokenOf({"alg": "ES256", name: value}))
            header = {"alg": "dir", "enc": "A256GCM", name: value}
            self.assertMalformed(tokenOf(header, 5))

    @PROPERTY
    @given(st.text() | st.text(ALPHABET + "."))
    @example("e30.e30.")
    def test_anything(self, text: str) -> None:
        """Whatever it is, it is a header or malformed."""
        try:
            readHeader(text)
        except Malformed:
            return

    @PROPERTY
    @given(
        st.dictionaries(
            st.sampled_from(["alg", "enc", "kid", "crit", "typ"]),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.text(),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            ),
        ),
        st.integers(1, 6),
    )
    def test_anyHeader(self, header: Any, parts: int) -> None:
        """So it is with whatever JSON."""
        try:
            read = readHeader(tokenOf(header, parts))
        except Malformed:
            return
        self.assertIn(parts, (3, 5))
        self.assertEqual(read.kid, header.get("kid"))


class FitsTests(SynchronousTestCase):
    """A key's algorithm is the key's business."""

    def test_signed(self) -> None:
        """A token has the algorithm of its key, and no other."""
        for algorithm in ALGORITHMS[:-1]:
            key = tokenKey(algorithm)
            fits = [
                alg
                for alg in (
                    *(*ALGORITHMS, "none", "None", "", "Ed25519", "Ed448", "ES512"),
                    *("HS512", "RS512", "PS256", "A256GCM", "RSA-OAEP"),
                )
                if Header(False, alg, "", None).fits(key)
            ]
            named = ["EdDSA", "Ed25519"] if algorithm == "EdDSA" else [algorithm]
            self.assertEqual(fits, named)
            self.assertFalse(Header(True, algorithm, "A256GCM", None).fits(key))
            self.assertFalse(Header(True, "dir", "A256GCM", None).fits(key))

    def test_encrypted(self) -> None:
        """An encrypted one is encrypted with the key itself, in one way only."""
        key = tokenKey("dir")
        for isEncrypted, alg, enc, fits in (
            (True, "dir", "A256GCM", True),
            (True, "dir", "A128GCM", False),
            (True, "dir", "A256CBC-HS512", False),
            (True, "dir", "", False),
            (True, "A256KW", "A256GCM", False),
            (True, "A256GCMKW", "A256GCM", False),
            (True, "PBES2-HS256+A128KW", "A256GCM", False),
            (False, "dir", "A256GCM", False),
            (False, "HS256", "", False),
        ):
            self.assertIs(Header(isEncrypted, alg, enc, None).fits(key), fits)


class SealTests(SynchronousTestCase):
    """What is sealed is opened with the same key, and with that only."""

    def test_roundTrip(self) -> None:
        """With each algorithm, with a kid and without; the public part is enough."""
        for algorithm in ALGORITHMS:
            for members in ({}, {"kid": "one"}):
                key = tokenKey(algorithm, **members)
                token = sealed(PAYLOAD, key)
                header = readHeader(token)
                self.assertTrue(header.fits(key))
                self.assertEqual(header.kid, members.get("kid"))
                self.assertEqual(unsealed(token, key.public), PAYLOAD)

    def test_noWarning(self) -> None:
        """That EdDSA has got a second name is no reason to warn with each token."""
        key = tokenKey("EdDSA")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            unsealed(sealed(PAYLOAD, key), key)
        self.assertEqual(caught, [])

    def test_encryptedIsHidden(self) -> None:
        """What is encrypted cannot be read, and is never the same twice."""
        key = tokenKey("dir")
        one, two = sealed(PAYLOAD, key), sealed(PAYLOAD, key)
        self.assertNotEqual(one, two)
        self.assertNotIn(encoded(PAYLOAD), one)

    def test_otherKey(self) -> None:
        """With another key nothing is opened."""
        for algorithm in ("HS256", "dir"):
            token = sealed(PAYLOAD, tokenKey(algorithm))
            other = tokenKey(algorithm, k=encoded(b"x" * 32))
            self.assertIsNone(unsealed(token, other))

    def test_otherAlgorithm(self) -> None:
        """Nor with another algorithm than the key's, even if nobody looked before."""
        for algorithm in ALGORITHMS:
            key = tokenKey(algorithm)
            for other in ALGORITHMS:
                if other != algorithm:
                    self.assertIsNone(unsealed(sealed(PAYLOAD, tokenKey(other)), key))
            for parts in (3, 5):
                header = {"alg": "none", "enc": "A256GCM"}
                self.assertIsNone(unsealed(tokenOf(header, parts), key))

    def test_long(self) -> None:
        """A token may be as long as tokens may be, header and signature too."""
        payload = b'"' + b"x" * 5900 + b'"'
        for algorithm in ALGORITHMS:
            key = tokenKey(algorithm, kid="x" * 32)
            self.assertEqual(unsealed(sealed(payload, key), key), payload)
            key = tokenKey(algorithm, kid="x" * 3000)
            self.assertEqual(unsealed(sealed(PAYLOAD, key), key), PAYLOAD)

    def test_foreignEncryption(self) -> None:
        """What cryptography itself encrypts is opened as well."""
        header = {"alg": "dir", "enc": "A256GCM"}
        token = encrypted(PAYLOAD, header, privateKey("dir"))
        self.assertEqual(unsealed(token, tokenKey("dir")), PAYLOAD)

    def test_partsOfEncrypted(self) -> None:
        """An encrypted key, a short tag or another vector are refused."""
        key = tokenKey("dir")
        header, _, iv, content, tag = sealed(PAYLOAD, key).split(".")
        for parts in (
            (header, "AAAA", iv, content, tag),
            (header, "", iv, content, tag[:-6]),
            (header, "", iv, content, tag[:2]),
            (header, "", iv, content, ""),
            (header, "", iv, content, tag + "AA"),
            (header, "", iv[:-4], content, tag),
            (header, "", iv + "AAAA", content, tag),
            (header, "", "", content, tag),
            (header, "", iv, "", tag),
            (header, "", iv, content[:-4], tag),
            (header, "", iv, content + "AAAA", tag),
        ):
            self.assertIsNone(unsealed(".".join(parts), key))

    def test_detached(self) -> None:
        """Without its content, or its signature, a signed token is nothing."""
        for algorithm in ALGORITHMS[:-1]:
            key = tokenKey(algorithm)
            header, content, signature = sealed(PAYLOAD, key).split(".")
            self.assertIsNone(unsealed(f"{header}..{signature}", key))
            self.assertIsNone(unsealed(f"{header}.{content}.", key))

    def test_everyCharacterCounts(self) -> None:
        """Wherever one character is another one, the token is refused."""
        for algorithm in ALGORITHMS:
            key = tokenKey(algorithm)
            token = sealed(PAYLOAD, key)
            for position, character in enumerate(token):
                index = ALPHABET.find(character)
                # The next letter, and the one that differs in the lowest bit.
                for other in {ALPHABET[index - 1], ALPHABET[index ^ 1], "."}:
                    if other == character:
                        continue
                    changed = token[:position] + other + token[position + 1 :]
                    self.assertIsNone(self.opened(changed, key), (algorithm, position))

    def test_unusedBits(self) -> None:
        """The last character's bits that mean nothing must be zero."""
        for algorithm in ALGORITHMS:
            key = tokenKey(algorithm)
            token = sealed(PAYLOAD, key)
            for part in range(token.count(".") + 1):
                parts = token.split(".")
                for other in ALPHABET:
                    changed = parts[part][:-1] + other
                    if changed != parts[part]:
                        again = ".".join([*parts[:part], changed, *parts[part + 1 :]])
                        self.assertIsNone(self.opened(again, key))

    def opened(self, token: str, key: Any) -> bytes | None:
        """Open a token as far as it goes."""
        try:
            header = readHeader(token)
        except Malformed:
            return None
        return unsealed(token, key) if header.fits(key) else None

    @PROPERTY
    @given(
        st.sampled_from(ALGORITHMS),
        st.integers(0, 2**16),
        st.integers(0, 20),
        st.text(ALPHABET + ".=", max_size=20),
    )
    def test_mutated(self, algorithm: str, start: int, cut: int, put: str) -> None:
        """A token with something cut out of it, and something put in, is refused."""
        key = tokenKey(algorithm)
        token = sealed(PAYLOAD, key)
        start %= len(token)
        changed = token[:start] + put + token[start + cut :]
        if changed != token:
            self.assertIsNone(self.opened(changed, key))

    @PROPERTY
    @given(st.sampled_from(ALGORITHMS), st.text() | st.text(ALPHABET + "."))
    def test_anything(self, algorithm: str, text: str) -> None:
        """Whatever it is, it is not opened, and nothing else happens."""
        self.assertIsNone(unsealed(text, tokenKey(algorithm)))
