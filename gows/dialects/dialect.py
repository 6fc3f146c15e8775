"""What a dialect is, and what it asks of its connection and of the chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from gows.chat.context import Context
from gows.chat.grant import Pass
from gows.chat.inbound import Content
from gows.chat.message import Message
from gows.chat.presence import Roster
from gows.dialects.envelopes import Limits


class Dialect(Protocol):
    """
    What is said on one connection.

    @ivar name: its subprotocol
    @ivar isEnveloped: whether messages come to it in envelopes of gows.v1
    """

    name: str
    isEnveloped: bool

    def begin(self) -> None:
        """Say what is to be said first; the connection is where it begins."""

    def received(self, content: Content) -> None:
        """
        Take what came.

        @raise gows.errors.MessageError: if it is nothing that may come here
        """

    def tooFast(self, payload: bytes, isBinary: bool, wait: float) -> None:
        """
        Refuse what came, as it was on the wire, because too much comes.

        @param wait: after how many seconds the next may come
        """

    def missed(self, count: int) -> bytes | None:
        """Say in text that so many messages were dropped, if that can be said."""

    def farewell(self, code: int, reason: str, returnAfter: float | None) -> None:
        """
        Say why the connection ends, before its close frame.

        @param returnAfter: seconds; L{None}: it should not come back by itself
        """


class Speaker(Protocol):
    """
    What a dialect asks of its connection.

    @ivar context: who it is, and what it may do
    @ivar rooms: where it is
    @ivar watched: the rooms of which it hears who comes and goes
    """

    context: Context
    rooms: tuple[str, ...]
    watched: tuple[str, ...]

    @property
    def session(self) -> str:
        """Sixteen hexadecimal digits that name it and no other."""

    def hand(self, message: Message) -> None:
        """Hand a message to the application."""

    def afterwards(self, then: Callable[[], None]) -> None:
        """Do something when the application is done with what it was handed."""

    def tell(self, text: bytes) -> None:
        """Send text to this one connection, as it is."""

    def ignored(self) -> None:
        """Count a message that was dropped, and of which the peer is not told."""

    def misbehaved(self) -> None:
        """Close the connection: its peer does not keep to the dialect."""

    def renew(self, pass_: Pass) -> None:
        """Change what it may do, and until when."""


S = TypeVar("S", bound=Speaker)
S_contra = TypeVar("S_contra", bound=Speaker, contravariant=True)


class House(Protocol[S_contra]):
    """What a dialect asks of the chat."""

    def join(self, speaker: S_contra, room: str) -> None:
        """Have somebody be in a room, if that is not so."""

    def leave(self, speaker: S_contra, room: str) -> None:
        """Have somebody be in a room no more."""

    def watch(self, speaker: S_contra, room: str) -> None:
        """Have somebody told who comes to a room and who goes, if that is not so."""

    def unwatch(self, speaker: S_contra, room: str) -> None:
        """Have somebody not be told any more."""

    def who(self, room: str) -> Roster:
        """Tell who is in a room."""

    def isHere(self, specialKey: str) -> bool:
        """Tell whether a person is connected."""


class Rules(NamedTuple):
    """
    What all conversations of a server have in common.

    @ivar limits: what clients have to keep to
    @ivar verify: reads a token, or raises L{gows.errors.Refusal}; L{None}: there are
        none
    @ivar now: the time, in seconds since 1970
    """

    limits: Limits
    verify: Callable[[str], Pass] | None
    now: Callable[[], float]
