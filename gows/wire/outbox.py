"""The one place through which bytes leave for a connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from twisted.python.failure import Failure

from gows.wire.arrears import Arrears
from gows.wire.batch import Batch
from gows.wire.group import Group
from gows.wire.line import Send
from gows.wire.pulse import Progress, Pulse
from gows.wire.route import lineOf
from gows.wire.tcpinfo import Traffic
from gows.wire.terms import Terms

MAX_GATHERED: Final = 64 * 1024
"""How many bytes are gathered until they do not wait for the turn's end."""


class Sender(Protocol):
    """What an outbox asks of its connection."""

    def readerStalled(self) -> None:
        """Close the connection: its peer is too slow."""

    def sendingFailed(self, failure: Failure) -> None:
        """Drop the connection: nothing can be sent any more."""

    def missed(self, count: int) -> bytes | None:
        """Make a frame that says so many messages were dropped, if one can."""


class Outbox:
    """
    Gathers what goes to one peer, and sends it.

    Whatever is written leaves at the end of the reactor turn, in order: behind what
    the groups of this member have gathered before. What there is no room for waits
    in L{Arrears}.

    @ivar direct: sends to the socket, if there is one and nothing waits; see L{Group}
    @ivar groups: those it is in, with how many messages they had gathered before
    @ivar isClosing: whether a close frame is to pass, however much waits
    """

    __slots__ = (
        "_arrears",
        "_error",
        "_gathered",
        "_isOver",
        "_line",
        "_messages",
        "_pulse",
        "_sender",
        "_size",
        "_terms",
        "_then",
        "_wroteAt",
        "direct",
        "groups",
        "isClosing",
    )

    def __init__(self, transport: Any, sender: Sender, terms: Terms) -> None:
        """Send through a transport by the shortest way that it has."""
        self._line = lineOf(transport, self)
        self._sender = sender
        self._terms = terms
        self._gathered: list[Batch] = []
        self._size = 0  # of what is gathered
        self._arrears: Arrears | None = None  # it always kept up
        self._then: Callable[[], object] | None = None
        self._error: Exception | None = None
        self._isOver = False
        self._messages = 0
        self._pulse: Pulse | None = None
        self._wroteAt = float("-inf")
        self.direct: Send | None = self._line.direct
        self.groups: dict[Group, int] = {}
        self.isClosing = False

    # What is to leave.

    def begin(self) -> None:
        """Take note that the connection is open."""
        self._line.begin(self._terms.sendBuffer)

    def join(self, group: Group) -> None:
        """Hear a group from now on."""
        group.add(self)
        self.groups[group] = group.count

    def leave(self, group: Group) -> None:
        """Hear a group no more; what it has gathered for this member is still owed."""
        if (owed := group.catchUp(self)) is not None:
            self.owe(owed)
        group.remove(self)
        self._messages += group.count - self.groups.pop(group)
        if self._isOver:
            self._forget()

    @property
    def messages(self) -> int:
        """How many messages went out to this peer, without those dropped."""
        heard = sum(group.count - before for group, before in self.groups.items())
        return self._messages + heard - self.dropped

    @property
    def sentAt(self) -> float:
        """When something was sent to this peer last, be it a ping."""
        return max([self._wroteAt, *(group.sentAt for group in self.groups)])

    def write(self, frame: bytes, isMessage: bool = False) -> None:
        """
        Send at the end of this turn, behind all that is to be sent before.

        @param frame: or whatever must stay in one piece
        @param isMessage: whether it may be dropped; answers to requests must not
        """
        if self._isOver:
            return
        self._catchUp()
        self._wroteAt = self._terms.turn.seconds()
        self._messages += isMessage
        self.gather(Batch((frame,), isMessage))
        if self._size > MAX_GATHERED:
            self.flush()
        self._terms.turn.soon(self)  # even if it is sent: its end relieves the backlog

    def lastWords(self) -> None:
        """Let a close frame pass, however much is waiting."""
        self.isClosing = True

    def gather(self, batch: Batch) -> None:
        """Have a batch leave with the next L{flush}."""
        self._gathered.append(batch)
        self._size += len(batch.data)

    def owe(self, batch: Batch) -> None:
        """Have a batch that others were sent wait, or leave before the turn ends."""
        slow = self._arrears
        if slow is None or slow.waiting is None or slow.isTooSlow or self._gathered:
            self.gather(batch)
            self._terms.turn.soon(self)
        else:
            slow.hold(batch)

    def _catchUp(self) -> None:
        for group in self.groups:
            if group.frames and (owed := group.catchUp(self)) is not None:
                self.gather(owed)

    # How it leaves.

    def flush(self) -> None:
        """Send what is gathered, or have it wait behind what waits already."""
        if self._error is not None:
            error, self._error = self._error, None
            self._failed(Failure(error))
        if self._isOver:
            return
        batches, size = self._gathered, self._size
        self._gathered, self._size = [], 0
        if self._arrears is not None:
            batches = self._arrears.sift(batches)
            size = sum(len(batch.data) for batch in batches)
        if batches:
            sent = self._send([batch.data for batch in batches])
            if sent is not None and sent < size:
                self.wait(batches, sent)

    def _send(self, parts: Sequence[bytes | memoryview]) -> int | None:
        try:
            if len(parts) == 1:
                return (self.direct or self._line.send)(parts[0])
            return self._line.sendParts(parts)
        except BlockingIOError:
            return 0
        except Exception:
            self._failed(Failure())
            return None

    def _failed(self, failure: Failure) -> None:
        self._isOver = True
        self._sender.sendingFailed(failure)

    def wait(self, batches: Sequence[Batch], sent: int) -> None:
        """Have batches wait, of which so many bytes have left."""
        for group in self.groups:
            group.setApart(self)
        self.direct = None
        if self._arrears is None:
            self._arrears = Arrears(self._terms, self)
        self._arrears.begin(batches, sent)
        self._line.wait()

    def fail(self, error: Exception) -> None:
        """Take note that the socket does not take anything; L{flush} tells."""
        self._error = error
        self._terms.turn.soon(self)

    def drain(self) -> None:
        """Send what waits: there may be room again."""
        arrears = self._arrears
        if arrears is None or arrears.waiting is None:
            return
        arrears.tellOfDropped(self._sender.missed)
        waiting = arrears.waiting
        while waiting.size:
            parts = waiting.parts(self._line.atOnce)
            sent = self._send(parts)
            if sent is None:
                return
            arrears.took(sent)
            if sent < sum(map(len, parts)):
                break
        if waiting.size:
            self._line.wait()
        else:
            self._caughtUp(arrears)

    def _caughtUp(self, arrears: Arrears) -> None:
        arrears.end()
        self._line.stop()
        if not arrears.isTooSlow:
            self.direct = self._line.direct
        if self._then is not None:
            self.finish(self._then)

    def finish(self, then: Callable[[], object]) -> None:
        """
        Send all that is owed, and then do something else: close the transport.

        @param then: called once the transport has got everything
        """
        self._catchUp()
        self.flush()
        if self._arrears is None or self._arrears.waiting is None:
            self._line.end()
            then()
        else:
            self._then = then

    def close(self) -> None:
        """Forget everything, which does not count as sent: the transport is gone."""
        self._isOver = True
        self._error = None
        self._then = None
        self._forget()
        if self._arrears is not None:
            self._messages -= self._arrears.close()

    def _forget(self) -> None:
        self._messages -= sum(len(batch.ends) for batch in self._gathered)
        self._gathered, self._size = [], 0

    # Slow readers.

    @property
    def waiting(self) -> int:
        """How many bytes wait."""
        return 0 if self._arrears is None else self._arrears.size

    @property
    def dropped(self) -> int:
        """How many messages have been dropped because their reader was slow."""
        return 0 if self._arrears is None else self._arrears.dropped

    def overflow(self) -> None:
        """Drop the messages that wait, and close the connection as too slow."""
        if self._isOver:
            return
        if self._arrears is not None:
            self._arrears.dropAll()
        if not self.isClosing:
            self._sender.readerStalled()

    def traffic(self) -> Traffic | None:
        """Count the bytes that have passed, both ways; L{None}: that is unknown."""
        return None if self._isOver else self._line.traffic()

    def pinged(self) -> None:
        """Take note that a ping is sent."""
        if not self._isOver:
            self._pulse = Pulse(self._progress())

    def isProgressing(self) -> bool:
        """Tell whether the last ping may not have arrived yet; see L{Pulse}."""
        if self._isOver or self._pulse is None:
            return False
        return self._pulse.isProgressing(self._progress())

    def _progress(self) -> Progress:
        arrived, queued = self._line.underway()
        moved = 0 if self._arrears is None else self._arrears.moved
        return Progress(arrived, queued, self.waiting + self._size, moved)
