"""Tests for L{gows.access.tokens}: what a token says, and what it must say."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.access.jose import MAX_TOKEN, sealed
from gows.access.jwk import keyOfJwk
from gows.access.keys import ALGORITHMS, TokenKeys
from gows.access.tokens import TokenVerifier, mint
from gows.chat.context import Context
from gows.chat.grant import Grant, Pass, RoomRights
from gows.errors import Refusal
from tests.tokens import (
    NOW,
    SIGNING,
    claims,
    encoded,
    encrypted,
    privateJwk,
    privateKey,
    privatePem,
    publicPem,
    tokenKey,
)

PROPERTY = settings(max_examples=150, deadline=None, database=None, derandomize=True)

SECONDS = "a number: seconds since 1970"

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class TokenCase(SynchronousTestCase):
    """
    Checks tokens that are signed with one key.

    @ivar key: that key
    """

    def setUp(self) -> None:
        """Take a key that is fast."""
        self.key = tokenKey("HS256")

    def verifier(self, **terms: Any) -> TokenVerifier:
        """Make a verifier that demands this."""
        keys = TokenKeys([self.key.public])
        return TokenVerifier(lambda: keys, **terms)

    def token(self, **more: Any) -> str:
        """Make a token that is valid for an hour, with further claims."""
        return mint(self.key, claims(**more))

    def verify(self, token: str, now: float = NOW, **terms: Any) -> Pass:
        """Check a token."""
        return self.verifier(**terms).verify(token, now)

    def passOf(self, **more: Any) -> Pass:
        """Check a token with these claims."""
        return self.verify(self.token(**more))

    def refusal(self, token: str, now: float = NOW, **terms: Any) -> str:
        """Answer the text of the 401 that a token gets; it must not repeat it."""
        refusal = self.assertRaises(Refusal, self.verify, token, now, **terms)
        self.assertRefused(refusal)
        return str(refusal.text)

    def assertRefused(self, refusal: Refusal) -> None:
        """Assert that a refusal is a 401 as RFC 6750 has it."""
        self.assertEqual(refusal.status, 401)
        self.assertEqual(
            refusal.headers,
            {"WWW-Authenticate": 'Bearer realm="gows", error="invalid_token"'},
        )
        self.assertTrue(refusal.text.isprintable())

    def assertWrong(self, name: str, allowed: str, *values: Any) -> None:
        """Assert that values of a claim are refused, and what is said of them."""
        for value in values:
            self.assertEqual(
                self.refusal(self.token(**{name: value})),
                f"The token's claim {name} is wrong: it must be {allowed}.",
            )

    def withPayload(self, payload: bytes) -> str:
        """Sign whatever bytes."""
        return sealed(payload, self.key)


class ClaimsTests(TokenCase):
    """What comes of a token."""

    def test_least(self) -> None:
        """A token says who this is and until when; more it need not say."""
        token = self.passOf()
        self.assertEqual(token.specialKey, "alice")
        self.assertEqual(token.device, "")
        self.assertEqual(token.grant, Grant(None, False, NOW + 3600 + 5, None))

    def test_all(self) -> None:
        """All that it may say."""
        token = self.passOf(
            device="phone-1",
            rooms={"lobby": "rw", "team.*": "r", "secret": "", "*": "w"},
            direct=True,
            app={"plan": ["a", 1, None]},
            nbf=NOW,
            iat=NOW - 5.5,
            jti="1",
            other=None,
        )
        self.assertEqual(token.device, "phone-1")
        grant = token.grant
        self.assertEqual(
            grant.rooms,
            RoomRights.of({"lobby": "rw", "team.*": "r", "secret": "", "*": "w"}),
        )
        self.assertTrue(grant.mayRead("team.a"))
        self.assertFalse(grant.mayWrite("team.a"))
        self.assertFalse(grant.mayRead("other"))
        self.assertIs(grant.direct, True)
        self.assertEqual(grant.app, {"plan": ["a", 1, None]})

    def test_noRooms(self) -> None:
        """An empty object lets nobody into any room; without it all are open."""
        self.assertFalse(self.passOf(rooms={}).grant.mayRead("*"))
        self.assertTrue(self.passOf().grant.mayWrite("anywhere"))

    def test_app(self) -> None:
        """What is for the application is whatever JSON."""
        values: list[Any] = [None, 0, -1.5, "x", [], {}, [[[{"a": [True]}]]], 2**60]
        for app in values:
            self.assertEqual(self.passOf(app=app).grant.app, app)

    def test_sub(self) -> None:
        """A name that may be a specialKey, and no other."""
        for sub in ("a", "x" * 128, "Zoë ✨", "a:1@b", " ", "\u2028"):
            token = self.passOf(sub=sub)
            self.assertEqual(Context(token.specialKey).specialKey, sub)
        self.assertWrong(
            "sub",
            "a text of 1 to 128 characters, none a control character",
            *("", "x" * 129, "a\nb", "\x7f", "\x85", "\0", None, 1, True, ["a"], {}),
        )

    def test_device(self) -> None:
        """A device has a short name."""
        self.assertEqual(self.passOf(device="a.b_C-9").device, "a.b_C-9")
        self.assertWrong(
            "device",
            "a text of 1 to 64 letters (A-Z, a-z), digits, and . _ -",
            *("", "a b", "a@b", "é", "x" * 65, None, 1, False, []),
        )

    def test_rooms(self) -> None:
        """Rooms are names, or beginnings of names, and rights."""
        self.assertWrong(
            "rooms",
            "an object: by a room's name, or by prefix*, one of r, w, rw, or an empty "
            "text",
            *(None, "lobby", ["lobby"], 1, True, {"lobby": None}, {"lobby": ["r"]}),
            *({"lobby": "wr"}, {"lobby": "R"}, {"a b": "r"}, {"": "r"}, {"**": "r"}),
            *({"a*b": "r"}, {"x" * 65: "r"}, {"lobby": "rw", "é": "r"}),
        )

    def test_direct(self) -> None:
        """Who may write to one person is told by true or false, nothing else."""
        self.assertIs(self.passOf(direct=False).grant.direct, False)
        self.assertWrong("direct", "true or false", None, 1, 0, "true", [], {})

    def test_missing(self) -> None:
        """Without a name or an end a token is no good."""
        for name, allowed in (
            ("sub", "a text of 1 to 128 characters, none a control character"),
            ("exp", SECONDS),
        ):
            said = claims()
            del said[name]
            self.assertEqual(
                self.refusal(mint(self.key, said)),
                f"The token's claim {name} is missing: {allowed}.",
            )

    def test_noObject(self) -> None:
        """What is signed must be a JSON object, in UTF-8."""
        for payload in (
            *(b"", b"null", b"[]", b'"alice"', b"1", b"{", b"{}{}", b"{'a':1}"),
            *(b"\xff", b'{"sub":"\xff"}', b'\xef\xbb\xbf{"sub":"a"}', b"[" * 6000),
            *(b'{"a":' + b"[" * 5900, b'{"a":NaN}', b'{"a":01}', b"{\n"),
            mint(self.key, claims()).encode(),  # a token in a token
            json.dumps(claims()).encode("utf-16"),
        ):
            self.assertEqual(
                self.refusal(self.withPayload(payload)),
                "The token's claims are malformed: they must be a JSON object.",
            )

    def test_surrogates(self) -> None:
        """Half a character is no text."""
        for half in (b"\\ud800", b"\\udc00", b"\\ud800a", b"\\ud800\\u0041"):
            payload = b'{"sub":"%s","exp":%d}' % (half, NOW + 1)
            self.refusal(self.withPayload(payload))
        payload = b'{"sub":"\\ud83d\\ude00","exp":%d}' % (NOW + 1)
        self.assertEqual(
            self.verify(self.withPayload(payload)).specialKey, "\U0001f600"
        )

    def test_hugeApp(self) -> None:
        """What the application is told is bounded: too deep or huge is wrong."""
        for app in (b"9" * 5000, b"1e999", b"-1e999"):
            payload = b'{"sub":"a","exp":%d,"app":%s}' % (NOW + 1, app)
            self.assertIn("claim app is wrong", self.refusal(self.withPayload(payload)))
        payload = b'{"sub":"a","exp":%d,"app":%s}' % (
            NOW + 1,
            b"[" * 2900 + b"]" * 2900,
        )
        self.refusal(self.withPayload(payload))


class TimeTests(TokenCase):
    """When a token counts."""

    def test_expired(self) -> None:
        """It ends when it says, and a leeway later at the latest."""
        token = self.token(exp=NOW)
        for leeway in (0.0, 5.0, 300.0):
            for now, passes in (
                (NOW - 1, True),
                (NOW + leeway - 0.001, True),
                (NOW + leeway, False),
                (NOW + leeway + 1, False),
            ):
                if passes:
                    grant = self.verify(token, now, leeway=leeway).grant
                    self.assertEqual(grant.expires, NOW + leeway)
                else:
                    self.assertEqual(
                        self.refusal(token, now, leeway=leeway),
                        "The token has expired (exp).",
                    )

    def test_leewayByDefault(self) -> None:
        """Five seconds are the default."""
        self.assertEqual(self.verify(self.token(exp=NOW)).grant.expires, NOW + 5)

    def test_notYet(self) -> None:
        """It begins when it says, a leeway earlier at the earliest."""
        token = self.token(nbf=NOW)
        for leeway in (0.0, 5.0):
            self.verify(token, NOW - leeway, leeway=leeway)
            self.assertEqual(
                self.refusal(token, NOW - leeway - 0.001, leeway=leeway),
                "The token is not valid yet (nbf).",
            )

    def test_madeLater(self) -> None:
        """When it was made does not matter, even if that is to come."""
        self.passOf(iat=NOW + 1_000_000)

    def test_fractions(self) -> None:
        """Fractions of a second count."""
        token = self.token(exp=NOW + 0.5)
        self.verify(token, NOW + 0.25, leeway=0)
        self.refusal(token, NOW + 0.75, leeway=0)

    def test_range(self) -> None:
        """Times are numbers from 1970 on, and finite ones."""
        self.assertEqual(self.passOf(exp=2**52).grant.expires, 2**52 + 5)
        for name in ("exp", "nbf", "iat"):
            self.assertWrong(
                name,
                SECONDS,
                *(None, "1900000000", True, [], {}, -1, -0.5, 2**53 + 2, 2**64, 1e300),
            )
            for number in (b"1e999", b"-1e999", b"9" * 400, b"9" * 5000):
                said = json.dumps(claims(**{name: "?"})).encode()
                payload = said.replace(b'"?"', number)
                self.assertEqual(
                    self.refusal(self.withPayload(payload)),
                    f"The token's claim {name} is wrong: it must be {SECONDS}.",
                )
        self.assertEqual(
            self.refusal(self.token(exp=0)), "The token has expired (exp)."
        )


class TermsTests(TokenCase):
    """What a server may demand besides."""

    def test_issuer(self) -> None:
        """A server that names an issuer takes its tokens only."""
        terms: dict[str, Any] = {"issuer": "https://app.example"}
        self.verify(self.token(iss="https://app.example"), **terms)
        for wrong in ("https://app.example/", "", "app"):
            self.assertEqual(
                self.refusal(self.token(iss=wrong), **terms),
                "The token is of another issuer (iss) than this server asks for.",
            )
        self.assertEqual(
            self.refusal(self.token(), **terms),
            "The token's claim iss is missing: a text.",
        )
        for other in (1, None, ["https://app.example"]):
            self.assertEqual(
                self.refusal(self.token(iss=other), **terms),
                "The token's claim iss is wrong: it must be a text.",
            )

    def test_audience(self) -> None:
        """A server that names an audience takes tokens that name it, too."""
        terms: dict[str, Any] = {"audience": "chat"}
        for right in ("chat", ["chat"], ["mail", "chat"]):
            self.verify(self.token(aud=right), **terms)
        for wrong in ("mail", "chatter", "", [], ["mail"], ["c", "h", "a", "t"]):
            self.assertEqual(
                self.refusal(self.token(aud=wrong), **terms),
                "The token is for another audience (aud) than this server.",
            )
        self.assertEqual(
            self.refusal(self.token(), **terms),
            "The token's claim aud is missing: a text, or a list of texts.",
        )
        for other in (1, None, [1], ["chat", None], {"chat": 1}):
            self.assertEqual(
                self.refusal(self.token(aud=other), **terms),
                "The token's claim aud is wrong: it must be a text, or a list of "
                "texts.",
            )

    def test_ignored(self) -> None:
        """A server that names neither does not look at them."""
        self.passOf(iss="x", aud="y")
        self.passOf(iss=1, aud={"a": None})


class KeyTests(TokenCase):
    """Which key, which algorithm, which signature."""

    def several(self) -> TokenVerifier:
        """Make a verifier with a key of each kind, named by its algorithm."""
        keys = TokenKeys(tokenKey(name, kid=name).public for name in ALGORITHMS)
        return TokenVerifier(lambda: keys)

    def refusalOf(self, verifier: TokenVerifier, token: str) -> str:
        """Answer the text that a verifier refuses a token with."""
        refusal = self.assertRaises(Refusal, verifier.verify, token, NOW)
        self.assertRefused(refusal)
        return str(refusal.text)

    def test_named(self) -> None:
        """Of several keys a token names its own."""
        verifier = self.several()
        for name in ALGORITHMS:
            token = mint(tokenKey(name, kid=name), claims(sub=name))
            self.assertEqual(verifier.verify(token, NOW).specialKey, name)

    def test_unnamed(self) -> None:
        """Where there are several, a token that names none is told to."""
        self.assertEqual(
            self.refusalOf(self.several(), self.token()),
            "The token must name its key (kid): there are several here.",
        )

    def test_unknown(self) -> None:
        """A name that is not known is refused, even where there is one key only."""
        token = mint(tokenKey("HS256", kid="new"), claims())
        for verifier in (self.several(), TokenVerifier(self.only("HS256", kid="old"))):
            self.assertEqual(
                self.refusalOf(verifier, token),
                "The token's key (kid) is not known here.",
            )

    def only(self, algorithm: str, **members: Any) -> Callable[[], TokenKeys]:
        """Answer one key alone."""
        keys = TokenKeys([tokenKey(algorithm, **members).public])
        return lambda: keys

    def test_nameIgnored(self) -> None:
        """A single key that has no name takes tokens of any name."""
        token = mint(tokenKey("HS256", kid="new"), claims())
        self.assertEqual(self.verify(token).specialKey, "alice")

    def test_nameOptional(self) -> None:
        """A single key takes tokens that name none."""
        verifier = TokenVerifier(self.only("HS256", kid="one"))
        self.assertEqual(verifier.verify(self.token(), NOW).specialKey, "alice")

    def test_rotation(self) -> None:
        """The keys are asked for anew with each token."""
        current = [TokenKeys([tokenKey("HS256", kid="one")])]
        verifier = TokenVerifier(lambda: current[0])
        token = mint(tokenKey("HS256", kid="two"), claims())
        self.refusalOf(verifier, token)
        current[0] = TokenKeys([tokenKey("HS256", kid="two")])
        verifier.verify(token, NOW)

    def test_otherAlgorithms(self) -> None:
        """A token of another algorithm than its key's is refused."""
        for ours in ALGORITHMS:
            verifier = TokenVerifier(self.only(ours))
            for theirs in ALGORITHMS:
                token = mint(tokenKey(theirs), claims())
                if theirs == ours:
                    verifier.verify(token, NOW)
                else:
                    self.assertEqual(
                        self.refusalOf(verifier, token),
                        "The token's algorithm is not accepted here: its key has "
                        "another.",
                    )

    def test_none(self) -> None:
        """A token that is not signed is refused, however it writes that."""
        payload = encoded(json.dumps(claims()).encode())
        for ours in ALGORITHMS:
            verifier = TokenVerifier(self.only(ours))
            for none in ("none", "None", "NONE", "nOnE", ""):
                header = encoded(json.dumps({"alg": none, "typ": "JWT"}).encode())
                for signature in ("", "AAAA"):
                    self.assertIn(
                        "algorithm is not accepted",
                        self.refusalOf(verifier, f"{header}.{payload}.{signature}"),
                    )

    def test_publicKeyAsSecret(self) -> None:
        """Who takes the public key for an HMAC secret gets nowhere."""
        for ours in ("RS256", "ES256", "EdDSA"):
            pem = publicPem(privateKey(ours))
            header = encoded(b'{"alg":"HS256"}')
            signing = f"{header}.{encoded(json.dumps(claims()).encode())}"
            signature = hmac.digest(pem, signing.encode(), hashlib.sha256)
            self.assertIn(
                "algorithm is not accepted",
                self.refusalOf(
                    TokenVerifier(self.only(ours)), f"{signing}.{encoded(signature)}"
                ),
            )

    def test_otherKey(self) -> None:
        """A signature of another key is wrong; what it encrypted stays closed."""
        other = keyOfJwk({"kty": "oct", "k": encoded(b"x" * 32)}, "k")
        self.assertEqual(
            self.refusal(mint(other, claims())),
            "The token has a wrong signature: its key is another one, or it was "
            "changed.",
        )
        self.key = tokenKey("dir")
        other = keyOfJwk({"kty": "oct", "alg": "dir", "k": encoded(b"x" * 32)}, "k")
        self.assertEqual(
            self.refusal(mint(other, claims())),
            "The token cannot be decrypted: its key is another one, or it was changed.",
        )

    def test_signatureFirst(self) -> None:
        """Of a token that is not ours nothing is said but that."""
        other = keyOfJwk({"kty": "oct", "k": encoded(b"x" * 32)}, "k")
        for said in (claims(exp=0), claims(sub=1), {}):
            self.assertIn("wrong signature", self.refusal(mint(other, said)))

    def test_encrypted(self) -> None:
        """An encrypted token of another maker is accepted, in one form only."""
        self.key = tokenKey("dir")
        secret, payload = privateKey("dir"), json.dumps(claims()).encode()
        right = {"alg": "dir", "enc": "A256GCM", "typ": "JWT", "kid": "any"}
        self.assertEqual(
            self.verify(encrypted(payload, right, secret)).specialKey, "alice"
        )
        for wrong, text in (
            ({"enc": "A128GCM"}, "algorithm is not accepted"),
            ({"enc": "A256CBC-HS512"}, "algorithm is not accepted"),
            ({"alg": "A256KW"}, "algorithm is not accepted"),
            ({"alg": "none"}, "algorithm is not accepted"),
            ({"zip": "DEF"}, "malformed"),
            ({"crit": ["zip"]}, "malformed"),
        ):
            token = encrypted(payload, {**right, **wrong}, secret)
            self.assertIn(text, self.refusal(token))

    def test_encryptedByJose(self) -> None:
        """One that jose 6 for Node has made is accepted."""
        self.key = tokenKey("dir")
        token = (
            "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..NOFSJvdvJN2Jc1Pl.MwM2hhkftFdLCIEY"
            "gL8TEhNQ8buVWw5y1q1NvXAv5CSceyyoTRW2gImSLzOFA0jVhmwZjG3lcQ.37gp-TVk-CIXwZPN"
            "vgFZrg"
        )
        taken = self.verify(token)
        self.assertEqual(taken.specialKey, "alice")
        self.assertEqual(taken.grant.rooms, RoomRights.of({"lobby": "rw"}))

    def test_malformed(self) -> None:
        """What is no token at all is told what one is."""
        good = self.token()
        for token in (
            *("", "x", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "....", good + "."),
            *(f" {good}", f"{good}\n", f"{good}=", f"Bearer {good}", "é.é.é", "\ud800"),
            *(good.replace(".", "%2E"), json.dumps({"payload": "", "signatures": []})),
        ):
            self.assertEqual(
                self.refusal(token),
                "The token is malformed: it must be a compact JWS or JWE.",
            )

    def test_length(self) -> None:
        """A token has a limit, which is not that of the URL."""
        payload = json.dumps(claims(x="")).encode()
        short = self.withPayload(payload)
        room = (MAX_TOKEN - len(short)) * 3 // 4
        fits = self.withPayload(json.dumps(claims(x="x" * (room - 2))).encode())
        self.assertLessEqual(MAX_TOKEN - 4, len(fits))
        self.verify(fits)
        long = self.withPayload(json.dumps(claims(x="x" * (room + 8))).encode())
        wanted = "The token is too long: it may have 8192 characters."
        self.assertEqual(self.refusal(long), wanted)
        self.assertEqual(self.refusal("x" * 10_000_000), wanted)


