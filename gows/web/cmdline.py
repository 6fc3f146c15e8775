"""How the process was started, without what is nobody's business."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from typing import Final

from twisted.web.server import Request

from gows import __version__
from gows.web.debugpage import DebugPage, showText
from gows.web.parameters import Parameters

HIDDEN: Final = "…"
"""What stands where something secret is, or may be."""

OURS: Final = "GOWS_"
"""How those names in the environment begin that are shown."""

_SECRET: Final = re.compile(
    r"(?i)secret|passw|passphrase|pwd|token|credential|auth|cookie|session|key|dsn|jwt"
)
_HARMLESS: Final = re.compile(
    r"(?i)[-_]?(?:file|path|dir|issuer|audience|leeway|ttl|rate|size|limit|timeout)\Z"
)
_PATH: Final = re.compile(r"[\w./+~@%-]*(?:/|\.(?:jwks?|json|pem|key|toml))[\w.~@%-]*")
_NAMES_FILE: Final = re.compile(r"(?i)(?:key|file|path)\Z")
_PASSWORD: Final = re.compile(r"(?<=://)\S*@")
_QUERY: Final = re.compile(r"(?<=[?&#;])([\w.-]+)=[^&#;\s]*")
_IN_ENDPOINT: Final = re.compile(r"(?i)\b(\w*(?:passw|secret|token)\w*)=[^:]*")
_LONG: Final = re.compile(r"[\w+=~-]{16,}")
_JWT: Final = re.compile(r"\beyJ[\w-]*\.[\w.-]*")


class CommandLine(DebugPage):
    """The command line and versions; of the environment the names that are ours."""

    def __init__(
        self, argv: Sequence[str], environment: Iterable[str], reactor: object
    ) -> None:
        """
        Show these.

        @param argv: the program, and its arguments
        @param environment: the names in it
        """
        super().__init__()
        self._argv = argv
        self._environment = environment
        self._reactor = reactor

    def show(self, request: Request, given: Parameters) -> int:
        """Show them."""
        given.end()
        kind = type(self._reactor)
        lines = [
            "# Command line",
            *shown(self._argv),
            "",
            f"# Environment: names that begin with {OURS}",
            *sorted(name for name in self._environment if name.startswith(OURS)),
            "",
            "# Versions",
            f"gows {__version__}",
            *(f"{name} {version(name)}" for name in ("twisted", "autobahn")),
            f"{platform.python_implementation()} {platform.python_version()}",
            f"{kind.__module__}.{kind.__qualname__}",
            f"process {os.getpid()}",
            "",
        ]
        return showText(request, "\n".join(lines))


def shown(argv: Iterable[str]) -> Iterator[str]:
    """Write a command line, an argument a line, without what may be secret."""
    flag = ""
    for argument in argv:
        name, isWithValue, value = argument.partition("=")
        if argument.startswith("-") and isWithValue:
            yield f"{name}={_valueOf(name, value)}"
        elif argument.startswith("-"):
            yield _withoutSecrets(argument)
        else:
            yield _valueOf(flag, argument)
        isFlag = argument.startswith("-") and not isWithValue
        flag = argument if isFlag else ""


def _valueOf(flag: str, value: str) -> str:
    isSecret = _SECRET.search(flag) and not _HARMLESS.search(flag)
    isPath = _NAMES_FILE.search(flag) and _PATH.fullmatch(value)
    return HIDDEN if isSecret and not isPath else _withoutSecrets(value)


def _withoutSecrets(text: str) -> str:
    """Hide what is recognised by its own looks: of URLs, keys and tokens."""
    text = _PASSWORD.sub(f"{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1={HIDDEN}", text)
    text = _IN_ENDPOINT.sub(rf"\1={HIDDEN}", text)
    text = _JWT.sub(HIDDEN, text)
    if "{" in text:  # a key as JSON
        return HIDDEN
    return _LONG.sub(_hiddenIfRandom, text)


def _hiddenIfRandom(found: re.Match[str]) -> str:
    word = found[0]
    digits = sum(c.isdigit() for c in word)
    isRandom = digits >= 3 and digits < len(word)
    return HIDDEN if isRandom else word
