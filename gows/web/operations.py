"""What the operators' door asks of the server."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from gows.web import apistructs as api


class Operations(Protocol):
    """All that operators and backends can do."""

    def publish(self, publish: api.Publish) -> api.Published:
        """Say something, as the server itself."""

    def disconnect(self, disconnect: api.Disconnect) -> api.Disconnected:
        """Close connections."""

    def connections(self, query: api.ConnectionsQuery) -> api.Connections:
        """List connections, the oldest first."""

    def top(self, query: api.TopQuery) -> Awaitable[api.Top]:
        """List the connections of which something is the largest."""

    def rooms(self, query: api.RoomsQuery) -> api.Rooms:
        """List the rooms in which there is somebody."""

    def room(self, room: str, query: api.RoomQuery) -> api.Presence:
        """List the people in a room."""

    def mint(self, ticket: api.NewTicket) -> Awaitable[api.Ticket]:
        """
        Make a ticket.

        @raise gows.errors.TooMany: if too many are unused
        """

    def info(self) -> api.Info:
        """Tell what this server is."""
