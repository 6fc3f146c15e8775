"""Tests for L{gows.certificates}: reading, reloading, and what clients see of it."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.task import Clock
from twisted.logger import LogLevel, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from gows.certificates import ReloadingCertificate, readCertificate
from gows.errors import CannotStart
from gows.journal import Journal
from gows.watching import LOOK_EVERY
from tests.support import (
    TIMEOUT,
    Issued,
    Server,
    freePort,
    issue,
    pemOfChain,
    pemOfKey,
    rawOpening,
    recorder,
    until,
    webSocket,
)

CHAIN = "chain.pem"
KEY = "key.pem"

NOBODY: Any = object()
"""Stands for a connection where a certificate is the same for all."""


def trust(*authorities: Issued) -> ssl.SSLContext:
    """Make a client that trusts these alone, and checks the host's name."""
    return ssl.create_default_context(cadata=pemOfChain(*authorities).decode())


class CertificateCase(SynchronousTestCase):
    """
    Tests with a folder of PEM files.

    @ivar folder: where they are
    """

    def setUp(self) -> None:
        """Make an authority, an intermediate one, and a certificate of that one."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.root = issue("Root", isAuthority=True)
        self.middle = issue("Middle", self.root, isAuthority=True)
        self.leaf = issue("leaf", self.middle)
        self.trusting = trust(self.root)
        self.write(pemOfChain(self.leaf, self.middle), pemOfKey(self.leaf))

    def write(self, chain: bytes, key: bytes) -> None:
        """Write both files."""
        self.folder.joinpath(CHAIN).write_bytes(chain)
        self.folder.joinpath(KEY).write_bytes(key)

    @property
    def files(self) -> tuple[str, str]:
        """The paths of both files."""
        return str(self.folder / CHAIN), str(self.folder / KEY)

    def handshake(
        self, server: SSL.Connection, client: ssl.SSLContext, host: str = "localhost"
    ) -> dict[str, Any]:
        """
        Shake hands in memory.

        @return: the certificate that the client got
        @raise ssl.SSLError: as the client sees it
        """
        inbound, outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
        peer = client.wrap_bio(inbound, outbound, server_hostname=host)
        server.set_accept_state()
        while True:
            try:
                peer.do_handshake()
            except ssl.SSLWantReadError:
                pass
            else:
                return peer.getpeercert() or {}
            server.bio_write(outbound.read())
            try:
                server.do_handshake()
            except SSL.WantReadError:
                pass
            except SSL.Error:  # what it answers says why
                pass
            inbound.write(server.bio_read(65536))

    def shakeHands(self, client: ssl.SSLContext) -> dict[str, Any]:
        """Shake hands with a server that reads our files."""
        context = readCertificate(*self.files)
        return self.handshake(SSL.Connection(context, None), client)


class ReadCertificateTests(CertificateCase):
    """What may be in the files."""

    def refusal(self) -> str:
        """Answer the line that refuses the files as they are."""
        error = self.assertRaises(CannotStart, readCertificate, *self.files)
        self.assertNotIn("\n", str(error))
        return str(error)

    def test_chain(self) -> None:
        """The intermediate certificate is served: to trust the root is enough."""
        self.assertEqual(
            self.shakeHands(self.trusting)["subject"], ((("commonName", "leaf"),),)
        )

    def test_chainNeeded(self) -> None:
        """Without the intermediate one in the file, that client refuses."""
        self.write(pemOfChain(self.leaf), pemOfKey(self.leaf))

        refused = self.assertRaises(
            ssl.SSLCertVerificationError, self.shakeHands, self.trusting
        )
        self.assertIn("unable to get local issuer", refused.verify_message)

    def test_oneFile(self) -> None:
        """Certificate and key may be in one file, with text around them."""
        pem = b"leaf\n" + pemOfKey(self.leaf) + pemOfChain(self.leaf, self.middle)
        self.write(pem, pem)

        self.assertTrue(self.shakeHands(self.trusting))

    def test_oldTLS(self) -> None:
        """TLS 1.2 and 1.3 are spoken; who knows no more than 1.1 is told so."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = trust(self.root)
            client.minimum_version = client.maximum_version = version
            self.assertTrue(self.shakeHands(client), version)
        old = trust(self.root)
        old.set_ciphers("DEFAULT@SECLEVEL=0")  # or OpenSSL does not even offer it
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1

        error = self.assertRaises(ssl.SSLError, self.shakeHands, old)
        self.assertIn("PROTOCOL_VERSION", str(error.reason))

    def test_missing(self) -> None:
        """A file that is not there, or is a folder, is named with the reason."""
        chain, key = self.files
        os.remove(key)
        self.assertEqual(
            self.refusal(), f"{key} cannot be read: No such file or directory"
        )
        os.remove(chain)
        os.mkdir(chain)
        self.assertEqual(self.refusal(), f"{chain} cannot be read: Is a directory")

    def test_notACertificate(self) -> None:
        """A file without a certificate, or with a broken one, is named."""
        chain, _ = self.files
        key = pemOfKey(self.leaf)
        self.write(b"nonsense", key)
        self.assertEqual(self.refusal(), f"{chain} holds no PEM certificate")
        self.write(key, key)
        self.assertEqual(self.refusal(), f"{chain} holds no PEM certificate")
        good = pemOfChain(self.leaf)
        for broken in (good[:200], good + pemOfChain(self.middle)[:200]):
            self.write(broken, key)
            self.assertEqual(self.refusal(), f"{chain} holds a broken certificate")

    def test_notAKey(self) -> None:
        """A file without a private key, or with a broken one, is named."""
        chain, key = pemOfChain(self.leaf), pemOfKey(self.leaf)
        for broken in (b"", b"nonsense", chain, key[:100]):
            self.write(chain, broken)
            self.assertEqual(
                self.refusal(), f"{self.files[1]} holds no PEM private key"
            )

    def test_encryptedKey(self) -> None:
        """An encrypted key is refused; nobody is asked for a passphrase."""
        self.write(pemOfChain(self.leaf), pemOfKey(self.leaf, b"secret"))

        self.assertEqual(
            self.refusal(), f"the key in {self.files[1]} is encrypted: it must not be"
        )

    def test_mismatch(self) -> None:
        """A key of another certificate is refused, naming both files."""
        self.write(pemOfChain(self.leaf, self.middle), pemOfKey(self.middle))

        chain, key = self.files
        self.assertEqual(
            self.refusal(), f"the key in {key} does not fit the certificate in {chain}"
        )


