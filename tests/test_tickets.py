"""Tests for L{gows.access.tickets}: tickets that let in once."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.access.ledger import MemoryLedger
from gows.access.tickets import LIFETIME, Tickets
from gows.chat.audience import isName
from gows.chat.grant import NO_LIMITS, RIGHTS, Grant, Pass, RoomRights
from gows.eager import started
from tests.test_reading import VALUES

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)

NAMES = st.from_regex(r"\A[A-Za-z0-9._-]{1,64}\Z").filter(isName)
ROOMS = st.dictionaries(
    NAMES | NAMES.map(lambda name: f"{name}*".replace("**", "*")) | st.just("*"),
    st.sampled_from(RIGHTS),
)


class TicketsTests(SynchronousTestCase):
    """A ticket stands for who somebody is and what they may do."""

    def setUp(self) -> None:
        """Begin with no tickets."""
        self.clock = Clock()
        self.tickets = Tickets(MemoryLedger(self.clock))

    def mint(self, pass_: Pass) -> str:
        """Have a ticket made."""
        ticket = started(self.tickets.mint(pass_))
        assert isinstance(ticket, str)
        return ticket

    def redeem(self, ticket: str) -> Any:
        """Use a ticket."""
        return started(self.tickets.redeem(ticket))

    def look(self, ticket: str) -> Any:
        """Ask what a ticket is worth."""
        return started(self.tickets.look(ticket))

    def test_once(self) -> None:
        """It lets in once; to ask what it is worth does not use it."""
        alice = Pass("alice", NO_LIMITS, "phone")
        ticket = self.mint(alice)
        for _ in range(2):
            self.assertEqual(self.look(ticket), alice)
        self.assertEqual(self.redeem(ticket), alice)
        self.assertIsNone(self.redeem(ticket))
        self.assertIsNone(self.look(ticket))

    def test_lifetime(self) -> None:
        """It is good for thirty seconds."""
        first, second = (self.mint(Pass("a", NO_LIMITS)) for _ in range(2))
        self.clock.advance(LIFETIME - 0.1)
        self.assertIsNotNone(self.redeem(first))
        self.clock.advance(0.1)
        self.assertIsNone(self.redeem(second))

    def test_random(self) -> None:
        """It is 256 random bits that may stand in a URL, no two are alike."""
        tickets = [self.mint(Pass("a", NO_LIMITS)) for _ in range(100)]
        self.assertEqual(len(set(tickets)), 100)
        for ticket in tickets:
            self.assertRegex(ticket, r"\A[A-Za-z0-9_-]{43}\Z")
        # Each place of one bit or another differs among so many.
        for place in range(42):
            self.assertGreater(len({ticket[place] for ticket in tickets}), 10)

    def test_noTicket(self) -> None:
        """What is no ticket is worth nothing."""
        ticket = self.mint(Pass("a", NO_LIMITS))
        other = ("A" if ticket[0] != "A" else "B") + ticket[1:]
        for text in (
            "",
            "x",
            ticket + "=",
            ticket[:-1],
            other,
            "é" * 43,
            "a" * 100_000,
        ):
            self.assertIsNone(self.redeem(text))
            self.assertIsNone(self.look(text))

    def test_digest(self) -> None:
        """The ledger does not know the ticket."""
        ledger = MemoryLedger(self.clock)
        self.tickets = Tickets(ledger)
        ticket = self.mint(Pass("a", NO_LIMITS))
        kept = ledger._shelves["ticket"]._kept
        self.assertEqual(len(kept), 1)
        self.assertNotIn(ticket, repr(kept))

    @PROPERTY
    @given(st.none() | ROOMS, st.booleans(), st.none() | st.floats(0, 1e10), VALUES)
    def test_whole(
        self,
        rooms: dict[str, str] | None,
        direct: bool,
        expires: float | None,
        app: Any,
    ) -> None:
        """Nothing of what it stands for is lost."""
        rights = None if rooms is None else RoomRights.of(rooms)
        pass_ = Pass("Zoë: *", Grant(rights, direct, expires, app))
        self.assertEqual(self.redeem(self.mint(pass_)), pass_)
