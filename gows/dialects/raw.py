"""The raw dialect: each message is what is said, and nothing else is."""

from __future__ import annotations

from typing import Final

from gows.chat.audience import toRoom
from gows.chat.inbound import Content
from gows.chat.message import Message
from gows.dialects.dialect import Speaker

NAME: Final = "gows.raw"
"""Its subprotocol; a client that offers none speaks it as well."""


class Raw:
    """
    What one connection says goes to the room where it is.

    It is not told of anything but what others say.
    """

    __slots__ = ("_audience", "_speaker")

    name = NAME
    isEnveloped = False

    def __init__(self, speaker: Speaker) -> None:
        """Speak for a connection."""
        self._speaker = speaker
        self._audience = toRoom(speaker.context.room)

    def begin(self) -> None:
        """Say nothing."""

    def received(self, content: Content) -> None:
        """Pass on what came; what may not be said is dropped, and counted."""
        context = self._speaker.context
        if not context.grant.mayWrite(self._audience.name):
            self._speaker.ignored()
            return
        self._speaker.hand(
            Message(
                content.payload, content.isBinary, self._audience, context.specialKey
            )
        )

    def tooFast(self, payload: bytes, isBinary: bool, wait: float) -> None:
        """Drop what came, and count it."""
        self._speaker.ignored()

    def missed(self, count: int) -> bytes | None:
        """Say nothing."""
        return None

    def farewell(self, code: int, reason: str, returnAfter: float | None) -> None:
        """Say nothing."""
