"""A real server, and clients that know nothing of it but its URL."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import os
import socket
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.typing import Origin

from tests.support import (
    TIMEOUT,
    Server,
    rawOpening,
    rawWebSocket,
    received,
    until,
    untilClosed,
    webSocket,
)

MIB = 1 << 20

BOMB = 10 << 30
"""How much the bomb inflates to: 10 GiB."""


def gzipBomb() -> bytes:
    """
    Compress a lot of zeros, to about 10 MB.

    After a full flush the same zeros compress to the same bytes: one piece is
    compressed, and repeated. Only the checksum at the end is missing, which nobody
    reads who does not hold all that is before it.
    """
    piece = 16 * MIB
    deflater = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    zeros = bytes(piece)
    head = deflater.compress(zeros) + deflater.flush(zlib.Z_FULL_FLUSH)
    again = deflater.compress(zeros) + deflater.flush(zlib.Z_FULL_FLUSH)
    return head + again * (BOMB // piece - 1)


class ServerCase(SynchronousTestCase):
    """Tests with servers and clients that end with them."""

    def serve(self, *arguments: str) -> Server:
        """Run a server until the test is over."""
        return self.enterContext(Server(*arguments))

    def join(self, server: Server, query: str, **options: Any) -> ClientConnection:
        """Open a WebSocket."""
        client = webSocket(server.wsUrl, query, **options)
        return self.enterContext(client)

    def dial(self, server: Server) -> socket.socket:
        """Connect, without a word."""
        peer = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
        self.addCleanup(peer.close)
        return peer

    def get(
        self, server: Server, target: str, method: str = "GET", **headers: str
    ) -> tuple[http.client.HTTPResponse, str]:
        """Send a plain request; answer the response, and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, TIMEOUT)
        self.addCleanup(connection.close)
        connection.request(method, target, headers=headers)
        response = connection.getresponse()
        return response, response.read().decode()

    def next(self, client: ClientConnection) -> str | bytes:
        """Receive the next message."""
        return client.recv(timeout=TIMEOUT)


class ChatTests(ServerCase):
    """What clients say to each other."""

    def test_text(self) -> None:
        """
        Everybody hears everything, the sender included, in one order.

        Who asked for gzip gets the same text as one gzip member in a binary
        message, and may send such messages too.
        """
        server = self.serve()
        alice = self.join(server, "specialKey=alice")
        bob = self.join(server, "specialKey=bob&support_gzip=1")
        carol = self.join(server, "specialKey=carol", compression="deflate")
        alice.send("hello, wörld ✓")
        self.assertEqual(self.next(alice), "hello, wörld ✓")
        bob.send(gzip.compress("grüße, gezippt".encode()))
        self.assertEqual(self.next(alice), "grüße, gezippt")
        carol.send("deflated " * 100)
        alice.send("")

        expected = ["hello, wörld ✓", "grüße, gezippt", "deflated " * 100, ""]
        self.assertEqual([self.next(carol) for _ in expected], expected)
        got = [self.next(bob) for _ in expected]
        self.assertEqual(
            [gzip.decompress(each).decode() for each in got if isinstance(each, bytes)],
            expected,
        )
        self.assertEqual([self.next(alice), self.next(alice)], expected[2:])

    def test_takeover(self) -> None:
        """
        A new connection of a live key replaces the old one, which is told why.

        The same key with gzip is another one. Messages reach the new one alone,
        also after the old one is gone.
        """
        server = self.serve()
        first = self.join(server, "specialKey=a:b")
        other = self.join(server, "specialKey=a:b&support_gzip=1")
        second = self.join(server, "specialKey=a%3Ab")

        self.assertEqual(
            untilClosed(first),
            ([], 4001, "replaced by a newer connection of this key"),
        )
        server.waitForLog("code sent 4001, received 4001")
        second.send("still here")
        self.assertEqual(self.next(second), "still here")
        self.assertEqual(self.next(other), gzip.compress(b"still here", 6, mtime=0))

    def test_refusedMessages(self) -> None:
        """What is not acceptable closes its sender's connection with a code."""
        server = self.serve("--max-message-size", "1000")
        for message, code in (
            ("x" * 1001, 1009),
            (b"not gzip", 1007),
            (gzip.compress(b"truncated")[:-1], 1007),
            (gzip.compress(b"once") + gzip.compress(b"twice"), 1007),
            (gzip.compress(b"\xff\xfe"), 1007),
            (gzip.compress(bytes(1001)), 1009),
        ):
            client = self.join(server, "specialKey=alice")
            client.send(message)
            farewell = untilClosed(client)
            self.assertEqual((farewell.messages, farewell.code), ([], code))
        witness = self.join(server, "specialKey=bob")
        witness.send("x" * 1000)
        self.assertEqual(self.next(witness), "x" * 1000)
        self.assertNotIn("Traceback", server.log())

    def test_applicationsBinary(self) -> None:
        """With --binary relay binary messages pass as they are; refuse closes."""
        relaying, refusing = self.serve("--binary=relay"), self.serve("--binary=refuse")
        alice = self.join(relaying, "specialKey=alice&support_gzip=1")
        alice.send(b"\x00\xff")
        self.assertEqual(self.next(alice), b"\x00\xff")
        bob = self.join(refusing, "specialKey=bob")
        bob.send(b"\x00\xff")
        self.assertEqual(untilClosed(bob).code, 1003)