class HostileTests(TokenCase):
    """Whatever comes, a token passes or gets a 401 that says nothing of it."""

    @PROPERTY
    @given(st.text())
    @example("eyJhbGciOiJIUzI1NiJ9.e30.")
    def test_anything(self, text: str) -> None:
        """Any text."""
        self.refusal(text)

    @PROPERTY
    @given(JSON)
    def test_anyClaims(self, said: Any) -> None:
        """Any JSON, rightly signed."""
        self.refusal(self.withPayload(json.dumps(said).encode()))

    @PROPERTY
    @given(st.binary())
    def test_anyPayload(self, payload: bytes) -> None:
        """Any bytes, rightly signed."""
        self.refusal(self.withPayload(payload))

    @PROPERTY
    @given(
        st.dictionaries(
            st.sampled_from(
                ["sub", "exp", "nbf", "iat", "iss", "aud", "device", "rooms", "direct"]
            ),
            JSON,
        )
    )
    def test_anyValues(self, more: dict[str, Any]) -> None:
        """Any values of our claims, rightly signed."""
        token = self.withPayload(json.dumps(claims(**more)).encode())
        try:
            taken = self.verify(token, issuer=more.get("iss") or None)
        except Refusal as refusal:
            self.assertRefused(refusal)
        else:
            Context(taken.specialKey, device=taken.device, grant=taken.grant)

    def test_textsAreFixed(self) -> None:
        """No refusal holds a word of the token."""
        word = "correcthorsebatterystaple"
        hostile: tuple[dict[str, Any], ...] = (
            *({name: [word]} for name in ("sub", "exp", "nbf", "iat", "rooms")),
            *({"sub": f"{word}\n"}, {"device": f"{word}!"}, {"rooms": {word: word}}),
            *({"rooms": {f"{word}!": "r"}}, {"direct": word}),
            {"iss": word, "aud": word},
        )
        for more in hostile:
            text = self.refusal(
                mint(self.key, claims(**more)), issuer="x", audience="y"
            )
            self.assertNotIn(word, text)


