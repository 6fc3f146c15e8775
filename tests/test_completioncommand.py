"""Tests for L{gows.commands.completioncommand}: in real shells."""

from __future__ import annotations

import shutil
import subprocess

from gows.commands.shell import Shell
from gows.commands.topstructs import ORDERS
from tests.commands import CommandCase
from tests.ptys import Pty
from tests.support import TIMEOUT


class BashTests(CommandCase):
    """gows completion bash"""

    def completed(self, *words: str, separator: str | None = None) -> set[str]:
        """Complete the last word of a command line."""
        script = (
            f"{self.output('completion', 'bash')}\n"
            'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gows\n'
            'printf "%s\\n" "${COMPREPLY[@]}"\n'
        )
        done = subprocess.run(
            ["bash", "-c", script, "bash", "gows", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=True,
        )
        self.assertEqual(done.stderr, "")
        return set(done.stdout.strip("\n").split(separator))

    def test_commands(self) -> None:
        """The names of all commands, and of those below them."""
        names = {name for name, *_ in Shell.subCommands}
        self.assertLessEqual(names, self.completed(""))
        self.assertEqual(self.completed("pub"), {"publish"})
        self.assertLessEqual({"new", "public"}, self.completed("key", ""))
        self.assertEqual(self.completed("key", "n"), {"new"})
        self.assertEqual(self.completed("completion", "z"), {"zsh"})

    def test_options(self) -> None:
        """The options of a command, wherever one is in it."""
        self.assertEqual(self.completed("publish", "--r"), {"--room"})
        self.assertEqual(self.completed("publish", "--room", "a", "--j"), {"--json"})
        self.assertEqual(self.completed("token", "--su"), {"--sub"})

    def test_files(self) -> None:
        """Files, where an option takes one."""
        (self.folder / "keys.txt").touch()
        self.assertEqual(self.completed("publish", "--api-key-file", "k"), {"keys.txt"})

    def test_fileArguments(self) -> None:
        """Files, too, where a command takes one; whatever they are called."""
        (self.folder / "a file.json").touch()
        found = self.completed("key", "public", "a", separator="\n")
        self.assertEqual(found, {"a file.json"})
        self.assertIn("--help", self.completed("key", "public", "--h"))

    def test_values(self) -> None:
        """What an option may be, in both ways to write it."""
        orders = set(ORDERS)
        self.assertEqual(self.completed("top", "--by", ""), orders)
        self.assertEqual(self.completed("top", "--by", "wa"), {"waiting"})
        self.assertEqual(self.completed("top", "--by", "="), orders)
        self.assertEqual(self.completed("top", "--by", "=", "ag"), {"age"})

    def test_wrong(self) -> None:
        """Of other shells nothing is known."""
        for arguments in ((), ("fish",), ("bash", "zsh")):
            self.assertIn("bash or zsh", self.fault("completion", *arguments))


class ZshTests(CommandCase):
    """gows completion zsh, in a terminal: it completes what is typed."""

    skip = None if shutil.which("zsh") else "zsh is not installed"

    def test_completes(self) -> None:
        """Commands, options, what they may be, and files."""
        script = self.file("completion.zsh", self.output("completion", "zsh").encode())
        (self.folder / "keys and more.txt").touch()
        zsh = ("zsh", "--no-rcs", "--interactive")
        with Pty(program=zsh, variables={"PS1": "", "HOME": str(self.folder)}) as shell:
            shell.press(f'cd {self.folder}; . {script}; gows() {{ echo "<$*>" }}\r')
            for typed, completed in (
                ("gows pub\t", "publish"),
                ("gows key n\t", "key new"),
                ("gows publish --ro\tlobby --js\thi", "publish --room lobby --json hi"),
                ("gows top --by wa\t", "top --by waiting"),
                ("gows top --by=ag\t", "top --by=age"),
                ("gows top --config ke\t", "top --config keys and more.txt"),
                ("gows key public ke\t", "key public keys and more.txt"),
                ("gows completion z\t", "completion zsh"),
            ):
                shell.press(f"{typed}\r")
                shell.waitForText(f"<{completed}>")
