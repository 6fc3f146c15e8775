"""What the tests share: a real server, an in-memory one, certificates."""

from __future__ import annotations

import base64
import datetime
import hashlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.logger import ILogObserver
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from zope.interface import provider

TIMEOUT = 20.0
"""Seconds after which something that should happen has failed to."""

ROOT = Path(__file__).resolve().parent.parent

BIN = Path(sys.executable).parent
"""Where C{twistd} and C{twist} are."""

FOREGROUND = ("twistd", "-n", "--pidfile=")
"""A twistd that does not daemonise."""

T = TypeVar("T")


def until(condition: Callable[[], T | None], timeout: float = TIMEOUT) -> T:
    """
    Wait until a condition holds, and answer what it gave.

    @raise AssertionError: if it does not in time
    """
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{condition} did not hold within {timeout} s")
        time.sleep(0.01)
    return result


def freePort() -> int:
    """Find a TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def environment(**variables: str) -> dict[str, str]:
    """Make an environment for a server: ours, without settings of gows."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GOWS_")}
    path = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **variables}


class Server:
    """
    A real C{twistd -n gows} in a process of its own.

    @ivar port: where it listens, on 127.0.0.1
    @ivar folder: its working directory, for files of the test as well
    """

    def __init__(
        self,
        *arguments: str,
        port: int | None = None,
        variables: dict[str, str] | None = None,
        listens: bool = True,
        runner: tuple[str, ...] = (),
        secure: bool = False,
        program: tuple[str, ...] = FOREGROUND,
        launcher: tuple[str, ...] = (),
        logName: str = "twistd.out",
        doors: int = 1,
    ) -> None:
        """
        Describe a server; it is started by C{with}.

        @param arguments: for gows, besides C{--port}
        @param port: L{None}: a free one
        @param listens: false where the arguments say C{--listen}
        @param runner: further arguments for twistd itself
        @param program: what runs it, and how
        @param launcher: a command that runs the command that follows it
        @param logName: the file in L{folder} that L{log} reads, where the arguments
            say C{--log-file}
        @param doors: how many ports it opens
        """
        self.port = freePort() if port is None else port
        self._scheme = "s" if secure else ""
        self._arguments = [*arguments]
        if listens:
            self._arguments += ["--port", str(self.port)]
        self._runner = runner
        self._variables = variables or {}
        self._temporary = tempfile.TemporaryDirectory(prefix="gows-test-")
        self.folder = Path(self._temporary.name)
        self._log = self.folder / logName
        self._doors = doors
        self._command = [*launcher, str(BIN / program[0]), *program[1:]]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"http{self._scheme}://127.0.0.1:{self.port}/"

    @property
    def wsUrl(self) -> str:
        """Where its WebSocket is, without a query."""
        return f"ws{self._scheme}://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        """Start it, and wait until it listens."""
        self.start()
        try:
            until(
                lambda: (
                    self.log().count("listening on") >= self._doors or self.hasEnded()
                )
            )
            if self.hasEnded():
                raise AssertionError(f"the server did not start:\n{self.output()}")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it, if it still runs."""
        if not self.hasEnded():
            self.kill()
        self._temporary.cleanup()

    def start(self) -> None:
        """Start the process."""
        with (self.folder / "twistd.out").open("ab") as log:
            self.process = subprocess.Popen(
                [*self._command, *self._runner, "gows", *self._arguments],
                cwd=self.folder,
                env=environment(**self._variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def log(self) -> str:
        """Read all that it has written."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def output(self) -> str:
        """Read what it has written to standard output and standard error."""
        return (self.folder / "twistd.out").read_text("utf-8", "replace")

    def waitForLog(self, pattern: str) -> re.Match[str]:
        """Wait until a line of the log matches."""
        return until(lambda: re.search(pattern, self.log(), re.MULTILINE))

    def hasEnded(self) -> bool:
        """Tell whether the process is gone, or never was."""
        return self.process is None or self.process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, timeout: float = TIMEOUT) -> int:
        """Wait for its end and answer the status, negative for a signal."""
        assert self.process is not None
        return self.process.wait(timeout)

    def memory(self, field: str = "VmRSS") -> int:
        """Read the resident set, in bytes; C{VmHWM} is the largest it has been."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{field}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


class Ended(NamedTuple):
    """
    How a command ended.

    @ivar status: negative for a signal
    @ivar out: its standard output
    @ivar err: its standard error
    """

    status: int
    out: str
    err: str


def run(
    *commands: Iterable[str], folder: Path, variables: dict[str, str] | None = None
) -> list[Ended]:
    """
    Run commands side by side, wait for the end of all, and answer how they ended.

    @param commands: C{twistd} and C{twist} are those beside the interpreter
    @param folder: where they run
    @raise AssertionError: if one has not ended, or not closed its standard error,
        in time
    """
    with ExitStack() as stack:
        processes = []
        for program, *arguments in commands:
            process = subprocess.Popen(
                [str(BIN / program), *arguments],  # absolute ones stay what they are
                cwd=folder,
                env=environment(**(variables or {})),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        ended = []
        for process in processes:
            try:
                out, err = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired as error:
                raise AssertionError(f"has not ended: {error}") from None
            ended.append(Ended(process.returncode, out, err))
        return ended


def webSocket(
    url: str, query: str = "specialKey=alice", **options: Any
) -> ClientConnection:
    """
    Open a WebSocket, with a client that is not Autobahn.

    With TLS it is 1.2: this client reads and writes in two threads, which OpenSSL does
    not allow, and Python guards from 3.13 on. A ticket of TLS 1.3 that comes while the
    request leaves loses it, once in a thousand openings, whatever the server.

    @param url: without a query
    @return: to be used with C{with} or C{enterContext}
    """
    if isinstance(context := options.get("ssl"), ssl.SSLContext):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    options = {
        "proxy": None,
        "open_timeout": TIMEOUT,
        "ping_interval": None,
        "compression": None,
        "max_size": None,
        **options,
    }
    connection: ClientConnection = connect(f"{url}?{query}", **options)
    return connection


class Farewell(NamedTuple):
    """
    What a client got until its connection ended.

    @ivar messages: those that had not been read before
    @ivar code: of the server's close frame
    @ivar reason: of the server's close frame
    """

    messages: list[str | bytes]
    code: int
    reason: str


def untilClosed(client: ClientConnection) -> Farewell:
    """
    Read until the server closes the connection.

    @raise AssertionError: if the line is cut, without a close frame
    @raise TimeoutError: if neither happens in time
    """
    messages: list[str | bytes] = []
    try:
        while True:
            messages.append(client.recv(timeout=TIMEOUT))
    except ConnectionClosed as closed:
        if closed.rcvd is None:
            raise AssertionError("there was no close frame") from closed
        return Farewell(messages, closed.rcvd.code, closed.rcvd.reason)


def rawOpening(query: str = "specialKey=alice", headers: str = "") -> bytes:
    """
    Write the opening of a WebSocket as bytes.

    @param headers: further lines, each with its end
    """
    return (
        f"GET /?{query} HTTP/1.1\r\nHost: gows.test\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{headers}"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def rawWebSocket(
    port: int, query: str = "specialKey=alice", headers: str = ""
) -> socket.socket:
    """Open a WebSocket that does nothing by itself: no pong, no close."""
    peer = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    try:
        peer.sendall(rawOpening(query, headers))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            received = peer.recv(1)
            if not received:
                raise AssertionError(f"no answer to the opening, but {answer!r}")
            answer += received
        if not answer.startswith(b"HTTP/1.1 101 "):
            raise AssertionError(f"the opening was refused: {answer!r}")
    except BaseException:
        peer.close()
        raise
    return peer


def received(peer: socket.socket) -> bytes:
    """Read all that comes until the other side ends or cuts the connection."""
    parts = []
    try:
        while part := peer.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


Issued = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]
"""A certificate and its key."""


KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def issue(name: str, issuer: Issued | None = None, isAuthority: bool = False) -> Issued:
    """
    Make a certificate for 127.0.0.1, ::1 and localhost, valid for a day.

    @param issuer: who signs it; L{None}: it signs itself
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signingKey = issuer if issuer else (None, key)
    now = datetime.datetime.now(datetime.UTC)
    addresses = [x509.IPAddress(ip_address(text)) for text in ("127.0.0.1", "::1")]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]),
            critical=False,
        )
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signingKey.public_key()),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(isAuthority, None), critical=True)
    )
    if isAuthority:  # as Python 3.13 insists
        usage = dict.fromkeys(KEY_USAGES, False) | {"key_cert_sign": True}
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    return builder.sign(signingKey, hashes.SHA256()), key


def pemOfChain(*chain: Issued) -> bytes:
    """Write certificates as PEM, one after the other."""
    encoding = serialization.Encoding.PEM
    return b"".join(certificate.public_bytes(encoding) for certificate, _ in chain)


def pemOfKey(issued: Issued, passphrase: bytes | None = None) -> bytes:
    """Write a certificate's key as PEM, encrypted if there is a passphrase."""
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return issued[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def selfSigned(folder: Path, name: str = "gows.test") -> tuple[Path, Path]:
    """
    Make a certificate for 127.0.0.1 and localhost that signs itself.

    @return: the PEM files of the certificate and its key
    """
    issued = issue(name)
    certFile, keyFile = folder / f"{name}.crt", folder / f"{name}.key"
    certFile.write_bytes(pemOfChain(issued))
    keyFile.write_bytes(pemOfKey(issued))
    return certFile, keyFile


def fingerprint(certFile: Path) -> str:
    """Answer the SHA-256 of a certificate's public key, as RFC 7469 writes it."""
    certificate = x509.load_pem_x509_certificate(certFile.read_bytes())
    key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def recorder() -> tuple[list[dict[str, Any]], Callable[[dict[str, Any]], None]]:
    """Make a log observer and the list it fills."""
    events: list[dict[str, Any]] = []

    @provider(ILogObserver)
    def observe(event: dict[str, Any]) -> None:
        events.append(event)

    return events, observe
