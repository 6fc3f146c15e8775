"""Tests for every setting: its default, what is allowed, what is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.errors import SettingError
from gows.settings import Settings
from gows.sources import TABLE, readSettings

PROPERTY = settings(max_examples=150, deadline=None, database=None, derandomize=True)

FILE = "the path of a file"
TEXT = "a text that is not empty"
SECONDS = "a number from 0.1 to 86400"
SECONDS_OR_NONE = "a number from 0 to 86400"


class Row(NamedTuple):
    """
    One setting, as its users know it.

    @ivar allowed: what the operator is told that one value may be
    @ivar good: texts for flags and the environment, and what comes of them
    @ivar bad: texts that are refused
    @ivar goodInFile: TOML values, and what comes of them
    @ivar badInFile: TOML values that are refused
    """

    name: str
    default: object
    allowed: str
    good: Mapping[str, object]
    bad: tuple[str, ...]
    goodInFile: Mapping[str, object]
    badInFile: tuple[str, ...]

    @property
    def field(self) -> str:
        """The name of the attribute."""
        first, *others = self.name.split("-")
        return first + "".join(map(str.capitalize, others))

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return f"GOWS_{self.name.replace('-', '_').upper()}"

    @property
    def isList(self) -> bool:
        """Whether it takes several values."""
        return self.default == ()


def whole(name: str, default: int, least: int, most: int) -> Row:
    """Make the row of a setting that takes a whole number."""
    within = {str(n): n for n in (least, most, default, least + 1)}
    outside = (str(least - 1), str(most + 1))
    return Row(
        name,
        default,
        f"a whole number from {least} to {most}",
        within,
        (*outside, "", " ", "x", "1.5", "0x10", "1_0", "1 2", "true", "nan", "9" * 30),
        within,
        (*outside, '"1"', "1.5", "true", "[1]", "nan", "1979-05-27", "9" * 30),
    )


def number(
    name: str, default: float, allowed: str, least: str, most: str = "86400"
) -> Row:
    """Make the row of a setting that takes a number of seconds."""
    within = {"0.1": 0.1, most: float(most), "2.5": 2.5, "30": 30.0}
    within[least] = float(least)
    outside = (str(float(least) - 0.01), f"{most}.01", "-1", "inf", "-inf", "nan")
    return Row(
        name,
        default,
        allowed,
        within,
        (*outside, "", " ", "x", "10s", "1,5", "true", "1 2"),
        within,
        (*outside, '"10"', "true", "[10]", "10:00:00"),
    )


def choice(name: str, default: str, *others: str) -> Row:
    """Make the row of a setting that takes one of a few words."""
    words = (default, *others)
    return Row(
        name,
        default,
        "one of ",
        {word: word for word in words},
        ("", " ", "x", default.upper(), f"{default} ", ",".join(words), "null"),
        {f'"{word}"': word for word in words},
        ('""', '"x"', f'"{default.upper()}"', "true", "0", f'["{default}"]'),
    )


def text(name: str, default: object, allowed: str, *good: str, bad: str) -> Row:
    """Make the row of a setting that takes a text; C{bad} ones divided by blanks."""
    texts = tuple(bad.split())
    return Row(
        name,
        default,
        allowed,
        {word: word for word in good},
        ("", " ", *texts),
        {f'"{word}"': word for word in good},
        ('""', '" "', "1", "true", f'["{good[0]}"]', *(f'"{word}"' for word in texts)),
    )


def several(name: str, allowed: str, *good: str, bad: str) -> Row:
    """Make the row of a setting that takes several texts."""
    texts = tuple(bad.split())
    return Row(
        name,
        (),
        allowed,
        {good[0]: good[:1], " ".join(good): good, f" {good[0]} ": good[:1]},
        (*texts, f"{good[0]} {texts[0]}"),
        {f'["{good[0]}"]': good[:1], str(list(good)): good, "[]": ()},
        (
            f'"{good[0]}"',
            "1",
            "true",
            "[1]",
            '[""]',
            f'[["{good[0]}"]]',
            f'["{good[0]}", "{texts[0]}"]',
            *(f'["{word}"]' for word in texts),
        ),
    )


ROWS = (
    whole("port", 8888, 0, 65535),
    text(
        "interface",
        "127.0.0.1",
        "an IP address",
        "0.0.0.0",
        "::",
        "::1",
        "192.0.2.1",
        bad="localhost 127.0.0 127.0.0.1:80 127.0.0.256 [::1] 10.0.0.0/8 * eth0",
    ),
    several(
        "listen",
        "a Twisted server endpoint string, such as tcp:8888",
        "tcp:8888",
        "unix:/run/gows.sock",
        "systemd:domain=INET:index=0",
        bad="8888 tcp :8888 /run/gows.sock",
    ),
    text("cert", None, FILE, "/etc/gows/cert.pem", "cert.pem", "null", bad=""),
    text("key", None, FILE, "/etc/gows/key.pem", "key.pem", "null", bad=""),
    choice("log-level", "info", "debug", "warn", "error", "critical"),
    text("log-file", None, FILE, "/var/log/gows.log", "gows.log", "null", bad=""),
    several(
        "origin",
        "scheme://host or scheme://host:port with nothing behind it, or null",
        "https://app.example",
        "http://localhost:3000",
        "null",
        bad="app.example https://app.example/ * https:// https://a:x https://u@a",
    ),
    Row(
        "anonymous",
        False,
        "true or false",
        {"true": True, "false": False, "1": True, "0": False},
        ("", " ", "x", "yes", "2", "-1", "null"),
        {"true": True, "false": False},
        ('"true"', "1", "0", '""', "[true]"),
    ),
    text("token-key", None, FILE, "/etc/gows/jwks.json", "key.pem", "null", bad=""),
    text("token-issuer", None, TEXT, "https://app.example", "app", "null", bad=""),
    text("token-audience", None, TEXT, "chat", "https://chat.example", bad=""),
    number("token-leeway", 5.0, "a number from 0 to 300", "0", "300"),
    choice("binary", "gzip", "relay", "refuse"),
    choice("duplicate", "replace", "refuse", "allow"),
    whole("max-message-size", 65536, 1, 1 << 30),
    whole("compress-level", 6, 1, 9),
    whole("compress-threshold", 256, 0, 1 << 30),
    Row(
        "max-delay",
        0.02,
        "a number from 0 to 1",
        {"0": 0.0, "1": 1.0, "0.05": 0.05, "2e-2": 0.02},
        ("-0.1", "1.01", "20", "20ms", "", " ", "x", "nan", "true"),
        {"0": 0.0, "1": 1.0, "0.05": 0.05},
        ("-0.1", "1.01", "20", '"0.1"', "true", "[0.1]", "nan"),
    ),
    whole("send-buffer", 262144, 0, 1 << 30),
    whole("slow-limit", 1048576, 1024, 1 << 30),
    choice("slow-policy", "close", "drop-oldest", "latest"),
    whole("backlog-limit", 268435456, 65536, 1 << 40),
    whole("max-rooms", 128, 1, 10_000),
    whole("presence-limit", 200, 0, 10_000),
    whole("max-errors", 10, 0, 1_000_000),
    Row(
        "rate",
        0.0,
        "a number from 0 to 100000",
        {"0": 0.0, "100000": 100_000.0, "0.5": 0.5, "20": 20.0},
        ("-0.1", "100001", "20/s", "", " ", "x", "nan", "inf", "true"),
        {"0": 0.0, "100000": 100_000.0, "0.5": 0.5, "20": 20.0},
        ("-0.1", "100001", '"20"', "true", "[20]", "nan"),
    ),
    whole("byte-rate", 0, 0, 1 << 40),
    whole("max-connections", 0, 0, 10_000_000),
    whole("max-per-address", 0, 0, 10_000_000),
    Row(
        "open-rate",
        0.0,
        "a number from 0 to 100000",
        {"0": 0.0, "100000": 100_000.0, "0.5": 0.5, "20": 20.0},
        ("-0.1", "100001", "20/s", "", " ", "x", "nan", "inf", "true"),
        {"0": 0.0, "100000": 100_000.0, "0.5": 0.5, "20": 20.0},
        ("-0.1", "100001", '"20"', "true", "[20]", "nan"),
    ),
    number("handshake-timeout", 10.0, SECONDS, "0.1"),
    number("close-timeout", 10.0, SECONDS, "0.1"),
    number("ping-interval", 25.0, SECONDS_OR_NONE, "0"),
    number("ping-timeout", 8.0, SECONDS, "0.1"),
    several(
        "trusted-proxy",
        "an IP address, a network such as 10.0.0.0/8, or unix",
        "10.0.0.0/8",
        "::1",
        "unix",
        bad="proxy.example 10.0.0.1/8 10.0.0.0/33 UNIX *",
    ),
    text(
        "admin",
        None,
        "a Twisted server endpoint string, such as tcp:8888",
        "tcp:8889:interface=127.0.0.1",
        "unix:/run/gows-admin.sock",
        bad="8889 tcp :8889 /run/gows-admin.sock",
    ),
    text("api-key-file", None, FILE, "/etc/gows/api-keys", "keys", "null", bad=""),
    several(
        "admin-host",
        "the name of a host, such as ops.example, without a port",
        "ops.example",
        "OPS",
        "a_b.c-d.example",
        bad="ops.example:443 https://ops.example -ops ops..example .ops * [::1] öps",
    ),
    several(
        "admin-origin",
        "scheme://host or scheme://host:port with nothing behind it, or null",
        "https://ops.example",
        "http://localhost:3000",
        "null",
        bad="ops.example https://ops.example/ * https:// https://a:x https://u@a",
    ),
    number("drain-timeout", 10.0, SECONDS_OR_NONE, "0"),
    text(
        "app",
        "gows.chat.application.BroadcastChat",
        "a dotted name, such as mymodule.MyApplication",
        "mymodule.MyApplication",
        "a.b.c",
        bad="BroadcastChat a. .a a..b a.b() a/b.py a:b 1.2 a.b-c",
    ),
)

PAIR = {"cert": "key", "key": "cert"}


class SettingsCase(SynchronousTestCase):
    """Reads one setting at a time, from each of its sources."""

    def partner(self, row: Row) -> dict[str, str]:
        """Answer what has to be given beside a setting."""
        return {PAIR[row.name]: "other.pem"} if row.name in PAIR else {}

    def fromFlag(self, row: Row, value: str) -> Settings:
        """Read a setting from the command line."""
        given: dict[str, Any] = {row.name: value.split() if row.isList else value}
        return readSettings({**given, **self.partner(row)}, {})

    def fromEnvironment(self, row: Row, value: str) -> Settings:
        """Read a setting from the environment."""
        return readSettings(self.partner(row), {row.variable: value})

    def fromFile(self, row: Row, value: str) -> Settings:
        """Read a setting from a file."""
        self.path = Path(self.mktemp())
        self.path.write_text(f"{row.name} = {value}\n", "utf-8")
        return readSettings(self.partner(row), {}, str(self.path))

    def assertRefused(self, row: Row, where: str, error: SettingError) -> None:
        """Assert that an error names setting and source, and what is allowed."""
        message = str(error)
        self.assertTrue(message.startswith(f"{where} must be "), message)
        self.assertIn(row.allowed, message)
        self.assertIn(", not ", message)
        self.assertEqual(len(message.splitlines()), 1)
        self.assertLess(len(message), 300)


class DefaultTests(SettingsCase):
    """Without any settings the server runs as the documentation says."""

    def test_everySetting(self) -> None:
        """There are these settings, in this order, with these defaults."""
        self.assertEqual(
            [setting.name for setting in TABLE], [row.name for row in ROWS]
        )
        self.assertEqual(
            msgspec.structs.asdict(Settings()), {row.field: row.default for row in ROWS}
        )

    def test_types(self) -> None:
        """A default has the type that a value from outside has."""
        for row in ROWS:
            self.assertIs(type(getattr(Settings(), row.field)), type(row.default))

    def test_nothingGiven(self) -> None:
        """Sources that say nothing change nothing."""
        self.assertEqual(readSettings({}, {}), Settings())
        self.assertEqual(
            readSettings({}, {"PATH": "/bin", "gows_port": "1"}), Settings()
        )

    def test_immutable(self) -> None:
        """A running server's settings do not change."""
        for row in ROWS:
            self.assertRaises(AttributeError, setattr, Settings(), row.field, None)


