"""The table of the benchmark: which works there are, how each is measured, and its gates.

A new work is one row of WORKS; a new peer is one row of PEERS in peers.py and its name in the
commands of the rows it takes part in.
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Callable

import first_minutes
import measure
import two_processes
from peers import (
    ASIO_TLS, CAF_BENCH, CAF_NODES, KEYVAL, NODES_BENCH, PIPELINE, TLS_BENCH, TLS_CERTIFICATE,
    TLS_KEY, TLS_LOAD,
)

HIGHER = "higher"
LOWER = "lower"

# Two workers each; the runner repeats and interleaves whole processes itself. Each process warms up
# first: what the first touch of memory costs is the system's, and as much as the work itself.
COMMON = "--workers 2 --repeat 1"
WARM = f"{COMMON} --warm-up 1"


@dataclass(frozen=True)
class Gate:
    """`figure sign target`; the figure is troupe / peer, or troupe's own where peer is None.

    Where less is better, a gate of speed looks at how often troupe's figure fits into the peer's.
    """

    peer: str | None
    sign: str
    target: float
    is_speed: bool = False


def at_least(target, peer):
    return Gate(peer, ">=", target)


def at_most(target, peer=None):
    return Gate(peer, "<=", target)


def faster(target, peer):
    return Gate(peer, ">=", target, is_speed=True)


@dataclass(frozen=True)
class Metric:
    name: str
    unit: str
    better: str
    gates: tuple[Gate, ...] = ()


@dataclass(frozen=True)
class Work:
    name: str
    metrics: tuple[Metric, ...]  # the first one is what the work is about
    commands: dict[str, str]  # peer -> arguments of the peer's program
    measure: Callable = measure.program_lines
    quick_size: int | None = None  # total operations with --quick; None: the work has no size
    repeat: int | None = None  # counted repetitions without a warm-up, where fixed
    program: Path | None = None  # in place of the peers' own programs
    programs: dict[str, Path] = field(default_factory=dict)  # the same, for some of them
    load_program: Path | None = None  # in place of the usual load generator
    beside_one_worker: bool = False  # troupe does it with one worker too


# Who takes part in what: the figure of a peer that has only tasks, or only actors, stands once.
TASKS = ("go", "asio")
ACTORS = ("caf", "erlang")


def work(name, unit, better, quick_size, peers, *gates, options=WARM, **more):
    """A work with one figure. Peers are names, or pairs of a name and what the peer calls it."""
    named = dict(peer if isinstance(peer, tuple) else (peer, name) for peer in peers)
    commands = {peer: f"{theirs} {options}" for peer, theirs in named.items()}
    take = partial(measure.program_lines, renamed={theirs: name for theirs in named.values()})
    more = {"beside_one_worker": True} | more
    metrics = (Metric(name, unit, better, gates),)
    return Work(name, metrics, {"troupe": f"{name} {options}"} | commands, take, quick_size, **more)


def tasks(name, unit, quick_size, peers, *gates, better=HIGHER, **more):
    return work(name, unit, better, quick_size, ("tokio", *peers), *gates, **more)


def actors(name, unit, quick_size, peers, *gates, better=HIGHER, **more):
    """What actors do, beside the tasks and channels of a peer that has no actors."""
    peers = [peer if isinstance(peer, tuple) else (peer, name.removeprefix("actor_"))
             for peer in ("tokio", *peers)]
    return work(name, unit, better, quick_size, peers, *gates, **more)


def beside_caf(name, unit, quick_size):
    """What CAF actors do on our workers beside what they do on CAF's own scheduler."""
    commands = {"troupe": f"caf_{name} {WARM}", "caf": f"own_{name} {WARM}"}
    take = partial(measure.program_lines, renamed={f"own_{name}": f"caf_{name}"})
    metric = Metric(f"caf_{name}", unit, HIGHER, (at_least(1.0, "caf"),))
    return Work(f"caf/{name}", (metric,), commands, take, quick_size, program=CAF_BENCH)


