"""The port of the operators' door, and who must not reach it."""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IProtocolFactory, IReactorCore

from gows.errors import CannotStart
from gows.journal import Journal
from gows.listening import ListeningService, doorOf, isProxied

_OPEN: Final = (
    "admin is a port that other hosts reach: it needs keys (api-key-file), or an "
    "address that they do not reach, such as tcp:8889:interface=127.0.0.1"
)


def operatorsPort(
    description: str,
    door: IProtocolFactory,
    journal: Journal,
    reactor: IReactorCore,
    *,
    hasKeys: bool,
) -> ListeningService:
    """
    Make the port; the start of the service opens it.

    @param description: the endpoint string of the setting C{admin}
    @param hasKeys: whether keys are asked for; without them nobody else may reach it
    @raise CannotStart: if it is to be reached through a proxy, without keys
    """
    if not hasKeys and isProxied(description):
        raise CannotStart(_OPEN)  # what comes through a proxy is not of this host
    return ListeningService(
        lambda: [doorOf(description, "admin", reactor)],
        door,
        journal,
        name="the operators' door",
        onlyHere="" if hasKeys else _OPEN,
    )
