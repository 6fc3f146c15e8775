"""
What is measured, of whom, and what gows is to reach.
"""

from __future__ import annotations

from dataclasses import dataclass, field

READERS = ("--clients", "500")
CROWD = 15_000


@dataclass(frozen=True)
class Contender:
    """
    A server in a scenario.

    @ivar label: its name in the results; that of the server unless gows is
        measured in more than one way
    @ivar server: its name in L{benchmarks.servers.SERVERS}
    @ivar load: arguments for the load generator, behind those of the scenario
    @ivar options: arguments for the server, behind its own
    """

    label: str
    server: str
    mode: str = "broadcast"
    load: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """
    What gows is to reach: at most C{factor} times another's figure, or, where there
    is no other, at most C{factor}.

    @ivar metric: a key of L{METRICS}
    @ivar plus: the other's figure plus this much, in place of a multiple of it
    """

    metric: str
    factor: float
    other: str = ""
    plus: float | None = None


@dataclass(frozen=True)
class Scenario:
    """
    One thing to measure.

    @ivar title: what happens, in a line
    @ivar load: arguments for the load generator
    @ivar metrics: what is shown, the first one in the chart
    @ivar contenders: the first one is gows, as the targets mean it
    @ivar files: how many open files a process needs
    @ivar rounds: at most so many, where one takes long
    """

    name: str
    title: str
    load: tuple[str, ...]
    metrics: tuple[str, ...]
    contenders: tuple[Contender, ...]
    targets: tuple[Target, ...] = field(default=())
    files: int = 4500
    rounds: int = 99


METRICS = {
    "delivery_us": ("CPU per delivery", "µs"),
    "message_us": ("CPU per message", "µs"),
    "opening_us": ("CPU per opening", "µs"),
    "idle_kb": ("memory per idle connection", "KB"),
    "p50_ms": ("p50", "ms"),
    "p99_ms": ("p99", "ms"),
    "lost": ("lost in the worst round", ""),
    "peak_kb": ("highest peak of memory", "KB"),
    "stalled_4002": ("stalled: closed with 4002", ""),
    "stalled_cut": ("stalled: cut", ""),
    "stalled_open": ("stalled: still open in the worst round", ""),
    "own_us": ("load generator's own CPU", "µs"),
}
"""What the load generator tells: key, name, unit."""

WORST = {"lost", "peak_kb", "stalled_open"}
"""Of these, the worst round counts, not the median."""


def _all(names: str, mode: str = "broadcast") -> tuple[Contender, ...]:
    return tuple(Contender(name, name, mode) for name in ("gows", *names.split()))


