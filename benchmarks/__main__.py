"""
Measure gows and its peers: C{make bench}.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NoReturn

from benchmarks import report, workshop
from benchmarks.measuring import measure, roundsOf
from benchmarks.progress import Progress
from benchmarks.record import gowsVersions, recordOf
from benchmarks.results import Book, whyNotKept
from benchmarks.scenarios import QUICK, SCENARIOS, Scenario
from benchmarks.servers import SERVERS
from benchmarks.workshop import LeftOut

ROUNDS = 5
MOST_ROUNDS = 99


def _names(allowed: Iterable[str]) -> Callable[[str], list[str]]:
    known = list(allowed)

    def parse(text: str) -> list[str]:
        given = [name for name in text.replace(",", " ").split() if name]
        for name in given:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f"no {name!r} here, allowed are: {', '.join(known)}"
                )
        return given

    return parse


def _rounds(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= MOST_ROUNDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to {MOST_ROUNDS}")
    return int(text)


class Arguments(argparse.ArgumentParser):
    """
    A parser that refuses in one line.
    """

    def error(self, message: str) -> NoReturn:
        """
        Say what is wrong, without the usage.
        """
        self.exit(2, f"bench: {message}\n")


def parseArguments(arguments: Sequence[str]) -> argparse.Namespace:
    """
    The command line.
    """
    parser = Arguments(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        type=_names(SCENARIOS),
        default=[],
        help="scenarios: " + ", ".join(SCENARIOS),
    )
    parser.add_argument(
        "--peers",
        type=_names(SERVERS),
        default=[],
        help="servers beside gows: " + ", ".join(SERVERS),
    )
    parser.add_argument("--rounds", type=_rounds, default=ROUNDS, help="5 unless given")
    parser.add_argument("--quick", action="store_true", help="gows and the C loop")
    options = parser.parse_args(arguments)
    if options.quick and (options.only or options.peers):
        parser.error("--quick goes without --only and --peers")
    return options


def chosen(options: argparse.Namespace) -> list[Scenario]:
    """
    The scenarios to run, each with the contenders that are wanted.
    """
    if options.quick:
        return list(QUICK)
    peers = {"gows", *(options.peers or SERVERS)}
    return [
        replace(
            scenario,
            contenders=tuple(c for c in scenario.contenders if c.server in peers),
        )
        for scenario in SCENARIOS.values()
        if not options.only or scenario.name in options.only
    ]


def raiseFileLimit() -> int:
    """
    Allow as many open files as the machine lets us have; answers how many.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def run(scenarios: Sequence[Scenario], rounds: int, book: Book | None) -> bool:
    """
    Measure, print, and write down.

    @param book: where the results are kept, if they are
    @return: whether gows could be measured in all of them
    """
    files, isWhole = raiseFileLimit(), True
    gows = gowsVersions()
    steps = (len(each.contenders) * roundsOf(each, rounds) for each in scenarios)
    progress = Progress(sum(steps), sys.stderr)
    for scenario in scenarios:
        if scenario.files > files:
            print(f"{scenario.name}: left out: {files} open files are allowed here\n")
            isWhole = False
            continue
        outcome = measure(scenario, rounds, progress)
        progress.end()
        record = recordOf(scenario, outcome, gows)
        print("\n".join(report.section(scenario, record)), flush=True)
        if scenario.contenders[0].label not in outcome.figures:
            print(f"{scenario.name}: gows was not measured: not written down\n")
            isWhole = False
        elif book:
            book.keep(scenario.name, record)
    return isWhole


def main(arguments: Sequence[str]) -> int:
    """
    Measure what the command line asks for; returns the exit status.
    """
    # A signal must unwind the stack, for that is what stops the servers.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    options = parseArguments(arguments)
    try:
        workshop.load()
    except LeftOut as reason:
        print(f"bench: no load generator: {reason}", file=sys.stderr)
        return 1
    why = whyNotKept(options.quick, options.peers)
    isWhole = run(chosen(options), options.rounds, None if why else Book())
    print(
        f"docs/performance.md stays as it is: {why}"
        if why
        else "see docs/performance.md"
    )
    return 0 if isWhole else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("bench: interrupted")
