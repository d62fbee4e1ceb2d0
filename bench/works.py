"""The table of the benchmark: which works there are, how each is measured, and its gates.

A new work is one row of WORKS; a new peer is one row of PEERS in peers.py and its name in the
commands of the rows it takes part in.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable

import measure
from peers import CAF_BENCH, PIPELINE, TLS_BENCH, TLS_CERTIFICATE, TLS_KEY, TLS_LOAD

HIGHER = "higher"
LOWER = "lower"

# Two workers each; the runner repeats and interleaves whole processes itself. Each process warms up
# first: what the first touch of memory costs is the system's, and as much as the work itself.
COMMON = "--workers 2 --repeat 1"
WARM = f"{COMMON} --warm-up 1"


@dataclass(frozen=True)
class Gate:
    """`figure sign target`; the figure is troupe / peer, or troupe's own where peer is None."""

    peer: str | None
    sign: str
    target: float


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
    troupe_program: Path | None = None  # in place of troupe's
    load_program: Path | None = None  # in place of the usual load generator


def on_both(name, options=COMMON):
    return {peer: f"{name} {options}" for peer in ("troupe", "tokio")}


def beside_tasks(name, peers_name, unit, quick_size, gate):
    """What our actors do beside what Tokio's tasks and channels do."""
    commands = {"troupe": f"{name} {WARM}", "tokio": f"{peers_name} {WARM}"}
    # Tokio's program prints its own name of the work.
    take = partial(measure.program_lines, renamed={peers_name: name})
    metric = Metric(name, unit, HIGHER, (gate,))
    return Work(name, (metric,), commands, measure=take, quick_size=quick_size)


def beside_caf(name, unit, quick_size):
    """What CAF actors do on our workers beside what they do on CAF's own scheduler."""
    commands = {"troupe": f"caf_{name} {WARM}", "caf": f"own_{name} {WARM}"}
    take = partial(measure.program_lines, renamed={f"own_{name}": f"caf_{name}"})
    metric = Metric(f"caf_{name}", unit, HIGHER, (Gate("caf", ">=", 1.0),))
    return Work(f"caf/{name}", (metric,), commands, take, quick_size, program=CAF_BENCH)


def between_systems(name, unit, quick_size, most):
    metric = Metric(f"caf_{name}", unit, LOWER, (Gate(None, "<=", most),))
    commands = {"troupe": f"caf_{name} {WARM}"}
    return Work(f"caf/{name}", (metric,), commands, quick_size=quick_size, program=CAF_BENCH)


def simple(name, unit, better, quick_size, *gates):
    """A work with one figure that a program prints."""
    metric = Metric(name, unit, better, gates)
    return Work(name, (metric,), on_both(name, WARM), quick_size=quick_size)


def echo(connections, *gates):
    name = f"echo/{connections}"
    return Work(
        name,
        (
            Metric(name, "requests/s", HIGHER, gates),
            Metric(f"{name} p50", "us", LOWER),
            Metric(f"{name} p99", "us", LOWER),
            Metric(f"{name} p99.9", "us", LOWER),
            Metric(f"{name} cpu", "us/request", LOWER),
        ),
        {"troupe": "echo --workers 2", "tokio": "echo --workers 2", "epoll": ""},
        measure=partial(measure.echo, name=name, connections=connections),
    )


def tls(size_bytes, connections):
    """Echo over TLS, one worker each; the load agrees with both on OpenSSL's default cipher."""
    name = f"tls/{size_bytes}/{connections}"
    identity = f"{TLS_CERTIFICATE.relative_to(measure.ROOT)} {TLS_KEY.relative_to(measure.ROOT)}"
    return Work(
        name,
        (
            Metric(name, "requests/s", HIGHER, (Gate("asio", ">=", 0.8),)),
            Metric(f"{name} p50", "us", LOWER),
            Metric(f"{name} p99", "us", LOWER),
            Metric(f"{name} p99.9", "us", LOWER),
            Metric(f"{name} cpu", "us/request", LOWER),
        ),
        {"troupe": identity, "asio": identity},
        measure=partial(measure.echo, name=name, connections=connections, size_bytes=size_bytes),
        troupe_program=TLS_BENCH,
        load_program=TLS_LOAD,
    )


