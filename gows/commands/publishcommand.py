"""``gows publish``: says something, as the server itself."""

from __future__ import annotations

import base64
import errno
import os
import sys
from typing import Any, ClassVar, Final

import msgspec
from twisted.python import usage

from gows.commands.doorcommand import DoorCommand

MAX_INPUT: Final = 4 * 1024 * 1024
"""The most bytes that are read; what the door takes is less."""


class PublishCommand(DoorCommand):
    """Says something to everyone, a room or a person."""

    synopsis = "[--room NAME | --to KEY] TEXT"
    longdesc = (
        "Says a text to everyone who is connected, or to a room, or to one person, and "
        "tells how many connections it went to. - reads it from standard input, "
        "without the line end behind it. Ends with 2 if the server cannot be reached, "
        "with 3 if it refuses."
    )
    optParameters: ClassVar[list[Any]] = [
        *DoorCommand.optParameters,
        ["room", None, None, "The room that hears it"],
        ["to", None, None, "The specialKey of who hears it"],
        [
            "binary",
            None,
            None,
            "Instead: a file (or -), as a binary message",
        ],
    ]
    optFlags: ClassVar = [["json", None, "The text is JSON, not a string"]]

    def parseArgs(self, *arguments: str) -> None:
        """Take the text."""
        what = "one text (in quotes), or --binary FILE"
        self._text = self.single(arguments, what, self["binary"] is None)

    def postOptions(self) -> None:
        """Check what goes together."""
        if self["room"] is not None and self["to"] is not None:
            raise usage.UsageError("--room and --to do not go together")

    def run(self) -> None:
        """
        Say it.

        @raise usage.UsageError: if it cannot be read
        @raise gows.commands.doorclient.DoorError: if it is not said
        """
        to: object = "everyone"
        if self["room"] is not None:
            to = {"room": self["room"]}
        elif self["to"] is not None:
            to = {"key": self["to"]}
        body = {"to": to, **self._content()}
        readers = self.client().count("/api/publish", body, "readers")
        print(f"{readers} reader{'' if readers == 1 else 's'}")

    def _content(self) -> dict[str, object]:
        if self["binary"] is not None:
            raw = self._bytesOf(self["binary"])
            return {"binary": base64.b64encode(raw).decode()}
        text = self._typed() if self._text == "-" else self._text
        if not self["json"]:
            return {"data": text}
        try:
            return {"data": msgspec.Raw(msgspec.json.format(text.encode(), indent=0))}
        except (ValueError, RecursionError):
            raise usage.UsageError("the text is not JSON") from None

    def _typed(self) -> str:
        try:
            text = self._bytesOf("-").decode("utf-8")
        except UnicodeDecodeError:
            raise usage.UsageError("standard input is not UTF-8") from None
        return text.removesuffix("\n").removesuffix("\r")

    def _bytesOf(self, path: str) -> bytes:
        name = "standard input" if path == "-" else path
        try:
            if path != "-":
                with open(path, "rb") as file:
                    raw = file.read(MAX_INPUT + 1)
            elif sys.stdin is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            else:
                raw = sys.stdin.buffer.read(MAX_INPUT + 1)
        except OSError as error:
            raise usage.UsageError(f"{name} cannot be read: {error.strerror}") from None
        if len(raw) > MAX_INPUT:
            raise usage.UsageError(f"{name} is too large for a message")
        return raw
