"""Tests for L{gows.watching}: what counts as a change, and when it is seen."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.errors import CannotStart
from gows.watching import (
    LOOK_EVERY,
    MAX_SIZE,
    FileWatch,
    Read,
    ReloadedFiles,
    readFile,
    readRegularFile,
)
from tests.support import TIMEOUT, Server, freePort
from tests.tokens import publicJwk, written


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail, instead of waiting for ever, if something takes longer."""

    def tooLong(*_: object) -> None:
        raise AssertionError(f"it took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, tooLong)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def spoken(path: Path, text: bytes) -> Iterator[None]:
    """Make a pipe, and have somebody write a text into it for its first reader."""
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=[text], daemon=True)
    writer.start()
    yield
    writer.join(TIMEOUT)
    assert not writer.is_alive(), "nobody has read it"


class FileWatchTests(SynchronousTestCase):
    """
    A watch of two files, and a list of how often it called.

    @ivar calls: one item a call
    """

    def setUp(self) -> None:
        """Write the files, and watch them."""
        folder = Path(self.mktemp())
        folder.mkdir()
        self.one, self.two = folder / "one", folder / "two"
        self.one.write_text("1")
        self.two.write_text("2")
        self.clock = Clock()
        self.calls: list[None] = []
        self.watch = FileWatch(
            str(self.one),
            str(self.two),
            changed=lambda: self.calls.append(None),
            clock=self.clock,
        )

    def start(self) -> None:
        """Start it as twistd does."""
        self.watch.privilegedStartService()
        self.watch.startService()
        self.addCleanup(self.watch.stopService)

    def assertSeen(self, calls: int) -> None:
        """Assert that the next look calls so often, and those after it do not."""
        self.calls.clear()
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(len(self.calls), calls)
        self.clock.pump([LOOK_EVERY] * 3)
        self.assertEqual(len(self.calls), calls)

    def test_unchanged(self) -> None:
        """Nothing happens while the files stay as they are."""
        self.start()
        self.assertSeen(0)

    def test_written(self) -> None:
        """Within a minute of a change it calls, once."""
        self.start()
        self.two.write_text("two")
        self.clock.advance(LOOK_EVERY - 1)
        self.assertEqual(self.calls, [])
        self.clock.advance(1)

        self.assertEqual(LOOK_EVERY, 60)
        self.assertEqual(len(self.calls), 1)

    def test_bothWritten(self) -> None:
        """Several changes between two looks are one."""
        self.start()
        self.one.write_text("one")
        self.two.write_text("two")
        self.assertSeen(1)
        self.one.write_text("one more")
        self.assertSeen(1)

    def test_replaced(self) -> None:
        """A file of the same size and time, moved into place, is another one."""
        self.start()
        new = self.one.with_name("new")
        new.write_text("1")
        times = self.one.stat()
        os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
        new.replace(self.one)
        self.assertSeen(1)

    def test_touched(self) -> None:
        """The same content, written again, counts: the time is another."""
        self.start()
        os.utime(self.one, ns=(0, 0))
        self.assertSeen(1)

    def test_gone(self) -> None:
        """A file that disappears has changed, and again when it comes back."""
        self.start()
        self.one.unlink()
        self.assertSeen(1)
        self.one.write_text("1")
        self.assertSeen(1)

    def test_neverThere(self) -> None:
        """A file that is missing from the begin is waited for."""
        self.one.unlink()
        self.start()
        self.assertSeen(0)
        self.one.write_text("1")
        self.assertSeen(1)

    def test_pipe(self) -> None:
        """A pipe in the place of a file is a change, what goes through it is none."""
        self.start()
        self.one.unlink()
        os.mkfifo(self.one)
        self.assertSeen(1)
        os.utime(self.one, ns=(0, 0))
        self.assertSeen(0)
        self.one.unlink()
        self.one.write_text("1")
        self.assertSeen(1)

    def test_noted(self) -> None:
        """What its owner has noted is no change any more."""
        self.start()
        self.one.write_text("one")
        self.watch.note()
        self.assertSeen(0)

    def test_changedWhileStarting(self) -> None:
        """What changes between the two halves of a start is seen."""
        self.watch.privilegedStartService()
        self.one.write_text("one")
        self.watch.startService()
        self.addCleanup(self.watch.stopService)
        self.assertSeen(1)

    def test_startWithoutPrivileges(self) -> None:
        """A plain start begins with the files as they are."""
        self.watch.startService()
        self.addCleanup(self.watch.stopService)
        self.assertSeen(0)
        self.one.write_text("one")
        self.assertSeen(1)

    def test_raises(self) -> None:
        """What raises is logged, and is called at the next change all the same."""
        calls: list[None] = []

        def broken() -> None:
            calls.append(None)
            raise OSError("it broke")

        watch = FileWatch(str(self.one), changed=broken, clock=self.clock)
        watch.startService()
        self.addCleanup(watch.stopService)
        for text in ("other", "another one"):
            self.one.write_text(text)
            self.clock.advance(LOOK_EVERY)
            self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual(len(calls), 2)

    def test_stop(self) -> None:
        """Once stopped it looks no more; to stop what never started is nothing."""
        self.start()
        self.watch.stopService()

        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.one.write_text("one")
        self.assertSeen(0)
        self.watch.stopService()


