"""What operators and backends can do, done on a chat."""

from __future__ import annotations

import heapq
import platform
from base64 import b64decode
from importlib.metadata import version
from typing import Any

import msgspec
from msgspec import UNSET

import twisted
from gows import __version__
from gows.access.limits import connectionsWithin, openFiles
from gows.access.tickets import LIFETIME
from gows.chat.audience import TO_EVERYONE, Audience, toKey, toRoom
from gows.chat.grant import Grant, Pass, RoomRights
from gows.chat.message import Message
from gows.connected import Connected
from gows.dialects.fields import To
from gows.dialects.saying import rawForm
from gows.web import apianswers as answers
from gows.web import apirequests as requests
from gows.web.answers import Problem
from gows.wire.closing import MAX_REASON
from gows.wire.factory import GowsFactory


class Operating:
    """See L{gows.web.operations.Operations}."""

    def __init__(self, factory: GowsFactory, settings: dict[str, Any]) -> None:
        """
        Operate a chat.

        @param settings: by name, as they may be shown
        """
        self._factory = factory
        self._connected = Connected(factory.hall, factory.reactor)
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

    async def disconnect(self, disconnect: requests.Disconnect) -> answers.Disconnected:
        """See L{gows.web.operations.Operations.disconnect}."""
        if disconnect.key is not UNSET:
            leaving = self._factory.registry.ofPerson(disconnect.key)
        else:
            leaving = await self._connected.ofSession(str(disconnect.session))
        after = disconnect.retryAfter
        seconds = None if after is UNSET else after / 1000
        utf8 = disconnect.reason.encode("utf-8")[:MAX_REASON]
        reason = utf8.decode("utf-8", "ignore")  # without a half character at the end
        for one in leaving:
            one.dismiss(int(disconnect.code), reason, seconds)
        return answers.Disconnected(len(leaving))

    async def connections(
        self, query: requests.ConnectionsQuery
    ) -> answers.Connections:
        """See L{gows.web.operations.Operations.connections}."""
        return await self._connected.page(query)

    async def top(self, query: requests.TopQuery) -> answers.Top:
        """See L{gows.web.operations.Operations.top}."""
        return await self._connected.top(query)

    def rooms(self, query: requests.RoomsQuery) -> answers.Rooms:
        """See L{gows.web.operations.Operations.rooms}."""
        hall = self._factory.hall
        behind = (each for each in hall.people() if each[0] > query.after)
        found = heapq.nsmallest(query.limit + 1, behind)
        page, isLast = found[: query.limit], len(found) <= query.limit
        return answers.Rooms(
            tuple(
                answers.RoomInfo(room, people, self._hearers(room))
                for room, people in page
            ),
            hall.rooms,
            None if isLast else page[-1][0],
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
            self._factory.hall.rooms,
            self._settings,
            {"open_files": limit, "connections": connectionsWithin(limit)},
        )


def _audienceOf(to: str | To) -> Audience:
    if not isinstance(to, To):
        return TO_EVERYONE
    return toKey(to.key) if to.key is not UNSET else toRoom(str(to.room))
