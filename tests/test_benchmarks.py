"""The benchmarks: what they are asked, how they count, what they write."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import chart, report
from benchmarks.__main__ import chosen, parseArguments
from benchmarks.measuring import Outcome, readFigures, roundsOf, serverOf
from benchmarks.progress import Progress
from benchmarks.record import Record
from benchmarks.results import Book, replaced, whyNotKept
from benchmarks.scenarios import METRICS, QUICK, SCENARIOS, Scenario
from benchmarks.servers import SERVERS
from tests.support import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
FANOUT = SCENARIOS["fanout"]


def outcomeOf(scenario: Scenario, factor: float = 1.0) -> Outcome:
    """
    Make one: gows has 10 of everything, who comes next in turn 20, 30...

    @param factor: of gows's figures
    """
    outcome = Outcome()
    for index, contender in enumerate(scenario.contenders):
        figure = 10.0 * (index + 1) * (1 if index else factor)
        figures = dict.fromkeys(METRICS, figure)
        outcome.figures[contender.label] = [figures]
    return outcome


def recordFrom(outcome: Outcome, gows: str = "1.0") -> Record:
    """Make a record of a machine that is not this one."""
    return Record(outcome, "2020-02-02", "Babbage, 1 cores", {"gows": gows})


class ArgumentsTests(SynchronousTestCase):
    """The command line."""

    def refusalOf(self, *arguments: str) -> str:
        """Answer what is said of a command line that is refused."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            refused = self.assertRaises(SystemExit, parseArguments, arguments)
        self.assertEqual(refused.code, 2)
        self.assertEqual(said.getvalue().count("\n"), 1)
        return said.getvalue()

    def test_unknownScenario(self) -> None:
        """A scenario that is not there: one line names those that are."""
        self.assertIn(", ".join(SCENARIOS), self.refusalOf("--only", "fanout nothing"))

    def test_unknownPeer(self) -> None:
        """A peer that is not there: one line names those that are."""
        self.assertIn(", ".join(SERVERS), self.refusalOf("--peers", "socket.io"))

    def test_rounds(self) -> None:
        """Rounds are 1 to 99."""
        for text in ("0", "-1", "100", "many", ""):
            self.assertIn("is not 1 to 99", self.refusalOf(f"--rounds={text}"))

    def test_quickIsWhatItIs(self) -> None:
        """A quick run cannot be narrowed."""
        self.assertIn("--quick", self.refusalOf("--quick", "--only", "echo"))

    def test_empty(self) -> None:
        """What make passes when nothing was said means everything."""
        options = parseArguments(["--only", "", "--peers", "", "--rounds", "5"])
        self.assertEqual(chosen(options), list(SCENARIOS.values()))

    def test_narrowed(self) -> None:
        """One scenario beside one peer: gows is in it all the same."""
        [scenario] = chosen(parseArguments(["--only", "fanout", "--peers", "gorilla"]))
        labels = [contender.label for contender in scenario.contenders]
        self.assertEqual(labels, ["gows", "gorilla"])

    def test_quick(self) -> None:
        """A quick run is of gows and of the C loop."""
        scenarios = chosen(parseArguments(["--quick"]))
        self.assertEqual(scenarios, list(QUICK))
        servers = {each.server for one in scenarios for each in one.contenders}
        self.assertEqual(servers, {"gows", "sendloop"})


class ScenariosTests(SynchronousTestCase):
    """The scenarios fit together."""

    def test_names(self) -> None:
        """Servers, metrics and those a target compares with are all there."""
        for scenario in [*SCENARIOS.values(), *QUICK]:
            labels = [contender.label for contender in scenario.contenders]
            self.assertEqual(len(labels), len(set(labels)))
            self.assertEqual(scenario.contenders[0].server, "gows")
            self.assertTrue(set(scenario.metrics) <= set(METRICS))
            for contender in scenario.contenders:
                self.assertIn(contender.server, SERVERS)
            for target in scenario.targets:
                self.assertIn(target.metric, scenario.metrics)
                self.assertIn(target.other, ["", *labels])

    def test_loadIsWords(self) -> None:
        """What the load generator gets is its scenario and pairs of option, value."""
        for scenario in SCENARIOS.values():
            for contender in scenario.contenders:
                words = (*scenario.load, *contender.load)
                self.assertEqual(len(words) % 2, 1, words)
                self.assertTrue(all(word.startswith("--") for word in words[1::2]))

    def test_options(self) -> None:
        """A contender's options come last."""
        contender = SCENARIOS["deflate"].contenders[0]
        command = serverOf(contender).command("broadcast", 1)
        self.assertEqual(command[-2:], ["--compress-threshold", "0"])

    def test_rounds(self) -> None:
        """What takes long gets fewer rounds, never more than wanted."""
        self.assertEqual(roundsOf(FANOUT, 5), 5)
        self.assertEqual(roundsOf(SCENARIOS["slow"], 5), 3)
        self.assertEqual(roundsOf(SCENARIOS["slow"], 1), 1)


