"""Makes ``twistd gows`` and ``twist gows`` appear."""

from gows.servicemaker import GowsMaker

gows = GowsMaker(
    "gows", "gows.tap", "A WebSocket chat server to run beside your app.", "gows"
)
