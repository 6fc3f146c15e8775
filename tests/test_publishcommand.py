"""Tests for L{gows.commands.publishcommand}: said from the command line, and heard."""

from __future__ import annotations

import json

from tests.commands import DoorCommandCase
from tests.support import TIMEOUT


class PublishTests(DoorCommandCase):
    """gows publish"""

    def test_heard(self) -> None:
        """Everyone, a room, or one person hears it, in each dialect."""
        self.serve()
        raw = self.client("specialKey=raw&room=lobby")
        v1 = self.client("specialKey=v1", "gows.v1")
        v1.recv(TIMEOUT)
        self.assertEqual(self.output("publish", "all"), "1 reader\n")
        self.assertEqual(json.loads(v1.recv(TIMEOUT))["data"], "all")
        self.assertEqual(
            self.output("publish", "here", "--room", "lobby"), "1 reader\n"
        )
        self.assertEqual(raw.recv(TIMEOUT), "here")
        self.output("publish", "--json", "--to", "v1", '{"a": [1, "é"]}')
        said = json.loads(v1.recv(TIMEOUT))
        self.assertEqual((said["data"], said["key"]), ({"a": [1, "é"]}, "v1"))
        self.assertNotIn("from", said)
        self.type("from a pipe")
        self.output("publish", "--to", "raw", "-")
        self.assertEqual(raw.recv(TIMEOUT), "from a pipe")
        file = self.file("picture", bytes(range(256)))
        self.assertEqual(
            self.output("publish", "--binary", file, "--to", "raw"), "1 reader\n"
        )
        self.assertEqual(raw.recv(TIMEOUT), bytes(range(256)))
        self.assertEqual(self.output("publish", "--to", "nobody", "x"), "0 readers\n")

    def test_wrong(self) -> None:
        """What is wrong is said, and nothing is."""
        for arguments, words in (
            ((), "one text"),
            (("a", "b"), "one text"),
            (("a", "--binary", "file"), "one text"),
            (("--room", "a", "--to", "b", "c"), "go together"),
            (("--json", "{"), "JSON"),
            (("--binary", "nowhere"), "nowhere"),
            (("--rom", "a", "b"), "--room"),
        ):
            self.assertIn(words, self.fault("publish", *arguments))
        self.serve()
        line = self.fault("publish", "--room", "a b", "x", status=3)
        self.assertIn("to.room", line)
