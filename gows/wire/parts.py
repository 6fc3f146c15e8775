"""What a chat is made of, made as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import UNSET
from twisted.internet.interfaces import IReactorTime

from gows.access.admission import Conditions
from gows.access.credentials import Credentials, TicketBook
from gows.access.origins import AllowedOrigins
from gows.chat.context import anonymousKey
from gows.chat.grant import Pass
from gows.chat.inbound import roomFor
from gows.counts import Counts
from gows.dialects.dialect import Rules
from gows.dialects.envelopes import MAX_DEPTH, Limits
from gows.settings import Settings
from gows.wire.backlog import Backlog
from gows.wire.compression import acceptDeflate
from gows.wire.fanout import FanOut
from gows.wire.frames import Compression
from gows.wire.hall import Hall
from gows.wire.terms import Terms
from gows.wire.turn import Turn

Verify = Callable[[str, float], Pass]


def optionsOf(settings: Settings) -> dict[str, Any]:
    """Make the options of Autobahn's."""
    return {
        "failByDrop": False,
        "echoCloseCodeReason": True,
        "maxMessagePayloadSize": roomFor(settings.maxMessageSize),
        "openHandshakeTimeout": settings.handshakeTimeout,
        "closeHandshakeTimeout": settings.closeTimeout,
        "autoPingInterval": settings.pingInterval,
        "autoPingTimeout": settings.pingTimeout,
        "perMessageCompressionAccept": acceptDeflate,
    }


def compressionOf(settings: Settings) -> Compression:
    """Make the way in which messages are compressed."""
    return Compression(settings.compressLevel, settings.compressThreshold)


def termsOf(settings: Settings, clock: IReactorTime, counts: Counts) -> Terms:
    """Make what all outboxes have in common."""
    backlog = Backlog(settings.backlogLimit)
    return Terms(
        Turn(clock, settings.maxDelay, backlog, counts),
        backlog,
        limit=settings.slowLimit,
        policy=settings.slowPolicy,
        sendBuffer=settings.sendBuffer,
    )


def hallOf(
    settings: Settings,
    turn: Turn,
    compression: Compression,
    clock: IReactorTime,
    counts: Counts,
) -> Hall:
    """Make a hall that nobody is in."""
    fanOut = FanOut(turn, compression, counts)
    return Hall(fanOut, compression, clock, settings.presenceLimit, counts)


def verifierOf(
    verify: Verify | None, now: Callable[[], float]
) -> Callable[[str], Pass] | None:
    """
    Make what reads a token as of now.

    @param verify: reads one at a time that it is told; L{None}: there are no tokens
    """
    return None if verify is None else partial(_verified, verify, now)


def _verified(verify: Verify, now: Callable[[], float], token: str) -> Pass:
    return verify(token, now())


def rulesOf(
    settings: Settings, verify: Callable[[str], Pass] | None, now: Callable[[], float]
) -> Rules:
    """Make what all conversations have in common."""
    limits = Limits(
        messageSize=settings.maxMessageSize,
        rooms=settings.maxRooms,
        depth=MAX_DEPTH,
        errors=settings.maxErrors,
        presence=settings.presenceLimit,
        rate=settings.rate or UNSET,
        byteRate=settings.byteRate or UNSET,
    )
    return Rules(limits, verify, now)


def conditionsOf(settings: Settings, isExempt: Callable[[str], bool]) -> Conditions:
    """
    Make the conditions on which openings are let in.

    @param isExempt: tells for which addresses what is per address does not hold
    """
    return Conditions(
        AllowedOrigins(settings.origin),
        settings.duplicate,
        settings.maxConnections,
        settings.maxPerAddress,
        settings.openRate,
        isExempt,
        anonymousKey if settings.anonymous else None,
    )


def credentialsOf(
    verify: Callable[[str], Pass] | None, tickets: TicketBook
) -> Credentials | None:
    """Make what finds out who somebody is; L{None}: URLs are believed."""
    return None if verify is None else Credentials(verify, tickets)
