"""Do what takes its time in steps, between which the reactor serves others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.internet.task import CooperativeTask, Cooperator


def stepwise(reactor: Any, steps: Iterator[None]) -> CooperativeTask[Any]:
    """
    Take one step a turn of the reactor.

    @param steps: does a step each time it is asked for the next
    """
    turns = Cooperator(
        terminationPredicateFactory=lambda: lambda: True,
        scheduler=lambda turn: reactor.callLater(0, turn),
    )
    return turns.cooperate(steps)
