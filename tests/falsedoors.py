"""A door that is none: it answers what a test says, in bytes."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import tempfile
import threading
from typing import Self

from tests.support import TIMEOUT

OK = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n\r\n%b"


def json(body: bytes) -> bytes:
    """Answer JSON."""
    return OK % (b"application/json", body)


def events(body: bytes) -> bytes:
    """Answer events, and end."""
    return OK % (b"text/event-stream; charset=utf-8", body)


class Door:
    """
    Answers each request with the bytes that its path has, and closes.

    @ivar url: where it is
    @ivar requests: the heads of those that came
    @ivar answers: by paths, without their queries; the last of several stays. Empty:
        the connection stays open, and nothing is said
    """

    def __init__(self, answers: dict[str, list[bytes]], kind: str = "tcp") -> None:
        """Answer these; C{kind} is tcp, tcp6 or unix."""
        self.answers = answers
        self.requests: list[str] = []
        self._isOver = threading.Event()
        if kind == "unix":
            self._folder = tempfile.TemporaryDirectory()
            path = os.path.join(self._folder.name, "door")
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(path)
            self._listener.listen()
            self.url = f"unix:{path}"
            return
        host = "127.0.0.1" if kind == "tcp" else "::1"
        family = socket.AF_INET if kind == "tcp" else socket.AF_INET6
        self._listener = socket.create_server((host, 0), family=family)
        host = f"[{host}]" if kind == "tcp6" else host
        self.url = f"http://{host}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Open it."""
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._isOver.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(TIMEOUT)

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[peer], daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            peer.settimeout(TIMEOUT)
            head = b""
            while b"\r\n\r\n" not in head:
                raw = peer.recv(65536)
                if not raw:
                    return
                head += raw
            # A line that is closed with something unread is reset: no answer comes.
            size = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            body = head.partition(b"\r\n\r\n")[2]
            while size is not None and len(body) < int(size[1]):
                body += peer.recv(65536)
            self.requests.append(head.decode("latin-1"))
            path = head.split(b" ")[1].decode().partition("?")[0]
            answers = self.answers[path]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            peer.sendall(answer)
            if not answer:
                self._isOver.wait(TIMEOUT)
