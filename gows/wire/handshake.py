"""The opening handshake (RFC 6455, 4.2): what it must be, and its answer."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha1
from typing import Final, NamedTuple

from autobahn.websocket.compress import (
    PerMessageDeflate,
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
)

from gows.access.credentials import TOKEN_PROTOCOL
from gows.access.request import RequestHead
from gows.dialects import conversation, raw
from gows.errors import Refusal
from gows.wire.compression import parsedOffer, soundOffers
from gows.wire.inflater import FrugalDeflate

Accept = Callable[
    [Sequence[PerMessageDeflateOffer]], PerMessageDeflateOfferAccept | None
]

DIALECTS: Final = (conversation.NAME, raw.NAME)
"""The subprotocols that are spoken here."""

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY: Final = re.compile(r"[A-Za-z0-9+/]{22}==")

_FAULTY: Final = (
    "This is no valid WebSocket opening (RFC 6455, 4.2.1): it needs Host, "
    "Connection: Upgrade, Sec-WebSocket-Version: 13, a Sec-WebSocket-Key of 16 bytes "
    "in base64, each once, and well-formed extensions."
)

_ALONE: Final = (
    "A token among the subprotocols needs a dialect beside it: "
    f"{' or '.join(DIALECTS)}."
)

_FIELDS: Final = (
    "host",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
)


class Handshake(NamedTuple):
    """
    A client's half of a handshake.

    @ivar key: its C{Sec-WebSocket-Key}
    @ivar offers: of permessage-deflate, as far as they can be understood
    @ivar dialect: the first of the subprotocols offered that is spoken here; L{None}:
        none is
    """

    key: str
    offers: Sequence[PerMessageDeflateOffer]
    dialect: str | None = None

    @classmethod
    def of(cls, head: RequestHead) -> Handshake:
        """
        Read a client's handshake.

        @param head: of a GET request that asks for an upgrade to WebSocket
        @raise Refusal: 400, if it is not a handshake
        """
        offers = soundOffers(head) if head.values("sec-websocket-extensions") else ""
        read = "".join(value for name in _FIELDS for value in head.values(name))
        if not (offers.isascii() and read.isascii()):
            raise Refusal(400, "The headers of the handshake must be ASCII.")
        keys = head.values("sec-websocket-key")
        if not (
            _isHost(head.values("host"))
            and any(item.lower() == "upgrade" for item in head.items("connection"))
            and head.values("sec-websocket-version") == ["13"]
            and _isKey(keys)
            and _areDifferent(head.values("sec-websocket-protocol"))
        ):
            raise Refusal(400, _FAULTY)
        parsed = map(parsedOffer, offers.split(", "))
        return cls(
            keys[0],
            [offer for offer in parsed if offer is not None],
            _dialectOf(head.subprotocols),
        )

    def answer(
        self, server: str, accept: Accept
    ) -> tuple[bytes, PerMessageDeflate | None]:
        """
        Write our half.

        @param server: our name
        @param accept: decides on the offers
        @return: what makes the connection a WebSocket once it is sent, and what that
            says of permessage-deflate
        """
        answer = (
            "HTTP/1.1 101 Switching Protocols\r\n"
            f"Server: {server}\r\n"
            "Upgrade: WebSocket\r\n"
            "Connection: Upgrade\r\n"
        )
        if self.dialect is not None:
            answer += f"Sec-WebSocket-Protocol: {self.dialect}\r\n"
        answer += f"Sec-WebSocket-Accept: {_acceptOf(self.key)}\r\n"
        compression = None
        if self.offers and (accepted := accept(self.offers)) is not None:
            answer += f"Sec-WebSocket-Extensions: {accepted.get_extension_string()}\r\n"
            compression = FrugalDeflate.create_from_offer_accept(True, accepted)
        return f"{answer}\r\n".encode("ascii"), compression


def _dialectOf(offered: Sequence[str]) -> str | None:
    for name in offered:
        if name in DIALECTS:
            return name
    if any(name.startswith(TOKEN_PROTOCOL) for name in offered):
        raise Refusal(400, _ALONE)
    return None


def _isHost(hosts: Sequence[str]) -> bool:
    if len(hosts) != 1:
        return False
    [host] = hosts
    if ":" not in host or host.endswith("]"):
        return True
    try:
        int(host.rpartition(":")[2])
    except ValueError:
        return False
    return True


def _isKey(keys: Sequence[str]) -> bool:
    return len(keys) == 1 and _KEY.fullmatch(keys[0]) is not None


def _areDifferent(protocols: Sequence[str]) -> bool:
    if not protocols:
        return True
    offered = [item.strip() for item in ",".join(protocols).split(",")]
    return len(set(offered)) == len(offered)


def _acceptOf(key: str) -> str:
    digest = sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()
    return b64encode(digest).decode("ascii")