class RefusalTests(ServerCase):
    """Openings that are refused, and what /check says of them."""

    def test_halfClosed(self) -> None:
        """Who says at once that nothing more will come is answered as others are."""
        server = self.serve()
        for path, status in (("/nope", 404), ("/healthz", 200), ("/check", 400)):
            for _ in range(5):
                peer = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
                with peer:
                    peer.sendall(f"GET {path} HTTP/1.1\r\n\r\n".encode())
                    peer.shutdown(socket.SHUT_WR)
                    answer = received(peer)
                self.assertRegex(answer, f"^HTTP/1.1 {status} ".encode())

    def refusal(
        self, server: Server, query: str, origin: str | None = None
    ) -> tuple[int, str]:
        """Answer the status and text that an opening gets; /check's are the same."""
        try:
            webSocket(
                server.wsUrl, query, origin=None if origin is None else Origin(origin)
            ).close()
        except InvalidStatus as refused:
            response = refused.response
        else:
            self.fail("the opening was not refused")
        headers = {} if origin is None else {"Origin": origin}
        checked, text = self.get(server, f"/check?{query}", **headers)
        body = (response.body or b"").decode()
        self.assertEqual((checked.status, text), (response.status_code, body))
        for name in ("Retry-After", "Content-Length", "Content-Type"):
            self.assertEqual(checked.headers[name], response.headers.get(name))
        self.assertEqual(response.headers["Content-Length"], str(len(body)))
        self.assertRegex(body, r"\A[^\n]+\n\Z")
        return response.status_code, body

    def test_refused(self) -> None:
        """Each has a status, and a line that helps and repeats nothing of it."""
        server = self.serve("--origin", "https://app.example")
        for query, expected in (
            ("", "specialKey is missing"),
            ("specialKey=", "specialKey is missing"),
            ("specialKey=" + "x" * 129, "specialKey is too long"),
            ("specialKey=a%0Ab", "control characters"),
            ("specialKey=alice&support_gzip=yes", "support_gzip must be"),
            ("specialKey=alice&specialKey=bob", "more than once"),
            ("specialKey=%zz", "percent-encoding is broken"),
            ("specialKey=%ff", "must be UTF-8"),
        ):
            status, text = self.refusal(server, query)
            self.assertEqual(status, 400, query)
            self.assertIn(expected, text)
            self.assertNotIn("xxx", text)
        for origin in ("https://evil.example", "null"):
            status, text = self.refusal(server, "specialKey=alice", origin)
            self.assertEqual(status, 403)
            self.assertNotIn("evil", text)

        fine = "https://app.example"
        self.join(server, "specialKey=alice", origin=fine)
        self.join(server, "specialKey=bob")
        checked, text = self.get(server, "/check?specialKey=alice", Origin=fine)
        self.assertEqual((checked.status, text), (200, "This opening would succeed.\n"))

    def test_full(self) -> None:
        """A full server says when to try again; a takeover is let in all the same."""
        server = self.serve("--max-connections", "1")
        first = self.join(server, "specialKey=alice")
        status, text = self.refusal(server, "specialKey=bob")
        self.assertEqual((status, "full" in text), (503, True))

        self.join(server, "specialKey=alice")
        self.assertEqual(untilClosed(first).code, 4001)

    def test_duplicate(self) -> None:
        """With --duplicate refuse who is there stays, and the other gets 409."""
        server = self.serve("--duplicate", "refuse", "--anonymous")
        alice = self.join(server, "specialKey=alice")
        self.assertEqual(self.refusal(server, "specialKey=alice")[0], 409)
        for _ in range(2):
            self.join(server, "")
        alice.send("still here")
        self.assertEqual(self.next(alice), "still here")


