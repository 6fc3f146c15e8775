"""Tests for L{gows.wire.group}: those who hear one audience in one wire form."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gows.wire import group as groups
from gows.wire.backlog import Backlog
from gows.wire.batch import Batch
from gows.wire.group import Group
from gows.wire.line import Part
from gows.wire.outbox import Outbox
from gows.wire.terms import Terms
from gows.wire.turn import Turn

PROPERTY = settings(max_examples=300, deadline=None, database=None, derandomize=True)

STEPS = st.tuples(
    st.sampled_from(
        ["gather", "gather", "send", "add", "remove", "catchUp", "setApart", "slow"]
    ),
    st.integers(0, 3),
)
"""What may happen, and to whom of four."""


class Silent:
    """A connection to which nothing happens."""

    def readerStalled(self) -> None:
        """Never called here."""

    def missed(self, count: int) -> bytes | None:
        """Say nothing."""
        return None

    def sendingFailed(self, failure: Failure) -> None:
        """Never called here."""


class Member(Outbox):
    """
    An outbox with a plain socket, as it seems.

    @ivar got: what it was sent, directly
    @ivar room: how many bytes it takes at a time; an exception: raised instead
    """

    def __init__(self, isDirect: bool = True) -> None:
        """
        Open.

        @param isDirect: whether it can be sent to directly
        """
        backlog = Backlog(1 << 30)
        terms = Terms(Turn(Clock(), 0, backlog), backlog, 1 << 30, "close", 0)
        super().__init__(StringTransport(), Silent(), terms)
        self.got: list[bytes] = []
        self.room: int | OSError = 1 << 30
        self.turnDirect(isDirect)

    def turnDirect(self, isDirect: bool) -> None:
        """Have it be sent to directly from now on, or not."""
        self.direct = self._take if isDirect else None

    def _take(self, data: Part) -> int:
        if isinstance(self.room, OSError):
            raise self.room
        taken = bytes(data[: self.room])
        self.got.append(taken)
        return len(taken)


def members(group: Group, count: int = 2) -> list[Member]:
    """Let some in who can be sent to directly."""
    some = [Member() for _ in range(count)]
    for member in some:
        group.add(member)
    return some


class ReadyTests(SynchronousTestCase):
    """Who has nothing else to be sent is sent to at once."""

    def test_one(self) -> None:
        """One frame leaves as it is: all are sent the very same bytes."""
        group, frame = Group(), bytes(range(100))
        a, b = members(group)
        group.gather(frame)
        self.assertEqual((a.got, b.got), ([], []))
        self.assertEqual(group.send(), ({}, {}))
        self.assertIs(a.got[0], frame)
        self.assertIs(b.got[0], frame)
        self.assertEqual((len(a.got), len(b.got)), (1, 1))

    def test_several(self) -> None:
        """Several frames are joined once for all, and leave with one call each."""
        group = Group()
        a, b = members(group)
        group.gather(b"1")
        group.gather(b"2")
        self.assertEqual(group.send(), ({}, {}))
        self.assertEqual((a.got, b.got), ([b"12"], [b"12"]))
        self.assertIs(a.got[0], b.got[0])

    def test_anew(self) -> None:
        """What was sent is not sent again."""
        group = Group()
        [a] = members(group, 1)
        for frame in (b"1", b"2"):
            group.gather(frame)
            group.send()
        self.assertEqual(a.got, [b"1", b"2"])

    def test_short(self) -> None:
        """Who does not take everything is named, and the others are sent to."""
        group = Group()
        some, none, all_, gone = members(group, 4)
        some.room, none.room, gone.room = 2, BlockingIOError(), ConnectionResetError()
        last = members(group, 1)[0]
        group.gather(b"abc")
        owed, short = group.send()
        self.assertEqual(owed, {})
        self.assertEqual(set(short), {some, none, gone})
        self.assertEqual((short[some][1], short[none][1]), (2, 0))
        self.assertIs(short[gone][1], gone.room)
        self.assertEqual({batch.data for batch, _ in short.values()}, {b"abc"})
        self.assertEqual(len({id(batch) for batch, _ in short.values()}), 1)
        self.assertEqual((all_.got, last.got), ([b"abc"], [b"abc"]))

    def test_counts(self) -> None:
        """It is known how much is gathered now, and how many messages were in all."""
        group = Group()
        for frame in (b"abc", b"de"):
            group.gather(frame)
        self.assertEqual((group.size, group.count), (5, 2))
        self.assertEqual(group.frames, [b"abc", b"de"])
        group.send()
        self.assertEqual((group.size, group.count, group.frames), (0, 2, []))
        group.gather(b"f")
        self.assertEqual((group.size, group.count), (1, 3))


class OthersTests(SynchronousTestCase):
    """Who has had a part already, or is slow, is owed what it has not had."""

    def owed(self, group: Group) -> dict[groups.Member, bytes]:
        """Send, and answer what others are owed."""
        owed, short = group.send()
        self.assertEqual(short, {})
        return {outbox: batch.data for outbox, batch in owed.items()}

    def test_later(self) -> None:
        """Who comes later does not get what was gathered before, but all from then."""
        group = Group()
        group.gather(b"1")
        [late] = members(group, 1)
        group.gather(b"2")
        self.assertEqual(self.owed(group), {late: b"2"})
        group.gather(b"3")
        self.assertEqual(self.owed(group), {})
        self.assertEqual(late.got, [b"3"])

    def test_tooLate(self) -> None:
        """Who comes after the last frame is owed nothing of this turn."""
        group = Group()
        group.gather(b"1")
        [late] = members(group, 1)
        self.assertEqual(self.owed(group), {})
        self.assertEqual(late.got, [])

    def test_indirect(self) -> None:
        """Who cannot be sent to directly is owed everything, each time."""
        group, member = Group(), Member(isDirect=False)
        group.add(member)
        for frame in (b"1", b"2"):
            group.gather(frame)
            self.assertEqual(self.owed(group), {member: frame})

    def test_setApart(self) -> None:
        """Who is set apart is owed everything this time, and is ready the next."""
        group = Group()
        apart, ready = members(group)
        group.gather(b"1")
        group.setApart(apart)
        group.setApart(apart)
        group.gather(b"2")
        self.assertEqual(self.owed(group), {apart: b"12"})
        group.gather(b"3")
        self.assertEqual(self.owed(group), {})
        self.assertEqual((apart.got, ready.got), ([b"3"], [b"12", b"3"]))

    def test_catchUp(self) -> None:
        """Who catches up is handed what it has not had, and owed only the rest."""
        group = Group()
        [member] = members(group, 1)
        group.gather(b"1")
        group.gather(b"2")
        self.assertEqual(dataOf(group.catchUp(member)), b"12")
        self.assertIsNone(group.catchUp(member))
        group.gather(b"3")
        self.assertEqual(dataOf(group.catchUp(member)), b"3")
        group.gather(b"4")
        self.assertEqual(self.owed(group), {member: b"4"})
        self.assertEqual(member.got, [])

    def test_moreBehind(self) -> None:
        """What comes behind what one has caught up with is sent to the others, too."""
        group = Group()
        early, ready = members(group)
        group.gather(b"1")
        self.assertEqual(dataOf(group.catchUp(early)), b"1")
        group.gather(b"2")
        self.assertEqual(self.owed(group), {early: b"2"})
        self.assertEqual((early.got, ready.got), ([], [b"12"]))

    def test_nothingToCatchUp(self) -> None:
        """Who catches up where nothing is gathered stays ready."""
        group = Group()
        [member] = members(group, 1)
        self.assertIsNone(group.catchUp(member))
        group.gather(b"1")
        self.assertEqual(self.owed(group), {})
        self.assertEqual(member.got, [b"1"])

    def test_shared(self) -> None:
        """Those who are owed the same share it; with the ready ones, too."""
        group = Group()
        a, b, short = members(group, 3)
        short.room = 1
        group.setApart(a)
        group.gather(b"12")
        group.setApart(b)
        late, later = Member(), Member()
        group.add(late)
        group.add(later)
        group.gather(b"3")
        owed, notTaken = group.send()
        self.assertIs(owed[a], owed[b])
        self.assertIs(notTaken[short][0], owed[a])
        self.assertIs(owed[late], owed[later])
        self.assertEqual((owed[a].data, owed[late].data), (b"123", b"3"))

    def test_fromNowOnIndirect(self) -> None:
        """Who is slow is owed everything until it is ready again."""
        group = Group()
        [member] = members(group, 1)
        group.setApart(member)
        member.turnDirect(False)
        for frame in (b"1", b"2"):
            group.gather(frame)
            self.assertEqual(self.owed(group), {member: frame})
        member.turnDirect(True)
        group.gather(b"3")
        self.assertEqual(self.owed(group), {member: b"3"})
        group.gather(b"4")
        self.assertEqual(self.owed(group), {})
        self.assertEqual(member.got, [b"4"])


class LeaveTests(SynchronousTestCase):
    """Who goes hears nothing more, wherever it was."""

    def test_each(self) -> None:
        """Ready ones, those apart, and those that have had nothing or something."""
        group = Group()
        ready, apart = members(group)
        indirect = Member(isDirect=False)
        group.add(indirect)
        group.setApart(apart)
        group.gather(b"1")
        late = members(group, 1)[0]
        left: list[Outbox] = [ready, apart, indirect, late]
        for number, member in enumerate(left):
            self.assertGreater(len(group), 0, number)
            group.remove(member)
        self.assertEqual(len(group), 0)
        group.gather(b"2")
        self.assertEqual(group.send(), ({}, {}))
        self.assertEqual((ready.got, apart.got, late.got), ([], [], []))


def dataOf(batch: Batch | None) -> bytes:
    """Answer what was handed out; nothing is an error."""
    assert batch is not None
    return batch.data


class Room:
    """A group, its members, and what each should have got."""

    def __init__(self) -> None:
        """Begin with half of them inside."""
        self.group = Group()
        self.members = [Member() for _ in range(4)]
        self.inside: set[Member] = set()
        self.due: dict[Member, list[bytes]] = {member: [] for member in self.members}
        self._numbers = count()
        for member in self.members[:2]:
            self.add(member)

    def gather(self, _: Member) -> None:
        """Have a message be sent."""
        frame = next(self._numbers).to_bytes(2, "big")
        self.group.gather(frame)
        for member in self.inside:
            self.due[member].append(frame)

    def send(self, _: Member) -> None:
        """Send to everybody what there is."""
        if not self.group.frames:
            return
        owed, short = self.group.send()
        assert not short
        for outbox, batch in owed.items():
            assert isinstance(outbox, Member)
            outbox.got.append(batch.data)

    def add(self, member: Member) -> None:
        """Let somebody in."""
        if member not in self.inside:
            self.inside.add(member)
            self.group.add(member)

    def remove(self, member: Member) -> None:
        """Let somebody go, who is handed what it is owed."""
        if member in self.inside:
            self.catchUp(member)
            self.inside.remove(member)
            self.group.remove(member)

    def catchUp(self, member: Member) -> None:
        """Hand somebody what it is owed."""
        if member in self.inside:
            batch = self.group.catchUp(member)
            if batch is not None:
                member.got.append(batch.data)

    def setApart(self, member: Member) -> None:
        """Set somebody apart."""
        if member in self.inside:
            self.group.setApart(member)

    def slow(self, member: Member) -> None:
        """Have somebody be slow, or not any more."""
        self.setApart(member)
        member.turnDirect(member.direct is None)


class AnythingTests(SynchronousTestCase):
    """Whatever happens, nobody misses or doubles a message."""

    @PROPERTY
    @given(st.lists(STEPS, max_size=40))
    def test_messages(self, steps: list[tuple[str, Any]]) -> None:
        """Each gets each message that came while it was a member once, in order."""
        room = Room()
        for name, number in steps:
            getattr(room, name)(room.members[number])
        for member in room.members:
            room.send(member)
            self.assertEqual(b"".join(member.got), b"".join(room.due[member]))
        self.assertEqual(len(room.group), len(room.inside))
