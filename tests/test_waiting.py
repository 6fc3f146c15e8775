"""Tests for L{gows.wire.waiting}: what waits for one reader."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.wire.backlog import Backlog
from gows.wire.batch import Batch
from gows.wire.waiting import Waiting
from tests.memory import PING, PONG, TEXT, frame, framesOf

PROPERTY = settings(max_examples=400, deadline=None, database=None, derandomize=True)

ANY = 1 << 30

READERS = st.integers(0, 1)

STEPS = st.one_of(
    st.tuples(
        st.just("append"),
        st.sets(READERS, min_size=1),
        st.lists(st.integers(0, 20), min_size=1, max_size=4),
    ),
    st.tuples(st.just("control"), READERS, st.integers(0, 20)),
    st.tuples(st.just("putFirst"), READERS, st.integers(0, 20)),
    st.tuples(st.just("take"), READERS, st.tuples(st.integers(1, 60), st.floats(0, 1))),
    st.tuples(st.just("drop"), READERS, st.integers(0, 120)),
    st.tuples(st.just("dropAll"), READERS, st.none()),
)
"""What may happen to two readers who share messages."""


def joined(parts: list[bytes | memoryview]) -> bytes:
    """Answer the bytes of parts."""
    return b"".join(parts)


@dataclass(eq=False)
class Piece:
    """
    One frame that waits.

    @ivar rest: what of it has not left yet
    @ivar batch: what it came in
    @ivar isNewest: whether it is the last message that came
    @ivar isKept: whether it was passed over when others were dropped
    """

    data: bytes
    rest: bytes
    batch: Batch
    isMessage: bool
    isNewest: bool = False
    isKept: bool = False


class Model:
    """
    The same as L{Waiting}, slow and simple: a list of frames.

    @ivar out: what has left
    @ivar controls: all control frames that came
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.pieces: list[Piece] = []
        self.out = b""
        self.controls: list[bytes] = []

    @property
    def stream(self) -> bytes:
        """What is to leave."""
        return b"".join(piece.rest for piece in self.pieces)

    def append(self, batch: Batch, frames: list[bytes], isMessage: bool) -> None:
        """Add frames."""
        if isMessage:
            self._forgetNewest()
        self.pieces += [Piece(data, data, batch, isMessage) for data in frames]
        if isMessage:
            self.pieces[-1].isNewest = True
        else:
            self.controls += frames

    def putFirst(self, batch: Batch, data: bytes) -> None:
        """Add a frame behind what has begun, or was passed over."""
        place = next(
            (n for n, piece in enumerate(self.pieces) if not self._isBegun(piece)),
            len(self.pieces),
        )
        self.pieces.insert(place, Piece(data, data, batch, False, isKept=True))

    def _forgetNewest(self) -> None:
        for piece in self.pieces:
            piece.isNewest = False

    def took(self, size: int) -> None:
        """Let bytes leave."""
        self.out += self.stream[:size]
        while size:
            first = self.pieces[0]
            if size < len(first.rest):
                first.rest = first.rest[size:]
                return
            size -= len(first.rest)
            self.pieces.pop(0)

    def drop(self, spare: int) -> int:
        """Drop what may be dropped, from the front, until no more than that is left."""
        kept: list[Piece] = []
        dropped = 0
        if len(self.stream) <= spare:
            return 0
        while self.pieces and (
            self._isBegun(self.pieces[0])
            or len(b"".join(piece.rest for piece in kept) + self.stream) > spare
        ):
            piece = self.pieces[0]
            if piece.isMessage and not self._isBegun(piece):
                if piece.isNewest:
                    break
                dropped += 1
            else:
                piece.isKept = True
                kept.append(piece)
            self.pieces.pop(0)
        self.pieces[:0] = kept
        return dropped

    @staticmethod
    def _isBegun(piece: Piece) -> bool:
        return len(piece.rest) < len(piece.data) or piece.isKept

    def dropAll(self) -> int:
        """Drop all messages."""
        self._forgetNewest()
        return self.drop(0)


class Reader:
    """Somebody for whom frames wait, and the model of it."""

    def __init__(self, backlog: Backlog) -> None:
        """Begin with nothing waiting."""
        self.waiting = Waiting(backlog)
        self.model = Model()
        self.newest: bytes | None = None