class AddressTests(ServerCase):
    """What one address may do is limited, where that is set."""

    def refused(self, server: Server, query: str, **headers: str) -> int:
        """Assert that an opening gets 429, and answer after how long to come back."""
        with self.assertRaises(InvalidStatus) as caught:
            webSocket(server.wsUrl, query, additional_headers=headers)
        response = caught.exception.response
        self.assertEqual(response.status_code, 429)
        return int(response.headers["Retry-After"])

    def test_connections(self) -> None:
        """So many connections; one that is gone makes room, cut or closed."""
        server = self.serve("--max-per-address", "2")
        clients = [webSocket(server.wsUrl, f"specialKey={n}") for n in "ab"]
        self.assertGreater(self.refused(server, "specialKey=c"), 0)
        with webSocket(server.wsUrl, "specialKey=a"):  # a takeover
            pass
        clients[1].close()
        for name in "cd":
            until(lambda: server.log().count("closed") >= 3)
            self.enterContext(webSocket(server.wsUrl, f"specialKey={name}"))
        self.refused(server, "specialKey=e")

    def test_rate(self) -> None:
        """So many openings; others behind a trusted proxy have their own count."""
        server = self.serve("--open-rate", "0.1", "--trusted-proxy", "127.0.0.0/8")
        me, other = ({"X-Forwarded-For": f"203.0.113.{n}"} for n in (1, 2))
        webSocket(server.wsUrl, additional_headers=me).close()
        self.assertIn(self.refused(server, "specialKey=a", **me), range(5, 11))
        webSocket(server.wsUrl, additional_headers=other).close()
        for _ in range(5):  # the proxy itself
            webSocket(server.wsUrl).close()


class PlainTests(ServerCase):
    """Plain HTTP, with a client that would like to keep its connection."""

    def test_plain(self) -> None:
        """Each answer is complete, and is the last one on its connection."""
        server = self.serve()
        for method, target, status, expected in (
            ("GET", "/", 200, "<!doctype html>"),
            ("GET", "/healthz", 200, "ok\n"),
            ("GET", "/check?specialKey=a", 200, "This opening would succeed.\n"),
            ("GET", "/check", 400, "specialKey is missing"),
            ("GET", "/nothing", 404, "There is nothing here"),
            ("GET", "/../../etc/passwd", 404, "There is nothing here"),
            ("POST", "/", 405, "Only GET and HEAD"),
            ("DELETE", "/healthz", 405, "Only GET and HEAD"),
        ):
            response, body = self.get(server, target, method, Connection="keep-alive")
            self.assertEqual(response.status, status, target)
            self.assertTrue(body.lower().startswith(expected.lower()), body)
            self.assertEqual(response.headers["Connection"], "close")
            self.assertEqual(
                response.headers["Content-Length"], str(len(body.encode()))
            )

    def test_head(self) -> None:
        """HEAD is answered as GET, without the body."""
        server = self.serve()
        for target in ("/", "/healthz", "/check?specialKey=a", "/nothing"):
            full, body = self.get(server, target)
            head, nothing = self.get(server, target, "HEAD")
            self.assertEqual((head.status, nothing), (full.status, ""))
            self.assertEqual(head.headers["Content-Length"], str(len(body.encode())))

    def test_noSecondRequest(self) -> None:
        """A second request on the same connection is not answered."""
        server = self.serve()
        peer = self.dial(server)
        peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 2)

        self.assertEqual(received(peer).count(b"HTTP/1.1 "), 1)

    def test_hugeHead(self) -> None:
        """A request head over 16 KiB gets 431; a little under it passes."""
        server = self.serve()
        response, _ = self.get(server, "/healthz", Cookie="x" * 16000)
        self.assertEqual(response.status, 200)
        response, _ = self.get(server, "/healthz", Cookie="x" * 17000)
        self.assertEqual(response.status, 431)


