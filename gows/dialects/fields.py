"""What fields hold, in gows.v1 and, under the same names, at the operators' door."""

from __future__ import annotations

import re
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from gows.chat.audience import NAME_RULE

MAX_TOKEN: Final = 8192
"""The longest token, in characters."""

_SAFE: Final = (1 << 53) - 1  # as whole numbers go in JSON (RFC 8259, 6)

Id = (
    Annotated[str, Meta(min_length=1, max_length=64)]
    | Annotated[int, Meta(ge=-_SAFE, le=_SAFE)]
)
Room = Annotated[str, Meta(pattern=r"\A(?:\*|[A-Za-z0-9._-]{1,64})\Z")]
Key = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f-\x9f]{1,128}\Z")]
Token = Annotated[str, Meta(min_length=1, max_length=MAX_TOKEN)]

RULES: Final = {
    "type": "publish, join, leave, presence or refresh",
    "id": "a string of 1 to 64 characters, or a whole number within 53 bits",
    "to": '"everyone", {"room": ...} or {"key": ...}',
    "room": f"{NAME_RULE}; or *, which is everyone's",
    "key": "1 to 128 characters, no control characters among them",
    "data": "any JSON value",
    "watch": "true or false",
    "token": f"a string of 1 to {MAX_TOKEN} characters",
    "since": "any JSON value",
}
"""What a request's fields may be, in words."""


def snake(name: str) -> str:
    """Write a name as it is in JSON: C{retryAfter} is C{retry_after}."""
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


class Body(Struct, frozen=True, rename=snake, omit_defaults=True):
    """An object inside of another."""


class To(Body, frozen=True):
    """
    Whom something is for, if not everyone: one of the two.

    @ivar room: those in a room
    @ivar key: a person, on all connections of hers
    """

    room: Room | UnsetType = UNSET
    key: Key | UnsetType = UNSET

    def __post_init__(self) -> None:
        """
        Check that it is one of the two.

        @raise ValueError: if it is none, or both
        """
        if (self.room is UNSET) == (self.key is UNSET):
            raise ValueError("room or key, and not both")
