"""What the operators' feed says, and the picture of the server that it makes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Final, TypeVar

import msgspec

from gows.commands.doorclient import TIMEOUT, DoorClient, DoorError
from gows.commands.eventstream import Event, EventStream, StreamError
from gows.commands.topstructs import (
    MAX_SAMPLES,
    Hello,
    Rooms,
    Said,
    Sample,
    Top,
    Warned,
    Warnings,
)

FEED: Final = "/feed"

MAX_PAUSE: Final = 10.0
"""Seconds between two tries to read the feed, at the most."""

NO_FEED: Final = "what answers is no feed of gows: is this the operators' door?"


_S = TypeVar("_S", bound=Said)


KINDS: Final[dict[str, type[Said]]] = {
    "hello": Hello,
    "sample": Sample,
    "warnings": Warnings,
}
"""What the events are, by their names."""


class Picture:
    """
    What is known of the server.

    @ivar hello: L{None}: nothing is, yet
    @ivar samples: the oldest first
    """

    def __init__(self) -> None:
        """Know nothing."""
        self.hello: Hello | None = None
        self.samples: deque[Sample] = deque(maxlen=MAX_SAMPLES)
        self.warnings: tuple[Warned, ...] = ()
        self.top = Top()
        self.rooms = Rooms()
        self._begin = 0.0

    @property
    def uptime(self) -> float:
        """For how long the server has been running, in seconds."""
        if self.hello is None or not self.samples:
            return 0 if self.hello is None else self.hello.uptime
        return self.hello.uptime + max(0.0, self.samples[-1].time - self._begin) / 1000

    def take(self, said: Said) -> None:
        """Take something that L{saidIn} has understood, or that was asked for."""
        match said:
            case Hello():
                samples = said.samples()
                self.hello = said
                self.samples.clear()
                self.samples.extend(samples)
                self._begin = samples[-1].time if samples else time.time() * 1000
            case Sample():
                self.samples.append(said)
            case Warnings():
                self.warnings = said.warnings
            case Top():
                self.top = said
            case Rooms():
                self.rooms = said


def saidIn(event: Event) -> Said | None:
    """
    Understand an event.

    @return: L{None}: it is of a kind that is not known
    @raise DoorError: if it is none of a feed
    """
    kind = KINDS.get(event.name)
    if kind is None:
        return None
    try:
        said = msgspec.json.decode(event.data, type=kind)
        if isinstance(said, Hello):
            said.samples()
    except (msgspec.DecodeError, RecursionError):
        raise DoorError(NO_FEED, 2) from None
    return said


def eventsOf(
    client: DoorClient, stream: EventStream | None = None
) -> Generator[Event, None, None]:
    """
    Read the feed until it ends.

    @param stream: what reads it; L{None}: a new one
    @raise DoorError: when it does, or if there is none; if there is nothing but
        comments for a while
    """
    stream = stream or EventStream()
    with client.answer("GET", FEED) as answer:
        if answer.headers.get_content_type() != "text/event-stream":
            raise DoorError(NO_FEED, 2)
        last = time.monotonic()
        while raw := answer.read1(65536):
            try:
                for event in stream.fed(raw):
                    yield event
                    last = time.monotonic()
            except StreamError as error:
                raise DoorError(f"{NO_FEED} ({error})", 2) from None
            if time.monotonic() - last > TIMEOUT:
                raise DoorError("the feed of the server says nothing", 2)
    raise DoorError("the connection is lost", 2)


def followed(
    client: DoorClient, sleep: Callable[[float], object] = time.sleep
) -> Iterator[Event | DoorError]:
    """
    Read the feed for ever: where it is lost, say so, and try again.

    The server may ask for a longer pause: others want the place as well.

    @raise DoorError: if there is none at the beginning
    """
    hasBegun = False
    tries = 0
    while True:
        stream = EventStream()
        try:
            for event in eventsOf(client, stream):
                yield event
                hasBegun = True
                tries = 0
        except DoorError as error:
            if not hasBegun:
                raise
            yield error
        sleep(min(max(2**tries, stream.retry), MAX_PAUSE))
        tries += 1


def topOf(client: DoorClient, by: str, limit: int) -> Top:
    """
    Ask which connections have the most of something.

    @raise DoorError: if that is not told
    """
    return _asked(client, f"/api/top?by={by}&limit={limit}", Top)


def roomsOf(client: DoorClient, limit: int) -> Rooms:
    """
    Ask for rooms.

    @raise DoorError: if they are not told
    """
    return _asked(client, f"/api/rooms?limit={limit}", Rooms)


def _asked(client: DoorClient, path: str, kind: type[_S]) -> _S:
    try:
        return msgspec.convert(client.ask("GET", path), kind)
    except msgspec.ValidationError:
        raise DoorError(NO_FEED, 2) from None
