"""
Rounds: every contender once, then every contender again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from benchmarks import workshop
from benchmarks.progress import Progress
from benchmarks.scenarios import WORST, Contender, Scenario
from benchmarks.servers import SERVERS, Command, Running, Server, running
from benchmarks.workshop import LeftOut

LOAD_SECONDS = 240

Figures = dict[str, float]


@dataclass
class Outcome:
    """
    What came of a scenario.

    @ivar figures: for each contender's label, its figures of each round
    @ivar leftOut: why a contender has none, or no more, by label
    """

    figures: dict[str, list[Figures]] = field(default_factory=dict)
    leftOut: dict[str, str] = field(default_factory=dict)

    def figure(self, label: str, metric: str) -> float | None:
        """
        The median of a contender's rounds, or the worst of them where that is what
        counts; nothing if there is none.
        """
        rounds = self.figures.get(label, [])
        values = [figures[metric] for figures in rounds if metric in figures]
        if not values:
            return None
        return max(values) if metric in WORST else median(values)

    def rounds(self) -> int:
        """
        How many rounds there were.
        """
        return max(map(len, self.figures.values()), default=0)


def readFigures(text: str) -> Figures:
    """
    Read what the load generator prints: a C{key=value} a line.
    """
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: float(value) for key, _, value in pairs}


def _press(server: Running, arguments: Sequence[str]) -> Figures:
    command = [str(workshop.load()), *arguments]
    command += ["--port", str(server.port), "--pid", str(server.pid)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LeftOut(f"it took over {LOAD_SECONDS} s") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["the load generator failed"]
        raise LeftOut(lines[-1].removeprefix("load: "))
    return readFigures(done.stdout)


def serverOf(contender: Contender) -> Server:
    """
    The contender's server, with its options.
    """
    server = SERVERS[contender.server]

    def command(mode: str, port: int) -> Command:
        return [*server.command(mode, port), *contender.options]

    return replace(server, command=command)


def _once(scenario: Scenario, contender: Contender) -> Figures:
    with running(serverOf(contender), contender.mode) as server:
        return _press(server, [*scenario.load, *contender.load])


def roundsOf(scenario: Scenario, wanted: int) -> int:
    """
    How many rounds a scenario gets when so many are wanted.
    """
    return min(wanted, scenario.rounds)


def measure(scenario: Scenario, wanted: int, progress: Progress) -> Outcome:
    """
    Measure a scenario. A contender that fails is left out of the later rounds.

    @param wanted: rounds
    """
    outcome = Outcome()
    rounds = roundsOf(scenario, wanted)
    for number in range(1, rounds + 1):
        for contender in scenario.contenders:
            label = contender.label
            if label not in outcome.leftOut:
                progress.say(f"{scenario.name} {number}/{rounds} {label}")
                try:
                    figures = _once(scenario, contender)
                except LeftOut as reason:
                    outcome.leftOut[label] = _said(reason, number)
                else:
                    outcome.figures.setdefault(label, []).append(figures)
            progress.step()
    return outcome


def _said(reason: LeftOut, number: int) -> str:
    text = str(reason).replace(f"{workshop.ROOT}/", "")
    return text if number == 1 else f"{text} (in round {number})"
