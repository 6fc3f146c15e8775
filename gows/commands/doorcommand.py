"""Commands that ask the operators' door of a running server."""

from __future__ import annotations

import os
import re
from typing import Any, ClassVar, Final

from twisted.python import usage

from gows.access.apikeys import firstKeyOf
from gows.commands.command import Command, fileOf
from gows.commands.doorclient import DoorClient, urlOf
from gows.settings import Settings
from gows.sources import DOOR_VARIABLE, KEY_VARIABLE, readSettings

_KEY: Final = re.compile(r"[!-~]+")

DEFAULT_DOOR: Final = "http://127.0.0.1:8889"

DOOR_PARAMETERS: Final = (
    ["door", None, None, f"Where the door is [{DEFAULT_DOOR}]; or unix:/path"],
    ["api-key-file", None, None, "File with API keys, whose first is given"],
    ["config", None, None, "TOML file with the server's settings"],
)


class DoorCommand(Command):
    """
    A command that asks the operators' door.

    Where that is, and its key, come from options, the environment (GOWS_DOOR,
    GOWS_API_KEY), or the server's own settings (admin, api-key-file).
    """

    optParameters: ClassVar[list[Any]] = [*DOOR_PARAMETERS]

    def client(self) -> DoorClient:
        """
        Make a client.

        @raise usage.UsageError: if it is not said rightly where the door is
        @raise gows.errors.GowsError: if a file cannot be read
        """
        config = self["config"]
        settings = readSettings(
            {}, os.environ, None if config is None else fileOf(config, "--config")
        )
        url = self["door"] or os.environ.get(DOOR_VARIABLE)
        if not url and settings.admin is not None:
            url = urlOf(settings.admin)
            if url is None:
                raise usage.UsageError("where the door is has to be said with --door")
        key = self._key(settings)
        try:
            return DoorClient(url or DEFAULT_DOOR, key)
        except ValueError as error:
            raise usage.UsageError(f"--door: {error}") from None

    def _key(self, settings: Settings) -> str:
        path = self["api-key-file"]
        if path is not None:
            return firstKeyOf(fileOf(path, "--api-key-file"))
        if key := os.environ.get(KEY_VARIABLE, "").strip():
            if not _KEY.fullmatch(key):
                raise usage.UsageError(f"{KEY_VARIABLE} is no key")
            return key
        return "" if settings.apiKeyFile is None else firstKeyOf(settings.apiKeyFile)
