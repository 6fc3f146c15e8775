"""gows.v1 on one connection: what its client asks for, and the answers."""

from __future__ import annotations

import math
from typing import Any, Final, Generic

import msgspec
from msgspec import UNSET, UnsetType

from gows.chat.audience import EVERYONE, Audience, toKey, toRoom
from gows.chat.grant import Grant
from gows.chat.inbound import Content
from gows.chat.message import Message
from gows.dialects.dialect import House, Rules, S
from gows.dialects.envelopes import (
    Ack,
    Closing,
    Envelope,
    Error,
    Join,
    Leave,
    Missed,
    Presence,
    Publish,
    Refresh,
    Request,
    Welcome,
)
from gows.dialects.fields import Id, To
from gows.dialects.reading import Fault, idOf, readRequest
from gows.dialects.saying import rawForm
from gows.errors import Refusal, UnsupportedData

NAME: Final = "gows.v1"
"""The subprotocol."""

_FAULTY: Final = frozenset(
    ("malformed", "unknown_type", "invalid", "too_deep", "bad_token")
)
"""The errors that a client which keeps to the dialect does not make."""


def milliseconds(seconds: float) -> int:
    """Write seconds as whole milliseconds, no fewer than they are."""
    return math.ceil(seconds * 1000)


class Conversation(Generic[S]):
    """Answers a client's requests, each with an ack or an error."""

    __slots__ = ("_errors", "_house", "_rules", "_speaker")

    name = NAME
    isEnveloped = True

    def __init__(self, speaker: S, house: House[S], rules: Rules) -> None:
        """Begin with no errors made."""
        self._speaker = speaker
        self._house = house
        self._rules = rules
        self._errors = 0

    def begin(self) -> None:
        """Say welcome."""
        context = self._speaker.context
        welcome = Welcome(
            session=self._speaker.session,
            key=context.specialKey,
            rooms=self._speaker.rooms,
            time=milliseconds(self._rules.now()),
            limits=self._rules.limits,
            expires=_expiry(context.grant),
        )
        self._say(welcome)

    def received(self, content: Content) -> None:
        """
        Answer a request.

        @raise UnsupportedData: if it is binary
        """
        if content.isBinary:
            raise UnsupportedData("gows.v1 is JSON text")
        try:
            request = readRequest(content.payload)
        except Fault as fault:
            self._refuse(fault, fault.id)
            return
        try:
            self._serve(request)
        except Fault as fault:
            self._refuse(fault, request.id)

    def tooFast(self, payload: bytes, isBinary: bool, wait: float) -> None:
        """Refuse a request, saying when the next may come."""
        id = UNSET if isBinary else idOf(payload)
        self._refuse(Fault("too_fast"), id, milliseconds(wait))

    def missed(self, count: int) -> bytes | None:
        """Say that so many messages were dropped."""
        return msgspec.json.encode(Missed(count))

    def farewell(self, code: int, reason: str, returnAfter: float | None) -> None:
        """Say why the connection ends, and when to come back."""
        after = UNSET if returnAfter is None else milliseconds(returnAfter)
        self._say(Closing(code, reason, after))

    # Requests.

    def _serve(self, request: Request) -> None:
        match request:
            case Publish():
                self._publish(request)
            case Join():
                self._join(request)
            case Leave():
                self._leave(request)
            case Presence():
                self._presence(request)
            case Refresh():
                self._refresh(request)

    def _publish(self, request: Publish) -> None:
        context = self._speaker.context
        audience = self._audienceOf(request.to)
        data = bytes(request.data)
        message = Message(rawForm(data), False, audience, context.specialKey, data)
        self._speaker.hand(message)
        self._speaker.afterwards(lambda: self._ack(request.id))

    def _audienceOf(self, to: str | To) -> Audience:
        grant = self._speaker.context.grant
        if isinstance(to, To) and to.key is not UNSET:
            if not grant.direct:
                raise Fault("forbidden", field="to.key")
            if not self._house.isHere(to.key):
                raise Fault("absent", field="to.key")
            return toKey(to.key)
        room = to.room if isinstance(to, To) and to.room is not UNSET else EVERYONE
        if not grant.mayWrite(room):
            raise Fault("forbidden", field="to.room" if isinstance(to, To) else "to")
        return toRoom(room)

    def _join(self, request: Join) -> None:
        speaker, room = self._speaker, request.room
        self._checkReadable(room)
        if room not in speaker.rooms:
            self._checkNotMore(speaker.rooms, room)
            self._house.join(speaker, room)
        self._ack(request.id)

    def _leave(self, request: Leave) -> None:
        self._house.leave(self._speaker, request.room)
        self._ack(request.id)

    def _presence(self, request: Presence) -> None:
        speaker, room = self._speaker, request.room
        self._checkReadable(room)
        if request.watch is True and room not in speaker.watched:
            self._checkNotMore(speaker.watched, room)
            self._house.watch(speaker, room)
        elif request.watch is False:
            self._house.unwatch(speaker, room)
        count, keys = self._house.who(room)
        self._say(
            Ack(request.id, room, count, keys=UNSET if keys is None else tuple(keys))
        )

    def _checkReadable(self, room: str) -> None:
        if not self._speaker.context.grant.mayRead(room):
            raise Fault("forbidden", field="room")

    def _checkNotMore(self, rooms: tuple[str, ...], room: str) -> None:
        count = len(rooms) - (EVERYONE in rooms)
        if room != EVERYONE and count >= self._rules.limits.rooms:
            raise Fault("too_many_rooms", field="room")

    def _refresh(self, request: Refresh) -> None:
        verify, context = self._rules.verify, self._speaker.context
        before = context.pass_
        isOfToken = before is not None and context.grant is before.grant
        if verify is None or before is None or not isOfToken:
            raise Fault("unsupported")
        try:
            pass_ = verify(request.token)
        except Refusal as refusal:
            raise Fault("bad_token", refusal.text, "token") from None
        if (pass_.specialKey, pass_.device) != (before.specialKey, before.device):
            raise Fault(
                "bad_token", "The new token is another person's or device's.", "token"
            )
        self._speaker.renew(pass_)
        self._leaveForbidden(pass_.grant)
        rooms, expires = self._speaker.rooms, _expiry(pass_.grant)
        self._say(Ack(request.id, rooms=rooms, expires=expires))

    def _leaveForbidden(self, grant: Grant) -> None:
        speaker = self._speaker
        for room in speaker.rooms:
            if not grant.mayRead(room):
                self._house.leave(speaker, room)
        for room in speaker.watched:
            if not grant.mayRead(room):
                self._house.unwatch(speaker, room)

    # Answers.

    def _ack(self, id: Id | UnsetType, **fields: Any) -> None:
        if id is not UNSET:
            self._say(Ack(id, **fields))

    def _refuse(
        self, fault: Fault, id: Id | UnsetType, retryAfter: int | UnsetType = UNSET
    ) -> None:
        self._say(Error(fault.code, fault.text, id, fault.field, retryAfter))
        if fault.code in _FAULTY:
            self._errors += 1
            if self._errors == self._rules.limits.errors:
                self._speaker.misbehaved()

    def _say(self, envelope: Envelope) -> None:
        self._speaker.tell(msgspec.json.encode(envelope))


def _expiry(grant: Grant) -> int | UnsetType:
    return UNSET if grant.expires is None else milliseconds(grant.expires)