class BurstTests(ServerCase):
    """Those who read keep up, whatever several senders say at once."""

    def test_burst(self) -> None:
        """Four senders at full speed: everybody who reads receives everything."""
        size, count, senders = 60_000, 25, 4

        def readAll(key: str) -> int:
            received = 0
            with webSocket(server.wsUrl, f"specialKey={key}") as reader:
                ready.release()
                while received < senders * count:
                    received += len(reader.recv(TIMEOUT)) == size
            return received

        def sendAll(number: int) -> int:
            with webSocket(server.wsUrl, f"specialKey=s{number}") as sender:
                for _ in range(count):
                    sender.send("x" * size)
                received = 0
                while received < count and sender.recv(TIMEOUT):
                    received += 1
            return received

        ready = threading.Semaphore(0)
        # Room for all of it: how fast these readers are is not what is tested.
        server = self.serve("--slow-limit", str(size * count * senders))
        with ThreadPoolExecutor(senders + 2) as threads:
            readers = [threads.submit(readAll, f"reader{n}") for n in range(2)]
            for _ in readers:
                self.assertTrue(ready.acquire(timeout=TIMEOUT))
            sent = [threads.submit(sendAll, number) for number in range(senders)]
            for reader in readers:
                self.assertEqual(reader.result(TIMEOUT * 3), senders * count)
            for sender in sent:
                self.assertEqual(sender.result(TIMEOUT), count)
        self.assertNotIn("4002", server.log())


