"""Tests for L{gows.rehearsedreactor}: which ports one process cannot have together."""

from __future__ import annotations

import socket

from twisted.internet.address import UNIXAddress
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from gows.rehearsedreactor import RehearsedReactor, isDualStack

NOBODY = object()
"""Stands for a factory."""


class RehearsedReactorTests(SynchronousTestCase):
    """Ports and paths are taken, and none is opened."""

    def isFree(self, *interfaces: str, dual: bool, port: int = 7000) -> bool:
        """Take a port at all addresses, and tell whether the last has it too."""
        reactor = RehearsedReactor(isDualStack=dual)
        *firsts, last = interfaces
        for each in firsts:
            reactor.listenTCP(port, NOBODY, interface=each)
        try:
            reactor.listenSSL(port, NOBODY, None, interface=last)
        except CannotListenError:
            return False
        return True

    def test_families(self) -> None:
        """IPv4 and IPv6 share a port, but for :: where it has IPv4 too."""
        for one, two in (("", "::"), ("::", "127.0.0.1"), ("::", "0.0.0.0")):
            self.assertFalse(self.isFree(one, two, dual=True))
            self.assertTrue(self.isFree(one, two, dual=False))
        for dual in (True, False):
            self.assertTrue(self.isFree("", "::1", dual=dual))
            self.assertTrue(self.isFree("::1", "0.0.0.0", dual=dual))
            self.assertTrue(self.isFree("::1", "127.0.0.1", dual=dual))

    def test_sameFamily(self) -> None:
        """Within a family two addresses share a port, unless one is for all."""
        for one, two, isFree in (
            ("127.0.0.1", "127.0.0.2", True),
            ("127.0.0.1", "127.0.0.1", False),
            ("127.0.0.1", "", False),
            ("0.0.0.0", "127.0.0.1", False),
            ("::1", "::1", False),
            ("::1", "::2", True),
            ("::", "::1", False),
            ("::1", "::", False),
        ):
            for dual in (True, False):
                self.assertEqual(self.isFree(one, two, dual=dual), isFree, (one, two))

    def test_anyPort(self) -> None:
        """Port 0 is another one each time."""
        self.assertTrue(self.isFree("::", "::", "", dual=True, port=0))

    def test_dualStack(self) -> None:
        """Whether IPv6 sockets have IPv4 as well is what the kernel does."""
        try:
            with socket.socket(socket.AF_INET6) as plain:
                plain.bind(("::ffff:127.0.0.1", 0))
        except OSError:
            self.assertFalse(isDualStack())
        else:
            self.assertTrue(isDualStack())

    def test_noIPv6(self) -> None:
        """Without IPv6 there is nothing that it could have."""

        def refuse(family: int) -> None:
            raise OSError(97, "Address family not supported by protocol")

        self.patch(socket, "socket", refuse)
        self.assertFalse(isDualStack())

    def test_port(self) -> None:
        """A port tells its address, and stops at once."""
        port = RehearsedReactor(isDualStack=False).listenUNIX("nobody.sock", NOBODY)
        verifyObject(IListeningPort, port)
        port.startListening()
        self.assertIsNone(self.successResultOf(port.stopListening()))
        self.assertEqual(port.getHost(), UNIXAddress("nobody.sock"))
