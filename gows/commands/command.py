"""What all commands of ``gows`` have in common."""

from __future__ import annotations

import getopt
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn

from twisted.python import usage

from gows import __version__
from gows.sources import suggestion

_HARMLESS = re.compile(r"[A-Za-z][A-Za-z-]{0,23}")
"""What is repeated in an error: no token, no key."""


class Command(usage.Options):
    """
    A command: it is parsed, then it L{runs<run>}.

    @cvar synopsis: what follows its name
    @cvar words: what its argument may be, if that is one of a few
    @cvar choices: what the values of options may be, by their names
    """

    synopsis: ClassVar[str] = ""
    words: ClassVar[Sequence[str]] = ()
    choices: ClassVar[Mapping[str, Sequence[str]]] = {}

    def opt_version(self) -> NoReturn:
        """Show the version and exit."""
        print(f"gows {__version__}")
        raise SystemExit(0)

    def parseOptions(self, options: list[str] | None = None) -> None:
        """
        Parse.

        @raise usage.UsageError: one line, which suggests what may have been meant
        @raise SystemExit: for C{--help} and C{--version}
        """
        options = list(sys.argv[1:] if options is None else options)
        try:
            super().parseOptions(self._inOrder(options))
        except usage.UsageError as error:
            raise usage.UsageError(self._explained(str(error))) from None

    def run(self) -> None:
        """
        Do it.

        @raise usage.UsageError: if something is missing, or not allowed
        @raise gows.errors.GowsError: if it does not succeed
        """
        raise NotImplementedError

    def getSynopsis(self) -> str:
        """Begin the help."""
        return f"Usage: {self.name} {self.synopsis}".rstrip()

    @property
    def name(self) -> str:
        """How it is called: C{gows key new}."""
        if self.parent is None:
            return "gows"
        parent: Any = self.parent
        return f"{parent.name} {parent.subCommand}"

    def single(self, arguments: Sequence[str], what: str, isNeeded: bool = True) -> str:
        """
        Answer the only argument.

        @param what: what the command takes, for errors
        @param isNeeded: false where an option stands for it: then there must be none,
            and the answer is empty
        @raise usage.UsageError: if there are more, or fewer
        """
        if len(arguments) != isNeeded:
            raise usage.UsageError(f"{self.name} takes {what}")
        return "".join(arguments)

    def _inOrder(self, options: list[str]) -> list[str]:
        """Put arguments behind the options: people write them where they like."""
        known = [name.replace("_", "-") for name in self.longOpt]
        try:
            found, arguments = getopt.gnu_getopt(options, self.shortOpt, known)
        except getopt.GetoptError:
            return options  # that is said elsewhere
        ordered = [
            f"{name}={value}" if f"{name[2:]}=" in known else name
            for name, value in found
        ]
        return [*ordered, "--", *arguments]

    def _explained(self, text: str) -> str:
        known: list[str]
        if found := re.fullmatch(r"option --(.*) not recognized", text):
            known = [f"--{name.rstrip('=')}" for name in self.longOpt]
            what, wrong = "option", f"--{found[1]}"
        elif found := re.fullmatch(r"Unknown command: (.*)", text, re.DOTALL):
            known = [name for name, *_ in getattr(self, "subCommands", ())]
            what, wrong = "command", found[1]
        elif text == "Wrong number of arguments.":
            return f"{self.name} takes options only, no arguments: see its --help"
        else:
            return text
        shown = wrong if _HARMLESS.fullmatch(found[1]) else "this"
        return f"{shown} is no {what} of {self.name}{suggestion(wrong, known)}"


class Group(Command):
    """
    Commands under one name.

    @cvar subCommands: their names, classes and descriptions
    """

    synopsis = "COMMAND"
    subCommands: ClassVar[Sequence[tuple[str, None, type[Command], str]]]

    def _inOrder(self, options: list[str]) -> list[str]:
        return options  # what follows a command is the command's

    def run(self) -> None:
        """
        Do what was named.

        @raise usage.UsageError: if nothing was
        """
        if self.subCommand is None:
            names = ", ".join(name for name, *_ in self.subCommands)
            raise usage.UsageError(
                f"{self.name} needs a command: {names} (see {self.name} --help)"
            )
        command: Command = self.subOptions
        command.run()


class FileCommand(Command):
    """
    A command that takes one file.

    @ivar file: its path
    """

    synopsis = "FILE"
    file: str

    def parseArgs(self, *arguments: str) -> None:
        """Take the file."""
        self.file = fileOf(self.single(arguments, "one argument: the file"), "FILE")


def fileOf(text: str, flag: str) -> str:
    """
    Take an argument for the path of a file, unless it is a key itself.

    What is taken for a path is repeated where it cannot be read.

    @raise usage.UsageError: if it is a key, or empty
    """
    if not text.strip() or text.lstrip().startswith(("{", "-----BEGIN")):
        raise usage.UsageError(f"{flag} is the path of a file, not what is in it")
    return text
