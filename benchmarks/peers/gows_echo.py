"""An application under which everyone hears only themselves."""

from gows.chat.application import Application
from gows.chat.message import Message
from gows.interfaces import IConnection


class Echo(Application):
    """For --app gows_echo.Echo."""

    def onMessage(self, connection: IConnection, message: Message) -> None:
        """Send it back."""
        connection.send(message.payload, message.isBinary)
