"""An application under which everyone hears only themselves."""

from gows.chat.application import Application
from gows.interfaces import IConnection


class Echo(Application):
    """For --app gows_echo.Echo."""

    def onMessage(
        self, connection: IConnection, payload: bytes, isBinary: bool
    ) -> None:
        """Send it back."""
        connection.send(payload, isBinary)