class EverySettingTests(SettingsCase):
    """Each setting can be given in three ways, and is checked in each."""

    def test_names(self) -> None:
        """One name is written in three ways."""
        for row, setting in zip(ROWS, TABLE, strict=True):
            self.assertEqual(setting.field, row.field)
            self.assertEqual(setting.variable, row.variable)

    def test_help(self) -> None:
        """Each says what it does, on one line, and what is allowed."""
        for row, setting in zip(ROWS, TABLE, strict=True):
            self.assertGreater(len(setting.help), 10)
            self.assertEqual(len(setting.help.splitlines()), 1)
            self.assertIn(row.allowed, setting.allowed)

    def test_choices(self) -> None:
        """Where one of a few words is allowed, they are listed."""
        for row, setting in zip(ROWS, TABLE, strict=True):
            if row.allowed == "one of ":
                words = setting.allowed.removeprefix(row.allowed).split(", ")
                self.assertEqual(set(words), set(row.good))

    def test_kinds(self) -> None:
        """One is a switch; five take several values."""
        switches = [setting.name for setting in TABLE if setting.isSwitch]
        lists = [setting.name for setting in TABLE if setting.isRepeatable]
        self.assertEqual(switches, ["anonymous"])
        self.assertEqual(
            lists, ["listen", "origin", "trusted-proxy", "admin-host", "admin-origin"]
        )

    def assertSets(self, row: Row, value: object, read: Settings) -> None:
        """Assert that one setting has a value, and the others their defaults."""
        wanted: dict[str, Any] = {row.field: value, **self.partner(row)}
        self.assertEqual(read, Settings(**wanted))
        self.assertIs(type(getattr(read, row.field)), type(value))

    def test_goodFlags(self) -> None:
        """What is allowed is taken from the command line."""
        for row in ROWS:
            for value, wanted in row.good.items():
                self.assertSets(row, wanted, self.fromFlag(row, value))

    def test_goodVariables(self) -> None:
        """What is allowed is taken from the environment."""
        for row in ROWS:
            for value, wanted in row.good.items():
                self.assertSets(row, wanted, self.fromEnvironment(row, value))

    def test_goodLines(self) -> None:
        """What is allowed is taken from a file."""
        for row in ROWS:
            for value, wanted in row.goodInFile.items():
                self.assertSets(row, wanted, self.fromFile(row, value))

    def test_badFlags(self) -> None:
        """What is not allowed is refused on the command line, by flag."""
        for row in ROWS:
            for value in row.bad:
                error = self.assertRaises(SettingError, self.fromFlag, row, value)
                self.assertRefused(row, f"--{row.name}", error)

    def test_badVariables(self) -> None:
        """What is not allowed is refused in the environment, by variable."""
        for row in ROWS:
            for value in row.bad:
                error = self.assertRaises(
                    SettingError, self.fromEnvironment, row, value
                )
                self.assertRefused(row, f"{row.variable} (environment)", error)

    def test_badLines(self) -> None:
        """What is not allowed is refused in a file, by name and path."""
        for row in ROWS:
            for value in row.badInFile:
                error = self.assertRaises(SettingError, self.fromFile, row, value)
                self.assertRefused(row, f"{row.name} in {self.path}", error)

    def test_listsInAFile(self) -> None:
        """Who writes one value where a list belongs is told of the list."""
        for row in ROWS:
            if row.isList:
                error = self.assertRaises(SettingError, self.fromFile, row, '"x"')
                self.assertIn(f"must be a list, each {row.allowed}", str(error))

    def test_nulByte(self) -> None:
        """A file's name cannot hold a NUL."""
        for name in ("cert", "key", "log-file", "token-key", "token-issuer"):
            [row] = [row for row in ROWS if row.name == name]
            error = self.assertRaises(SettingError, self.fromFile, row, '"a\\u0000b"')
            self.assertRefused(row, f"{name} in {self.path}", error)

    def test_longValue(self) -> None:
        """A long wrong value is not repeated in full."""
        for value in ("x" * 10_000, "9" * 10_000):
            error = self.assertRaises(SettingError, self.fromFlag, ROWS[0], value)
            self.assertRefused(ROWS[0], "--port", error)

    def test_endsAreIncluded(self) -> None:
        """The ends of a range are allowed, what is next to them is not."""
        for field, least, most in (
            ("port", 0, 65535),
            ("maxMessageSize", 1, 1 << 30),
            ("maxConnections", 0, 10_000_000),
        ):
            [row] = [row for row in ROWS if row.field == field]
            for value in (least, most):
                self.assertEqual(getattr(self.fromFlag(row, str(value)), field), value)
            for value in (least - 1, most + 1):
                self.assertRaises(SettingError, self.fromFlag, row, str(value))

    def rowsAndSources(self) -> Iterator[tuple[Row, Any]]:
        """Pair each setting with the ways to read it from a text."""
        for row in ROWS:
            yield row, self.fromFlag
            yield row, self.fromEnvironment

    @PROPERTY
    @given(st.text(st.characters(exclude_characters="\0"), max_size=12))
    @example("\udcff")  # what Python makes of a byte that is not UTF-8
    def test_anything(self, value: str) -> None:
        """Whatever is written, it is taken or refused, on one line."""
        for row, read in self.rowsAndSources():
            try:
                taken = getattr(read(row, value), row.field)
            except SettingError as error:
                self.assertEqual(len(str(error).splitlines()), 1)
            else:
                self.assertIs(
                    type(taken), str if row.default is None else type(row.default)
                )
