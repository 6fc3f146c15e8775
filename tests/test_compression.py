"""Tests for which offers of permessage-deflate are accepted."""

from __future__ import annotations

from typing import Any

from autobahn.websocket.compress import PerMessageDeflateOffer
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.access.request import RequestHead
from gows.wire.compression import WINDOW_BITS, acceptDeflate, soundOffers

PROPERTY = settings(max_examples=50, deadline=None, database=None, derandomize=True)


def offer(**parameters: str | bool) -> PerMessageDeflateOffer:
    """Make what Autobahn makes of a client's offer."""
    made = PerMessageDeflateOffer.parse(
        {name: [value] for name, value in parameters.items()}
    )
    assert isinstance(made, PerMessageDeflateOffer)
    return made


def accepted(*offers: PerMessageDeflateOffer) -> Any:
    """Accept one of several offers."""
    return acceptDeflate(offers)


def parameters(accept: Any) -> dict[str, str]:
    """Take apart what is answered to the client."""
    name, *items = accept.get_extension_string().split("; ")
    assert name == "permessage-deflate"
    return {key: value for key, _, value in (item.partition("=") for item in items)}


class AcceptTests(SynchronousTestCase):
    """Who offers permessage-deflate gets it, on terms that bound memory."""

    def test_firstOffer(self) -> None:
        """Of several offers the first is taken: it is what the client likes best."""
        first, second = offer(server_max_window_bits="10"), offer()
        self.assertIs(accepted(first, second).offer, first)
        self.assertIs(accepted(second, first).offer, second)

    def test_bare(self) -> None:
        """A client that asks for nothing is told to compress each message alone."""
        accept = accepted(offer())
        self.assertEqual(
            parameters(accept),
            {"client_no_context_takeover": "", "server_no_context_takeover": ""},
        )
        self.assertEqual(accept.window_bits, WINDOW_BITS)
        self.assertIs(accept.no_context_takeover, True)

    def test_clientWindow(self) -> None:
        """A client that can is told to use a small window."""
        for value in (True, "9", "15"):
            answer = parameters(accepted(offer(client_max_window_bits=value)))
            self.assertEqual(answer["client_max_window_bits"], str(WINDOW_BITS))

    def test_serverWindow(self) -> None:
        """A client that wants a smaller window gets it, a larger one is not used."""
        for bits in range(9, 16):
            accept = accepted(offer(server_max_window_bits=str(bits)))
            self.assertEqual(accept.window_bits, min(bits, WINDOW_BITS))
            self.assertGreaterEqual(
                int(parameters(accept)["server_max_window_bits"]), accept.window_bits
            )

    def test_noTakeover(self) -> None:
        """A client is told, once, that each message is compressed alone."""
        for asked in ({}, {"server_no_context_takeover": True}):
            text = accepted(offer(**asked)).get_extension_string()
            self.assertEqual(text.count("server_no_context_takeover"), 1)

    @PROPERTY
    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "client_max_window_bits": st.sampled_from([True, "9", "12", "15"]),
                "server_max_window_bits": st.sampled_from(["9", "12", "13", "15"]),
                "client_no_context_takeover": st.just(True),
                "server_no_context_takeover": st.just(True),
            },
        )
    )
    def test_everyOffer(self, offered: dict[str, str | bool]) -> None:
        """Whatever is offered, the answer is one that RFC 7692 (7.1) allows."""
        accept = accepted(offer(**offered))
        answer = parameters(accept)
        self.assertIn("client_no_context_takeover", answer)
        self.assertLessEqual(accept.window_bits, WINDOW_BITS)
        self.assertEqual(
            "client_max_window_bits" in answer, "client_max_window_bits" in offered
        )
        if "server_max_window_bits" in offered:
            self.assertLessEqual(
                int(answer["server_max_window_bits"]),
                int(offered["server_max_window_bits"]),
            )
        self.assertIn("server_no_context_takeover", answer)


class SoundOffersTests(SynchronousTestCase):
    """Autobahn gets the offers that it can understand."""

    def offers(self, *lines: bytes) -> str:
        """Take the sound ones of these header lines."""
        fields = b"".join(
            b"Sec-WebSocket-Extensions: " + line + b"\r\n" for line in lines
        )
        return soundOffers(RequestHead.parse(b"GET / HTTP/1.1\r\n" + fields + b"\r\n"))

    def test_kept(self) -> None:
        """Offers of permessage-deflate are kept in their order, as they came."""
        self.assertEqual(
            self.offers(
                b"permessage-deflate; server_max_window_bits=10, Permessage-Deflate",
                b"permessage-deflate; client_max_window_bits",
            ),
            "permessage-deflate; server_max_window_bits=10, Permessage-Deflate, "
            "permessage-deflate; client_max_window_bits",
        )

    def test_declined(self) -> None:
        """Other extensions, and offers that RFC 7692 does not know, are left out."""
        for offer in (
            b"x-webkit-deflate-frame",
            b"permessage-deflate; server_max_window_bits=8",
            b"permessage-deflate; server_max_window_bits",
            b"permessage-deflate; unknown",
            b"permessage-deflate; client_no_context_takeover=1",
            b";",
            b"",
        ):
            self.assertEqual(self.offers(offer), "", offer)
