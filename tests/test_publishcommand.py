"""Tests for L{gows.commands.publishcommand}: said from the command line, and heard."""

from __future__ import annotations

import json
import sys

from gows.commands.publishcommand import MAX_INPUT
from tests import falsedoors
from tests.commands import DoorCommandCase
from tests.falsedoors import Door
from tests.support import TIMEOUT, freePort


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
        for typed in ("from a pipe", "from a pipe\n", "from a pipe\r\n"):
            self.type(typed)
            self.output("publish", "--to", "raw", "-")
            self.assertEqual(raw.recv(TIMEOUT), "from a pipe")
        self.type("two\nlines\n\n")
        self.output("publish", "--to", "raw", "-")
        self.assertEqual(raw.recv(TIMEOUT), "two\nlines\n")
        self.type(b"\x00\xff")
        self.output("publish", "--to", "raw", "--binary", "-")
        self.assertEqual(raw.recv(TIMEOUT), b"\x00\xff")
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

    def test_notUtf8(self) -> None:
        """What is no text is refused, wherever it comes from."""
        nowhere = f"http://127.0.0.1:{freePort()}"
        for arguments in ("-",), ("--json", "-"), ("\udcff",), ("--to", "\udcff", "x"):
            self.type(b"a\xff")
            line = self.fault("publish", "--door", nowhere, *arguments)
            self.assertIn("not UTF-8", line)

    def test_tooLarge(self) -> None:
        """What is too large is read no further, or refused by the door."""
        self.assertIn("too large", self.fault("publish", "--binary", "/dev/zero"))
        self.type("a" * (MAX_INPUT + 1))
        self.assertIn("too large", self.fault("publish", "-"))
        self.serve()
        self.type("a" * MAX_INPUT)
        self.assertIn("1048576 bytes", self.fault("publish", "-", status=3))

    def test_closed(self) -> None:
        """Without a standard input there is nothing to read from it."""
        self.patch(sys, "stdin", None)
        self.assertIn("standard input cannot be read", self.fault("publish", "-"))

    def test_garbage(self) -> None:
        """A door that answers something else is none."""
        for body in (b"[]", b"{}", b'{"readers":"\\u001b[2J"}', b"null"):
            door = self.enterContext(Door({"/api/publish": [falsedoors.json(body)]}))
            line = self.fault("publish", "--door", door.url, "x", status=2)
            self.assertIn("operators' door", line)
