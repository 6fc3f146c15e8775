"""One message in both dialects: each understands what the other says."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw

from gows.chat.message import Message
from gows.dialects.envelopes import Said


def rawForm(data: bytes) -> bytes:
    """
    Say for raw readers what was said as JSON: a string as it is, all else as JSON.

    @param data: one JSON value, in UTF-8, without lone surrogates
    """
    if not data.startswith(b'"'):
        return data
    text: str = msgspec.json.decode(data, type=str)
    return text.encode("utf-8")


def envelopeOf(message: Message) -> bytes:
    """
    Say in gows.v1 what was said, be it in that dialect or raw.

    Raw text becomes a string, and a binary message a string in base64.
    """
    kind, name = message.audience
    said = Said(
        id=message.id,
        time=message.time,
        data=_dataOf(message),
        room=name if kind == "room" else UNSET,
        key=name if kind == "key" else UNSET,
        sender=UNSET if message.sender is None else message.sender,
        encoding="base64" if message.isBinary else UNSET,
    )
    return msgspec.json.encode(said)


def _dataOf(message: Message) -> Raw:
    if message.data is not None:
        return Raw(message.data)
    payload = message.payload
    return Raw(msgspec.json.encode(payload if message.isBinary else payload.decode()))
