"""The documentation says what the code does."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from typing import Literal, get_args

from msgspec import Raw, UnsetType, json, structs
from twisted.trial.unittest import SynchronousTestCase
from websockets.sync.client import connect

from gows.access.credentials import MISSING, NO_TICKET
from gows.access.jose import sealed
from gows.access.keys import TokenKeys
from gows.access.tokens import CLAIMS, TokenVerifier, mint
from gows.chat.grant import RoomRights
from gows.commands.command import Command, Group
from gows.commands.shell import Shell
from gows.dialects.envelopes import ERRORS, Limits, Request
from gows.dialects.fields import Id, Room, To, Token
from gows.dialects.reading import readRequest
from gows.errors import Refusal
from gows.sources import (
    CONFIG_VARIABLE,
    DOOR_VARIABLE,
    KEY_VARIABLE,
    TABLE,
    TOKEN_VARIABLE,
)
from gows.wire.closing import TABLE as CLOSES
from tests.commands import CommandCase
from tests.support import ROOT, Server, run
from tests.test_envelopes import kinds
from tests.tokens import NOW, claims, encoded, tokenKey

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
        script = (ROOT / "gows" / "web" / "page" / "line.js").read_text("utf-8")
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
        known |= {"--reactor", "--strict", "--system", "--unix-socket"}
        known |= set(flagsOf(Shell))
        for file in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
            flags = set(re.findall(r"--[a-z][a-z-]*[a-z]", file.read_text("utf-8")))
            self.assertEqual(flags - known, set(), file.name)

    def test_commandsAreExplained(self) -> None:
        """Each command, its environment, and each option is in the documentation."""
        folder = ROOT / "docs"
        operations = (folder / "operations.md").read_text("utf-8")
        tokens = (folder / "tokens.md").read_text("utf-8")
        for name, *_ in Shell.subCommands:
            self.assertIn(f"`gows {name}", operations)
        for variable in (DOOR_VARIABLE, KEY_VARIABLE, TOKEN_VARIABLE, CONFIG_VARIABLE):
            self.assertIn(variable, operations)
        said = set(re.findall(r"--[a-z][a-z-]*[a-z]", operations + tokens))
        self.assertEqual(set(flagsOf(Shell)) - said, set())

    def test_linksLeadSomewhere(self) -> None:
        """Every relative link in the documentation names a file."""
        for file in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
            for target in re.findall(r"\]\(([^)#]+)\)", file.read_text("utf-8")):
                if not target.startswith("http"):
                    self.assertTrue((file.parent / target).exists(), (file, target))


def flagsOf(command: type[Command]) -> Iterator[str]:
    """List the options of a command of gows, and of those under it."""
    for name in command().longOpt:
        yield f"--{name.rstrip('=')}"
    if issubclass(command, Group):
        for _, _, below, _ in command.subCommands:
            yield from flagsOf(below)


class TokensTests(CommandCase):
    """docs/tokens.md says of tokens what the code does."""

    def setUp(self) -> None:
        """Read it, and make a key."""
        super().setUp()
        self.text = (ROOT / "docs" / "tokens.md").read_text("utf-8")
        self.key = self.file("key.json", self.output("key", "new").encode())

    def test_claims(self) -> None:
        """Each claim that is looked at is in the table, and no other."""
        [table] = re.findall(r"^\| claim .*\n\|.*\n((?:\|.*\n)+)", self.text, re.M)
        names = re.findall(r"^\| `(\w+)` \|", table, re.M)
        self.assertCountEqual(names, CLAIMS)

    def test_refusals(self) -> None:
        """Each line that a token may be refused with is in the table."""
        [table] = re.findall(r"^\| line .*\n\|.*\n((?:\|.*\n)+)", self.text, re.M)
        lines = re.findall(r"^\| (.*?) \|", table, re.M)
        self.assertCountEqual(lines, {MISSING, NO_TICKET, *self.refusals()})

    def refusals(self) -> Iterator[str]:
        """Have tokens refused for every reason that there is."""
        one, secret = tokenKey("HS256", kid="1"), tokenKey("dir", kid="2")
        keys = TokenKeys([one, secret])
        verifier = TokenVerifier(lambda: keys, "app", "chat")
        right = claims(iss="app", aud="chat")
        self.assertEqual(verifier.verify(mint(one, right), NOW).specialKey, "alice")
        for token in (
            *("x", "x" * 9000, mint(tokenKey("HS256"), right)),
            mint(tokenKey("HS256", kid="3"), right),
            mint(tokenKey("ES256", kid="1"), right),
            mint(tokenKey("HS256", kid="1", k=encoded(b"x" * 32)), right),
            mint(tokenKey("dir", kid="2", k=encoded(b"x" * 32)), right),
            sealed(b"[]", one),
            mint(one, right | {"exp": 0}),
            mint(one, right | {"nbf": NOW + 60}),
            mint(one, right | {"iss": "x"}),
            mint(one, right | {"aud": "x"}),
            mint(one, {}),
            mint(one, right | {"exp": "x"}),
        ):
            yield self.assertRaises(Refusal, verifier.verify, token, NOW).text

    def test_commands(self) -> None:
        """The commands that it shows do what it says."""
        commands = re.findall(r"^    (gows token .*)$", self.text, re.M)
        self.assertGreater(len(commands), 2)
        self.file("public.json", self.output("key", "public", self.key).encode())
        self.file("secret.json", self.output("key", "new", "--alg", "dir").encode())
        for command in commands:
            line, _, _ = command.partition(" < ")
            arguments = [
                str(self.folder / word) if word.endswith(".json") else word
                for word in shlex.split(line)[1:]
            ]
            if "--check" in arguments:
                self.type(self.output("token", "--key", self.key, "--sub", "alice"))
                self.assertIn('"sub": "alice"', self.output(*arguments))
            else:
                self.assertGreater(len(self.output(*arguments)), 100)

    def test_python(self) -> None:
        """The examples in Python make tokens that are accepted."""
        examples = re.findall(r"^```python\n(.*?)^```$", self.text, re.M | re.S)
        self.assertEqual(len(examples), 2)
        secret = self.output("key", "new", "--alg", "dir")
        keys = [self.key, self.file("secret.json", secret.encode())]
        commands = [[sys.executable, "-c", example] for example in examples]
        for key, ended in zip(keys, run(*commands, folder=self.folder), strict=True):
            self.assertEqual(ended.err, "")
            self.type(ended.out)
            shown = self.output("token", "--key", key, "--check", "-")
            self.assertIn('"lobby": "rw"', shown)

    def test_rooms(self) -> None:
        """The example of rooms means what the text around it says."""
        [example] = re.findall(r"^```json\n(.*?)\n```$", self.text, re.M)
        rooms = RoomRights.of(json.decode(example))
        self.assertEqual(
            {
                name: rooms.to(name)
                for name in ("*", "team.", "team.a", "team.board", "x")
            },
            {"*": "r", "team.": "r", "team.a": "rw", "team.board": "", "x": ""},
        )


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
