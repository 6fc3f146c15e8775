"""What a connection may do: in which rooms, to whom, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, cast

import msgspec

from gows.chat.audience import EVERYONE, NAME_RULE, isName

Rights = Literal["", "r", "w", "rw"]
"""In a room: to hear what is said (r), to say something (w), both, or neither."""

RIGHTS: Final = ("", "r", "w", "rw")


class RoomRights(msgspec.Struct, frozen=True):
    """
    Rights by room, of which the most specific one counts.

    @ivar names: by a room's whole name; C{*} is everyone's room, no pattern
    @ivar prefixes: by the first characters of names, the longest ones first
    """

    names: Mapping[str, Rights]
    prefixes: tuple[tuple[str, Rights], ...]

    @classmethod
    def of(cls, rooms: Mapping[str, str]) -> RoomRights:
        """
        Read what a token says of rooms.

        @param rooms: rights by name, or by C{prefix*}
        @raise ValueError: if a name, a pattern or a right is none
        """
        names: dict[str, Rights] = {}
        prefixes: dict[str, Rights] = {}
        for name, rights in rooms.items():
            if rights not in RIGHTS:
                raise ValueError("a right is r, w, rw, or empty")
            isPattern = name.endswith("*") and name != EVERYONE
            plain = name[:-1] if isPattern else name
            if name != EVERYONE and not isName(plain):
                raise ValueError(f"a room's name is {NAME_RULE}, or *")
            (prefixes if isPattern else names)[plain] = cast(Rights, rights)
        longestFirst = sorted(prefixes.items(), key=lambda item: -len(item[0]))
        return cls(MappingProxyType(names), tuple(longestFirst))

    def to(self, room: str) -> Rights:
        """Look up the rights to a room."""
        if (rights := self.names.get(room)) is not None:
            return rights
        for prefix, rights in self.prefixes:
            if room.startswith(prefix):
                return rights
        return ""


class Grant(msgspec.Struct, frozen=True):
    """
    What a token, or a ticket, allows. It never changes.

    @ivar rooms: L{None}: all rooms, everyone's among them
    @ivar direct: whether one may send to a single person
    @ivar expires: when the connection ends, in seconds since 1970; L{None}: never
    @ivar app: what the token says to the application, any JSON value, decoded
    """

    rooms: RoomRights | None = None
    direct: bool = True
    expires: float | None = None
    app: Any = None

    def mayRead(self, room: str) -> bool:
        """Tell whether one may hear what is said in a room."""
        return self.rooms is None or "r" in self.rooms.to(room)

    def mayWrite(self, room: str) -> bool:
        """Tell whether one may say something in a room."""
        return self.rooms is None or "w" in self.rooms.to(room)


NO_LIMITS: Final = Grant()
"""What one may do where there are no tokens."""

NOTHING: Final = Grant(RoomRights.of({}), direct=False)
"""What one may do whom nobody has granted anything."""


class Pass(msgspec.Struct, frozen=True):
    """
    Who somebody is and what they may do, by a token or a ticket.

    @ivar device: which of this person's devices; empty: that is not told apart
    """

    specialKey: str
    grant: Grant
    device: str = ""
