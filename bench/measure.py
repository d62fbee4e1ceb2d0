"""Ways to measure one repetition of one work on one peer.

Each takes a Run and returns {metric: (value, unit)}. A peer without the work raises Unavailable;
whatever else goes wrong raises Broken.
"""

import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent

PROGRAM_LIMIT_S = 300
START_LIMIT_S = 10
STOP_LIMIT_S = 5
IDLE_SETTLE_S = 1
IDLE_COUNTED_S, IDLE_QUICK_S = 10, 3
LOAD_S, LOAD_QUICK_S = ("3", "1"), ("0.7", "0.3")  # counted, warm-up
PIPELINE_S, PIPELINE_QUICK_S = 60, 10
SERVER_CORE, LOAD_CORE = "0", "1"
USAGE_EXIT_CODE = 2  # of a program that has no such work


class Unavailable(Exception):
    """Not installed, not built, or no such work: a skipped row."""


class Broken(Exception):
    """Ran and failed: the benchmark itself is wrong."""


@dataclass(frozen=True)
class Run:
    command: list[str]  # run in ROOT
    quick: bool
    load_program: Path
    size: int | None = None
    environment: dict[str, str] = field(default_factory=dict)


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no message"


def check_exit(command, code, errors):
    if code == USAGE_EXIT_CODE:
        first = errors.strip().splitlines()[:1]
        raise Unavailable(first[0] if first else "no such work")
    if code != 0:
        raise Broken(f"{' '.join(command)}: exit code {code}: {last_line(errors)}")


def finished(command, environment):
    """Runs a command to its end and returns its output."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=PROGRAM_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise Broken(f"{' '.join(command)}: not done after {PROGRAM_LIMIT_S} s") from None
    check_exit(command, done.returncode, done.stderr)
    return done.stdout


def compile_seconds(run, name):
    """User time of the compiler for the source that the command names, with nothing precompiled."""
    compiler = shutil.which("clang++-19")
    if compiler is None:
        raise Unavailable("not installed (Debian package clang-19)")
    command = [compiler, "-std=c++20", "-O0", "-Iframework", "-o", "/dev/null", "-c"]
    # Of ended children: none but the compiler ends in between.
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    finished([*command, *run.command[1:]], run.environment)
    return {name: (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, "s")}


def figures_in(output, command, renamed=None):
    """`work  peer  median  unit  min  max` per line, tab-separated."""
    figures = {}
    for line in output.splitlines():
        fields = line.split("\t")
        try:
            name, _, median, unit, _, _ = fields
            figures[(renamed or {}).get(name, name)] = (float(median), unit)
        except ValueError:
            raise Broken(f"{' '.join(command)}: not a result line: {line!r}") from None
    return figures


def program_lines(run, renamed=None):
    """What a program says that does the work and ends."""
    command = run.command + (["--size", str(run.size)] if run.size else [])
    return figures_in(finished(command, run.environment), command, renamed)


def pipeline(run, name):
    """How far apart the most and the least memory of the sample are, once it runs steadily."""
    seconds, warm_up = (PIPELINE_QUICK_S, 2) if run.quick else (PIPELINE_S, 5)
    command = [*run.command, "--seconds", str(seconds)]
    *lines, verdict = finished(command, run.environment).splitlines()
    found = [re.search(r" done=(\d+) .* rss=([\d.]+)MB$", line) for line in lines]
    if not verdict.endswith(" ok") or len(found) != seconds or not all(found):
        raise Broken(f"{' '.join(command)}: {verdict}")
    memory = [float(line[2]) for line in found[warm_up:]]
    return {
        name: ((max(memory) - min(memory)) / min(memory) * 100, "% more memory"),
        f"{name}_rate": (int(found[-1][1]) / seconds, "records/s"),
    }


@dataclass(frozen=True)
class Background:
    command: list[str]
    process: subprocess.Popen
    errors: IO[str]

    def check_alive(self):
        if self.process.poll() is not None:
            self.errors.seek(0)
            errors = self.errors.read()
            check_exit(self.command, self.process.returncode, errors)
            raise Broken(f"{' '.join(self.command)}: ended by itself: {last_line(errors)}")


@contextmanager
def running(command, environment):
    """A background process, ended by SIGTERM when the block is left."""
    # A file, as nobody reads a pipe while the process runs.
    errors = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    background = Background(command, process, errors)
    try:
        yield background
        background.check_alive()
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            late = f"still runs {STOP_LIMIT_S} s after SIGTERM"
            raise Broken(f"{' '.join(command)}: {late}") from None
        if process.returncode not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
            raise Broken(f"{' '.join(command)}: exit code {process.returncode} after SIGTERM")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        errors.close()


def listening_port(server):
    """Reads `listening on ADDRESS:PORT`."""
    readable, _, _ = select.select([server.process.stdout], [], [], START_LIMIT_S)
    line = server.process.stdout.readline() if readable else ""
    if readable and not line:
        # It closed its output; its exit code tells why, and may come a moment later.
        try:
            server.process.wait(1)
        except subprocess.TimeoutExpired:
            pass
        server.check_alive()
    port = line.strip().rpartition(":")[2]
    if not line.startswith("listening on ") or not port.isdigit():
        raise Broken(f"{' '.join(server.command)}: no `listening on` line but {line!r}")
    return port


def status_bytes(pid, name):
    """A figure of /proc/PID/status, such as VmRSS."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024


