"""Tests for L{gows.measuring}: what happens to a server is what its metrics show."""

from __future__ import annotations

from prometheus_client.registry import CollectorRegistry

from gows.counts import Uncounted
from gows.errors import Refusal
from gows.lag import EVERY, ReactorLag
from gows.measuring import collectorOf, metricsPage
from gows.settings import Settings
from gows.web.metricspage import MetricsPage
from gows.wire.closing import TOO_SLOW
from gows.wire.factory import GowsFactory
from tests.memory import CLOSE, TEXT, Chat, Client, MemoryTestCase, frame


class MeasuringTests(MemoryTestCase):
    """Each thing that happens to a server is counted once."""

    def setUp(self) -> None:
        """Make a server."""
        super().setUp()
        self.measure(self.factory(handshakeTimeout=3.0, rate=2.0))

    def measure(self, server: GowsFactory) -> None:
        """Look at a server from now on."""
        self.server = server
        self.lag = ReactorLag(self.clock)
        self.registry = CollectorRegistry()
        self.registry.register(collectorOf(server, self.lag))

    def value(self, name: str, **labels: str) -> float:
        """Answer one sample."""
        value = self.registry.get_sample_value(name, labels)
        assert value is not None, (name, labels)
        return value

    def test_connections(self) -> None:
        """Connections by what they speak and get, and how they ended."""
        self.opened(self.server, "specialKey=a")
        gzip = self.opened(self.server, "specialKey=a&support_gzip=1")
        talker = self.talker(self.server, "specialKey=b")
        for name in ("gows_connections", "gows_connections_opened_total"):
            for dialect, form, count in (
                ("raw", "plain", 1),
                ("raw", "gzip", 1),
                ("raw", "deflate", 0),
                ("gows.v1", "plain", 1),
            ):
                self.assertEqual(self.value(name, dialect=dialect, form=form), count)
        self.assertEqual(self.value("gows_people"), 2)
        self.assertEqual(self.value("gows_rooms"), 1)
        gzip.send(frame(CLOSE, (4999).to_bytes(2, "big")))
        talker.client.leave()
        for code, count in (("other", 1), ("1006", 1), ("1000", 0)):
            closed = self.value("gows_connections_closed_total", code=code)
            self.assertEqual(closed, count, code)
        self.assertEqual(self.value("gows_connections", dialect="raw", form="gzip"), 0)
        self.assertEqual(self.value("gows_people"), 1)

    def test_replaced(self) -> None:
        """A connection that is replaced is here no more, and was closed with 4001."""
        first = self.opened(self.server)
        self.opened(self.server)
        first.flush()
        self.assertEqual(self.value("gows_connections", dialect="raw", form="plain"), 1)
        first.leave()
        closed = self.value("gows_connections_closed_total", code="4001")
        self.assertEqual(closed, 1)
        self.assertEqual(self.value("gows_connections", dialect="raw", form="plain"), 1)

    def test_deflate(self) -> None:
        """A connection with permessage-deflate is one."""
        self.opened(self.server, Sec_WebSocket_Extensions="permessage-deflate")
        here = self.value("gows_connections", dialect="raw", form="deflate")
        self.assertEqual(here, 1)

    def test_opening(self) -> None:
        """An opening takes from the connection to its answer."""
        client = self.wire(self.server)
        self.clock.advance(0.75)
        client.send(b"GET /?specialKey=a HTTP/1.1\r\nHost: a\r\n")
        self.clock.advance(0.5)
        client.send(
            b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        self.assertEqual(self.value("gows_opening_seconds_sum"), 1.25)
        self.assertEqual(self.value("gows_opening_seconds_count"), 1)

    def test_refused(self) -> None:
        """What is refused is counted by its status, and opens nothing."""
        self.ask(self.server, b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        client = self.wire(self.server)
        client.send(b"\x16\x03\x01")
        self.assertEqual(self.value("gows_refused_total", status="404"), 1)
        self.assertEqual(self.value("gows_refused_total", status="400"), 1)
        self.assertEqual(self.value("gows_opening_seconds_count"), 0)

    def test_applicationRefuses(self) -> None:
        """An application's own status is counted as well."""

        class Teapot(Chat):
            def onConnect(self, request: object) -> Refusal:
                """Refuse."""
                return Refusal(418, "I am a teapot.")

        self.measure(self.factory(Teapot))
        client = self.client(self.server)
        self.assertFalse(client.protocol.isOpen)
        self.assertEqual(self.value("gows_refused_total", status="418"), 1)

    def test_abandoned(self) -> None:
        """Who does not complete an opening is counted; who was refused, once."""
        self.wire(self.server)
        self.ask(self.server, b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        self.advance(5)
        self.assertEqual(self.value("gows_openings_abandoned_total"), 1)

    def flow(self, way: str, audience: str) -> list[float]:
        """Answer how many messages went one way to an audience, and their bytes."""
        if way == "in":
            names = ["gows_messages_received_total", "gows_received_bytes_total"]
        else:
            names = ["gows_messages_sent_total", "gows_deliveries_total"]
            names.append("gows_sent_bytes_total")
        return [self.value(name, audience=audience) for name in names]

    def test_everyone(self) -> None:
        """A message to everyone goes in once, and out to each who is there."""
        first, *_ = (self.opened(self.server, f"specialKey={n}") for n in "abc")
        others = [self.opened(self.server, f"specialKey={n}") for n in "bc"]
        others[0].send(frame(TEXT, b"hello"))
        self.clock.advance(0)
        here = len(self.server.registry)
        self.assertEqual(self.flow("in", "everyone"), [1, 5])
        self.assertEqual(self.flow("out", "everyone"), [1, here, here * 7])
        self.assertEqual(self.flow("out", "room"), [0, 0, 0])
        self.assertEqual(self.value("gows_joined_frames_count"), 1)
        self.assertEqual(self.value("gows_flush_bytes_sum"), 7)
        self.assertEqual(self.value("gows_fanout_seconds_count"), 1)
        first.leave()

    def test_room(self) -> None:
        """A message to a room, and news of who comes."""
        alice = self.talker(self.server, "specialKey=alice")
        bob = self.talker(self.server, "specialKey=bob")
        alice.ask(type="presence", id="1", room="a", watch=True)
        bob.ask(type="join", id="2", room="a")
        self.clock.advance(0)
        self.assertEqual(self.flow("out", "presence")[:2], [1, 1])
        bob.say(type="publish", to={"room": "a"}, data="x")
        self.clock.advance(0)
        self.assertEqual(self.flow("in", "room"), [1, 1])
        messages, deliveries, size = self.flow("out", "room")
        self.assertEqual((messages, deliveries), (1, 1))
        self.assertGreater(size, 20)
        self.assertEqual(self.flow("in", "everyone"), [0, 0])

    def test_key(self) -> None:
        """A message to a person goes out on each connection; so does an own word."""
        alice = self.talker(self.server, "specialKey=alice")
        self.opened(self.server, "specialKey=bob")
        self.opened(self.server, "specialKey=bob&support_gzip=1")
        alice.say(type="publish", to={"key": "bob"}, data="x")
        self.assertEqual(self.flow("in", "key"), [1, 1])
        self.assertEqual(self.flow("out", "key")[:2], [1, 2])
        [plain, _] = self.server.connectionsOf("bob")
        before = self.flow("out", "key")
        plain.send("hello")
        after = self.flow("out", "key")
        self.assertEqual([a - b for a, b in zip(after, before, strict=True)], [1, 1, 7])

    def test_closedHearsNothing(self) -> None:
        """What is said to a connection that is closing is not counted as sent."""
        self.opened(self.server)
        [alice] = self.server.connectionsOf("alice")
        alice.close()
        alice.send("hello")
        self.assertEqual(self.flow("out", "key"), [0, 0, 0])

    def test_tooFast(self) -> None:
        """Messages beyond the rate are ignored, in both dialects."""
        raw = self.opened(self.server)
        for _ in range(5):
            raw.send(frame(TEXT, b"x"))
        self.assertEqual(self.value("gows_messages_ignored_total"), 1)
        self.assertEqual(self.flow("in", "everyone"), [4, 4])
        talker = self.talker(self.server, "specialKey=b")
        for _ in range(5):
            talker.say(type="publish", data=1)
        self.assertEqual(self.value("gows_messages_ignored_total"), 2)

    def test_slow(self) -> None:
        """What waits, what was dropped, and who was closed because of it."""
        for policy in ("close", "drop-oldest", "latest"):
            self.measure(self.factory(slowPolicy=policy, slowLimit=1024))
            slow = self.stall(policy)
            isClosed = slow.server.localCloseCode == TOO_SLOW.code
            self.assertEqual(isClosed, policy == "close")

    def stall(self, policy: str) -> Client:
        """Have a reader be too slow, and another one read all."""
        slow = self.opened(self.server)
        bob = self.opened(self.server, "specialKey=bob")
        slow.transport.peerReads = False
        for _ in range(4):
            self.server.broadcast("x" * 70_000)
            self.clock.advance(0)
            bob.flush()
        dropped = self.value("gows_messages_dropped_total", policy=policy)
        self.assertEqual(dropped, slow.server.outbox.dropped)
        self.assertGreater(dropped, 0)
        return slow

    def test_waiting(self) -> None:
        """What waits for a slow reader is shown until it has it."""
        slow = self.opened(self.server)
        slow.transport.peerReads = False
        self.server.broadcast("x" * 70_000)
        self.server.broadcast("y" * 1000)
        self.clock.advance(0)
        self.server.broadcast("y" * 1000)
        self.clock.advance(0)
        self.assertGreater(self.value("gows_waiting_bytes"), 1000)
        slow.transport.peerReads = True
        slow.flush()
        self.assertEqual(self.value("gows_waiting_bytes"), 0)

    def test_lag(self) -> None:
        """The reactor's lag is that of the service."""
        self.lag.startService()
        self.clock.advance(EVERY + 1)
        self.assertEqual(self.value("gows_reactor_lag_last_seconds"), 1)
        self.assertEqual(self.value("gows_reactor_lag_seconds_sum"), 1)

    def test_secrets(self) -> None:
        """Nobody's name, room, or words are in any of it."""
        talker = self.talker(self.server, "specialKey=hidden-one&room=hidden-two")
        talker.say(type="publish", to={"room": "hidden-two"}, data="hidden-three")
        talker.say(type="publish", to={"key": "hidden-one"}, data="hidden-four")
        talker.say(type="hidden-five", id="hidden-six")
        talker.client.send(frame(CLOSE, (4321).to_bytes(2, "big") + b"hidden"))
        told = str(list(self.registry.collect()))
        self.assertNotIn("hidden", told)
        self.assertNotIn("4321", told)

    def test_uncounted(self) -> None:
        """A server that is told not to count works, and counts nothing."""
        journal = self.server.journal
        made = GowsFactory(
            Settings(),
            Chat,
            lambda _: self.server.site,
            journal,
            self.clock,
            counts=Uncounted(),
        )
        self.measure(made)
        client = self.opened(made)
        client.send(frame(TEXT, b"hello"))
        self.clock.advance(0)
        client.flush()
        self.assertEqual(client.protocol.texts, ["hello"])
        self.assertEqual(self.flow("in", "everyone"), [0, 0])

    def test_page(self) -> None:
        """The page is made of the same."""
        self.assertIsInstance(metricsPage(self.server, self.lag), MetricsPage)
