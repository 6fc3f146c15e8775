"""Tests for L{gows.wire.parts}: what a chat is made of is as the settings say."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory
from msgspec import UNSET
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.access.ledger import MemoryLedger
from gows.access.request import RequestHead
from gows.access.tickets import Tickets
from gows.chat.audience import EVERYONE
from gows.chat.context import Context
from gows.chat.grant import Grant, Pass
from gows.chat.message import Message
from gows.counts import Counts
from gows.dialects.envelopes import MAX_DEPTH, Limits
from gows.eager import started
from gows.errors import Refusal
from gows.settings import Settings
from gows.wire.compression import acceptDeflate
from gows.wire.frames import WireForm, frameOf
from gows.wire.parts import (
    compressionOf,
    conditionsOf,
    credentialsOf,
    hallOf,
    optionsOf,
    rulesOf,
    termsOf,
    verifierOf,
)
from gows.wire.terms import Terms
from tests.memory import opening
from tests.outboxes import Peer


class OptionsTests(SynchronousTestCase):
    """Autobahn keeps to what the settings say."""

    def test_timeouts(self) -> None:
        """It has its times, and checks what is offered with permessage-deflate."""
        factory = WebSocketServerFactory(reactor=Clock())
        settings = Settings(
            handshakeTimeout=1.5, closeTimeout=2.5, pingInterval=3.5, pingTimeout=4.5
        )
        factory.setProtocolOptions(**optionsOf(settings))
        self.assertEqual(factory.openHandshakeTimeout, 1.5)
        self.assertEqual(factory.closeHandshakeTimeout, 2.5)
        self.assertEqual(factory.autoPingInterval, 3.5)
        self.assertEqual(factory.autoPingTimeout, 4.5)
        self.assertIs(factory.perMessageCompressionAccept, acceptDeflate)

    def test_size(self) -> None:
        """A message that is gzip may be longer on the wire than its text."""
        size = optionsOf(Settings(maxMessageSize=1000))["maxMessagePayloadSize"]
        self.assertIn(size, range(1001, 2000))


class TermsTests(SynchronousTestCase):
    """The settings say when outboxes send, and what may wait."""

    def test_settings(self) -> None:
        """Each is the one that the operator chose."""
        settings = Settings(slowLimit=2000, slowPolicy="latest", sendBuffer=3000)
        terms = termsOf(settings, Clock(), Counts())
        self.assertEqual(
            (terms.limit, terms.policy, terms.sendBuffer), (2000, "latest", 3000)
        )

    def test_backlogLimit(self) -> None:
        """The turn relieves the backlog, down to the limit for all readers."""
        settings = Settings(backlogLimit=100_000)
        terms = termsOf(settings, Clock(), Counts())
        peers = [Peer(terms) for _ in range(2)]
        for peer in peers:
            peer.producer.pauseProducing()
            peer.outbox.write(bytes(60_000), isMessage=True)
        self.assertEqual([peer.stalls for peer in peers], [[], []])
        terms.turn.flush()
        self.assertEqual(sorted(peer.stalls for peer in peers), [[], [0]])
        self.assertLess(terms.backlog.size, 100_000)


class Speaker:
    """Somebody who can be in a hall."""

    def __init__(self, name: str, terms: Terms) -> None:
        """Be nowhere yet, and read permessage-deflate."""
        self.rooms: tuple[str, ...] = ()
        self.form = WireForm(windowBits=15)
        self.context = Context(name, False)
        self.peer = Peer(terms)
        self.outbox = self.peer.outbox


class HallTests(SynchronousTestCase):
    """The settings say how the hall speaks."""

    def setUp(self) -> None:
        """Have three people come where two are told who comes."""
        settings = Settings(presenceLimit=2, compressLevel=9, compressThreshold=10)
        clock, counts = Clock(), Counts()
        self.compression = compressionOf(settings)
        self.terms = termsOf(settings, clock, counts)
        self.hall = hallOf(settings, self.terms.turn, self.compression, clock, counts)
        self.people: list[Any] = [Speaker(name, self.terms) for name in "abc"]
        for person in self.people:
            self.hall.join(person, EVERYONE)

    def test_deliver(self) -> None:
        """It sends in the turn, compressed as it is told."""
        self.assertEqual(self.compression, (9, 10))
        messages = [Message(b"short"), Message(b"long" * 100)]
        for message in messages:
            self.hall.deliver(message)
        self.assertEqual(self.people[0].peer.sent, b"")
        self.terms.turn.flush()
        form = self.people[0].form
        frames = [frameOf(message, form, self.compression) for message in messages]
        self.assertEqual(self.people[0].peer.sent, b"".join(frames))
        self.assertLess(len(frames[1]), 100)

    def test_presence(self) -> None:
        """Where there are more people than the limit, it tells in numbers only."""
        self.assertIsNone(self.hall.who(EVERYONE).keys)
        self.hall.leave(self.people[0], EVERYONE)
        self.assertEqual(self.hall.who(EVERYONE).keys, ("b", "c"))


class RulesTests(SynchronousTestCase):
    """The settings say what clients of gows.v1 have to keep to."""

    def test_limits(self) -> None:
        """Each limit is the one that the operator chose."""
        settings = Settings(
            maxMessageSize=1,
            maxRooms=2,
            maxErrors=3,
            presenceLimit=4,
            rate=5,
            byteRate=6,
        )
        self.assertEqual(
            rulesOf(settings, None, Clock().seconds).limits,
            Limits(
                messageSize=1,
                rooms=2,
                depth=MAX_DEPTH,
                errors=3,
                presence=4,
                rate=5,
                byteRate=6,
            ),
        )

    def test_noRates(self) -> None:
        """A rate that is not limited is not told."""
        limits = rulesOf(Settings(rate=0, byteRate=0), None, Clock().seconds).limits
        self.assertEqual((limits.rate, limits.byteRate), (UNSET, UNSET))

    def test_verify(self) -> None:
        """A token is read as of now; where there are none, nothing reads them."""
        clock = Clock()
        clock.advance(7)

        def verify(token: str, now: float) -> Pass:
            return Pass(f"{token} at {now:g}", Grant())

        verifyNow = verifierOf(verify, clock.seconds)
        rules = rulesOf(Settings(), verifyNow, clock.seconds)
        assert rules.verify is not None
        self.assertEqual(rules.verify("a").specialKey, "a at 7")
        clock.advance(1)
        self.assertEqual(rules.verify("b").specialKey, "b at 8")
        self.assertIsNone(verifierOf(None, clock.seconds))


class CredentialsTests(SynchronousTestCase):
    """Tokens say who somebody is, where they are asked for."""

    def test_verify(self) -> None:
        """Where there are none, URLs are believed."""
        tickets = Tickets(MemoryLedger(Clock()))
        self.assertIsNone(credentialsOf(None, tickets))
        credentials = credentialsOf(lambda token: Pass(token, Grant()), tickets)
        assert credentials is not None
        head = RequestHead.parse(opening())
        found = started(credentials.passOf(head, {"token": "alice"}))
        self.assertEqual(found, (Pass("alice", Grant()), ""))


class ConditionsTests(SynchronousTestCase):
    """The settings say who is let in."""

    def test_settings(self) -> None:
        """Each condition is the one that the operator chose."""
        settings = Settings(
            origin=("https://app.example",),
            duplicate="refuse",
            maxConnections=1,
            maxPerAddress=2,
            openRate=3,
        )
        conditions = conditionsOf(settings, "::1".__eq__)
        conditions.origins.check("https://app.example")
        self.assertRaises(Refusal, conditions.origins.check, "https://other.example")
        self.assertEqual(conditions[1:5], ("refuse", 1, 2, 3))
        self.assertEqual(
            [conditions.isExempt(address) for address in ("::1", "::2")], [True, False]
        )

    def test_anonymous(self) -> None:
        """Who has no key gets one only where that is allowed."""
        newKeys = [
            conditionsOf(Settings(anonymous=anonymous), bool).newKey
            for anonymous in (False, True)
        ]
        self.assertIsNone(newKeys[0])
        assert newKeys[1] is not None
        self.assertNotEqual(newKeys[1](), newKeys[1]())
