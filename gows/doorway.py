"""The operators' door of a chat, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import structs
from twisted.application.service import MultiService
from twisted.logger import globalLogPublisher
from twisted.web.resource import IResource

from gows import __version__
from gows.access.apikeys import ApiKeys, ReloadingApiKeys
from gows.journal import Journal
from gows.lag import ReactorLag
from gows.measuring import metricsPage
from gows.operating import Operating
from gows.operatorsport import operatorsPort
from gows.recentlog import RecentWarnings
from gows.sampling import EVERY, Sample, Sampler
from gows.settings import Settings
from gows.sources import TABLE
from gows.web.api import callsOf
from gows.web.consolepage import LOOKS, consolePages
from gows.web.debugpages import debugPages
from gows.web.door import Door
from gows.web.feed import Feed
from gows.web.guard import Guard
from gows.web.hosts import Hosts
from gows.web.idempotency import Idempotency
from gows.web.openapi import PATH, OpenAPI
from gows.web.peers import Peers
from gows.web.readiness import Readiness
from gows.web.signin import SIGN_IN, SIGN_OUT, SignIn, SignOut, staticFiles
from gows.web.site import Health
from gows.wire.factory import GowsFactory


class Shows(NamedTuple):
    """What the door shows of the server: services."""

    lag: ReactorLag
    sampler: Sampler
    warnings: RecentWarnings


def showsOf(factory: GowsFactory, reactor: Any) -> Shows:
    """Make what is shown of a chat."""
    lag = ReactorLag(reactor)
    warnings = RecentWarnings(globalLogPublisher, factory.journal.withheld)
    return Shows(lag, Sampler(factory, lag), warnings)


def makeDoor(
    settings: Settings,
    factory: GowsFactory,
    *,
    keys: Callable[[], ApiKeys] | None,
    shows: Shows,
    journal: Journal,
    reactor: Any,
) -> Door:
    """
    Make the operators' door.

    @param keys: answers the newest keys; L{None}: none are asked for
    @param shows: services that somebody starts
    """
    hosts = Hosts(settings.adminHost, settings.adminOrigin)
    guard = Guard(keys, hosts, Peers(factory.proxies), journal, factory.now)
    calls = callsOf(Operating(factory, shown(settings)), journal)
    probes: dict[str, IResource] = {
        "/healthz": Health(),
        "/readyz": Readiness(lambda: factory.admission.draining),
    }
    free: dict[str, IResource] = {SIGN_IN: SignIn(guard), **staticFiles(*LOOKS)}
    guarded: dict[str, IResource] = {
        **consolePages(),
        PATH: OpenAPI(calls),
        SIGN_OUT: SignOut(guard),
        "/feed": feedOf(factory, shows, guard),
        "/metrics": metricsPage(factory, shows.lag),
        **debugPages(reactor, shows.lag, factory.busyFor, journal),
    }
    return Door(
        guard,
        calls=calls,
        probes=probes,
        free=free,
        guarded=guarded,
        memory=Idempotency(factory.ledger),
        journal=journal,
        reactor=reactor,
    )


def operatorsService(
    settings: Settings,
    factory: GowsFactory,
    keys: ReloadingApiKeys | None,
    journal: Journal,
    reactor: Any,
) -> MultiService:
    """
    Make the operators' door, what it shows, and the port where it is.

    @param keys: those that open it; L{None}: none are asked for, and nobody else may
        reach the port
    @raise CannotStart: see L{operatorsPort}
    """
    assert settings.admin is not None
    service = MultiService()
    shows = showsOf(factory, reactor)
    door = makeDoor(
        settings,
        factory,
        keys=None if keys is None else keys.current,
        shows=shows,
        journal=journal,
        reactor=reactor,
    )
    if keys is not None:
        keys.listen(door.guard.keysTaken)
    listening = operatorsPort(
        settings.admin, door, journal, reactor, hasKeys=keys is not None
    )
    for child in (*shows, listening):
        child.setServiceParent(service)
    return service


def withoutDoor(settings: Settings) -> tuple[str, ...]:
    """Name the settings that are made for the door, where there is to be none."""
    forIt = {
        "api-key-file": settings.apiKeyFile,
        "admin-host": settings.adminHost,
        "admin-origin": settings.adminOrigin,
    }
    return tuple(name for name, value in forIt.items() if value)


def feedOf(factory: GowsFactory, shows: Shows, guard: Guard) -> Feed:
    """Make the console's feed, of what is shown of a chat."""
    startedAt = factory.reactor.seconds()

    def hello() -> dict[str, Any]:
        return {
            "name": "gows",
            "version": __version__,
            "every": EVERY,
            "uptime": round(factory.reactor.seconds() - startedAt, 3),
            "columns": Sample._fields,
            "history": tuple(shows.sampler.samples),
        }

    def warnings() -> list[dict[str, Any]]:
        return [warned._asdict() for warned in shows.warnings.kept]

    def sampled(sample: Sample) -> None:
        isDraining = factory.admission.draining
        feed.sampled({**sample._asdict(), "draining": isDraining})

    feed = Feed(hello, warnings, guard.letsIn)
    shows.sampler.listen(sampled)
    shows.warnings.listen(feed.warned)
    return feed


def shown(settings: Settings) -> dict[str, Any]:
    """Write settings by their names: there are no secrets among them, but files."""
    values = structs.asdict(settings)
    return {setting.name: values[setting.field] for setting in TABLE}
