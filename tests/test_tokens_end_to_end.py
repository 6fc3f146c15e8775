"""Tokens, rooms and gows.v1 in a real server, with clients of other libraries."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.support import FOREGROUND, TIMEOUT, Server, run, untilClosed
from tests.tokens import encrypted, privateJwk, privateKey, publicJwk, publicPem

V1 = [Subprotocol("gows.v1")]


def token(algorithm: str = "EdDSA", kid: str = "", **claims: Any) -> str:
    """Make a token with PyJWT."""
    whole = {"sub": "alice", "exp": time.time() + 60, **claims}
    headers = {"kid": kid} if kid else None
    return jwt.encode(whole, privateKey(algorithm), algorithm, headers=headers)


class TokensCase(SynchronousTestCase):
    """
    Tests against servers with a token key.

    @ivar server: the last one that was started
    """

    def serve(self, key: object, *arguments: str) -> Server:
        """Start a server whose token key is a JWK, a JWKS, or PEM."""
        folder = Path(self.mktemp()).resolve()
        folder.mkdir()
        self.keyFile = folder / "key"
        self.write(key)
        server = Server("--token-key", str(self.keyFile), *arguments)
        self.server = self.enterContext(server)
        return self.server

    def write(self, key: object) -> None:
        """Write the server's key anew, as operators do: beside it, then moved."""
        content = key if isinstance(key, bytes) else json.dumps(key).encode()
        new = self.keyFile.with_suffix(".new")
        new.write_bytes(content)
        os.replace(new, self.keyFile)

    def connect(self, query: str = "", **options: Any) -> ClientConnection:
        """Connect a client."""
        url = f"{self.server.wsUrl}?{query}"
        options.setdefault("open_timeout", TIMEOUT)
        client: ClientConnection = connect(url, proxy=None, **options)
        return self.enterContext(client)

    def refused(self, query: str = "", **options: Any) -> tuple[int, str]:
        """Assert that an opening is refused, and answer how."""
        error = self.assertRaises(InvalidStatus, self.connect, query, **options)
        body: bytes = error.response.body
        return error.response.status_code, body.decode()

    def talk(self, **claims: Any) -> ClientConnection:
        """Connect somebody who speaks gows.v1, and read the welcome."""
        made = token(**claims)
        client = self.connect(
            subprotocols=V1, additional_headers={"Authorization": f"Bearer {made}"}
        )
        self.assertEqual(json.loads(client.recv(TIMEOUT))["type"], "welcome")
        return client


def ask(client: ClientConnection, **fields: Any) -> Any:
    """Send a request, and read what comes next."""
    client.send(json.dumps(fields))
    return json.loads(client.recv(TIMEOUT))


class AlgorithmsTests(TokensCase):
    """Tokens of another library are let in, for each kind of key."""

    def keys(self) -> Iterator[tuple[str, object]]:
        """Answer keys, as operators have them."""
        yield "HS256", privateJwk("HS256")
        for algorithm in ("RS256", "ES256", "EdDSA"):
            yield algorithm, publicPem(privateKey(algorithm))
        yield "EdDSA", publicJwk("EdDSA")

    def test_signed(self) -> None:
        """HS256, RS256, ES256 and EdDSA."""
        for algorithm, key in self.keys():
            self.serve(key)
            client = self.connect(f"token={token(algorithm)}")
            client.send("hi")
            self.assertEqual(client.recv(TIMEOUT), "hi")
            self.assertEqual(self.refused(f"token={token(algorithm)}x")[0], 401)
            self.assertEqual(self.refused("specialKey=alice")[0], 401)
            client.close()

    def test_encrypted(self) -> None:
        """The encrypted URL: nobody on the way learns what it says."""
        self.serve(privateJwk("dir"))
        claims = json.dumps({"sub": "alice", "exp": time.time() + 60}).encode()
        header = {"alg": "dir", "enc": "A256GCM"}
        sealed = encrypted(claims, header, privateKey("dir"))
        client = self.connect(f"token={sealed}")
        client.send("hi")
        self.assertEqual(client.recv(TIMEOUT), "hi")

    def test_wrongAlgorithm(self) -> None:
        """A public key is no secret: what is signed with it is refused."""
        pem = publicPem(privateKey("RS256"))
        self.serve(pem)
        status, text = self.refused(f"token={token('HS256')}")
        self.assertEqual(status, 401)
        self.assertIn("algorithm", text)


