"""What twistd and twist find of gows, before they load it."""

from __future__ import annotations

from twisted.application.service import ServiceMaker
from twisted.python.usage import Options


class GowsMaker(ServiceMaker):
    """
    Loads C{gows.tap} once it is asked for.

    That takes most of a start, in which a SIGHUP must not end the process.
    """

    @property
    def options(self) -> type[Options]:
        """The command line; who asks for it is about to start a server."""
        from gows.signals import expectHangup

        expectHangup()
        options: type[Options] = super().options
        return options
