"""
Tokens in their compact forms: signed (JWS, RFC 7515) or encrypted (JWE, RFC 7516).

joserfc does the cryptography. What a token's header may say is settled here, before.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from joserfc.errors import UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwe import JWERegistry, decrypt_compact, encrypt_compact
from joserfc.jws import JWSRegistry, deserialize_compact, serialize_compact
from joserfc.util import urlsafe_b64decode

from gows.access.keys import TokenKey

MAX_TOKEN: Final = 8192
"""The longest token, in characters."""

ENCRYPTION: Final = "A256GCM"

_SIGNATURES: Final = {
    "HS256": ("HS256",),
    "RS256": ("RS256",),
    "ES256": ("ES256",),
    "EdDSA": ("EdDSA", "Ed25519"),  # one signature, two names (RFC 9864)
}
_SIGNED = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2}")
_ENCRYPTED = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){4}")

_REFUSED: Final = frozenset({"crit", "b64", "zip"})
"""Header parameters that change what the rest means."""


class Malformed(Exception):
    """A text is no token, in a way that needs no key to see."""


class Header(NamedTuple):
    """
    What is taken of a token's header, before its key is known.

    @ivar isEncrypted: whether the token has the form of an encrypted one
    @ivar enc: how its content is encrypted; empty: it does not say
    @ivar kid: the name of its key; L{None}: it does not say
    """

    isEncrypted: bool
    alg: str
    enc: str
    kid: str | None

    def fits(self, key: TokenKey) -> bool:
        """Tell whether the token is made as the key demands, and no other way."""
        if key.encrypts != self.isEncrypted:
            return False
        if key.encrypts:
            return self.alg == "dir" and self.enc == ENCRYPTION
        return self.alg in _SIGNATURES[key.algorithm]


def readHeader(token: str) -> Header:
    """
    Read a token's header.

    @param token: of at most L{MAX_TOKEN} characters
    @raise Malformed: if it is no compact JWS or JWE, or not one for us
    """
    isEncrypted = _ENCRYPTED.fullmatch(token) is not None
    if not isEncrypted and not _SIGNED.fullmatch(token):
        raise Malformed
    first, _, _ = token.partition(".")
    try:
        said = json.loads(
            urlsafe_b64decode(first.encode("ascii")).decode("utf-8"),
            object_pairs_hook=_withoutDuplicates,
        )
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(said, dict) or not _REFUSED.isdisjoint(said):
        raise Malformed
    alg, enc, kid = said.get("alg"), said.get("enc", ""), said.get("kid", "")
    if not (isinstance(alg, str) and isinstance(enc, str) and isinstance(kid, str)):
        raise Malformed
    return Header(isEncrypted, alg, enc, kid if "kid" in said else None)


def _withoutDuplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name occurs twice")
    return members


class _Signatures(JWSRegistry):
    """One algorithm, in tokens as long as they may be."""

    max_header_length = MAX_TOKEN
    max_signature_length = MAX_TOKEN

    def get_alg(self, name: str) -> JWSAlgModel:
        """Leave out the warning that EdDSA has a new name."""
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


class _Encryptions(JWERegistry):
    """One algorithm, in tokens as long as they may be."""

    max_protected_header_length = MAX_TOKEN


_REGISTRIES: Final = {
    algorithm: _Signatures(algorithms=names, strict_check_header=False)
    for algorithm, names in _SIGNATURES.items()
}
_JWE: Final = _Encryptions(algorithms=("dir", ENCRYPTION), strict_check_header=False)


def unsealed(token: str, key: TokenKey) -> bytes | None:
    """
    Check a token's signature, or decrypt it.

    @param token: its header L{fits<Header.fits>} the key
    @return: what is in it; L{None}: the key is another one, or it was changed
    """
    try:
        if key.encrypts:
            return decrypt_compact(token, key.jwk, registry=_JWE).plaintext
        registry = _REGISTRIES[key.algorithm]
        return deserialize_compact(token, key.jwk, registry=registry).payload
    except Exception:  # whatever it makes of what anybody may send
        return None


def sealed(payload: bytes, key: TokenKey) -> str:
    """Sign a payload, or encrypt it, as the key demands."""
    header = {"typ": "JWT"} if key.kid is None else {"typ": "JWT", "kid": key.kid}
    if key.encrypts:
        header |= {"alg": "dir", "enc": ENCRYPTION}
        return encrypt_compact(header, payload, key.jwk, registry=_JWE)
    header |= {"alg": key.algorithm}
    registry = _REGISTRIES[key.algorithm]
    return serialize_compact(header, payload, key.jwk, registry=registry)
