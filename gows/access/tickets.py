"""One-time tickets: a backend has one made, and its client comes in with it."""

from __future__ import annotations

import re
import secrets
from hashlib import sha256
from typing import Any, Final

import msgspec

from gows.chat.grant import Grant, Pass, Rights, RoomRights
from gows.interfaces import ILedger

LIFETIME: Final = 30.0
"""Seconds in which a ticket has to be used."""

_BYTES: Final = 32  # 256 random bits
_TICKET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class _Kept(msgspec.Struct):
    """A L{Pass}, as it is kept."""

    specialKey: str
    device: str
    names: dict[str, Rights] | None
    prefixes: list[tuple[str, Rights]]
    direct: bool
    expires: float | None
    app: Any


class Tickets:
    """
    Makes tickets, and lets each be used once.

    What is kept of a ticket is its digest: who reads the ledger cannot use it, and how
    long a look takes tells nothing.
    """

    def __init__(self, ledger: ILedger) -> None:
        """Keep them in a ledger."""
        self._ledger = ledger

    async def mint(self, pass_: Pass) -> str:
        """
        Make a ticket.

        @param pass_: whom it lets in
        @return: 43 characters that may stand in a URL
        @raise gows.errors.TooMany: if too many are unused
        """
        ticket = secrets.token_urlsafe(_BYTES)
        await self._ledger.keep(_nameOf(ticket), _packed(pass_), LIFETIME)
        return ticket

    async def redeem(self, ticket: str) -> Pass | None:
        """Use a ticket; L{None}: it is none, or used, or too old."""
        if _TICKET.fullmatch(ticket) is None:
            return None
        return _unpacked(await self._ledger.take(_nameOf(ticket)))

    async def look(self, ticket: str) -> Pass | None:
        """Tell what L{redeem} would answer."""
        if _TICKET.fullmatch(ticket) is None:
            return None
        return _unpacked(await self._ledger.look(_nameOf(ticket)))


def _nameOf(ticket: str) -> str:
    return f"ticket:{sha256(ticket.encode()).hexdigest()}"


def _packed(pass_: Pass) -> bytes:
    grant = pass_.grant
    rooms = grant.rooms
    return msgspec.json.encode(
        _Kept(
            pass_.specialKey,
            pass_.device,
            None if rooms is None else dict(rooms.names),
            [] if rooms is None else list(rooms.prefixes),
            grant.direct,
            grant.expires,
            grant.app,
        )
    )


def _unpacked(value: bytes | None) -> Pass | None:
    if value is None:
        return None
    kept = msgspec.json.decode(value, type=_Kept)
    rooms = None
    if kept.names is not None:
        rooms = RoomRights.of(
            {**kept.names, **{f"{start}*": rights for start, rights in kept.prefixes}}
        )
    grant = Grant(rooms, kept.direct, kept.expires, kept.app)
    return Pass(kept.specialKey, grant, kept.device)
