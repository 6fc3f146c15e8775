"""The calls of the operators' API: the table."""

from __future__ import annotations

from gows.chat.audience import EVERYONE, NAME_RULE, isName
from gows.errors import TooMany
from gows.journal import Journal
from gows.web import apianswers as answers
from gows.web import apirequests as requests
from gows.web.answers import Problem
from gows.web.calls import Asked, Call
from gows.web.operations import Operations


def callsOf(operations: Operations, journal: Journal) -> tuple[Call, ...]:
    """Make all calls, carried out by what operates the server."""
    calls = _Calls(operations, journal)
    return (
        Call(
            "POST",
            "/api/publish",
            "Say something to everyone, a room, or a person.",
            calls.publish,
            answers=answers.Published,
            takes=requests.Publish,
            isIdempotent=True,
        ),
        Call(
            "POST",
            "/api/publish/batch",
            "Say several things, in this order.",
            calls.publishBatch,
            answers=answers.BatchPublished,
            takes=requests.Batch,
            isIdempotent=True,
        ),
        Call(
            "POST",
            "/api/disconnect",
            "Close the connections of a person, or one.",
            calls.disconnect,
            answers=answers.Disconnected,
            takes=requests.Disconnect,
        ),
        Call(
            "GET",
            "/api/connections",
            "List connections, the oldest first.",
            calls.connections,
            answers=answers.Connections,
            asks=requests.ConnectionsQuery,
        ),
        Call(
            "GET",
            "/api/top",
            "List the connections of which something is the largest.",
            calls.top,
            answers=answers.Top,
            asks=requests.TopQuery,
        ),
        Call(
            "GET",
            "/api/rooms",
            "List the rooms in which there is somebody.",
            calls.rooms,
            answers=answers.Rooms,
            asks=requests.RoomsQuery,
        ),
        Call(
            "GET",
            "/api/rooms/{name}",
            "List the people in a room.",
            calls.room,
            answers=answers.Presence,
            asks=requests.RoomQuery,
        ),
        Call(
            "POST",
            "/api/tickets",
            "Make a ticket, with which somebody comes in, once, within 30 seconds.",
            calls.mint,
            answers=answers.Ticket,
            takes=requests.NewTicket,
        ),
        Call(
            "GET",
            "/api/info",
            "Tell what this server is, and how it is set.",
            calls.info,
            answers=answers.Info,
        ),
    )


class _Calls:
    """Reads what is asked, and has it carried out."""

    def __init__(self, operations: Operations, journal: Journal) -> None:
        self._operations = operations
        self._journal = journal

    def publish(self, asked: Asked) -> answers.Published:
        return self._operations.publish(asked.body)

    def publishBatch(self, asked: Asked) -> answers.BatchPublished:
        publish = self._operations.publish
        return answers.BatchPublished(tuple(map(publish, asked.body.messages)))

    async def disconnect(self, asked: Asked) -> answers.Disconnected:
        answer = await self._operations.disconnect(asked.body)
        name, address = asked.operator
        self._journal.operatorDisconnected(name, address, answer.connections)
        return answer

    async def connections(self, asked: Asked) -> answers.Connections:
        return await self._operations.connections(asked.query)

    async def top(self, asked: Asked) -> answers.Top:
        return await self._operations.top(asked.query)

    def rooms(self, asked: Asked) -> answers.Rooms:
        return self._operations.rooms(asked.query)

    def room(self, asked: Asked) -> answers.Presence:
        if asked.name != EVERYONE and not isName(asked.name):
            raise Problem(404, "not_found", f"A room's name is {NAME_RULE}, or *.")
        return self._operations.room(asked.name, asked.query)

    async def mint(self, asked: Asked) -> answers.Ticket:
        try:
            return await self._operations.mint(asked.body)
        except TooMany:
            raise Problem(503, "too_many", "Too many tickets are unused.") from None

    def info(self, asked: Asked) -> answers.Info:
        return self._operations.info()
