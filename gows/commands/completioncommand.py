"""``gows completion``: what shells complete commands with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from twisted.python import usage

from gows.commands.command import Command, FileCommand, Group

_BASH: Final = """\
# Completes the commands of gows in bash: . <(gows completion bash)
_gows() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local way="" each offers="" files=""
    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $each == -* ]] || way="$way $each"
    done
    # --by=age is three words for bash
    [[ $word == "=" ]] && word=""
    [[ $before == "=" ]] && before=${COMP_WORDS[COMP_CWORD-2]}
%(cases)s
    COMPREPLY=($(compgen -W "$offers" -- "$word"))
    if [[ -n $files ]]; then
        local IFS=$'\\n'
        COMPREPLY+=($(compgen -f -- "$word"))
    fi
}
complete -o filenames -F _gows gows
"""

_ZSH: Final = """\
# Completes the commands of gows in zsh: . <(gows completion zsh)
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
_gows() {
    local before=${words[CURRENT-1]} way="" each offers="" files=""
    for each in "${(@)words[2,CURRENT-1]}"; do
        [[ $each == -* ]] || way="$way $each"
    done
    # --by=age is one word for zsh
    compset -P "*=" && before=${IPREFIX%%=}
%(cases)s
    compadd -- ${=offers}
    [[ -z $files ]] || _files
}
compdef _gows gows
"""

_CASES: Final = """\
    case "${way# }" in
%(commands)s
    esac
    case "$before" in
%(values)s
        %(files)s) offers="" files=1 ;;
    esac"""

_SHELLS: Final = ("bash", "zsh")
_FILE_OPTIONS: Final = ("--config", "--key", "--api-key-file", "--binary")


class CompletionCommand(Command):
    """Writes what a shell completes the commands with."""

    synopsis = "bash|zsh"
    words = _SHELLS
    longdesc = "In ~/.bashrc: . <(gows completion bash); in ~/.zshrc with zsh."

    def parseArgs(self, *arguments: str) -> None:
        """Take the shell."""
        if len(arguments) != 1 or arguments[0] not in _SHELLS:
            raise usage.UsageError(f"{self.name} takes the shell: bash or zsh")
        self._shell = arguments[0]

    def run(self) -> None:
        """Write it."""
        parent: Any = self.parent
        commands = sorted(_commandsOf(parent, ()), key=lambda each: -len(each[0]))
        lines = [
            f'        "{path}"*) offers="{" ".join(_wordsOf(command))}"'
            f"{' files=1' if isinstance(command, FileCommand) else ''} ;;"
            for path, command in commands
        ]
        values = sorted(
            f'        --{name}) offers="{" ".join(choices)}" ;;'
            for _, command in commands
            for name, choices in command.choices.items()
        )
        cases = _CASES % {
            "commands": "\n".join(lines),
            "values": "\n".join(values),
            "files": "|".join(_FILE_OPTIONS),
        }
        script = _BASH if self._shell == "bash" else _ZSH
        print(script % {"cases": cases}, end="")


def _commandsOf(
    command: Command, path: tuple[str, ...]
) -> Iterator[tuple[str, Command]]:
    """List all commands, with what they are called by."""
    yield " ".join(path), command
    if isinstance(command, Group):
        for name, _, make, _ in command.subCommands:
            yield from _commandsOf(make(), (*path, name))


def _wordsOf(command: Command) -> list[str]:
    """List what may follow a command."""
    options = {f"--{re.sub('=$', '', name)}" for name in command.longOpt}
    names = (
        [name for name, *_ in command.subCommands] if isinstance(command, Group) else []
    )
    return [*names, *command.words, *sorted(options)]
