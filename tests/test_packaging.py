"""Tests for the package: what is in it, and that what is installed runs."""

from __future__ import annotations

import functools
import http.client
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gows import __version__
from tests.support import ROOT, TIMEOUT, Server, webSocket

PATIENCE = 120.0
"""Seconds that pip may take."""

SCRIPT = """\
#!{python}
import sys
from twisted.{module} import {name}
sys.exit({name}{call})
"""

DEPENDENCIES = {
    "autobahn",
    "joserfc",
    "msgspec",
    "prometheus_client",
    "pyinstrument",
    "pyopenssl",
    "service_identity",
    "twisted[tls]",
}

NOT_COPIED = shutil.ignore_patterns(
    ".*", "_trial_temp*", "build", "dist", "*.egg-info", "__pycache__", "dropin.cache"
)


class Venv:
    """
    A fresh venv without pip.

    The dependencies are those of the interpreter that runs the tests: its
    C{site-packages} come behind the venv's own. What these hold of gows itself
    does not matter: an editable install is a C{.pth} file, which does not count
    there, and a plain one comes second.

    @ivar python: its interpreter
    @ivar site: its C{site-packages}
    """

    def __init__(self, folder: Path, *before: Path) -> None:
        """
        Make it, with the scripts that Twisted installs.

        @param before: further C{site-packages}, ahead of the dependencies
        """
        venv.create(folder)
        self.python = folder / "bin" / "python"
        [self.site] = folder.glob("lib/python3*/site-packages")
        ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        paths = [*map(str, before), *sorted(ours)]
        self.site.joinpath("dependencies.pth").write_text("\n".join(paths))
        self._script("twistd", "scripts.twistd", "run", "()")
        self._script("twist", "application.twist._twist", "Twist", ".main()")

    def _script(self, program: str, module: str, name: str, call: str) -> None:
        path = self.python.with_name(program)
        path.write_text(
            SCRIPT.format(python=self.python, module=module, name=name, call=call)
        )
        path.chmod(0o755)

    def pip(self, *arguments: str) -> None:
        """Run pip on this venv."""
        run(
            *(sys.executable, "-m", "pip", f"--python={self.python}"),
            *("--disable-pip-version-check", *arguments),
        )

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of this venv, and answer what it prints."""
        return run(str(self.python.with_name(program)), *arguments)


def run(*command: str) -> str:
    """
    Run a command outside of the checkout, with nothing that leads back to it.

    @return: its standard output
    @raise AssertionError: if it fails
    """
    kept = {k: v for k, v in os.environ.items() if not re.match("GOWS_|PYTHON", k)}
    done = subprocess.run(
        command,
        cwd="/",
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{command}: {done.stdout}\n{done.stderr}")
    return done.stdout


def copyOfTree(folder: Path) -> Path:
    """Copy the checkout, without what git ignores, and answer where it is."""
    return shutil.copytree(ROOT, folder / "gows-copy", ignore=NOT_COPIED)


def filesOf(folder: str) -> set[str]:
    """List what is in a folder of the checkout, but for what Python leaves there."""
    return {
        str(path.relative_to(ROOT))
        for path in ROOT.glob(f"{folder}/**/[!.]*")
        if path.is_file() and path.suffix not in (".pyc", ".cache")
    }


class Built:
    """
    The sdist, and the wheel that is built from it.

    @ivar tools: the C{site-packages} that hold what the build needs
    """

    def __init__(self) -> None:
        """Build them, as C{python -m build} does."""
        folder = Path("packaging").absolute()
        folder.mkdir()
        tree = copyOfTree(folder)
        required = tomllib.loads((tree / "pyproject.toml").read_text())["build-system"]
        builder = Venv(folder / "builder")
        builder.pip("install", "--quiet", *required["requires"])
        self.tools = builder.site
        dist = folder / "dist"
        builder.run(
            "python", "-m", "build", "--no-isolation", f"--outdir={dist}", str(tree)
        )
        [self.wheel] = dist.glob("*.whl")
        [self.sdist] = dist.glob("*.tar.gz")


built = functools.cache(Built)
"""Builds once for all tests, in the folder in which trial runs them."""


class ContentTests(SynchronousTestCase):
    """What is in the wheel and in the sdist."""

    def test_wheel(self) -> None:
        """The wheel holds the modules, the page, the plugin, the marker for types."""
        with zipfile.ZipFile(built().wheel) as wheel:
            names = {name for name in wheel.namelist() if ".dist-info/" not in name}

        self.assertEqual(names, filesOf("gows") | filesOf("twisted"))
        self.assertIn("twisted/plugins/gows_plugin.py", names)
        self.assertIn("gows/py.typed", names)
        self.assertIn("gows/web/page/index.html", names)

    def test_metadata(self) -> None:
        """Its metadata say what it needs, and that any newer one will do."""
        with zipfile.ZipFile(built().wheel) as wheel:
            [name] = [each for each in wheel.namelist() if each.endswith("/METADATA")]
            metadata = Parser().parsestr(wheel.read(name).decode())
        self.assertEqual(metadata["Version"], __version__)
        self.assertEqual(metadata["Requires-Python"], ">=3.11")
        needed = [
            requirement.replace(" ", "")
            for requirement in metadata.get_all("Requires-Dist", [])
            if "extra ==" not in requirement
        ]

        for requirement in needed:
            self.assertRegex(requirement, r"^[\w\[\]]+>=[\d.]+$")
        self.assertEqual({each.partition(">")[0] for each in needed}, DEPENDENCIES)

    def test_sdist(self) -> None:
        """The sdist holds the tests, the examples and the documentation too."""
        with tarfile.open(built().sdist) as sdist:
            names = {name.partition("/")[2] for name in sdist.getnames()}

        for folder in ("gows", "tests", "etc", "docs", "twisted"):
            self.assertTrue(filesOf(folder), folder)
            self.assertEqual(filesOf(folder) - names, set())
        for name in ("README.md", "LICENSE", "CHANGELOG.md", "Makefile", "setup.cfg"):
            self.assertIn(name, names)
        self.assertEqual([name for name in names if name.endswith(".pyc")], [])


class InstalledTests(SynchronousTestCase):
    """What is installed runs where there is no checkout and no PYTHONPATH."""

    def setUp(self) -> None:
        """Make a folder that is not in the checkout."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def install(self, *arguments: str) -> Venv:
        """Install gows, and nothing else, into a fresh venv."""
        target = Venv(self.folder / "venv", built().tools)
        target.pip(
            "install", "--quiet", "--no-deps", "--no-build-isolation", *arguments
        )
        return target

    def assertRuns(self, installed: Venv, home: Path) -> None:
        """
        Check that gows runs.

        @param home: where its modules must come from
        """
        where = installed.run("python", "-c", "import gows; print(gows.__file__)")
        self.assertEqual(where.strip(), str(home / "gows" / "__init__.py"))
        for program in ("twistd", "twist"):
            shown = installed.run(program, "--help")
            self.assertRegex(shown, r"\n +gows +A WebSocket chat server")
        self.assertRegex(installed.run("gows", "--version"), r"^gows \d")
        self.assertIn("EdDSA", installed.run("gows", "key", "new"))

        twistd = str(installed.python.with_name("twistd"))
        with Server(
            program=(twistd, "-n", "--pidfile="), variables={"PYTHONPATH": ""}
        ) as server:
            self.assertNotIn(ROOT, (server.folder, *server.folder.parents))
            self.assertEqual(self.get(server, "/healthz"), "ok\n")
            self.assertIn("chat.js", self.get(server, "/"))
            with webSocket(server.wsUrl) as client:
                client.send("hello")
                self.assertEqual(client.recv(timeout=TIMEOUT), "hello")

    def get(self, server: Server, target: str) -> str:
        """Answer what a plain request is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, TIMEOUT)
        self.addCleanup(connection.close)
        connection.request("GET", target)
        return connection.getresponse().read().decode()

    def test_wheel(self) -> None:
        """The wheel, installed."""
        installed = self.install(str(built().wheel))

        self.assertRuns(installed, installed.site)

    def test_tree(self) -> None:
        """C{pip install .}"""
        installed = self.install(str(copyOfTree(self.folder)))

        self.assertRuns(installed, installed.site)

    def test_editable(self) -> None:
        """C{pip install -e .}: what is changed in the tree is what runs."""
        tree = copyOfTree(self.folder)
        installed = self.install("--editable", str(tree))

        self.assertRuns(installed, tree)
        tree.joinpath("gows/__init__.py").write_text('__version__ = "changed"\n')
        for program in (("twistd", "gows"), ("gows",)):
            self.assertEqual(installed.run(*program, "--version"), "gows changed\n")
