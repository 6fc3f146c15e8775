"""Tests for L{gows.dialects.dialect}: what is a dialect, and a house, is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gows.dialects.conversation import Conversation
from gows.dialects.dialect import Dialect, House, Speaker
from gows.dialects.raw import Raw
from tests.memory import MemoryTestCase

if TYPE_CHECKING:
    from gows.wire.hall import Hall
    from gows.wire.protocol import GowsProtocol

    def theyFit(
        raw: Raw, talk: Conversation[GowsProtocol], who: GowsProtocol, hall: Hall
    ) -> tuple[Dialect, Dialect, Speaker, House[GowsProtocol]]:
        """Have the types checked."""
        return raw, talk, who, hall


class DialectTests(MemoryTestCase):
    """A connection speaks what was agreed on."""

    def test_chosen(self) -> None:
        """Raw, unless gows.v1 was asked for."""
        server = self.factory()
        for offered, kind in (
            (None, Raw),
            ("gows.raw", Raw),
            ("other", Raw),
            ("gows.v1", Conversation),
        ):
            client = self.opened(server, Sec_WebSocket_Protocol=offered)
            dialect = client.server.dialect
            self.assertIsInstance(dialect, kind)
            self.assertEqual(dialect.isEnveloped, kind is Conversation)
            self.assertEqual(dialect.missed(3) is None, kind is Raw)