class ReloadingCertificateTests(CertificateCase):
    """The watch over the files, on a clock that the tests move."""

    def setUp(self) -> None:
        """Start a service."""
        super().setUp()
        self.clock = Clock()
        self.events, observe = recorder()
        self.certificate = ReloadingCertificate(
            *self.files, Journal("info", self.clock, observe), self.clock
        )
        self.certificate.privilegedStartService()
        self.certificate.startService()

    def served(self) -> str:
        """Answer the name in the certificate that a new connection gets."""
        connection = self.certificate.serverConnectionForTLS(NOBODY)
        got = self.handshake(connection, self.trusting)
        [[(_, name)]] = got["subject"]
        return str(name)

    def renew(self, name: str) -> None:
        """Write a new certificate and its key."""
        issued = issue(name, self.middle)
        self.write(pemOfChain(issued, self.middle), pemOfKey(issued))

    def logged(self, level: LogLevel) -> list[str]:
        """Answer and forget the lines of one level."""
        lines = [formatEvent(e) for e in self.events if e["log_level"] == level]
        self.events.clear()
        return lines

    def test_interface(self) -> None:
        """It is what Twisted's TLS asks for connections."""
        verifyObject(IOpenSSLServerConnectionCreator, self.certificate)

    def test_unchanged(self) -> None:
        """While the files stay the same they are looked at, but not read."""
        self.assertEqual(
            self.logged(LogLevel.info), [f"certificate read from {self.files[0]}"]
        )
        self.clock.pump([LOOK_EVERY] * 5)

        self.assertEqual(self.events, [])
        self.assertEqual(self.served(), "leaf")

    def test_renewed(self) -> None:
        """Within a minute of a change, new connections get the new certificate."""
        self.logged(LogLevel.info)
        self.renew("renewed")
        self.assertEqual(self.served(), "leaf")
        self.clock.advance(LOOK_EVERY)

        self.assertEqual(LOOK_EVERY, 60)
        self.assertEqual(self.served(), "renewed")
        self.assertEqual(
            self.logged(LogLevel.info), [f"certificate read from {self.files[0]}"]
        )

    def test_replaced(self) -> None:
        """A new file of the same size and time, moved into place, counts as well."""
        issued = issue("leaf", self.middle)
        for name, pem in (
            (CHAIN, pemOfChain(issued, self.middle)),
            (KEY, pemOfKey(issued)),
        ):
            old = self.folder / name
            new = self.folder / f"{name}.new"
            new.write_bytes(pem)
            times = old.stat()
            os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
            new.replace(old)
        before = self.certificate.serverConnectionForTLS(NOBODY).get_context()
        self.clock.advance(LOOK_EVERY)

        after = self.certificate.serverConnectionForTLS(NOBODY).get_context()
        self.assertIsNot(after, before)

    def test_halfRenewed(self) -> None:
        """A look between the two files changes nothing; the next one finds both."""
        issued = issue("renewed", self.middle)
        self.write(pemOfChain(issued, self.middle), pemOfKey(self.leaf))
        self.clock.advance(LOOK_EVERY)

        [line] = self.logged(LogLevel.error)
        self.assertIn("the old one stays", line)
        self.assertIn("does not fit", line)
        self.assertEqual(self.served(), "leaf")
        self.write(pemOfChain(issued, self.middle), pemOfKey(issued))
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(self.served(), "renewed")

    def test_broken(self) -> None:
        """Broken or missing files keep the old one; that is said once, not forever."""
        self.write(b"nonsense", b"nonsense")
        self.clock.pump([LOOK_EVERY] * 3)
        self.assertEqual(len(self.logged(LogLevel.error)), 1)
        os.remove(self.files[0])
        self.clock.pump([LOOK_EVERY] * 3)
        [line] = self.logged(LogLevel.error)

        self.assertIn("No such file or directory", line)
        self.assertEqual(self.served(), "leaf")
        self.renew("repaired")
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(self.served(), "repaired")

    def test_reload(self) -> None:
        """Told to, it reads the files at once, changed or not."""
        self.renew("renewed")
        self.certificate.reload()
        self.assertEqual(self.served(), "renewed")
        self.logged(LogLevel.info)
        self.certificate.reload()
        self.assertEqual(len(self.logged(LogLevel.info)), 1)

    def test_stop(self) -> None:
        """Once stopped it looks at nothing any more."""
        self.certificate.stopService()

        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_startWithoutPrivileges(self) -> None:
        """A plain start reads the files as well; broken ones end it."""
        journal = Journal("info", self.clock)
        plain = ReloadingCertificate(*self.files, journal, Clock())
        plain.startService()
        self.addCleanup(plain.stopService)
        self.assertIsInstance(
            plain.serverConnectionForTLS(NOBODY),
            SSL.Connection,
        )
        os.remove(self.files[1])

        broken = ReloadingCertificate(*self.files, journal, Clock())
        self.assertRaises(CannotStart, broken.startService)


