"""The application that a setting names."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import cast

from twisted.python.reflect import namedAny
from zope.interface.exceptions import Invalid
from zope.interface.verify import verifyObject

from gows.errors import CannotStart
from gows.interfaces import IApplication, IChat


def makeApplicationOf(name: str) -> Callable[[IChat], IApplication]:
    """
    Find an application by its dotted name.

    A module or a maker that exits is refused as one that raises: the process would
    end with the status of its choice, which may be that of success.

    @raise CannotStart: if there is none
    """
    try:
        maker = namedAny(name)
    except (AttributeError, ImportError, ValueError) as error:
        raise CannotStart(
            f"app {name} cannot be imported ({' '.join(str(error).split())}); "
            "is its folder on PYTHONPATH?"
        ) from error
    except (Exception, SystemExit) as error:  # its module may do what it likes
        raise CannotStart(
            f"app {name} cannot be imported: {_described(error)}"
        ) from error
    if not callable(maker):
        raise CannotStart(f"app {name} is no class or callable that makes one")

    def make(chat: IChat) -> IApplication:
        try:
            application = maker(chat)
        except (Exception, SystemExit) as error:
            raise CannotStart(
                f"app {name} cannot be made: {_described(error)}"
            ) from error
        try:
            verifyObject(IApplication, application)
        except Invalid:
            raise CannotStart(
                f"app {name} makes what does not provide gows.interfaces.IApplication"
            ) from None
        return cast(IApplication, application)

    return make


def _described(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    return f"{text} ({last.filename}:{last.lineno})"