class FiguresTests(SynchronousTestCase):
    """What the load generator says, and what is made of it."""

    def test_read(self) -> None:
        """Its lines are numbers by name."""
        read = readFigures("count=3\ndelivery_us=1.250\n")
        self.assertEqual(read, {"count": 3.0, "delivery_us": 1.25})

    def test_median(self) -> None:
        """The median of the rounds counts; who has no rounds has no figure."""
        rounds = [{"p99_ms": 9.0}, {"p99_ms": 1.0}, {"p99_ms": 2.0}, {}]
        outcome = Outcome({"gows": rounds})
        self.assertEqual(outcome.figure("gows", "p99_ms"), 2.0)
        self.assertIs(outcome.figure("gows", "p50_ms"), None)
        self.assertIs(outcome.figure("ws", "p99_ms"), None)

    def test_worst(self) -> None:
        """One message lost in one round is not forgotten."""
        outcome = Outcome({"gows": [{"lost": 0.0}, {"lost": 1.0}, {"lost": 0.0}]})
        self.assertEqual(outcome.figure("gows", "lost"), 1.0)


class ReportTests(SynchronousTestCase):
    """The Markdown of a scenario."""

    def test_table(self) -> None:
        """A row a contender, with its figures and how gows compares."""
        lines = list(report.figuresTable(FANOUT, outcomeOf(FANOUT)))
        self.assertEqual(len(lines), 2 + len(FANOUT.contenders))
        self.assertEqual({line.count("|") for line in lines}, {6})
        self.assertEqual(lines[2], "| gows | 10 | 10 | 10 to 10 |  |")
        self.assertEqual(
            lines[3], "| bare send() loop in C | 20 | 20 | 20 to 20 | 0.50 x |"
        )

    def verdicts(self, name: str, outcome: Outcome) -> list[str]:
        """Answer what is said of a scenario's targets."""
        scenario = SCENARIOS[name]
        return [report.verdict(each, scenario, outcome) for each in scenario.targets]

    def test_reached(self) -> None:
        """Who is at most so many times another's figure has reached the target."""
        for said in self.verdicts("fanout", outcomeOf(FANOUT)):
            self.assertTrue(said.endswith(": reached"), said)

    def test_missed(self) -> None:
        """Who is more has missed it."""
        said = self.verdicts("fanout", outcomeOf(FANOUT, 2.5))[0]
        self.assertEqual(
            said,
            "CPU per delivery: at most 1.20 x bare send() loop in C; 1.25 x: missed",
        )

    def test_plus(self) -> None:
        """A target may be so much above another's figure."""
        outcome = outcomeOf(SCENARIOS["deflate-memory"], 2.2)
        [said] = self.verdicts("deflate-memory", outcome)
        self.assertIn("at most 2 KB above gows plain; 2 KB: reached", said)

    def test_notCompared(self) -> None:
        """Without the other there is no verdict."""
        outcome = outcomeOf(FANOUT)
        del outcome.figures["gorilla"]
        said = self.verdicts("fanout", outcome)[2]
        self.assertEqual(said, "CPU per delivery: not compared with gorilla hub")

    def test_leftOut(self) -> None:
        """Who is left out is named, with the reason, and has no row."""
        outcome = outcomeOf(FANOUT)
        del outcome.figures["nchan"]
        outcome.leftOut["nchan"] = "not root"
        text = "\n".join(report.section(FANOUT, recordFrom(outcome)))
        self.assertIn("* left out: Nchan: not root", text)
        self.assertNotIn("| Nchan", text)
        self.assertIn("* 2020-02-02, rounds: 1, gows 1.0", text)
        self.assertIn("* the load generator's own CPU: 10 to 90 µs each", text)

    def test_summary(self) -> None:
        """What differs between scenarios is told of each, all else once."""
        records = {
            "fanout": recordFrom(outcomeOf(FANOUT)),
            "echo": recordFrom(outcomeOf(SCENARIOS["echo"]), "2.0"),
        }
        lines = list(report.summary(records))
        self.assertIn("* machine: Babbage, 1 cores", lines)
        self.assertIn("* gows (fanout): 1.0", lines)
        self.assertIn("* gows (echo): 2.0", lines)


