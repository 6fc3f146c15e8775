"""Files with keys of tokens: a JWK, a JWKS (RFC 7517), or PEM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)
from joserfc.jwk import ECKey, OKPKey, RSAKey
from twisted.internet.interfaces import IReactorTime

from gows.access.jwk import checkModulus, keyOfJwk
from gows.access.keys import TokenKey, TokenKeys
from gows.errors import CannotStart
from gows.journal import Journal
from gows.watching import Read, ReloadedFiles, readFile

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]*)-----")
_PRIVATE_PEM: Final = b"PRIVATE KEY-----"


def readTokenKeys(path: str, read: Read = readFile) -> TokenKeys:
    """
    Read the keys that a server checks tokens with.

    @param path: a JWK, a JWKS, or a PEM public key
    @param read: reads it
    @return: secrets, and of private keys the public parts
    @raise CannotStart: one line that names the file and what is wrong with it
    """
    raw = read(path)
    if _PRIVATE_PEM in raw:
        raise CannotStart(
            f"{path} holds a private key: give the server the public one, which "
            "gows key public writes"
        )
    return checkingKeys(_parsed(raw, path), path)


def checkingKeys(keys: Sequence[TokenKey], path: str) -> TokenKeys:
    """
    Take what is needed to check tokens.

    @raise CannotStart: if one of the keys must not be used for that
    """
    if not all(key.mayCheck for key in keys):
        raise CannotStart(
            f"{path} holds a key that must not check tokens: its key_ops lack verify, "
            "or decrypt if it encrypts"
        )
    return TokenKeys(key.public for key in keys)


def loadKeys(path: str) -> list[TokenKey]:
    """
    Read keys as they are, PEM private keys too: for who makes tokens.

    @return: at least one
    @raise CannotStart: one line that names the file and what is wrong with it
    """
    return _parsed(readFile(path), path)


def _parsed(raw: bytes, path: str) -> list[TokenKey]:
    if _PEM.search(raw):
        return [_keyOfPem(raw, path)]
    try:
        content = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        raise CannotStart(f"{path} holds neither JSON (JWK, JWKS) nor PEM") from None
    if not (isinstance(content, dict) and "keys" in content):
        return [keyOfJwk(content, f"the key in {path}")]
    jwks = content["keys"]
    if not (isinstance(jwks, list) and jwks):
        raise CannotStart(f"{path} is a JWKS without keys")
    keys = [
        keyOfJwk(jwk, f"key {number} in {path}") for number, jwk in enumerate(jwks, 1)
    ]
    names = {key.kid for key in keys}
    if len(keys) > 1 and (None in names or len(names) < len(keys)):
        raise CannotStart(f"{path} holds several keys: each must have a kid of its own")
    return keys


def _keyOfPem(raw: bytes, path: str) -> TokenKey:
    count = sum(kind.endswith(b"KEY") for kind in _PEM.findall(raw))
    if count != 1:
        raise CannotStart(
            f"{path} holds {count or 'no'} PEM keys: it must be one (several make a "
            "JWKS)"
        )
    where = f"the key in {path}"
    try:
        key: Any = (
            load_pem_private_key(raw, None)
            if _PRIVATE_PEM in raw
            else load_pem_public_key(raw)
        )
    except TypeError:
        raise CannotStart(f"{where} is encrypted: it must not be") from None
    except (ValueError, UnsupportedAlgorithm):
        raise CannotStart(f"{where} is broken") from None
    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        checkModulus(key.key_size, where)
        return TokenKey(RSAKey.import_key(key), "RS256")
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        if isinstance(key.curve, ec.SECP256R1):
            return TokenKey(ECKey.import_key(key), "ES256")
    elif isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey):
        return TokenKey(OKPKey.import_key(key), "EdDSA")
    raise CannotStart(f"{where} is not accepted: RSA, EC on P-256, or Ed25519 is")


class ReloadingTokenKeys(ReloadedFiles[TokenKeys]):
    """The keys that tokens are checked with."""

    def __init__(self, path: str, journal: Journal, clock: IReactorTime) -> None:
        """Remember the file."""
        super().__init__(
            path,
            read=partial(readTokenKeys, path),
            taken=lambda keys: journal.tokenKeysRead(path, len(keys.all)),
            kept=journal.tokenKeysKept,
            clock=clock,
        )
