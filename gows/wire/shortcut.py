"""
The short way in: small text messages, which most are, without a state machine.

Autobahn's parser takes three quarters of the time of such a message. It stays the
measure: what is not plainly one small whole text frame goes to it unchanged, and
C{tests/test_shortcut.py} compares.
"""

from __future__ import annotations

from typing import Final, Protocol

_TEXT: Final = 0x81  # FIN, no reserved bit, opcode 1
_MASKED: Final = 0x80
_MASK_SIZE: Final = 4


class Shortcut(Protocol):
    """What the short way asks of a connection."""

    maxMessagePayloadSize: int

    def isBetweenMessages(self) -> bool:
        """Tell whether a frame that comes now may go to L{onMessage} at once."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Take a message; it may change what L{isBetweenMessages} says."""


def takeTexts(connection: Shortcut, data: bytes) -> int:
    """
    Take the text messages that a read begins with, as far as the short way goes.

    @return: how many bytes have been taken; those behind them are Autobahn's
    """
    taken, size = 0, len(data)
    while taken < size and connection.isBetweenMessages():
        end = _frameEnd(data, taken, connection.maxMessagePayloadSize)
        if end is None:
            break
        payload = _unmasked(data, taken, end)
        if not payload.isascii():
            try:
                str(payload, "utf-8")
            except UnicodeDecodeError:
                break
        taken = end
        connection.onMessage(payload, False)
    return taken


def _frameEnd(data: bytes, start: int, limit: int) -> int | None:
    """
    Find the end of a whole masked text frame of less than 64 KiB.

    @param limit: the longest payload
    @return: L{None} if that is not what begins at C{start}
    """
    size = len(data)
    if size < start + 6 or data[start] != _TEXT:
        return None
    length = data[start + 1] - _MASKED
    if 0 <= length < 126:
        end = start + 6 + length
    elif length == 126:
        length = data[start + 2] << 8 | data[start + 3]
        if length < 126:
            return None
        end = start + 8 + length
    else:
        return None
    return end if end <= size and length <= limit else None


def _unmasked(data: bytes, start: int, end: int) -> bytes:
    begin = start + (6 if data[start + 1] != _MASKED | 126 else 8)
    length = end - begin
    mask = data[begin - _MASK_SIZE : begin] * (length // _MASK_SIZE + 1)
    key = int.from_bytes(mask[:length], "little")
    return (int.from_bytes(data[begin:end], "little") ^ key).to_bytes(length, "little")
