"""
Every exception of gows.

L{MessageError}s become a close code (the table is in L{gows.wire.closing}),
a L{Refusal} becomes an HTTP answer, the others end the start with one line.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final


class GowsError(Exception):
    """What all exceptions of gows have in common."""


class SettingError(GowsError):
    """A setting is unknown or its value is not allowed: one line for the operator."""


class CannotStart(GowsError):
    """The server cannot start: one line for the operator that says why."""


class MessageError(GowsError):
    """What a peer sent is not acceptable: its connection is closed."""


class InvalidPayload(MessageError):
    """A payload is not what its kind says: broken gzip, or not UTF-8."""


class MessageTooBig(MessageError):
    """A message, once decompressed, is larger than C{--max-message-size}."""


class UnsupportedData(MessageError):
    """A binary message came although C{--binary refuse} is set."""


class TooMany(GowsError):
    """More is to be kept than there is room for."""


class ProtocolError(GowsError):
    """
    A peer broke the protocol, or did not answer in time.

    Told to L{gows.interfaces.IApplication.onError}.
    """


class Refusal(GowsError):
    """
    An opening or a plain request is refused with an HTTP answer.

    An application raises it in C{onConnect}, or returns it, to refuse.

    @ivar status: the HTTP status, 400 to 599
    @ivar text: one line that helps the client's author; it must not repeat what
        the peer sent. Control characters become blanks.
    @ivar headers: further headers, such as C{Retry-After}
    """

    def __init__(self, status: int, text: str, **headers: str) -> None:
        """
        Remember why an opening is refused.

        @param headers: header names with C{_} for C{-}: C{Retry_After="2"}
        @raise ValueError: if C{status} is not one of HTTP's error statuses, or a
            header is not printable ASCII
        """
        self.status: Final = HTTPStatus(status)
        if not 400 <= status <= 599:
            raise ValueError(f"{status} does not refuse: take one of 400 to 599")
        self.text: Final = "".join(c if c.isprintable() else " " for c in text)
        self.headers: Final = {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        for value in self.headers.values():
            if not (value.isascii() and value.isprintable()):
                raise ValueError("a header must be printable ASCII")
        super().__init__(f"{status}: {self.text}")


def undecided() -> Refusal:
    """Make the refusal for an opening on which the application failed to decide."""
    return Refusal(500, "The server failed to decide on this opening.")


def refusalAnswer(refusal: Refusal, withBody: bool = True) -> bytes:
    """
    Write a refusal as one complete HTTP/1.1 answer.

    @param withBody: false for the answer to a HEAD request
    """
    body = refusal.text.encode() + b"\n"
    lines = [
        f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}",
        "Server: gows",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        *(f"{name}: {value}" for name, value in refusal.headers.items()),
    ]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head + body if withBody else head
