"""Tests for L{gows.chat.audience}: whom a message is for."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.audience import (
    EVERYONE,
    TO_EVERYONE,
    Audience,
    isName,
    toKey,
    toRoom,
)
from gows.chat.message import Message
from gows.wire.backlog import Backlog
from gows.wire.fanout import FanOut
from gows.wire.frames import Compression, WireForm
from gows.wire.outbox import Outbox
from gows.wire.terms import Terms
from gows.wire.turn import Turn


class Peer:
    """Somebody who hears one audience."""

    def __init__(self, fanOut: FanOut, audience: Audience, terms: Terms) -> None:
        """Join it."""
        self.transport = StringTransport()
        fanOut.join(audience, WireForm(), Outbox(self.transport, self, terms))

    def readerStalled(self) -> None:
        """Never called here: everything is taken."""

    def missed(self, count: int) -> bytes | None:
        """Say nothing."""
        return None

    def sendingFailed(self, failure: Failure) -> None:
        """Fail the test."""
        failure.raiseException()


class AudienceTests(SynchronousTestCase):
    """Everyone is a room, too."""

    def test_everyone(self) -> None:
        """A message is for everyone unless it says otherwise; no room else hears it."""
        clock, backlog = Clock(), Backlog(1 << 30)
        turn = Turn(clock, 0, backlog)
        terms = Terms(turn, backlog, 1 << 30, "close", 0)
        fanOut = FanOut(turn, Compression())
        everyone, room = (
            Peer(fanOut, audience, terms)
            for audience in (TO_EVERYONE, toRoom("everyone"))
        )
        fanOut.deliver(Message.of("to all"))
        fanOut.deliver(Message.of("to some"), toRoom("everyone"))
        clock.advance(0)
        self.assertEqual(everyone.transport.value(), b"\x81\x06to all")
        self.assertEqual(room.transport.value(), b"\x81\x07to some")

    def test_kinds(self) -> None:
        """A person is not the room of the same name."""
        self.assertNotEqual(toRoom("alice"), toKey("alice"))
        self.assertEqual(toRoom(EVERYONE), TO_EVERYONE)

    def test_names(self) -> None:
        """A room's name is short, and needs no escaping anywhere."""
        for name in ("a", "A.b_c-9", "x" * 64):
            self.assertTrue(isName(name), name)
        for name in ("", "*", "a*", "a b", "a/b", "a:b", "ä", "x" * 65, "a\n", "\0"):
            self.assertFalse(isName(name), name)
