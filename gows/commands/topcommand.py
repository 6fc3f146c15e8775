"""``gows top``: shows what a server does."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from contextlib import closing
from typing import Any, ClassVar, Final

import msgspec
from twisted.python import usage

from gows.commands.doorclient import TIMEOUT, DoorClient, DoorError
from gows.commands.doorcommand import DoorCommand
from gows.commands.eventstream import Event
from gows.commands.topfeed import (
    NO_FEED,
    Picture,
    eventsOf,
    followed,
    roomsOf,
    saidIn,
    topOf,
)
from gows.commands.topstructs import ORDERS, Sample
from gows.journal import escaped

LIMIT: Final = 20
"""How many connections, and rooms, a snapshot has."""

PIPE_WIDTH: Final = 120
"""How wide it is where there is no terminal; COLUMNS says otherwise."""


class TopCommand(DoorCommand):
    """Shows what a server does, each second."""

    synopsis = "[--once] [--json] [--by ORDER]"
    longdesc = (
        "Shows connections, messages, lag, memory and more, with the last five "
        "minutes of each; the connections with the most of something; rooms; and the "
        "last warnings. q quits, the arrow keys select a connection and its order, k "
        "disconnects one. Where there is no terminal it shows all that once, as "
        "--once does. Ends with 2 if the server cannot be reached, with 3 if it "
        "refuses."
    )
    optParameters: ClassVar[list[Any]] = [
        *DoorCommand.optParameters,
        ["by", None, "waiting", f"Order of the connections: {', '.join(ORDERS)}"],
    ]
    optFlags: ClassVar = [
        ["once", None, "Show it once, and end"],
        ["json", None, "Write samples, as lines of JSON"],
    ]
    choices: ClassVar = {"by": tuple(ORDERS)}

    def parseArgs(self) -> None:
        """Take nothing."""

    def postOptions(self) -> None:
        """Check the order."""
        if self["by"] not in ORDERS:
            raise usage.UsageError(f"--by is one of {', '.join(ORDERS)}")

    def run(self) -> None:
        """
        Show it.

        @raise usage.UsageError: if what shows it is not installed
        @raise DoorError: if there is nothing to show
        """
        client = self.client()
        if self["json"]:
            self._write(client)
            return
        try:
            import rich  # noqa: F401  # only whether it is there
        except ImportError:
            raise usage.UsageError(
                f"{self.name} needs what pip install 'gows[cli]' installs (--json "
                "does not)"
            ) from None
        if self["once"] or not (sys.stdin.isatty() and sys.stdout.isatty()):
            self._show(client)
            return
        from gows.commands.toplive import LiveTop

        LiveTop(client, self["by"]).run()

    def _write(self, client: DoorClient) -> None:
        for item in followed(client):
            if isinstance(item, DoorError):
                line = f"gows: connection lost, retrying: {escaped(str(item))}"
                print(line, file=sys.stderr, flush=True)
            elif item.name == "sample":
                # Escapes everything that a terminal could take for a command.
                print(json.dumps(_decoded(item)), flush=True)
                if self["once"]:
                    return

    def _show(self, client: DoorClient) -> None:
        from rich.console import Console

        from gows.commands.topview import Choice, snapshot

        picture = _firstOf(client)
        picture.take(topOf(client, self["by"], LIMIT))
        picture.take(roomsOf(client, LIMIT))
        console = Console(highlight=False, markup=False, emoji=False)
        if not sys.stdout.isatty():
            columns = os.environ.get("COLUMNS", "")
            isNumber = re.fullmatch("[1-9][0-9]{0,3}", columns)
            console.width = int(columns) if isNumber else PIPE_WIDTH
        choice = Choice(self["by"])
        console.print(snapshot(picture, choice, client.url, console.width))


def _firstOf(client: DoorClient) -> Picture:
    """Read until there is a sample."""
    picture = Picture()
    deadline = time.monotonic() + TIMEOUT
    with closing(eventsOf(client)) as events:
        for event in events:
            said = saidIn(event)
            if said is not None:
                picture.take(said)
            if isinstance(said, Sample):
                break
            if time.monotonic() > deadline:
                raise DoorError(NO_FEED, 2)
    return picture


def _decoded(event: Event) -> object:
    try:
        return msgspec.json.decode(event.data)
    except (msgspec.DecodeError, RecursionError):
        raise DoorError(NO_FEED, 2) from None
