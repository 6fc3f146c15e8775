"""
Everything that is said in gows.v1: these structs are the specification.

docs/protocol.md has the same for the authors of clients; a test compares. Times are in
milliseconds since 1970, durations in milliseconds.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import UNSET, Raw, UnsetType, field

from gows.dialects.fields import Body, Id, Room, To, Token

MAX_DEPTH: Final = 64
"""How deeply arrays and objects may be nested in a request."""


class Envelope(Body, frozen=True, tag_field="type"):
    """A whole message of gows.v1: a JSON object that says in C{type} what it is."""


# What clients say.


class Publish(Envelope, frozen=True, tag="publish"):
    """
    Say something.

    @ivar to: whom it is for
    @ivar data: what is said; it goes out as it came
    @ivar id: comes back in the answer; without one there is none but errors
    """

    to: Literal["everyone"] | To
    data: Raw
    id: Id | UnsetType = UNSET


class Join(Envelope, frozen=True, tag="join"):
    """
    Hear what is said in a room.

    @ivar since: reserved
    """

    room: Room
    since: Raw | UnsetType = UNSET
    id: Id | UnsetType = UNSET


class Leave(Envelope, frozen=True, tag="leave"):
    """Hear it no more."""

    room: Room
    id: Id | UnsetType = UNSET


class Presence(Envelope, frozen=True, tag="presence"):
    """
    Ask who is in a room. It is always answered.

    @ivar watch: whether to be told from now on who comes and goes; absent: as before
    """

    room: Room
    watch: bool | UnsetType = UNSET
    id: Id | UnsetType = UNSET


class Refresh(Envelope, frozen=True, tag="refresh"):
    """Go on with a new token, of the same person and device."""

    token: Token
    id: Id | UnsetType = UNSET


Request = Publish | Join | Leave | Presence | Refresh


# What the server says.


class Limits(Body, frozen=True):
    """
    What clients have to keep to.

    @ivar messageSize: bytes of a message
    @ivar rooms: how many one may be in, everyone's not counted, and how many watch
    @ivar depth: of nested arrays and objects
    @ivar errors: so many faulty requests end the connection; 0: no number does
    @ivar presence: rooms with more people are told of in numbers only
    @ivar rate: messages in a second, if that is limited
    @ivar byteRate: bytes of them in a second, after decompression, if that is limited
    """

    messageSize: int
    rooms: int
    depth: int
    errors: int
    presence: int
    rate: float | UnsetType = UNSET
    byteRate: float | UnsetType = UNSET


class Welcome(Envelope, frozen=True, tag="welcome"):
    """
    The first thing that is said.

    @ivar session: names this connection
    @ivar key: who the client is
    @ivar rooms: where it is
    @ivar time: the server's
    @ivar expires: when the connection ends, unless it goes on with a new token
    """

    session: str
    key: str
    rooms: tuple[str, ...]
    time: int
    limits: Limits
    expires: int | UnsetType = UNSET


class Said(Envelope, frozen=True, tag="message"):
    """
    Somebody has said something.

    @ivar room: where; C{*} is everyone's
    @ivar key: to whom, if it was to one person
    @ivar sender: C{from} in JSON: the specialKey of who says it; absent: the server
        does
    @ivar id: the message's, unique on this server
    @ivar time: when it was accepted
    @ivar data: what is said; of a raw client, a string
    @ivar encoding: C{base64}, if data stands for a binary message
    @ivar epoch: reserved
    @ivar offset: reserved
    """

    id: str
    time: int
    data: Raw
    room: str | UnsetType = UNSET
    key: str | UnsetType = UNSET
    sender: str | UnsetType = field(name="from", default=UNSET)
    encoding: Literal["base64"] | UnsetType = UNSET
    epoch: str | UnsetType = UNSET
    offset: int | UnsetType = UNSET


class Ack(Envelope, frozen=True, tag="ack"):
    """
    A request was carried out; to C{publish}: the message was accepted.

    @ivar room: that was asked about
    @ivar count: how many people are in it
    @ivar keys: who they are; absent if there are too many
    @ivar rooms: after a refresh, where the client still is
    @ivar expires: after a refresh, when the connection ends
    """

    id: Id | UnsetType = UNSET
    room: str | UnsetType = UNSET
    count: int | UnsetType = UNSET
    keys: tuple[str, ...] | UnsetType = UNSET
    rooms: tuple[str, ...] | UnsetType = UNSET
    expires: int | UnsetType = UNSET


class Error(Envelope, frozen=True, tag="error"):
    """
    A request was not carried out.

    @ivar code: one of L{ERRORS}
    @ivar text: the same for people, with what is allowed
    @ivar id: the request's
    @ivar field: which field is wrong
    @ivar retryAfter: when to try again
    """

    code: str
    text: str
    id: Id | UnsetType = UNSET
    field: str | UnsetType = UNSET
    retryAfter: int | UnsetType = UNSET


class Joined(Envelope, frozen=True, tag="joined"):
    """
    Somebody came to a room that is watched.

    @ivar key: who; absent if there are too many people in it
    @ivar count: how many are there now
    """

    room: str
    count: int
    key: str | UnsetType = UNSET


class Left(Envelope, frozen=True, tag="left"):
    """Somebody left it; the fields are those of C{joined}."""

    room: str
    count: int
    key: str | UnsetType = UNSET


class Missed(Envelope, frozen=True, tag="missed"):
    """
    Messages that were to come here were dropped: the client read too slowly.

    @ivar count: how many
    """

    count: int


class Closing(Envelope, frozen=True, tag="closing"):
    """
    The connection ends; a close frame follows.

    @ivar code: the close frame's
    @ivar reason: the close frame's
    @ivar retryAfter: when to come back; absent: not by itself
    """

    code: int
    reason: str
    retryAfter: int | UnsetType = UNSET


ERRORS: Final = {
    "malformed": "This is not a JSON object.",
    "unknown_type": "There is no such `type`.",
    "invalid": "A field is missing or wrong; `field` names it.",
    "too_deep": f"Arrays and objects are nested in more than {MAX_DEPTH} levels.",
    "forbidden": "The token does not allow it.",
    "absent": "Nobody of that key is connected.",
    "too_many_rooms": "The client is in, or watches, as many rooms as it may.",
    "too_fast": "More was said than is allowed; `retry_after` says when to go on.",
    "bad_token": "The new token is no good; the old one counts on.",
    "unsupported": "There are no tokens here, or the application decides: come anew.",
}
"""Every code of an L{Error}."""
