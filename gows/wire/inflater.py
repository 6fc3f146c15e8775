"""Permessage-deflate (RFC 7692) that holds nothing between messages."""

from __future__ import annotations

from typing import Any

from autobahn.websocket.compress import PerMessageDeflate


class FrugalDeflate(PerMessageDeflate):
    """
    Autobahn's permessage-deflate, without the inflater of the message before.

    Autobahn keeps that (7 to 40 KB) until the next message, for which it makes a new
    one if there is no context takeover. There is no public way to have it let go.
    """

    _decompressor: Any

    def end_decompress_message(self) -> None:
        """Take note that a message is complete."""
        super().end_decompress_message()
        if self.client_no_context_takeover:
            self._decompressor = None
