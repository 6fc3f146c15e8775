"""Who is here, in which rooms, and how messages come to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET
from twisted.internet.interfaces import IReactorTime

from gows.chat.audience import Audience, toRoom
from gows.chat.message import Message
from gows.chat.presence import News, Presence, Roster
from gows.chat.registry import Registry
from gows.counts import Counts, Uncounted
from gows.dialects.envelopes import Joined, Left
from gows.wire.fanout import FanOut
from gows.wire.frames import Compression, Frames

if TYPE_CHECKING:
    from gows.wire.protocol import GowsProtocol


class Hall:
    """
    The open connections, and the rooms that they are in.

    @ivar registry: who is here
    """

    def __init__(
        self,
        fanOut: FanOut,
        compression: Compression,
        clock: IReactorTime,
        presenceLimit: int,
        counts: Counts | None = None,
    ) -> None:
        """
        Begin with nobody.

        @param fanOut: sends to rooms
        @param presenceLimit: rooms with more people are told of in numbers only
        @param counts: told of what is sent to single persons, the fan-out tells of the
            rest; L{None}: nobody is
        """
        self.registry: Registry[GowsProtocol] = Registry()
        self._fanOut = fanOut
        self._compression = compression
        self._counts = counts or Uncounted()
        self._presence = Presence(clock, presenceLimit, self._announce)

    def enter(self, connection: GowsProtocol) -> None:
        """Let a connection in, to the room where it begins, if it may read there."""
        context = connection.context
        self.registry.add(context, connection)
        if context.grant.mayRead(context.room):
            self.join(connection, context.room)

    def exit(self, connection: GowsProtocol) -> bool:
        """Let a connection go, and answer whether it was here."""
        if not self.registry.remove(connection):
            return False
        for room in connection.rooms:
            self.leave(connection, room)
        for room in connection.watched:
            self.unwatch(connection, room)
        return True

    # See gows.dialects.dialect.House.

    def join(self, speaker: GowsProtocol, room: str) -> None:
        """Have a connection be in a room, if that is not so."""
        if room in speaker.rooms:
            return
        speaker.rooms = (*speaker.rooms, room)
        self._fanOut.join(toRoom(room), speaker.form, speaker.outbox)
        self._presence.come(room, speaker.context.specialKey)

    def leave(self, speaker: GowsProtocol, room: str) -> None:
        """Have a connection be in a room no more."""
        if room not in speaker.rooms:
            return
        speaker.rooms = tuple(one for one in speaker.rooms if one != room)
        self._fanOut.leave(toRoom(room), speaker.form, speaker.outbox)
        self._presence.go(room, speaker.context.specialKey)

    def watch(self, speaker: GowsProtocol, room: str) -> None:
        """Have a connection told who comes to a room and who goes."""
        if room in speaker.watched:
            return
        speaker.watched = (*speaker.watched, room)
        self._fanOut.join(_watchers(room), speaker.form.bare, speaker.outbox)
        self._presence.watch(room)

    def unwatch(self, speaker: GowsProtocol, room: str) -> None:
        """Have a connection not be told any more."""
        if room not in speaker.watched:
            return
        speaker.watched = tuple(one for one in speaker.watched if one != room)
        self._fanOut.leave(_watchers(room), speaker.form.bare, speaker.outbox)
        self._presence.unwatch(room)

    def who(self, room: str) -> Roster:
        """Tell who is in a room."""
        return self._presence.who(room)

    def people(self) -> Iterator[tuple[str, int]]:
        """Iterate over the rooms in which there is somebody, and how many people."""
        return self._presence.rooms()

    def readers(self, audience: Audience) -> int:
        """Count the connections that a message to an audience goes to."""
        if audience.kind == "key":
            return len(self.registry.ofPerson(audience.name))
        return self._fanOut.hearers(audience)

    def keys(self, room: str) -> tuple[str, ...]:
        """List the people in a room, however many, in the order of arrival."""
        return self._presence.keys(room)

    @property
    def rooms(self) -> int:
        """How many rooms there are in which there is somebody."""
        return self._presence.roomCount

    def isHere(self, specialKey: str) -> bool:
        """Tell whether a person is connected."""
        return bool(self.registry.ofPerson(specialKey))

    # Messages.

    def deliver(self, message: Message) -> None:
        """Send an accepted message to those here whom it is for: the one door."""
        if message.audience.kind == "key":
            frames = Frames(message, self._compression)
            size = 0
            connections = self.registry.ofPerson(message.audience.name)
            for connection in connections:
                frame = frames.frame(connection.form)
                size += len(frame)
                connection.outbox.write(frame, isMessage=True)
            self._counts.said(message.audience, len(connections), size)
        else:
            self._fanOut.deliver(message, message.audience)

    def _announce(self, room: str, news: News) -> None:
        kind = Joined if news.hasCome else Left
        envelope = kind(room, news.people, UNSET if news.key is None else news.key)
        text = Message(msgspec.json.encode(envelope))
        self._fanOut.deliver(text, _watchers(room))


def _watchers(room: str) -> Audience:
    return Audience("presence", room)