class Readers:
    """Two readers who share messages, and the models of them."""

    def __init__(self, test: SynchronousTestCase) -> None:
        """Begin with nothing waiting."""
        self.test = test
        self.backlog = Backlog(0)
        self.both = [Reader(self.backlog) for _ in range(2)]
        self._numbers = count()

    def do(self, step: str, who: Any, argument: Any) -> None:
        """Do something to the readers and their models."""
        getattr(self, step)(who, argument)
        self.check()

    def append(self, who: set[int], sizes: list[int]) -> None:
        """Have messages wait for some."""
        frames = [self._frame(TEXT, size) for size in sizes]
        batch = Batch(frames)
        for reader in who:
            self.both[reader].waiting.append(batch)
            self.both[reader].model.append(batch, frames, True)
            self.both[reader].newest = frames[-1]

    def control(self, who: int, size: int) -> None:
        """Have a control frame wait for one."""
        data = self._frame(PING, size)
        batch = Batch([data], areMessages=False)
        self.both[who].waiting.append(batch)
        self.both[who].model.append(batch, [data], False)

    def putFirst(self, who: int, size: int) -> None:
        """Have a note go first to one."""
        data = self._frame(PONG, size)
        batch = Batch([data], areMessages=False)
        self.both[who].waiting.putFirst(batch)
        self.both[who].model.putFirst(batch, data)

    def take(self, who: int, how: tuple[int, float]) -> None:
        """Have some of what is offered to one leave."""
        atMost, share = how
        reader = self.both[who]
        parts = reader.waiting.parts(atMost)
        offered = joined(parts)
        self.test.assertEqual(bool(offered), reader.waiting.size > 0)
        self.test.assertTrue(reader.model.stream.startswith(offered))
        self.test.assertTrue(len(offered) <= atMost or len(parts) == 1)
        size = round(share * len(offered))
        reader.waiting.took(size)
        reader.model.took(size)

    def drop(self, who: int, spare: int) -> None:
        """Have one have no more than that waiting."""
        reader = self.both[who]
        dropped = reader.waiting.drop(spare)
        self.test.assertEqual(dropped, reader.model.drop(spare))

    def dropAll(self, who: int, _: None) -> None:
        """Drop all messages of one."""
        reader = self.both[who]
        self.test.assertEqual(reader.waiting.dropAll(), reader.model.dropAll())
        reader.newest = None

    def _frame(self, opcode: int, size: int) -> bytes:
        payload = next(self._numbers).to_bytes(2, "big") + bytes(size)
        return frame(opcode, payload, mask=None)

    def check(self) -> None:
        """Compare with the models."""
        held: set[Batch] = set()
        for reader in self.both:
            stream = reader.model.stream
            self.test.assertEqual(reader.waiting.size, len(stream))
            self.test.assertEqual(joined(reader.waiting.parts(ANY)), stream)
            for piece in reader.model.pieces:
                held.add(piece.batch)
        size = sum(len(batch.data) for batch in held)
        self.test.assertEqual(self.backlog.size, size)

    def finish(self) -> None:
        """Let everything leave, and look at it as a peer does."""
        for reader in self.both:
            while reader.waiting.size:
                offered = len(joined(reader.waiting.parts(100)))
                reader.waiting.took(offered)
                reader.model.took(offered)
            frames = framesOf(reader.model.out)
            inOrder = [f for f in frames if f.opcode != PONG]
            numbers = [int.from_bytes(f.payload[:2], "big") for f in inOrder]
            self.test.assertEqual(numbers, sorted(set(numbers)))
            controls = [
                frame(PING, f.payload, mask=None) for f in frames if f.opcode == PING
            ]
            self.test.assertEqual(controls, reader.model.controls)
            if reader.newest is not None:
                texts = [
                    frame(TEXT, f.payload, mask=None)
                    for f in frames
                    if f.opcode == TEXT
                ]
                self.test.assertEqual(texts[-1], reader.newest)
        self.test.assertEqual(self.backlog.size, 0)


