"""What is said."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True):
    """
    Something said to everyone. It never changes.

    @ivar payload: for text, valid UTF-8
    @ivar isBinary: whether it goes out in binary frames, as it is
    """

    payload: bytes
    isBinary: bool = False

    @classmethod
    def of(cls, payload: str | bytes, isBinary: bool = False) -> Message:
        """
        Make a message of a string, or of bytes that are known to be right.

        @raise UnicodeEncodeError: if a string holds lone surrogates
        @raise ValueError: if a string is to be binary
        """
        if isinstance(payload, str):
            if isBinary:
                raise ValueError("a string is text, not binary: pass bytes")
            payload = payload.encode("utf-8")
        return cls(payload, isBinary)
