"""Tokens (JWT, RFC 7519): who their bearer is, what it may do, and until when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple, NoReturn

import msgspec
from msgspec import Meta, Raw

from gows.access.jose import MAX_TOKEN, Malformed, readHeader, sealed, unsealed
from gows.access.keys import TokenKey, TokenKeys
from gows.chat.audience import NAME_RULE, isName
from gows.chat.context import MAX_SPECIAL_KEY, faultOfSpecialKey
from gows.chat.grant import Grant, Pass, RoomRights
from gows.errors import Refusal

_REALM: Final = 'Bearer realm="gows"'

Time = Annotated[float, Meta(ge=0, le=2**53)]
"""Seconds since 1970."""


class Claim(NamedTuple):
    """
    One claim of a token.

    @ivar type: what it may be
    @ivar allowed: the same, and what the type does not say, for people
    """

    type: Any
    allowed: str


_TIME: Final = Claim(Time, "a number: seconds since 1970")
CLAIMS: Final = {
    "sub": Claim(
        str, f"a text of 1 to {MAX_SPECIAL_KEY} characters, none a control character"
    ),
    "device": Claim(str, f"a text of {NAME_RULE}"),
    "exp": _TIME,
    "nbf": _TIME,
    "iat": _TIME,
    "iss": Claim(str, "a text"),
    "aud": Claim(str | list[str], "a text, or a list of texts"),
    "rooms": Claim(
        dict[str, str],
        "an object: by a room's name, or by prefix*, one of r, w, rw, or an empty text",
    ),
    "direct": Claim(bool, "true or false"),
    "app": Claim(Any, "JSON, not too deep, without huge numbers"),
}
"""Every claim that is looked at."""


def _refuse(text: str) -> NoReturn:
    raise Refusal(401, text, WWW_Authenticate=f'{_REALM}, error="invalid_token"')


class TokenVerifier:
    """Checks tokens, for the keys of the moment."""

    def __init__(
        self,
        keys: Callable[[], TokenKeys],
        issuer: str | None = None,
        audience: str | None = None,
        leeway: float = 5.0,
    ) -> None:
        """
        Demand this of tokens.

        @param keys: answers the keys that count now
        @param issuer: what C{iss} must be; L{None}: anything
        @param audience: what C{aud} must be, or hold; L{None}: anything
        @param leeway: seconds that clocks may differ by
        """
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway

    def verify(self, token: str, now: float) -> Pass:
        """
        Check a token, and read it.

        @param token: what its bearer sent
        @param now: in seconds since 1970
        @raise Refusal: 401, saying what is wrong with it, but nothing of what it says
        """
        return self.passOf(self.payloadOf(token), now)

    def payloadOf(self, token: str) -> bytes:
        """
        Check a token's key and signature only, or decrypt it.

        @raise Refusal: 401
        """
        if len(token) > MAX_TOKEN:
            _refuse(f"The token is too long: it may have {MAX_TOKEN} characters.")
        try:
            header = readHeader(token)
        except Malformed:
            _refuse("The token is malformed: it must be a compact JWS or JWE.")
        key = self._keys().find(header.kid)
        if key is None:
            if header.kid is None:
                _refuse("The token must name its key (kid): there are several here.")
            _refuse("The token's key (kid) is not known here.")
        if not header.fits(key):
            _refuse("The token's algorithm is not accepted here: its key has another.")
        payload = unsealed(token, key)
        if payload is not None:
            return payload
        fault = "cannot be decrypted" if key.encrypts else "has a wrong signature"
        _refuse(f"The token {fault}: its key is another one, or it was changed.")

    def passOf(self, payload: bytes, now: float) -> Pass:
        """
        Check the claims of a token whose signature is right, and read them.

        @param payload: JSON
        @param now: in seconds since 1970
        @raise Refusal: 401
        """
        claims = _Claims(payload)
        expires = claims.needed("exp") + self._leeway
        if now >= expires:
            _refuse("The token has expired (exp).")
        if claims.optional("nbf", 0) > now + self._leeway:
            _refuse("The token is not valid yet (nbf).")
        claims.optional("iat", 0)
        if self._issuer is not None and claims.needed("iss") != self._issuer:
            _refuse("The token is of another issuer (iss) than this server asks for.")
        if self._audience is not None:
            audience = claims.needed("aud")
            named = [audience] if isinstance(audience, str) else audience
            if self._audience not in named:
                _refuse("The token is for another audience (aud) than this server.")
        return claims.asPass(expires)


class _Claims:
    """The claims of a token, each decoded when it is needed."""

    def __init__(self, payload: bytes) -> None:
        try:
            text = payload.decode("utf-8")  # msgspec looks at what it decodes only
            self._raw = msgspec.json.decode(text, type=dict[str, Raw])
        except (ValueError, RecursionError):
            _refuse("The token's claims are malformed: they must be a JSON object.")

    def needed(self, name: str) -> Any:
        if name not in self._raw:
            _refuse(f"The token's claim {name} is missing: {CLAIMS[name].allowed}.")
        return self.optional(name, None)

    def optional(self, name: str, default: Any) -> Any:
        raw = self._raw.get(name)
        if raw is None:
            return default
        try:
            return msgspec.json.decode(raw, type=CLAIMS[name].type)
        except (ValueError, RecursionError):
            _wrong(name)

    def asPass(self, expires: float) -> Pass:
        specialKey, device = self.needed("sub"), self.optional("device", None)
        if faultOfSpecialKey(specialKey):
            _wrong("sub")
        if device is not None and not isName(device):
            _wrong("device")
        return Pass(
            specialKey,
            Grant(
                self._rooms(),
                self.optional("direct", False),
                expires,
                self.optional("app", None),
            ),
            device or "",
        )

    def _rooms(self) -> RoomRights | None:
        rooms = self.optional("rooms", None)
        try:
            return None if rooms is None else RoomRights.of(rooms)
        except ValueError:
            _wrong("rooms")


def _wrong(name: str) -> NoReturn:
    _refuse(f"The token's claim {name} is wrong: it must be {CLAIMS[name].allowed}.")


def mint(key: TokenKey, claims: Mapping[str, Any]) -> str:
    """
    Make a token.

    @param key: one that L{may mint<TokenKey.mayMint>}
    @param claims: JSON; they are not checked
    """
    return sealed(msgspec.json.encode(claims), key)
