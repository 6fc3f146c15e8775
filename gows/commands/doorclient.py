"""A client of the operators' door, for the command line."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from gows import __version__
from gows.errors import GowsError
from gows.journal import escaped

TIMEOUT: Final = 10.0
"""Seconds in which the door has to say something."""

PATIENCE: Final = 60.0
"""Seconds in which the door has to have answered."""

MAX_ANSWER: Final = 64 * 1024 * 1024
"""The most bytes of an answer."""

_NO_DOOR: Final = "is this the operators' door?"
_MAX_WHY: Final = 300
_ENDPOINT = re.compile(r"(tcp6?|ssl|unix):(.*)")
_ARGUMENT = re.compile(r"(?<!\\):")


class DoorError(GowsError):
    """
    What was asked of the door was not done.

    @ivar status: with which the command ends: 1: nothing was asked; 2: the door cannot
        be reached; 3: it refuses
    """

    def __init__(self, line: str, status: int) -> None:
        """Say why, in one line."""
        super().__init__(line)
        self.status = status


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class DoorClient:
    """
    Asks the operators' door of a running server.

    @ivar url: where that is
    """

    def __init__(self, url: str, key: str = "", timeout: float = TIMEOUT) -> None:
        """
        Ask at a place.

        @param url: http://host:port, https://..., or unix:/path
        @param key: an API key, in printable ASCII; empty: none is given
        @param timeout: seconds in which the door has to say something
        @raise ValueError: if the URL is none of these
        """
        self._timeout = timeout
        self.url = url
        self._key = key
        if url.startswith("unix:"):
            self._path = url.removeprefix("unix:").removeprefix("//")
            return
        self._path = ""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a door is http://host:port, https://..., or unix:/path")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("a door's URL ends after the port")
        self._parts = parts
        if parts.username is not None or not parts.netloc.isprintable():
            raise ValueError("a door's URL has only a host and a port")
        _ = parts.port  # may raise

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """
        Ask for something.

        @param body: what is sent as JSON; L{None}: nothing
        @return: the answer, decoded
        @raise DoorError: if there is none, or it is a refusal
        """
        with self.answer(method, path, body) as answer:
            raw = self._read(answer)
            try:
                return msgspec.json.decode(raw)
            except (msgspec.DecodeError, RecursionError):
                raise DoorError(f"{self.url} answers what is not JSON", 2) from None

    def count(self, path: str, body: object, name: str) -> int:
        """
        Have something done whose answer is a number.

        @param name: the number's
        @raise DoorError: see L{ask}
        """
        answer = self.ask("POST", path, body)
        number = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(number, int):
            raise DoorError(f"{self.url} answers something else: {_NO_DOOR}", 2)
        return number

    @contextmanager
    def answer(
        self, method: str, path: str, body: object = None
    ) -> Iterator[HTTPResponse]:
        """
        Ask for something whose answer is read by the caller, who then closes it.

        @raise DoorError: if there is none, or it is a refusal
        """
        headers = {"User-Agent": f"gows/{__version__}"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            raw = None if body is None else msgspec.json.encode(body)
        except UnicodeEncodeError:
            raise DoorError("what is given is not UTF-8", 1) from None
        connection = self._connection()
        try:
            try:
                connection.request(method, path, raw, headers)
            except UnicodeError:  # a host that cannot be looked up
                raise OSError("that is no host") from None
            answer = connection.getresponse()
            if answer.status >= 300:
                raise self._refusalOf(answer)
            yield answer
        except (OSError, HTTPException) as error:
            raise DoorError(self._unreachable(error), 2) from None
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        if self._path:
            return _UnixConnection(self._path, self._timeout)
        host, port = self._parts.hostname, self._parts.port
        assert host is not None
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return HTTPSConnection(host, port, timeout=self._timeout, context=context)
        return HTTPConnection(host, port, timeout=self._timeout)

    def _read(self, answer: HTTPResponse) -> bytes:
        """Read an answer, but neither for ever nor without end."""
        deadline = time.monotonic() + PATIENCE
        read = bytearray()
        while raw := answer.read1(65536):
            read += raw
            if len(read) > MAX_ANSWER or time.monotonic() > deadline:
                raise DoorError(f"{self.url} does not come to an end", 2)
        if answer.length:
            raise IncompleteRead(bytes(read), answer.length)
        return bytes(read)

    def _refusalOf(self, answer: HTTPResponse) -> DoorError:
        try:
            fault = msgspec.json.decode(self._read(answer))["error"]
            why = str(fault["message"])[:_MAX_WHY]
        except (msgspec.DecodeError, RecursionError, KeyError, TypeError):
            why = f"{answer.status} {answer.reason[:_MAX_WHY]}: {_NO_DOOR}"
        if answer.status == 401:
            why += " (GOWS_API_KEY, or --api-key-file)"
        return DoorError(why, 3)

    def _unreachable(self, error: Exception) -> str:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        reason = escaped(reason.strip())
        return (
            f"{self.url} cannot be reached ({reason}): does the server run, with "
            "--admin? --door says where"
        )


def urlOf(endpoint: str) -> str | None:
    """
    Say where a door is that listens at an endpoint.

    @param endpoint: as the setting admin has it
    @return: for L{DoorClient}; L{None}: that cannot be said
    """
    found = _ENDPOINT.fullmatch(endpoint)
    if found is None:
        return None
    first, *rest = (part.replace("\\:", ":") for part in _ARGUMENT.split(found[2]))
    if found[1] == "unix":
        return f"unix:{first.removeprefix('address=')}"
    named = dict(part.partition("=")[::2] for part in rest)
    host = named.get("interface", "")
    if host in ("", "0.0.0.0", "::"):
        host = "127.0.0.1" if found[1] != "tcp6" else "::1"
    host = f"[{host}]" if ":" in host else host
    scheme = "https" if found[1] == "ssl" else "http"
    return f"{scheme}://{host}:{first.removeprefix('port=')}"
