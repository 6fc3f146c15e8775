"""Keys of the operators' door: one a line, with a name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from twisted.internet.interfaces import IReactorTime

from gows.chat.audience import NAME_RULE, isName
from gows.errors import CannotStart
from gows.journal import Journal
from gows.watching import Read, ReloadedFiles, readFile

MIN_LENGTH: Final = 16
MAX_LENGTH: Final = 256
"""Of a key, in characters."""

_KEY: Final = re.compile(rf"[\x21-\x7e]{{{MIN_LENGTH},{MAX_LENGTH}}}")


class ApiKeys:
    """
    Who may use the operators' door.

    What is kept of a key is its digest: how long a look takes tells nothing of it.
    """

    def __init__(self, keys: Iterable[tuple[str, str]]) -> None:
        """Take names and keys."""
        self._names = {digestOf(key): name for name, key in keys}

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._names)

    def nameOf(self, digest: bytes) -> str | None:
        """
        Find whose key it is.

        @param digest: see L{digestOf}
        @return: L{None}: nobody's
        """
        found = None
        for known, name in self._names.items():
            if compare_digest(known, digest):
                found = name
        return found


def digestOf(key: str) -> bytes:
    """Make what is kept of a key."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


def readApiKeys(path: str, read: Read = readFile) -> ApiKeys:
    """
    Read a file of keys: C{name: key} on each line, but empty ones and # comments.

    @param read: reads it
    @raise CannotStart: one line that names the file and what is wrong with it, which
        repeats no key
    """
    return ApiKeys(_keysOf(read(path), path))


def firstKeyOf(path: str) -> str:
    """
    Read the first key of a file, for a client.

    @raise CannotStart: see L{readApiKeys}
    """
    return _keysOf(readFile(path), path)[0][1]


def _keysOf(raw: bytes, path: str) -> list[tuple[str, str]]:
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise CannotStart(f"{path} is not UTF-8") from None
    keys = [
        _parsed(line, f"line {number} of {path}")
        for number, line in enumerate(map(str.strip, lines), 1)
        if line and not line.startswith("#")
    ]
    if not keys:
        raise CannotStart(f"{path} holds no keys: each line is to be name: key")
    for what, column in zip(("name", "key"), zip(*keys, strict=True), strict=True):
        if len(set(column)) < len(column):
            raise CannotStart(f"{path} holds the same {what} twice")
    return keys


def _parsed(line: str, where: str) -> tuple[str, str]:
    name, colon, key = (part.strip() for part in line.partition(":"))
    if not colon or not isName(name):
        raise CannotStart(f"{where} is not name: key; a name is {NAME_RULE}")
    if _KEY.fullmatch(key) is None:
        raise CannotStart(
            f"{where}: a key is {MIN_LENGTH} to {MAX_LENGTH} printable ASCII "
            "characters without blanks (openssl rand -hex 32 makes one)"
        )
    return name, key


class ReloadingApiKeys(ReloadedFiles[ApiKeys]):
    """The keys that open the operators' door."""

    def __init__(self, path: str, journal: Journal, clock: IReactorTime) -> None:
        """Remember the file."""
        super().__init__(
            path,
            read=partial(readApiKeys, path),
            taken=lambda keys: journal.apiKeysRead(path, len(keys)),
            kept=journal.apiKeysKept,
            clock=clock,
        )