class SecureServerTests(CertificateCase):
    """A real server, and clients that check its certificate."""

    def nameAt(self, server: Server) -> str:
        """Answer the name in the certificate that a new connection gets."""
        with (
            socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as peer,
            self.trusting.wrap_socket(peer, server_hostname="localhost") as secure,
        ):
            got: Any = secure.getpeercert()
            [[(_, name)]] = got["subject"]
            return str(name)

    def reload(self, server: Server, pattern: str) -> None:
        """Send SIGHUP, and wait until the log has one line more of a kind."""
        before = len(re.findall(pattern, server.log()))
        server.send(signal.SIGHUP)
        until(lambda: len(re.findall(pattern, server.log())) > before)

    def test_reload(self) -> None:
        """
        SIGHUP gives new connections the new certificate; open ones live on.

        A broken file keeps the old one and is an error in the log.
        """
        chain, key = self.files
        with (
            Server("--cert", chain, "--key", key, secure=True) as server,
            webSocket(server.wsUrl, ssl=self.trusting) as client,
        ):
            self.assertEqual(self.nameAt(server), "leaf")
            renewed = issue("renewed", self.middle)
            self.write(pemOfChain(renewed, self.middle), pemOfKey(renewed))
            self.reload(server, "certificate read from")
            self.assertEqual(self.nameAt(server), "renewed")

            self.write(b"nonsense", pemOfKey(renewed))
            self.reload(server, "#error] the certificate was not read again")
            self.assertEqual(self.nameAt(server), "renewed")
            self.assertIn(f"{chain} holds no PEM certificate", server.log())

            with webSocket(server.wsUrl, "specialKey=bob", ssl=self.trusting) as other:
                client.send("still here")
                self.assertEqual(client.recv(timeout=TIMEOUT), "still here")
                self.assertEqual(other.recv(timeout=TIMEOUT), "still here")
            self.assertNotIn("Traceback", server.log())

    def test_negotiation(self) -> None:
        """
        Who offers HTTP/2 as well, as browsers and curl do, is answered HTTP/1.1.

        At the public door and at the operators', whoever brings the certificate.
        """
        chain, key = self.files
        pems = self.folder / "pems"
        pems.mkdir()
        pem = pemOfKey(self.leaf) + pemOfChain(self.leaf, self.middle)
        pems.joinpath("localhost.pem").write_bytes(pem)
        ports = [freePort() for _ in range(4)]
        plain, own, byName, admin = (f"{port}:interface=127.0.0.1" for port in ports)
        files = f"certKey={chain}:privateKey={key}"
        listen = (f"tcp:{plain}", f"ssl:{own}:{files}", f"tls:{pems}:{byName}")
        flags = [word for each in listen for word in ("--listen", each)]
        flags += ["--admin", f"ssl:{admin}:{files}"]
        trusting = trust(self.root, self.middle)
        trusting.set_alpn_protocols(["h2", "http/1.1"])
        with Server(*flags, "--cert", chain, "--key", key, listens=False, doors=4):
            health = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200 OK"
            opening = rawOpening("specialKey=alice"), b"101 Switching Protocols"
            for port, (request, status) in zip(
                ports, [opening] * 3 + [health], strict=True
            ):
                peer = socket.create_connection(("127.0.0.1", port), TIMEOUT)
                with trusting.wrap_socket(peer, server_hostname="localhost") as secure:
                    self.assertEqual(secure.selected_alpn_protocol(), "http/1.1")
                    secure.sendall(request)
                    answer = secure.recv(1024)
                    self.assertEqual(
                        answer.partition(b"\r\n")[0], b"HTTP/1.1 " + status
                    )

    def test_oldTLS(self) -> None:
        """Nobody gets in with TLS 1.1: the server says that it is too old."""
        chain, key = self.files
        old = trust(self.root)
        old.set_ciphers("DEFAULT@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with (
            Server("--cert", chain, "--key", key, secure=True) as server,
            socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as peer,
        ):
            refused = self.assertRaises(
                ssl.SSLError, old.wrap_socket, peer, server_hostname="localhost"
            )

            self.assertIn("PROTOCOL_VERSION", str(refused.reason))
            self.assertEqual(self.nameAt(server), "leaf")