class BookTests(SynchronousTestCase):
    """What is written into docs/."""

    def setUp(self) -> None:
        """Make a folder with the document as it is."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.document = self.folder / "performance.md"
        self.document.write_text(DOCUMENT.read_text("utf-8"), "utf-8")

    def keep(self, name: str, gows: str) -> None:
        """Keep a scenario's results, as a run of its own does."""
        record = recordFrom(outcomeOf(SCENARIOS[name]), gows)
        Book(self.folder).keep(name, record)

    def part(self, name: str) -> str:
        """Answer what is between the markers of a name."""
        text = self.document.read_text("utf-8")
        return text.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]

    def test_places(self) -> None:
        """The document has one place for each scenario and for what they share."""
        lines = DOCUMENT.read_text("utf-8").splitlines()
        for name in ("summary", *SCENARIOS):
            self.assertEqual(lines.count(f"<!-- {name} -->"), 1, name)
            self.assertEqual(lines.count(f"<!-- /{name} -->"), 1, name)

    def test_onlyItsSection(self) -> None:
        """A run of one scenario leaves the others' results and the prose alone."""
        for name in SCENARIOS:
            self.keep(name, "1.0")
        before = {name: self.part(name) for name in SCENARIOS}
        prose = self.document.read_text("utf-8").partition("<!--")[0]
        self.keep("echo", "2.0")

        self.assertIn("gows 2.0", self.part("echo"))
        for name in SCENARIOS:
            if name != "echo":
                self.assertEqual(self.part(name), before[name])
        self.assertIn(f"### {FANOUT.name}", before["fanout"])
        self.assertIn("* gows (echo): 2.0", self.part("summary"))
        self.assertEqual(self.document.read_text("utf-8").partition("<!--")[0], prose)

    def test_again(self) -> None:
        """The same results once more change nothing, and are read as written."""
        self.keep("fanout", "1.0")
        before = self.document.read_text("utf-8")
        self.keep("fanout", "1.0")

        self.assertEqual(self.document.read_text("utf-8"), before)
        self.assertEqual(
            Book(self.folder).records, {"fanout": recordFrom(outcomeOf(FANOUT))}
        )

    def test_chart(self) -> None:
        """The chart is there as soon as the document shows it."""
        self.assertFalse((self.folder / "performance.svg").exists())
        self.keep("fanout", "1.0")

        self.assertIn("(performance.svg)", self.part("summary"))
        self.assertTrue((self.folder / "performance.svg").exists())

    def test_noPlace(self) -> None:
        """Without the markers there is an error, and not a lost text."""
        error = self.assertRaises(ValueError, replaced, "text", "echo", ["line"])
        self.assertIn("echo", str(error))

    def test_notKept(self) -> None:
        """What says less than a whole run, or of another gows, is not kept."""
        self.assertTrue(whyNotKept(True, []))
        self.assertTrue(whyNotKept(False, ["gorilla"]))
        for name in ("GOWS_TWISTD", "GOWS_FLAGS"):
            self.patch(os, "environ", {name: "x"})
            self.assertIn(name, whyNotKept(False, []))
        self.patch(os, "environ", {})
        self.assertEqual(whyNotKept(False, []), "")


class ChartTests(SynchronousTestCase):
    """The SVG."""

    def test_all(self) -> None:
        """It is XML and has a bar and a name for every contender."""
        records = {
            name: recordFrom(outcomeOf(scenario))
            for name, scenario in SCENARIOS.items()
        }
        root = ElementTree.fromstring(chart.drawn(records))
        space = "{http://www.w3.org/2000/svg}"
        texts = [element.text for element in root.iter(f"{space}text")]
        bars = [each for each in root.iter(f"{space}rect") if each.get("rx")]
        contenders = [c for each in SCENARIOS.values() for c in each.contenders]

        self.assertEqual(len(bars), len(contenders))
        for contender in contenders:
            self.assertIn(report.titleOf(contender.label), texts)
        own = [bar for bar in bars if bar.get("class") == "gows"]
        self.assertEqual(len(own), sum(c.server == "gows" for c in contenders))
        self.assertIn("20 µs  (2.00 x)", texts)

    def test_none(self) -> None:
        """Without results it is XML, too."""
        ElementTree.fromstring(chart.drawn({}))


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


class ProgressTests(SynchronousTestCase):
    """How far it is."""

    def test_terminal(self) -> None:
        """On a terminal a bar grows in its line, and is wiped away."""
        out = Screen()
        progress = Progress(2, out)
        progress.say("one")
        progress.step()
        progress.say("two")
        self.assertIn("[............", out.getvalue())
        self.assertIn("[############............] 0:00 two", out.getvalue())
        progress.end()
        self.assertTrue(out.getvalue().endswith("\r\x1b[K"))
        self.assertNotIn("\n", out.getvalue())

    def test_narrow(self) -> None:
        """What does not fit into the line is cut."""
        self.patch(os, "environ", {"COLUMNS": "40", "LINES": "9"})
        out = Screen()
        Progress(1, out).say("x" * 100)
        self.assertLess(len(out.getvalue().removeprefix("\r\x1b[K")), 40)

    def test_elsewhere(self) -> None:
        """Elsewhere it is plain lines."""
        out = io.StringIO()
        progress = Progress(1, out)
        progress.say("one")
        progress.end()
        self.assertEqual(out.getvalue(), "0:00 0/1 one\n")
