"""Tests of L{gows.web.heap}."""

from __future__ import annotations

import tracemalloc

from gows.web.heap import MOST, MOST_TYPES, TRACED_FOR, Heap, Objects
from tests.asking import Asked, AskingTestCase
from tests.memory import Answer


class HeapTests(AskingTestCase):
    """The lines that allocated the most are found."""

    def setUp(self) -> None:
        """Trace nothing yet."""
        super().setUp()
        self.heap = Heap(self.clock, self.factory().journal)
        self.pages = self.door({"/debug/heap": self.heap})
        self.addCleanup(tracemalloc.stop)

    def asked(self, query: str = "") -> Asked:
        """Ask for the heap."""
        return self.begin(self.pages, f"/debug/heap{query}")

    def looked(self) -> Answer:
        """Look, and wait for the answer."""
        asked = self.asked()
        for _ in range(10_000):
            if asked.isAnswered:
                break
            self.clock.advance(0)
        return asked.answer

    def look(self) -> str:
        """Look, and answer what is shown."""
        answer = self.looked()
        self.assertEqual(answer.status, 200)
        return answer.body.decode()

    def test_begins(self) -> None:
        """The first call begins, and says so, and what it costs."""
        self.assertEqual(self.heap.running, "")
        answer = self.asked().answer
        self.assertIn(b"traced from now on", answer.body)
        self.assertIn(b"six times", answer.body)
        self.assertTrue(tracemalloc.is_tracing())
        self.assertEqual(self.heap.running, "allocations are traced")
        answer = self.asked("?action=start").answer
        self.assertIn(b"traced already", answer.body)

    def test_ends(self) -> None:
        """It ends when that is asked for, be it that it had not begun."""
        self.asked("?action=start")
        for _ in range(2):
            answer = self.asked("?action=stop").answer
            self.assertIn(b"not traced any more", answer.body)
            self.assertFalse(tracemalloc.is_tracing())
            self.assertEqual(self.heap.running, "")

    def traces(self) -> list[str]:
        """Answer what the log says of it."""
        return [line for line in self.logged() if "traced" in line]

    def test_logged(self) -> None:
        """The log says who began it, and that it is over, each once."""
        self.asked("?action=stop")
        self.assertEqual(self.traces(), [])
        for _ in range(2):
            self.asked("?action=start")
        for _ in range(2):
            self.asked("?action=stop")
        begun, ended = self.traces()
        self.assertEqual(begun.partition(" has ")[0], "operator at 127.0.0.1")
        self.assertIn("action=stop", begun)
        self.assertEqual(ended, "allocations are not traced any more")
        self.clock.advance(TRACED_FOR)
        self.assertEqual(len(self.traces()), 2)

    def test_forgotten(self) -> None:
        """An hour after the last look it ends by itself."""
        self.asked()
        self.clock.advance(TRACED_FOR - 1)
        self.look()
        self.clock.advance(TRACED_FOR - 1)
        self.assertTrue(tracemalloc.is_tracing())
        self.clock.advance(1)
        self.assertFalse(tracemalloc.is_tracing())
        self.assertEqual(len(self.traces()), 2)

    def test_anew(self) -> None:
        """What has begun anew has its own hour."""
        self.asked()
        self.clock.advance(TRACED_FOR - 1)
        self.asked("?action=stop")
        self.asked()
        self.clock.advance(2)
        self.assertTrue(tracemalloc.is_tracing())

    def test_fails(self) -> None:
        """Where a look fails it is said so, and the next may be better."""
        self.asked()

        def fail() -> None:
            raise MemoryError

        for name in ("take_snapshot", "get_tracemalloc_memory"):
            patch = self.patch(tracemalloc, name, fail)
            answer = self.looked()
            patch.restore()
            self.assertEqual(answer.status, 500)
            self.assertIn(b'"code":"internal"', answer.body)
            [failed] = [event for event in self.events if "log_failure" in event]
            self.assertTrue(failed["log_failure"].check(MemoryError))
            self.events.clear()
        self.assertIn("bytes in", self.look())

    def test_looks(self) -> None:
        """A look lists lines by size; the next one what has changed as well."""
        self.asked()
        kept = [bytes(1000) for _ in range(2000)]
        first = self.look()
        self.assertRegex(first, r"\n +2,\d{3},\d{3} bytes +2,0\d\d blocks  \S+heap.py:")
        self.assertNotIn("since the look before", first)
        lines = first.partition("# ")[2].splitlines()
        self.assertLessEqual(len([line for line in lines if "blocks" in line]), MOST)
        kept.clear()
        second = self.look()
        changed = second.partition("since the look before")[2]
        self.assertRegex(changed, r"\A\n +-2,\d{3},\d{3} bytes +-[12],\d\d\d blocks")

    def test_beginsAnew(self) -> None:
        """What was before tracing ended is not compared with."""
        self.asked()
        self.look()
        self.asked("?action=stop")
        self.asked()
        self.assertNotIn("since the look before", self.look())

    def test_another(self) -> None:
        """One look at a time; who leaves makes room for the next."""
        self.asked()
        asked = self.asked()
        self.assertEqual(self.asked().answer.status, 409)
        asked.leave()
        self.assertIn("bytes", self.look())

    def test_nonsense(self) -> None:
        """Nothing else can be done."""
        for query in ("?action=clear", "?do=stop"):
            self.assertEqual(self.asked(query).answer.status, 400)
        self.assertFalse(tracemalloc.is_tracing())


class Thing:
    """Something to be counted."""


class ObjectsTests(AskingTestCase):
    """Objects are counted by type."""

    def test_counted(self) -> None:
        """Each type has its number, the most frequent first, and there is a total."""
        kept = [Thing() for _ in range(50_000)]
        pages = self.door({"/debug/objects": Objects()})
        text = self.got(pages, "/debug/objects").body.decode()
        self.assertRegex(text, r"\A[\d,]{6,} objects ")
        self.assertIn(f"50,000  {__name__}.Thing\n", text)
        rows = text.split("\n\n")[1].splitlines()
        self.assertEqual(len(rows), MOST_TYPES)
        counts = [int(row.split()[0].replace(",", "")) for row in rows]
        self.assertEqual(counts, sorted(counts, reverse=True))
        self.assertEqual(len(kept), 50_000)

    def test_noParameters(self) -> None:
        """There is nothing to ask for."""
        pages = self.door({"/debug/objects": Objects()})
        self.assertEqual(self.got(pages, "/debug/objects?all=1").status, 400)
