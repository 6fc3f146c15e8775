"""Who is in which room, and the news of it for those who asked for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, Protocol

LINGER: Final = 5.0
"""Seconds in which somebody may come back without it being news that he left."""

PACE: Final = 1.0
"""Seconds between the news of a room in which there are too many to be named."""


class Clock(Protocol):
    """What tells the time; a reactor, such as it is."""

    def seconds(self) -> float:
        """Tell the time."""

    def callLater(
        self, delay: float, callable: Callable[..., object], *args: object
    ) -> Any:
        """Call later; what is returned can be cancelled."""


class Roster(NamedTuple):
    """
    Who is in a room.

    @ivar people: how many, each once
    @ivar keys: their specialKeys, in the order of arrival; L{None}: too many
    """

    people: int
    keys: tuple[str, ...] | None


class News(NamedTuple):
    """
    Somebody came to a room, or left it.

    @ivar hasCome: or, of a room with too many people, whether there are more now
    @ivar key: who; L{None}: there are too many people to name them
    @ivar people: how many are there now
    """

    hasCome: bool
    key: str | None
    people: int


class _Watch:
    """
    What is kept of a room that is watched.

    @ivar watchers: how many watch it
    @ivar told: which count they know
    @ivar lingering: who has gone, and when that becomes news; in that order
    @ivar leaving: the call that tells of the first of those
    @ivar counting: the call that tells how many there are
    """

    __slots__ = ("counting", "leaving", "lingering", "told", "watchers")

    def __init__(self, told: int) -> None:
        self.watchers = 0
        self.told = told
        self.lingering: dict[str, float] = {}
        self.leaving: Any = None
        self.counting: Any = None


class Presence:
    """
    Counts each person in a room once, on however many connections.

    Of a room that nobody watches there is no news and no lingering. Of one with more
    people than the limit the news are numbers, and after the first rare; when it has
    become smaller they name people again, and who watches asks anew who the others are.
    """

    def __init__(
        self, clock: Clock, limit: int, tell: Callable[[str, News], None]
    ) -> None:
        """
        Begin with empty rooms.

        @param limit: in rooms with more people they are not named
        @param tell: called with a room that is watched, and its news
        """
        self._clock = clock
        self._limit = limit
        self._tell = tell
        # The connections of each person; none: she lingers.
        self._rooms: dict[str, dict[str, int]] = {}
        self._watches: dict[str, _Watch] = {}

    def come(self, room: str, specialKey: str) -> None:
        """Take note that a person has come to a room on one more connection."""
        people = self._rooms.get(room)
        if people is None:
            people = self._rooms[room] = {}
        connections = people.get(specialKey)
        people[specialKey] = (connections or 0) + 1
        if connections is None:
            self._changed(room, True, specialKey)
        elif not connections:
            del self._watches[room].lingering[specialKey]

    def go(self, room: str, specialKey: str) -> None:
        """Take note that one connection of a person has left a room."""
        people = self._rooms[room]
        people[specialKey] -= 1
        if people[specialKey]:
            return
        watch = self._watches.get(room)
        if watch is None:
            self._remove(room, specialKey)
            return
        watch.lingering[specialKey] = self._clock.seconds() + LINGER
        if watch.leaving is None:
            watch.leaving = self._clock.callLater(LINGER, self._expire, room, watch)

    def who(self, room: str) -> Roster:
        """Tell who is in a room; who lingers still is."""
        people = self._rooms.get(room, {})
        isSmall = len(people) <= self._limit
        return Roster(len(people), tuple(people) if isSmall else None)

    def keys(self, room: str) -> tuple[str, ...]:
        """List who is in a room, however many."""
        return tuple(self._rooms.get(room, ()))

    @property
    def roomCount(self) -> int:
        """How many rooms there are in which there is somebody."""
        return len(self._rooms)

    def rooms(self) -> Iterator[tuple[str, int]]:
        """Iterate over the rooms in which there is somebody, and how many."""
        return ((room, len(people)) for room, people in self._rooms.items())

    def watch(self, room: str) -> None:
        """Have the news of a room told, once more."""
        watch = self._watches.get(room)
        if watch is None:
            watch = self._watches[room] = _Watch(len(self._rooms.get(room, {})))
        watch.watchers += 1

    def unwatch(self, room: str) -> None:
        """Have them told once less; for nobody, nobody lingers."""
        watch = self._watches[room]
        watch.watchers -= 1
        if watch.watchers:
            return
        del self._watches[room]
        for call in (watch.leaving, watch.counting):
            if call is not None:
                call.cancel()
        lingering, watch.lingering = watch.lingering, {}
        for specialKey in lingering:
            self._remove(room, specialKey)

    def _remove(self, room: str, specialKey: str) -> None:
        people = self._rooms[room]
        del people[specialKey]
        if not people:
            del self._rooms[room]

    def _expire(self, room: str, watch: _Watch) -> None:
        watch.leaving = None
        now = self._clock.seconds()
        while watch.lingering:
            specialKey, due = next(iter(watch.lingering.items()))
            if due > now:
                watch.leaving = self._clock.callLater(
                    due - now, self._expire, room, watch
                )
                break
            del watch.lingering[specialKey]
            self._remove(room, specialKey)
            self._changed(room, False, specialKey)

    def _changed(self, room: str, hasCome: bool, specialKey: str) -> None:
        watch = self._watches.get(room)
        if watch is None:
            return
        count = len(self._rooms.get(room, {}))
        isNamed = count <= self._limit
        if isNamed or watch.told <= self._limit:
            # That there are too many is told at once: in a second there may be few
            # again, and nobody would ask who came meanwhile.
            watch.told = count
            self._tell(room, News(hasCome, specialKey if isNamed else None, count))
        elif watch.counting is None:
            watch.counting = self._clock.callLater(PACE, self._count, room, watch)

    def _count(self, room: str, watch: _Watch) -> None:
        watch.counting = None
        count = len(self._rooms.get(room, {}))
        if count != watch.told:
            hasCome, watch.told = count > watch.told, count
            self._tell(room, News(hasCome, None, count))
