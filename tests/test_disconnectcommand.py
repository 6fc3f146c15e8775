"""Tests for L{gows.commands.disconnectcommand}: closed from the command line."""

from __future__ import annotations

import json

from tests.commands import DoorCommandCase
from tests.support import TIMEOUT, untilClosed


class DisconnectTests(DoorCommandCase):
    """gows disconnect"""

    def test_key(self) -> None:
        """All connections of a person are closed, with what is said."""
        self.serve()
        raw = self.client("specialKey=zoe")
        v1 = self.client("specialKey=zoe&support_gzip=0&room=a", "gows.v1")
        del raw
        said = self.output(
            *("disconnect", "zoe", "--code", "4100", "--reason", "go home"),
            *("--retry-after", "2.5"),
        )
        self.assertEqual(said, "1 connection closed\n")
        farewell = untilClosed(v1)
        self.assertEqual((farewell.code, farewell.reason), (4100, "go home"))
        closing = json.loads(farewell.messages[-1])
        self.assertEqual(closing["retry_after"], 2500)

    def test_session(self) -> None:
        """A single one is closed by its session."""
        self.serve()
        v1 = self.client("specialKey=zoe", "gows.v1")
        session = json.loads(v1.recv(TIMEOUT))["session"]
        said = self.output("disconnect", "--session", session)
        self.assertEqual(said, "1 connection closed\n")
        self.assertEqual(untilClosed(v1).code, 1008)

    def test_nobody(self) -> None:
        """That there was nobody is told, and is the status."""
        self.serve()
        self.assertRaises(SystemExit, self.output, "disconnect", "nobody")

    def test_wrong(self) -> None:
        """What is wrong is said."""
        for arguments, words in (
            ((), "specialKey"),
            (("a", "b"), "specialKey"),
            (("a", "--session", "b"), "specialKey"),
            (("a", "--code", "x"), "--code must be a number"),
            (("a", "--code", "4100.5"), "whole number"),
            (("a", "--code", "nan"), "from 0"),
            (("a", "--retry-after", "-1"), "from 0"),
        ):
            self.assertIn(words, self.fault("disconnect", *arguments))
        self.serve()
        for nobody in ("", "--session="):
            self.fault("disconnect", nobody, status=3)
        line = self.fault("disconnect", "a", "--code", "1005", status=3)
        self.assertIn("code", line)
