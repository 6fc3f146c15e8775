"""gows: a WebSocket chat server that runs beside your app."""

__version__ = "0.1.0"