@dataclass(frozen=True)
class Load:
    """What a server has borne."""

    rate: float
    p50_us: float
    p99_us: float
    p99_9_us: float
    cpu_us: float  # for each request, connecting left out
    grown_bytes: int  # at its peak


def serve(run, connections, size_bytes=64, idle=0):
    """A server and the load generator, pinned to a core each."""
    if not {int(SERVER_CORE), int(LOAD_CORE)} <= os.sched_getaffinity(0):
        raise Unavailable("needs cores 0 and 1")
    server_command = ["taskset", "-c", SERVER_CORE, *run.command]
    seconds, warm_up = LOAD_QUICK_S if run.quick else LOAD_S
    with running(server_command, run.environment) as server:
        load_command = ["taskset", "-c", LOAD_CORE, str(run.load_program)]
        load_command += ["--port", listening_port(server)]
        load_command += ["--connections", str(connections), "--size", str(size_bytes)]
        load_command += ["--seconds", seconds, "--warmup", warm_up, "--idle", str(idle)]
        pid = server.process.pid
        load_command += ["--server", str(pid)]
        bytes_before = status_bytes(pid, "VmRSS")
        line = finished(load_command, {})
        grown_bytes = status_bytes(pid, "VmHWM") - bytes_before
    rate, p50, p99, p99_9, _, requests, cpu = (float(text) for text in line.split("\t"))
    return Load(rate, p50, p99, p99_9, cpu / requests * 1e6, grown_bytes)


def echo(run, name, connections, size_bytes=64):
    load = serve(run, connections, size_bytes)
    return {
        name: (load.rate, "requests/s"),
        f"{name} p50": (load.p50_us, "us"),
        f"{name} p99": (load.p99_us, "us"),
        f"{name} p99.9": (load.p99_9_us, "us"),
        f"{name} cpu": (load.cpu_us, "us/request"),
    }


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def wait_for(port, server):
    """Until somebody listens there."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        server.check_alive()
        try:
            socket.create_connection(("127.0.0.1", int(port))).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise Broken(f"{' '.join(server.command)}: nobody listens after {START_LIMIT_S} s")


def keyval(run, name, depth):
    """SET and GET by redis-benchmark, 50 clients; an error ends it. On a core each, but for two
    workers. Returns: the mean of the two rates, and the longer p99."""
    if shutil.which("redis-benchmark") is None:
        raise Unavailable("not installed (Debian package redis-tools)")
    port = free_port()
    pinned = "--workers 2" not in " ".join(run.command) and depth == 1
    on = (lambda core: ["taskset", "-c", core]) if pinned else lambda core: []
    count = (200_000 if depth == 1 else 2_000_000) // (10 if run.quick else 1)
    command = [*on(SERVER_CORE), *run.command, "--port", port]
    with running(command, run.environment) as server:
        wait_for(port, server)
        load = [*on(LOAD_CORE), "redis-benchmark", "-p", port, "-c", "50", "-P", str(depth)]
        load += ["-n", str(count), "-r", "100000", "-t", "set,get", "--csv"]
        _, *lines = finished(load, {}).splitlines()
    rows = [[field.strip('"') for field in line.split(",")] for line in lines]
    if [row[0] for row in rows] != ["SET", "GET"]:
        raise Broken(f"{' '.join(load)}: no rates but {lines}")
    return {
        name: (sum(float(row[1]) for row in rows) / 2, "requests/s"),
        f"{name} p99": (max(float(row[6]) for row in rows) * 1000, "us"),
    }


def voluntary_switches(pid):
    """Voluntary context switches of each thread."""
    switches = {}
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        try:
            text = status.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # the thread has just ended
        for line in text.splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                switches[status.parent.name] = int(line.split()[1])
    return switches


def idle(run, name="idle"):
    """How often any thread of a runtime without work goes back to sleep."""
    with running(run.command, run.environment) as runtime:
        time.sleep(IDLE_SETTLE_S)
        runtime.check_alive()
        before = voluntary_switches(runtime.process.pid)
        time.sleep(IDLE_QUICK_S if run.quick else IDLE_COUNTED_S)
        after = voluntary_switches(runtime.process.pid)
    count = sum(switches - before.get(thread, 0) for thread, switches in after.items())
    return {name: (float(count), "switches")}
