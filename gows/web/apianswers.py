"""
What the operators' API answers: these structs are the specification.

C{/openapi.json} is made of them, and of those of L{gows.web.apirequests}. Times are in
milliseconds since 1970, ages in seconds.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from gows.dialects.fields import snake


class Answer(Struct, frozen=True, rename=snake):
    """What is answered."""


class Published(Answer, frozen=True):
    """
    A message was accepted.

    @ivar id: the message's
    @ivar readers: how many connections it went to
    """

    id: str
    readers: int


class BatchPublished(Answer, frozen=True):
    """All messages were accepted, in this order."""

    messages: tuple[Published, ...]


class Disconnected(Answer, frozen=True):
    """So many connections are being closed."""

    connections: int


class ConnectionInfo(Answer, frozen=True):
    """
    A connection.

    @ivar number: its place in the list of connections
    @ivar dialect: raw or gows.v1
    @ivar form: plain, gzip or deflate: how messages leave for it
    @ivar age: in seconds
    @ivar messagesIn: how many came; ignored ones were too much
    @ivar messagesOut: how many left; dropped ones it was too slow for
    @ivar bytesIn: as the kernel counts them; null: it does not
    @ivar bytesOut: of those, what has arrived at the client's side
    @ivar waiting: bytes that wait here until it reads
    @ivar roundTrip: of the last ping, in milliseconds; null: there was none
    """

    number: int
    session: str
    key: str
    device: str
    dialect: str
    form: str
    rooms: tuple[str, ...]
    address: str
    age: float
    messagesIn: int
    messagesOut: int
    ignored: int
    dropped: int
    bytesIn: int | None
    bytesOut: int | None
    waiting: int
    roundTrip: float | None


class Connections(Answer, frozen=True):
    """
    A page of connections, the oldest first.

    @ivar total: how many there are in all, whatever was asked for
    @ivar next: the C{after} of the next page; null: this is the last
    """

    connections: tuple[ConnectionInfo, ...]
    total: int
    next: int | None


class Top(Answer, frozen=True):
    """
    The connections of which something is the largest, that one first.

    @ivar total: how many there are in all
    """

    connections: tuple[ConnectionInfo, ...]
    total: int


class RoomInfo(Answer, frozen=True):
    """
    A room.

    @ivar people: how many are in it, each once
    @ivar connections: how many connections hear it
    """

    room: str
    people: int
    connections: int


class Rooms(Answer, frozen=True):
    """A page of rooms in which there is somebody."""

    rooms: tuple[RoomInfo, ...]
    total: int
    next: str | None


class Presence(Answer, frozen=True):
    """A room, and a page of the people in it."""

    room: str
    people: int
    connections: int
    keys: tuple[str, ...]
    next: str | None


class Ticket(Answer, frozen=True):
    """
    A ticket: for C{?ticket=} of one opening.

    @ivar expires: when it is too old
    """

    ticket: str
    expires: int


class Info(Answer, frozen=True):
    """
    The server.

    @ivar uptime: in seconds
    @ivar settings: those of this process, without secrets
    @ivar limits: the bounds that come from the machine
    """

    name: str
    version: str
    python: str
    twisted: str
    autobahn: str
    uptime: float
    time: int
    draining: bool
    connections: int
    rooms: int
    settings: dict[str, Any]
    limits: dict[str, int]


class Fault(Answer, frozen=True, omit_defaults=True):
    """
    What is wrong.

    @ivar code: for programs
    @ivar message: for people, with what is allowed
    @ivar field: where in the request
    """

    code: str
    message: str
    field: str | UnsetType = UNSET


class Refused(Answer, frozen=True):
    """A request was not carried out."""

    error: Fault
