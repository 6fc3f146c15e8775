"""Tests for L{gows.commands.topfeed}: what the feed says, and what it makes known."""

from __future__ import annotations

import contextlib
import json
from itertools import islice
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.commands import topfeed
from gows.commands.doorclient import DoorClient, DoorError
from gows.commands.eventstream import Event
from gows.commands.topfeed import Picture, eventsOf, followed, roomsOf, saidIn, topOf
from gows.commands.topstructs import (
    MAX_SAMPLES,
    Connection,
    Hello,
    Rooms,
    Sample,
    Top,
    Warned,
    Warnings,
)
from tests import falsedoors
from tests.falsedoors import Door

HELLO: dict[str, Any] = {
    "name": "gows",
    "version": "0.1.0",
    "every": 1.0,
    "uptime": 12.5,
    "columns": ["time", "connections", "fanout_p50", "new"],
    "history": [[1000, 5, None, 1], [2000, 6, 0.5, 1]],
}


def event(name: str, body: object) -> Event:
    """Make an event."""
    return Event(name, json.dumps(body))


def refusal(test: SynchronousTestCase, *arguments: Any) -> DoorError:
    """Call what raises L{DoorError}, and answer that."""
    error = test.assertRaises(DoorError, *arguments)
    assert isinstance(error, DoorError)
    return error


class SaidTests(SynchronousTestCase):
    """Events are understood, or refused."""

    def test_kinds(self) -> None:
        """Each kind is what it says; what is new of them is ignored."""
        said = saidIn(event("hello", HELLO))
        assert isinstance(said, Hello)
        self.assertEqual(
            said.samples(),
            [Sample(1000, 5), Sample(2000, 6, fanoutP50=0.5)],
        )
        self.assertEqual(
            saidIn(event("sample", {"time": 1, "messages_in": 2.5, "x": []})),
            Sample(1, messagesIn=2.5),
        )
        line = {"time": 1, "level": "warn", "text": "it is late"}
        self.assertEqual(
            saidIn(event("warnings", {"warnings": [line]})),
            Warnings((Warned(1, "warn", "it is late"),)),
        )
        self.assertIsNone(saidIn(event("future", {})))

    def test_garbage(self) -> None:
        """What is no event of a feed is said to be none."""
        for name, data in (
            ("sample", "{"),
            ("sample", "[]"),
            ("sample", '{"time":"now"}'),
            ("sample", '{"time":1e999}'),
            ("sample", '{"connections":null}'),
            ("sample", "[" * 100_000),
            ("hello", '{"columns":["time"],"history":[["x"]]}'),
            ("warnings", '{"warnings":[1]}'),
        ):
            error = refusal(self, saidIn, Event(name, data))
            self.assertEqual(error.status, 2)
            self.assertIn("no feed", str(error))

    @given(st.sampled_from(["hello", "sample", "warnings"]), st.text())
    def test_anything(self, name: str, data: str) -> None:
        """Whatever comes, there is one kind of error."""
        with contextlib.suppress(DoorError):
            saidIn(Event(name, data))


class PictureTests(SynchronousTestCase):
    """All that is known, together."""

    def test_together(self) -> None:
        """The history is the beginning; the rest replaces what was, or adds to it."""
        picture = Picture()
        self.assertEqual(picture.uptime, 0)
        picture.take(Sample(500, 1))
        hello = saidIn(event("hello", HELLO))
        assert hello is not None
        picture.take(hello)
        self.assertEqual([each.time for each in picture.samples], [1000, 2000])
        picture.take(Sample(5000, 7))
        self.assertEqual(picture.uptime, 15.5)
        self.assertEqual(picture.samples[-1].connections, 7)
        for said in (
            Warnings((Warned(text="w"),)),
            Top((Connection(key="k"),), 1),
            Rooms((), 0),
        ):
            picture.take(said)
        self.assertEqual(picture.warnings[0].text, "w")
        self.assertEqual(picture.top.connections[0].key, "k")
        picture.take(hello)
        self.assertEqual(len(picture.samples), 2)

    def test_bounded(self) -> None:
        """No more is kept than the server does."""
        picture = Picture()
        for at in range(MAX_SAMPLES + 10):
            picture.take(Sample(at))
        self.assertEqual(len(picture.samples), MAX_SAMPLES)
        picture.take(Hello(uptime=3))
        self.assertEqual(picture.uptime, 3)