def between_systems(name, unit, quick_size, most):
    metric = Metric(f"caf_{name}", unit, LOWER, (at_most(most),))
    commands = {"troupe": f"caf_{name} {WARM}"}
    return Work(f"caf/{name}", (metric,), commands, quick_size=quick_size, program=CAF_BENCH)


def echo(connections, *, rate=(), cpu=(), p99=()):
    name = f"echo/{connections}"
    return Work(
        name,
        (
            Metric(name, "requests/s", HIGHER, rate),
            Metric(f"{name} p50", "us", LOWER),
            Metric(f"{name} p99", "us", LOWER, p99),
            Metric(f"{name} p99.9", "us", LOWER),
            Metric(f"{name} cpu", "us/request", LOWER, cpu),
        ),
        {peer: "echo --workers 2" for peer in ("troupe", "tokio", "go", "asio")} | {"epoll": ""},
        measure=partial(measure.echo, name=name, connections=connections),
    )


def gated_echo(connections):
    return echo(
        connections,
        rate=(at_least(1.15, "tokio"), at_least(0.95, "epoll")),
        cpu=(at_most(1.1, "epoll"),),
        p99=(at_most(1.2, "epoll"),),
    )


def tls(size_bytes, connections):
    """Echo over TLS, one worker each; the load agrees with both on OpenSSL's default cipher."""
    name = f"tls/{size_bytes}/{connections}"
    identity = f"{TLS_CERTIFICATE.relative_to(measure.ROOT)} {TLS_KEY.relative_to(measure.ROOT)}"
    return Work(
        name,
        (
            Metric(name, "requests/s", HIGHER, (at_least(0.8, "asio"),)),
            Metric(f"{name} p50", "us", LOWER),
            Metric(f"{name} p99", "us", LOWER),
            Metric(f"{name} p99.9", "us", LOWER),
            Metric(f"{name} cpu", "us/request", LOWER),
        ),
        {"troupe": identity, "asio": identity},
        measure=partial(measure.echo, name=name, connections=connections, size_bytes=size_bytes),
        programs={"troupe": TLS_BENCH, "asio": ASIO_TLS},
        load_program=TLS_LOAD,
    )


def nodes(name, metrics, words=None, *, caf=False, measure=two_processes.linked, **more):
    """What two processes do that are linked, each with two workers."""
    peers = ("troupe", "caf") if caf else ("troupe",)
    return Work(
        f"nodes/{name}",
        metrics,
        {peer: f"{words or name} --workers 2" for peer in peers},
        measure=measure,
        programs={"troupe": NODES_BENCH, "caf": CAF_NODES},
        **more,
    )


def nodes_over_tls(name, unit, quick_size):
    metrics = (
        Metric(f"nodes/tls_{name}", "% of plain", HIGHER, (Gate(None, ">=", 75),)),
        Metric(f"nodes/tls_{name}_rate", unit, HIGHER),
        Metric(f"nodes/tls_{name}_cpu", "% of plain", LOWER),
    )
    take = partial(two_processes.over_tls, name=name)
    return nodes(f"tls_{name}", metrics, f"{name} --warm-up 1", measure=take, quick_size=quick_size)


def none(name, unit, *others):
    """A count that has to be zero, and what else is told."""
    return (Metric(name, unit, LOWER, (at_most(0),)), *others)


