"""What C{gows top} is told: the feed's events, and what it asks for besides."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from gows.dialects.fields import snake

ORDERS: Final = {
    "waiting": "w",
    "messages_in": "m",
    "bytes_out": "b",
    "round_trip": "r",
    "age": "a",
}
"""By what the connections may be sorted, and the keys for it."""

MAX_SAMPLES: Final = 900
"""How many samples are kept: as many as the server does."""


class Said(Struct, frozen=True, rename=snake):
    """Something of the server's; fields that it has not count as nothing."""


class Sample(Said, frozen=True):
    """
    One second.

    @ivar time: in milliseconds since 1970
    @ivar messagesIn: a second, like messagesOut, deliveries, dropped and refused
    @ivar fanoutP50: seconds; L{None}: nothing was sent
    @ivar lag: seconds
    @ivar waiting: bytes, like memory
    @ivar cpu: as a fraction of one core
    """

    time: float = 0
    connections: float = 0
    people: float = 0
    rooms: float = 0
    messagesIn: float = 0
    messagesOut: float = 0
    deliveries: float = 0
    fanoutP50: float | None = None
    fanoutP99: float | None = None
    lag: float | None = None
    waiting: float = 0
    cpu: float | None = None
    memory: float | None = None
    dropped: float = 0
    refused: float = 0
    draining: bool = False


class Hello(Said, frozen=True):
    """
    The beginning.

    @ivar uptime: in seconds
    @ivar columns: what the rows of the history hold
    """

    name: str = "gows"
    version: str = ""
    uptime: float = 0
    columns: tuple[str, ...] = ()
    history: tuple[tuple[Any, ...], ...] = ()

    def samples(self) -> list[Sample]:
        """
        Make samples of the history.

        @raise msgspec.ValidationError: if it is none
        """
        rows = self.history[-MAX_SAMPLES:]
        return [
            msgspec.convert(dict(zip(self.columns, row, strict=False)), Sample)
            for row in rows
        ]


class Warned(Said, frozen=True):
    """A line of the log; C{time} is in milliseconds since 1970."""

    time: float = 0
    level: str = ""
    text: str = ""


class Warnings(Said, frozen=True):
    """The last of them, the newest last."""

    warnings: tuple[Warned, ...] = ()


class Connection(Said, frozen=True):
    """A connection; see the API's C{ConnectionInfo}."""

    session: str = ""
    key: str = ""
    device: str = ""
    dialect: str = ""
    form: str = ""
    address: str = ""
    age: float = 0
    messagesIn: float = 0
    messagesOut: float = 0
    bytesOut: float | None = None
    waiting: float = 0
    roundTrip: float | None = None


class Top(Said, frozen=True):
    """The connections with the most of something, that with the most first."""

    connections: tuple[Connection, ...] = ()
    total: int = 0


class Room(Said, frozen=True):
    """A room; see the API's C{RoomInfo}."""

    room: str = ""
    people: float = 0
    connections: float = 0


class Rooms(Said, frozen=True):
    """Some rooms, of C{total}."""

    rooms: tuple[Room, ...] = ()
    total: int = 0
