#!/usr/bin/env python3
"""
Run the Autobahn Testsuite's fuzzing client against gows and judge its report.

A gows with one client is an echo server: a text goes to everyone, the sender
included, and C{--binary relay} does the same for binary messages.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path
from shutil import rmtree
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
AGENT = "gows"

PASSED = ("OK", "NON-STRICT", "INFORMATIONAL")
CLOSED_WELL = ("OK", "INFORMATIONAL")
FAILED = "failed"
ROW = "{:>7} {:>6} {:>6} {:>11} {:>14} {:>7}"

# Section 9 sends messages of 16 MB.
MAX_MESSAGE_SIZE = 64 * 1024 * 1024
START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05

LIST_CASES = """
from autobahntestsuite.case import CaseBasename, Cases
for case in Cases:
    print(case.__name__[len(CaseBasename):].replace("_", "."))
"""


class NothingRan(Exception):
    """
    The run could not begin; the message says why.
    """


@dataclass(frozen=True)
class Verdict:
    """
    What became of one case.

    @ivar outcome: one of L{PASSED}, or L{FAILED}.
    @ivar why: for a failed case, what was seen.
    @ivar ran: whether the testsuite reported on the case at all.
    """

    case: str
    outcome: str
    why: str = ""
    ran: bool = True


def sectionOf(case: str) -> str:
    """
    The section that a case belongs to: C{"6"} for C{"6.2.1"}.
    """
    return case.partition(".")[0]


class Suite:
    """
    An installed testsuite, and the folder for its reports.
    """

    def __init__(self, home: Path) -> None:
        """
        @param home: the folder that C{setup.sh} filled.
        """
        self._bin = home / "py27" / "bin"
        self.reports = home / "report"

    def _command(self, *arguments: str) -> list[str]:
        # -E: a PYTHONPATH that is set is meant for gows, not for Python 2.7.
        python = str(self._bin / "python")
        return [python, "-E", "-u", "-W", "ignore", *arguments]

    def cases(self, patterns: Sequence[str]) -> list[str]:
        """
        The cases of which the whole id matches one of the patterns (all, when
        there are none), in the order in which they run.
        """
        command = self._command("-c", LIST_CASES)
        try:
            known = subprocess.check_output(command, text=True).split()
        except (OSError, subprocess.CalledProcessError) as error:
            raise NothingRan(
                f"no testsuite here, conformance/setup.sh makes it ({error})"
            ) from error
        for pattern in patterns:
            if not any(fnmatchcase(case, pattern) for case in known):
                raise NothingRan(f"no case matches {pattern!r}")
        wanted = patterns or ["*"]
        return [case for case in known if any(fnmatchcase(case, p) for p in wanted)]

    def run(self, url: str, cases: Sequence[str], deadline: float) -> list[Verdict]:
        """
        Run cases of one section, until C{deadline} (of C{time.monotonic}).

        The testsuite reports when its last case is done: a run that is cut
        short has no verdicts, which is why each section is a run of its own.
        """
        folder = self.reports / sectionOf(cases[0])
        folder.mkdir(parents=True)
        spec = folder / "spec.json"
        servers = [{"agent": AGENT, "url": url}]
        spec.write_text(
            json.dumps({"outdir": str(folder), "servers": servers, "cases": cases})
        )
        wstest = str(self._bin / "wstest")
        command = self._command(wstest, "-m", "fuzzingclient", "-s", str(spec))
        timedOut = False
        with (folder / "wstest.log").open("wb") as log, running(command, log) as client:
            try:
                client.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                timedOut = True
        return readReport(folder, cases, timedOut)


def readReport(folder: Path, cases: Sequence[str], timedOut: bool) -> list[Verdict]:
    """
    Judge the cases of one section; a case that is not in the report has failed.
    """
    index = folder / "index.json"
    entries = json.loads(index.read_text()).get(AGENT, {}) if index.exists() else {}
    missing = "not run: " + whyMissing(folder / "wstest.log", timedOut)
    verdicts = []
    for case in cases:
        if case not in entries:
            verdicts.append(Verdict(case, FAILED, missing, ran=False))
            continue
        behavior, close = (entries[case][key] for key in ("behavior", "behaviorClose"))
        if behavior in PASSED and close in CLOSED_WELL:
            verdicts.append(Verdict(case, behavior))
            continue
        detail = json.loads((folder / entries[case]["reportfile"]).read_text())
        why = f"{behavior}: {detail['result']} Close {close}: {detail['resultClose']}"
        verdicts.append(Verdict(case, FAILED, why))
    return verdicts


def whyMissing(log: Path, timedOut: bool) -> str:
    """
    Why cases are missing from a report, as far as the testsuite's output tells.
    """
    lines = log.read_text(errors="replace").splitlines()
    if timedOut:
        begun = [line.split()[4] for line in lines if line.startswith("Running test")]
        return f"the time was up (last case begun: {(begun or ['none'])[-1]})"
    for line in lines:
        if line.startswith("Connection to ") and " failed (" in line:
            return line
    return f"see {log}"


@contextmanager
def running(
    command: Sequence[str], out: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """
    A child process that is gone when the block is left, however it is left.
    """
    child = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out
    )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def runningServer(folder: Path) -> Iterator[str]:
    """
    A gows on a free port of the loopback interface, listening; gives its URL.
    """
    log, output = folder / "server.log", folder / "server.out"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    twistd = str(Path(sys.executable).with_name("twistd"))
    command = [twistd, "-n", "--pidfile=", f"--logfile={log}", "gows"]
    command += ["--port", str(port), "--binary", "relay"]
    command += ["--max-message-size", str(MAX_MESSAGE_SIZE)]
    with output.open("wb") as out, running(command, out) as server:
        if not listens(port, server):
            raise NothingRan(f"gows did not start, see {output} and {log}")
        yield f"ws://127.0.0.1:{port}/?specialKey=conformance"
        if server.poll() is not None:
            print(f"gows ended by itself (status {server.returncode}), see {log}")


def listens(port: int, server: subprocess.Popen[bytes]) -> bool:
    """
    Wait until the server accepts connections; false when it ended or took too long.
    """
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), START_SECONDS).close()
        except OSError:
            time.sleep(POLL_SECONDS)
        else:
            return True
    return False


def runSections(
    suite: Suite, url: str, cases: Sequence[str], deadline: float
) -> list[Verdict]:
    """
    Run everything, a line of the table for each section as it is done.
    """
    verdicts: list[Verdict] = []
    print(ROW.format("section", "cases", *PASSED, FAILED))
    for section, members in groupby(cases, sectionOf):
        ended = suite.run(url, list(members), deadline)
        counts = Counter(verdict.outcome for verdict in ended)
        cells = [counts[outcome] for outcome in (*PASSED, FAILED)]
        print(ROW.format(section, len(ended), *cells), flush=True)
        verdicts += ended
    return verdicts


def parseArguments(arguments: Sequence[str]) -> argparse.Namespace:
    """
    The command line.
    """
    parser = argparse.ArgumentParser(
        description="Run the Autobahn Testsuite against gows.",
        epilog="Exit status: 0 all passed, 1 some failed, 2 nothing ran.",
    )
    parser.add_argument(
        "cases", nargs="*", help="patterns over whole case ids, such as '6.*'"
    )
    parser.add_argument("--url", help="use a server that runs already, at this URL")
    parser.add_argument(
        "--timeout", type=float, default=2700.0, help="seconds for all cases (2700)"
    )
    parser.add_argument(
        "--home",
        type=Path,
        default=ROOT / ".conformance",
        help="the folder that setup.sh made (.conformance); reports go there too",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """
    Run what the command line asks for; returns the exit status.
    """
    # A signal must unwind the stack, for that is what stops the children.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    options = parseArguments(arguments)
    suite = Suite(options.home.resolve())
    try:
        cases = suite.cases(options.cases)
        rmtree(suite.reports, ignore_errors=True)
        suite.reports.mkdir()
        with ExitStack() as stack:
            url = options.url or stack.enter_context(runningServer(suite.reports))
            deadline = time.monotonic() + options.timeout
            verdicts = runSections(suite, url, cases, deadline)
    except NothingRan as reason:
        print(f"conformance: {reason}", file=sys.stderr)
        return 2

    failed = [verdict for verdict in verdicts if verdict.outcome == FAILED]
    for verdict in failed:
        print(f"{verdict.case}: {verdict.why}")
    if failed:
        print(f"reports: {suite.reports}/<section>/index.html")
    print(f"{len(verdicts) - len(failed)} passed, {len(failed)} failed")
    if not any(verdict.ran for verdict in verdicts):
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