class WaitingTestCase(SynchronousTestCase):
    """Tests with one reader."""

    def setUp(self) -> None:
        """Begin with nothing waiting."""
        self.backlog = Backlog(0)
        self.waiting = Waiting(self.backlog)

    def append(self, *frames: bytes, areMessages: bool = True) -> Batch:
        """Have frames wait."""
        batch = Batch(frames, areMessages)
        self.waiting.append(batch)
        return batch

    def left(self) -> bytes:
        """Answer all that waits."""
        data = joined(self.waiting.parts(ANY))
        self.assertEqual(self.waiting.size, len(data))
        return data


class OrderTests(WaitingTestCase):
    """What waits leaves in its order."""

    def test_empty(self) -> None:
        """At first nothing waits."""
        self.assertEqual((self.left(), self.backlog.size), (b"", 0))
        self.assertEqual((self.waiting.drop(0), self.waiting.dropAll()), (0, 0))

    def test_byReference(self) -> None:
        """What waits for several is the very bytes that they share."""
        batch = self.append(b"abc", b"def")
        [part] = self.waiting.parts(ANY)
        self.assertIs(part, batch.data)
        self.waiting.took(2)
        [part] = self.waiting.parts(ANY)
        assert isinstance(part, memoryview)
        self.assertIs(part.obj, batch.data)
        self.assertEqual(part, b"cdef")

    def test_cutAnywhere(self) -> None:
        """Nothing is lost or doubled, wherever the kernel cuts."""
        for size in range(1, 10):
            self.append(b"abc", b"d")
            self.append(b"ping", areMessages=False)
            self.append(b"ef")
            sent = b""
            while self.waiting.size:
                part = joined(self.waiting.parts(ANY))[:size]
                self.waiting.took(len(part))
                sent += part
            self.assertEqual(sent, b"abcdpingef", size)
            self.assertEqual(self.backlog.size, 0)

    def test_atMost(self) -> None:
        """As much is offered as is asked for, in whole parts, but one at least."""
        for message in (b"aaaa", b"bb", b"c"):
            self.append(message)
        for atMost, parts in ((1, 1), (4, 1), (5, 1), (6, 2), (7, 3), (8, 3)):
            self.assertEqual(len(self.waiting.parts(atMost)), parts, atMost)

    def test_many(self) -> None:
        """Never more parts are offered than one C{sendmsg} takes."""
        for number in range(3000):
            self.append(number.to_bytes(2, "big"))
        sent, calls = b"", 0
        while self.waiting.size:
            parts = self.waiting.parts(ANY)
            self.assertLessEqual(len(parts), 1024)
            self.waiting.took(len(joined(parts)))
            sent += joined(parts)
            calls += 1
        self.assertEqual(sent, b"".join(n.to_bytes(2, "big") for n in range(3000)))
        self.assertLess(calls, 10)

    def test_tookNothing(self) -> None:
        """When the kernel takes nothing, everything stays."""
        self.append(b"abc")
        self.waiting.took(1)
        self.waiting.dropAll()
        for _ in range(2):
            self.waiting.took(0)
            self.assertEqual(self.left(), b"bc")


