"""``gows chat``: talks from a terminal."""

from __future__ import annotations

import getpass
import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from twisted.python import usage

from gows.chat.audience import EVERYONE, isName
from gows.commands.chatlines import Lines, linesOf
from gows.commands.command import Command
from gows.commands.doorclient import TIMEOUT, DoorError
from gows.commands.talk import Quit, Talk
from gows.journal import escaped
from gows.sources import TOKEN_VARIABLE

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_DEFAULT_URL: Final = "ws://127.0.0.1:8888/"
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+-]*")
_SCHEMES: Final = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


class ChatCommand(Command):
    """Talks from a terminal, in gows.v1."""

    synopsis = "[URL]"
    longdesc = (
        f"Connects to a server [{_DEFAULT_URL}], shows what is said, and says what is "
        "typed, or what comes from standard input. /help shows the commands. The token "
        "is that of the environment (GOWS_TOKEN), or of --token, where others on this "
        "machine can see it. Ends with 2 if the server cannot be reached, with 3 if it "
        "refuses or closes."
    )
    optParameters: ClassVar[list[Any]] = [
        ["name", None, None, "Who you are, without a token [your login]"],
        ["token", None, None, "A token; better in GOWS_TOKEN"],
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
        token = self._token()
        protocols: list[Any] = ["gows.v1"]
        if token:
            protocols.append(f"gows.token.{token}")
        url = self._fullUrl(bool(token))
        place = urlsplit(url).netloc
        talk = Talk(self["room"])
        lines = linesOf(lambda: talk.prompt)
        try:
            connection = connect(
                url,
                subprotocols=protocols,
                open_timeout=TIMEOUT,
                max_size=None,
                proxy=None,
            )
        except Exception as error:
            raise _errorOf(error, place) from None
        with connection:
            if connection.subprotocol != "gows.v1":
                raise DoorError(f"{place} does not speak gows.v1", 3)
            self._talk(talk, lines, connection)

    def _token(self) -> str:
        token = (self["token"] or os.environ.get(TOKEN_VARIABLE, "")).strip()
        if not _TOKEN.fullmatch(token):
            raise usage.UsageError("what is given as a token is none")
        return token

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
            query["specialKey"] = self._name()
        try:
            text = urlencode(query)
        except UnicodeEncodeError:
            raise usage.UsageError("the name is not UTF-8") from None
        return urlunsplit((scheme, parts.netloc, parts.path or "/", text, ""))

    def _name(self) -> str:
        if self["name"]:
            return str(self["name"])
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            raise usage.UsageError("who you are has to be said with --name") from None

    def _talk(self, talk: Talk, lines: Lines, connection: ClientConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        over = threading.Event()
        ends: list[Exception] = []

        def hear() -> None:
            try:
                while True:
                    if line := talk.came(connection.recv()):
                        lines.show(line)
            except Exception as error:
                ends.append(error)
            over.set()
            lines.end()

        hearing = threading.Thread(target=hear, daemon=True)
        hearing.start()
        try:
            self._say(talk, lines, connection)
            # What was said is to arrive, but nobody is waited for in vain.
            deadline = time.monotonic() + TIMEOUT
            while talk.isWaiting and not over.wait(0.02):
                if time.monotonic() > deadline:
                    raise DoorError("the server does not answer", 2)
        except ConnectionClosed:
            pass  # it was heard, too
        connection.close()
        hearing.join(TIMEOUT)
        for end in ends:
            if (bad := _badEnd(end)) is not None:
                raise bad

    def _say(self, talk: Talk, lines: Lines, connection: ClientConnection) -> None:
        if first := talk.begin():
            connection.send(first)
        try:
            for line in lines:
                request, shown = talk.typed(line)
                if shown:
                    lines.show(shown)
                if request:
                    connection.send(request)
        except Quit:
            pass


def _badEnd(end: Exception) -> Exception | None:
    """Say what is wrong with how the talk has ended; L{None}: nothing is."""
    if isinstance(end, OSError):
        return end  # of the output
    if not hasattr(end, "rcvd"):
        return DoorError("the server says what is not gows.v1", 3)
    if end.rcvd is None:
        return DoorError("the connection is lost", 2)
    if end.rcvd.code == 1000:
        return None
    why = escaped(end.rcvd.reason) or "no reason given"
    return DoorError(f"the server closed with {end.rcvd.code}: {why}", 3)


def _errorOf(error: Exception, place: str) -> DoorError:
    response = getattr(error, "response", None)
    if response is not None:
        text = (response.body or b"").decode("utf-8", "replace").strip()
        why = escaped(text[:200])
        return DoorError(f"{place} refuses with {response.status_code}: {why}", 3)
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return DoorError(f"{place} cannot be reached: {escaped(reason)}", 2)
