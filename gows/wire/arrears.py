"""What a slow reader is behind with: what waits for it, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from gows.wire.backlog import SlowReader
from gows.wire.batch import Batch
from gows.wire.terms import Terms
from gows.wire.waiting import Waiting

_PONG: Final = b"\x8a"


class Owner(SlowReader, Protocol):
    """
    What arrears ask of their outbox.

    @ivar isClosing: whether a close frame is to pass, however much waits
    """

    isClosing: bool


class Arrears:
    """
    Has batches wait for one reader, and keeps what waits within bounds.

    Only who does not keep up has arrears, from then on as long as it is connected.

    @ivar waiting: what waits, in order; L{None}: nothing does
    @ivar moved: how many bytes that waited have left
    @ivar dropped: how many messages have been left out
    @ivar isTooSlow: whether more was to wait than may: the connection is to end
    """

    __slots__ = (
        "_owner",
        "_terms",
        "_told",
        "dropped",
        "isTooSlow",
        "moved",
        "waiting",
    )

    def __init__(self, terms: Terms, owner: Owner) -> None:
        """Begin with nothing."""
        self._terms = terms
        self._owner = owner
        self._told = 0
        self.waiting: Waiting | None = None
        self.moved = 0
        self.dropped = 0
        self.isTooSlow = False

    @property
    def size(self) -> int:
        """How many bytes wait."""
        return 0 if self.waiting is None else self.waiting.size

    def begin(self, batches: Sequence[Batch], sent: int) -> None:
        """Have batches wait, of which so many bytes have left; none did before."""
        self.waiting = waiting = Waiting(self._terms.backlog)
        for batch in batches:
            waiting.append(batch)
        waiting.took(sent)
        self._dropFrom(waiting)
        self._terms.backlog.enter(self._owner)

    def sift(self, batches: list[Batch]) -> list[Batch]:
        """
        Have batches wait behind what waits already, or leave messages out.

        @return: what is to be sent at once
        """
        if self.isTooSlow:  # what follows would have a gap before it
            self._drop(sum(len(batch.ends) for batch in batches))
            batches = [batch for batch in batches if not batch.ends]
        if self.waiting is None:
            return batches
        for batch in batches:
            self.hold(batch)
        return []

    def hold(self, batch: Batch) -> None:
        """Have a batch wait behind the others, unless that is too much."""
        waiting, limit, policy = self.waiting, self._terms.limit, self._terms.policy
        assert waiting is not None
        isFull = waiting.size > limit and not self._owner.isClosing
        isPong = policy != "close" and batch.data[:1] == _PONG
        if isFull and isPong:
            return  # it may be left out (RFC 6455, 5.5.3)
        if isFull and (policy == "close" or waiting.isMore(limit)):
            self._drop(len(batch.ends))
            self.isTooSlow = True  # and is told so soon
            self._terms.backlog.tooSlow(self._owner)
            return
        waiting.append(batch)
        self._dropFrom(waiting)

    def _dropFrom(self, waiting: Waiting) -> None:
        policy = self._terms.policy
        if policy == "drop-oldest":
            self._drop(waiting.drop(self._terms.limit))
        elif policy == "latest":
            self._drop(waiting.drop(0))

    def _drop(self, count: int) -> None:
        self.dropped += count
        self._terms.backlog.dropped += count

    def tellOfDropped(self, missed: Callable[[int], bytes | None]) -> None:
        """
        Say, where the gap is, how many messages are missing there.

        @param missed: makes a frame that says so, if one can
        """
        missing, self._told = self.dropped - self._told, self.dropped
        if not missing or self._owner.isClosing or self.isTooSlow:
            return
        if self.waiting is not None and (note := missed(missing)) is not None:
            self.waiting.putFirst(Batch((note,), areMessages=False))

    def took(self, count: int) -> None:
        """Take note that so many bytes have left, the first of those that wait."""
        assert self.waiting is not None
        self.waiting.took(count)
        self.moved += count

    def end(self) -> None:
        """Take note that nothing waits any more."""
        self.waiting = None
        self._terms.backlog.leave(self._owner)

    def dropAll(self) -> None:
        """Drop all messages that wait."""
        if self.waiting is not None:
            self._drop(self.waiting.dropAll())

    def close(self) -> int:
        """Forget what waits, and answer how many messages these were."""
        unsent = 0
        if self.waiting is not None:
            unsent = self.waiting.dropAll()
            self.waiting.clear()
            self._terms.backlog.leave(self._owner)
        return unsent
