"""
Every setting, once: name, type, default, range, help.

L{gows.sources} reads them from flags, the environment and a TOML file.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gows.allowed import (
    DottedName,
    Endpoint,
    FileName,
    HostName,
    Interface,
    Origin,
    Proxy,
    Seconds,
    SecondsOrNone,
    Text,
    told,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """
    The settings of a server.

    A field C{maxMessageSize} is C{--max-message-size} on the command line,
    C{GOWS_MAX_MESSAGE_SIZE} in the environment, C{max-message-size} in a file.
    """

    port: Annotated[
        int,
        Meta(ge=0, le=65535),
        told("TCP port to listen on; 0 takes a free one"),
    ] = 8888
    interface: Annotated[
        Interface, told("address to listen on; 0.0.0.0 or :: for all")
    ] = "127.0.0.1"
    listen: Annotated[
        tuple[Endpoint, ...],
        told(
            "endpoint to listen on: tcp:, ssl:, tls:, unix:, systemd:, or haproxy: "
            "in front of a plain one; replaces port and interface"
        ),
    ] = ()
    cert: Annotated[
        FileName | None,
        told(
            "PEM file of the certificate chain: the port and every plain endpoint "
            "speak TLS; read again on SIGHUP and when it changes; needs key"
        ),
    ] = None
    key: Annotated[FileName | None, told("PEM file of the certificate's key")] = None
    logLevel: Annotated[
        Literal["debug", "info", "warn", "error", "critical"],
        told("log this level and above"),
    ] = "info"
    logFile: Annotated[
        FileName | None,
        told("file to log to, opened anew on SIGHUP; without it, where twistd logs"),
    ] = None
    origin: Annotated[
        tuple[Origin, ...],
        told(
            "web origin whose pages may connect; none given: all may",
            advice='["https://app.example"]',
        ),
    ] = ()
    anonymous: Annotated[
        bool, told("let who has no specialKey in, under a unique one that is made up")
    ] = False
    tokenKey: Annotated[
        FileName | None,
        told(
            "file with the key of tokens (a JWK, a JWKS, or a PEM public key): who "
            "connects needs a token; read again on SIGHUP and when it changes",
            advice='"/etc/gows/token-key.json"',
        ),
    ] = None
    tokenIssuer: Annotated[
        Text | None, told("what a token's iss must be; unset: anything")
    ] = None
    tokenAudience: Annotated[
        Text | None, told("what a token's aud must be, or hold; unset: anything")
    ] = None
    tokenLeeway: Annotated[
        float,
        Meta(ge=0, le=300),
        told("seconds that the clocks of who makes tokens and ours may differ by"),
    ] = 5.0
    binary: Annotated[
        Literal["gzip", "relay", "refuse"],
        told(
            "what an inbound binary message is: gzip-compressed text, relayed as it "
            "is, or refused"
        ),
    ] = "gzip"
    duplicate: Annotated[
        Literal["replace", "refuse", "allow"],
        told(
            "when a live key connects again: the new connection replaces the old, "
            "is refused, or both stay"
        ),
    ] = "replace"
    maxMessageSize: Annotated[
        int,
        Meta(ge=1, le=1 << 30),
        told("largest message in bytes, after decompression too"),
    ] = 65536
    compressLevel: Annotated[
        int,
        Meta(ge=1, le=9),
        told("zlib's level for gzip and permessage-deflate: 1 is fast, 9 is small"),
    ] = 6
    compressThreshold: Annotated[
        int,
        Meta(ge=0, le=1 << 30),
        told("with permessage-deflate, messages of fewer bytes are not compressed"),
    ] = 256
    maxDelay: Annotated[
        float,
        Meta(ge=0, le=1),
        told(
            "seconds that messages may wait for others to leave with when there are "
            "more than can be sent one by one; 0: none"
        ),
    ] = 0.02
    sendBuffer: Annotated[
        int,
        Meta(ge=0, le=1 << 30),
        told(
            "bytes that the kernel may hold for a connection (SO_SNDBUF); 0: its own "
            "choice"
        ),
    ] = 262144
    slowLimit: Annotated[
        int,
        Meta(ge=1024, le=1 << 30),
        told("bytes that may wait for a slow reader besides"),
    ] = 1048576
    slowPolicy: Annotated[
        Literal["close", "drop-oldest", "latest"],
        told(
            "when more would wait for a slow reader: it is closed with 4002, loses "
            "its oldest messages, or has only the newest wait, at any time"
        ),
    ] = "close"
    backlogLimit: Annotated[
        int,
        Meta(ge=65536, le=1 << 40),
        told(
            "bytes that may wait for all slow readers together, shared ones counted "
            "once; above it those are closed for whom the most waits"
        ),
    ] = 268435456
    maxRooms: Annotated[
        int,
        Meta(ge=1, le=10_000),
        told("most rooms that a client of gows.v1 may be in"),
    ] = 128
    presenceLimit: Annotated[
        int,
        Meta(ge=0, le=10_000),
        told(
            "rooms with more people are told of in numbers only, not who comes and goes"
        ),
    ] = 200
    maxErrors: Annotated[
        int,
        Meta(ge=0, le=1_000_000),
        told("faulty requests of gows.v1 that end a connection (1008); 0: none do"),
    ] = 10
    rate: Annotated[
        float,
        Meta(ge=0, le=100_000),
        told(
            "messages a second that a connection may send, for ever; twice that at "
            "once; 0: no limit",
            advice="20",
        ),
    ] = 0.0
    byteRate: Annotated[
        int,
        Meta(ge=0, le=1 << 40),
        told(
            "bytes a second that its messages may have, after decompression; 0: no "
            "limit",
            advice="65536",
        ),
    ] = 0
    maxConnections: Annotated[
        int,
        Meta(ge=0, le=10_000_000),
        told("most WebSockets at a time; 0: no limit but that of open files"),
    ] = 0
    maxPerAddress: Annotated[
        int,
        Meta(ge=0, le=10_000_000),
        told(
            "most WebSockets of one address at a time; of IPv6, of one /64 network; 0: "
            "no limit",
            advice="50",
        ),
    ] = 0
    openRate: Annotated[
        float,
        Meta(ge=0, le=100_000),
        told(
            "openings a second that an address may try, for ever; twice that at once; "
            "0: no limit",
            advice="2",
        ),
    ] = 0.0
    handshakeTimeout: Annotated[
        Seconds, told("seconds in which an opening must be complete")
    ] = 10.0
    closeTimeout: Annotated[
        Seconds, told("seconds in which a close must be answered")
    ] = 10.0
    pingInterval: Annotated[
        SecondsOrNone, told("seconds between pings; 0: none are sent")
    ] = 25.0
    pingTimeout: Annotated[
        Seconds, told("seconds in which a ping must be answered")
    ] = 8.0
    trustedProxy: Annotated[
        tuple[Proxy, ...], told("proxy whose X-Forwarded-For is believed")
    ] = ()
    admin: Annotated[
        Endpoint | None,
        told(
            "endpoint of the operators' door: API, metrics, profiles, console; without "
            "one there is none",
            example='"tcp:8889:interface=127.0.0.1"',
        ),
    ] = None
    apiKeyFile: Annotated[
        FileName | None,
        told(
            "file with the keys of the operators' door, on each line a name, a colon "
            "and a key; read again on SIGHUP and when it changes; needed unless that "
            "door is on loopback or a Unix socket",
            example='"/etc/gows/api-keys"',
        ),
    ] = None
    adminHost: Annotated[
        tuple[HostName, ...],
        told(
            "name under which the operators' door is called, besides localhost and IP "
            "addresses"
        ),
    ] = ()
    adminOrigin: Annotated[
        tuple[Origin, ...],
        told("web origin whose pages may call the operators' door (CORS)"),
    ] = ()
    drainTimeout: Annotated[
        SecondsOrNone,
        told(
            "seconds that a stop takes at the most: closes are spread over four fifths "
            "of it, or less where clients are few; 0: all are closed at once"
        ),
    ] = 10.0
    app: Annotated[
        DottedName, told("the application: what the chat does with messages")
    ] = "gows.chat.application.BroadcastChat"