class ReloadedFilesTests(SynchronousTestCase):
    """What is read of files, and read again."""

    def setUp(self) -> None:
        """Read a file."""
        self.path = Path(self.mktemp())
        self.path.write_text("1")
        self.clock = Clock()
        self.taken: list[str] = []
        self.kept: list[str] = []
        self.files = ReloadedFiles(
            str(self.path),
            read=self.read,
            taken=self.taken.append,
            kept=self.kept.append,
            clock=self.clock,
        )

    def read(self, read: Read) -> str:
        """Read it, if it is good."""
        text = read(str(self.path)).decode()
        if text == "bad":
            raise CannotStart("it is bad")
        return text

    def start(self) -> None:
        """Start as twist does, which knows of no privileges."""
        self.files.startService()
        self.addCleanup(self.files.stopService)

    def test_listen(self) -> None:
        """Others are told as well, but of what was kept."""
        told: list[str] = []
        self.files.listen(told.append)
        self.start()
        for text in ("2", "bad", "3"):
            self.path.write_text(text)
            self.files.reload()
        self.assertEqual(told, ["1", "2", "3"])

    def test_before(self) -> None:
        """Before the start there is nothing."""
        self.assertRaises(AssertionError, self.files.current)

    def test_privileged(self) -> None:
        """With privileges it is read once, by then."""
        self.files.privilegedStartService()
        self.assertEqual(self.files.current(), "1")
        self.start()
        self.assertEqual(self.taken, ["1"])

    def test_changes(self) -> None:
        """What changes is taken; what is bad is not, and is told once."""
        self.start()
        for text in ("22", "bad", "333"):
            self.path.write_text(text)
            self.clock.pump([LOOK_EVERY] * 2)
        self.assertEqual(self.taken, ["1", "22", "333"])
        self.assertEqual(self.kept, ["it is bad"])
        self.assertEqual(self.files.current(), "333")

    def test_badAtFirst(self) -> None:
        """What is bad at first ends the start."""
        self.path.write_text("bad")
        self.assertRaises(CannotStart, self.files.startService)

    def test_pipe(self) -> None:
        """A pipe is read at the start; a server that runs does not wait for one."""
        self.path.unlink()
        with spoken(self.path, b"of a pipe"), within(TIMEOUT):
            self.start()
        with within(TIMEOUT):
            self.files.reload()
        self.assertEqual(self.taken, ["of a pipe"])
        [line] = self.kept
        self.assertEqual(
            line, f"{self.path} is no regular file: such are read at the start only"
        )
        self.path.unlink()
        self.path.write_text("of a file")
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(self.files.current(), "of a file")

    def test_becomesPipe(self) -> None:
        """A pipe in the place of the file changes nothing but the log, once."""
        self.start()
        self.path.unlink()
        os.mkfifo(self.path)
        with within(TIMEOUT):
            self.clock.pump([LOOK_EVERY] * 3)
        self.assertEqual(len(self.kept), 1)
        self.assertEqual(self.files.current(), "1")


