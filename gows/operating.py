"""What operators and backends can do, done on a chat."""

from __future__ import annotations

import heapq
import platform
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import UNSET
from twisted.internet.task import deferLater

import twisted
from gows import __version__
from gows.access.limits import connectionsWithin, openFiles
from gows.access.tickets import LIFETIME
from gows.chat.audience import TO_EVERYONE, Audience, toKey, toRoom
from gows.chat.grant import Grant, Pass, RoomRights
from gows.chat.message import Message
from gows.dialects.fields import To
from gows.dialects.saying import rawForm
from gows.web import apianswers as answers
from gows.web import apirequests as requests
from gows.web.answers import Problem
from gows.wire.closing import MAX_REASON
from gows.wire.factory import GowsFactory
from gows.wire.protocol import GowsProtocol

_AT_ONCE: Final = 2000
"""How many connections are looked at in a reactor turn: for some milliseconds."""


def _bytesOut(connection: GowsProtocol) -> int:
    traffic = connection.outbox.traffic()
    return 0 if traffic is None else traffic.arrived


_MEASURES: Final[Mapping[str, Callable[[GowsProtocol], float]]] = {
    "waiting": lambda one: one.outbox.waiting,
    "messages_in": lambda one: one.messagesIn,
    "bytes_out": _bytesOut,
    "round_trip": lambda one: one.roundTrip or 0.0,
    "age": lambda one: -one.number,
}


