"""Tests for L{gows.commands.tokencommand}: tokens are made, and checked."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt

from gows.access.jose import sealed
from gows.access.keyfile import readTokenKeys
from gows.access.keys import ALGORITHMS
from gows.access.tokens import TokenVerifier, mint
from gows.chat.grant import Pass, RoomRights
from tests.commands import CommandCase
from tests.tokens import (
    privateJwk,
    privateKey,
    privatePem,
    publicJwk,
    publicPem,
    tokenKey,
)


class TokenCase(CommandCase):
    """
    Makes and checks tokens with one key.

    @ivar key: the path of its file
    """

    def setUp(self) -> None:
        """Write the key."""
        super().setUp()
        self.key = self.file("key.json", privateJwk("HS256"))

    def token(self, *arguments: str) -> str:
        """Make a token of alice's."""
        made = self.output("token", "--key", self.key, "--sub", "alice", *arguments)
        self.assertTrue(made.endswith("\n"))
        return made[:-1]

    def claims(self, *arguments: str) -> dict[str, Any]:
        """Make a token of alice's, and answer what it says."""
        claims: dict[str, Any] = jwt.decode(
            self.token(*arguments),
            privateKey("HS256"),
            ["HS256"],
            {"verify_aud": False},
        )
        return claims

    def check(self, token: str, *arguments: str) -> dict[str, Any]:
        """Check a token, and answer what it says."""
        shown = self.output("token", "--key", self.key, "--check", token, *arguments)
        claims: dict[str, Any] = json.loads(shown)
        return claims

    def refused(self, *arguments: str) -> str:
        """Fail to make a token of alice's."""
        return self.fault("token", "--key", self.key, "--sub", "alice", *arguments)

    def made(self, **more: Any) -> str:
        """Make a token without the command."""
        claims = {"sub": "alice", "exp": time.time() + 60, **more}
        return mint(tokenKey("HS256"), claims)


