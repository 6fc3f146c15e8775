"""What the values of settings may be."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated, Final, NamedTuple

from msgspec import Meta

from gows.access.addresses import parseProxy
from gows.access.origins import parseOrigin

DAY: Final = 86400.0

_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")


class Check(NamedTuple):
    """
    What a text may be, where the type alone does not say it.

    @ivar allowed: what is allowed, for the operator
    @ivar parse: raises L{ValueError} for what is not
    """

    allowed: str
    parse: Callable[[str], object]


def told(text: str, *, advice: str = "", example: str = "") -> Meta:
    """
    Say what a setting does.

    @param advice: its value, in TOML, for a server that the open internet can reach
    @param example: a value, in TOML, of one that is unset by default
    """
    return Meta(description=text, extra={"advice": advice, "example": example})


def _notEmpty(text: str) -> None:
    if not text.strip() or "\0" in text:
        raise ValueError("empty")


def _endpoint(text: str) -> None:
    kind, colon, _ = text.partition(":")
    if not (kind.strip() and colon):
        raise ValueError("no type before a colon")


def _hostName(text: str) -> None:
    if len(text) > 253 or _HOST_NAME.fullmatch(text) is None:
        raise ValueError("not a name of a host")


def _dottedName(text: str) -> None:
    if "." not in text or not all(part.isidentifier() for part in text.split(".")):
        raise ValueError("not a dotted name")


Seconds = Annotated[float, Meta(ge=0.1, le=DAY)]
SecondsOrNone = Annotated[float, Meta(ge=0, le=DAY)]
FileName = Annotated[str, Check("the path of a file", _notEmpty)]
Text = Annotated[str, Check("a text that is not empty", _notEmpty)]
Interface = Annotated[str, Check("an IP address", ip_address)]
Endpoint = Annotated[
    str, Check("a Twisted server endpoint string, such as tcp:8888", _endpoint)
]
Origin = Annotated[
    str,
    Check(
        "scheme://host or scheme://host:port with nothing behind it, or null",
        parseOrigin,
    ),
]
HostName = Annotated[
    str, Check("the name of a host, such as ops.example, without a port", _hostName)
]
Proxy = Annotated[
    str, Check("an IP address, a network such as 10.0.0.0/8, or unix", parseProxy)
]
DottedName = Annotated[
    str, Check("a dotted name, such as mymodule.MyApplication", _dottedName)
]
