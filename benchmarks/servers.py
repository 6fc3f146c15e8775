"""
The servers that are measured: gows and its peers, and how each is started.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from signal import SIGKILL

from benchmarks import workshop
from benchmarks.workshop import HERE, SCRATCH, LeftOut

START_SECONDS = 20.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.05

PEERS_FOLDER = HERE / "peers"
NODE_MEMORY = "--max-old-space-size=4096"
OURS = ("GOWS_TWISTD", "GOWS_FLAGS")

Command = list[str]


@dataclass(frozen=True)
class Server:
    """
    A server that can be measured.

    @ivar title: what it is, for a reader who does not know it
    @ivar command: prepares what is needed and answers the command for a mode
        (C{broadcast}, C{echo}, C{tls}) and a port, or raises L{LeftOut}
    @ivar version: the version, once it is prepared
    """

    name: str
    title: str
    command: Callable[[str, int], Command]
    version: Callable[[], str]


def twistd() -> str:
    """
    The C{twistd} to measure: that beside this Python, or the one of GOWS_TWISTD.
    """
    return os.environ.get("GOWS_TWISTD") or str(Path(sys.executable).parent / "twistd")


def _gows(mode: str, port: int) -> Command:
    # Peers do not log: neither does gows, except of what went wrong.
    command = [twistd(), "-n", "--pidfile=", "gows", "--port", str(port)]
    command += ["--log-level", "warn"]
    if mode == "echo":
        command += ["--app", "gows_echo.Echo"]
    if mode == "tls":
        cert, key = workshop.certificate()
        command += ["--cert", str(cert), "--key", str(key)]
    return command + shlex.split(os.environ.get("GOWS_FLAGS", ""))


def _gowsVersion() -> str:
    with suppress(LeftOut):
        head = workshop.do(["git", "describe", "--always", "--dirty"]).strip()
        return f"{version('gows')} ({head}), Twisted {version('twisted')}"
    return version("gows")


def _uncounted(mode: str, port: int) -> Command:
    python = Path(twistd()).with_name("python")
    return [str(python), str(PEERS_FOLDER / "gows_uncounted.py"), str(port)]


def _sendloop(mode: str, port: int) -> Command:
    source = PEERS_FOLDER / "sendloop.c"
    return [str(workshop.compileC("sendloop", [source], ["-lcrypto"])), str(port)]


def _gccVersion() -> str:
    return workshop.do(["gcc", "--version"]).splitlines()[0]


def _go(name: str) -> Callable[[str, int], Command]:
    def command(mode: str, port: int) -> Command:
        files = map(str, workshop.certificate()) if mode == "tls" else ()
        return [str(workshop.compileGo(name)), str(port), mode, *files]

    return command


def _goVersion(package: str) -> Callable[[], str]:
    def found() -> str:
        go = workshop.do(["go", "version"]).split()[2].removeprefix("go")
        return f"{workshop.debianVersion(package)}, Go {go}"

    return found


def _nchan(mode: str, port: int) -> Command:
    workshop.needDebian("nginx", "libnginx-mod-nchan")
    folder = SCRATCH / "nchan"
    folder.mkdir(parents=True, exist_ok=True)
    text = (PEERS_FOLDER / "nchan.conf").read_text()
    (folder / "nchan.conf").write_text(text.replace("PORT", str(port)))
    return ["/usr/sbin/nginx", "-p", str(folder), "-c", "nchan.conf"]


def _nchanVersion() -> str:
    nginx = workshop.debianVersion("nginx")
    return f"{workshop.debianVersion('libnginx-mod-nchan')}, nginx {nginx}"


def _ws(mode: str, port: int) -> Command:
    folder = workshop.nodeModules("ws")
    script = str(PEERS_FOLDER / "ws.js")
    return ["node", NODE_MEMORY, script, str(folder / "ws"), str(port), mode]


def _wsVersion() -> str:
    package = str(workshop.nodeModules("ws") / "ws" / "package.json")
    tell = f"console.log(require({package!r}).version, process.version)"
    ws, node = workshop.do(["node", "-e", tell]).split()
    return f"{ws}, Node {node.removeprefix('v')}"


def _pypi(*packages: str) -> Callable[[str, int], Command]:
    def command(mode: str, port: int) -> Command:
        script = PEERS_FOLDER / f"{packages[0]}_.py"
        return [str(workshop.python(*packages)), str(script), str(port), mode]

    return command


def _pypiVersion(package: str, *others: str) -> Callable[[], str]:
    def found() -> str:
        beside = [f"{name} {workshop.versionOf(name)}" for name in others]
        python = f"Python {sys.version.split()[0]}"
        return ", ".join([workshop.versionOf(package), *beside, python])

    return found


SERVERS = {
    server.name: server
    for server in (
        Server("gows", "gows", _gows, _gowsVersion),
        Server("uncounted", "gows, counting nothing", _uncounted, _gowsVersion),
        Server("sendloop", "bare send() loop in C", _sendloop, _gccVersion),
        Server(
            "uwebsockets",
            "uWebSockets (socketify)",
            _pypi("socketify"),
            _pypiVersion("socketify"),
        ),
        Server(
            "picows",
            "picows",
            _pypi("picows", "uvloop"),
            _pypiVersion("picows", "uvloop"),
        ),
        Server("nchan", "Nchan", _nchan, _nchanVersion),
        Server(
            "gorilla",
            "gorilla hub",
            _go("gorilla_hub"),
            _goVersion("golang-github-gorilla-websocket-dev"),
        ),
        Server(
            "gin",
            "gorilla + gin",
            _go("gorilla_gin"),
            _goVersion("golang-github-gin-gonic-gin-dev"),
        ),
        Server("ws", "ws (Node)", _ws, _wsVersion),
        Server(
            "websockets",
            "websockets (Python)",
            _pypi("websockets", "uvloop"),
            _pypiVersion("websockets", "uvloop"),
        ),
    )
}
"""What can be measured, by name. gows is always measured."""


@dataclass(frozen=True)
class Running:
    """
    A server that listens.

    @ivar port: on 127.0.0.1
    """

    pid: int
    port: int


def _environment() -> dict[str, str]:
    # What begins with GOWS_ is a setting to gows, and ours would be unknown ones.
    kept = {key: value for key, value in os.environ.items() if key not in OURS}
    return kept | {"PYTHONPATH": str(PEERS_FOLDER)}


def _freePort() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(server: Server, mode: str) -> Iterator[Running]:
    """
    Start a server, and end it when the block is left, however it is left.
    """
    port = _freePort()
    command = server.command(mode, port)
    log = SCRATCH / f"{server.name}.log"
    # Away from the checkout: twistd imports from where it is started, and it may
    # be the twistd of another checkout.
    with log.open("wb") as out:
        child = subprocess.Popen(
            command,
            cwd=SCRATCH,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        _awaitListening(child, port, log)
        yield Running(child.pid, port)
    finally:
        _end(child)


def _awaitListening(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), START_SECONDS).close()
        except OSError:
            time.sleep(POLL_SECONDS)
        else:
            return
    lines = log.read_text(errors="replace").strip().splitlines() or ["no output"]
    raise LeftOut(f"it did not start: {lines[-1][:200]}")


def _end(child: subprocess.Popen[bytes]) -> None:
    """
    End a child, and what it has started: all of that is in a session of its own.
    """
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, SIGKILL)
