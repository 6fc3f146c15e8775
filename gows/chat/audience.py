"""Whom a message is for."""

from __future__ import annotations

from typing import Final

Audience = str
"""The name of a room."""

EVERYONE: Final[Audience] = "*"
"""The room that every open connection is in."""
