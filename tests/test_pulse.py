"""Tests for whether a peer that has not answered a ping may not have got it yet."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gows.wire.pulse import Progress, Pulse


def tcp(arrived: int, queued: int = 0, waiting: int = 0) -> Progress:
    """How far bytes have come, where the kernel counts what arrives."""
    return Progress(arrived, queued, waiting, 0)


def unix(queued: int, waiting: int = 0, moved: int = 0) -> Progress:
    """The same, where it does not."""
    return Progress(None, queued, waiting, moved)


class TCPTests(SynchronousTestCase):
    """What has arrived is compared with where the ping is."""

    def test_idle(self) -> None:
        """Where nothing was before the ping, only its pong will do."""
        pulse = Pulse(tcp(1000))
        self.assertFalse(pulse.isProgressing(tcp(1000, queued=127)))

    def test_idleButThere(self) -> None:
        """That the ping itself has arrived is no sign of life, but the pong is."""
        pulse = Pulse(tcp(1000))
        self.assertFalse(pulse.isProgressing(tcp(1127)))

    def test_slow(self) -> None:
        """As long as what is before it arrives, little by little, there is life."""
        pulse = Pulse(tcp(1000, queued=500, waiting=400))
        for arrived in (1100, 1101, 1899):
            self.assertTrue(pulse.isProgressing(tcp(arrived, queued=1)))
        self.assertFalse(pulse.isProgressing(tcp(1899, queued=1)))

    def test_arrived(self) -> None:
        """Once all before it is there, the pong has one more time to come."""
        pulse = Pulse(tcp(1000, queued=500))
        self.assertTrue(pulse.isProgressing(tcp(1700)))
        self.assertFalse(pulse.isProgressing(tcp(2500)))

    def test_dead(self) -> None:
        """Who takes nothing is dead, however much there is, and more comes."""
        pulse = Pulse(tcp(1000, queued=500, waiting=5000))
        self.assertFalse(pulse.isProgressing(tcp(1000, queued=600, waiting=9000)))


class UnixTests(SynchronousTestCase):
    """Where only what is left is known, it has to become less."""

    def test_idle(self) -> None:
        """Where nothing is left there is nothing to wait for."""
        self.assertFalse(Pulse(unix(0)).isProgressing(unix(0)))

    def test_kernel(self) -> None:
        """That the kernel's part becomes less is life; that it does not is none."""
        pulse = Pulse(unix(1000))
        self.assertTrue(pulse.isProgressing(unix(900)))
        self.assertFalse(pulse.isProgressing(unix(900)))
        self.assertFalse(pulse.isProgressing(unix(950)))

    def test_outbox(self) -> None:
        """So is that bytes go from the outbox to the kernel."""
        pulse = Pulse(unix(1000, waiting=500))
        self.assertTrue(pulse.isProgressing(unix(1000, waiting=400, moved=100)))
        self.assertFalse(pulse.isProgressing(unix(1000, waiting=400, moved=100)))
