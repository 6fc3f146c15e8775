"""gows, counting nothing: python gows_uncounted.py PORT."""

import sys
from functools import partial
from typing import Any

from gows.access.limits import raiseOpenFiles
from gows.chat.application import BroadcastChat
from gows.counts import Uncounted
from gows.journal import Journal
from gows.settings import Settings
from gows.web.site import PublicSite
from gows.wire.factory import GowsFactory


def serve(port: int, reactor: Any) -> None:
    """Serve with the settings that gows has in a benchmark."""
    raiseOpenFiles()
    journal = Journal("warn", reactor)
    factory = GowsFactory(
        Settings(),
        BroadcastChat,
        partial(PublicSite, journal=journal, reactor=reactor),
        journal,
        reactor,
        counts=Uncounted(),
    )
    reactor.listenTCP(port, factory, backlog=1024, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    from twisted.internet import reactor

    serve(int(sys.argv[1]), reactor)
