"""``gows chat``: talks from a terminal."""

from __future__ import annotations

import getpass
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from twisted.python import usage

from gows.chat.audience import EVERYONE, isName
from gows.commands.command import Command
from gows.commands.doorclient import TIMEOUT, DoorError
from gows.commands.talk import Quit, Talk
from gows.journal import escaped
from gows.sources import TOKEN_VARIABLE

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_DEFAULT_URL: Final = "ws://127.0.0.1:8888/"
_SCHEMES: Final = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


class ChatCommand(Command):
    """Talks from a terminal, in gows.v1."""

    synopsis = "[URL]"
    longdesc = (
        f"Connects to a server [{_DEFAULT_URL}], shows what is said, and says what is "
        "typed, or what comes from standard input. /help shows the commands. The token "
        "is that of --token, or of the environment (GOWS_TOKEN). Ends with 2 if the "
        "server cannot be reached, with 3 if it refuses or closes."
    )
    optParameters: ClassVar[list[Any]] = [
        ["name", None, None, "Who you are, without a token [your login]"],
        ["token", None, None, "A token [GOWS_TOKEN]"],
        ["room", None, EVERYONE, "The room where you write"],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """Take the URL."""
        if len(arguments) > 1:
            raise usage.UsageError(f"{self.name} takes one URL")
        self._url = arguments[0] if arguments else _DEFAULT_URL

    def postOptions(self) -> None:
        """Check the room."""
        room = self["room"].removeprefix("#")
        if room != EVERYONE and not isName(room):
            raise usage.UsageError("--room is no name of a room")
        self["room"] = room

    def run(self) -> None:
        """
        Talk until it ends.

        @raise usage.UsageError: if the URL is none
        @raise DoorError: if there is no connection, or it is closed from there
        """
        try:
            from websockets.sync.client import connect
        except ImportError:
            raise usage.UsageError(
                f"{self.name} needs what pip install 'gows[cli]' installs"
            ) from None
        token = self["token"] or os.environ.get(TOKEN_VARIABLE, "")
        protocols: list[Any] = ["gows.v1"]
        if token:
            protocols.append(f"gows.token.{token.strip()}")
        url = self._fullUrl(bool(token))
        talk = Talk(self["room"])
        try:
            with connect(
                url,
                subprotocols=protocols,
                open_timeout=TIMEOUT,
                max_size=None,
                proxy=None,
            ) as connection:
                self._talk(talk, connection)
        except DoorError:
            raise
        except Exception as error:
            raise _errorOf(error, urlsplit(url).netloc) from None

    def _fullUrl(self, hasToken: bool) -> str:
        text = self._url if "://" in self._url else f"ws://{self._url}"
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError:
            raise usage.UsageError("the URL is none") from None
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None or not parts.hostname:
            raise usage.UsageError("the URL must be such as ws://host:port/")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if not hasToken and not {"specialKey", "token", "ticket"} & set(query):
            query["specialKey"] = self["name"] or getpass.getuser()
        return urlunsplit(
            (scheme, parts.netloc, parts.path or "/", urlencode(query), "")
        )

    def _talk(self, talk: Talk, connection: ClientConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        show, lines = _terminal(talk)
        over = threading.Event()
        ends: list[BaseException] = []

        def hear() -> None:
            try:
                for text in connection:
                    if line := talk.came(text):
                        show(line)
            except ConnectionClosed as closed:
                ends.append(closed)
            over.set()

        hearing = threading.Thread(target=hear, daemon=True)
        hearing.start()
        try:
            if first := talk.begin():
                connection.send(first)
            for line in lines:
                request, shown = talk.typed(line)
                if shown:
                    show(shown)
                if request:
                    connection.send(request)
                if over.is_set():
                    break
            while talk.isWaiting and not over.wait(0.02):
                pass
        except Quit:
            pass
        except ConnectionClosed as closed:
            ends.append(closed)
        connection.close()
        hearing.join(TIMEOUT)
        if (bad := _badEnd(ends)) is not None:
            raise bad


def _terminal(talk: Talk) -> tuple[Any, Iterator[str]]:
    """Find out how lines are shown, and where they come from."""
    if not sys.stdin.isatty():
        return lambda line: print(line, flush=True), (line for line in sys.stdin)
    from prompt_toolkit import PromptSession
    from prompt_toolkit.patch_stdout import patch_stdout

    session: PromptSession[str] = PromptSession()

    def typed() -> Iterator[str]:
        context: AbstractContextManager[None] = patch_stdout() or nullcontext()
        with context:
            while True:
                try:
                    yield session.prompt(lambda: talk.prompt)
                except (EOFError, KeyboardInterrupt):
                    return

    return print, typed()


def _badEnd(ends: list[BaseException]) -> DoorError | None:
    for end in ends:
        received = getattr(end, "rcvd", None)
        if received is None:
            return DoorError("the connection is lost", 2)
        if received.code != 1000:
            why = escaped(received.reason) or "no reason given"
            return DoorError(f"the server closed with {received.code}: {why}", 3)
    return None


def _errorOf(error: Exception, place: str) -> DoorError:
    response = getattr(error, "response", None)
    if response is not None:
        text = (response.body or b"").decode("utf-8", "replace").strip()
        return DoorError(
            f"{place} refuses with {response.status_code}: {escaped(text[:200])}", 3
        )
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return DoorError(f"{place} cannot be reached: {escaped(reason)}", 2)