_PEERS = "uwebsockets picows nchan gorilla gin ws websockets"
_DEFLATE = ("--deflate", "1")
_COMPRESS_ALL = ("--compress-threshold", "0")
_PROFILED = ("--app", "gows_profiled.Profiled")
_PLAIN = Contender("gows plain", "gows")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "fanout",
            "500 clients, one speaks, one message in flight",
            ("fanout", *READERS, "--messages", "800"),
            ("delivery_us", "p50_ms"),
            _all(f"sendloop {_PEERS}"),
            (
                Target("delivery_us", 1.20, "sendloop"),
                Target("delivery_us", 0.95, "uwebsockets"),
                Target("delivery_us", 0.65, "gorilla"),
            ),
        ),
        Scenario(
            "crowd",
            "15,000 clients, one speaks, one message in flight",
            ("fanout", "--clients", str(CROWD), "--messages", "20", "--warmup", "2"),
            ("delivery_us", "p50_ms"),
            (
                *_all("sendloop uwebsockets gorilla"),
                Contender("gows at 500", "gows", load=(*READERS, "--messages", "800")),
            ),
            (
                Target("delivery_us", 1.0, "uwebsockets"),
                Target("delivery_us", 1.6, "gows at 500"),
            ),
            files=CROWD + 200,
        ),
        Scenario(
            "room",
            "a room of 5, beside others who are in everyone's",
            (
                "fanout",
                "--clients",
                "5",
                "--messages",
                "4000",
                "--query",
                "&room=small",
            ),
            ("delivery_us", "p50_ms", "p99_ms"),
            (
                Contender(
                    f"gows, {CROWD:,} others", "gows", load=("--others", str(CROWD))
                ),
                Contender("gows, 5,000 others", "gows", load=("--others", "5000")),
                Contender("gows, no others", "gows"),
            ),
            (Target("delivery_us", 1.1, "gows, no others"),),
            files=CROWD + 200,
        ),
        Scenario(
            "saturation",
            "1,000 clients, 20 speak, 200 messages a second in all",
            _words(
                "rate --clients 1000 --senders 20 --rate 200 --messages 1000 "
                "--seconds 10"
            ),
            ("delivery_us", "p50_ms", "p99_ms", "lost"),
            _all(_PEERS),
            (
                Target("delivery_us", 1.0, "uwebsockets"),
                Target("p99_ms", 1.0, "uwebsockets"),
                Target("p99_ms", 0.1, "gorilla"),
                Target("lost", 0),
            ),
        ),
        Scenario(
            "beyond",
            "1,000 clients, 20 speak, 1,000 messages a second in all",
            _words(
                "rate --clients 1000 --senders 20 --rate 1000 --messages 5000 "
                "--seconds 10"
            ),
            ("p99_ms", "p50_ms", "delivery_us", "lost"),
            _all(_PEERS),
            (Target("p99_ms", 250), Target("lost", 0)),
        ),
        Scenario(
            "echo",
            "100 clients, each hears itself, one message in flight each",
            ("echo", "--clients", "100", "--seconds", "2"),
            ("message_us",),
            _all("uwebsockets picows gorilla ws websockets", "echo"),
            (
                Target("message_us", 1.25, "gorilla"),
                Target("message_us", 0.7, "websockets"),
            ),
        ),
        Scenario(
            "opening",
            "4,000 connections are opened, 32 at a time",
            ("opening", "--clients", "4000"),
            ("opening_us",),
            _all(_PEERS),
            (Target("opening_us", 1.0, "gin"),),
        ),
        Scenario(
            "memory",
            "4,000 idle connections",
            ("memory", "--clients", "4000"),
            ("idle_kb",),
            _all(_PEERS),
            (Target("idle_kb", 6), Target("idle_kb", 0.3, "gorilla")),
        ),
        Scenario(
            "gzip",
            "500 readers of gzip, one speaks, one message in flight",
            ("fanout", *READERS, "--messages", "800"),
            ("delivery_us",),
            (
                Contender("gows gzip", "gows", load=("--query", "&support_gzip=1")),
                _PLAIN,
            ),
            (Target("delivery_us", 1.1, "gows plain"),),
        ),
        Scenario(
            "deflate",
            "500 readers with permessage-deflate, one speaks, one message in flight",
            ("fanout", *READERS, "--messages", "800"),
            ("delivery_us",),
            (
                Contender(
                    "gows, all compressed", "gows", load=_DEFLATE, options=_COMPRESS_ALL
                ),
                Contender("gows by default", "gows", load=_DEFLATE),
                _PLAIN,
            ),
            (Target("delivery_us", 1.15, "gows plain"),),
        ),
        Scenario(
            "deflate-memory",
            "4,000 idle connections with permessage-deflate",
            ("memory", "--clients", "4000"),
            ("idle_kb",),
            (
                Contender("gows deflate", "gows", load=_DEFLATE),
                _PLAIN,
            ),
            (Target("idle_kb", 1.0, "gows plain", plus=2),),
        ),
        Scenario(
            "metrics",
            "500 clients, one speaks; what counting for /metrics costs",
            ("fanout", *READERS, "--messages", "800"),
            ("delivery_us", "p50_ms"),
            _all("uncounted"),
            (Target("delivery_us", 1.02, "uncounted"),),
        ),
        Scenario(
            "profile",
            "500 clients, one speaks, one message in flight, while a profile runs",
            ("fanout", *READERS, "--messages", "3000"),
            ("p99_ms", "p50_ms", "delivery_us"),
            (
                Contender("gows profiled", "gows", options=_PROFILED),
                _PLAIN,
            ),
            (Target("p99_ms", 1.3, "gows plain"),),
        ),
        Scenario(
            "wss",
            "300 clients over TLS, one speaks, one message in flight",
            _words("fanout --clients 300 --messages 600 --tls 1"),
            ("delivery_us", "p50_ms"),
            _all("gorilla", "tls"),
            (Target("delivery_us", 1.2, "gorilla"),),
        ),
        Scenario(
            "slow",
            "50 clients read, 500 more have stopped reading; 100 MB to each",
            _words(
                "rate --clients 50 --size 4096 --messages 25600 --rate 500 "
                "--seconds 15 --limit 150"
            ),
            (
                "p99_ms",
                "p50_ms",
                "lost",
                "peak_kb",
                "stalled_4002",
                "stalled_cut",
                "stalled_open",
            ),
            (
                Contender("gows, 500 stalled", "gows", load=("--stalled", "500")),
                Contender("gows, none stalled", "gows"),
            ),
            (
                Target("p99_ms", 1.5, "gows, none stalled"),
                Target("lost", 0),
                Target("peak_kb", 256 * 1024),
                Target("stalled_open", 0),
            ),
            rounds=3,
        ),
    )
}
"""By name, in the order of the report."""

QUICK = (
    Scenario(
        "fanout",
        "500 clients, one speaks, one message in flight",
        ("fanout", *READERS, "--messages", "400"),
        ("delivery_us", "p50_ms"),
        _all("sendloop"),
        SCENARIOS["fanout"].targets[:1],
    ),
    Scenario(
        "echo",
        "100 clients, each hears itself, one message in flight each",
        ("echo", "--clients", "100", "--seconds", "1"),
        ("message_us",),
        _all("", "echo"),
    ),
)
"""Before and after a change: under a minute, against the C loop alone."""
