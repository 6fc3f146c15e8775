"""Tests for L{gows.connected}: connections are listed, and others served meanwhile."""

from __future__ import annotations

from collections.abc import Coroutine
from random import Random
from typing import Any

from twisted.internet.defer import Deferred

from gows import connected
from gows.connected import Connected
from gows.eager import started
from gows.web.apirequests import ConnectionsQuery, TopQuery
from tests.memory import Client, MemoryTestCase
from tests.test_steps import Turns

NOWHERE = "198.51.100.1"


class ConnectedTestCase(MemoryTestCase):
    """Tests with a chat of which two are looked at in a turn."""

    def setUp(self) -> None:
        """Begin with nobody."""
        super().setUp()
        self.patch(connected, "_AT_ONCE", 2)
        self.chat = self.factory(duplicate="allow")
        self.turns = Turns()
        self.connected = Connected(self.chat.hall, self.turns)
        self.clients: list[Client] = []

    def come(self, key: str, room: str = "7") -> Client:
        """Connect somebody."""
        client = self.opened(self.chat, f"specialKey={key}&room={room}")
        self.clients.append(client)
        return client

    def begun(self, coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        """Begin something that takes turns."""
        result = started(coroutine)
        assert isinstance(result, Deferred)
        return result

    def nextTurn(self) -> None:
        """Let a turn pass."""
        self.turns.advance(1)

    def numbers(self, coroutine: Coroutine[Any, Any, Any]) -> list[int]:
        """Answer who is listed, by number, however many turns it takes."""
        result = started(coroutine)
        if isinstance(result, Deferred):
            while not result.called:
                self.nextTurn()
            result = self.successResultOf(result)
        return [one.number for one in result.connections]


class PageTests(ConnectedTestCase):
    """A page of the list."""

    def test_turns(self) -> None:
        """So many are looked at in a turn, and not more turns than are needed."""
        for n in range(7):
            self.come(f"k{n}")
        looking = self.begun(self.connected.page(ConnectionsQuery(address=NOWHERE)))
        for _ in range(3):
            self.assertNoResult(looking)
            self.nextTurn()
        page = self.successResultOf(looking)
        self.assertEqual((page.connections, page.total, page.next), ((), 7, None))
        found = started(self.connected.page(ConnectionsQuery(limit=1, after=5)))
        assert not isinstance(found, Deferred)
        self.assertEqual(
            ([one.number for one in found.connections], found.next), ([6], 6)
        )

    def test_fewInRoom(self) -> None:
        """Those in a room of few are found without a look at all others."""
        for n in range(20):
            self.come(f"k{n}", "7" if n in (3, 12) else "8")
        found = started(self.connected.page(ConnectionsQuery(room="7")))
        assert not isinstance(found, Deferred)
        self.assertEqual([one.number for one in found.connections], [4, 13])

    def test_order(self) -> None:
        """They are in the order of arrival, whoever they are, however many."""
        for key in "abacab":
            self.come(key)
        self.come("a", "8")
        for few in (connected._FEW, 6, 2):
            self.patch(connected, "_FEW", few)
            query = ConnectionsQuery(room="7")
            self.assertEqual(self.numbers(self.connected.page(query)), [*range(1, 7)])
        query = ConnectionsQuery(key="a", room="7", after=1)
        self.assertEqual(self.numbers(self.connected.page(query)), [3, 5])

    def test_goneMeanwhile(self) -> None:
        """Those who left before they could be told of are not told of."""
        for n in range(6):
            self.come(f"k{n}")
        looking = self.begun(self.connected.page(ConnectionsQuery(limit=4)))
        self.nextTurn()
        for client in self.clients[:4]:
            client.leave()
        self.nextTurn()
        self.nextTurn()
        page = self.successResultOf(looking)
        self.assertEqual((page.connections, page.total, page.next), ((), 2, 4))


class ChurnTests(ConnectedTestCase):
    """Lists are exact while people come and go between pages, and between turns."""

    def setUp(self) -> None:
        """Begin with some who stay, and some who may not."""
        super().setUp()
        self.random = Random(self.id())
        for _ in range(30):
            self.come(self.random.choice("ab"))
        self.restless = self.clients[::3]
        self.staying = [one for one in self.clients if one not in self.restless]

    def churn(self) -> None:
        """Have something happen, but not to those who stay."""
        for _ in range(self.random.randrange(4)):
            one = self.restless.pop(self.random.randrange(len(self.restless)))
            act = self.random.choice(["leave the chat", "leave", "join", "come"])
            if act == "leave the chat":
                one.leave()
                self.restless.append(self.come("b"))
                continue
            if act == "leave":
                self.chat.hall.leave(one.server, "7")
            elif act == "join":
                self.chat.hall.join(one.server, "7")
            else:
                self.restless.append(self.come(self.random.choice("abc")))
            self.restless.append(one)

    def listed(self, **query: Any) -> list[int]:
        """List all, page by page, by number."""
        found: list[int] = []
        after: int | None = 0
        while after is not None:
            asked = ConnectionsQuery(limit=3, after=after, **query)
            result = started(self.connected.page(asked))
            while isinstance(result, Deferred) and not result.called:
                self.churn()
                self.nextTurn()
            if isinstance(result, Deferred):
                result = self.successResultOf(result)
            numbers = [one.number for one in result.connections]
            self.assertEqual(numbers, sorted({*numbers}))
            found += numbers
            after = result.next
            self.churn()
        return found

    def assertExact(self, key: str = "", **query: Any) -> None:
        """Assert that who stays is listed once, and nobody twice."""
        staying = {
            one.server.number
            for one in self.staying
            if key in one.server.context.specialKey
        }
        found = self.listed(**query, **({"key": key} if key else {}))
        self.assertEqual(found, sorted({*found}))
        self.assertEqual(staying - {*found}, set())

    def test_everybody(self) -> None:
        """All of them."""
        self.assertExact()

    def test_address(self) -> None:
        """Those of an address."""
        self.assertExact(address="203.0.113.7")

    def test_key(self) -> None:
        """Those of a person."""
        self.assertExact(key="a")

    def test_room(self) -> None:
        """Those in a room: of few, of many, and of few with many connections."""
        for few in (1000, 1, 5):
            self.patch(connected, "_FEW", few)
            self.assertExact(room="7")

    def test_several(self) -> None:
        """Those of a person, in a room."""
        self.assertExact(key="b", room="7")


class TopTests(ConnectedTestCase):
    """Of whom something is the largest."""

    def test_largest(self) -> None:
        """They are found, in whichever turn they are looked at."""
        for n in range(7):
            self.come(f"k{n}").server.messagesIn = (n * 3) % 7
        query = TopQuery(by="messages_in", limit=3)
        self.assertEqual(self.numbers(self.connected.top(query)), [3, 5, 7])
        for by in ("waiting", "bytes_out", "round_trip", "age"):
            query = TopQuery(by=by, limit=3)
            self.assertEqual(self.numbers(self.connected.top(query)), [1, 2, 3])

    def test_goneMeanwhile(self) -> None:
        """Those who are gone by then are not among them."""
        for n in range(5):
            self.come(f"k{n}")
        looking = self.begun(self.connected.top(TopQuery(by="age", limit=3)))
        self.clients[1].leave()
        for _ in range(3):
            self.nextTurn()
        top = self.successResultOf(looking)
        self.assertEqual([one.number for one in top.connections], [1, 3])
        self.assertEqual(top.total, 5)


class SessionTests(ConnectedTestCase):
    """A connection is found by its session."""

    def setUp(self) -> None:
        """Begin with some."""
        super().setUp()
        for n in range(5):
            self.come(f"k{n}")
        self.last = self.clients[-1].server

    def test_found(self) -> None:
        """It is found, be it in a later turn."""
        [first] = started(self.connected.ofSession(self.clients[0].server.session))
        self.assertIs(first, self.clients[0].server)
        looking = self.begun(self.connected.ofSession(self.last.session))
        self.nextTurn()
        self.nextTurn()
        self.assertEqual(self.successResultOf(looking), (self.last,))

    def test_notFound(self) -> None:
        """One that is gone by then is not."""
        looking = self.begun(self.connected.ofSession(self.last.session))
        self.clients[-1].leave()
        self.nextTurn()
        self.nextTurn()
        self.assertEqual(self.successResultOf(looking), ())
