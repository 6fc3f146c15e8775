"""
Every close code that gows sends: the one table.

docs/protocol.md has the same table for the authors of clients; a test compares.
"""

from __future__ import annotations

from typing import Final

import msgspec

from gows.errors import (
    InvalidPayload,
    MessageError,
    MessageTooBig,
    UnsupportedData,
)


class Close(msgspec.Struct, frozen=True):
    """
    A way in which the server closes a connection.

    @ivar code: the close code (RFC 6455, section 7.4; 4000 and up are ours)
    @ivar reason: the text in the close frame
    @ivar mayReturn: whether the client may come back by itself
    @ivar returnAfter: in how many seconds at the earliest, if it may
    @ivar meaning: when it happens, for docs/protocol.md
    """

    code: int
    reason: str
    mayReturn: bool
    meaning: str
    returnAfter: float = 1.0


NORMAL: Final = Close(
    1000, "", True, "The client closed, or the application did without another code."
)
GOING_AWAY: Final = Close(
    1001,
    "the server is stopping",
    True,
    "The server is stopping or restarting. Come back after a moment.",
)
PROTOCOL_ERROR: Final = Close(
    1002, "protocol error", True, "The client broke RFC 6455."
)
UNSUPPORTED_DATA: Final = Close(
    1003,
    "binary messages are refused here",
    True,
    "A binary message came and the server has `--binary refuse`.",
)
INVALID_PAYLOAD: Final = Close(
    1007,
    "invalid payload",
    True,
    "Text was not UTF-8, or a binary message was not one whole gzip member of "
    "UTF-8 text.",
)
TOO_MANY_ERRORS: Final = Close(
    1008,
    "too many errors",
    True,
    "The client made too many requests of gows.v1 that were faulty (`--max-errors`).",
    10.0,
)
TOO_FAST: Final = Close(
    1008,
    "too much was sent",
    True,
    "The client sent more than `--rate` or `--byte-rate` allow, and went on.",
    10.0,
)
MESSAGE_TOO_BIG: Final = Close(
    1009,
    "message too big",
    True,
    "A message was larger than `--max-message-size`, once decompressed.",
)
INTERNAL_ERROR: Final = Close(
    1011, "internal error", True, "The application failed on this connection."
)
REPLACED: Final = Close(
    4001,
    "replaced by a newer connection of this key",
    False,
    "A newer connection has the same key. Coming back would replace that one.",
)
TOO_SLOW: Final = Close(
    4002,
    "too slow: too much was waiting to be read",
    True,
    "The client did not read what was sent to it.",
)

EXPIRED: Final = Close(
    4003,
    "the token has expired: come back with a fresh one",
    True,
    "The token has expired. Come back with a fresh one.",
    0.0,
)

TABLE: Final = (
    NORMAL,
    GOING_AWAY,
    PROTOCOL_ERROR,
    UNSUPPORTED_DATA,
    INVALID_PAYLOAD,
    TOO_MANY_ERRORS,
    TOO_FAST,
    MESSAGE_TOO_BIG,
    INTERNAL_ERROR,
    REPLACED,
    TOO_SLOW,
    EXPIRED,
)

NO_STATUS: Final = 1005
"""There was a close frame without a code. Never sent (RFC 6455, 7.4.1)."""

ABNORMAL: Final = 1006
"""There was no close frame. Never sent (RFC 6455, 7.4.1)."""

MAX_REASON: Final = 123
"""The longest reason in a close frame, in bytes of UTF-8 (RFC 6455, 5.5)."""

OTHER: Final = "other"

LABELS: Final = tuple(
    str(code)
    for code in sorted(
        {
            *(close.code for close in TABLE),
            *(NO_STATUS, ABNORMAL, 1010, 1012, 1013, 1014, 1015),
        }
    )
)
"""The codes that are counted one by one: ours, and those of RFC 6455's registry."""

_FOR_ERROR: Final[dict[type[MessageError], Close]] = {
    InvalidPayload: INVALID_PAYLOAD,
    MessageTooBig: MESSAGE_TOO_BIG,
    UnsupportedData: UNSUPPORTED_DATA,
}


def closeFor(error: MessageError) -> Close:
    """Look up how a connection is closed that sent something unacceptable."""
    return _FOR_ERROR[type(error)]


def reasonOf(code: int) -> bytes:
    """Look up the reason that goes with one of our codes."""
    return next((close.reason for close in TABLE if close.code == code), "").encode()


def returnAfter(code: int) -> float | None:
    """
    Say after how many seconds a client may come back that is closed with a code.

    @return: L{None}: not by itself; or the application chose the code, and knows
    """
    close = next((close for close in TABLE if close.code == code), None)
    return close.returnAfter if close is not None and close.mayReturn else None


def labelOf(code: int) -> str:
    """
    Say what a connection that ended with a code is counted as.

    @return: one of L{LABELS}; L{OTHER} for a code that the application chose, or the
        peer made up
    """
    label = str(code)
    return label if label in LABELS else OTHER


def checkedReason(code: int, reason: str) -> bytes:
    """
    Check what an application closes with, and encode its reason.

    @return: the reason in UTF-8, cut between characters after L{MAX_REASON} bytes
    @raise ValueError: if the code is not 1000 or 3000 to 4999
    """
    if code != NORMAL.code and not 3000 <= code <= 4999:
        raise ValueError(f"close code {code} is not 1000 or one of 3000 to 4999")
    return reason.encode("utf-8")[:MAX_REASON].decode("utf-8", "ignore").encode("utf-8")
