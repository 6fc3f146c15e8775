"""Which offers of permessage-deflate (RFC 7692) are accepted, and how."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
)

WINDOW_BITS: Final = 12
"""
The largest window, in both directions: 4 KiB, an eighth of zlib's.

It bounds what a connection's inflater holds, here and in the client.
"""


def acceptDeflate(offers: Iterable[object]) -> PerMessageDeflateOfferAccept | None:
    """
    Accept the first offer of permessage-deflate.

    There is no context takeover in either direction: one compressed frame serves
    all who negotiated the same window, and no compressor outlives a message.
    """
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(
                offer,
                request_no_context_takeover=True,
                request_max_window_bits=(
                    WINDOW_BITS if offer.accept_max_window_bits else 0
                ),
                no_context_takeover=True,
                window_bits=min(offer.request_max_window_bits or 15, WINDOW_BITS),
            )
    return None
