"""
What was measured, kept: C{docs/performance.json}, C{.md} and C{.svg}.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import chart, report
from benchmarks.measuring import Outcome
from benchmarks.record import Record
from benchmarks.scenarios import SCENARIOS
from benchmarks.servers import OURS
from benchmarks.workshop import ROOT

DOCS = ROOT / "docs"


def whyNotKept(isQuick: bool, peers: Iterable[str]) -> str:
    """
    Why a run's results are not to be kept; empty if they are.
    """
    if isQuick:
        return "a quick run"
    if list(peers):
        return "not all peers were measured"
    for name in OURS:
        if os.environ.get(name):
            return f"{name} is set: this is not the gows of this checkout as it is"
    return ""


class Book:
    """
    The results of all scenarios, the last of each.

    @ivar records: by scenario, in the order of the report
    """

    def __init__(self, folder: Path = DOCS) -> None:
        """
        Read what is there.

        @param folder: with a C{performance.md} in it
        """
        self._json = folder / "performance.json"
        self._markdown = folder / "performance.md"
        self._chart = folder / "performance.svg"
        found = json.loads(self._json.read_text()) if self._json.exists() else {}
        self.records = {
            name: _restored(found[name]) for name in SCENARIOS if name in found
        }

    def keep(self, name: str, record: Record) -> None:
        """
        Put a scenario's record in place of its last one, and write all files.

        @raise ValueError: if C{performance.md} lacks a place for it
        """
        kept = self.records | {name: record}
        self.records = {each: kept[each] for each in SCENARIOS if each in kept}
        text = self._markdown.read_text("utf-8")
        text = replaced(text, "summary", report.summary(self.records))
        text = replaced(text, name, report.section(SCENARIOS[name], record))
        plain = {each: asdict(record) for each, record in self.records.items()}
        self._json.write_text(
            json.dumps(plain, indent=1, ensure_ascii=False) + "\n", "utf-8"
        )
        self._chart.write_text(chart.drawn(self.records), "utf-8")
        self._markdown.write_text(text, "utf-8")


def _restored(plain: dict[str, Any]) -> Record:
    return Record(**(plain | {"outcome": Outcome(**plain["outcome"])}))


def replaced(text: str, name: str, lines: Iterable[str]) -> str:
    """
    Put lines between the two marker comments of a name.

    @raise ValueError: if these are not there
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    head, begun, rest = text.partition(begin)
    _, ended, tail = rest.partition(end)
    if not (begun and ended):
        raise ValueError(f"no markers for {name} in docs/performance.md")
    body = "\n".join(lines).strip()
    return f"{head}{begin}\n{body}\n\n{end}{tail}"