class Operating:
    """See L{gows.web.operations.Operations}."""

    def __init__(self, factory: GowsFactory, settings: dict[str, Any]) -> None:
        """
        Operate a chat.

        @param settings: by name, as they may be shown
        """
        self._factory = factory
        self._settings = settings
        self._startedAt = factory.now()

    def publish(self, publish: requests.Publish) -> answers.Published:
        """See L{gows.web.operations.Operations.publish}."""
        audience = _audienceOf(publish.to)
        if publish.binary is not UNSET:
            said = Message(b64decode(publish.binary), True, audience)
        else:
            data = bytes(publish.data) if publish.data is not UNSET else b"null"
            said = Message(rawForm(data), False, audience, data=data)
        message = self._factory.accept(said, audience)
        readers = self._factory.hall.readers(audience)
        self._factory.hall.deliver(message)
        return answers.Published(message.id, readers)

    def disconnect(self, disconnect: requests.Disconnect) -> answers.Disconnected:
        """See L{gows.web.operations.Operations.disconnect}."""
        registry = self._factory.registry
        if disconnect.key is not UNSET:
            them: Iterable[GowsProtocol] = registry.ofPerson(disconnect.key)
        else:
            session = disconnect.session
            them = [one for one in registry if one.session == session]
        after = disconnect.retryAfter
        seconds = None if after is UNSET else after / 1000
        utf8 = disconnect.reason.encode("utf-8")[:MAX_REASON]
        reason = utf8.decode("utf-8", "ignore")  # without a half character at the end
        leaving = tuple(them)
        for one in leaving:
            one.dismiss(int(disconnect.code), reason, seconds)
        return answers.Disconnected(len(leaving))

    def connections(self, query: requests.ConnectionsQuery) -> answers.Connections:
        """See L{gows.web.operations.Operations.connections}."""
        found = islice(self._found(query), query.limit + 1)
        page = list(found)
        isLast = len(page) <= query.limit
        page = page[: query.limit]
        now = self._factory.reactor.seconds()
        return answers.Connections(
            tuple(_infoOf(one, now) for one in page),
            len(self._factory.registry),
            None if isLast else page[-1].number,
        )

    def _found(self, query: requests.ConnectionsQuery) -> Iterator[GowsProtocol]:
        registry = self._factory.registry
        them = registry if query.key is UNSET else registry.ofPerson(query.key)
        for one in them:
            if (
                one.number > query.after
                and query.room in (UNSET, *one.rooms)
                and query.address in (UNSET, one.address)
            ):
                yield one

    async def top(self, query: requests.TopQuery) -> answers.Top:
        """See L{gows.web.operations.Operations.top}: others are served meanwhile."""
        everybody = tuple(self._factory.registry)
        largest: list[GowsProtocol] = []
        for start in range(0, len(everybody), _AT_ONCE):
            some = everybody[start : start + _AT_ONCE]
            largest = heapq.nlargest(
                query.limit, (*largest, *some), key=_MEASURES[query.by]
            )
            if start + _AT_ONCE < len(everybody):
                await deferLater(self._factory.reactor, 0)
        now = self._factory.reactor.seconds()
        them = tuple(_infoOf(one, now) for one in largest if not one.isLost)
        return answers.Top(them, len(everybody))

    def rooms(self, query: requests.RoomsQuery) -> answers.Rooms:
        """See L{gows.web.operations.Operations.rooms}."""
        people = dict(self._factory.hall.people())
        behind = (room for room in people if room > query.after)
        names = heapq.nsmallest(query.limit + 1, behind)
        page, isLast = names[: query.limit], len(names) <= query.limit
        return answers.Rooms(
            tuple(
                answers.RoomInfo(room, people[room], self._hearers(room))
                for room in page
            ),
            len(people),
            None if isLast else page[-1],
        )

    def room(self, room: str, query: requests.RoomQuery) -> answers.Presence:
        """See L{gows.web.operations.Operations.room}."""
        keys = self._factory.hall.keys(room)
        found = heapq.nsmallest(
            query.limit + 1, (key for key in keys if key > query.after)
        )
        page, isLast = found[: query.limit], len(found) <= query.limit
        next_ = None if isLast else page[-1]
        return answers.Presence(
            room, len(keys), self._hearers(room), tuple(page), next_
        )

    def _hearers(self, room: str) -> int:
        return self._factory.hall.readers(toRoom(room))

    async def mint(self, ticket: requests.NewTicket) -> answers.Ticket:
        """See L{gows.web.operations.Operations.mint}."""
        if not self._factory.takesTickets:
            raise Problem(
                409,
                "no_tickets",
                "This server takes no tickets: it has no token-key, and believes URLs.",
            )
        if len(msgspec.json.encode(ticket.app)) > requests.MAX_APP:
            raise Problem(
                400, "invalid", f"app: must be {requests.MAX_APP} bytes at most.", "app"
            )
        now = self._factory.now()
        rooms = None if ticket.rooms is UNSET else RoomRights.of(ticket.rooms)
        expires = None if ticket.lifetime is UNSET else now + ticket.lifetime
        grant = Grant(rooms, ticket.direct, expires, ticket.app)
        made = await self._factory.tickets.mint(Pass(ticket.key, grant, ticket.device))
        return answers.Ticket(made, int((now + LIFETIME) * 1000))

    def info(self) -> answers.Info:
        """See L{gows.web.operations.Operations.info}."""
        now, limit = self._factory.now(), openFiles()
        return answers.Info(
            "gows",
            __version__,
            platform.python_version(),
            twisted.__version__,
            version("autobahn"),
            now - self._startedAt,
            int(now * 1000),
            self._factory.admission.draining,
            len(self._factory.registry),
            sum(1 for _ in self._factory.hall.people()),
            self._settings,
            {"open_files": limit, "connections": connectionsWithin(limit)},
        )


def _audienceOf(to: str | To) -> Audience:
    if not isinstance(to, To):
        return TO_EVERYONE
    return toKey(to.key) if to.key is not UNSET else toRoom(str(to.room))


def _infoOf(connection: GowsProtocol, now: float) -> answers.ConnectionInfo:
    context, outbox = connection.context, connection.outbox
    traffic, trip = outbox.traffic(), connection.roundTrip
    dialect, form = connection.form.kind
    return answers.ConnectionInfo(
        number=connection.number,
        session=connection.session,
        key=context.specialKey,
        device=context.device,
        dialect=dialect,
        form=form,
        rooms=connection.rooms,
        address=connection.address,
        age=round(now - connection.openedAt, 3),
        messagesIn=connection.messagesIn,
        messagesOut=outbox.messages,
        ignored=connection.messagesIgnored,
        dropped=outbox.dropped,
        bytesIn=None if traffic is None else traffic.received,
        bytesOut=None if traffic is None else traffic.arrived,
        waiting=outbox.waiting,
        roundTrip=None if trip is None else round(trip * 1000, 3),
    )
