"""uWebSockets, through socketify: python socketify_.py PORT broadcast|echo."""

import sys

from socketify import App, AppListenOptions, CompressOptions, OpCode, WebSocket

EVERYONE = "everyone"
ENOUGH = 1 << 30


def enter(ws: WebSocket) -> None:
    """A client is there."""
    ws.subscribe(EVERYONE)


def publish(ws: WebSocket, message: str | bytes, opcode: OpCode) -> None:
    """Send it to everyone, the sender too."""
    ws.publish(EVERYONE, message, opcode)


def echo(ws: WebSocket, message: str | bytes, opcode: OpCode) -> None:
    """Send it back."""
    ws.send(message, opcode)


def main(port: int, mode: str) -> None:
    """Serve until a signal comes."""
    app = App()
    behavior = {
        "compression": CompressOptions.DISABLED,
        # A reader that is behind misses what is beyond max_backpressure.
        "max_backpressure": ENOUGH,
        "close_on_backpressure_limit": False,
        "idle_timeout": 0,
        "open": enter,
        "message": echo if mode == "echo" else publish,
    }
    app.ws("/*", behavior)
    app.listen(AppListenOptions(port=port, host="127.0.0.1"))
    app.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