class MakeTests(TokenCase):
    """gows token --sub"""

    def test_least(self) -> None:
        """A token says who, when it was made, and that it ends in an hour."""
        before = int(time.time())
        claims = self.claims()
        self.assertEqual(set(claims), {"sub", "iat", "exp"})
        self.assertEqual(claims["sub"], "alice")
        self.assertIn(claims["iat"] - before, range(30))
        self.assertEqual(claims["exp"] - claims["iat"], 3600)

    def test_all(self) -> None:
        """All that can be said."""
        claims = self.claims(
            *("--device", "phone", "--direct", "--app", '{"plan": ["é", 1.5, null]}'),
            *("--rooms", "lobby:rw, news:r", "--rooms", "team.*:r,secret:"),
            *("--iss", "app", "--aud", "chat", "--ttl", "90s"),
        )
        self.assertEqual(claims.pop("exp") - claims.pop("iat"), 90)
        self.assertEqual(
            claims,
            {
                "sub": "alice",
                "device": "phone",
                "direct": True,
                "app": {"plan": ["é", 1.5, None]},
                "rooms": {"lobby": "rw", "news": "r", "team.*": "r", "secret": ""},
                "iss": "app",
                "aud": "chat",
            },
        )

    def test_noRooms(self) -> None:
        """To name no room is to open none."""
        self.assertEqual(self.claims("--rooms", "")["rooms"], {})

    def test_ttl(self) -> None:
        """It counts for seconds, minutes, hours or days."""
        for text, seconds in (
            ("1s", 1),
            ("30m", 1800),
            ("8h", 28800),
            ("7d", 604800),
            ("3650d", 315360000),
        ):
            claims = self.claims("--ttl", text)
            self.assertEqual(claims["exp"] - claims["iat"], seconds)
        for wrong in ("1", "h", "0s", "-1h", "1.5h", "1w", "1h30m", " 1h", "9" * 12):
            self.assertEqual(
                self.refused("--ttl", wrong),
                "--ttl must be such as 90s, 30m, 8h, or 7d",
            )

    def test_keys(self) -> None:
        """Every kind of key makes tokens that the server takes."""
        for algorithm in ALGORITHMS:
            self.key = self.file("key.json", privateJwk(algorithm, kid="one"))
            public = self.file("public.json", publicJwk(algorithm, kid="one"))
            self.assertEqual(self.taken(self.token(), public).specialKey, "alice")
        for algorithm in ("RS256", "ES256", "EdDSA"):
            self.key = self.file("key.pem", privatePem(privateKey(algorithm)))
            public = self.file("public.pem", publicPem(privateKey(algorithm)))
            self.assertEqual(self.taken(self.token(), public).specialKey, "alice")

    def taken(self, token: str, path: str) -> Pass:
        """Check a token as a server does."""
        keys = readTokenKeys(path)
        return TokenVerifier(lambda: keys).verify(token, time.time())

    def test_taken(self) -> None:
        """What the server makes of it is what was asked for."""
        token = self.token("--rooms", "lobby:rw,team.*:r", "--device", "phone")
        taken = self.taken(token, self.key)
        self.assertEqual(taken.device, "phone")
        self.assertEqual(
            taken.grant.rooms, RoomRights.of({"lobby": "rw", "team.*": "r"})
        )
        self.assertFalse(taken.grant.direct)
        self.assertTrue(self.taken(self.token("--direct"), self.key).grant.direct)

    def test_name(self) -> None:
        """The key's name is in the token; of several keys one is named."""
        keys = [privateJwk("HS256", kid="one"), privateJwk("EdDSA", kid="two")]
        self.key = self.file("keys.json", {"keys": keys})
        header = jwt.get_unverified_header(self.token("--kid", "two"))
        self.assertEqual((header["kid"], header["alg"]), ("two", "EdDSA"))
        self.assertEqual(
            self.refused(), f"{self.key} holds several keys: say which one with --kid"
        )
        self.assertEqual(
            self.refused("--kid", "three"),
            f"{self.key} holds no key with this kid that makes tokens: that takes a "
            "private key, or a secret",
        )

    def test_onePrivate(self) -> None:
        """Where one key is private and the others are not, that one is taken."""
        keys = [publicJwk("ES256", kid="one"), privateJwk("EdDSA", kid="two")]
        self.key = self.file("keys.json", {"keys": keys})
        self.assertEqual(jwt.get_unverified_header(self.token())["kid"], "two")

    def test_publicKey(self) -> None:
        """A public key makes no tokens; nor does one that must not."""
        for content in (
            publicJwk("EdDSA"),
            publicPem(privateKey("ES256")),
            privateJwk("HS256", key_ops=["verify"]),
        ):
            self.key = self.file("key", content)
            self.assertEqual(
                self.refused(),
                f"{self.key} holds no key that makes tokens: that takes a private "
                "key, or a secret",
            )

    def test_wrong(self) -> None:
        """What the server would not take is not made."""
        for arguments, text in (
            (("--device", "my phone"), "claim device is wrong"),
            (("--rooms", "lobby:wr"), "claim rooms is wrong"),
            (("--rooms", "my lobby:r"), "claim rooms is wrong"),
            (("--rooms", "lobby"), "--rooms must be rooms with rights, such as"),
            (("--app", "{"), "--app must be JSON"),
            (("--app", "[" * 5000), "--app must be JSON"),
            (("--app", "\udcff"), "--app must be JSON"),
            (("--app", json.dumps("x" * 9000)), "token is too long"),
            (("--iss", "\udcff"), "what a token says must be UTF-8"),
            (("--sub", "\udcff"), "what a token says must be UTF-8"),
            (("--sub", ""), "claim sub is wrong"),
            (("--sub", "a\nb"), "claim sub is wrong"),
        ):
            self.assertIn(text, self.refused(*arguments))

    def test_noSub(self) -> None:
        """A token is somebody's."""
        self.assertEqual(
            self.fault("token", "--key", self.key),
            "--sub is missing: who the bearer is (or --check, to check one)",
        )


class SettingsTests(TokenCase):
    """Settings of the server stand in for options."""

    def test_noKey(self) -> None:
        """Without a key it is said how to name one."""
        wanted = (
            "there is no key: name its file with --key, in GOWS_TOKEN_KEY, or as "
            "token-key in the file of --config"
        )
        self.assertEqual(self.fault("token", "--sub", "alice"), wanted)
        self.assertEqual(self.fault("token", "--check", "x"), wanted)

    def test_sources(self) -> None:
        """A key is named by an option, else the environment, else a file."""
        other = self.file("other.json", privateJwk("ES256"))
        config = self.file("gows.toml", f"token-key = '{other}'\n".encode())
        command = ("token", "--sub", "alice")
        for arguments, variables, algorithm in (
            (("--config", config), {}, "ES256"),
            ((), {"GOWS_CONFIG": config}, "ES256"),
            ((), {"GOWS_TOKEN_KEY": self.key}, "HS256"),
            (("--config", config), {"GOWS_TOKEN_KEY": self.key}, "HS256"),
            (("--key", other), {"GOWS_TOKEN_KEY": self.key}, "ES256"),
        ):
            self.variables.clear()
            self.variables.update(variables)
            token = self.output(*command, *arguments).strip()
            self.assertEqual(jwt.get_unverified_header(token)["alg"], algorithm)

    def test_issuerAndAudience(self) -> None:
        """What the server asks of tokens is said in them, and asked of them."""
        self.variables.update(GOWS_TOKEN_ISSUER="app", GOWS_TOKEN_AUDIENCE="chat")
        claims = self.claims()
        self.assertEqual((claims["iss"], claims["aud"]), ("app", "chat"))
        claims = self.claims("--iss", "other", "--aud", "mail")
        self.assertEqual((claims["iss"], claims["aud"]), ("other", "mail"))

        self.check(self.token())
        other = self.token("--iss", "other")
        self.assertIn(
            "issuer", self.fault("token", "--key", self.key, "--check", other)
        )
        self.check(other, "--iss", "other")

    def test_leeway(self) -> None:
        """The leeway is the server's, too."""
        token = self.made(exp=time.time() - 60)
        self.assertIn(
            "expired", self.fault("token", "--key", self.key, "--check", token)
        )
        self.variables["GOWS_TOKEN_LEEWAY"] = "300"
        self.check(token)

    def test_wrongSettings(self) -> None:
        """A wrong setting is refused as the server would."""
        self.variables["GOWS_TOKEN_LEEWAY"] = "x"
        self.assertIn("GOWS_TOKEN_LEEWAY (environment) must be", self.refused())

    def test_keyInsteadOfItsFile(self) -> None:
        """Who gives the key where its file belongs is told so, not shown it."""
        for flag in ("--key", "--config"):
            self.assertEqual(
                self.fault(
                    "token", "--sub", "a", flag, json.dumps(privateJwk("HS256"))
                ),
                f"{flag} is the path of a file, not what is in it",
            )


