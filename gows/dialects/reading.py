"""A client's requests in gows.v1, read strictly."""

from __future__ import annotations

import json
import re
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from gows.dialects.envelopes import ERRORS, MAX_DEPTH, Request
from gows.dialects.fields import RULES, Body, Id

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKET: Final = bytes(set(range(256)) - set(b"[]{}"))
# What stands before the place in msgspec's words may be a text of the client's.
_PLACE: Final = re.compile(r" - at `\$\.([\w.]+)`\Z")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")


class _Numbered(Body, frozen=True):
    id: Id | UnsetType = UNSET


_REQUESTS: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)
_NUMBERED: Final = msgspec.json.Decoder(_Numbered)


class Fault(Exception):
    """
    A request is refused.

    @ivar code: one of L{ERRORS}
    @ivar text: what is wrong, and what is allowed
    @ivar field: which field is wrong
    @ivar id: the request's, if it has one that can be read
    """

    def __init__(
        self,
        code: str,
        text: str = "",
        field: str | UnsetType = UNSET,
        id: Id | UnsetType = UNSET,
    ) -> None:
        """Refuse, for a reason that the table knows or for a more exact one."""
        super().__init__(code)
        self.code = code
        self.text = text or ERRORS[code]
        self.field = field
        self.id = id


def readRequest(text: bytes) -> Request:
    """
    Read a request.

    @param text: UTF-8
    @raise Fault: if it is none; the text repeats nothing of what came
    """
    try:
        request = _REQUESTS.decode(text)
    except msgspec.ValidationError as error:
        raise _faultOf(str(error), idOf(text)) from None
    except msgspec.DecodeError:
        raise _faultOfText(text) from None
    except RecursionError:
        raise Fault("too_deep") from None
    if isDeeper(text, MAX_DEPTH):
        raise Fault("too_deep", id=request.id)
    return request


def idOf(text: bytes) -> Id | UnsetType:
    """Find the id of a request that may be wrong otherwise."""
    try:
        return _NUMBERED.decode(text).id
    except (msgspec.DecodeError, RecursionError):
        return UNSET


def isDeeper(text: bytes, depth: int) -> bool:
    """Tell whether arrays and objects are nested in more levels; it must be JSON."""
    if text.count(b"[") + text.count(b"{") <= depth:
        return False
    brackets = _STRING.sub(b"", text).translate(_ONE_KIND, _NO_BRACKET)
    for _ in range(depth):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _faultOfText(text: bytes) -> Fault:
    """Name the field with half a character, which the grammar of JSON allows."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return Fault("malformed")
    for field in RULES:
        if isinstance(whole, dict) and _hasHalves(whole.get(field)):
            id = idOf(json.dumps({"id": whole.get("id")}).encode())
            words = f"{field} holds half of a character (a lone surrogate)."
            return Fault("invalid", words, field, id)
    return Fault("malformed")


def _hasHalves(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _faultOf(error: str, id: Id | UnsetType) -> Fault:
    missing = _MISSING.fullmatch(error)
    found = missing or _PLACE.search(error)
    if found is None:
        return Fault("malformed", id=id)
    field = found[1]
    if field == "type" and not missing:
        return Fault("unknown_type", f"type must be {RULES['type']}.", field, id)
    rule = RULES[field.rpartition(".")[2]]
    verb = "is missing: it must be" if missing else "must be"
    return Fault("invalid", f"{field} {verb} {rule}.", field, id)
