"""Tests for the one place through which bytes leave for a connection."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IPushProducer
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass, verifyObject

from gows.wire.outbox import LIMIT, Outbox

PROPERTY = settings(max_examples=80, deadline=None, database=None, derandomize=True)

CLOSE = b"\x88\x02\x0f\xa2"


class OutboxTests(SynchronousTestCase):
    """
    Bytes go to the transport, until a reader lets too many wait.

    @ivar fulls: how much the transport had each time that too much waited
    """

    def setUp(self) -> None:
        """Begin with nothing sent."""
        self.transport = StringTransport()
        self.fulls: list[int] = []
        self.outbox = Outbox(self.transport, self.full)

    def full(self) -> None:
        """Do what a connection does: say goodbye."""
        self.fulls.append(len(self.sent()))
        self.outbox.write(CLOSE)

    def sent(self) -> bytes:
        """Answer all that the transport has."""
        return bytes(self.transport.value())

    def test_interface(self) -> None:
        """A transport can tell it that it is full, and that it is empty."""
        verifyClass(IPushProducer, Outbox)
        verifyObject(IPushProducer, self.outbox)

    def test_atOnce(self) -> None:
        """What is written is passed on at once, in order."""
        self.outbox.write(b"a")
        self.assertEqual(self.sent(), b"a")
        self.outbox.write(b"b")
        self.assertEqual(self.sent(), b"ab")

    def test_quickReader(self) -> None:
        """A reader that keeps up is sent however much there is."""
        for _ in range(5):
            self.outbox.write(bytes(LIMIT))
        self.assertEqual(len(self.sent()), 5 * LIMIT)
        self.assertEqual(self.fulls, [])

    def test_waiting(self) -> None:
        """A reader that stalls may have as much waiting as the limit says."""
        self.outbox.pauseProducing()
        for _ in range(4):
            self.outbox.write(bytes(LIMIT // 4))
        self.outbox.write(b"the last one")
        self.assertEqual(self.sent(), b"")
        self.outbox.resumeProducing()
        self.assertTrue(self.sent().endswith(b"the last one"))
        self.assertEqual(self.fulls, [])

    def test_order(self) -> None:
        """What waited goes out before what is written after it."""
        self.outbox.write(b"a")
        self.outbox.pauseProducing()
        self.outbox.write(b"b")
        self.outbox.write(b"c")
        self.outbox.resumeProducing()
        self.outbox.write(b"d")
        self.assertEqual(self.sent(), b"abcd")

    def test_flushed(self) -> None:
        """Before the transport is closed it is handed what waits."""
        self.outbox.pauseProducing()
        self.outbox.write(b"a")
        self.outbox.flush()
        self.outbox.flush()
        self.assertEqual(self.sent(), b"a")

    def test_full(self) -> None:
        """Beyond that nothing is sent any more but what ends the connection."""
        self.outbox.pauseProducing()
        self.outbox.write(bytes(LIMIT + 1))
        self.outbox.write(b"too much")
        self.assertEqual(self.fulls, [0])
        self.outbox.resumeProducing()
        self.assertEqual(self.sent(), bytes(LIMIT + 1) + CLOSE)

    def test_fullOnce(self) -> None:
        """It is said once; what is written to end the connection goes out."""
        self.outbox.pauseProducing()
        self.outbox.write(bytes(LIMIT + 1))
        self.outbox.write(b"too much")
        self.outbox.write(b"more")
        self.assertEqual(len(self.fulls), 1)
        self.outbox.resumeProducing()
        self.assertTrue(self.sent().endswith(CLOSE + b"more"))

    def test_largeMessage(self) -> None:
        """A reader that has nothing waiting is sent any message, however large."""
        self.outbox.pauseProducing()
        self.outbox.write(bytes(5 * LIMIT))
        self.outbox.resumeProducing()
        self.assertEqual(len(self.sent()), 5 * LIMIT)
        self.assertEqual(self.fulls, [])

    def test_resumed(self) -> None:
        """Once all is read, what was read does not count any more."""
        for _ in range(5):
            self.outbox.pauseProducing()
            self.outbox.write(bytes(LIMIT + 1))
            self.outbox.resumeProducing()
        self.outbox.write(b"the last one")
        self.assertEqual(self.fulls, [])
        self.assertEqual(len(self.sent()), 5 * (LIMIT + 1) + len(b"the last one"))

    def test_beforeTheStall(self) -> None:
        """Only what is written while the reader stalls counts as waiting."""
        self.outbox.write(bytes(LIMIT + 1))
        self.outbox.pauseProducing()
        self.outbox.write(b"a")
        self.outbox.write(b"b")
        self.assertEqual(self.fulls, [])

    def test_stopped(self) -> None:
        """When the transport is gone what waits is forgotten."""
        self.outbox.pauseProducing()
        self.outbox.write(b"a")
        self.outbox.stopProducing()
        self.outbox.flush()
        self.assertEqual(self.sent(), b"")
        self.assertEqual(self.fulls, [])

    @PROPERTY
    @given(st.lists(st.integers(0, LIMIT // 2) | st.booleans(), max_size=15))
    def test_bounded(self, steps: list[int | bool]) -> None:
        """However a reader reads, no more waits than the limit and one message."""
        transport, fulls = StringTransport(), list[str]()
        outbox = Outbox(transport, lambda: fulls.append("full"))
        waiting, isStalled = 0, False
        for step in steps:
            if step is True:
                outbox.pauseProducing()
                isStalled = True
            elif step is False:
                outbox.resumeProducing()
                waiting, isStalled = 0, False
            else:
                transport.clear()
                outbox.write(bytes(step))
                if fulls:
                    self.assertGreater(waiting, LIMIT)
                    self.assertEqual(transport.value(), b"")
                    return
                self.assertEqual(len(transport.value()), 0 if isStalled else step)
                waiting += step if isStalled else 0
                self.assertLessEqual(waiting, LIMIT + step)
