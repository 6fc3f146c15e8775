"""``gows config``: files of settings."""

from __future__ import annotations

from typing import ClassVar

from gows.access.apikeys import readApiKeys
from gows.access.keyfile import readTokenKeys
from gows.certificates import readCertificate
from gows.commands.command import FileCommand, Group
from gows.sources import readSettings


class CheckConfig(FileCommand):
    """Checks a file of settings, and the files that it names."""

    longdesc = (
        "Checks the settings in a TOML file, by themselves, and whether the files of "
        "keys and certificates that they name are any good."
    )

    def run(self) -> None:
        """
        Check it, and say that it is right.

        @raise SettingError: if a setting is not
        @raise CannotStart: if a file that it names is not
        """
        settings = readSettings({}, {}, self.file)
        if settings.tokenKey is not None:
            readTokenKeys(settings.tokenKey)
        if settings.apiKeyFile is not None:
            readApiKeys(settings.apiKeyFile)
        if settings.cert is not None and settings.key is not None:
            readCertificate(settings.cert, settings.key)
        print(f"{self.file} is all right")


class ConfigCommand(Group):
    """Files of settings."""

    subCommands: ClassVar = [("check", None, CheckConfig, "Check one.")]
