"""Tests for the sample of a configuration file."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from gows import sample
from gows.settings import Settings
from gows.sources import TABLE, readSettings
from tests.support import ROOT

FILE = ROOT / "etc" / "gows.toml"


class SampleTests(SynchronousTestCase):
    """etc/gows.toml shows every setting with its default."""

    def test_upToDate(self) -> None:
        """The file is what python -m gows.sample writes."""
        self.assertEqual(FILE.read_text("utf-8"), sample.sample())

    def test_written(self) -> None:
        """Run as a program the module writes the file."""
        written = io.StringIO()
        with contextlib.redirect_stdout(written):
            runpy.run_path(sample.__file__, run_name="__main__")
        self.assertEqual(written.getvalue(), sample.sample())

    def test_changesNothing(self) -> None:
        """Whoever uses the file as it is gets the defaults."""
        self.assertEqual(readSettings({}, {}, str(FILE)), Settings())

    def test_namesEverySetting(self) -> None:
        """Each setting is there once, in the order of the documentation."""
        names = re.findall(r"^(?:# )?([a-z-]+) = ", sample.sample(), re.MULTILINE)
        self.assertEqual(names, [setting.name for setting in TABLE])

    def test_commentedOut(self) -> None:
        """Only what has no default is commented out."""
        names = re.findall(r"^# ([a-z-]+) = ", sample.sample(), re.MULTILINE)
        self.assertEqual(
            names, [setting.name for setting in TABLE if setting.default is None]
        )
        self.assertEqual(len(names), 8)

    def test_filledIn(self) -> None:
        """With the comments taken off and filled in, all of it is read."""
        filled = re.sub(r'^# ([a-z-]+) = ""', r'\1 = "x"', sample.sample(), flags=re.M)
        path = Path(self.mktemp())
        path.write_text(filled, "utf-8")
        names = ("cert", "key", "logFile", "tokenKey", "tokenIssuer", "tokenAudience")
        filledIn = msgspec.structs.replace(Settings(), **dict.fromkeys(names, "x"))
        self.assertEqual(readSettings({}, {}, str(path)), filledIn)

    def test_advice(self) -> None:
        """What is recommended for the open internet is allowed, and differs."""
        advised = re.findall(r"^# On the open internet: (.*)$", sample.sample(), re.M)
        self.assertGreater(len(advised), 4)
        path = Path(self.mktemp())
        path.write_text("\n".join(advised), "utf-8")
        settings = readSettings({}, {}, str(path))
        self.assertGreater(settings.rate, 0)
        self.assertGreater(settings.openRate, 0)
        for line in advised:
            [setting] = [s for s in TABLE if s.name == line.partition(" = ")[0]]
            self.assertNotEqual(getattr(settings, setting.field), setting.default)

    def test_explained(self) -> None:
        """Each setting says what it does and what is allowed, in short lines."""
        text = sample.sample()
        prose = " ".join(line.removeprefix("# ") for line in text.splitlines()).lower()
        for setting in TABLE:
            self.assertIn(setting.help.lower(), prose)
            self.assertIn(setting.allowed.lower(), prose)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