class CheckTests(TokenCase):
    """gows token --check"""

    def test_right(self) -> None:
        """Of a right token all claims are shown."""
        token = self.made(other=[1, {"a": "é\x1b"}], rooms={"lobby": "r"})
        claims = self.check(token)
        self.assertEqual(claims["other"], [1, {"a": "é\x1b"}])
        self.assertEqual(claims["rooms"], {"lobby": "r"})
        shown = self.output("token", "--key", self.key, "--check", token)
        self.assertTrue(shown.isascii())
        self.assertNotIn("\x1b", shown)

    def test_input(self) -> None:
        """A token can come from standard input, which others do not see."""
        self.type(f"  {self.made()}\n")
        self.assertEqual(self.check("-")["sub"], "alice")
        self.type("")
        self.assertIn(
            "malformed", self.fault("token", "--key", self.key, "--check", "-")
        )

    def test_publicKey(self) -> None:
        """The public key is enough, and the private one will do, in any form."""
        for algorithm in ("RS256", "ES256", "EdDSA"):
            token = mint(tokenKey(algorithm), {"sub": "a", "exp": time.time() + 60})
            key = privateKey(algorithm)
            for content in (
                *(privatePem(key), publicPem(key)),
                *(privateJwk(algorithm), publicJwk(algorithm)),
            ):
                self.key = self.file("key", content)
                self.assertEqual(self.check(token)["sub"], "a")

    def test_encrypted(self) -> None:
        """What is encrypted is shown to who has the secret."""
        self.key = self.file("key.json", privateJwk("dir"))
        token = self.token("--rooms", "lobby:rw")
        self.assertEqual(token.count("."), 4)
        self.assertEqual(self.check(token)["rooms"], {"lobby": "rw"})

    def test_wrong(self) -> None:
        """Of a wrong token nothing is shown but what is wrong."""
        right = self.made()
        for token, text in (
            ("", "The token is malformed: it must be a compact JWS or JWE."),
            (right[:-1], "The token has a wrong signature: "),
            (self.made(exp=1), "The token has expired (exp)."),
            (self.made(nbf=time.time() + 60), "The token is not valid yet (nbf)."),
            (self.made(device=1), "The token's claim device is wrong: "),
        ):
            line = self.fault("token", "--key", self.key, "--check", token)
            self.assertTrue(line.startswith(text), line)
            self.assertNotIn("eyJ", line)

    def test_hugeNumber(self) -> None:
        """What Python does not want to read is not shown."""
        payload = b'{"sub":"a","exp":%d,"x":%s}' % (time.time() + 60, b"9" * 5000)
        token = sealed(payload, tokenKey("HS256"))
        self.assertEqual(
            self.fault("token", "--key", self.key, "--check", token),
            "the token is right, but cannot be shown",
        )

    def test_alone(self) -> None:
        """What is for making tokens does not go with checking them."""
        for arguments in (
            *(("--sub", "a"), ("--device", "a"), ("--direct",), ("--app", "1")),
            *(("--ttl", "1h"), ("--kid", "a"), ("--rooms", "a:r"), ("--rooms", "")),
        ):
            self.assertEqual(
                self.fault("token", "--key", self.key, "--check", "x", *arguments),
                "--check goes with --key, --config, --iss and --aud only",
            )
