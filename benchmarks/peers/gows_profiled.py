"""The default application, beside a profile that never ends."""

from pyinstrument import Profiler

from gows.chat.application import BroadcastChat
from gows.interfaces import IChat
from gows.web.profiles import INTERVAL


class Profiled(BroadcastChat):
    """
    For --app gows_profiled.Profiled: samples as C{/debug/profile} does by default.

    It is made in the thread of the reactor, before that runs.
    """

    def __init__(self, chat: IChat) -> None:
        """Begin to sample."""
        super().__init__(chat)
        self._profiler = Profiler(INTERVAL / 1000, async_mode="disabled")
        self._profiler.start()
