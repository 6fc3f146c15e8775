"""``gows key``: keys for tokens."""

from __future__ import annotations

import json
import secrets
from typing import Any, ClassVar

from twisted.python import usage

from gows.access.jwk import jwkOf, newKey
from gows.access.keyfile import checkingKeys, loadKeys
from gows.access.keys import ALGORITHMS
from gows.commands.command import Command, FileCommand, Group
from gows.errors import CannotStart


def _write(jwk: dict[str, Any]) -> None:
    print(json.dumps(jwk, indent=2))


class NewKey(Command):
    """Makes a key."""

    synopsis = "[--alg ALGORITHM] [--kid NAME]"
    longdesc = (
        "Writes a new private key to standard output, as a JWK: (umask 077; gows key "
        "new > key.json)"
    )
    optParameters: ClassVar = [
        ["alg", None, "EdDSA", f"One of {', '.join(ALGORITHMS)}; dir encrypts"],
        ["kid", None, None, "Its name, which tokens repeat; without it a random one"],
    ]

    choices: ClassVar = {"alg": ALGORITHMS}

    def postOptions(self) -> None:
        """Check the algorithm."""
        if self["alg"] not in ALGORITHMS:
            raise usage.UsageError(f"--alg must be one of {', '.join(ALGORITHMS)}")

    def run(self) -> None:
        """Make and write it."""
        kid = secrets.token_hex(8) if self["kid"] is None else self["kid"]
        _write(jwkOf(newKey(self["alg"], kid)))


class PublicKey(FileCommand):
    """Writes the public part of a key."""

    longdesc = (
        "Writes the public part of a private key (a JWK, a JWKS, or PEM) to standard "
        "output, as a JWK, or as a JWKS if there are several: that is what the server "
        "needs."
    )

    def run(self) -> None:
        """
        Write it.

        @raise CannotStart: if the file is no good, or holds a secret
        """
        keys = checkingKeys(loadKeys(self.file), self.file).all
        if any(key.isSecret for key in keys):
            raise CannotStart(
                f"{self.file} holds a secret, which has no public part: who checks "
                "tokens with it can make them"
            )
        jwks = [jwkOf(key) for key in keys]
        _write(jwks[0] if len(jwks) == 1 else {"keys": jwks})


class KeyCommand(Group):
    """Keys for tokens."""

    subCommands: ClassVar = [
        ("new", None, NewKey, "Make one."),
        ("public", None, PublicKey, "Write the public part of one."),
    ]
