"""Files with keys of tokens: a JWK, a JWKS (RFC 7517), or PEM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)
from joserfc.jwk import ECKey, OKPKey, RSAKey
from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorTime

from gows.access.jwk import checkModulus, keyOfJwk
from gows.access.keys import TokenKey, TokenKeys
from gows.errors import CannotStart
from gows.journal import Journal
from gows.watching import FileWatch

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]*)-----")
_PRIVATE_PEM: Final = b"PRIVATE KEY-----"


def readTokenKeys(path: str) -> TokenKeys:
    """
    Read the keys that a server checks tokens with.

    @param path: a JWK, a JWKS, or a PEM public key
    @return: secrets, and of private keys the public parts
    @raise CannotStart: one line that names the file and what is wrong with it
    """
    raw = _read(path)
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
    return _parsed(_read(path), path)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise CannotStart(f"{path} cannot be read: {error.strerror}") from None


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


class ReloadingTokenKeys(MultiService):
    """
    The keys that tokens are checked with, read again when their file changes.

    A broken file changes nothing but the log.
    """

    def __init__(self, path: str, journal: Journal, clock: IReactorTime) -> None:
        """Remember the file; it is read at the start of the service."""
        super().__init__()
        self._path = path
        self._journal = journal
        self._keys: TokenKeys | None = None
        self._watch = FileWatch(path, changed=self.reload, clock=clock)
        self._watch.setServiceParent(self)

    def current(self) -> TokenKeys:
        """Answer the newest keys. The service must have been started."""
        assert self._keys is not None, "the service has not been started"
        return self._keys

    def privilegedStartService(self) -> None:
        """
        Read the keys, while the process may still be root.

        @raise CannotStart: if they are no good
        """
        super().privilegedStartService()
        self._take(readTokenKeys(self._path))

    def startService(self) -> None:
        """Watch the file."""
        if self._keys is None:
            self.privilegedStartService()
        super().startService()

    def reload(self) -> None:
        """Read the file again, and keep what there is if it is broken."""
        self._watch.note()
        try:
            self._take(readTokenKeys(self._path))
        except CannotStart as error:
            self._journal.tokenKeysKept(str(error))

    def _take(self, keys: TokenKeys) -> None:
        self._keys = keys
        self._journal.tokenKeysRead(self._path, len(keys.all))
