"""Tests for L{gows.recentlog}: the last warnings of the log."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import ILogObserver, Logger, LogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from gows.journal import Journal
from gows.recentlog import ALIKE, KEPT, RecentWarnings


class RecentWarningsTests(SynchronousTestCase):
    """
    A log, and what is kept of it.

    @ivar told: how often it was told that there is a new one
    """

    def setUp(self) -> None:
        """Listen."""
        publisher = LogPublisher()
        self.log = Logger("gows.test", observer=publisher)
        self.recent = RecentWarnings(publisher)
        self.told = 0

        def listener() -> None:
            self.told += 1

        self.recent.listen(listener)
        self.recent.startService()

    def texts(self) -> list[str]:
        """Answer what is kept."""
        return [warned.text for warned in self.recent.kept]

    def test_interface(self) -> None:
        """It is an observer of the log."""
        verifyObject(ILogObserver, self.recent)

    def test_levels(self) -> None:
        """Warnings and worse are kept, with their level and time."""
        self.log.info("not this")
        self.log.warn("one {n}", n=1)
        self.log.error("two")
        self.log.critical("three")
        self.assertEqual(self.texts(), ["one 1", "two", "three"])
        levels = [warned.level for warned in self.recent.kept]
        self.assertEqual(levels, ["warn", "error", "critical"])
        self.assertGreater(self.recent.kept[0].time, 1_700_000_000_000)
        self.assertEqual(self.told, 3)

    def test_withheld(self) -> None:
        """Whatever of gows is written, its warnings are kept, each once."""
        for level in ("debug", "warn", "error", "critical"):
            publisher = LogPublisher()
            journal = Journal(level, Clock(), publisher)
            recent = RecentWarnings(publisher, journal.withheld)
            recent.startService()
            journal.proxyCuts(25.0, 60, 10, 10)
            recent.stopService()
            journal.proxyCuts(25.0, 60, 10, 10)
            self.assertEqual(len(recent.kept), 1, level)

    def test_failure(self) -> None:
        """Of an exception its kind is kept, not what it says."""
        self.log.failure("it failed", Failure(KeyError("a secret")))
        self.assertEqual(self.texts(), ["it failed: KeyError"])

    def test_many(self) -> None:
        """No more than so many are kept, the newest ones, and none is long."""
        for number in range(KEPT + 10):
            self.log.warn(f"{number} {{text}}", text="x" * 10_000)
        self.assertEqual(len(self.texts()), KEPT)
        self.assertTrue(self.texts()[-1].startswith(f"{KEPT + 9} "))
        self.assertTrue(self.texts()[0].startswith("10 "))
        self.assertLessEqual(max(map(len, self.texts())), 500)

    def test_alike(self) -> None:
        """However often one comes, the others are kept."""
        self.log.warn("once")
        for number in range(1000):
            self.log.warn("again: {number}", number=number)
        again = [f"again: {number}" for number in range(1000 - ALIKE, 1000)]
        self.assertEqual(self.texts(), ["once", *again])

    def test_escaped(self) -> None:
        """Each is one line that moves no cursor."""
        self.log.warn("{text}", text="a\n\x1b[2J")
        self.assertTrue(self.texts()[0].isprintable())

    def test_otherEvents(self) -> None:
        """An event without a level is none of them."""
        self.recent({"log_format": "no level"})
        self.assertEqual(self.texts(), [])

    def test_stop(self) -> None:
        """Once stopped it keeps no more."""
        self.recent.stopService()
        self.log.warn("late")
        self.assertEqual(self.texts(), [])
