"""Tests of readers that do not read, against a real server on real sockets."""

from __future__ import annotations

import json
import selectors
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from twisted.trial.unittest import SynchronousTestCase
from websockets.sync.client import ClientConnection

from tests.memory import TEXT, frame, framesOf
from tests.support import (
    TIMEOUT,
    Server,
    rawOpening,
    rawWebSocket,
    received,
    selfSigned,
    until,
    webSocket,
)

MESSAGE = "x" * 4000
BURST = 100
MIB = 1 << 20
QUICK = ("--close-timeout", "1")


class Crowd:
    """
    Many readers on plain sockets, which count what they get.

    @ivar received: how many bytes each has got
    """

    def __init__(self, peers: list[socket.socket]) -> None:
        """Read from these."""
        self.received = dict.fromkeys(peers, 0)
        self._selector = selectors.DefaultSelector()
        for peer in peers:
            peer.setblocking(False)
            self._selector.register(peer, selectors.EVENT_READ)

    def readUntil(self, size: int) -> None:
        """
        Read until each has got so many bytes in all.

        @raise AssertionError: if one gets nothing any more, or too much
        """
        while min(self.received.values()) < size:
            ready = self._selector.select(TIMEOUT)
            if not ready:
                raise AssertionError("nothing comes any more")
            for key, _ in ready:
                peer = cast(socket.socket, key.fileobj)
                part = peer.recv(1 << 16)
                if not part:
                    raise AssertionError("the line was cut")
                self.received[peer] += len(part)
        if max(self.received.values()) > size:
            raise AssertionError("somebody got too much")

    def close(self) -> None:
        """Let go of the sockets."""
        self._selector.close()
        for peer in self.received:
            peer.close()


