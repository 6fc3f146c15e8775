"""Tests for L{gows.servicemaker}: what is found before gows is loaded."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from twisted.application.service import IServiceMaker
from twisted.plugin import IPlugin
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from gows.servicemaker import GowsMaker
from gows.signals import EarlyHangup
from gows.tap import Options, makeService
from tests.support import FOREGROUND, ROOT, Server, run
from tests.tokens import publicJwk, written

ON_LOADING = """\
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "gows.tap":
            os.kill(os.getpid(), signal.SIGHUP)

sys.meta_path.insert(0, Finder())
"""
"""Sends SIGHUP to a process that begins to load gows."""

IMPATIENT = """\
import os, signal
from gows.chat.application import BroadcastChat

os.kill(os.getpid(), signal.SIGHUP)

class Impatient(BroadcastChat):
    def __init__(self, chat):
        super().__init__(chat)
        os.kill(os.getpid(), signal.SIGHUP)
"""
"""An application that sends it to its server, which is about to start."""

TEXT = ("--log-format", "text")


class GowsMakerTests(SynchronousTestCase):
    """The plugin."""

    def setUp(self) -> None:
        """Make one, where SIGHUP would end the process."""
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        self.maker = GowsMaker("gows", "gows.tap", "", "gows")

    def test_interfaces(self) -> None:
        """It is what twistd looks for, and leads to the server."""
        verifyObject(IPlugin, self.maker)
        verifyObject(IServiceMaker, self.maker)
        self.assertIs(self.maker.options, Options)
        self.assertIs(self.maker.makeService, makeService)

    def test_hangup(self) -> None:
        """Signals are expected of who asks for the options, and of nobody else."""
        self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)
        self.assertIs(self.maker.options, Options)
        self.assertIsInstance(signal.getsignal(signal.SIGHUP), EarlyHangup)

    def test_light(self) -> None:
        """Who does not ask for gows does not wait for it."""
        script = (
            "import sys; from twisted.plugin import getPlugins; "
            "from twisted.application.service import IServiceMaker; "
            "[m.description for m in getPlugins(IServiceMaker)]; "
            "sys.exit('gows.tap' in sys.modules or 'gows.signals' in sys.modules)"
        )
        [ended] = run([sys.executable, "-c", script], folder=ROOT)
        self.assertEqual(ended.status, 0, ended.err)


class StartTests(SynchronousTestCase):
    """A real server, which is told to reload while it starts."""

    def test_early(self) -> None:
        """It does not end, and reads all again, once, when it has started."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(ON_LOADING)
        (folder / "impatient.py").write_text(IMPATIENT)
        key = written(folder / "token-key", publicJwk("EdDSA"))
        variables = {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
        for program in (FOREGROUND, ("twist", *TEXT)):
            server = Server(
                *("--app", "impatient.Impatient", "--token-key", key),
                program=program,
                variables=variables,
            )
            with server:
                server.waitForLog("(?s)(keys of tokens read.*){2}")
                server.send(signal.SIGHUP)
                server.waitForLog("(?s)(keys of tokens read.*){3}")
                self.assertEqual(server.log().count("keys of tokens read"), 3)
