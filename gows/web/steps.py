"""Do what takes its time in steps, between which the reactor serves others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, TypeVar

from twisted.internet.task import CooperativeTask, Cooperator, deferLater

T = TypeVar("T")


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


async def inTurns(
    reactor: Any, everything: Sequence[T], atOnce: int
) -> AsyncIterator[Sequence[T]]:
    """
    Iterate over the parts of something, each in a turn of the reactor of its own.

    @param atOnce: how much a part has
    """
    for start in range(0, len(everything), atOnce):
        if start:
            await deferLater(reactor, 0)
        yield everything[start : start + atOnce]