class HostilityTests(ServerCase):
    """Clients that mean harm, or have bad luck."""

    def test_bomb(self) -> None:
        """
        10 GiB in a gzip message close the connection with 1009.

        No more than the limit is held of it, be that the default or large.
        """
        bomb = gzipBomb()
        self.assertGreater(len(bomb), 9 * MIB)
        inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self.assertEqual(inflater.decompress(bomb, 20 * MIB), bytes(20 * MIB))
        for limit, bound in ((65536, 32 * MIB), (64 * MIB, 320 * MIB)):
            server = self.serve("--max-message-size", str(limit))
            alice = self.join(server, "specialKey=alice")
            bob = self.join(server, "specialKey=bob")
            before = server.memory()
            with contextlib.suppress(ConnectionClosed):  # it waits for less than all
                alice.send(bomb)
            self.assertEqual(untilClosed(alice).code, 1009)

            self.assertLess(server.memory("VmHWM") - before, bound)
            bob.send("still here")
            self.assertEqual(self.next(bob), "still here")

    def test_smallBomb(self) -> None:
        """A message within the frame's limit that inflates over it is 1009 too."""
        server = self.serve()
        alice = self.join(server, "specialKey=alice")
        before = server.memory()
        alice.send(gzip.compress(bytes(32 * MIB)))

        self.assertEqual(untilClosed(alice).code, 1009)
        self.assertLess(server.memory("VmHWM") - before, 8 * MIB)

    def test_stalled(self) -> None:
        """
        Who does not complete an opening, or is silently gone, is dropped.

        The others are not disturbed, and none of those stays in the registry.
        """
        server = self.serve(
            *("--handshake-timeout", "1", "--close-timeout", "1"),
            *("--ping-interval", "0.5", "--ping-timeout", "2"),
        )
        alice = self.join(server, "specialKey=alice")
        stalled = [self.dial(server) for _ in range(3)]
        stalled[1].sendall(b"GET /?specialKey=slow")
        stalled[2].sendall(rawOpening("specialKey=slow")[:-2])
        with rawWebSocket(server.port, "specialKey=gone") as gone:
            for peer in stalled:
                self.assertEqual(received(peer), b"")
            self.assertTrue(received(gone).startswith(b"\x89"), "it was pinged")
        server.waitForLog("closed g….* received -, ")
        self.assertEqual(server.log().count("no opening in time"), 3)
        alice.send("still here")
        self.assertEqual(self.next(alice), "still here")
        self.assertNotIn("closed al", server.log())

    def test_patience(self) -> None:
        """Nobody is dropped, or pinged, before the time that was set is over."""
        server = self.serve(
            *("--handshake-timeout", "0.5", "--close-timeout", "0.6"),
            *("--ping-interval", "0.7", "--ping-timeout", "0.8"),
        )
        began = time.monotonic()
        stalled = self.dial(server)
        stalled.sendall(rawOpening()[:-2])
        self.assertEqual(received(stalled), b"")
        self.assertGreaterEqual(time.monotonic() - began, 0.5, "handshake-timeout")

        began = time.monotonic()
        with rawWebSocket(server.port) as silent:
            self.assertEqual(silent.recv(1), b"\x89")
            self.assertGreaterEqual(time.monotonic() - began, 0.7, "ping-interval")
            received(silent)
            self.assertGreaterEqual(time.monotonic() - began, 1.5, "ping-timeout")

        with rawWebSocket(server.port) as replaced:
            began = time.monotonic()
            with rawWebSocket(server.port):
                received(replaced)
            self.assertGreaterEqual(time.monotonic() - began, 0.6, "close-timeout")

    def test_dribble(self) -> None:
        """An opening that arrives byte by byte is an opening."""
        server = self.serve()
        peer = self.dial(server)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in rawOpening():
            peer.sendall(bytes([number]))

        self.assertTrue(peer.recv(100).startswith(b"HTTP/1.1 101 "))

    def test_comingAndGoing(self) -> None:
        """
        After 1,000 hasty visitors only those are there who stayed.

        Some leave in order, some are cut, some before they have their answer;
        keys are used again and again. A broadcast reaches each who stayed, once.
        """
        server = self.serve("--max-connections", "100")
        stayed = [self.join(server, f"specialKey=stayed{n}") for n in range(5)]
        for number in range(1000):
            query = f"specialKey=hasty{number % 7}"
            with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as peer:
                peer.sendall(rawOpening(query))
                if number % 3:
                    self.assertTrue(peer.recv(1000).startswith(b"HTTP/1.1 101 "))
                if number % 3 == 1:
                    peer.sendall(b"\x88\x80" + bytes(4))
                    peer.shutdown(socket.SHUT_WR)
        server.waitForLog("opened ha")
        until(
            lambda: server.log().count("closed ha") == server.log().count("opened ha")
        )
        last = self.join(server, "specialKey=last")
        server.waitForLog(r"opened l….*, 6 open$")

        last.send("who is here?")
        last.send("nobody else?")
        for client in (*stayed, last):
            self.assertEqual(self.next(client), "who is here?")
            self.assertEqual(self.next(client), "nobody else?")
        last.close()
        server.waitForLog(r"closed l….*, messages in 2, out 2, dropped 0, ignored 0$")
        self.assertNotIn("Traceback", server.log())

    def test_slowReader(self) -> None:
        """
        Who does not read costs the others nothing, and is dropped.

        What waits for it is bounded; the others get every message.
        """
        server = self.serve("--close-timeout", "0.5")
        alice = self.join(server, "specialKey=alice")
        before = server.memory()
        with rawWebSocket(server.port, "specialKey=slow"):
            text = os.urandom(30000).hex()
            deadline = time.monotonic() + TIMEOUT
            while "closed s" not in server.log():
                self.assertLess(time.monotonic(), deadline, "the slow one is there")
                alice.send(text)
                self.assertEqual(self.next(alice), text)
        server.waitForLog(r"closed s….*, code sent 4002, received -, ")
        self.assertLess(server.memory() - before, 16 * MIB)
