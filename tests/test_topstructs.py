"""Tests for L{gows.commands.topstructs}: what is told, and what is not."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from gows.commands import topstructs
from gows.commands.topstructs import ORDERS, Connection, Hello, Sample, Top
from gows.web.apianswers import ConnectionInfo


class StructsTests(SynchronousTestCase):
    """What a server tells is taken as it is."""

    def test_names(self) -> None:
        """Fields have the names that they have in JSON; what is new is ignored."""
        sample = msgspec.json.decode(
            b'{"time":1,"messages_in":2,"fanout_p50":0.5,"future":[]}', type=Sample
        )
        self.assertEqual(sample, Sample(1, messagesIn=2, fanoutP50=0.5))

    def test_ofTheDoor(self) -> None:
        """All that is shown of a connection is there, under its name."""
        theirs = set(ConnectionInfo.__struct_encode_fields__)
        self.assertLessEqual(set(Connection.__struct_encode_fields__), theirs)
        self.assertLessEqual(set(ORDERS), theirs)
        top = msgspec.convert({"connections": [{"round_trip": 1.5}]}, Top)
        self.assertEqual(top.connections[0].roundTrip, 1.5)

    def test_history(self) -> None:
        """Rows become samples, by their columns; of too many the last count."""
        columns = ("time", "new", "lag")
        hello = Hello(columns=columns, history=((1, "x", 0.5), (2,)))
        self.assertEqual(hello.samples(), [Sample(1, lag=0.5), Sample(2)])
        rows = tuple((at,) for at in range(1000))
        samples = Hello(columns=columns, history=rows).samples()
        self.assertEqual(len(samples), topstructs.MAX_SAMPLES)
        self.assertEqual(samples[-1].time, 999)

    def test_wrong(self) -> None:
        """What is of another kind is refused."""
        hello = Hello(columns=("time",), history=(("x",),))
        self.assertRaises(msgspec.ValidationError, hello.samples)
