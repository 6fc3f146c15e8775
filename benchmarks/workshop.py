"""
The scratch folder C{.bench}: what is built and installed for the benchmarks.

Each peer needs one part of it. What cannot be made raises L{LeftOut}.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"
SCRATCH = ROOT / ".bench"

GCC = ("gcc", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-o")
GO_PATH = "/usr/share/gocode"
GO_PACKAGES = (
    "golang-go",
    "golang-github-gorilla-websocket-dev",
    "golang-github-gin-gonic-gin-dev",
)
SECONDS = 600


class LeftOut(Exception):
    """
    Something cannot be measured here; the message says why, in one line.
    """


def do(
    command: Sequence[str],
    where: Path = ROOT,
    environment: dict[str, str] | None = None,
) -> str:
    """
    Run a command to its end and answer what it printed.

    @param environment: variables beside those that are there
    """
    try:
        done = subprocess.run(
            command,
            cwd=where,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LeftOut(f"{command[0]}: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        raise LeftOut(f"{command[0]} failed: {lines[-1][:200]}")
    return done.stdout


def needDebian(*packages: str) -> None:
    """
    See to it that Debian packages are installed.
    """
    if not shutil.which("dpkg-query"):
        raise LeftOut("not a Debian: it takes " + ", ".join(packages))
    missing = [name for name in packages if not _isInstalled(name)]
    if not missing:
        return
    if os.geteuid() != 0:
        raise LeftOut("not root, and not installed: " + ", ".join(missing))
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    do(["apt-get", "update", "-q"])
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends"]
    do([*install, *missing], environment=quiet)


def _isInstalled(name: str) -> bool:
    try:
        return "ok installed" in do(["dpkg-query", "-W", "-f=${Status}", name])
    except LeftOut:
        return False


def debianVersion(name: str) -> str:
    """
    The installed version of a Debian package, without its epoch.
    """
    return do(["dpkg-query", "-W", "-f=${Version}", name]).rpartition(":")[2]


def _isOlder(made: Path, sources: Sequence[Path]) -> bool:
    if not made.exists():
        return True
    return made.stat().st_mtime < max(source.stat().st_mtime for source in sources)


def compileC(name: str, sources: Sequence[Path], libraries: Sequence[str]) -> Path:
    """
    Build a C program, when it is not newer than its sources.
    """
    SCRATCH.mkdir(exist_ok=True)
    made = SCRATCH / name
    if _isOlder(made, sources):
        if not shutil.which("gcc"):
            needDebian("gcc", "libc6-dev")
        if not Path("/usr/include/openssl/ssl.h").exists():
            needDebian("libssl-dev")
        code = [str(source) for source in sources if source.suffix == ".c"]
        do([*GCC, str(made), *code, *libraries])
    return made


def load() -> Path:
    """
    The load generator.
    """
    sources = sorted((HERE / "load").glob("*.[ch]"))
    return compileC("load", sources, ["-lssl", "-lcrypto"])


def compileGo(name: str) -> Path:
    """
    Build a Go program of C{peers/} with Debian's packages.
    """
    source = HERE / "peers" / name / "main.go"
    made = SCRATCH / name
    if _isOlder(made, [source]):
        needDebian(*GO_PACKAGES)
        where = {"GO111MODULE": "off", "GOPATH": GO_PATH, "GOFLAGS": ""}
        do(["go", "build", "-o", str(made), str(source)], environment=where)
    return made


def python(*packages: str) -> Path:
    """
    The Python of a venv of the peers' own, with packages from PyPI in it.
    """
    home = SCRATCH / "venv"
    interpreter = home / "bin" / "python"
    if not interpreter.exists():
        do([sys.executable, "-m", "venv", str(home)])
    for package in packages:
        if not versionOf(package):
            do([str(interpreter), "-m", "pip", "install", "-q", package])
    return interpreter


def versionOf(package: str) -> str:
    """
    The version of a package in the peers' venv; empty when it is not there.
    """
    name = package.replace("-", "_")
    found = sorted((SCRATCH / "venv").glob(f"lib/*/site-packages/{name}-*.dist-info"))
    return found[0].name.split("-")[1].removesuffix(".dist") if found else ""


def nodeModules(package: str) -> Path:
    """
    The folder of an npm package and of its neighbours.
    """
    folder = SCRATCH / "node_modules"
    if not shutil.which("node") or not shutil.which("npm"):
        needDebian("nodejs", "npm")
    if not (folder / package).exists():
        do(["npm", "install", "--no-save", "--prefix", str(SCRATCH), package], SCRATCH)
    return folder


def certificate() -> tuple[Path, Path]:
    """
    A self-signed certificate and its key, in PEM files.
    """
    cert, key = SCRATCH / "cert.pem", SCRATCH / "key.pem"
    if not (cert.exists() and key.exists()):
        SCRATCH.mkdir(exist_ok=True)
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        files = ["-keyout", str(key), "-out", str(cert)]
        name = ["-subj", "/CN=localhost", "-days", "3650"]
        do(["openssl", "req", "-x509", *curve, "-nodes", *files, *name])
    return cert, key
