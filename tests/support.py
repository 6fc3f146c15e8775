"""What the tests share: a real server, an in-memory one, certificates."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from twisted.logger import ILogObserver
from zope.interface import provider

TIMEOUT = 20.0
"""Seconds after which something that should happen has failed to."""

ROOT = Path(__file__).resolve().parent.parent

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
    ) -> None:
        """
        Describe a server; it is started by C{with}.

        @param arguments: for gows, besides C{--port}
        @param port: L{None}: a free one
        @param listens: false where the arguments say C{--listen}
        @param runner: further arguments for twistd itself
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
        self._log = self.folder / "twistd.out"
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
        until(lambda: "listening on" in self.log() or self.hasEnded())
        if self.hasEnded():
            raise AssertionError(f"the server did not start:\n{self.log()}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it, if it still runs."""
        if not self.hasEnded():
            self.kill()
        self._temporary.cleanup()

    def start(self) -> None:
        """Start the process."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(Path(sys.executable).with_name("twistd")),
                    "-n",
                    "--pidfile=",
                    *self._runner,
                    "gows",
                    *self._arguments,
                ],
                cwd=self.folder,
                env=environment(**self._variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def log(self) -> str:
        """Read all that it has written."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

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

    def memory(self) -> int:
        """Read the resident set, in bytes."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


def selfSigned(folder: Path, name: str = "gows.test") -> tuple[Path, Path]:
    """
    Make a certificate for 127.0.0.1 and localhost that signs itself.

    @return: the PEM files of the certificate and its key
    """
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                ]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    certFile, keyFile = folder / f"{name}.crt", folder / f"{name}.key"
    certFile.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    keyFile.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certFile, keyFile


def recorder() -> tuple[list[dict[str, Any]], Callable[[dict[str, Any]], None]]:
    """Make a log observer and the list it fills."""
    events: list[dict[str, Any]] = []

    @provider(ILogObserver)
    def observe(event: dict[str, Any]) -> None:
        events.append(event)

    return events, observe
