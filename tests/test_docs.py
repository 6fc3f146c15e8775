"""The documentation says what the code does."""

from __future__ import annotations

import os
import re
from typing import Literal, get_args

from msgspec import Raw, UnsetType, json, structs
from twisted.trial.unittest import SynchronousTestCase
from websockets.sync.client import connect

from gows.dialects.envelopes import ERRORS, Id, Limits, Request, Room, To, Token
from gows.dialects.reading import readRequest
from gows.sources import TABLE
from gows.wire.closing import TABLE as CLOSES
from tests.support import ROOT, Server
from tests.test_envelopes import kinds

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


class ProtocolTests(SynchronousTestCase):
    """docs/protocol.md says of gows.v1 what the structs say, and so does an example."""

    def setUp(self) -> None:
        """Read the section of each kind of message."""
        self.text = (ROOT / "docs" / "protocol.md").read_text("utf-8")
        parts = re.split(r"^####? (?=\w)", self.text, flags=re.MULTILINE)
        self.sections = {part.splitlines()[0]: part for part in parts}

    def test_fields(self) -> None:
        """Each field of each kind is in its table, with its type, and no others."""
        for kind in kinds():
            section = self.sections[str(kind.__struct_config__.tag)]
            rows = re.findall(
                r"^\| `(\w+)` \| (.*?) \| (\w+) \| .", section, re.MULTILINE
            )
            expected = [
                (
                    field.encode_name,
                    typeInWords(field.type),
                    "required" if field.required else "optional",
                )
                for field in structs.fields(kind)
            ]
            self.assertCountEqual(rows, expected)

    def test_examples(self) -> None:
        """Each kind has an example, which is one of its kind and says all of it."""
        for kind in kinds():
            section = self.sections[str(kind.__struct_config__.tag)]
            [example] = re.findall(r"^```json\n(.*?)\n```$", section, re.M | re.S)
            decoded = json.decode(example, type=kind)
            self.assertEqual(json.decode(json.encode(decoded)), json.decode(example))

    def test_requests(self) -> None:
        """A request's example passes the strict reading."""
        for kind in get_args(Request):
            [example] = re.findall(
                r"^```json\n(.*?)\n```$",
                self.sections[kind.__struct_config__.tag],
                re.M,
            )
            self.assertIsInstance(readRequest(example.encode()), kind)

    def test_limits(self) -> None:
        """All limits of the welcome are explained."""
        for field in structs.fields(Limits):
            self.assertIn(f"`{field.encode_name}`", self.sections["welcome"])

    def test_errors(self) -> None:
        """All codes of errors are listed, in their order."""
        rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", self.sections["error"], re.M)
        self.assertEqual(rows[-len(ERRORS) :], [*ERRORS.items()])


def typeInWords(hint: object) -> str:
    """Say what a field may be, as the documentation does."""
    words: dict[object, str] = {
        Id: "id",
        Room: "room",
        Token: "string",
        Raw: "any JSON value",
        str: "string",
        int: "whole number",
        bool: "true or false",
        tuple[str, ...]: "list of strings",
        Limits: "object",
        Literal["base64"]: '`"base64"`',
        Literal["everyone"] | To: '`"everyone"`, `{"room": ...}` or `{"key": ...}`',
    }
    for kind, text in words.items():
        if hint in (kind, kind | UnsetType):
            return text
    raise AssertionError(f"no words for {hint}")


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
