"""``twistd gows``: options and wiring, nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NoReturn, cast

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorCore
from twisted.logger import globalLogPublisher
from twisted.python import usage

from gows import __version__
from gows.access.apikeys import ReloadingApiKeys
from gows.access.keyfile import ReloadingTokenKeys
from gows.access.tokens import TokenVerifier
from gows.certificates import ReloadingCertificate
from gows.doorway import operatorsService, withoutDoor
from gows.errors import CannotStart, SettingError
from gows.journal import Journal
from gows.listening import ListeningService, doors
from gows.logfile import LogFileObserver
from gows.namedapplication import makeApplicationOf
from gows.service import GowsService, Reloading
from gows.settings import Settings
from gows.sources import TABLE, Setting, readSettings, unknownFlag
from gows.terminal import Terminal
from gows.web.site import PublicSite
from gows.wire.factory import GowsFactory


def _helpOf(setting: Setting) -> str:
    default = "" if setting.default in ((), None) else f" [{setting.default}]"
    return f"{setting.help} ({setting.allowed}){default}"


def _repeatable(setting: Setting) -> Callable[[Any, str], None]:
    def option(self: Options, value: str) -> None:
        self.given.setdefault(setting.name, []).append(value)

    option.__doc__ = f"{_helpOf(setting)}; may be given several times"
    return option


class Options(usage.Options):
    """
    The command line of ``twistd gows``, and the settings that come of it.

    @ivar settings: from all sources
    @ivar given: what the command line itself said
    """

    synopsis = "[options]"
    longdesc = (
        "Serves a WebSocket chat. Every option but --config is a setting: it can "
        "come from an environment variable (GOWS_PORT) or a TOML file (port = 8888) "
        "as well."
    )
    optFlags: ClassVar = [
        [setting.name, None, _helpOf(setting)] for setting in TABLE if setting.isSwitch
    ]
    optParameters: ClassVar = [
        [setting.name, None, None, _helpOf(setting)]
        for setting in TABLE
        if not (setting.isSwitch or setting.isRepeatable)
    ] + [["config", None, None, "TOML file with settings"]]
    for _setting in TABLE:
        if _setting.isRepeatable:
            locals()[f"opt_{_setting.name.replace('-', '_')}"] = _repeatable(_setting)
    del _setting

    settings: Settings

    def __init__(self) -> None:
        """Begin with nothing given."""
        self.given: dict[str, Any] = {}
        super().__init__()

    def opt_version(self) -> NoReturn:
        """Show the version and exit."""
        print(f"gows {__version__}")
        raise SystemExit(0)

    def parseOptions(self, options: list[str] | None = None) -> None:
        """
        Parse, and read the other sources.

        @raise SystemExit: with one line, if anything is wrong
        """
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            raise SystemExit(f"gows: {_inOneLine(error)}") from None
        except SettingError as error:
            raise SystemExit(f"gows: {error}") from None

    def postOptions(self) -> None:
        """Read the settings."""
        for setting in TABLE:
            if not setting.isRepeatable and self[setting.name] not in (None, 0):
                self.given[setting.name] = self[setting.name]
        self.settings = readSettings(self.given, os.environ, self["config"])


def _inOneLine(error: usage.UsageError) -> str:
    text = " ".join(str(error).split())
    if text.startswith("option --") and text.endswith("not recognized"):
        return unknownFlag(text.split()[1][2:])
    if text.startswith("Wrong number of arguments"):
        return "there are options only, no arguments: see twistd gows --help"
    return text


def makeService(options: Options) -> IService:
    """Wire a server together as its options say."""
    from twisted.internet import reactor

    twistd = getattr(options, "parent", None) or {}
    terminal = Terminal(twistd.get("pidfile"))
    try:
        return _service(options.settings, twistd, terminal, reactor)
    except CannotStart as error:
        terminal.giveUp(str(error))


def _service(
    settings: Settings, twistd: Any, terminal: Terminal, reactor: Any
) -> GowsService:
    journal = Journal(settings.logLevel, reactor)
    logFile = None
    if settings.logFile is not None:
        logFile = LogFileObserver(settings.logFile, settings.logLevel)
        if "nodaemon" not in twistd or twistd["logger"]:
            # Who runs us does not ask the application for its log.
            globalLogPublisher.addObserver(logFile.observer)
    certificate = None
    if settings.cert is not None and settings.key is not None:
        certificate = ReloadingCertificate(
            settings.cert, settings.key, journal, reactor
        )
    keys, verify = None, None
    if settings.tokenKey is not None:
        keys = ReloadingTokenKeys(settings.tokenKey, journal, reactor)
        verify = TokenVerifier(
            keys.current,
            settings.tokenIssuer,
            settings.tokenAudience,
            settings.tokenLeeway,
        ).verify
    factory = GowsFactory(
        settings,
        makeApplicationOf(settings.app),
        partial(PublicSite, journal=journal, reactor=reactor),
        journal,
        reactor,
        verify=verify,
    )
    listening = ListeningService(
        partial(doors, settings, certificate, cast(IReactorCore, reactor)),
        factory,
        journal,
    )
    apiKeys, operators = None, None
    if settings.admin is not None:
        if settings.apiKeyFile is not None:
            apiKeys = ReloadingApiKeys(settings.apiKeyFile, journal, reactor)
        operators = operatorsService(settings, factory, apiKeys, journal, reactor)
    elif idle := withoutDoor(settings):
        journal.doorMissing(idle)
    return GowsService(
        factory,
        listening,
        operators,
        reloading=Reloading(certificate, keys, apiKeys, logFile),
        drainTimeout=settings.drainTimeout,
        journal=journal,
        terminal=terminal,
        reactor=reactor,
    )
