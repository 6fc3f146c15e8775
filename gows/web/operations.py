"""What the operators' door asks of the server."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from gows.web import apianswers as answers
from gows.web import apirequests as requests


class Operations(Protocol):
    """
    All that operators and backends can do.

    Where many connections are to be looked at, others are served meanwhile.
    """

    def publish(self, publish: requests.Publish) -> answers.Published:
        """Say something, as the server itself."""

    def disconnect(
        self, disconnect: requests.Disconnect
    ) -> Awaitable[answers.Disconnected]:
        """Close connections."""

    def connections(
        self, query: requests.ConnectionsQuery
    ) -> Awaitable[answers.Connections]:
        """
        List connections, the oldest first.

        Who is here throughout, page after page, is in the list once; a page has less
        than was asked for, and yet another one behind it, when some left meanwhile.
        """

    def top(self, query: requests.TopQuery) -> Awaitable[answers.Top]:
        """List the connections of which something is the largest."""

    def rooms(self, query: requests.RoomsQuery) -> answers.Rooms:
        """List the rooms in which there is somebody."""

    def room(self, room: str, query: requests.RoomQuery) -> answers.Presence:
        """List the people in a room."""

    def mint(self, ticket: requests.NewTicket) -> Awaitable[answers.Ticket]:
        """
        Make a ticket.

        @raise gows.errors.TooMany: if too many are unused
        """

    def info(self) -> answers.Info:
        """Tell what this server is."""
