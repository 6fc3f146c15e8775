"""Outboxes in memory: their transports may be full, and a clock ends turns."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gows.wire.backlog import Backlog
from gows.wire.outbox import Outbox
from gows.wire.terms import SlowPolicy, Terms
from gows.wire.turn import Turn

LIMIT = 1000
CLOSE = b"\x88\x02\x0f\xa2"


class Peer:
    """
    A connection's outbox, and a transport that may be full.

    @ivar sent: all that the transport got
    @ivar stalls: how much it had got each time that the reader was called too slow
    """

    def __init__(self, terms: Terms) -> None:
        """Open."""
        self.saysWhatIsMissing = False
        self.transport = StringTransport()
        self.stalls: list[int] = []
        self.failures: list[Failure] = []
        self.outbox = Outbox(self.transport, self, terms)
        self.outbox.begin()

    @property
    def producer(self) -> Any:
        """What the transport tells that it is full, and that it is empty."""
        return self.transport.producer

    @property
    def sent(self) -> bytes:
        """All that the transport got."""
        return bytes(self.transport.value())

    def readerStalled(self) -> None:
        """Do what a connection does: say goodbye."""
        self.stalls.append(len(self.sent))
        self.outbox.lastWords()
        self.outbox.write(CLOSE)

    def missed(self, count: int) -> bytes | None:
        """Say so, if that is to be."""
        return b"(%d)" % count if self.saysWhatIsMissing else None

    def sendingFailed(self, failure: Failure) -> None:
        """Remember it."""
        self.failures.append(failure)


class OutboxTestCase(SynchronousTestCase):
    """Tests with a clock that ends turns."""

    def setUp(self) -> None:
        """Begin with nothing waiting for anybody."""
        self.clock = Clock()
        self.backlog = Backlog(1 << 30)
        self.turn = Turn(self.clock, 0, self.backlog)

    def peer(self, policy: SlowPolicy = "close") -> Peer:
        """Make a peer."""
        return Peer(Terms(self.turn, self.backlog, LIMIT, policy, 0))

    def say(self, peer: Peer, *messages: bytes) -> None:
        """Send messages, each in a turn of its own."""
        for message in messages:
            peer.outbox.write(message, isMessage=True)
            self.clock.advance(0)

    def stalled(self, policy: SlowPolicy = "close") -> Peer:
        """Make a peer whose transport is full."""
        peer = self.peer(policy)
        IPushProducer(peer.producer).pauseProducing()
        return peer

    def resume(self, peer: Peer) -> None:
        """Have the peer read again."""
        peer.producer.resumeProducing()
        self.clock.advance(0)
