"""``gows top`` in a terminal: what comes is drawn, and keys are obeyed."""

from __future__ import annotations

import os
import queue
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from rich.console import Console
from rich.control import Control
from rich.screen import Screen

from gows.commands.doorclient import DoorClient, DoorError
from gows.commands.eventstream import Event
from gows.commands.topfeed import Picture, followed, roomsOf, saidIn, topOf
from gows.commands.topkeys import Keys, endedBySignals
from gows.commands.topstructs import ORDERS, Said, Sample
from gows.commands.topview import Choice, screen

LIMIT: Final = 50
"""How many connections, and rooms, are asked for."""

EVERY: Final = 2.0
"""After how many seconds they are asked for again."""


class _Quit(Exception):
    """Somebody wants to leave."""


class LiveTop:
    """
    Shows the server until somebody leaves.

    One thread reads the feed, one asks for what the feed does not say; only the one
    that calls L{run} changes what is shown.
    """

    def __init__(
        self,
        client: DoorClient,
        by: str,
        descriptor: int = 0,
        console: Console | None = None,
    ) -> None:
        """
        Show what a door tells.

        @param by: in which order connections are at first
        @param descriptor: the terminal whose keys are obeyed
        @param console: where it is shown; L{None}: standard output
        """
        self._client = client
        self._picture = Picture()
        self._choice = Choice(by)
        self._descriptor = descriptor
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._came: queue.SimpleQueue[Said | BaseException | str] = queue.SimpleQueue()
        self._tasks: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)

    def run(self) -> None:
        """
        Show it.

        @raise DoorError: if the door does not tell anything at the beginning
        """
        threading.Thread(target=self._read, daemon=True).start()
        while self._picture.hello is None:
            self._take(self._came.get())
        threading.Thread(target=self._ask, daemon=True).start()
        with (
            suppress(_Quit),
            endedBySignals(),
            Keys(self._descriptor) as keys,
            self._resized(),
            self._console.screen(),
        ):
            self._loop(keys)

    def _loop(self, keys: Keys) -> None:
        while True:
            self._draw()
            ready, _, _ = select.select([self._descriptor, self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 4096)
                while not self._came.empty():
                    self._take(self._came.get())
            if self._descriptor in ready:
                try:
                    self._press(keys.pressed())
                except EOFError:
                    raise _Quit from None

    def _draw(self) -> None:
        width, height = self._console.size
        shown = screen(self._picture, self._choice, self._client.url, width, height)
        with self._console:  # written at once
            self._console.control(Control.home())
            self._console.print(Screen(shown), end="")

    def _take(self, came: Said | BaseException | str) -> None:
        match came:
            case DoorError() if self._picture.hello is not None:
                self._choice.trouble = str(came)
            case BaseException():
                raise came
            case str():
                self._choice.note = came
            case _:
                self._picture.take(came)
                if isinstance(came, Sample):
                    self._choice.trouble = ""

    # Keys.

    def _press(self, keys: list[str]) -> None:
        for key in keys:
            if self._choice.asked is not None:
                self._answer(key)
                continue
            self._choice.note = ""
            if key == "q":
                raise _Quit
            if key in ("up", "down"):
                self._move(1 if key == "down" else -1)
            elif key in ("left", "right"):
                self._turn(1 if key == "right" else -1)
            elif key == "k":
                self._kick()
                return  # what was typed at once is no answer to the question
            else:
                self._order({key: by for by, key in ORDERS.items()}.get(key, ""))

    def _order(self, by: str) -> None:
        if by:
            self._choice.by = by
            self._tasks.put(self._refresh)

    def _turn(self, step: int) -> None:
        orders = list(ORDERS)
        self._order(orders[(orders.index(self._choice.by) + step) % len(orders)])

    def _move(self, step: int) -> None:
        sessions = [each.session for each in self._picture.top.connections]
        if not sessions:
            return
        at = -1 if step > 0 else len(sessions)
        if self._choice.session in sessions:
            at = sessions.index(self._choice.session)
        self._choice.session = sessions[min(max(at + step, 0), len(sessions) - 1)]

    def _kick(self) -> None:
        for each in self._picture.top.connections:
            if each.session == self._choice.session:
                self._choice.asked = each
                return
        self._choice.note = "select a connection first: with the arrow keys"

    def _answer(self, key: str) -> None:
        asked, self._choice.asked = self._choice.asked, None
        if asked is None or key != "y":
            self._choice.note = "nobody is disconnected"
            return
        self._choice.note = f"disconnecting {asked.key} ..."
        self._tasks.put(lambda: self._disconnect(asked.session, asked.key))

    # Threads.

    def _post(self, item: Said | BaseException | str) -> None:
        self._came.put(item)
        self._wakeUp()

    def _wakeUp(self, *_: object) -> None:
        with suppress(BlockingIOError):  # it is about to wake up
            os.write(self._wake, b".")

    def _read(self) -> None:
        try:
            for item in followed(self._client):
                try:
                    said = saidIn(item) if isinstance(item, Event) else item
                except DoorError as error:
                    said = error
                if said is not None:
                    self._post(said)
        except BaseException as error:
            self._post(error)

    def _ask(self) -> None:
        task: Callable[[], object] = self._refresh
        while True:
            try:
                task()
            except DoorError as error:
                if error.status != 2:  # that is seen by the feed
                    self._post(str(error))
            except BaseException as error:
                self._post(error)
                return
            try:
                task = self._tasks.get(timeout=EVERY)
            except queue.Empty:
                task = self._refresh

    def _refresh(self) -> None:
        self._post(topOf(self._client, self._choice.by, LIMIT))
        self._post(roomsOf(self._client, LIMIT))

    def _disconnect(self, session: str, key: str) -> None:
        try:
            count = self._client.count(
                "/api/disconnect", {"session": session}, "connections"
            )
        except DoorError as error:
            self._post(str(error))
            return
        self._post(f"{key} is disconnected" if count else f"{key} was gone already")
        self._refresh()

    @contextmanager
    def _resized(self) -> Iterator[None]:
        before = signal.signal(signal.SIGWINCH, self._wakeUp)
        try:
            yield
        finally:
            signal.signal(signal.SIGWINCH, before)
