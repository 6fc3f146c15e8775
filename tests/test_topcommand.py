"""Tests for L{gows.commands.topcommand}: once, and as JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from gows.commands.topstructs import ORDERS
from tests import falsedoors
from tests.commands import DoorCommandCase
from tests.falsedoors import Door
from tests.ptys import Pty
from tests.support import ROOT, TIMEOUT, environment, freePort, until

PROGRAM = "from gows.commands.shell import main; main()"


class OnceTests(DoorCommandCase):
    """gows top --once"""

    def test_once(self) -> None:
        """All is shown once, also without saying so where there is no terminal."""
        self.serve()
        self.client("specialKey=alice&room=den")
        for arguments in (("--once", "--by", "age"), ("--by", "age")):
            shown = self.output("top", *arguments)
            for words in ("1 person", "age▼", "alice", "#den", "127.0.0.1", "memory"):
                self.assertIn(words, shown)
            self.assertNotIn("\x1b", shown)
            self.assertLessEqual(max(map(len, shown.splitlines())), 120)
        self.variables["COLUMNS"] = "70"
        shown = self.output("top", "--once")
        self.assertLessEqual(max(map(len, shown.splitlines())), 70)

    def test_terminal(self) -> None:
        """In a terminal it does not take the whole of it."""
        self.serve()
        with Pty("top", "--once", variables=self.variables) as top:
            self.assertEqual(top.wait(), 0)
            self.assertIn("Connections by waiting", top.seen)
            self.assertNotIn("\x1b[?1049h", top.seen)

    def test_noRich(self) -> None:
        """Where rich is not installed it is said what to install; JSON goes without."""
        self.serve()
        import rich

        self.addCleanup(sys.modules.__setitem__, "rich", rich)
        sys.modules["rich"] = None  # type: ignore[assignment]  # not to be imported
        self.assertIn("pip install 'gows[cli]'", self.fault("top"))
        self.assertIn('"memory"', self.output("top", "--once", "--json"))

    def test_wrong(self) -> None:
        """What is wrong is said, with the status of the other commands."""
        line = self.fault("top", "--by", "size")
        self.assertIn(", ".join(ORDERS), line)
        self.assertIn("no arguments", self.fault("top", "now"))
        nowhere = f"http://127.0.0.1:{freePort()}"
        for more in ((), ("--json",)):
            line = self.fault("top", "--door", nowhere, *more, status=2)
            self.assertIn("cannot be reached", line)
        keys = self.file("keys", b"ops: " + b"k3y" * 8 + b"\n")
        self.serve("--api-key-file", keys)
        for more in ((), ("--json",)):
            self.assertIn("GOWS_API_KEY", self.fault("top", *more, status=3))

    def test_garbage(self) -> None:
        """What is no feed of gows is said to be none."""
        sample = b"event: sample\ndata: {}\n\n"
        for feed, words in (
            (falsedoors.json(b"{}"), "no feed"),
            (falsedoors.events(b"event: sample\ndata: {\n\n"), "no feed"),
            (falsedoors.events(b"event: hello\ndata: {}\n\n"), "lost"),
            (falsedoors.events(sample), "not JSON"),
        ):
            top = [falsedoors.json(b"<html>\x1b[2J")]
            door = self.enterContext(Door({"/feed": [feed], "/api/top": top}))
            line = self.fault("top", "--door", door.url, status=2)
            self.assertIn(words, line)


class JsonTests(DoorCommandCase):
    """gows top --json"""

    def test_once(self) -> None:
        """One sample, as one line."""
        self.serve()
        self.client("specialKey=alice")
        sample = json.loads(self.output("top", "--json", "--once"))
        self.assertEqual(sample["connections"], 1)
        self.assertIn("fanout_p99", sample)

    def test_lines(self) -> None:
        """One a second, until Ctrl-C; where it is lost it goes on later."""
        server = self.serve()
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "top", "--json"],
            cwd=ROOT,
            env=environment(**self.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.kill)
        assert process.stdout is not None
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        self.assertGreater(second["time"], first["time"])
        server.kill()
        assert process.stderr is not None
        os.set_blocking(process.stderr.fileno(), False)
        line = until(process.stderr.readline)
        self.assertTrue(line.startswith("gows: connection lost, retrying: "), line)
        server.start()
        again = json.loads(process.stdout.readline())
        self.assertGreater(again["time"], second["time"])
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(TIMEOUT), 130)

    def test_escaped(self) -> None:
        """Nothing in it is a command for a terminal."""
        body = 'event: sample\ndata: {"x":"\\u001b[2J\x9b\u202e"}\n\n'.encode()
        door = self.enterContext(Door({"/feed": [falsedoors.events(body)]}))
        shown = self.output("top", "--json", "--once", "--door", door.url)
        self.assertEqual(shown, '{"x": "\\u001b[2J\\u009b\\u202e"}\n')
