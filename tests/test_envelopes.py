"""Tests for L{gows.dialects.envelopes}: what is said in gows.v1."""

from __future__ import annotations

from typing import get_args

import msgspec
from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gows.dialects import envelopes
from gows.dialects.envelopes import Ack, Closing, Envelope, Error, Said
from gows.dialects.fields import RULES, To


def kinds() -> list[type[Envelope]]:
    """Find all envelopes."""
    return [
        kind
        for kind in vars(envelopes).values()
        if isinstance(kind, type)
        and issubclass(kind, Envelope)
        and kind is not Envelope
    ]


class EnvelopesTests(SynchronousTestCase):
    """What is written is what the documentation says."""

    def test_kinds(self) -> None:
        """There are five requests, and eight things that the server says."""
        tags = {kind.__struct_config__.tag for kind in kinds()}
        requests = {"publish", "join", "leave", "presence", "refresh"}
        said = {"welcome", "message", "ack", "error", "joined", "left", "missed"}
        self.assertEqual(tags, requests | said | {"closing"})

    def test_rules(self) -> None:
        """Each field of a request has a rule in words, and nothing else has."""
        fields = {"type"}
        for kind in (*get_args(envelopes.Request), To):
            fields |= {field.encode_name for field in msgspec.structs.fields(kind)}
        self.assertEqual(fields, set(RULES))

    def test_names(self) -> None:
        """Names are in snake case; what is not set is not there; from is from."""
        for envelope, text in (
            (Ack(), '{"type":"ack"}'),
            (
                Closing(1001, "x", 5),
                '{"type":"closing","code":1001,"reason":"x","retry_after":5}',
            ),
            (
                Said("i", 7, Raw(b'{"a" : 1}'), room="*", sender="bob"),
                '{"type":"message","id":"i","time":7,"data":{"a" : 1},'
                '"room":"*","from":"bob"}',
            ),
            (
                Error("absent", "x", 3),
                '{"type":"error","code":"absent","text":"x","id":3}',
            ),
        ):
            self.assertEqual(msgspec.json.encode(envelope).decode(), text)
