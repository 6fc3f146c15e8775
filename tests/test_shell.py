"""Tests for L{gows.commands.shell}: the program, as it is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gows import __version__
from gows.commands.command import Command, Group
from gows.commands.shell import Shell
from tests.commands import CommandCase
from tests.support import ROOT, TIMEOUT, environment


class ShellTests(CommandCase):
    """What is the same everywhere."""

    def test_version(self) -> None:
        """Every command tells the version of gows, not that of Twisted."""
        for command in ((), ("token",), ("key",), ("key", "new"), ("config", "check")):
            self.assertEqual(self.shown(*command, "--version"), f"gows {__version__}\n")

    def test_help(self) -> None:
        """The help names the commands, and what each of them does."""
        shown = self.shown("--help")
        self.assertTrue(shown.startswith("Usage: gows COMMAND\n"))
        for name in ("token", "key", "config"):
            self.assertRegex(shown, rf"\n +{name} +[A-Z].*\.\n")
        self.assertIn("twistd gows --help", shown)

    def test_helpOfCommands(self) -> None:
        """Each command has its own, with its whole name."""
        for command, synopsis in (
            (("token",), "Usage: gows token --key FILE --sub NAME [options] | "),
            (("key",), "Usage: gows key COMMAND\n"),
            (("key", "new"), "Usage: gows key new [--alg ALGORITHM] [--kid NAME]\n"),
            (("key", "public"), "Usage: gows key public FILE\n"),
            (("config", "check"), "Usage: gows config check FILE\n"),
        ):
            self.assertTrue(self.shown(*command, "--help").startswith(synopsis))

    def test_everythingIsExplained(self) -> None:
        """Each command, and each option, says what it does."""

        def check(kind: type[Command]) -> None:
            options = kind()
            for name in options.longOpt:
                self.assertGreater(len(options.docs[name.rstrip("=")]), 10, name)
            if isinstance(options, Group):
                for _, _, command, text in options.subCommands:
                    self.assertGreater(len(text), 8)
                    check(command)

        check(Shell)


class ProcessTests(CommandCase):
    """The program in a process of its own."""

    def test_process(self) -> None:
        """What is written goes to standard output, what is wrong to the other."""
        program = "from gows.commands.shell import main; main()"
        done = [
            subprocess.run(
                [sys.executable, "-W", "error", "-c", program, *arguments],
                cwd=ROOT,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
            for arguments in (["--version"], ["key", "new"], ["tokn"])
        ]

        self.assertEqual([each.returncode for each in done], [0, 0, 1])
        self.assertEqual(done[0].stdout, f"gows {__version__}\n")
        self.assertIn('"kty": "OKP"', done[1].stdout)
        self.assertEqual([done[0].stderr, done[1].stderr, done[2].stdout], [""] * 3)
        self.assertEqual(
            done[2].stderr, "gows: tokn is no command of gows; did you mean token?\n"
        )

    def test_brokenPipe(self) -> None:
        """Who does not read on ends it, without a traceback."""
        program = "from gows.commands.shell import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, "key", "new"],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        self.assertEqual(process.stderr.read(), "")
        process.stderr.close()
        self.assertEqual(process.wait(TIMEOUT), 1)

    def inShell(self, words: str, after: str = "", **variables: str) -> tuple[int, str]:
        """Run it in a shell, and answer its status and standard error."""
        program = "from gows.commands.shell import main; main()"
        line = f'"$0" -W error -c "$1" {words} {after}'
        done = subprocess.run(
            ["sh", "-c", line, sys.executable, program],
            cwd=ROOT,
            env=environment(**variables),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return done.returncode, done.stderr

    def test_noOutput(self) -> None:
        """A closed standard output is no trouble; a full one is said to be."""
        self.assertEqual(self.inShell("key new", after=">&-"), (0, ""))
        if Path("/dev/full").exists():
            status, line = self.inShell("key new", after="> /dev/full")
            self.assertEqual(status, 1)
            self.assertEqual(
                line, "gows: the output cannot be written: No space left on device\n"
            )

    def test_narrowEncoding(self) -> None:
        """What the terminal's encoding does not have is escaped."""
        status, line = self.inShell(
            "config check '/w\u00f6rld'", PYTHONIOENCODING="ascii"
        )
        self.assertEqual(status, 1)
        self.assertIn("/w\\xf6rld", line)
