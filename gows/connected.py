"""Who is connected, looked through while others are served."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, islice
from operator import attrgetter
from typing import Any, Final

from msgspec import UNSET

from gows.web import apianswers as answers
from gows.web import apirequests as requests
from gows.web.steps import inTurns
from gows.wire.hall import Hall
from gows.wire.protocol import GowsProtocol

_AT_ONCE: Final = 500
"""How many connections are looked at in a reactor turn: for 3 ms at the most."""

_FEW: Final = 2000
"""How many can be put in order in a reactor turn, within a millisecond."""

_number: Final = attrgetter("number")


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


class Connected:
    """Lists connections, and what is known of them."""

    def __init__(self, hall: Hall, reactor: Any) -> None:
        """List those in a hall."""
        self._hall = hall
        self._registry = hall.registry
        self._reactor = reactor

    async def page(self, query: requests.ConnectionsQuery) -> answers.Connections:
        """List connections, the oldest first; see L{gows.web.operations.Operations}."""
        registry = self._registry

        def isWanted(one: GowsProtocol) -> bool:
            return (
                (query.room is UNSET or query.room in one.rooms)
                and (query.address is UNSET or query.address == one.address)
                and one in registry
            )

        them = self._amongWhom(query)
        behind = them[bisect_right(them, query.after, key=_number) :]
        found: list[GowsProtocol] = []
        async for some in inTurns(self._reactor, behind, _AT_ONCE):
            found += islice(filter(isWanted, some), query.limit + 1 - len(found))
            if len(found) > query.limit:
                break
        page, isLast = found[: query.limit], len(found) <= query.limit
        return answers.Connections(
            await self._told(page, isWanted),
            len(registry),
            None if isLast else page[-1].number,
        )

    async def top(self, query: requests.TopQuery) -> answers.Top:
        """List those first of whom something is the largest."""
        registry = self._registry
        everybody = tuple(registry)
        largest: list[GowsProtocol] = []
        async for some in inTurns(self._reactor, everybody, _AT_ONCE):
            largest = heapq.nlargest(
                query.limit, (*largest, *some), key=_MEASURES[query.by]
            )
        them = await self._told(largest, registry.__contains__)
        return answers.Top(them, len(everybody))

    async def ofSession(self, session: str) -> tuple[GowsProtocol, ...]:
        """Look up the connection that a session is; there may be none."""
        registry = self._registry
        async for some in inTurns(self._reactor, tuple(registry), _AT_ONCE):
            for one in some:
                if one.session == session and one in registry:
                    return (one,)
        return ()

    def _amongWhom(self, query: requests.ConnectionsQuery) -> Sequence[GowsProtocol]:
        """
        Answer whom to look at, the oldest first.

        Those in a room are not in the order of their arrival: of few, it is found.
        """
        registry = self._registry
        if query.key is not UNSET:
            return registry.ofPerson(query.key)
        if query.room is not UNSET:
            people = map(registry.ofPerson, self._hall.keys(query.room))
            them = list(islice(chain.from_iterable(people), _FEW + 1))
            if len(them) <= _FEW:
                return sorted(them, key=_number)
        return tuple(registry)

    async def _told(
        self,
        them: Sequence[GowsProtocol],
        isWanted: Callable[[GowsProtocol], bool],
    ) -> tuple[answers.ConnectionInfo, ...]:
        """Tell what is known of those who are still wanted by then."""
        infos: list[answers.ConnectionInfo] = []
        now = self._reactor.seconds()
        async for some in inTurns(self._reactor, them, _AT_ONCE):
            infos += (_infoOf(one, now) for one in some if isWanted(one))
        return tuple(infos)


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
