"""An operators' door in memory: what is behind it is a real chat."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.test.iosim import FakeTransport, IOPump, connect

from gows.access.addresses import TrustedProxies
from gows.access.apikeys import ApiKeys
from gows.doorway import makeDoor, showsOf
from gows.settings import Settings
from gows.web.door import Door
from gows.web.peers import Peers
from gows.wire.factory import GowsFactory
from tests.memory import (
    PEER,
    Answer,
    Headers,
    MemoryTestCase,
    ServerTransport,
    Wire,
    answerOf,
    request,
)

KEY = "k3y-of-the-backend"
OTHER_KEY = "k3y-of-an-operator"
WRONG_KEY = "k3y-of-nobody-at-all"

HERE = IPv4Address("TCP", "127.0.0.1", 4321)
PEERS = Peers(TrustedProxies(()))

HOST = "127.0.0.1:8889"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

EVENT_ROOM = {"to": {"room": "events"}, "data": "x"}


def bearer(key: str = KEY) -> dict[str, str]:
    """Make the header that brings a key."""
    return {"Authorization": f"Bearer {key}"}


class Asker(NamedTuple):
    """
    Somebody connected to a door.

    @ivar wire: the client's end
    @ivar transport: the server's
    """

    wire: Wire
    transport: ServerTransport
    pump: IOPump

    def send(self, data: bytes) -> None:
        """Send bytes, and move all until there are none left."""
        self.wire.transport.write(data)
        self.pump.flush()

    def leave(self) -> None:
        """Go."""
        self.wire.transport.loseConnection()
        self.pump.flush()


def written(
    method: str,
    target: str,
    body: object = None,
    headers: Headers | None = None,
) -> bytes:
    """
    Write a request.

    @param body: bytes as they are, L{None} none, all else as JSON
    @param headers: those that are not as usual; L{None}: absent
    """
    usual: dict[str, Any] = {"Host": HOST}
    content = b""
    if body is not None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        usual |= {"Content-Type": JSON, "Content-Length": str(len(content))}
    return request(method, target, {**usual, **(headers or {})}) + content


class DoorTestCase(MemoryTestCase):
    """
    Tests of a door that asks for keys.

    @ivar keys: those that count; L{None}, when a door is made: none are asked for
    @ivar chat: what is behind the door
    @ivar door: the door
    @ivar shows: what it shows of the chat; services that do not run
    """

    keys: ApiKeys | None

    def setUp(self) -> None:
        """Make a door."""
        super().setUp()
        self.keys = ApiKeys([("backend", KEY), ("ops", OTHER_KEY)])
        self.chat = self.factory()
        self.door = self.makeDoor(self.chat)

    def makeDoor(self, chat: GowsFactory, **settings: Any) -> Door:
        """Make a door with these settings, which asks for keys if there are any."""
        keys = None if self.keys is None else self.currentKeys
        self.shows = showsOf(chat, self.clock)
        self.door = makeDoor(
            Settings(**settings),
            chat,
            keys=keys,
            shows=self.shows,
            journal=chat.journal,
            reactor=self.clock,
        )
        return self.door

    def currentKeys(self) -> ApiKeys:
        """Answer the keys that count."""
        assert self.keys is not None
        return self.keys

    def connected(self, peer: IAddress = PEER) -> Asker:
        """Connect to the door; from its own host, if it asks for no keys."""
        if self.keys is None and peer is PEER:
            peer = HERE
        server = self.door.buildProtocol(peer)
        assert server is not None
        wire, transport = Wire(), ServerTransport(server, peer)
        client = FakeTransport(wire, isServer=False, hostAddress=peer)
        pump = connect(server, transport, wire, client, clock=self.clock)
        return Asker(wire, transport, pump)

    def waiting(self) -> list[Deferred[Any]]:
        """Have tickets be made later, and answer the list of what is waited for."""
        waited: list[Deferred[Any]] = []

        async def mint(pass_: object) -> str:
            waited.append(Deferred())
            answer: str = await waited[-1]
            return answer

        self.patch(self.chat.tickets, "mint", mint)
        self.patch(self.chat, "takesTickets", True)
        return waited

    def send(
        self,
        method: str,
        target: str,
        body: object = None,
        headers: Headers | None = None,
        peer: IAddress = PEER,
    ) -> Answer:
        """Send a request as it is, and answer the answer."""
        asker = self.connected(peer)
        asker.send(written(method, target, body, headers))
        return answerOf(asker.wire.received, method == "HEAD")

    def call(
        self, method: str, target: str, body: object = None, **headers: str | None
    ) -> Answer:
        """Send a request with a key."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(method, target, body, {**bearer(), **named})

    def answered(self, method: str, target: str, body: object = None) -> Any:
        """Send a request that succeeds, and answer what it brought."""
        answer = self.call(method, target, body)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.headers["content-type"], JSON)
        return json.loads(answer.body)

    def assertProblem(
        self, answer: Answer, status: int, code: str, field: str | None = None
    ) -> str:
        """Assert that a request was refused in the way that is documented."""
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["content-type"], JSON)
        self.assertEqual(answer.headers["server"], "gows")
        body = json.loads(answer.body)
        self.assertEqual(list(body), ["error"])
        error = body["error"]
        self.assertEqual(error["code"], code)
        self.assertEqual(error.get("field"), field)
        self.assertLessEqual(error.keys(), {"code", "message", "field"})
        message: str = error["message"]
        self.assertTrue(message.endswith("."), message)
        return message