class FeedTests(SynchronousTestCase):
    """The feed is read over any door."""

    def client(self, *answers: bytes, kind: str = "tcp") -> DoorClient:
        """Make a client of a door that answers so at /feed."""
        self.door = self.enterContext(Door({"/feed": [*answers]}, kind))
        return DoorClient(self.door.url, "k3y")

    def test_read(self) -> None:
        """Over TCP, IPv6 and Unix sockets, in chunks or not, until it ends."""
        body = b"event: sample\ndata: {}\n\n: \n\n"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
        for kind in ("tcp", "tcp6", "unix"):
            for raw in (
                falsedoors.events(body),
                head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n",
                head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
            ):
                found = eventsOf(self.client(raw, kind=kind))
                self.assertEqual(next(found), Event("sample", "{}"))
                error = refusal(self, next, found)
                self.assertEqual(error.status, 2)
                self.assertIn("Authorization: Bearer k3y", self.door.requests[0])

    def test_noFeed(self) -> None:
        """What is no feed is said to be none."""
        for raw, status, words in (
            (falsedoors.json(b"{}"), 2, "no feed"),
            (falsedoors.events(b"data: \xff\n\n"), 2, "UTF-8"),
            (b"HTTP/1.1 404 Not Found\r\n\r\n", 3, "404"),
            (b"SSH-2.0\r\n", 2, "cannot be reached"),
        ):
            error = refusal(self, list, eventsOf(self.client(raw)))
            self.assertEqual(error.status, status)
            self.assertIn(words, str(error))

    def test_silent(self) -> None:
        """A feed that only comments, or is silent, ends after a while."""
        self.patch(topfeed, "TIMEOUT", -1.0)
        error = refusal(
            self, list, eventsOf(self.client(falsedoors.events(b": x\n\n")))
        )
        self.assertIn("says nothing", str(error))
        self.client(b"")
        error = refusal(self, list, eventsOf(DoorClient(self.door.url, timeout=0.05)))
        self.assertIn("cannot be reached", str(error))

    def test_followed(self) -> None:
        """Where it is lost it is read again, after longer and longer pauses."""
        sample = falsedoors.events(b"event: sample\ndata: {}\n\n")
        pauses: list[float] = []
        client = self.client(sample, *[falsedoors.events(b"")] * 6, sample)
        items = list(islice(followed(client, pauses.append), 10))
        self.assertEqual(
            [type(item) for item in items],
            [Event, *[DoorError] * 7, Event, DoorError],
        )
        self.assertEqual(pauses, [1, 2, 4, 8, 10, 10, 10])

    def test_displaced(self) -> None:
        """Who has to make room stays away for as long as the server asks, once."""
        sample = b"event: sample\ndata: {}\n\n"
        answers = [
            falsedoors.events(sample + b"retry: %d\n\n" % pause)
            for pause in (2500, 10, 3_600_000)
        ]
        pauses: list[float] = []
        client = self.client(*answers, *[falsedoors.events(sample)] * 2)
        items = list(islice(followed(client, pauses.append), 9))
        self.assertEqual(
            [type(item) for item in items], [Event, DoorError] * 4 + [Event]
        )
        self.assertEqual(pauses, [2.5, 1, 10, 1])

    def test_neverThere(self) -> None:
        """Where there is none at the beginning, that is all."""
        found = followed(self.client(falsedoors.events(b"")), lambda _: None)
        refusal(self, next, found)


class AskedTests(SynchronousTestCase):
    """What the feed does not say is asked for."""

    def test_asked(self) -> None:
        """Connections and rooms; what is no answer is refused."""
        answers = {
            "/api/top": [falsedoors.json(b'{"connections":[{"key":"a"}],"total":3}')],
            "/api/rooms": [
                falsedoors.json(b'{"rooms":[{"room":"r"}],"total":1,"next":null}')
            ],
        }
        door = self.enterContext(Door(answers))
        client = DoorClient(door.url)
        top = topOf(client, "age", 5)
        self.assertEqual((top.connections[0].key, top.total), ("a", 3))
        self.assertIn("/api/top?by=age&limit=5 ", door.requests[0])
        self.assertEqual(roomsOf(client, 5).rooms[0].room, "r")
        door.answers["/api/top"] = [falsedoors.json(b"[]")]
        self.assertEqual(refusal(self, topOf, client, "age", 5).status, 2)