NODES = (
    nodes(
        "requests",
        (Metric("nodes/requests", "requests/s", HIGHER, (at_least(1, "caf"),)),),
        "requests --warm-up 1", caf=True, quick_size=50_000,
    ),
    nodes(
        "one_way",
        (Metric("nodes/one_way", "messages/s", HIGHER, (at_least(2, "caf"),)),),
        "one_way --warm-up 1", caf=True, quick_size=200_000,
    ),
    nodes(
        "latency",
        (Metric("nodes/latency", "us", LOWER), Metric("nodes/latency_p99", "us", LOWER)),
        "latency --warm-up 1", caf=True, quick_size=4_000,
    ),
    nodes_over_tls("requests", "requests/s", 50_000),
    nodes_over_tls("one_way", "messages/s", 200_000),
    nodes("kill", (Metric("nodes/kill", "ms", LOWER, (Gate(None, "<", 200),)),), caf=True),
    nodes(
        "silence",
        (Metric("nodes/silence", "s", LOWER,
                (Gate(None, "<", two_processes.SILENCE_LIMIT_S),)),),
        repeat=3,
    ),
    nodes(
        "memory",
        (
            Metric("nodes/memory", "% of bound", LOWER, (at_most(100),)),
            Metric("nodes/memory_growth", "bytes", LOWER),
            Metric("nodes/memory_with_load", "bytes", LOWER),
        ),
        measure=two_processes.memory, repeat=1,
    ),
    nodes(
        "kills",
        none(
            "nodes/kills", "violations",
            *(Metric(f"nodes/kills_{name}", "requests", HIGHER)
              for name in ("begun", "answered", "failed", "not_run")),
        ),
        "load", measure=two_processes.kills, repeat=1,
    ),
    nodes(
        "stops",
        none(
            "nodes/stops", "unclean",
            Metric("nodes/stops_count", "stops", HIGHER),
            Metric("nodes/stops_longest", "ms", LOWER,
                   (Gate(None, "<", two_processes.STOP_LIMIT_S * 1e3),)),
        ),
        "load", measure=two_processes.stops, repeat=1,
    ),
)


def keyval(depth, workers, rate):
    """The sample beside Redis, both without a journal, under so many requests at once for each of
    50 clients."""
    name = f"keyval/{depth}"
    return Work(
        name,
        (
            Metric(name, "requests/s", HIGHER, (at_least(rate, "redis"),)),
            Metric(f"{name} p99", "us", LOWER, (at_most(2, "redis"),)),
        ),
        # It must leave no file behind.
        {
            "troupe": f"--workers {workers}",
            "redis": "--save 1000000000 1000000000 --shutdown-on-sigterm nosave",
        },
        measure=partial(measure.keyval, name=name, depth=depth),
        programs={"troupe": KEYVAL},
    )


TIMERS = (
    Metric("timers", "cpu_s", LOWER, (at_most(0.4, "tokio+mimalloc"),)),
    Metric("timers_late_p50", "us", LOWER),
    Metric("timers_late_p99", "us", LOWER, (at_most(1000),)),
    Metric("timers_late_p99.9", "us", LOWER),
)
STEAL = (
    # What docs/semantics.md promises in sched.steal.
    Metric("steal", "us", LOWER, (at_most(1000),)),
    Metric("steal_p50", "us", LOWER),
    Metric("steal_coarse", "us", LOWER, (at_most(200),)),
    Metric("steal_coarse_p50", "us", LOWER),
)
MIMALLOC = "tokio+mimalloc"
# CAF and Erlang have no bounded mailboxes.
FAN_IN_PEERS = (("tokio", "fan_in"), *((peer, "fan_in_unbounded") for peer in ACTORS))

