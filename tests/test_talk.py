"""Tests for L{gows.commands.talk}: what is typed, and what comes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.commands.talk import HELP, Quit, Talk
from gows.dialects.reading import Fault, readRequest

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)


class TypedTests(SynchronousTestCase):
    """Lines become requests of gows.v1."""

    def setUp(self) -> None:
        """Begin in everyone's room."""
        self.talk = Talk()

    def request(self, line: str) -> dict[str, Any]:
        """Type a line that is a request, and answer that without its id."""
        text, shown = self.talk.typed(line)
        self.assertEqual(shown, "")
        readRequest(text.encode())
        request: dict[str, Any] = json.loads(text)
        self.assertIsInstance(request.pop("id"), int)
        return request

    def shown(self, line: str) -> str:
        """Type a line that is none, and answer what is shown."""
        request, shown = self.talk.typed(line)
        self.assertEqual(request, "")
        return shown

    def test_text(self) -> None:
        """What is no command is said where one is."""
        said = {"type": "publish", "to": "everyone", "data": "hello"}
        self.assertEqual(self.request(" hello\n"), said)
        self.assertEqual(self.request("//quit")["data"], "/quit")
        self.assertEqual(self.shown("  "), "")

    def test_noText(self) -> None:
        """What a terminal sent, but is no text, is not said."""
        self.assertEqual(self.request("a\udcffb")["data"], "a?b")

    def test_rooms(self) -> None:
        """One joins a room, writes there, elsewhere, and leaves it."""
        self.assertEqual(self.request("/join #a"), {"type": "join", "room": "a"})
        self.assertEqual(self.talk.prompt, "#a> ")
        self.assertEqual(self.request("x")["to"], {"room": "a"})
        self.assertEqual(self.shown("/room"), "")
        self.assertEqual(self.talk.prompt, "everyone> ")
        self.assertEqual(self.shown("/room b"), "")
        self.assertEqual(self.request("x")["to"], {"room": "b"})
        self.assertEqual(self.request("/leave a"), {"type": "leave", "room": "a"})
        self.assertEqual(self.talk.room, "b")
        self.assertEqual(self.request("/leave"), {"type": "leave", "room": "b"})
        self.assertEqual(self.talk.room, "*")

    def test_person(self) -> None:
        """One person is written to by key."""
        self.assertEqual(
            self.request("/to zoe  how are you? "),
            {"type": "publish", "to": {"key": "zoe"}, "data": "how are you?"},
        )

    def test_who(self) -> None:
        """One asks who is where one is, or elsewhere."""
        self.assertEqual(self.request("/who"), {"type": "presence", "room": "*"})
        self.assertEqual(self.request("/who #a"), {"type": "presence", "room": "a"})

    def test_wrong(self) -> None:
        """What is wrong is said, and not sent."""
        for line in ("/join", "/join a b", "/leave", "/room a/b", "/to zoe", "/to"):
            self.assertNotEqual(self.shown(line), "", line)
        self.assertIn("/help", self.shown("/nonsense \x1b[2J"))
        self.assertNotIn("\x1b", self.shown("/\x1b[2J"))
        self.assertEqual(self.shown("/help"), HELP)

    def test_quit(self) -> None:
        """One may leave."""
        self.assertRaises(Quit, self.talk.typed, "/quit")

    def test_begin(self) -> None:
        """Who begins in a room joins it."""
        self.assertEqual(self.talk.begin(), "")
        request = json.loads(Talk("a").begin())
        self.assertEqual((request["type"], request["room"]), ("join", "a"))

    @PROPERTY
    @given(st.lists(st.text() | st.from_regex(r"/\w+ [#a*]* .*"), max_size=8))
    def test_anything(self, lines: list[str]) -> None:
        """Whatever is typed, a request is one, but for names that there cannot be."""
        talk = Talk()
        for line in lines:
            try:
                request, shown = talk.typed(line)
            except Quit:
                continue
            self.assertTrue(all(c.isprintable() or c == "\n" for c in shown))
            if request:
                try:
                    readRequest(request.encode())
                except Fault as fault:
                    self.assertIn(fault.field, ("to.key", "room"))


class CameTests(SynchronousTestCase):
    """What comes becomes lines."""

    def setUp(self) -> None:
        """Begin in everyone's room."""
        self.talk = Talk()

    def line(self, **said: Any) -> str:
        """Have something come, and answer the line."""
        return self.talk.came(json.dumps(said))

    def message(self, **said: Any) -> str:
        """Have a message come."""
        said = {"data": "hi", **said}
        if "from_" in said:
            said["from"] = said.pop("from_")
        return self.line(type="message", id="1", time=1, **said)

    def test_messages(self) -> None:
        """It is shown who says something, and where if not to everyone."""
        self.assertEqual(self.message(room="*", from_="zoe"), "zoe: hi")
        self.assertEqual(self.message(room="a", from_="zoe"), "[#a] zoe: hi")
        self.assertEqual(self.message(key="me", from_="zoe"), "[to me] zoe: hi")
        self.assertEqual(self.message(room="*"), "the server: hi")
        self.assertEqual(
            self.message(room="*", data={"a": [1]}), 'the server: {"a":[1]}'
        )
        self.assertEqual(self.message(room="*", data="a\nb"), "the server: a\n    b")

    def test_escapes(self) -> None:
        """Nothing that comes moves the cursor."""
        nasty = "\x1b[2J\x07\r\u202e\x9b"
        for line in (
            self.message(room="*", from_=nasty, data=nasty),
            self.message(key=nasty, from_="a"),
            self.line(type="welcome", key=nasty),
            self.line(type="error", text=nasty),
            self.line(type="closing", reason=nasty),
            self.line(type="joined", room="a", count=1, key=nasty),
        ):
            self.assertTrue(line.isprintable(), ascii(line))

    def test_others(self) -> None:
        """The rest is told in a line, or not at all."""
        self.assertIn("zoe", self.line(type="welcome", key="zoe"))
        news = self.line(type="joined", room="a", count=2, key="zoe")
        self.assertEqual(news, "* zoe joined #a")
        self.assertEqual(
            self.line(type="left", room="*", count=7), "* 7 people left everyone's room"
        )
        self.assertEqual(self.line(type="missed", count=3), "* 3 messages are missing")
        self.assertEqual(self.line(type="something"), "")
        self.assertEqual(self.line(), "")

    def test_answers(self) -> None:
        """Acks are silent, but for who is there; errors are told."""
        for line in ("hi", "/who", "hi"):
            self.talk.typed(line)
        self.assertTrue(self.talk.isWaiting)
        self.assertEqual(self.line(type="ack", id=1), "")
        answer = self.line(type="ack", id=2, room="a", count=2, keys=["x", "y"])
        self.assertEqual(answer, "* 2 in #a: x, y")
        self.assertEqual(self.line(type="error", id=3, text="No."), "! No.")
        self.assertFalse(self.talk.isWaiting)
        self.talk.typed("/who")
        many = self.line(type="ack", id=4, room="*", count=900)
        self.assertEqual(many, "* 900 in everyone's room: too many to be named")
