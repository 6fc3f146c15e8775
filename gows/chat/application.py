"""The base of applications, and the one that is there by default."""

from __future__ import annotations

from collections.abc import Awaitable

from twisted.python.failure import Failure
from zope.interface import implementer

from gows.chat.context import Context
from gows.chat.message import Message
from gows.errors import Refusal
from gows.interfaces import IApplication, IChat, IConnection, IRequest


@implementer(IApplication)
class Application:
    """
    An application that lets everybody in and does nothing: a base to start from.

    @ivar chat: the server, as applications see it
    """

    def __init__(self, chat: IChat) -> None:
        """Make the application of a server; it is made once, before it listens."""
        self.chat = chat

    def onConnect(
        self, request: IRequest
    ) -> Context | Refusal | Awaitable[Context | Refusal]:
        """Let the peer in as who its URL says it is."""
        return request.context

    def onOpen(self, connection: IConnection) -> Awaitable[object] | None:
        """Do nothing."""
        return None

    def onMessage(
        self, connection: IConnection, message: Message
    ) -> Awaitable[object] | None:
        """Do nothing."""
        return None

    def onError(
        self, connection: IConnection, failure: Failure
    ) -> Awaitable[object] | None:
        """Do nothing: the server has logged what matters."""
        return None

    def onClose(
        self, connection: IConnection, wasClean: bool, code: int, reason: str
    ) -> Awaitable[object] | None:
        """Do nothing."""
        return None


class BroadcastChat(Application):
    """The default application: what one says goes to whom it is for."""

    def onMessage(
        self, connection: IConnection, message: Message
    ) -> Awaitable[object] | None:
        """Pass the message on."""
        self.chat.publish(message)
        return None
