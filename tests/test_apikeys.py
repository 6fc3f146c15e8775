"""Tests for L{gows.access.apikeys}: what may be in a file of keys, and reading it."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.access.apikeys import (
    MAX_LENGTH,
    MIN_LENGTH,
    ReloadingApiKeys,
    digestOf,
    readApiKeys,
)
from gows.errors import CannotStart
from gows.journal import Journal
from gows.watching import LOOK_EVERY
from tests.support import recorder

KEY = "correct-horse-battery"
OTHER = "another:key=with/signs"


class ApiKeysTests(SynchronousTestCase):
    """A file with one key a line."""

    def setUp(self) -> None:
        """Name the file; a test writes it."""
        self.path = Path(self.mktemp()).absolute()

    def write(self, content: str | bytes) -> str:
        """Write the file."""
        raw = content if isinstance(content, bytes) else content.encode()
        self.path.write_bytes(raw)
        return str(self.path)

    def test_read(self) -> None:
        """Names and keys, with blanks, comments and empty lines around them."""
        keys = readApiKeys(
            self.write(f"\ufeff# ours\n\nbackend: {KEY}\r\n  ops :{OTHER}  \n")
        )
        self.assertEqual(len(keys), 2)
        self.assertEqual(keys.nameOf(digestOf(KEY)), "backend")
        self.assertEqual(keys.nameOf(digestOf(OTHER)), "ops")
        for wrong in ("", "x", KEY[:-1], KEY.upper(), f"{KEY} ", "\udcff"):
            self.assertIsNone(keys.nameOf(digestOf(wrong)))

    def test_lengths(self) -> None:
        """A key is so long that nobody guesses it, and not longer than a header."""
        for length in (MIN_LENGTH, MAX_LENGTH):
            self.assertEqual(len(readApiKeys(self.write(f"a: {'k' * length}"))), 1)
        for length in (0, 1, MIN_LENGTH - 1, MAX_LENGTH + 1):
            line = self.refusal(f"a: {'k' * length}")
            self.assertIn("a key is 16 to 256 printable ASCII characters", line)

    def refusal(self, content: str | bytes) -> str:
        """Answer the line that refuses a file, which names it and repeats no key."""
        line = str(self.assertRaises(CannotStart, readApiKeys, self.write(content)))
        self.assertIn(str(self.path), line)
        self.assertTrue(line.isprintable())
        self.assertNotIn(KEY, line)
        return line

    def test_refused(self) -> None:
        """What is no such file is refused in one line, with the number of its line."""
        for content, wanted in (
            ("", "holds no keys"),
            ("# nothing\n\n", "holds no keys"),
            (KEY, "line 1 of FILE is not name: key"),
            (f"#\nbackend {KEY}", "line 2 of FILE is not name: key"),
            (f": {KEY}", "line 1 of FILE is not name: key"),
            (f"our backend: {KEY}", "a name is 1 to 64 letters"),
            (f"{'n' * 65}: {KEY}", "line 1 of FILE is not name: key"),
            (f"a: {KEY} {KEY}", "line 1 of FILE: a key is"),
            (f"a: {KEY}é", "line 1 of FILE: a key is"),
            (f"a: {KEY}\nb: {KEY}", "FILE holds the same key twice"),
            (f"a: {KEY}\na: {OTHER}", "FILE holds the same name twice"),
            (b"\xff\xfe", "FILE is not UTF-8"),
            (b"a: " + KEY.encode() + b"\0", "line 1 of FILE: a key is"),
        ):
            line = self.refusal(content).replace(str(self.path), "FILE")
            self.assertIn(wanted, line)

    def test_missing(self) -> None:
        """One that is not there is named."""
        error = self.assertRaises(CannotStart, readApiKeys, str(self.path))
        self.assertEqual(
            str(error), f"{self.path} cannot be read: No such file or directory"
        )

    def test_reloading(self) -> None:
        """A changed file counts within a minute; a broken one changes nothing."""
        events, observe = recorder()
        clock = Clock()
        path = self.write(f"one: {KEY}")
        service = ReloadingApiKeys(path, Journal("info", clock, observe), clock)
        service.privilegedStartService()
        service.startService()
        self.addCleanup(service.stopService)
        self.assertEqual(service.current().nameOf(digestOf(KEY)), "one")

        self.write(f"two: {OTHER}\nthree: {KEY}!")
        clock.advance(LOOK_EVERY)
        self.assertIsNone(service.current().nameOf(digestOf(KEY)))
        self.assertEqual(service.current().nameOf(digestOf(OTHER)), "two")

        self.write("broken")
        service.reload()
        self.assertEqual(len(service.current()), 2)
        self.assertEqual(
            [event["log_format"].split("{")[0] for event in events],
            [
                "API keys read from ",
                "API keys read from ",
                "the API keys were not read again, the old ones stay: ",
            ],
        )
        self.assertNotIn(OTHER, str(events))
