"""picows: python picows_.py PORT broadcast|echo."""

import asyncio
import sys
from collections.abc import Callable

import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

SPOKEN = (WSMsgType.TEXT, WSMsgType.BINARY)
transports: set[WSTransport] = set()


class Client(WSListener):
    """What one says, all hear."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        """A client is there."""
        transports.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """A client is gone."""
        transports.discard(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame has come, pings aside."""
        if frame.msg_type in SPOKEN:
            self.spoke(transport, frame.msg_type, frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def spoke(self, transport: WSTransport, kind: WSMsgType, payload: bytes) -> None:
        """Send it to everyone, the sender too."""
        for each in transports:
            each.send(kind, payload)


class Echo(Client):
    """What one says, only they hear."""

    def spoke(self, transport: WSTransport, kind: WSMsgType, payload: bytes) -> None:
        """Send it back."""
        transport.send(kind, payload)


async def main(port: int, listener: Callable[[], Client]) -> None:
    """Serve until a signal comes."""

    def accept(request: WSUpgradeRequest) -> Client:
        return listener()

    server = await ws_create_server(accept, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(int(sys.argv[1]), Echo if sys.argv[2] == "echo" else Client))
