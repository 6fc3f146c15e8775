"""Makes ``twistd gows`` and ``twist gows`` appear."""

from twisted.application.service import ServiceMaker

gows = ServiceMaker(
    "gows", "gows.tap", "A WebSocket chat server to run beside your app.", "gows"
)
