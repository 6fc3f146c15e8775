"""The keys of tokens, and which of them a token takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from joserfc.jwk import Key, OctKey, import_key

ALGORITHMS: Final = ("HS256", "RS256", "ES256", "EdDSA", "dir")
"""What keys are for: C{dir} encrypts with A256GCM, the others sign."""


class TokenKey(NamedTuple):
    """
    A key, for one algorithm.

    @ivar jwk: the key itself
    @ivar algorithm: one of L{ALGORITHMS}
    @ivar kid: the name by which tokens say which key is theirs; L{None}: it has none
    @ivar operations: what its C{key_ops} allow; L{None}: everything
    """

    jwk: Key
    algorithm: str
    kid: str | None = None
    operations: frozenset[str] | None = None

    @property
    def encrypts(self) -> bool:
        """Whether it is for encrypted tokens, not for signed ones."""
        return self.algorithm == "dir"

    @property
    def isSecret(self) -> bool:
        """Whether it has no public part: who checks tokens could make them."""
        return isinstance(self.jwk, OctKey)

    @property
    def mayMint(self) -> bool:
        """Whether tokens can be made with it: it is private, or a secret."""
        operation = "encrypt" if self.encrypts else "sign"
        return self.jwk.is_private and self._allows(operation)

    @property
    def mayCheck(self) -> bool:
        """Whether tokens can be checked with it, or with its public part."""
        operation = "decrypt" if self.encrypts else "verify"
        return self._allows(operation) or (self.mayMint and not self.isSecret)

    @property
    def public(self) -> TokenKey:
        """The same key without what only its owner needs; a secret as it is."""
        if self.isSecret or not self.jwk.is_private:
            return self
        return TokenKey(import_key(self.jwk.as_dict()), self.algorithm, self.kid)

    def _allows(self, operation: str) -> bool:
        return self.operations is None or operation in self.operations


class TokenKeys:
    """
    The keys of a file, of which each token takes one.

    @ivar all: in the file's order
    """

    def __init__(self, keys: Iterable[TokenKey]) -> None:
        """
        Hold these.

        @param keys: one, or several, each with a C{kid} of its own
        """
        self.all: Final = tuple(keys)
        self._byKid = {key.kid: key for key in self.all if key.kid is not None}

    def find(self, kid: str | None) -> TokenKey | None:
        """
        Find the key of a token.

        A key that is alone serves tokens that name no key, and if it has no name
        itself, all others too.

        @param kid: what the token says; L{None}: nothing
        @return: L{None}: there is none
        """
        if len(self.all) == 1 and (kid is None or self.all[0].kid is None):
            return self.all[0]
        return None if kid is None else self._byKid.get(kid)
