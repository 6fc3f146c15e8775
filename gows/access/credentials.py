"""Where an opening may carry a token or a ticket, and whom that names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from gows.access.request import RequestHead
from gows.chat.grant import Pass
from gows.errors import Refusal

TOKEN_PROTOCOL: Final = "gows.token."
"""What a token in C{Sec-WebSocket-Protocol} begins with: browsers send no headers."""

NO_TICKET: Final = "The ticket is unknown, spent, or too old."
"""What an opening is told whose ticket is worth nothing."""

_BEARER: Final = "bearer "
MISSING: Final = (
    "A token is missing: this server asks for one, in Authorization: Bearer, as the "
    "subprotocol gows.token.TOKEN, in ?token=, or a ?ticket=."
)
"""What an opening without a token is told."""


class TicketBook(Protocol):
    """What credentials ask of tickets."""

    def redeem(self, ticket: str) -> Awaitable[Pass | None]:
        """Spend a ticket; L{None}: it is none, or it was spent."""

    def look(self, ticket: str) -> Awaitable[Pass | None]:
        """Tell what L{redeem} would answer."""


class Credentials:
    """
    Finds out who somebody is.

    A token is looked for in C{Authorization}, among the subprotocols, in C{?token=};
    without one, a ticket in C{?ticket=}. The first that is there counts.
    """

    def __init__(self, verify: Callable[[str], Pass], tickets: TicketBook) -> None:
        """
        Read tokens and tickets.

        @param verify: raises L{Refusal} for a token that is no good
        """
        self._verify = verify
        self._tickets = tickets

    async def passOf(
        self, head: RequestHead, parameters: dict[str, str]
    ) -> tuple[Pass, str]:
        """
        Tell who somebody is and what they may do.

        @param parameters: the URL's; token and ticket are taken out of it
        @return: that, and the ticket that says so, which is to be spent; empty: none
        @raise Refusal: 401; 400 for more than one C{Authorization}
        """
        inURL = parameters.pop("token", "")
        ticket = parameters.pop("ticket", "")
        token = _inHeader(head) or _inProtocols(head) or inURL
        if token:
            return self._verify(token), ""
        if not ticket:
            raise _unauthorized(MISSING)
        pass_ = await self._tickets.look(ticket)
        if pass_ is None:
            raise _unauthorized(NO_TICKET)
        return pass_, ticket

    async def spend(self, ticket: str) -> None:
        """
        Spend a ticket, if there is one.

        @raise Refusal: 401, if another was faster
        """
        if ticket and await self._tickets.redeem(ticket) is None:
            raise _unauthorized(NO_TICKET)


def _inHeader(head: RequestHead) -> str:
    values = head.values("authorization")
    if len(values) > 1:
        raise Refusal(400, "The Authorization header is given more than once.")
    bearers = [value for value in values if value.lower().startswith(_BEARER)]
    return bearers[0][len(_BEARER) :].strip() if bearers else ""


def _inProtocols(head: RequestHead) -> str:
    for name in head.subprotocols:
        if name.startswith(TOKEN_PROTOCOL):
            return name.removeprefix(TOKEN_PROTOCOL)
    return ""


def _unauthorized(text: str) -> Refusal:
    return Refusal(401, text, WWW_Authenticate='Bearer realm="gows"')
