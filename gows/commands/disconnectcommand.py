"""``gows disconnect``: closes connections."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.python import usage

from gows.commands.doorcommand import DoorCommand


class DisconnectCommand(DoorCommand):
    """Closes all connections of a person, or one."""

    synopsis = "KEY | --session SESSION"
    longdesc = (
        "Closes all connections of a specialKey, or a single one by its session, and "
        "tells how many. Ends with 1 if there was none, with 2 if the server cannot be "
        "reached, with 3 if it refuses."
    )
    optParameters: ClassVar[list[Any]] = [
        *DoorCommand.optParameters,
        ["session", None, None, "The connection, as gows top and the API name it"],
        ["code", None, None, "The close code: 1000, 1001, 1008, 1013, 3000 to 4999"],
        ["reason", None, None, "The close frame's reason"],
        ["retry-after", None, None, "Seconds until gows.v1 clients may come back"],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """Take the key."""
        what = "one specialKey, or --session"
        self._whom = self.single(arguments, what, self["session"] is None)

    def run(self) -> None:
        """
        Close them.

        @raise usage.UsageError: if a number is none
        @raise gows.commands.doorclient.DoorError: if it is refused
        """
        whom = "key" if self["session"] is None else "session"
        named = self._whom if self["session"] is None else self["session"]
        body: dict[str, object] = {whom: named}
        if self["code"] is not None:
            code = self._number("code")
            if code != int(code):
                raise usage.UsageError("--code must be a whole number")
            body["code"] = int(code)
        if self["reason"] is not None:
            body["reason"] = self["reason"]
        if self["retry-after"] is not None:
            body["retry_after"] = round(self._number("retry-after") * 1000)
        count = self.client().count("/api/disconnect", body, "connections")
        print(f"{count} connection{'' if count == 1 else 's'} closed")
        if not count:
            raise SystemExit(1)

    def _number(self, name: str) -> float:
        try:
            number = float(self[name])
        except ValueError:
            raise usage.UsageError(f"--{name} must be a number") from None
        if not 0 <= number < 1e9:
            raise usage.UsageError(f"--{name} must be a number from 0 on")
        return number
