"""The documentation says what the code does."""

from __future__ import annotations

import os
import re

from twisted.trial.unittest import SynchronousTestCase
from websockets.sync.client import connect

from gows.sources import TABLE
from gows.wire.closing import TABLE as CLOSES
from tests.support import ROOT, Server

EXAMPLE = ROOT / "docs" / "example_app.py"


class DocsTests(SynchronousTestCase):
    """What is said twice is the same twice."""

    def test_closeCodes(self) -> None:
        """docs/protocol.md has the table of close codes, row by row."""
        text = (ROOT / "docs" / "protocol.md").read_text("utf-8")
        rows = re.findall(r"^\| \d{4} \|.*$", text, re.MULTILINE)
        self.assertEqual(
            rows,
            [
                f"| {close.code} | {close.reason} | "
                f"{'yes' if close.mayReturn else 'no'} | {close.meaning} |"
                for close in CLOSES
            ],
        )

    def test_pageKnowsWhenNotToReturn(self) -> None:
        """The chat page stays away after the codes that say so, and no others."""
        script = (ROOT / "gows" / "web" / "page" / "chat.js").read_text("utf-8")
        [codes] = re.findall(r"^const NO_RETURN = \[(.*)\];$", script, re.MULTILINE)
        self.assertEqual(
            [int(code) for code in codes.split(",")],
            [close.code for close in CLOSES if not close.mayReturn],
        )

    def test_exampleIsInTheText(self) -> None:
        """docs/applications.md shows the example as it is, in under 30 lines."""
        example = EXAMPLE.read_text("utf-8")
        self.assertLess(len(example.splitlines()), 30)
        self.assertIn(example, (ROOT / "docs" / "applications.md").read_text("utf-8"))

    def test_settingsAreReal(self) -> None:
        """Every --flag in the documentation is a setting of gows, or twistd's."""
        known = {f"--{setting.name}" for setting in TABLE}
        known |= {"--config", "--help", "--pidfile", "--logfile", "--syslog", "--uid"}
        known |= {"--reactor", "--strict", "--system"}
        for file in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
            flags = set(re.findall(r"--[a-z][a-z-]*[a-z]", file.read_text("utf-8")))
            self.assertEqual(flags - known, set(), file.name)

    def test_linksLeadSomewhere(self) -> None:
        """Every relative link in the documentation names a file."""
        for file in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
            for target in re.findall(r"\]\(([^)#]+)\)", file.read_text("utf-8")):
                if not target.startswith("http"):
                    self.assertTrue((file.parent / target).exists(), (file, target))


class ExampleTests(SynchronousTestCase):
    """The example application does what it says, in a real server."""

    def test_example(self) -> None:
        """It greets, says who speaks, says good-bye, and keeps a name."""
        variables = {"PYTHONPATH": f"{ROOT}{os.pathsep}{EXAMPLE.parent}"}
        with (
            Server("--app", "example_app.NamedChat", variables=variables) as server,
            connect(server.wsUrl + "?specialKey=alice") as alice,
        ):
            self.assertEqual(alice.recv(10), "alice is here")
            with connect(server.wsUrl + "?specialKey=bob") as bob:
                self.assertEqual(alice.recv(10), "bob is here")
                bob.send("hello")
                self.assertEqual(alice.recv(10), "bob: hello")
            self.assertEqual(alice.recv(10), "bob has left")
