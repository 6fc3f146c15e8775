"""The program ``gows``."""

from __future__ import annotations

import io
import os
import sys
from typing import ClassVar

from twisted.python import usage

from gows.commands.chatcommand import ChatCommand
from gows.commands.command import Group
from gows.commands.completioncommand import CompletionCommand
from gows.commands.configcommand import ConfigCommand
from gows.commands.disconnectcommand import DisconnectCommand
from gows.commands.doorclient import DoorError
from gows.commands.keycommand import KeyCommand
from gows.commands.publishcommand import PublishCommand
from gows.commands.tokencommand import TokenCommand
from gows.commands.topcommand import TopCommand
from gows.errors import GowsError, Refusal
from gows.journal import escaped


class Shell(Group):
    """All commands."""

    longdesc = "The server itself is a plugin of twistd: see twistd gows --help."
    subCommands: ClassVar = [
        ("token", None, TokenCommand, "Make a token, or check one."),
        ("key", None, KeyCommand, "Make a key for tokens, or write its public part."),
        ("config", None, ConfigCommand, "Check a file of settings."),
        ("publish", None, PublishCommand, "Say something, as the server itself."),
        ("disconnect", None, DisconnectCommand, "Close connections."),
        ("top", None, TopCommand, "Show what the server does."),
        ("chat", None, ChatCommand, "Talk from a terminal."),
        ("completion", None, CompletionCommand, "Write what completes commands."),
    ]


def main(arguments: list[str] | None = None) -> None:
    """
    Run a command.

    @param arguments: L{None}: those of the process
    @raise SystemExit: with a line on standard error, if it fails; see L{DoorError}
        for statuses other than 1
    """
    shell = Shell()
    status = 1
    _letEverythingPass()
    try:
        shell.parseOptions(arguments)
        shell.run()
        if sys.stdout is not None:  # it may have been closed from the beginning
            sys.stdout.flush()
    except BrokenPipeError:  # who reads has read enough, such as head
        _dropOutput()
        raise SystemExit(1) from None
    except OSError as error:  # such as a full disk
        _dropOutput()
        line = f"the output cannot be written: {error.strerror or error}"
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except DoorError as error:
        line, status = str(error), error.status
    except Refusal as refusal:
        line = refusal.text
    except (usage.UsageError, GowsError) as error:
        line = str(error)
    else:
        return
    print(f"gows: {escaped(line)}", file=sys.stderr)
    raise SystemExit(status)


def _letEverythingPass() -> None:
    """Write what a terminal's encoding does not have as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _dropOutput() -> None:
    """Keep the end of the process from trying to write again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
