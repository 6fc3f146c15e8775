"""Tests for L{gows.wire.speaking}: a connection as its dialect sees it."""

from __future__ import annotations

from typing import Any

from gows.chat.grant import NO_LIMITS, Grant, Pass
from gows.wire.frames import PLAIN, WireForm
from tests.memory import DEFLATE, TEXT, MemoryTestCase, frame

DAY = 86400


class FormTests(MemoryTestCase):
    """Messages go out in the form that the opening agreed on."""

    def test_form(self) -> None:
        """By dialect, by support_gzip, and by permessage-deflate."""
        server = self.factory()
        for query, headers, form in (
            ("", {}, PLAIN),
            ("&support_gzip=1", {}, WireForm(gzip=True)),
            ("", {"Sec_WebSocket_Extensions": DEFLATE}, WireForm(windowBits=12)),
        ):
            client = self.opened(server, f"specialKey=a{query}", **headers)
            self.assertEqual(client.server.form, form)
            client = self.opened(
                server,
                f"specialKey=b{query}",
                Sec_WebSocket_Protocol="gows.v1",
                **headers,
            )
            self.assertEqual(client.server.form, form._replace(isEnveloped=True))


class ExpiryTests(MemoryTestCase):
    """A grant may end, sooner or later."""

    def setUp(self) -> None:
        """Have somebody come."""
        super().setUp()
        self.server = self.factory(pingInterval=0)
        self.alice = self.opened(self.server)
        self.connection: Any = self.alice.server

    def renew(self, grant: Grant) -> None:
        """Have a new token grant something."""
        self.connection.renew(Pass("alice", grant))

    def closed(self) -> bool:
        """Tell whether it was closed as expired."""
        self.alice.flush()
        codes: list[int] = self.alice.protocol.closeCodes
        return codes == [4003]

    def test_soon(self) -> None:
        """It is closed at that moment, not before, and not within the call."""
        self.renew(Grant(expires=self.clock.seconds()))
        self.assertEqual(self.connection.state, self.connection.STATE_OPEN)
        self.clock.advance(0)
        self.assertTrue(self.closed())

    def test_inYears(self) -> None:
        """No timer runs for years, however late the end is."""
        for expires in (2.0**53, 400 * DAY):
            self.renew(Grant(expires=expires))
            [longest] = [max(c.getTime() for c in self.clock.getDelayedCalls())]
            self.assertLessEqual(longest - self.clock.seconds(), DAY)
        for _ in range(399):
            self.clock.advance(DAY)
        self.assertFalse(self.closed())
        self.clock.advance(DAY)
        self.assertTrue(self.closed())

    def test_another(self) -> None:
        """The last grant counts, and one without an end has none."""
        self.renew(Grant(expires=10))
        self.renew(Grant(expires=20))
        self.clock.advance(15)
        self.assertFalse(self.closed())
        self.renew(NO_LIMITS)
        self.clock.advance(DAY)
        self.assertFalse(self.closed())
        self.assertIs(self.connection.context.grant, NO_LIMITS)
        self.assertEqual(self.connection.context.specialKey, "alice")

    def test_closedBefore(self) -> None:
        """Who is closed for another reason is not closed twice."""
        self.renew(Grant(expires=10))
        self.connection.close(1000)
        self.alice.flush()
        self.clock.advance(10)
        self.alice.flush()
        self.assertEqual(self.alice.protocol.closeCodes, [1000])


class LimitsTests(MemoryTestCase):
    """What is sent is counted, where that is limited."""

    def test_noMeter(self) -> None:
        """Without limits a connection has no meter, and everything passes."""
        client = self.opened(self.factory())
        self.assertIsNone(client.server._meter)
        for _ in range(1000):
            client.send(frame(TEXT, b"x"))
        self.assertEqual(len(client.protocol.texts), 1000)

    def test_log(self) -> None:
        """Who was closed for too much has failed, and the application is told so."""
        server = self.factory(rate=1)
        client = self.opened(server)
        client.send(frame(TEXT, b"x") * 10)
        client.leave()
        kinds = [call[0] for call in self.calls(server)]
        self.assertEqual(kinds[-2:], ["error", "close"])
