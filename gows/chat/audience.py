"""Whom a message is for."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

EVERYONE: Final = "*"
"""The name of everyone's room."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

NAME_RULE: Final = "1 to 64 letters (A-Z, a-z), digits, and . _ -"
"""What a room's name, and a device's, may be, in words."""


class Audience(NamedTuple):
    """
    Whom a message is for.

    @ivar kind: C{room}: who is in a room; C{key}: one person, on all connections;
        C{presence}: who asked to be told who comes to a room and who goes
    @ivar name: of the room, or the person's specialKey
    """

    kind: Literal["room", "key", "presence"]
    name: str


TO_EVERYONE: Final = Audience("room", EVERYONE)
"""Those in everyone's room; a connection begins there unless its URL says otherwise."""


def toRoom(name: str) -> Audience:
    """Address those in a room."""
    return TO_EVERYONE if name == EVERYONE else Audience("room", name)


def toKey(specialKey: str) -> Audience:
    """Address one person, on all connections of hers."""
    return Audience("key", specialKey)


def isName(text: str) -> bool:
    """Tell whether a text may be a room's name, or a device's; see L{NAME_RULE}."""
    return _NAME.fullmatch(text) is not None
