"""Tests for what all outboxes of a server have in common."""

from __future__ import annotations

from tests.memory import MemoryTestCase


class TermsTests(MemoryTestCase):
    """What may wait is the same for all, and counts together."""

    def test_common(self) -> None:
        """What waits for one connection counts with what waits for the others."""
        server = self.factory()
        clients = [self.opened(server, f"specialKey={name}") for name in "ab"]
        for client in clients:
            client.transport.peerReads = False
        server.broadcast("x" * 70_000)
        self.clock.advance(0)
        server.broadcast("y" * 1000)
        self.clock.advance(0)
        self.assertEqual(
            [client.server.outbox.waiting for client in clients], [1004, 1004]
        )
        self.assertEqual(server.terms.backlog.size, 1004)
