"""JSON Web Keys (RFC 7517), as far as tokens are signed and encrypted with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import Key, OctKey, generate_key, import_key
from joserfc.util import urlsafe_b64decode

from gows.access.keys import TokenKey
from gows.errors import CannotStart

MIN_SECRET: Final = 32
"""The shortest secret of HS256, in bytes (RFC 7518, 3.2)."""

SECRET_OF_GCM: Final = 32
"""The secret of A256GCM, in bytes."""

MIN_MODULUS: Final = 2048
"""The shortest RSA key, in bits (RFC 7518, 3.3)."""

_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "oct": {"HS256": "HS256", "dir": "dir", "A256GCM": "dir"},
    "RSA": {"RS256": "RS256"},
    "EC": {"ES256": "ES256"},
    "OKP": {"EdDSA": "EdDSA", "Ed25519": "EdDSA"},
}
"""Algorithms, by C{kty} and C{alg}; the first is that of a JWK without C{alg}."""

_CURVES: Final = {"EC": "P-256", "OKP": "Ed25519"}

_MATERIAL: Final = frozenset(
    {"kty", "crv", "x", "y", "n", "e", "d", "p", "q", "dp", "dq", "qi", "oth", "k"}
)
"""The key itself. What it is for is checked here, not by joserfc."""


class _Said(msgspec.Struct):
    """What a JWK says of itself, as far as it is checked here."""

    kty: str
    kid: str | None = None
    alg: str | None = None
    use: str | None = None
    operations: list[str] | None = msgspec.field(default=None, name="key_ops")
    crv: str | None = None
    k: str = ""
    n: str = ""


def keyOfJwk(jwk: object, where: str) -> TokenKey:
    """
    Read a JWK, decoded from JSON.

    @param where: which key this is, for errors
    @raise CannotStart: one line that says what is wrong with it, and nothing of it
    """
    try:
        said = msgspec.convert(jwk, _Said)
        members = msgspec.convert(jwk, dict[str, Any])
    except ValueError:
        raise CannotStart(
            f"{where} is no JWK: an object with kty, whose kid, alg and use are "
            "texts, and key_ops a list of texts"
        ) from None
    algorithm = _algorithmOf(said, where)
    try:
        _checkLength(said, algorithm, where)
        key = import_key({k: v for k, v in members.items() if k in _MATERIAL})
        _checkPublicPart(key)
    except (JoseError, ValueError, TypeError):
        raise CannotStart(f"{where} is broken") from None
    operations = None if said.operations is None else frozenset(said.operations)
    return TokenKey(key, algorithm, said.kid, operations)


def _algorithmOf(said: _Said, where: str) -> str:
    names = _NAMES.get(said.kty)
    if names is None:
        raise CannotStart(f"{where} is not accepted: kty must be {_oneOf(_NAMES)}")
    curve = _CURVES.get(said.kty)
    if curve is not None and said.crv != curve:
        raise CannotStart(f"{where} is not accepted: crv must be {curve}")
    if said.alg is None:
        encrypts = said.kty == "oct" and said.use == "enc"
        algorithm = "dir" if encrypts else next(iter(names.values()))
    elif said.alg in names:
        algorithm = names[said.alg]
    else:
        raise CannotStart(
            f"{where} is not accepted: alg must be {_oneOf(names)} with this kty"
        )
    use = "enc" if algorithm == "dir" else "sig"
    if said.use not in (None, use):
        raise CannotStart(f"{where} is not accepted: use must be {use}")
    return algorithm


def _oneOf(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _checkLength(said: _Said, algorithm: str, where: str) -> None:
    if said.kty == "oct":
        size = len(urlsafe_b64decode(said.k.encode()))
        if algorithm == "HS256" and 0 < size < MIN_SECRET:
            raise CannotStart(
                f"{where} is too short: HS256 takes at least {MIN_SECRET} bytes"
            )
        if algorithm == "dir" and 0 < size != SECRET_OF_GCM:
            raise CannotStart(
                f"{where} is not accepted: A256GCM takes exactly {SECRET_OF_GCM} bytes"
            )
    if said.kty == "RSA":
        modulus = int.from_bytes(urlsafe_b64decode(said.n.encode()))
        if modulus:
            checkModulus(modulus.bit_length(), where)


def _checkPublicPart(key: Key) -> None:
    """
    Check that the public part of a private key is its own.

    joserfc does not look at that of an Ed25519 key before it is used.

    @raise ValueError: if it is not
    """
    if isinstance(key, OctKey) or key.private_key is None:
        return
    stated = import_key(key.as_dict())
    if stated.public_key != key.private_key.public_key():
        raise ValueError("the public part is another key's")


def checkModulus(bits: int, where: str) -> None:
    """
    Check that an RSA key is long enough.

    @raise CannotStart: if it is not
    """
    if bits < MIN_MODULUS:
        raise CannotStart(
            f"{where} is too short: RS256 takes at least {MIN_MODULUS} bits"
        )


def newKey(algorithm: str, kid: str) -> TokenKey:
    """
    Make a key.

    @param algorithm: one of L{gows.access.keys.ALGORITHMS}
    """
    match algorithm:
        case "RS256":
            return TokenKey(generate_key("RSA", MIN_MODULUS), algorithm, kid)
        case "ES256":
            return TokenKey(generate_key("EC", "P-256"), algorithm, kid)
        case "EdDSA":
            return TokenKey(generate_key("OKP", "Ed25519"), algorithm, kid)
    return TokenKey(generate_key("oct", 8 * MIN_SECRET), algorithm, kid)


def jwkOf(key: TokenKey) -> dict[str, Any]:
    """Write a key as a JWK that says what it is for; a private key whole."""
    about = {"kty": key.jwk.key_type, "alg": key.algorithm}
    about["use"] = "enc" if key.encrypts else "sig"
    if key.kid is not None:
        about["kid"] = key.kid
    return about | key.jwk.as_dict(private=key.jwk.is_private)
