"""``gows completion``: what shells complete commands with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from twisted.python import usage

from gows.commands.command import Command, Group

_BASH: Final = """\
# Completes the commands of gows in bash: . <(gows completion bash)
_gows() {
    local word=${COMP_WORDS[COMP_CWORD]} path="" each words files=""
    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $each == -* ]] || path="$path $each"
    done
    case "${path# }" in
%(cases)s
    esac
    case "${COMP_WORDS[COMP_CWORD-1]}" in
        %(files)s) words="" files=1 ;;
    esac
    if [[ -n $files ]]; then
        COMPREPLY=($(compgen -f -- "$word"))
    else
        COMPREPLY=($(compgen -W "$words" -- "$word"))
    fi
}
complete -o filenames -F _gows gows
"""

_ZSH: Final = """\
# Completes the commands of gows in zsh: . <(gows completion zsh)
autoload -Uz +X compinit bashcompinit && { (( $+functions[compdef] )) || compinit; }
bashcompinit
%(bash)s"""

_FILE_OPTIONS: Final = ("--config", "--key", "--api-key-file", "--binary")


class CompletionCommand(Command):
    """Writes what a shell completes the commands with."""

    synopsis = "bash|zsh"
    longdesc = "In ~/.bashrc: . <(gows completion bash); in ~/.zshrc with zsh."

    def parseArgs(self, *arguments: str) -> None:
        """Take the shell."""
        if len(arguments) != 1 or arguments[0] not in ("bash", "zsh"):
            raise usage.UsageError(f"{self.name} takes the shell: bash or zsh")
        self._shell = arguments[0]

    def run(self) -> None:
        """Write it."""
        shell: Any = self.parent
        cases = "\n".join(
            f'        "{path}"*) words="{" ".join(words)}" ;;'
            for path, words in sorted(
                _wordsOf(shell, ()), key=lambda case: -len(case[0])
            )
        )
        bash = _BASH % {"cases": cases, "files": "|".join(_FILE_OPTIONS)}
        print(bash if self._shell == "bash" else _ZSH % {"bash": bash}, end="")


def _wordsOf(
    command: Command, path: tuple[str, ...]
) -> Iterator[tuple[str, list[str]]]:
    """List what may follow each command."""
    options = [f"--{re.sub('=$', '', name)}" for name in command.longOpt]
    subCommands = getattr(command, "subCommands", ()) or ()
    names = [name for name, *_ in subCommands] if isinstance(command, Group) else []
    extra = ["bash", "zsh"] if isinstance(command, CompletionCommand) else []
    yield " ".join(path), [*names, *extra, *sorted(options)]
    for name, _, make, _ in subCommands if names else ():
        yield from _wordsOf(make(), (*path, name))
