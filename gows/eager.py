"""Coroutines that mostly need not wait: run at once, as far as they go."""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


def started(coroutine: Coroutine[Any, Any, T]) -> T | Deferred[T]:
    """
    Run a coroutine until it is done, or has to wait.

    For one that never waits it takes a fifth of the time of L{Deferred.fromCoroutine}
    (measured: 0.26 us against 1.3), which makes a Deferred and copies a context.

    @return: what it returns, or a Deferred that fires with that; cancelling that
        one cancels what the coroutine waits for
    @raise Exception: what it raises before it has to wait
    """
    try:
        awaited = coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    return Deferred.fromCoroutine(_resumed(coroutine, awaited))


@types.coroutine
def _resumed(coroutine: Coroutine[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:
    while True:
        try:
            try:
                result = yield awaited
            except Exception as error:
                awaited = coroutine.throw(error)
            else:
                awaited = coroutine.send(result)
        except StopIteration as done:
            value: T = done.value
            return value


async def toItsEnd(
    awaitable: Awaitable[bool], giveBack: Callable[[], Coroutine[Any, Any, object]]
) -> bool:
    """
    Wait for something that is not cancelled with whoever waits.

    @param giveBack: called if nobody waits any more when it answers true
    @return: what it answers
    @raise CancelledError: if whoever waits is cancelled
    """
    asked = started(_whole(awaitable))
    if not isinstance(asked, Deferred):
        return asked
    answer: Deferred[bool] = Deferred()

    async def finish() -> None:
        try:
            result = await asked
        except Exception:
            if answer.called:
                raise
            answer.errback()
        else:
            if not answer.called:
                answer.callback(result)
            elif result:
                await giveBack()

    Deferred.fromCoroutine(finish())
    return await answer


async def _whole(awaitable: Awaitable[T]) -> T:
    return await awaitable
