"""Ask the operators' door in memory."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.resource import IResource

from gows.access.ledger import MemoryLedger
from gows.web.door import Door
from gows.web.guard import Guard
from gows.web.hosts import Hosts
from gows.web.idempotency import Idempotency
from tests.doors import HERE, PEERS
from tests.memory import Answer, MemoryTestCase, answerOf, request


class Asked:
    """A request that has been sent."""

    def __init__(self, channel: HTTPChannel, head: bytes) -> None:
        """Send it."""
        self._channel = channel
        self._isHead = head.startswith(b"HEAD ")
        self._transport = StringTransport(peerAddress=HERE)
        channel.makeConnection(self._transport)
        channel.dataReceived(head)

    @property
    def raw(self) -> bytes:
        """What has come, as it came."""
        raw: bytes = self._transport.value()
        return raw

    @property
    def isAnswered(self) -> bool:
        """Whether something has come."""
        return bool(self.raw)

    @property
    def isEnding(self) -> bool:
        """Whether the connection is to end."""
        return self._transport.disconnecting

    @property
    def answer(self) -> Answer:
        """The whole answer."""
        return answerOf(self.raw, self._isHead)

    def leave(self) -> None:
        """End the connection, with an answer or without."""
        self._channel.connectionLost(Failure(ConnectionError("left")))


class AskingTestCase(MemoryTestCase):
    """Tests of pages of the operators' door."""

    def door(self, pages: Mapping[str, IResource], reactor: object = None) -> Door:
        """Make a door to these pages that asks for no key."""
        journal = self.factory().journal
        clock = self.clock
        guard = Guard(None, Hosts((), ()), PEERS, journal, clock.seconds)
        return Door(
            guard,
            calls=(),
            probes={},
            free={},
            guarded=pages,
            memory=Idempotency(MemoryLedger(clock)),
            journal=journal,
            reactor=reactor or clock,
        )

    def begin(
        self, door: Door, target: str, method: str = "GET", **headers: str
    ) -> Asked:
        """Send a request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        channel = door.buildProtocol(None)
        assert channel is not None
        head = request(method, target, {"Host": "localhost", **named})
        return Asked(channel, head)

    def got(
        self, door: Door, target: str, method: str = "GET", **headers: str
    ) -> Answer:
        """Send a request, and answer what it is answered at once."""
        return self.begin(door, target, method, **headers).answer
