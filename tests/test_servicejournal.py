"""Tests for L{gows.servicejournal}: what is logged of the operators' door."""

from __future__ import annotations

from typing import cast

from twisted.logger import ILogObserver, LogLevel, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gows.servicejournal import ServiceJournal
from tests.support import recorder

ADDRESS = "203.0.113.7"


class ServiceJournalTests(SynchronousTestCase):
    """Each line, with its level."""

    def test_lines(self) -> None:
        """They say who and from where, and never a key."""
        events, observe = recorder()
        journal = ServiceJournal(cast(ILogObserver, observe))
        journal.listening("127.0.0.1:8889", False, "the operators' door")
        journal.listening("0.0.0.0:443", True)
        journal.apiKeysRead("/etc/keys", 2)
        journal.apiKeysKept("it is broken")
        journal.keyRefused(ADDRESS)
        journal.keysDropped(ADDRESS)
        journal.operatorDisconnected("ops", ADDRESS, 3)
        journal.requestFailed(Failure(RuntimeError("it broke")))
        self.assertEqual(
            [(event["log_level"], formatEvent(event)) for event in events],
            [
                (LogLevel.info, "listening on 127.0.0.1:8889: the operators' door"),
                (LogLevel.info, "listening on 0.0.0.0:443 (TLS)"),
                (LogLevel.info, "API keys read from /etc/keys: 2"),
                (
                    LogLevel.error,
                    "the API keys were not read again, the old ones stay: it is broken",
                ),
                (LogLevel.warn, f"a wrong API key came from {ADDRESS}"),
                (
                    LogLevel.warn,
                    f"too many wrong API keys came from {ADDRESS}: it has to wait",
                ),
                (LogLevel.info, f"ops at {ADDRESS} closes 3 connections"),
                (LogLevel.critical, "a request of an operator failed"),
            ],
        )
        self.assertEqual({event["log_namespace"] for event in events}, {"gows.service"})