class RotationTests(TokensCase):
    """Keys can be changed while the server runs."""

    def test_rotation(self) -> None:
        """Old and new side by side, then the new one; a broken file does nothing."""
        old, new = privateJwk("HS256", kid="old"), publicJwk("EdDSA", kid="new")
        server = self.serve(old)
        self.connect(f"token={token('HS256', 'old')}")
        self.assertEqual(self.refused(f"token={token('EdDSA', 'new')}")[0], 401)
        self.write({"keys": [old, new]})
        server.send(signal.SIGHUP)
        server.waitForLog(r"keys of tokens read .*: 2")
        for made in (token("HS256", "old"), token("EdDSA", "new")):
            self.connect(f"token={made}&specialKey=alice")
        self.assertIn("must name its key", self.refused(f"token={token()}")[1])
        self.write(b"{broken")
        server.send(signal.SIGHUP)
        server.waitForLog("the old ones stay")
        self.connect(f"token={token('HS256', 'old')}")
        self.write(new)
        server.send(signal.SIGHUP)
        server.waitForLog(
            r"keys of tokens read .*: 1\n(.*\n)+.*keys of tokens read .*: 1"
        )
        self.assertEqual(self.refused(f"token={token('HS256', 'old')}")[0], 401)

    def test_brokenAtTheStart(self) -> None:
        """A server whose key is no good does not start, and says why in one line."""
        folder = Path(self.mktemp()).resolve()
        folder.mkdir()
        broken = {"a": b"{", "b": b'{"kty":"oct","k":"c2hvcnQ"}', "missing": None}
        for name, content in broken.items():
            if content is not None:
                (folder / name).write_bytes(content)
        commands = [
            (*FOREGROUND, "gows", "--port", "0", "--token-key", str(folder / name))
            for name in broken
        ]
        for name, ended in zip(broken, run(*commands, folder=folder), strict=True):
            self.assertEqual(ended.status, 1)
            [line] = [x for x in ended.err.splitlines() if x.startswith("gows: ")]
            self.assertIn(str(folder / name), line)
            self.assertNotIn("Traceback", ended.err + ended.out)
            self.assertNotIn("c2hvcnQ", ended.err + ended.out)


class TalkTests(TokensCase):
    """People with tokens talk in rooms and to one another."""

    def setUp(self) -> None:
        """Start a server."""
        self.serve(publicPem(privateKey("EdDSA")), "--token-audience", "gows")

    def test_rooms(self) -> None:
        """In a room, to a person, where it is allowed, and where it is not."""
        rooms = {"lobby": "rw", "news-*": "r"}
        alice = self.talk(rooms=rooms, direct=True, aud="gows")
        bob = self.talk(sub="bob", rooms=rooms, aud=["x", "gows"])
        for client in (alice, bob):
            ack = ask(client, type="join", room="lobby", id=1)
            self.assertEqual(ack, {"type": "ack", "id": 1})
        alice.send(
            json.dumps({"type": "publish", "to": {"room": "lobby"}, "data": {"a": 1}})
        )
        for client in (alice, bob):
            message = json.loads(client.recv(TIMEOUT))
            self.assertEqual(message["data"], {"a": 1})
            self.assertEqual((message["from"], message["room"]), ("alice", "lobby"))
        ask(alice, type="publish", to={"key": "bob"}, data="psst", id=2)
        self.assertEqual(json.loads(bob.recv(TIMEOUT))["key"], "bob")
        for request, code in (
            ({"type": "publish", "to": {"key": "alice"}, "data": 1}, "forbidden"),
            ({"type": "publish", "to": {"room": "news-1"}, "data": 1}, "forbidden"),
            ({"type": "join", "room": "other"}, "forbidden"),
            ({"type": "nonsense"}, "unknown_type"),
        ):
            self.assertEqual(ask(bob, **request)["code"], code)

    def test_audience(self) -> None:
        """A token for another server is refused."""
        self.assertIn("audience", self.refused(f"token={token(aud='other')}")[1])

    def test_expiry(self) -> None:
        """A token's end is the connection's; with a new one it goes on."""
        self.serve(publicPem(privateKey("EdDSA")), "--token-leeway", "0")
        alice = self.talk(exp=time.time() + 2)
        raw = self.connect(f"token={token(sub='raw', exp=time.time() + 2)}")
        ack = ask(alice, type="refresh", token=token(), id=1)
        self.assertEqual(ack["type"], "ack")
        self.assertEqual(untilClosed(raw).code, 4003)
        self.assertEqual(ask(alice, type="leave", room="x", id=2)["type"], "ack")

    def test_browsersWay(self) -> None:
        """A token among the subprotocols, as browsers can; it is not echoed."""
        made = token(aud="gows")
        offered = [Subprotocol(f"gows.token.{made}"), *V1]
        client = self.connect(subprotocols=offered)
        self.assertEqual(client.subprotocol, "gows.v1")
        self.assertEqual(json.loads(client.recv(TIMEOUT))["key"], "alice")

    def test_log(self) -> None:
        """No token is in the log, whatever happened."""
        made = token(aud="gows")
        self.connect(f"token={made}").close()
        self.refused(f"token={made}x")
        self.server.waitForLog("refused")
        log = self.server.log()
        for part in made.split("."):
            self.assertNotIn(part, log)


class WithoutTokensTests(SynchronousTestCase):
    """A server without a token key says so at its start."""

    def test_quiet(self) -> None:
        """On loopback it is a line among others, elsewhere a warning."""
        with Server() as server:
            server.waitForLog(r"info\] no tokens are asked for")
        with Server("--interface", "0.0.0.0") as server:
            server.waitForLog(r"warn\] NO TOKENS ARE ASKED FOR")
