"""Those who hear one audience in one wire form, and what they are to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gows.wire.batch import Batch
from gows.wire.line import Send


class Member(Protocol):
    """
    What is asked of somebody who hears a group.

    @ivar direct: sends to the socket, if there is one and nothing waits
    @ivar groups: those it is in, with how many messages they had gathered before
    """

    direct: Send | None
    groups: dict[Group, int]

    def owe(self, batch: Batch) -> None:
        """Send a batch that others were sent."""

    def wait(self, batches: Sequence[Batch], sent: int) -> None:
        """Have batches wait, of which so many bytes have left."""

    def fail(self, error: Exception) -> None:
        """Take note that the socket does not take anything."""


Owed = dict[Member, Batch]
NotTaken = dict[Member, tuple[Batch, int | Exception]]


class Group:
    """
    Gathers frames, joins them once, and sends them to its members.

    A member is in one of two places. I{Ready} ones are sent to in a tight loop:
    each has a socket, has nothing waiting, and is to get all that is gathered.
    The I{others} have had a part of it already (they came later, or something of
    their own had to go in between), are slow, or have no such socket.

    @ivar frames: gathered since the last time, in order
    @ivar size: how many bytes these have
    @ivar count: how many messages have been gathered in all
    @ivar ready: members by what sends to them
    @ivar others: members, with how many of the gathered frames they have had
    @ivar sentAt: when it was sent to last
    """

    __slots__ = (
        "_areMessages",
        "_batches",
        "count",
        "frames",
        "others",
        "ready",
        "sentAt",
        "size",
    )

    def __init__(self, areMessages: bool = True) -> None:
        """
        Begin with no members.

        @param areMessages: whether what is gathered may be dropped
        """
        self._areMessages = areMessages
        self.frames: list[bytes] = []
        self.size = 0
        self.count = 0
        self.ready: dict[Send, Member] = {}
        self.others: dict[Member, int] = {}
        self._batches: dict[int, Batch] = {}
        self.sentAt = float("-inf")

    def gather(self, frame: bytes) -> None:
        """Have a message leave with the others."""
        self.frames.append(frame)
        self.size += len(frame)
        self.count += self._areMessages
        self._batches.clear()

    def __len__(self) -> int:
        """Count the members."""
        return len(self.ready) + len(self.others)

    def add(self, member: Member) -> None:
        """Let somebody in, who gets what is gathered from now on."""
        if self.frames or member.direct is None:
            self.others[member] = len(self.frames)
        else:
            self.ready[member.direct] = member

    def remove(self, member: Member) -> None:
        """Let somebody go."""
        if self.others.pop(member, None) is None and member.direct is not None:
            del self.ready[member.direct]

    def setApart(self, member: Member) -> None:
        """Have a member not be one of the ready ones, this time."""
        if member not in self.others:
            assert member.direct is not None
            del self.ready[member.direct]
            self.others[member] = 0

    def catchUp(self, member: Member) -> Batch | None:
        """
        Hand a member what it has not had yet of what is gathered.

        @return: L{None}: it has had everything
        """
        if not self.frames:
            return None
        self.setApart(member)
        had, self.others[member] = self.others[member], len(self.frames)
        return self._batch(had) if had < len(self.frames) else None

    def send(self) -> tuple[Owed, NotTaken]:
        """
        Send what is gathered to the ready members, and begin to gather anew.

        Nothing is called back meanwhile. Who can be is ready for the next time.

        @return: what to send to the others; and of the ready ones those whose socket
            did not take all, with how many bytes it did take, or how it failed
        """
        batch = self._batch(0)
        data, size = batch.data, len(batch.data)
        short: NotTaken = {}
        for send in self.ready:
            try:
                if (sent := send(data)) != size:
                    short[self.ready[send]] = batch, sent
            except BlockingIOError:
                short[self.ready[send]] = batch, 0
            except Exception as error:
                short[self.ready[send]] = batch, error
        owed = {
            member: self._batch(had)
            for member, had in self.others.items()
            if had < len(self.frames)
        }
        self._begin()
        return owed, short

    def _batch(self, had: int) -> Batch:
        batch = self._batches.get(had)
        if batch is None:
            batch = self._batches[had] = Batch(self.frames[had:], self._areMessages)
        return batch

    def _begin(self) -> None:
        self.frames = []
        self.size = 0
        self._batches = {}
        others, self.others = self.others, {}
        for member in others:
            self.add(member)