TIMERS = (
    Metric("timers", "cpu_s", LOWER),
    Metric("timers_late_p50", "us", LOWER),
    Metric("timers_late_p99", "us", LOWER),
    Metric("timers_late_p99.9", "us", LOWER),
)
ECHO_GATES = (Gate("tokio", ">=", 1.0), Gate("epoll", ">=", 0.85))

WORKS = (
    simple("spawn", "tasks/s", HIGHER, 100_000, Gate("tokio", ">=", 3.0)),
    simple("yield", "yields/s", HIGHER, 400_000, Gate("tokio", ">=", 1.3)),
    simple("fan_in", "values/s", HIGHER, 400_000, Gate("tokio", ">=", 2.0)),
    simple("fan_in_unbounded", "values/s", HIGHER, 400_000),
    simple("ping_pong", "requests/s", HIGHER, 100_000, Gate("tokio", ">=", 1.5)),
    simple("coordinator", "requests/s", HIGHER, 200_000),
    beside_tasks("actor_spawn", "spawn", "tasks/s", 100_000, Gate("tokio", ">=", 3.0)),
    beside_tasks("actor_ping_pong", "ping_pong", "requests/s", 100_000, Gate("tokio", ">=", 3.0)),
    beside_tasks(
        "actor_coordinator", "coordinator", "requests/s", 200_000, Gate("tokio", ">=", 3.0)
    ),
    beside_tasks("actor_fan_in", "fan_in", "values/s", 400_000, Gate("tokio", ">=", 2.5)),
    simple("ring", "hops/s", HIGHER, 200_000),
    simple("skynet", "s", LOWER, 100_000),
    Work("timers", TIMERS, on_both("timers"), quick_size=100_000),
    simple("timeouts", "operations/s", HIGHER, 100_000),
    Work("memory", (Metric("memory", "bytes", LOWER),), on_both("memory"), quick_size=100_000),
    Work(
        "actor_memory",
        (Metric("actor_memory", "bytes", LOWER, (Gate(None, "<=", 144),)),),
        # Without a warm-up: what an actor has had is kept for the next one.
        {"troupe": f"actor_memory {COMMON}"},
    ),
    Work(
        "crash_storm",
        (Metric("crash_storm", "% more memory", LOWER, (Gate(None, "<=", 5),)),),
        # It breaks where a crash was not told of.
        {"troupe": f"crash_storm {COMMON}"},
        quick_size=100_000,
    ),
    Work(
        "pipeline",
        (
            Metric("pipeline", "% more memory", LOWER, (Gate(None, "<=", 5),)),
            Metric("pipeline_rate", "records/s", HIGHER),
        ),
        # The sample itself. It breaks where its books do not balance.
        {"troupe": "--slow 1ms"},
        measure=partial(measure.pipeline, name="pipeline"),
        repeat=1,  # a minute of the same
        program=PIPELINE,
    ),
    echo(64, *ECHO_GATES),
    echo(1024, *ECHO_GATES),
    tls(64, 1),
    tls(64, 64),
    tls(16384, 1),
    tls(16384, 64),
    Work(
        "idle",
        (Metric("idle", "switches", LOWER, (Gate(None, "<", 5),)),),
        {"troupe": "idle --workers 2"},
        measure=measure.idle,
        repeat=1,  # ten seconds of nothing need no interleaving
    ),
    Work(
        "start",
        (Metric("start", "ms", LOWER, (Gate(None, "<=", 2.0),)),),
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
    Work(
        "compile",
        (Metric("compile", "s", LOWER, (Gate(None, "<=", 1.5),)),),
        {"troupe": "bench/compile/counter.cpp"},
        measure=partial(measure.compile_seconds, name="compile"),
    ),
)
