"""Tests for L{gows.wire.batch}: frames that leave together."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.wire.batch import Batch

PROPERTY = settings(max_examples=80, deadline=None, database=None, derandomize=True)

FRAMES = st.lists(st.binary(min_size=1, max_size=5), min_size=1, max_size=6)


class BatchTests(SynchronousTestCase):
    """Frames one after the other, with the places where one ends."""

    def test_one(self) -> None:
        """One frame alone is not copied: all who get it share its bytes."""
        frame = bytes(range(200))
        self.assertIs(Batch([frame]).data, frame)

    def test_joined(self) -> None:
        """Several frames leave as one, and it is known where each ends."""
        batch = Batch([b"ab", b"c", b"def"])
        self.assertEqual((batch.data, batch.ends), (b"abcdef", (2, 3, 6)))

    def test_holdersAtFirst(self) -> None:
        """A new batch waits for nobody."""
        self.assertEqual(Batch([b"a"]).holders, 0)

    def test_noMessages(self) -> None:
        """Control frames are one piece, in which no message can be counted."""
        batch = Batch([b"ab", b"cd"], areMessages=False)
        self.assertEqual((batch.data, batch.ends), (b"abcd", ()))
        self.assertEqual([batch.endAfter(offset) for offset in range(4)], [4] * 4)
        midway = [batch.isMidway(offset) for offset in range(4)]
        self.assertEqual(midway, [False, True, True, True])

    @PROPERTY
    @given(FRAMES)
    def test_offsets(self, frames: list[bytes]) -> None:
        """Each byte belongs to one message; only its first one does not cut it."""
        batch = Batch(frames)
        owners = [number for number, frame in enumerate(frames) for _ in frame]
        for offset, owner in enumerate(owners):
            end = len(b"".join(frames[: owner + 1]))
            self.assertEqual(batch.endAfter(offset), end)
            isFirst = offset == 0 or owners[offset - 1] != owner
            self.assertEqual(batch.isMidway(offset), not isFirst)
        self.assertFalse(batch.isMidway(len(owners)))
