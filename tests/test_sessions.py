"""Tests for L{gows.web.sessions}: who has signed in."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.web.sessions import LIFETIME, MAX_SESSIONS, Sessions

DIGEST = b"digest"


class SessionsTests(SynchronousTestCase):
    """Sessions begin, and end."""

    def setUp(self) -> None:
        """Begin with none."""
        self.clock = Clock()
        self.sessions = Sessions(self.clock.seconds)

    def test_found(self) -> None:
        """A name leads to the digest of the key; each is another, hard to guess."""
        names = {self.sessions.begin(DIGEST) for _ in range(10)}
        self.assertEqual(len(names), 10)
        for name in names:
            self.assertEqual(self.sessions.find(name), DIGEST)
            self.assertGreaterEqual(len(name), 43)

    def test_unknown(self) -> None:
        """Anything else leads to nothing."""
        name = self.sessions.begin(DIGEST)
        for wrong in ("", "x", name[:-1], f"{name}x", name.swapcase(), "\udcff"):
            self.assertIsNone(self.sessions.find(wrong))

    def test_over(self) -> None:
        """After twelve hours it is over."""
        name = self.sessions.begin(DIGEST)
        self.clock.advance(LIFETIME - 1)
        self.assertEqual(self.sessions.find(name), DIGEST)
        self.clock.advance(1)
        for _ in range(2):
            self.assertIsNone(self.sessions.find(name))

    def test_ended(self) -> None:
        """Who signs out ends one, and no other."""
        one, two = self.sessions.begin(DIGEST), self.sessions.begin(DIGEST)
        for _ in range(2):
            self.sessions.end(one)
        self.assertIsNone(self.sessions.find(one))
        self.assertEqual(self.sessions.find(two), DIGEST)

    def test_bounded(self) -> None:
        """With too many, the oldest ends."""
        names = [self.sessions.begin(DIGEST) for _ in range(MAX_SESSIONS + 1)]
        self.assertIsNone(self.sessions.find(names[0]))
        self.assertEqual(self.sessions.find(names[1]), DIGEST)
        self.assertEqual(self.sessions.find(names[-1]), DIGEST)

    def test_endUnless(self) -> None:
        """Those end whose keys do not count any more."""
        one, two = self.sessions.begin(DIGEST), self.sessions.begin(b"other")
        self.sessions.endUnless(lambda digest: digest == DIGEST)
        self.assertEqual(self.sessions.find(one), DIGEST)
        self.assertIsNone(self.sessions.find(two))
