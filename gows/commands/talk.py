"""A talk in gows.v1, in lines: what is typed becomes requests, what comes is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from gows.chat.audience import EVERYONE, NAME_RULE, isName
from gows.journal import escaped

HELP: Final = """\
/join ROOM      hear a room, and write there
/leave          hear it no more
/room [ROOM]    write in a room (one that you are in), or to everyone
/to KEY TEXT    write to one person
/who            who is here
/quit           leave; so does Ctrl-D"""


class Quit(Exception):
    """Somebody wants to leave."""


class Talk:
    """
    What one person says and hears.

    @ivar room: where what is typed goes
    """

    def __init__(self, room: str = EVERYONE) -> None:
        """Write in a room."""
        self.room = room
        self._ids = 0
        self._asked: dict[int, str] = {}
        self._commands: dict[str, Callable[[str], tuple[str, str]]] = {
            "join": self._join,
            "leave": self._leave,
            "room": self._change,
            "to": self._tell,
            "who": self._who,
            "help": lambda _: ("", HELP),
            "quit": self._quit,
        }
        self._kinds: dict[str, Callable[[dict[str, Any]], str]] = {
            "welcome": lambda said: f"* connected as {escaped(said['key'])}",
            "message": _shown,
            "ack": self._answered,
            "error": self._refused,
            "joined": _moved,
            "left": _moved,
            "missed": lambda said: f"* {said['count']} messages are missing",
            "closing": lambda said: f"* the server closes: {escaped(said['reason'])}",
        }

    @property
    def prompt(self) -> str:
        """What stands before what is typed."""
        return "everyone> " if self.room == EVERYONE else f"#{self.room}> "

    @property
    def isWaiting(self) -> bool:
        """Whether answers are still to come."""
        return bool(self._asked)

    def typed(self, line: str) -> tuple[str, str]:
        """
        Take a line that was typed.

        @return: the request to send, and a line to show; each may be empty
        @raise Quit: if it says so
        """
        line = line.strip().encode("utf-8", "replace").decode("utf-8")
        if not line:
            return "", ""
        if not line.startswith("/") or line.startswith("//"):
            return self._say(self._here(), line.removeprefix("/")), ""
        name, _, rest = line[1:].partition(" ")
        command = self._commands.get(name)
        if command is None:
            return "", f"there is no /{escaped(name)}: /help shows what there is"
        return command(rest.strip())

    def came(self, text: str | bytes) -> str:
        """
        Take what the server says.

        @return: a line to show; empty: there is none
        """
        said: dict[str, Any] = msgspec.json.decode(text)
        show = self._kinds.get(said.get("type", ""))
        return "" if show is None else show(said)

    def begin(self) -> str:
        """Make the first request, if one is needed; empty: none is."""
        if self.room == EVERYONE:
            return ""
        return self._request("join", type="join", room=self.room)

    def _here(self) -> object:
        return "everyone" if self.room == EVERYONE else {"room": self.room}

    def _say(self, to: object, text: str) -> str:
        return self._request("publish", type="publish", to=to, data=text)

    def _request(self, what: str, **fields: object) -> str:
        self._ids += 1
        self._asked[self._ids] = what
        return msgspec.json.encode({**fields, "id": self._ids}).decode()

    def _join(self, room: str) -> tuple[str, str]:
        room = room.removeprefix("#")
        if not isName(room):
            return "", f"/join takes a room: {NAME_RULE}"
        self.room = room
        return self._request("join", type="join", room=room), ""

    def _tell(self, rest: str) -> tuple[str, str]:
        key, _, text = rest.partition(" ")
        if not text.strip():
            return "", "/to takes a key and a text"
        return self._say({"key": key}, text.strip()), ""

    def _who(self, room: str) -> tuple[str, str]:
        room = room.removeprefix("#") or self.room
        return self._request("who", type="presence", room=room), ""

    def _quit(self, _: str) -> tuple[str, str]:
        raise Quit

    def _leave(self, room: str) -> tuple[str, str]:
        room = room.removeprefix("#") or self.room
        if not isName(room):
            return "", "that is no room to leave"
        if room == self.room:
            self.room = EVERYONE
        return self._request("leave", type="leave", room=room), ""

    def _change(self, room: str) -> tuple[str, str]:
        room = room.removeprefix("#") or EVERYONE
        if room != EVERYONE and not isName(room):
            return "", f"/room takes a room: {NAME_RULE}"
        self.room = room
        return "", ""

    def _answered(self, said: dict[str, Any]) -> str:
        what = self._asked.pop(said.get("id", 0), "")
        if what != "who":
            return ""
        keys = ", ".join(map(escaped, said.get("keys", ()))) or "too many to be named"
        return f"* {said['count']} in {_nameOf(said['room'])}: {keys}"

    def _refused(self, said: dict[str, Any]) -> str:
        self._asked.pop(said.get("id", 0), None)
        return f"! {escaped(said['text'])}"


def _shown(said: dict[str, Any]) -> str:
    data = said["data"]
    text = data if isinstance(data, str) else msgspec.json.encode(data).decode()
    if said.get("encoding") == "base64":
        text = f"({len(text) // 4 * 3 - text[-2:].count('=')} bytes)"
    who = escaped(said.get("from", "the server"))
    room = said.get("room")
    if room is None:
        where = f"[to {escaped(said['key'])}] "
    else:
        where = "" if room == EVERYONE else f"[{_nameOf(room)}] "
    lines = "\n    ".join(map(escaped, text.split("\n")))
    return f"{where}{who}: {lines}"


def _moved(said: dict[str, Any]) -> str:
    who = escaped(said.get("key") or f"{said['count']} people")
    return f"* {who} {said['type']} {_nameOf(said['room'])}"


def _nameOf(room: str) -> str:
    return "everyone's room" if room == EVERYONE else f"#{room}"
