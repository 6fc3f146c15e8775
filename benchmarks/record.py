"""
An outcome with its circumstances: date, machine, versions.
"""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.measuring import Outcome
from benchmarks.scenarios import Scenario
from benchmarks.servers import SERVERS
from benchmarks.workshop import LeftOut


@dataclass(frozen=True)
class Record:
    """
    A scenario's outcome, and where it is from.

    @ivar date: ISO 8601
    @ivar machine: CPU, cores, kernel
    @ivar versions: of every server that was measured and of what gows runs on
    """

    outcome: Outcome
    date: str
    machine: str
    versions: dict[str, str]


def machine() -> str:
    """
    The CPU, how many of them, and the kernel.
    """
    model = platform.machine()
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def gowsVersions() -> dict[str, str]:
    """
    The versions of gows (with Twisted) and of what it runs on. To be asked before
    anything is written into the checkout.
    """
    own = SERVERS["gows"].version()
    if os.environ.get("GOWS_TWISTD"):
        own = "that of GOWS_TWISTD"
    if flags := os.environ.get("GOWS_FLAGS"):
        own += f", with {flags}"
    return {
        "gows": own,
        "Autobahn": version("autobahn"),
        "Python": platform.python_version(),
    }


def recordOf(scenario: Scenario, outcome: Outcome, gows: dict[str, str]) -> Record:
    """
    An outcome of now and here.

    @param gows: L{gowsVersions}
    """
    versions = dict(gows)
    for contender in scenario.contenders:
        name = contender.server
        if name not in versions and contender.label in outcome.figures:
            with suppress(LeftOut):
                versions[name] = SERVERS[name].version()
    return Record(outcome, date.today().isoformat(), machine(), versions)
