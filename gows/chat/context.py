"""Who a connection is, from its URL or its token, and the registry's key of that."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from gows.chat.audience import EVERYONE, NAME_RULE, isName
from gows.chat.grant import NO_LIMITS, NOTHING, Grant, Pass
from gows.errors import Refusal

MAX_SPECIAL_KEY: Final = 128
"""The longest specialKey, in characters (Unicode code points)."""

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # all of Unicode's category Cc
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


class Context(msgspec.Struct, frozen=True):
    """
    What a connection's URL, or its token, said of it. It never changes.

    @ivar specialKey: who this is: 1 to 128 characters, none of them a control
        character
    @ivar supportGzip: whether text is sent to it gzip-compressed in binary frames
    @ivar parameters: the URL's other parameters, decoded; for applications
    @ivar device: which of this person's devices, if the token said so
    @ivar room: where it is at first
    @ivar grant: what it may do; L{NOTHING}, which a context has that an application
        makes anew, stands for what its token says, or for everything without tokens
    @ivar pass_: the token or ticket that it came with; L{None}: none. It is not for
        applications to say
    """

    specialKey: str
    supportGzip: bool = False
    parameters: Mapping[str, str] = _NO_PARAMETERS
    device: str = ""
    room: str = EVERYONE
    grant: Grant = NOTHING
    pass_: Pass | None = None

    def __post_init__(self) -> None:
        """
        Check who this is.

        @raise ValueError: if the specialKey, the device or the room is not allowed
        """
        if fault := faultOfSpecialKey(self.specialKey):
            raise ValueError(fault)
        if self.device and not isName(self.device):
            raise ValueError(f"a device is {NAME_RULE}")
        if self.room != EVERYONE and not isName(self.room):
            raise ValueError(f"a room is {NAME_RULE}, or *")
        if not isinstance(self.parameters, MappingProxyType):
            frozen = MappingProxyType(dict(self.parameters))
            msgspec.structs.force_setattr(self, "parameters", frozen)

    @property
    def key(self) -> str:
        """The registry's key: C{specialKey:0} or C{:1}; behind a device, C{@device}."""
        key = f"{self.specialKey}:{int(self.supportGzip)}"
        return f"{key}@{self.device}" if self.device else key


def contextOfKey(key: str) -> Context:
    """
    Take a registry's key apart again, for every legal specialKey.

    @raise ValueError: if C{key} is not the L{Context.key} of any context
    """
    specialKey, _, rest = key.rpartition(":")
    flag, at, device = rest.partition("@")
    if flag not in ("0", "1") or (at and not device):
        raise ValueError(
            "not a registry's key: it is specialKey:0 or specialKey:1, and @device "
            "behind that if there is one"
        )
    return Context(specialKey, flag == "1", device=device)


def specialKeyOf(key: str) -> str:
    """Take the specialKey out of a registry's key; of anything else, something."""
    return key.rpartition(":")[0]


def anonymousKey() -> str:
    """Make a specialKey that nobody else has: 128 random bits."""
    return f"anonymous-{secrets.token_hex(16)}"


def contextOf(
    parameters: dict[str, str],
    newKey: Callable[[], str] | None = None,
    pass_: Pass | None = None,
) -> Context:
    """
    Say who a connection is.

    @param parameters: its URL's; those that are known are taken out
    @param newKey: makes a specialKey for who has none; L{None}: who has none is
        refused
    @param pass_: who it is by its token or ticket; L{None}: there are none here
    @raise Refusal: 400, saying which parameter is wrong and what is allowed; 403, if
        the URL names another person than the token
    """
    specialKey = parameters.pop("specialKey", "")
    if pass_ is not None:
        if specialKey not in ("", pass_.specialKey):
            raise Refusal(403, "specialKey is not who the token says: leave it out.")
        specialKey = pass_.specialKey
    elif not specialKey and newKey is not None:
        specialKey = newKey()
    if fault := faultOfSpecialKey(specialKey):
        raise Refusal(400, fault)
    gzip = parameters.pop("support_gzip", "")
    if gzip not in ("", "0", "1"):
        raise Refusal(400, "support_gzip must be 0 or 1 (or absent, which means 0).")
    room = parameters.pop("room", "") or EVERYONE
    if room != EVERYONE and not isName(room):
        raise Refusal(400, f"room must be {NAME_RULE} (or absent: everyone's room).")
    return Context(
        specialKey,
        gzip == "1",
        MappingProxyType(parameters) if parameters else _NO_PARAMETERS,
        "" if pass_ is None else pass_.device,
        room,
        NO_LIMITS if pass_ is None else pass_.grant,
        pass_,
    )


def parseQuery(query: str) -> dict[str, str]:
    """
    Decode C{application/x-www-form-urlencoded} parameters, strictly.

    Unlike L{urllib.parse.parse_qs} it refuses what it would have to guess at.

    @raise Refusal: 400 for a repeated name, broken percent-encoding, or what is
        not UTF-8
    """
    parameters: dict[str, str] = {}
    for part in query.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        name = _decode(name)
        if name in parameters:
            raise Refusal(400, "A parameter of the URL is given more than once.")
        parameters[name] = _decode(value)
    return parameters


def _decode(encoded: str) -> str:
    if "%" not in encoded and encoded.isascii():
        return encoded.replace("+", " ")
    if _BROKEN_ESCAPE.search(encoded):
        raise Refusal(
            400, "The URL's percent-encoding is broken: write % itself as %25."
        )
    try:
        return unquote_to_bytes(encoded.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(
            400, "The URL's parameters must be UTF-8, percent-encoded."
        ) from None


def faultOfSpecialKey(specialKey: str) -> str | None:
    """Say what is wrong with a specialKey; L{None}: nothing is."""
    if not specialKey:
        return "specialKey is missing: the URL must say ?specialKey=... (who you are)."
    if len(specialKey) > MAX_SPECIAL_KEY:
        return f"specialKey is too long: it may have 1 to {MAX_SPECIAL_KEY} characters."
    if _CONTROL.search(specialKey):
        return "specialKey must not hold control characters."
    return None
