"""What a start does with ports, without opening one."""

from __future__ import annotations

from typing import cast

from msgspec import structs
from twisted.internet.interfaces import IReactorCore
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from gows.journal import Journal
from gows.listening import ListeningService, doors, isInherited
from gows.operatorsport import operatorsPort
from gows.rehearsedreactor import RehearsedReactor, isDualStack
from gows.settings import Settings


def rehearse(settings: Settings) -> None:
    """
    Make all endpoints, and look who would reach them.

    Whether another process has a port is not seen, nor whether it may be opened.
    Sockets of systemd are there at the start only: they are passed over.

    @raise CannotStart: as the start of a server with these settings would
    """
    reactor = cast(IReactorCore, RehearsedReactor(isDualStack=isDualStack()))
    journal = Journal("critical", Clock(), _unwritten)
    ports = []
    if settings.admin is not None:
        hasKeys = settings.apiKeyFile is not None
        port = operatorsPort(
            settings.admin, Factory(), journal, reactor, hasKeys=hasKeys
        )
        if not isInherited(settings.admin):
            ports.append(port)
    made = tuple(one for one in settings.listen if not isInherited(one))
    if made or not settings.listen:
        listed = structs.replace(settings, listen=made)
        ports.append(
            ListeningService(lambda: doors(listed, None, reactor), Factory(), journal)
        )
    for port in ports:
        port.privilegedStartService()


def _unwritten(event: LogEvent) -> None:
    """Write nothing: nobody listens anywhere."""
