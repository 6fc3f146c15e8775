"""One message to many connections."""

from __future__ import annotations

from gows.chat.audience import TO_EVERYONE, Audience
from gows.chat.message import Message
from gows.counts import Counts, Uncounted
from gows.wire.frames import Compression, Frames, WireForm
from gows.wire.group import Group, NotTaken
from gows.wire.outbox import MAX_GATHERED, Outbox
from gows.wire.turn import Turn


class FanOut:
    """
    Gathers messages by audience and wire form, and sends them once a turn.

    All who hear an audience hear its messages in one order.
    """

    def __init__(
        self, turn: Turn, compression: Compression, counts: Counts | None = None
    ) -> None:
        """
        Begin with nobody listening.

        @param turn: says when to send
        @param compression: how messages are compressed, where they are
        @param counts: told of what is sent; L{None}: nobody is
        """
        self._turn = turn
        self._compression = compression
        self._counts = counts or Uncounted()
        self._audiences: dict[Audience, dict[WireForm, Group]] = {}
        self._dirty: dict[Audience, None] = {}
        self._messages = 0

    def join(self, audience: Audience, form: WireForm, outbox: Outbox) -> None:
        """Have somebody hear an audience from the next message on, in one form."""
        groups = self._audiences.setdefault(audience, {})
        if form not in groups:
            # Who misses news does not know who is there any more.
            groups[form] = Group(areMessages=audience.kind != "presence")
        outbox.join(groups[form])

    def leave(self, audience: Audience, form: WireForm, outbox: Outbox) -> None:
        """Have somebody hear an audience no more, from the next message on."""
        groups = self._audiences[audience]
        outbox.leave(groups[form])
        if not groups[form]:
            del groups[form]
        if not groups:
            del self._audiences[audience]

    def hearers(self, audience: Audience) -> int:
        """Count those who hear an audience."""
        groups = self._audiences.get(audience, {}).values()
        return sum(len(group) for group in groups)

    def deliver(self, message: Message, audience: Audience = TO_EVERYONE) -> None:
        """Send a message to all who hear an audience."""
        groups = self._audiences.get(audience)
        if groups is None:
            return
        frames = Frames(message, self._compression)
        made = [(group, frames.frame(form)) for form, group in groups.items()]
        deliveries = size = 0
        for group, frame in made:
            group.gather(frame)
            members = len(group.ready) + len(group.others)
            deliveries += members
            size += members * len(frame)
        self._counts.said(audience, deliveries, size)
        self._messages += 1
        self._dirty[audience] = None
        self._turn.paced(self.flush)
        if any(group.size > MAX_GATHERED for group, _ in made):
            self._turn.flush()

    def flush(self) -> int:
        """
        Send what is gathered, and answer how many messages that was.

        Nobody is called back meanwhile: connections are told by their outboxes, which
        the turn flushes next.
        """
        messages, self._messages = self._messages, 0
        groups = [
            group
            for audience in self._dirty
            for group in self._audiences.get(audience, {}).values()
            if group.frames
        ]
        if len(self._dirty) > 1:
            _partShared(groups)
        self._dirty = {}
        short: NotTaken = {}
        now = self._turn.seconds()
        for group in groups:
            group.sentAt = now
            self._counts.joined(len(group.frames), group.size)
            owed, notTaken = group.send()
            short |= notTaken
            for outbox, batch in owed.items():
                outbox.owe(batch)
        for outbox, (batch, sent) in short.items():
            if isinstance(sent, int):
                outbox.wait([batch], sent)
            else:
                outbox.fail(sent)
        return messages


def _partShared(groups: list[Group]) -> None:
    """Set apart who hears several groups: it gets their batches as one vector."""
    dirty = set(groups)
    largest = max(groups, key=lambda group: len(group.ready), default=None)
    for group in groups:
        if group is largest:
            continue
        for outbox in tuple(group.ready.values()):
            shared = dirty.intersection(outbox.groups)
            if len(shared) > 1:
                for one in shared:
                    one.setApart(outbox)
