"""
What requests of the operators' API bring: these structs are the specification.

C{/openapi.json} is made of them, and of those of L{gows.web.apianswers}.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from gows.dialects.fields import RULES as WORDS
from gows.dialects.fields import Key, Room, To, snake

MAX_BATCH = 1000
"""The most messages of one batch."""

MAX_PAGE = 1000
"""The most items of one page of a list."""

MAX_RIGHTS = 200
"""The most rooms of a ticket."""

MAX_APP = 4096
"""The most bytes that the application is told by one, as JSON."""

Count = Annotated[int, Meta(ge=0)]
Session = Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]
CLOSE_CODES = (1000, 1001, 1008, 1013)
"""Those below 3000 that an operator may have sent (RFC 6455, 7.4)."""

# To JSON Schema 3000.0 is an integer too, and there are clients that write that.
CloseCode = Annotated[
    float,
    Meta(
        ge=1000,
        le=4999,
        extra_json_schema={
            "multipleOf": 1,
            "anyOf": [{"enum": CLOSE_CODES}, {"minimum": 3000}],
        },
    ),
]
Base64 = Annotated[
    str,
    Meta(
        pattern=r"\A(?:[A-Za-z0-9+/]{4})*"
        r"(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z",
        extra_json_schema={"contentEncoding": "base64"},
    ),
]
PageSize = Annotated[int, Meta(ge=1, le=MAX_PAGE)]
Device = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{0,64}\Z")]
Rights = Literal["", "r", "w", "rw"]
RoomsName = Annotated[str, Meta(pattern=r"\A(?:\*|[A-Za-z0-9._-]{1,64}\*?)\Z")]


RULES = WORDS | {
    "binary": "base64 (RFC 4648, 4)",
    "session": "16 hexadecimal digits, as the list of connections has them",
    "device": "a name of at most 64 letters (A-Z, a-z), digits, and . _ -",
    "by": "waiting, messages_in, bytes_out, round_trip or age",
    "rooms": "rights (r, w, rw or nothing) by rooms' names, or by prefix*",
}
"""What fields with a pattern may be, in words."""


class Body(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, rename=snake
):
    """What a request brings; fields that there are not are mistakes."""


class Publish(Body, frozen=True):
    """
    Say something, as the server itself.

    @ivar to: everyone, a room, or a person
    @ivar data: any JSON value; raw clients get a string as it is, and all else as JSON
    @ivar binary: instead of data: a binary message
    """

    to: Literal["everyone"] | To
    data: Raw | UnsetType = UNSET
    binary: Base64 | UnsetType = UNSET

    def __post_init__(self) -> None:
        """
        Check that there is one thing to say.

        @raise ValueError: if it is none or two
        """
        if (self.data is UNSET) == (self.binary is UNSET):
            raise ValueError("data: one of data and binary is needed, and not both")


class Batch(Body, frozen=True):
    """Say several things, in this order."""

    messages: Annotated[tuple[Publish, ...], Meta(min_length=1, max_length=MAX_BATCH)]


class Disconnect(Body, frozen=True):
    """
    Close connections.

    @ivar key: all of a person
    @ivar session: or a single one
    @ivar code: the close code: 1000, 1001, 1008, 1013, or 3000 to 4999
    @ivar reason: the close frame's; it is cut after 123 bytes of UTF-8
    @ivar retryAfter: milliseconds after which a gows.v1 client may come back
    """

    key: Key | UnsetType = UNSET
    session: Session | UnsetType = UNSET
    code: CloseCode = 1008
    reason: str = "disconnected by an operator"
    retryAfter: Annotated[float, Meta(ge=0, le=86_400_000)] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """
        Check whom it is about.

        @raise ValueError: if that is nobody or two, or the code is not to be sent
        """
        if (self.key is UNSET) == (self.session is UNSET):
            raise ValueError("key: one of key and session is needed, and not both")
        isWhole = self.code == int(self.code)
        if not isWhole or (self.code not in CLOSE_CODES and self.code < 3000):
            codes = ", ".join(map(str, CLOSE_CODES))
            raise ValueError(f"code: must be {codes}, or 3000 to 4999")


class NewTicket(Body, frozen=True):
    """
    Let somebody in, once, within 30 seconds.

    @ivar key: who that is
    @ivar device: which of her devices; empty: not told apart
    @ivar rooms: rights by the names of rooms, or prefix*; absent: all rooms
    @ivar direct: whether she may send to a single person
    @ivar lifetime: seconds after which the connection ends; absent: it does not
    @ivar app: what the application is told; at most 4096 bytes
    """

    key: Key
    device: Device = ""
    rooms: (
        Annotated[dict[RoomsName, Rights], Meta(max_length=MAX_RIGHTS)] | UnsetType
    ) = UNSET
    direct: bool = False
    lifetime: Annotated[float, Meta(gt=0, le=31_536_000)] | UnsetType = UNSET
    app: Any = None


class ConnectionsQuery(Body, frozen=True):
    """
    Which connections to list.

    @ivar room: those in a room
    @ivar key: those of a person
    @ivar address: those of an IP address
    @ivar limit: how many at the most
    @ivar after: those behind this C{next} of the page before
    """

    room: Room | UnsetType = UNSET
    key: Key | UnsetType = UNSET
    address: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    limit: PageSize = 100
    after: Count = 0


class TopQuery(Body, frozen=True):
    """
    Which connections to list first.

    @ivar by: those of which this is the largest
    @ivar limit: how many at the most
    """

    by: Literal["waiting", "messages_in", "bytes_out", "round_trip", "age"] = "waiting"
    limit: PageSize = 20


class RoomsQuery(Body, frozen=True):
    """
    Which rooms to list: in the order of their names.

    @ivar limit: how many at the most
    @ivar after: those behind this name
    """

    limit: PageSize = 100
    after: Annotated[str, Meta(max_length=64)] = ""


class RoomQuery(Body, frozen=True):
    """
    Which people of a room to list: in the order of their keys.

    @ivar limit: how many at the most
    @ivar after: those behind this key
    """

    limit: PageSize = 100
    after: Annotated[str, Meta(max_length=128)] = ""
