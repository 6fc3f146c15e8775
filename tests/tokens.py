"""Keys and tokens for tests, made without the code that is tested."""

from __future__ import annotations

import base64
import functools
import json
import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gows.access.jwk import keyOfJwk
from gows.access.keys import TokenKey

NOW = 1_800_000_000.0
"""When tests happen, in seconds since 1970."""

SIGNING = ("HS256", "RS256", "ES256", "EdDSA")


@functools.cache
def privateKey(algorithm: str) -> Any:
    """Make the key of an algorithm, once: a secret's bytes, or cryptography's key."""
    match algorithm:
        case "HS256":
            return bytes(range(32))
        case "dir":
            return bytes(range(100, 132))
        case "RS256":
            return rsa.generate_private_key(65537, 2048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def encoded(content: bytes) -> str:
    """Write bytes as base64url, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def encodedNumber(number: int, size: int = 0) -> str:
    """Write a number as a JWK has it, in C{size} bytes; 0: in as few as it takes."""
    return encoded(number.to_bytes(size or (number.bit_length() + 7) // 8))


def jwkOfPrivate(key: Any) -> dict[str, Any]:
    """Write a secret, or cryptography's private key, as a JWK."""
    if isinstance(key, bytes):
        return {"kty": "oct", "k": encoded(key)}
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        public = numbers.public_numbers
        parts = {"n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p}
        parts |= {"q": numbers.q, "dp": numbers.dmp1, "dq": numbers.dmq1}
        parts |= {"qi": numbers.iqmp}
        return {"kty": "RSA", **{k: encodedNumber(v) for k, v in parts.items()}}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        own = key.private_numbers()
        size = (key.curve.key_size + 7) // 8
        return {
            "kty": "EC",
            "crv": {256: "P-256", 384: "P-384", 521: "P-521"}[key.curve.key_size],
            "x": encodedNumber(own.public_numbers.x, size),
            "y": encodedNumber(own.public_numbers.y, size),
            "d": encodedNumber(own.private_value, size),
        }
    return {
        "kty": "OKP",
        "crv": type(key).__name__.removesuffix("PrivateKey"),
        "x": encoded(key.public_key().public_bytes_raw()),
        "d": encoded(key.private_bytes_raw()),
    }


def privateJwk(algorithm: str, **members: Any) -> dict[str, Any]:
    """Write the key of an algorithm as a JWK, with further members."""
    if algorithm == "dir":
        members = {"alg": "dir", **members}
    return {**jwkOfPrivate(privateKey(algorithm)), **members}


def publicJwk(algorithm: str, **members: Any) -> dict[str, Any]:
    """Write the public part of the key of an algorithm as a JWK; a secret whole."""
    jwk = privateJwk(algorithm, **members)
    secret = {"d", "p", "q", "dp", "dq", "qi"}
    return {name: value for name, value in jwk.items() if name not in secret}


def tokenKey(algorithm: str, **members: Any) -> TokenKey:
    """Read the private key of an algorithm."""
    return keyOfJwk(privateJwk(algorithm, **members), "the key")


def privatePem(key: Any) -> bytes:
    """Write a private key of cryptography's as PEM."""
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem


def publicPem(key: Any) -> bytes:
    """Write the public part of a private key of cryptography's as PEM."""
    pem: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem


def written(path: Path, content: object) -> str:
    """Write bytes, or anything else as JSON, to a file, and answer its path."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.write_bytes(raw)
    return str(path)


def claims(**more: Any) -> dict[str, Any]:
    """Make the claims of a token that is valid for an hour, with further ones."""
    return {"sub": "alice", "exp": int(NOW) + 3600, **more}


def encrypted(payload: bytes, header: dict[str, Any], secret: bytes) -> str:
    """Encrypt a payload with A256GCM, whatever the header says."""
    first = encoded(json.dumps(header).encode())
    iv = os.urandom(12)
    content = AESGCM(secret).encrypt(iv, payload, first.encode())
    return ".".join([first, "", *map(encoded, (iv, content[:-16], content[-16:]))])
