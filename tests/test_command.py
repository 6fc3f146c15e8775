"""Tests for L{gows.commands.command}: what is said of a wrong command line."""

from __future__ import annotations

from twisted.python import usage

from gows.commands.command import Command, fileOf
from tests.commands import CommandCase


class WrongTests(CommandCase):
    """A wrong command line is refused on one line that says what would be right."""

    def test_option(self) -> None:
        """For an option that does not exist a similar one is named."""
        self.assertEqual(
            self.fault("token", "--kye", "x"),
            "--kye is no option of gows token; did you mean --key?",
        )
        self.assertEqual(
            self.fault("key", "new", "--algo=ES256"),
            "--algo is no option of gows key new; did you mean --alg?",
        )
        self.assertEqual(self.fault("--zzz"), "--zzz is no option of gows")

    def test_command(self) -> None:
        """So it is with a command."""
        self.assertEqual(
            self.fault("tokn"), "tokn is no command of gows; did you mean token?"
        )
        self.assertEqual(
            self.fault("config", "chek"),
            "chek is no command of gows config; did you mean check?",
        )
        self.assertEqual(self.fault("zzzz"), "zzzz is no command of gows")

    def test_missing(self) -> None:
        """Without a command the commands are named."""
        self.assertEqual(
            self.fault(),
            "gows needs a command: token, key, config, publish, disconnect, top, chat, "
            "completion (see gows --help)",
        )
        self.assertEqual(
            self.fault("key"),
            "gows key needs a command: new, public (see gows key --help)",
        )

    def test_values(self) -> None:
        """An option without its value, or a switch with one, is refused."""
        self.assertEqual(self.fault("token", "--sub"), "option --sub requires argument")
        self.assertEqual(
            self.fault("token", "--direct=1"),
            "option --direct must not have an argument",
        )

    def test_arguments(self) -> None:
        """Where there are only options an argument is refused."""
        wanted = "gows token takes options only, no arguments: see its --help"
        self.assertEqual(self.fault("token", "x"), wanted)
        self.assertEqual(self.fault("token", "--sub", "a", "x", "--ttl"), wanted)

    def test_single(self) -> None:
        """Where there is one argument, or an option instead, there is one of them."""
        text = "gows publish takes one text (in quotes), or --binary FILE"
        key = "gows disconnect takes one specialKey, or --session"
        for wanted, arguments in (
            *((text, ()), (text, ("a", "b")), (text, ("--binary", "x", "a"))),
            *((key, ()), (key, ("a", "b")), (key, ("--session", "x", "a"))),
        ):
            command = wanted.split()[1]
            self.assertEqual(self.fault(command, *arguments), wanted)

    def test_noSecrets(self) -> None:
        """What may be a token or a key in the wrong place is not repeated."""
        token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
        for arguments in (
            *([token], ["key", token], ["key", "new", token], ["token", token]),
            *([f"--{token}"], ["token", f"--{token}"], ["token", f"--check{token}"]),
            *(["config", "check", "x", token], ["key", "public", "x", token]),
            ["token", "--sub", "alice", token],
        ):
            line = self.fault(*arguments)
            self.assertNotIn("eyJ", line)
            self.assertNotIn("c2lnbmF0dXJl", line)
        self.assertEqual(self.fault("a\nb"), "this is no command of gows")


class FileOfTests(CommandCase):
    """A file is named, not typed."""

    def test_paths(self) -> None:
        """Paths pass, strange ones too."""
        for path in ("key.json", "/etc/{a}", "-", "a b", "é"):
            self.assertEqual(fileOf(path, "--key"), path)

    def test_keys(self) -> None:
        """Keys do not, and are not repeated."""
        for text in ('{"kty":"oct"}', " {", "-----BEGIN PRIVATE KEY-----\n", "", " "):
            error = self.assertRaises(usage.UsageError, fileOf, text, "--key")
            self.assertEqual(
                str(error), "--key is the path of a file, not what is in it"
            )

    def test_one(self) -> None:
        """Where one file is wanted, one is taken."""
        for command in (("key", "public"), ("config", "check")):
            wanted = f"gows {' '.join(command)} takes one argument: the file"
            self.assertEqual(self.fault(*command), wanted)
            self.assertEqual(self.fault(*command, "a", "b"), wanted)


class AbstractTests(CommandCase):
    """A command says itself what it does."""

    def test_run(self) -> None:
        """The base of all does nothing."""
        self.assertRaises(NotImplementedError, Command().run)