class ReadTests(SynchronousTestCase):
    """Reading a whole file."""

    def setUp(self) -> None:
        """Name a file."""
        self.path = Path(self.mktemp())

    def refusal(self, read: Read, path: str) -> str:
        """Answer the line that refuses to read."""
        with within(TIMEOUT):
            line = str(self.assertRaises(CannotStart, read, path))
        self.assertEqual(len(line.splitlines()), 1)
        self.assertTrue(line.startswith(path), line)
        return line[len(path) :]

    def test_file(self) -> None:
        """A file is read, up to the most that it may have."""
        self.path.write_bytes(b"x" * MAX_SIZE)
        for read in (readFile, readRegularFile):
            self.assertEqual(read(str(self.path)), b"x" * MAX_SIZE)
        link = self.path.with_suffix(".link")
        link.symlink_to(self.path.absolute())
        self.assertEqual(len(readRegularFile(str(link))), MAX_SIZE)

    def test_large(self) -> None:
        """One of more is refused, and not read to its end if it has none."""
        self.path.write_bytes(b"x" * (MAX_SIZE + 1))
        for read in (readFile, readRegularFile):
            line = self.refusal(read, str(self.path))
            self.assertEqual(line, " has more than 1 MiB")
        self.assertEqual(self.refusal(readFile, "/dev/zero"), " has more than 1 MiB")

    def test_notRegular(self) -> None:
        """Who has no time reads no pipes and devices, whoever has them open."""
        os.mkfifo(self.path)
        for path in (str(self.path), "/dev/zero", "/dev/null"):
            self.assertIn(" is no regular file", self.refusal(readRegularFile, path))
        held = os.open(self.path, os.O_RDWR)
        self.addCleanup(os.close, held)
        line = self.refusal(readRegularFile, str(self.path))
        self.assertIn(" is no regular file", line)

    def test_pipe(self) -> None:
        """Who has time reads a pipe to its end."""
        with spoken(self.path, b"said" * 50_000), within(TIMEOUT):
            self.assertEqual(readFile(str(self.path)), b"said" * 50_000)

    def test_missing(self) -> None:
        """A file that is not there is named, and so is a folder."""
        for read in (readFile, readRegularFile):
            self.assertEqual(
                self.refusal(read, "/nowhere/x"),
                " cannot be read: No such file or directory",
            )
            self.assertEqual(
                self.refusal(read, "/dev"), " cannot be read: Is a directory"
            )


class ServerTests(SynchronousTestCase):
    """A real server, with pipes where files should be."""

    def test_pipes(self) -> None:
        """It reads one at its start; afterwards it keeps what it has, and serves."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        tokenKey, apiKeys = folder / "token-key", folder / "api-keys"
        written(tokenKey, publicJwk("EdDSA"))
        admin = f"tcp:{freePort()}:interface=127.0.0.1"
        server = Server(
            *("--token-key", str(tokenKey)),
            *("--api-key-file", str(apiKeys), "--admin", admin),
            doors=2,
        )
        with spoken(apiKeys, b"backend: a-key-that-is-long\n"):
            self.enterContext(server)
        server.waitForLog(f"API keys read from {apiKeys}: 1")
        tokenKey.unlink()
        os.mkfifo(tokenKey)
        server.send(signal.SIGHUP)
        for path in (tokenKey, apiKeys):
            server.waitForLog(f"not read again.*stay: {path} is no regular file")
        with urlopen(f"{server.url}healthz", timeout=TIMEOUT) as answer:
            self.assertEqual(answer.status, 200)
