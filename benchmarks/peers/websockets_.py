"""PyPI websockets, on uvloop: python websockets_.py PORT broadcast|echo."""

import asyncio
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

connections: set[ServerConnection] = set()


async def relay(connection: ServerConnection) -> None:
    """Send what one says to everyone, the sender too."""
    connections.add(connection)
    try:
        async for message in connection:
            broadcast(connections, message)
    finally:
        connections.discard(connection)


async def echo(connection: ServerConnection) -> None:
    """Send it back."""
    async for message in connection:
        await connection.send(message)


async def main(port: int, mode: str) -> None:
    """Serve until a signal comes."""
    handler = echo if mode == "echo" else relay
    async with serve(handler, "127.0.0.1", port, compression=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
