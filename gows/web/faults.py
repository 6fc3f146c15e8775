"""What is wrong with a request of the operators' API: which field, and the rule."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from gows.web.answers import Problem
from gows.web.apirequests import RULES

MAX_NAME: Final = 64
"""As many characters of a name that there is not are repeated."""

# What stands before the place in msgspec's words may be a text of the client's.
_AT: Final = r" - at `(?:key` in `)?\$((?:\.\w+|\[(?:\d+|\.\.\.)\])*)`"
_PLACE: Final = re.compile(rf"(?s)(.*){_AT}")
_UNKNOWN: Final = re.compile(rf"(?s)Object contains unknown field `(.*?)`(?:{_AT})?")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")

# What the structs themselves raise.
_OWN: Final = re.compile(r"(\w+): (.*)")


def problemOf(error: msgspec.ValidationError) -> Problem:
    """Say what is wrong in the library's words, or in ours, and name the field."""
    words, path = str(error), ""
    if found := _UNKNOWN.fullmatch(words):
        return unknown(found[1], found[2] or "")
    if found := _PLACE.fullmatch(words):
        words, path = found[1], found[2].replace("[...]", "")
    if found := _OWN.fullmatch(words):
        path, words = f"{path}.{found[1]}", found[2]
    elif found := _MISSING.fullmatch(words):
        path = f"{path}.{found[1]}"
        words = ": it ".join(filter(None, ("is missing", _ruleOf(path))))
    elif "regex" in words or words.startswith("Invalid enum value"):
        words = _ruleOf(path) or words
    path = path.removeprefix(".")
    return invalid(path, words) if path else Problem(400, "invalid", f"{words}.")


def invalid(field: str, what: str) -> Problem:
    """Say what is wrong with a field."""
    return Problem(400, "invalid", f"{field}: {what}.", field)


def unknown(name: str, path: str = "") -> Problem:
    """
    Say that there is no such field, or parameter.

    @param path: of the object that it is in
    """
    start = f"{path}.".removeprefix(".")
    return invalid(start + name[:MAX_NAME], "there is no such field here")


def _ruleOf(path: str) -> str | None:
    """Find the rule of a field, or of what it is in."""
    for name in reversed(path.split(".")):
        if name in RULES:
            return f"must be {RULES[name]}"
    return None
