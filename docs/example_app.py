"""A chat that says who speaks, and who comes and goes."""

from gows.chat.application import Application
from gows.chat.context import Context
from gows.chat.message import Message
from gows.errors import Refusal
from gows.interfaces import IConnection, IRequest


class NamedChat(Application):
    """Try it: PYTHONPATH=docs twistd -n gows --app example_app.NamedChat."""

    def onConnect(self, request: IRequest) -> Context | Refusal:
        """Keep a name for ourselves."""
        isOurs = request.context.specialKey == "admin"
        return Refusal(403, "This name is ours.") if isOurs else request.context

    def onOpen(self, connection: IConnection) -> None:
        """Greet."""
        self.chat.broadcast(f"{connection.context.specialKey} is here")

    def onMessage(self, connection: IConnection, message: Message) -> None:
        """Say who speaks, to whom it was said."""
        self.chat.publish(message.saying(f"{message.sender}: {message.text}"))

    def onClose(self, connection: IConnection, *how: object) -> None:
        """Say good-bye, unless a newer connection of the same key is here."""
        if not self.chat.lookUp(connection.context.key):
            self.chat.broadcast(f"{connection.context.specialKey} has left")
