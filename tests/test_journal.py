"""Tests for every line that is logged."""

from __future__ import annotations

from typing import cast

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gows.journal import LEVELS, MAX_REFUSALS, Journal, escaped, shortened
from tests.support import recorder

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)

ADDRESS = "203.0.113.7"
SECRET = "correct horse battery staple"


def failure() -> Failure:
    """Make a failure with a traceback."""
    try:
        raise RuntimeError("it broke")
    except RuntimeError:
        return Failure()


class ShortenedTests(SynchronousTestCase):
    """A specialKey is shown so that it is recognised but cannot be used."""

    def test_atMostFour(self) -> None:
        """Of a long one four characters are shown."""
        self.assertEqual(shortened("alice-in-wonderland"), "alic…")
        self.assertEqual(shortened("abcdefghijkl"), "abcd…")

    def test_atMostAThird(self) -> None:
        """Of a short one a third is shown, of a very short one nothing."""
        for specialKey, shown in (
            ("abcdefghijk", "abc…"),
            ("abcdef", "ab…"),
            ("abcde", "a…"),
            ("abc", "a…"),
            ("ab", "…"),
            ("a", "…"),
            ("", "…"),
        ):
            self.assertEqual(shortened(specialKey), shown)

    def test_escaped(self) -> None:
        """What is shown of it is printable."""
        self.assertEqual(shortened("\u2028\u202eabcd"), "\\u2028\\u202e…")

    @PROPERTY
    @given(st.text(min_size=1))
    @example("…" * 12)
    def test_neverInFull(self, specialKey: str) -> None:
        """Two thirds of it at least stay hidden, whatever it is."""
        shown = shortened(specialKey)
        self.assertTrue(shown.endswith("…"))
        self.assertTrue(shown.isprintable())
        kept = specialKey[: min(4, len(specialKey) // 3)]
        self.assertEqual(shown, escaped(kept) + "…")


class EscapedTests(SynchronousTestCase):
    """What came from a client cannot change how the log looks."""

    def test_controlCharacters(self) -> None:
        """What is not printable is shown as its escape."""
        for character, shown in (
            ("\n", "\\n"),
            ("\r", "\\r"),
            ("\0", "\\x00"),
            ("\x1b", "\\x1b"),
            ("\x85", "\\x85"),
            ("\x9b", "\\x9b"),
            ("\u2028", "\\u2028"),
            ("\u202e", "\\u202e"),
            ("\ud800", "\\ud800"),
            ("\U000e0001", "\\U000e0001"),
        ):
            self.assertEqual(escaped(f"a{character}b"), f"a{shown}b")

    @PROPERTY
    @given(st.text(st.characters()))
    def test_printable(self, text: str) -> None:
        """What is printable stays, and so does all of it after that."""
        shown = escaped(text)
        self.assertTrue(shown.isprintable())
        self.assertEqual(escaped(shown), shown)
        if text.isprintable():
            self.assertEqual(shown, text)


class JournalCase(SynchronousTestCase):
    """
    Writes into a list.

    @ivar clock: the time
    @ivar events: what was written
    """

    def setUp(self) -> None:
        """Begin with nothing written."""
        self.clock = Clock()
        self.events, self._observe = recorder()

    def journal(self, level: str = "debug") -> Journal:
        """Make a journal that writes this level and above."""
        return Journal(level, self.clock, self._observe)

    def lines(self) -> list[str]:
        """Take what was written so far."""
        lines = [formatEvent(event) for event in self.events]
        self.events.clear()
        return lines


class LinesTests(JournalCase):
    """Each thing that happens is one line."""

    def test_noTokens(self) -> None:
        """Without tokens it is said at the start, and loudly if others can come."""
        journal = self.journal()
        journal.noTokens(False)
        journal.noTokens(True)
        levels = [event["log_level"].name for event in self.events]
        self.assertEqual(levels, ["info", "warn"])
        quiet, loud = self.lines()
        self.assertIn("no tokens are asked for", quiet)
        self.assertIn("OTHER HOSTS CAN CONNECT", loud)

    def test_proxyCuts(self) -> None:
        """A proxy that cuts connections: when, how sure that is, what to do."""
        journal = self.journal()
        for interval in (0, 90.0, 25.0):
            journal.proxyCuts(interval, 60, 31, 34)
        self.assertEqual({e["log_level"].name for e in self.events}, {"warn"})
        none, rare, frequent = self.lines()
        start = (
            "a proxy between you and your clients seems to cut idle connections at "
            "60 s: lower --ping-interval (it is "
        )
        end = "; 31 of 34 cut ones were cut then"
        self.assertEqual(none, f"{start}0 s){end}")
        self.assertEqual(rare, f"{start}90 s){end}")
        help = "if less does not help, raise that proxy's timeout"
        self.assertEqual(frequent, f"{start}25 s: {help}){end}")

    def test_opened(self) -> None:
        """A connection that opens: who, from where, how many there are."""
        self.journal().opened("alice-in-wonderland", True, ADDRESS, 3)
        self.assertEqual(self.lines(), [f"opened alic…:1 from {ADDRESS}, 3 open"])

    def test_closed(self) -> None:
        """A connection that ends: who, for how long, why, how much."""
        self.journal().closed(
            "alice-in-wonderland",
            False,
            ADDRESS,
            seconds=1.23456,
            sentCode=4001,
            receivedCode=None,
            received=2,
            sent=5,
            dropped=1,
            ignored=3,
        )
        self.assertEqual(
            self.lines(),
            [
                f"closed alic…:0 from {ADDRESS} after 1.235 s, code sent 4001, "
                "received -, messages in 2, out 5, dropped 1, ignored 3"
            ],
        )

    def test_refused(self) -> None:
        """A refusal: to whom, and what was answered."""
        self.journal().refused(ADDRESS, 403, "Pages of this origin may not connect.")
        self.assertEqual(
            self.lines(),
            [f"refused {ADDRESS}: 403 Pages of this origin may not connect."],
        )

    def test_neverOpened(self) -> None:
        """A peer that says nothing: from where."""
        self.journal().neverOpened(ADDRESS)
        self.assertEqual(self.lines(), [f"dropped {ADDRESS}: no opening in time"])

    def test_answered(self) -> None:
        """A plain request: what was asked and answered, escaped."""
        journal = self.journal()
        journal.answered(ADDRESS, "GET", "/healthz", 200)
        journal.answered(ADDRESS, "GET", "/\x1b[31m\n{address}", 404)
        self.assertEqual(
            self.lines(),
            [
                f"answered {ADDRESS}: GET /healthz 200",
                f"answered {ADDRESS}: GET /\\x1b[31m\\n{{address}} 404",
            ],
        )

    def test_service(self) -> None:
        """What happens to the process, from its start to its end."""
        journal = self.journal()
        journal.openFiles(1024, 960)
        journal.listening("127.0.0.1:8888", False)
        journal.listening("[::1]:8888", True)
        journal.cannotStart("the port is taken")
        journal.certificateLoaded("cert.pem")
        journal.certificateKept("it is broken")
        journal.tokenKeysRead("jwks.json", 2)
        journal.tokenKeysKept("it is broken")
        journal.logReopened()
        journal.logNotReopened("Permission denied")
        journal.stopping(3, 10.0)
        journal.stopping(3, 2.5)
        journal.cut(2)
        self.assertEqual(
            self.lines(),
            [
                "open files are limited to 1024: room for about 960 connections",
                "listening on 127.0.0.1:8888",
                "listening on [::1]:8888 (TLS)",
                "cannot start: the port is taken",
                "certificate read from cert.pem",
                "the certificate was not read again, the old one stays: it is broken",
                "keys of tokens read from jwks.json: 2",
                "the keys of tokens were not read again, the old ones stay: it is "
                "broken",
                "log file opened anew",
                "the log file was not opened anew, the old one stays: "
                "Permission denied",
                "stopping: telling 3 connections, waiting at most 10 s",
                "stopping: telling 3 connections, waiting at most 2.5 s",
                "cut 2 connections",
            ],
        )

    def test_failures(self) -> None:
        """An exception is written with its traceback."""
        journal = self.journal()
        journal.applicationFailed(failure())
        journal.deliveryFailed(failure())
        journal.connectionFailed(failure())
        journal.ledgerFailed(failure())
        for event in self.events:
            self.assertIn("it broke", event["log_failure"].getErrorMessage())
            self.assertIn("in failure", event["log_failure"].getTraceback())
        self.assertEqual(
            self.lines(),
            [
                "the application failed",
                "sending to a connection failed",
                "taking a message failed",
                "the ledger failed",
            ],
        )

    def test_braces(self) -> None:
        """What a client sends is no format, whatever it looks like."""
        self.journal().opened("{key!r}{count}", False, "{gzip}", 1)
        self.assertEqual(self.lines(), ["opened {key…:0 from {gzip}, 1 open"])


class LevelTests(JournalCase):
    """--log-level says what is written."""

    def everything(self, journal: Journal) -> None:
        """Write a line of each level."""
        journal.answered(ADDRESS, "GET", "/", 200)
        journal.listening(ADDRESS, False)
        journal.cut(1)
        journal.certificateKept("it is broken")
        journal.applicationFailed(failure())

    def test_levels(self) -> None:
        """A level's own lines are written, and those above it."""
        for position, level in enumerate(LEVELS):
            self.everything(self.journal(level))
            levels = [event["log_level"].name for event in self.events]
            self.assertEqual(tuple(levels), LEVELS[position:])
            self.events.clear()

    def test_withheld(self) -> None:
        """What a level keeps from the log, others can still hear."""
        for position, level in enumerate(LEVELS):
            journal = self.journal(level)
            withheld, observe = recorder()
            journal.withheld.addObserver(cast(ILogObserver, observe))
            self.everything(journal)
            levels = [event["log_level"].name for event in withheld]
            self.assertEqual(tuple(levels), LEVELS[:position])

    def test_importance(self) -> None:
        """At info the life of connections is seen, an exception always."""
        journal = self.journal("critical")
        journal.opened("alice", False, ADDRESS, 1)
        journal.refused(ADDRESS, 403, "No.")
        self.assertEqual(self.events, [])
        journal.applicationFailed(failure())
        journal.deliveryFailed(failure())
        levels = [event["log_level"] for event in self.events]
        self.assertEqual(levels, [LogLevel.critical] * 2)

    def test_namespaces(self) -> None:
        """Connections, the application and the service can be told apart."""
        journal = self.journal()
        journal.opened("alice", False, ADDRESS, 1)
        journal.applicationFailed(failure())
        journal.cut(1)
        self.assertEqual(
            [event["log_namespace"] for event in self.events],
            ["gows.connection", "gows.application", "gows.service"],
        )

    def test_twistedsLog(self) -> None:
        """Unless it is told otherwise it writes where Twisted does."""
        observer = cast(ILogObserver, self._observe)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        Journal("info", self.clock).cut(7)
        self.assertIn("cut 7 connections", self.lines())


class SecretTests(JournalCase):
    """No secret reaches the log."""

    def test_specialKey(self) -> None:
        """Neither the lines nor their fields hold a specialKey in full."""
        journal = self.journal()
        journal.opened(SECRET, True, ADDRESS, 1)
        journal.closed(
            SECRET,
            True,
            ADDRESS,
            seconds=1,
            sentCode=None,
            receivedCode=1000,
            received=0,
            sent=0,
            dropped=0,
            ignored=0,
        )
        self.assertEqual(len(self.events), 2)
        for event in self.events:
            self.assertNotIn(SECRET[:5], repr(event) + formatEvent(event))

    @PROPERTY
    @given(st.text(min_size=3, max_size=128))
    def test_anySpecialKey(self, specialKey: str) -> None:
        """Whatever a specialKey is, its line is one line."""
        self.journal().opened(specialKey, False, ADDRESS, 1)
        [line] = self.lines()
        self.assertTrue(line.isprintable())
        self.assertTrue(line.startswith(f"opened {shortened(specialKey)}:0 from"))


class FloodTests(JournalCase):
    """Refusals that flood are counted instead of written."""

    def refuse(self, journal: Journal, count: int) -> None:
        """Refuse so many at once."""
        for _ in range(count):
            journal.refused(ADDRESS, 403, "No.")

    def assertWritten(self, refusals: int, *summaries: int) -> None:
        """Assert what was written: refusals, then how many more there were."""
        wanted = [f"refused {ADDRESS}: 403 No."] * refusals
        wanted += [f"refused {n} more, too many to write down" for n in summaries]
        self.assertEqual(self.lines(), wanted)

    def test_few(self) -> None:
        """Ten in a second are written, without a summary."""
        self.assertEqual(MAX_REFUSALS, 10)
        self.refuse(self.journal(), MAX_REFUSALS)
        self.clock.advance(10)
        self.assertWritten(MAX_REFUSALS)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many(self) -> None:
        """The others are counted, and the second's end says how many."""
        self.refuse(self.journal(), MAX_REFUSALS + 90)
        self.assertWritten(MAX_REFUSALS)
        self.clock.advance(0.999)
        self.assertWritten(0)
        self.clock.advance(0.001)
        self.assertWritten(0, 90)
        self.clock.advance(10)
        self.assertWritten(0)

    def test_oneMore(self) -> None:
        """The first that is not written is counted already."""
        self.refuse(self.journal(), MAX_REFUSALS + 1)
        self.clock.advance(1)
        self.assertWritten(MAX_REFUSALS, 1)

    def test_secondIsFromTheFirst(self) -> None:
        """The second begins with its first refusal, and the summary ends it."""
        journal = self.journal()
        self.refuse(journal, 1)
        self.clock.advance(0.75)
        self.refuse(journal, MAX_REFUSALS)
        self.clock.advance(0.25)
        self.assertWritten(MAX_REFUSALS, 1)

    def test_nextSecond(self) -> None:
        """In the next second refusals are written again."""
        journal = self.journal()
        self.refuse(journal, MAX_REFUSALS + 5)
        self.clock.advance(1)
        self.assertWritten(MAX_REFUSALS, 5)
        self.refuse(journal, MAX_REFUSALS + 6)
        self.clock.advance(1)
        self.assertWritten(MAX_REFUSALS, 6)

    def test_calm(self) -> None:
        """Few refusals over a long time are all written."""
        journal = self.journal()
        for _ in range(MAX_REFUSALS * 3):
            self.refuse(journal, 1)
            self.clock.advance(1)
        self.assertWritten(MAX_REFUSALS * 3)

    def test_lasting(self) -> None:
        """In a flood that lasts no line is lost, and few are written."""
        journal = self.journal()
        for _ in range(500):
            self.refuse(journal, 10)
            self.clock.advance(0.01)
        self.clock.advance(1)
        written = more = 0
        lines = self.lines()
        for line in lines:
            if line.endswith("more, too many to write down"):
                more += int(line.split()[1])
            else:
                written += 1
        self.assertEqual(written + more, 5000)
        self.assertLessEqual(len(lines), 6 * (MAX_REFUSALS + 1))

    def test_neverOpened(self) -> None:
        """Peers that never open flood as refusals do, and count with them."""
        journal = self.journal()
        for _ in range(MAX_REFUSALS):
            journal.neverOpened(ADDRESS)
        self.refuse(journal, 2)
        journal.neverOpened(ADDRESS)
        self.clock.advance(1)
        lines = self.lines()
        self.assertEqual(len(lines), MAX_REFUSALS + 1)
        self.assertEqual(lines[-1], "refused 3 more, too many to write down")

    def test_othersAreWritten(self) -> None:
        """A flood of refusals hides nothing else."""
        journal = self.journal()
        self.refuse(journal, 100)
        self.lines()
        journal.opened("alice", False, ADDRESS, 1)
        self.assertEqual(len(self.lines()), 1)
