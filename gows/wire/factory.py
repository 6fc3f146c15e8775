"""The chat: who is connected, and what goes to all of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolNegotiationFactory
from zope.interface import implementer

from gows.access.addresses import TrustedProxies
from gows.access.admission import Admission
from gows.access.ledger import MemoryLedger
from gows.access.rates import Meter
from gows.access.tickets import Tickets
from gows.chat.audience import Audience
from gows.chat.inbound import interpreterOf
from gows.chat.message import Message
from gows.counts import Counts
from gows.dialects import conversation
from gows.dialects.conversation import Conversation
from gows.dialects.dialect import Dialect
from gows.dialects.raw import Raw
from gows.eager import started
from gows.interfaces import IApplication, IChat, IConnection
from gows.journal import Journal
from gows.settings import Settings
from gows.wire.cuts import Cuts
from gows.wire.drain import Drain
from gows.wire.lean import withOptions
from gows.wire.parts import (
    Verify,
    compressionOf,
    conditionsOf,
    credentialsOf,
    hallOf,
    optionsOf,
    rulesOf,
    termsOf,
    verifierOf,
)
from gows.wire.protocol import GowsProtocol
from gows.wire.timers import Timers

if TYPE_CHECKING:
    from gows.web.site import PublicSite


@implementer(IChat, IProtocolNegotiationFactory)
class GowsFactory(WebSocketServerFactory):
    """
    Holds the keyed registry and broadcasts.

    @ivar registry: the open connections
    @ivar hall: who is in which room
    @ivar now: the time, in seconds since 1970
    @ivar application: whose callbacks are called
    @ivar admission: decides on openings
    @ivar ledger: what there is once
    @ivar tickets: let in once
    @ivar takesTickets: whether they are looked at: tokens are asked for
    @ivar site: answers plain HTTP requests
    @ivar proxies: finds out clients' own addresses
    @ivar journal: what happens is written there
    @ivar counts: what happens is counted there
    @ivar compression: how messages are compressed, where they are
    @ivar cuts: notices a proxy that cuts connections
    @ivar terms: what all connections' outboxes have in common
    @ivar interpret: makes a message of what came, or raises a L{MessageError}
    """

    protocol = GowsProtocol  # type: ignore[assignment]  # as Autobahn does itself
    noisy = False

    def __init__(
        self,
        settings: Settings,
        makeApplication: Callable[[IChat], IApplication],
        makeSite: Callable[[Admission], PublicSite],
        journal: Journal,
        reactor: object,
        *,
        verify: Verify | None = None,
        counts: Counts | None = None,
    ) -> None:
        """
        Make a chat that nobody is in.

        @param verify: reads a token at a time, or raises L{Refusal}; L{None}: there
            are no tokens
        @param counts: L{None}: new ones
        @param makeApplication: called once, with this factory
        @param makeSite: called once, with what decides on openings
        """
        super().__init__(server="gows", reactor=reactor)
        self.setProtocolOptions(**optionsOf(settings))
        # Autobahn has no option for it; TimersTests fail when the attribute moves.
        self._batched_timer = Timers(self.reactor)
        self.now: Callable[[], float] = self.reactor.seconds
        self.journal = journal
        self.counts = Counts() if counts is None else counts
        self.proxies = TrustedProxies(settings.trustedProxy)
        self.interpret = interpreterOf(settings.binary, settings.maxMessageSize)
        self.compression = compressionOf(settings)
        self.cuts = Cuts(
            self.reactor.seconds, partial(journal.proxyCuts, settings.pingInterval)
        )
        self.terms = termsOf(settings, self.reactor, self.counts)
        self.hall = hallOf(
            settings, self.terms.turn, self.compression, self.reactor, self.counts
        )
        self.registry = self.hall.registry
        self.ledger = MemoryLedger(self.reactor)
        self.tickets = Tickets(self.ledger)
        self.takesTickets = verify is not None
        verifyNow = verifierOf(verify, self.now)
        self._rules = rulesOf(settings, verifyNow, self.now)
        self._rates = settings.rate, settings.byteRate
        self._prefix = secrets.token_hex(4)
        self._accepted = count()
        self._opened = count(1)
        self.application = makeApplication(self)
        self.admission = Admission(
            self.application.onConnect,
            self.registry,
            self.ledger,
            conditionsOf(settings, self.proxies.isProxy),
            credentials=credentialsOf(verifyNow, self.tickets),
            now=self.now,
        )
        self.site = makeSite(self.admission)
        self._notGone: set[GowsProtocol] = set()
        self._drain: Drain | None = None
        self._isHurried = False

    def setProtocolOptions(  # type: ignore[override]  # it takes these, by name
        self, **options: Any
    ) -> None:
        """Set options of Autobahn's for connections that are made from now on."""
        super().setProtocolOptions(**options)
        self.protocol = withOptions(GowsProtocol, self)

    def acceptableProtocols(self) -> list[bytes]:
        """Name what is spoken, for TLS (ALPN): browsers offer HTTP/2 as well."""
        return [b"http/1.1"]

    def publish(self, message: Message) -> None:
        """See L{IChat.publish}."""
        self.hall.deliver(self.accept(message, message.audience))

    def accept(self, message: Message, audience: Audience) -> Message:
        """Give a message its id: from here on it is not lost."""
        payload, isBinary = message.payload, message.isBinary
        id = f"{self._prefix}{next(self._accepted):x}"
        time = int(self.now() * 1000)
        sender, data = message.sender, message.data
        return Message(payload, isBinary, audience, sender, data, id, time)

    def broadcast(self, payload: str | bytes, isBinary: bool = False) -> None:
        """See L{IChat.broadcast}."""
        self.publish(Message.of(payload, isBinary))

    def lookUp(self, key: str) -> tuple[IConnection, ...]:
        """See L{IChat.lookUp}."""
        return self.registry.holders(key)

    def connectionsOf(self, specialKey: str) -> tuple[IConnection, ...]:
        """See L{IChat.connectionsOf}."""
        return self.registry.ofPerson(specialKey)

    def dialectFor(self, connection: GowsProtocol) -> Dialect:
        """Make what a connection speaks, by the subprotocol that was agreed on."""
        if connection.websocket_protocol_in_use == conversation.NAME:
            return Conversation(connection, self.hall, self._rules)
        return Raw(connection)

    def newMeter(self) -> Meter | None:
        """Make what limits how much a connection sends, if that is limited."""
        rate, byteRate = self._rates
        return Meter(rate, byteRate) if rate or byteRate else None

    def register(self, connection: GowsProtocol) -> int:
        """Let a connection in that has just opened, and answer its number."""
        self.counts.came(connection.form.kind)
        self.hall.enter(connection)
        self._notGone.add(connection)
        return next(self._opened)

    def unregister(self, connection: GowsProtocol) -> None:
        """Let a connection go that is closing, if it is still here."""
        if self.hall.exit(connection):
            self.counts.left(connection.form.kind)
            self.vacate(connection, connection.context.key)

    def vacate(self, connection: GowsProtocol, key: str) -> None:
        """Have a connection hold its key no more."""
        self._see(self.admission.vacate(key, connection))

    def addressLeft(self, address: str) -> None:
        """Take note that a connection of an address is gone that was let in."""
        self._see(self.admission.leave(address))

    def _see(self, coroutine: Coroutine[Any, Any, None]) -> None:
        ended = started(coroutine)
        if ended is not None:
            ended.addErrback(self.journal.ledgerFailed)

    def forget(self, connection: GowsProtocol) -> None:
        """Take note that a connection is gone, and its last callback done."""
        self._notGone.discard(connection)
        if self._drain is not None:
            self._drain.connectionGone(connection)

    def busyFor(self) -> list[float]:
        """Answer how many seconds each callback has been running that is not done."""
        now, since = self.now(), (each.busySince for each in self._notGone)
        return [now - begun for begun in since if begun is not None]

    def drain(self, seconds: float) -> Deferred[None]:
        """
        Let nobody in any more, and close all connections; see L{Drain}.

        @param seconds: after so long those that have not closed are cut
        @return: fires when all are gone or cut
        """
        if self._drain is None:
            self.admission.draining = True
            self._drain = Drain(self._notGone, seconds, self.reactor, self.journal)
            if self._isHurried:
                self._drain.hurry()
        return self._drain.done

    def hurry(self) -> None:
        """Let a drain wait no longer, be it that it has not even begun."""
        self._isHurried = True
        if self._drain is not None:
            self._drain.hurry()
