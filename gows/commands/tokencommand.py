"""``gows token``: makes tokens, and checks them."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from typing import Any, ClassVar, Final

import msgspec
from twisted.python import usage

from gows.access.keyfile import checkingKeys, loadKeys
from gows.access.keys import TokenKey, TokenKeys
from gows.access.tokens import TokenVerifier, mint
from gows.commands.command import Command, fileOf
from gows.errors import CannotStart
from gows.settings import Settings
from gows.sources import readSettings

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TTL = re.compile(r"([1-9][0-9]{0,8})([smhd])")

_FOR_MINTING: Final = ("sub", "device", "direct", "app", "ttl", "kid")


class TokenCommand(Command):
    """Makes a token, or checks one."""

    synopsis = "--key FILE --sub NAME [options] | --key FILE --check TOKEN"
    longdesc = (
        "Makes a token and writes it to standard output, or checks one and writes "
        "what it says. The settings token-key, token-issuer and token-audience, from "
        "the environment (GOWS_TOKEN_KEY) or a file, stand in for --key, --iss and "
        "--aud."
    )
    optParameters: ClassVar = [
        ["key", None, None, "File with the key: a JWK, a JWKS, or PEM"],
        ["config", None, None, "TOML file with settings"],
        ["sub", None, None, "Who its bearer is: the specialKey"],
        ["device", None, None, "Which of the bearer's devices this is"],
        ["app", None, None, "What the application is told, as JSON"],
        ["iss", None, None, "Who makes it; with --check: who must have"],
        ["aud", None, None, "Whom it is for; with --check: whom it must be for"],
        ["ttl", None, None, "How long it counts: 90s, 30m, 8h, 7d [1h]"],
        ["kid", None, None, "Which of several keys makes it"],
        ["check", None, None, "A token to check; - reads it from standard input"],
    ]
    optFlags: ClassVar = [["direct", None, "It may send to one person"]]

    def __init__(self) -> None:
        """Begin without rooms."""
        super().__init__()
        self._rooms: dict[str, str] | None = None

    def opt_rooms(self, value: str) -> None:
        """The only rooms it opens, and how: lobby:rw,news:r,team.*:r (repeatable)."""
        self._rooms = self._rooms or {}
        for item in filter(None, map(str.strip, value.split(","))):
            name, colon, rights = item.rpartition(":")
            if not colon:
                raise usage.UsageError(
                    "--rooms must be rooms with rights, such as lobby:rw,news:r"
                )
            self._rooms[name] = rights

    def postOptions(self) -> None:
        """Check what goes together."""
        if self["check"] is None:
            if self["sub"] is None:
                raise usage.UsageError(
                    "--sub is missing: who the bearer is (or --check, to check one)"
                )
        elif self._rooms is not None or any(
            self[name] not in (None, 0) for name in _FOR_MINTING
        ):
            raise usage.UsageError(
                "--check goes with --key, --config, --iss and --aud only"
            )

    def run(self) -> None:
        """
        Make a token, or check one.

        @raise CannotStart: if there is no key for it
        @raise Refusal: if the token is not right
        """
        config = self["config"]
        if config is not None:
            config = fileOf(config, "--config")
        settings = readSettings({}, os.environ, config)
        if self["key"] is not None:
            path = fileOf(self["key"], "--key")
        elif settings.tokenKey is not None:
            path = settings.tokenKey
        else:
            raise usage.UsageError(
                "there is no key: name its file with --key, in GOWS_TOKEN_KEY, or as "
                "token-key in the file of --config"
            )
        terms = {
            "iss": settings.tokenIssuer if self["iss"] is None else self["iss"],
            "aud": settings.tokenAudience if self["aud"] is None else self["aud"],
        }
        if self["check"] is None:
            self._mint(path, terms)
        else:
            self._check(path, terms, settings)

    def _mint(self, path: str, terms: dict[str, str | None]) -> None:
        key = self._mintingKey(path)
        now = int(time.time())
        claims = self._claims() | {k: v for k, v in terms.items() if v is not None}
        claims |= {"iat": now, "exp": now + self._seconds()}
        try:
            token = mint(key, claims)
        except UnicodeEncodeError:
            raise usage.UsageError("what a token says must be UTF-8") from None
        TokenVerifier(lambda: TokenKeys([key])).verify(token, now)
        print(token)

    def _mintingKey(self, path: str) -> TokenKey:
        kid = self["kid"]
        keys = [
            key
            for key in loadKeys(path)
            if key.mayMint and (kid is None or key.kid == kid)
        ]
        if not keys:
            named = "" if kid is None else " with this kid"
            raise CannotStart(
                f"{path} holds no key{named} that makes tokens: that takes a private "
                "key, or a secret"
            )
        if len(keys) > 1:
            raise CannotStart(f"{path} holds several keys: say which one with --kid")
        return keys[0]

    def _claims(self) -> dict[str, Any]:
        claims: dict[str, Any] = {"sub": self["sub"]}
        if self["device"] is not None:
            claims["device"] = self["device"]
        if self._rooms is not None:
            claims["rooms"] = self._rooms
        if self["direct"]:
            claims["direct"] = True
        if self["app"] is not None:
            try:
                claims["app"] = msgspec.json.decode(self["app"])
            except (ValueError, RecursionError):
                raise usage.UsageError("--app must be JSON") from None
        return claims

    def _seconds(self) -> int:
        found = _TTL.fullmatch(self["ttl"] or "1h")
        if found is None:
            raise usage.UsageError("--ttl must be such as 90s, 30m, 8h, or 7d")
        return int(found[1]) * _SECONDS[found[2]]

    def _check(
        self, path: str, terms: dict[str, str | None], settings: Settings
    ) -> None:
        keys = checkingKeys(loadKeys(path), path)
        verifier = TokenVerifier(
            lambda: keys, terms["iss"], terms["aud"], settings.tokenLeeway
        )
        token = sys.stdin.read() if self["check"] == "-" else self["check"]
        payload = verifier.payloadOf(token.strip())
        verifier.passOf(payload, time.time())
        try:
            print(json.dumps(json.loads(payload), indent=2))
        except (ValueError, RecursionError):  # in what nobody looks at
            raise usage.UsageError("the token is right, but cannot be shown") from None