WORKS = (
    tasks("spawn", "tasks/s", 100_000, (MIMALLOC, *TASKS), at_least(6, "tokio")),
    tasks("yield", "yields/s", 400_000, (*TASKS, *ACTORS), at_least(1.8, "tokio")),
    tasks("fan_in", "values/s", 400_000, TASKS, at_least(4, "tokio")),
    tasks("fan_in_unbounded", "values/s", 400_000, (MIMALLOC,), at_least(3, "tokio")),
    tasks("ping_pong", "requests/s", 100_000, TASKS, at_least(1.5, "tokio")),
    tasks("coordinator", "requests/s", 200_000, TASKS),
    tasks("skynet", "s", 100_000, (MIMALLOC, *TASKS), faster(4, "tokio"), better=LOWER),
    actors("actor_spawn", "tasks/s", 100_000, (MIMALLOC, *ACTORS), at_least(6, "tokio")),
    actors(
        "actor_ping_pong", "requests/s", 100_000, ACTORS, at_least(5, "tokio"), at_least(15, "caf")
    ),
    actors("actor_coordinator", "requests/s", 200_000, ACTORS, at_least(4, "tokio")),
    work(
        "actor_fan_in", "values/s", HIGHER, 400_000, FAN_IN_PEERS,
        at_least(4, "tokio"), at_least(5, "caf"),
    ),
    actors("actor_skynet", "s", 100_000, ACTORS, faster(10, "caf"), better=LOWER),
    tasks("ring", "hops/s", 200_000, (*TASKS, *ACTORS), at_least(2, "tokio"), at_least(6, "caf")),
    Work(
        "timers",
        TIMERS,
        {
            peer: f"timers {WARM}"
            for peer in ("troupe", "tokio", MIMALLOC, *TASKS, *ACTORS)
        },
        quick_size=100_000,
    ),
    tasks("timeouts", "operations/s", 100_000, (*TASKS, *ACTORS), at_least(10, "tokio")),
    Work("steal", STEAL, {"troupe": f"steal {COMMON}"}, quick_size=100),
    # Without a warm-up: what a task or an actor has had is kept for the next one.
    tasks(
        "memory", "bytes", 100_000, ("go",),
        better=LOWER, options=COMMON, beside_one_worker=False,
    ),
    actors(
        "actor_memory", "bytes", None, ACTORS, at_most(128),
        better=LOWER, options=COMMON, beside_one_worker=False,
    ),
    Work(
        "crash_storm",
        (Metric("crash_storm", "% more memory", LOWER, (at_most(5),)),),
        # It breaks where a crash was not told of.
        {"troupe": f"crash_storm {COMMON}"},
        quick_size=100_000,
    ),
    Work(
        "pipeline",
        (
            Metric("pipeline", "% more memory", LOWER, (at_most(5),)),
            Metric("pipeline_rate", "records/s", HIGHER),
        ),
        # The sample itself. It breaks where its books do not balance.
        {"troupe": "--slow 1ms"},
        measure=partial(measure.pipeline, name="pipeline"),
        repeat=1,  # a minute of the same
        program=PIPELINE,
    ),
    echo(1),
    gated_echo(64),
    gated_echo(1024),
    echo(10_000),
    tls(64, 1),
    tls(64, 64),
    tls(16384, 1),
    tls(16384, 64),
    keyval(1, 1, 0.8),
    keyval(16, 2, 1.0),
    Work(
        "idle",
        (Metric("idle", "switches", LOWER, (Gate(None, "<", 5),)),),
        {"troupe": "idle --workers 2"},
        measure=measure.idle,
        repeat=1,  # ten seconds of nothing need no interleaving
    ),
    Work(
        "start",
        (Metric("start", "ms", LOWER, (at_most(2.0),)),),
        {"troupe": f"start {COMMON}"},
    ),
    beside_caf("ping_pong", "requests/s", 100_000),
    beside_caf("fan_in", "messages/s", 400_000),
    beside_caf("timeouts", "requests/s", None),
    between_systems("ask", "us", 100_000, 1.0),
    between_systems("serve", "us", 100_000, 1.0),
    between_systems("start", "ms", None, 20.0),
    Work(
        "caf/idle",
        (Metric("caf_idle", "switches", LOWER, (Gate(None, "<", 5),)),),
        {"troupe": "idle --workers 2"},
        measure=partial(measure.idle, name="caf_idle"),
        repeat=1,
        program=CAF_BENCH,
    ),
    *NODES,
    Work(
        "compile",
        (Metric("compile", "s", LOWER, (at_most(1.5),)),),
        {"troupe": "bench/compile/counter.cpp"},
        measure=partial(measure.compile_seconds, name="compile"),
    ),
    Work(
        "first_run",
        (Metric("first_run", "s", LOWER, (at_most(180),)),),
        {"troupe": ""},
        measure=partial(first_minutes.first_run, name="first_run"),
        repeat=1,
    ),
    Work(
        "first_error",
        (Metric("first_error", "lines", LOWER, (at_most(3),)),),
        {"troupe": ""},
        measure=partial(first_minutes.first_error, name="first_error"),
        repeat=1,
    ),
)