class DropTests(WaitingTestCase):
    """Whole messages are dropped, the oldest first."""

    def test_fits(self) -> None:
        """Nothing is dropped that there is room for, to the byte."""
        self.append(b"abc")
        self.append(b"de")
        self.assertEqual(self.waiting.drop(5), 0)
        self.assertEqual(self.left(), b"abcde")

    def test_oldest(self) -> None:
        """The oldest messages go, also out of the middle of what came together."""
        self.append(b"1111", b"2222", b"3333")
        self.append(b"4444")
        self.assertEqual(self.waiting.drop(9), 2)
        self.assertEqual(self.left(), b"33334444")
        self.assertEqual(self.waiting.drop(7), 1)
        self.assertEqual((self.left(), self.backlog.size), (b"4444", 4))

    def test_newest(self) -> None:
        """The newest message stays, however large."""
        self.append(b"1", b"2", b"large")
        self.assertEqual(self.waiting.drop(0), 2)
        self.assertEqual(self.left(), b"large")
        self.assertEqual(self.waiting.drop(0), 0)
        self.append(b"new")
        self.assertEqual(self.waiting.drop(0), 1)
        self.assertEqual(self.left(), b"new")

    def test_begun(self) -> None:
        """A message that has begun to leave is completed, and those behind it go."""
        self.append(b"first", b"second", b"third")
        self.waiting.took(2)
        self.assertEqual(self.waiting.drop(0), 1)
        self.assertEqual(self.left(), b"rstthird")
        self.waiting.took(1)
        self.append(b"fourth")
        self.assertEqual(self.waiting.drop(0), 1)
        self.assertEqual(self.left(), b"stfourth")

    def test_atAnEnd(self) -> None:
        """Where one message has left whole, the next has not begun."""
        self.append(b"first", b"second", b"third")
        self.waiting.took(5)
        self.assertEqual(self.waiting.drop(0), 1)
        self.assertEqual(self.left(), b"third")

    def test_control(self) -> None:
        """Control frames stay, in their order, and before the messages behind them."""
        for number in (b"1", b"2", b"3"):
            self.append(b"message" + number)
            self.append(b"ping" + number, areMessages=False)
        self.assertEqual(self.waiting.drop(0), 2)
        self.assertEqual(self.left(), b"ping1ping2message3ping3")
        self.append(b"message4")
        self.assertEqual(self.waiting.drop(0), 1)
        self.assertEqual(self.left(), b"ping1ping2ping3message4")

    def test_begunControl(self) -> None:
        """A control frame that has begun to leave is completed."""
        self.append(b"ping", areMessages=False)
        self.append(b"message")
        self.waiting.took(1)
        self.assertEqual(self.waiting.dropAll(), 1)
        self.assertEqual(self.left(), b"ing")

    def test_first(self) -> None:
        """A note goes before the messages, but not into one that has begun."""
        self.append(b"first", b"second")
        self.waiting.putFirst(Batch((b"note",), areMessages=False))
        self.assertEqual(self.left(), b"notefirstsecond")
        self.waiting.took(4 + 2)
        self.waiting.putFirst(Batch((b"note",), areMessages=False))
        self.assertEqual(self.left(), b"rstnotesecond")
        self.assertEqual(self.waiting.dropAll(), 1)
        self.assertEqual(self.left(), b"rstnote")

    def test_all(self) -> None:
        """All messages can go; the next to come is the newest again."""
        self.append(b"1", b"2")
        self.append(b"ping", areMessages=False)
        self.append(b"3")
        self.assertEqual(self.waiting.dropAll(), 3)
        self.assertEqual((self.left(), self.backlog.size), (b"ping", 4))
        self.append(b"4")
        self.assertEqual(self.waiting.drop(0), 0)
        self.assertEqual(self.left(), b"ping4")

    def test_otherReaders(self) -> None:
        """What one reader lets go still waits for the other."""
        other = Waiting(self.backlog)
        batch = self.append(b"1", b"2")
        other.append(batch)
        self.assertEqual(self.waiting.dropAll(), 2)
        self.assertEqual(joined(other.parts(ANY)), b"12")
        self.assertEqual((batch.holders, self.backlog.size), (1, 2))

    def test_clear(self) -> None:
        """When everything is forgotten, nothing waits in the process either."""
        self.append(b"first", b"second")
        self.append(b"ping", areMessages=False)
        self.waiting.took(2)
        self.waiting.drop(0)
        self.append(b"third")
        self.waiting.clear()
        self.assertEqual((self.left(), self.backlog.size), (b"", 0))
        self.append(b"abc")
        self.assertEqual((self.left(), self.backlog.size), (b"abc", 3))


class AnythingTests(SynchronousTestCase):
    """Whatever happens, a peer gets a stream of whole frames."""

    @PROPERTY
    @given(st.lists(STEPS, max_size=30))
    def test_stream(self, steps: list[tuple[str, Any, Any]]) -> None:
        """
        It is whole and in order, with all control frames and the newest message.

        What waits, and what that costs the process, is what a simple model says.
        """
        readers = Readers(self)
        for step in steps:
            readers.do(*step)
        readers.finish()

    @PROPERTY
    @given(st.lists(STEPS, max_size=15))
    def test_clear(self, steps: list[tuple[str, Any, Any]]) -> None:
        """Whatever happened before, who is forgotten leaves nothing behind."""
        readers = Readers(self)
        for step in steps:
            readers.do(*step)
        for reader in readers.both:
            reader.waiting.clear()
            reader.model.pieces.clear()
            readers.check()
        self.assertEqual(readers.backlog.size, 0)