class OtherImplementationTests(TokenCase):
    """PyJWT reads what we make, and we read what PyJWT makes."""

    def signing(self, algorithm: str) -> Any:
        """Answer the private key as PyJWT wants it."""
        key = privateKey(algorithm)
        return key if isinstance(key, bytes) else privatePem(key)

    def checking(self, algorithm: str) -> Any:
        """Answer the public key as PyJWT wants it."""
        key = privateKey(algorithm)
        return key if isinstance(key, bytes) else publicPem(key)

    def test_theirs(self) -> None:
        """Tokens of PyJWT are accepted."""
        said = claims(rooms={"lobby": "rw"}, device="phone", iat=int(NOW))
        for algorithm in SIGNING:
            self.key = tokenKey(algorithm, kid="one")
            for headers in (None, {"kid": "one"}):
                token = jwt.encode(said, self.signing(algorithm), algorithm, headers)
                taken = self.verify(token)
                self.assertEqual((taken.specialKey, taken.device), ("alice", "phone"))

    def test_theirsFromAJwk(self) -> None:
        """So are those that it signs with a JWK."""
        for algorithm in SIGNING:
            self.key = tokenKey(algorithm)
            jwk = jwt.PyJWK.from_dict(privateJwk(algorithm), algorithm)
            token = jwt.encode(claims(), jwk, algorithm)
            self.assertEqual(self.verify(token).specialKey, "alice")

    def test_ours(self) -> None:
        """PyJWT accepts ours, and reads the same claims and the kid."""
        said = claims(exp=4_000_000_000, rooms={"lobby": "rw"}, app=["é", 1.5])
        for algorithm in SIGNING:
            token = mint(tokenKey(algorithm, kid="one"), said)
            read = jwt.decode(token, self.checking(algorithm), [algorithm])
            self.assertEqual(read, said)
            self.assertEqual(
                jwt.get_unverified_header(token),
                {"alg": algorithm, "typ": "JWT", "kid": "one"},
            )

    def test_theirOthers(self) -> None:
        """What else it can sign with the same keys is refused."""
        for algorithm, other in (
            ("RS256", "RS384"),
            ("RS256", "RS512"),
            ("RS256", "PS256"),
        ):
            self.key = tokenKey(algorithm)
            token = jwt.encode(claims(), self.signing(algorithm), other)
            self.assertIn("algorithm is not accepted", self.refusal(token))
