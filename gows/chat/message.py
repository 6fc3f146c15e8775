"""What is said, by whom, and to whom."""

from __future__ import annotations

import msgspec

from gows.chat.audience import TO_EVERYONE, Audience


class Message(msgspec.Struct, frozen=True, gc=False):
    """
    Something that is said. It never changes.

    @ivar payload: what raw readers get; for text, valid UTF-8
    @ivar isBinary: whether it goes out in binary frames, as it is
    @ivar audience: whom it is for
    @ivar sender: the specialKey of who says it; L{None}: the application does
    @ivar data: the JSON text that it was said as; L{None}: plain text, or binary
    @ivar id: given when it was accepted, unique on this server; empty before
    @ivar time: when that was, in milliseconds since 1970
    """

    payload: bytes
    isBinary: bool = False
    audience: Audience = TO_EVERYONE
    sender: str | None = None
    data: bytes | None = None
    id: str = ""
    time: int = 0

    @classmethod
    def of(
        cls,
        payload: str | bytes,
        isBinary: bool = False,
        audience: Audience = TO_EVERYONE,
    ) -> Message:
        """
        Make a message of a string, or of bytes that are known to be right.

        @raise UnicodeEncodeError: if a string holds lone surrogates
        @raise ValueError: if a string is to be binary
        """
        return cls(_encoded(payload, isBinary), isBinary, audience)

    @property
    def text(self) -> str:
        """
        What it says, as a string.

        @raise ValueError: if it is binary
        """
        if self.isBinary:
            raise ValueError("a binary message is no text")
        return self.payload.decode("utf-8")

    def saying(self, payload: str | bytes, isBinary: bool = False) -> Message:
        """
        Make a message of the same sender to the same audience that says this.

        @raise UnicodeEncodeError: if a string holds lone surrogates
        @raise ValueError: if a string is to be binary
        """
        content = _encoded(payload, isBinary)
        return Message(content, isBinary, self.audience, self.sender)


def _encoded(payload: str | bytes, isBinary: bool) -> bytes:
    if not isinstance(payload, str):
        return payload
    if isBinary:
        raise ValueError("a string is text, not binary: pass bytes")
    return payload.encode("utf-8")