class SlowReadersTests(SynchronousTestCase):
    """
    Some do not read what everybody is sent; those who read notice nothing.

    @ivar server: the server
    """

    def serve(self, *arguments: str, secure: bool = False) -> Server:
        """Start a server."""
        server = Server(*arguments, secure=secure)
        self.server = self.enterContext(server)
        return server

    def stall(self, name: str) -> socket.socket:
        """Connect a reader that does not read, and has little room by itself."""
        peer = rawWebSocket(self.server.port, f"specialKey={name}")
        self.addCleanup(peer.close)
        return peer

    def reader(self, name: str) -> ClientConnection:
        """Connect a reader that reads."""
        client = webSocket(
            self.server.wsUrl, f"specialKey={name}", max_queue=None, **self.tls()
        )
        return self.enterContext(client)

    def tls(self) -> dict[str, ssl.SSLContext]:
        """Answer what a client needs to know of TLS: not to check certificates."""
        if not self.server.wsUrl.startswith("wss"):
            return {}
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return {"ssl": context}

    def flood(self, readers: list[ClientConnection], count: int) -> None:
        """
        Have the first of the readers say so much, and all of them read it.

        It is said in bursts, so that no reader is behind by much: this is a test of
        others.
        """
        for _ in range(count // BURST):
            for _ in range(BURST):
                readers[0].send(MESSAGE)
            for reader in readers:
                for _ in range(BURST):
                    self.assertEqual(reader.recv(TIMEOUT), MESSAGE)

    def test_close(self) -> None:
        """Twenty that do not read are closed with 4002; three that do lose nothing."""
        self.serve(*QUICK)
        stalled = [self.stall(f"stalled{n}") for n in range(20)]
        readers = [self.reader(f"reader{n}") for n in range(3)]
        before = self.server.memory()
        self.flood(readers, 2500)  # 10 MB
        until(lambda: self.server.log().count("code sent 4002") == 20)
        grown = self.server.memory("VmHWM") - before
        self.assertLess(grown, 16 * MIB)  # they share what waits for them: 1 MiB
        for peer in stalled:
            self.assertLess(len(received(peer)), 8 * MIB)

    def test_crowd(self) -> None:
        """500 that do not read cost 50 that do nothing, and the process little."""
        self.serve(*QUICK, "--backlog-limit", str(16 * MIB))
        stalled = [self.stall(f"stalled{n}") for n in range(500)]
        crowd = Crowd([self.stall(f"reader{n}") for n in range(50)])
        self.addCleanup(crowd.close)
        before = self.server.memory()
        sender = next(iter(crowd.received))
        text = MESSAGE.encode()
        sent = frame(TEXT, text) * 10
        for burst in range(1, 101):  # 4 MB in all
            sender.send(sent)
            crowd.readUntil(burst * 10 * (len(text) + 4))
        until(lambda: self.server.log().count("code sent 4002") == len(stalled))
        self.assertLess(self.server.memory("VmHWM") - before, 32 * MIB)
        self.assertEqual(self.server.log().count("closed"), len(stalled))

    def test_told(self) -> None:
        """Who reads again in time finds whole frames, and 4002 behind them."""
        self.serve()
        peer, reader = self.stall("stalled"), self.reader("reader")
        self.flood([reader], 2500)
        peer.settimeout(TIMEOUT)
        data = b""
        while not data.endswith(b"too slow: too much was waiting to be read"):
            part = peer.recv(1 << 16)
            self.assertTrue(part, "the line was cut")
            data += part
        whole = b"\x81\x7e\x0f\xa0" + MESSAGE.encode()
        count, rest = divmod(len(data), len(whole))
        self.assertEqual(data[: count * len(whole)], whole * count)
        self.assertEqual(rest, 2 + 2 + 41)

    def test_latest(self) -> None:
        """With --slow-policy latest who comes back finds the newest message."""
        self.serve("--slow-policy", "latest")
        peer, reader = self.stall("stalled"), self.reader("reader")
        self.flood([reader], 2500)
        reader.send("the newest")
        self.assertEqual(reader.recv(TIMEOUT), "the newest")
        peer.settimeout(TIMEOUT)
        data = b""
        while not data.endswith(b"\x81\x0athe newest"):
            part = peer.recv(1 << 16)
            self.assertTrue(part, "the line was cut")
            data += part
        self.assertLess(len(data), 8 * MIB)
        peer.close()
        dropped = int(self.server.waitForLog(r"dropped ([1-9]\d*),")[1])
        self.assertGreater(dropped, 500)

    def test_missed(self) -> None:
        """Who speaks gows.v1 and reads too slowly is told how much it has missed."""
        self.serve("--slow-policy", "drop-oldest", "--slow-limit", "100000")
        peer = rawWebSocket(
            self.server.port,
            "specialKey=stalled",
            "Sec-WebSocket-Protocol: gows.v1\r\n",
        )
        self.addCleanup(peer.close)
        peer.settimeout(TIMEOUT)
        reader = self.reader("reader")
        self.flood([reader], 2500)
        reader.send("the newest")
        self.assertEqual(reader.recv(TIMEOUT), "the newest")
        data = b""
        while b"the newest" not in data:
            part = peer.recv(1 << 16)
            self.assertTrue(part, "the line was cut")
            data += part
        said = [json.loads(f.payload) for f in framesOf(data[: data.rindex(b"}") + 1])]
        heard = [one for one in said if one["type"] == "message"]
        missed = sum(one["count"] for one in said if one["type"] == "missed")
        self.assertEqual(len(heard) + missed, 2501)
        self.assertGreater(missed, 500)
        self.assertLess(len(heard), 2000)

    def test_backlogLimit(self) -> None:
        """Above --backlog-limit those go for whom the most waits."""
        self.serve("--slow-limit", "10000000", "--backlog-limit", "200000", *QUICK)
        self.stall("stalled")
        reader = self.reader("reader")
        self.flood([reader], 2500)
        self.server.waitForLog("code sent 4002")
        reader.send("I am here")
        self.assertEqual(reader.recv(TIMEOUT), "I am here")

    def test_secure(self) -> None:
        """Over TLS it is the same."""
        folder = Path(self.mktemp()).resolve()
        folder.mkdir()
        cert, key = selfSigned(folder)
        options = ("--cert", str(cert), "--key", str(key))
        self.serve(*options, *QUICK, secure=True)
        plain = socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT)
        self.addCleanup(plain.close)
        peer = self.tls()["ssl"].wrap_socket(plain)
        self.addCleanup(peer.close)
        peer.sendall(rawOpening("specialKey=stalled"))
        self.assertTrue(peer.recv(4096).startswith(b"HTTP/1.1 101 "))
        readers = [self.reader(f"reader{n}") for n in range(2)]
        self.flood(readers, 2500)
        self.server.waitForLog("code sent 4002")
        peer.settimeout(TIMEOUT)
        data = received(peer)
        whole = b"\x81\x7e\x0f\xa0" + MESSAGE.encode()
        self.assertEqual(data[: len(whole) * 10], whole * 10)

    def test_progressOfUnixSocket(self) -> None:
        """The same over a Unix socket, where the kernel does not tell so much."""
        server = Server(
            *("--listen", "unix:gows.sock", "--ping-interval", "0.3"),
            *("--ping-timeout", "0.3"),
            listens=False,
        )
        self.server = self.enterContext(server)
        slow, talker = (
            self.enterContext(self.connectUnix(n)) for n in ("slowly", "talker")
        )
        talker.sendall(frame(TEXT, b"x" * 60_000) * 8)
        until(lambda: slow.recv(1))
        for _ in range(100):  # for two seconds
            self.assertTrue(slow.recv(4000))
            time.sleep(0.02)
        self.assertNotIn("closed sl…", self.server.log())

    def connectUnix(self, name: str) -> socket.socket:
        """Connect to the server's Unix socket."""
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(TIMEOUT)
        peer.connect(str(self.server.folder / "gows.sock"))
        peer.sendall(rawOpening(f"specialKey={name}"))
        self.assertTrue(peer.recv(4096).startswith(b"HTTP/1.1 101 "))
        return peer

    def test_progress(self) -> None:
        """Who reads slowly is alive as long as it reads, though no pong comes."""
        # The ping comes once all has been said: without enough ahead of it, it would
        # arrive, and nothing but its pong would do.
        self.serve("--ping-interval", "2", "--ping-timeout", "1")
        peer, reader = self.stall("slow"), self.reader("reader")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        done = threading.Event()

        def trickle() -> int:
            count = 0
            while not done.wait(0.03):
                count += len(peer.recv(4096))
            return count

        with ThreadPoolExecutor(1) as threads:
            trickling = threads.submit(trickle)
            try:
                self.flood([reader], 200)
                self.assertFalse(done.wait(4))
                self.assertNotIn("closed", self.server.log())
            finally:
                done.set()
            self.assertLess(trickling.result(TIMEOUT), 800_000)
        self.server.waitForLog("closed s…")
