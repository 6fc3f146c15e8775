"""``gows config``: files of settings."""

from __future__ import annotations

from typing import ClassVar

from gows.access.apikeys import readApiKeys
from gows.access.keyfile import readTokenKeys
from gows.certificates import readCertificate
from gows.commands.command import FileCommand, Group
from gows.logfile import checkLogFile
from gows.namedapplication import makeApplicationOf
from gows.rehearsal import rehearse
from gows.sources import readSettings


class CheckConfig(FileCommand):
    """Checks a file of settings, and what it names: files, ports, an application."""

    longdesc = (
        "Checks the settings in a TOML file, by themselves, and whether what they name "
        "is any good: files of keys and certificates, ports, the application. No port "
        "is opened: whether it is free is not seen."
    )

    def run(self) -> None:
        """
        Check it, and say that it is right.

        @raise SettingError: if a setting is not
        @raise CannotStart: if the server would not start with what it names
        """
        settings = readSettings({}, {}, self.file)
        if settings.tokenKey is not None:
            readTokenKeys(settings.tokenKey)
        if settings.apiKeyFile is not None:
            readApiKeys(settings.apiKeyFile)
        if settings.cert is not None and settings.key is not None:
            readCertificate(settings.cert, settings.key)
        if settings.logFile is not None:
            checkLogFile(settings.logFile)
        rehearse(settings)
        makeApplicationOf(settings.app)
        print(f"{self.file} is all right")


class ConfigCommand(Group):
    """Files of settings."""

    subCommands: ClassVar = [("check", None, CheckConfig, "Check one.")]
