"""Whether an opening is let in: the one place that decides."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, Final, Literal, NamedTuple

import msgspec

from gows.access.credentials import Credentials
from gows.access.origins import AllowedOrigins
from gows.access.rates import AddressRates, networkOf
from gows.access.request import OpeningRequest, RequestHead
from gows.chat.audience import EVERYONE
from gows.chat.context import Context, contextOf, parseQuery
from gows.chat.grant import NOTHING
from gows.chat.registry import Registry
from gows.eager import toItsEnd
from gows.errors import Refusal
from gows.interfaces import Holder, ILedger, IRequest

DuplicatePolicy = Literal["replace", "refuse", "allow"]

RETRY_AFTER: Final = "2"
"""Seconds after which a full or stopping server is asked again."""


class Conditions(NamedTuple):
    """
    On what openings are let in.

    @ivar origins: the web pages that may connect
    @ivar duplicate: what happens when a key connects that is held
    @ivar maxConnections: 0: no limit
    @ivar maxPerAddress: the same for each address; IPv6 ones count by their network
    @ivar openRate: openings a second of each address; 0: no limit
    @ivar isExempt: tells for which addresses the last two do not hold
    @ivar newKey: makes a specialKey for who has none; L{None}: refused
    """

    origins: AllowedOrigins
    duplicate: DuplicatePolicy = "replace"
    maxConnections: int = 0
    maxPerAddress: int = 0
    openRate: float = 0.0
    isExempt: Callable[[str], bool] = lambda _: False
    newKey: Callable[[], str] | None = None


class Admission:
    """
    Decides on openings, for those that come and for those that only ask.

    @ivar draining: set when the server is stopping; nobody is let in any more
    """

    def __init__(
        self,
        onConnect: Callable[
            [IRequest], Context | Refusal | Awaitable[Context | Refusal]
        ],
        registry: Registry[Any],
        ledger: ILedger,
        conditions: Conditions,
        *,
        credentials: Credentials | None,
        now: Callable[[], float],
    ) -> None:
        """
        Decide on these conditions.

        @param onConnect: the application's word; it has the last one on who comes
        @param registry: who is here
        @param ledger: who holds which key, and how many there are of an address
        @param credentials: finds out who somebody is; L{None}: URLs are believed
        @param now: the time in seconds
        """
        self.draining = False
        self._onConnect = onConnect
        self._registry = registry
        self._ledger = ledger
        self._conditions = conditions
        self._credentials = credentials
        self._rates = AddressRates(conditions.openRate)
        self._now = now

    async def admit(
        self,
        head: RequestHead,
        address: str,
        origin: str | None,
        holder: Holder | None = None,
    ) -> Context:
        """
        Decide on one opening.

        Whoever is let in registers before anything else happens in the reactor, and
        calls L{vacate} and L{leave} once it is gone, or if it was gone already.

        @param address: the client's own
        @param origin: its Origin header
        @param holder: who will hold the key; L{None}: it only asks
        @return: who comes in
        @raise Refusal: with the status and text that the client shall get
        """
        self._checkOpen()
        self._checkPace(address)
        self._conditions.origins.check(origin)
        asked, ticket = await self._contextOf(head)
        request = OpeningRequest(asked, head, address, origin, isCheck=holder is None)
        answer = self._onConnect(request)
        if not isinstance(answer, Context | Refusal) and isawaitable(answer):
            answer = await answer
        context = self._settled(answer, asked)
        self._checkOpen()
        await self._claim(context.key, address, holder, ticket)
        return context

    async def vacate(self, key: str, holder: Holder) -> None:
        """Have a holder hold a key no more."""
        if self._conditions.duplicate != "allow":
            await self._ledger.release(key, holder)

    async def leave(self, address: str) -> None:
        """Take note that a connection of an address is gone."""
        if self._limitFor(address):
            await self._ledger.leave(_nameOf(address))

    async def _contextOf(self, head: RequestHead) -> tuple[Context, str]:
        parameters = parseQuery(head.query)
        pass_, ticket = None, ""
        if self._credentials is not None:
            pass_, ticket = await self._credentials.passOf(head, parameters)
        return contextOf(parameters, self._conditions.newKey, pass_), ticket

    def _settled(self, answer: object, asked: Context) -> Context:
        if isinstance(answer, Refusal):
            raise answer
        if not isinstance(answer, Context):
            raise TypeError(
                "onConnect must answer a Context or a Refusal, not "
                f"{type(answer).__name__}"
            )
        if answer is not asked:
            grant = asked.grant if answer.grant is NOTHING else answer.grant
            answer = msgspec.structs.replace(answer, grant=grant, pass_=asked.pass_)
        grant, room = answer.grant, answer.room
        if room != EVERYONE and not (grant.mayRead(room) or grant.mayWrite(room)):
            raise Refusal(403, "The token does not allow this room.")
        return answer

    def _checkOpen(self) -> None:
        if self.draining:
            raise Refusal(
                503, "The server is stopping: try again.", Retry_After=RETRY_AFTER
            )

    def _checkPace(self, address: str) -> None:
        if not self._conditions.openRate or self._conditions.isExempt(address):
            return
        if wait := self._rates.take(address, self._now()):
            raise Refusal(
                429,
                "Too many openings came from this address: try again later.",
                Retry_After=str(math.ceil(wait)),
            )

    async def _claim(
        self, key: str, address: str, holder: Holder | None, ticket: str
    ) -> None:
        """Take what there is once or a few times only: space, places, the key."""
        ledger, duplicate = self._ledger, self._conditions.duplicate
        isTaken = duplicate != "allow" and await ledger.isHeld(key)
        if isTaken and duplicate == "refuse":
            raise _taken()
        limit = self._conditions.maxConnections
        if 0 < limit <= len(self._registry) and not isTaken:
            raise Refusal(
                503, "The server is full: try again later.", Retry_After=RETRY_AFTER
            )
        places = self._placesFor(address, key if isTaken else None)
        if holder is None:
            if places and await ledger.count(_nameOf(address)) >= places:
                raise _tooMany()
            return
        if places:
            entering = ledger.enter(_nameOf(address), places)
            if not await toItsEnd(entering, lambda: self.leave(address)):
                raise _tooMany()
        isIn = False
        try:
            if self._credentials is not None:
                await self._credentials.spend(ticket)
            await self._hold(key, holder)
            if self.draining:  # since it was asked last
                await self.vacate(key, holder)
            self._checkOpen()
            isIn = True
        finally:
            if not isIn:
                await self.leave(address)

    async def _hold(self, key: str, holder: Holder) -> None:
        duplicate = self._conditions.duplicate
        if duplicate == "allow":
            return
        holding = self._ledger.hold(key, holder, duplicate == "replace")
        if not await toItsEnd(holding, lambda: self.vacate(key, holder)):
            raise _taken()

    def _placesFor(self, address: str, taken: str | None) -> int:
        """
        Say how many an address may have; 0: there is no limit.

        @param taken: a key that is held: one of the address's own may be replaced
        """
        limit = self._limitFor(address)
        if not limit or taken is None:
            return limit
        addresses = [one.address for one in self._registry.holders(taken)] or [address]
        return limit + (networkOf(address) in map(networkOf, addresses))

    def _limitFor(self, address: str) -> int:
        limit = self._conditions.maxPerAddress
        return 0 if limit and self._conditions.isExempt(address) else limit


def _nameOf(address: str) -> str:
    return f"address:{networkOf(address)}"


def _taken() -> Refusal:
    return Refusal(409, "This specialKey is connected already.")


def _tooMany() -> Refusal:
    return Refusal(
        429,
        "Too many connections are open from this address: close some, or try later.",
        Retry_After=RETRY_AFTER,
    )
