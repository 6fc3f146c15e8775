"""Which offers of permessage-deflate (RFC 7692) are accepted, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
)

from gows.access.request import RequestHead

WINDOW_BITS: Final = 12
"""
The largest window that is used: 4 KiB, an eighth of zlib's.

It bounds what a connection's inflater holds here, where the client lets us ask for
that (browsers do). A client's own may be small, too, though it is not told so.
"""

_DEFLATE: Final = "permessage-deflate"


def soundOffers(head: RequestHead) -> str:
    """
    Take the offers of permessage-deflate that can be understood, for Autobahn.

    One that cannot be is declined, not the opening (RFC 7692, 5.1). Autobahn would
    fail the opening.
    """
    offers = head.items("sec-websocket-extensions")
    return ", ".join(text for text in offers if parsedOffer(text) is not None)


def parsedOffer(text: str) -> PerMessageDeflateOffer | None:
    """
    Read one offer.

    @return: L{None}: it is none of permessage-deflate, or cannot be understood
    """
    name, *parameters = map(str.strip, text.split(";"))
    if name.lower() != _DEFLATE:
        return None
    given: dict[str, list[str | bool]] = {}
    for parameter in parameters:
        key, equals, value = map(str.strip, parameter.partition("="))
        given.setdefault(key.lower(), []).append(value.strip('"') if equals else True)
    try:
        parsed: PerMessageDeflateOffer = PerMessageDeflateOffer.parse(given)
    except Exception:  # Autobahn raises no narrower one
        return None
    return parsed


class Acceptance(PerMessageDeflateOfferAccept):
    """
    An offer accepted without context takeover, which is said in any case.

    Autobahn says so only if it was asked to. A client that is told need not keep an
    inflater from message to message (RFC 7692, 7.1.1.1).
    """

    def get_extension_string(self) -> str:
        """Write the answer to the offer."""
        text: str = super().get_extension_string()
        if not self.offer.request_no_context_takeover:
            text += "; server_no_context_takeover"
        return text


def acceptDeflate(
    offers: Sequence[PerMessageDeflateOffer],
) -> PerMessageDeflateOfferAccept:
    """
    Accept the first of the sound offers.

    There is no context takeover in either direction: one compressed frame serves
    all who negotiated the same window, and no compressor outlives a message.
    """
    offer = offers[0]
    return Acceptance(
        offer,
        request_no_context_takeover=True,
        request_max_window_bits=WINDOW_BITS if offer.accept_max_window_bits else 0,
        no_context_takeover=True,
        window_bits=min(offer.request_max_window_bits or WINDOW_BITS, WINDOW_BITS),
    )
