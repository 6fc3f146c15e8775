"""Tests for the shape of the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from twisted.trial.unittest import SynchronousTestCase

from tests.support import ROOT

PACKAGE = ROOT / "gows"

FORBIDDEN = {
    "gows/chat/": (
        "autobahn",
        "twisted.internet",
        "socket",
        "gows.access",
        "gows.web",
        "gows.wire",
    ),
    "gows/access/": ("autobahn", "gows.dialects", "gows.web", "gows.wire"),
    "gows/commands/": ("autobahn", "gows.service", "gows.tap", "gows.web", "gows.wire"),
    "gows/dialects/": ("autobahn", "twisted.internet", "gows.web", "gows.wire"),
    "gows/wire/": ("gows.service", "gows.tap"),
    "gows/web/": ("gows.service", "gows.tap", "gows.wire"),
}
"""What the modules of a folder must not import: imports run downward only."""


class Import(NamedTuple):
    """
    One name that a module imports.

    @ivar isAtOnce: whether it is imported as soon as the module is
    """

    name: str
    line: int
    isAtOnce: bool


def importsOf(source: str, package: str) -> Iterator[Import]:
    """
    Find what a module imports, anywhere in it.

    @param package: the module's package, for relative imports
    """
    return _importsIn(ast.parse(source), package.split("."), isAtOnce=True)


def _importsIn(node: ast.AST, package: list[str], isAtOnce: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, isAtOnce)
        elif isinstance(child, ast.ImportFrom):
            above = package[: len(package) - child.level + 1] if child.level else []
            module = [*above, *filter(None, [child.module])]
            for alias in child.names:
                yield Import(".".join([*module, alias.name]), child.lineno, isAtOnce)
        else:
            isFunction = isinstance(
                child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
            )
            yield from _importsIn(child, package, isAtOnce and not isFunction)


def breaches(imports: Iterator[Import], forbidden: tuple[str, ...]) -> list[Import]:
    """Answer the imports of something forbidden, or of something inside of it."""
    return [
        imported
        for imported in imports
        if any(f"{imported.name}.".startswith(f"{name}.") for name in forbidden)
    ]


def modules() -> Iterator[Path]:
    """Find all modules of gows."""
    yield from sorted(PACKAGE.rglob("*.py"))


def importsIn(path: Path) -> Iterator[Import]:
    """Find what a module of gows imports."""
    package = ".".join(path.parent.relative_to(ROOT).parts)
    return importsOf(path.read_text("utf-8"), package)


class TestedTests(SynchronousTestCase):
    """Nothing goes untested unseen."""

    def test_everyModule(self) -> None:
        """Each module has its tests, under its name."""
        names = [path.stem for path in modules() if path.name != "__init__.py"]
        self.assertGreater(len(names), 20)
        self.assertEqual(len(set(names)), len(names))
        missing = [
            f"test_{name}.py"
            for name in names
            if not (ROOT / "tests" / f"test_{name}.py").exists()
        ]
        self.assertEqual(missing, [])


class LayersTests(SynchronousTestCase):
    """Imports run downward only."""

    def test_layers(self) -> None:
        """No module imports from above, and the chat knows of no network."""
        for folder, forbidden in FORBIDDEN.items():
            paths = sorted((ROOT / folder).rglob("*.py"))
            self.assertGreater(len(paths), 1, folder)
            for path in paths:
                found = breaches(importsIn(path), forbidden)
                self.assertEqual(found, [], path)

    def test_noReactor(self) -> None:
        """Nobody imports the reactor with the module: it is passed in."""
        plugins = sorted((ROOT / "twisted" / "plugins").glob("*.py"))
        self.assertEqual(len(plugins), 1)
        for path in [*modules(), *plugins]:
            atOnce = (imported for imported in importsIn(path) if imported.isAtOnce)
            found = breaches(atOnce, ("twisted.internet.reactor",))
            self.assertEqual(found, [], path)


class ImportsTests(SynchronousTestCase):
    """These tests would see a breach."""

    def names(self, source: str, package: str = "gows.chat") -> list[str]:
        """Answer the names that a source imports."""
        return [imported.name for imported in importsOf(source, package)]

    def test_kinds(self) -> None:
        """Each way to import is seen."""
        for source, name in (
            ("import gows.wire", "gows.wire"),
            ("import gows.wire.frames as f", "gows.wire.frames"),
            ("from gows import wire", "gows.wire"),
            ("from gows.wire import frames", "gows.wire.frames"),
            ("from ..wire import frames", "gows.wire.frames"),
            ("from .. import wire", "gows.wire"),
            ("from . import context", "gows.chat.context"),
            ("if TYPE_CHECKING:\n    import gows.wire", "gows.wire"),
            ("def f():\n    import gows.wire", "gows.wire"),
            ("class C:\n    async def f():\n        import gows.wire", "gows.wire"),
        ):
            self.assertEqual(self.names(source), [name], source)

    def test_several(self) -> None:
        """All names of one line are seen."""
        self.assertEqual(self.names("import a, b.c"), ["a", "b.c"])
        self.assertEqual(self.names("from a import b, c as d"), ["a.b", "a.c"])

    def test_breaches(self) -> None:
        """What is forbidden is so with all that is inside of it, and no more."""
        source = "import a.b, a.bc, a\nfrom a import b\nfrom a.b import c\n"
        found = breaches(importsOf(source, "p"), ("a.b",))
        self.assertEqual([imported.name for imported in found], ["a.b", "a.b", "a.b.c"])

    def test_atOnce(self) -> None:
        """An import in a function happens later, one in a class at once."""
        source = (
            "try:\n    import a\nfinally:\n    pass\n"
            "class C:\n    import b\n    def f(self):\n        import c\n"
            "def g():\n    import d\n"
        )
        atOnce = [i.name for i in importsOf(source, "p") if i.isAtOnce]
        self.assertEqual(atOnce, ["a", "b"])
