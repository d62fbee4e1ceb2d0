"""What the figures share: the plan, programs that are broken, and the service among them."""

import contextlib
import json
import os
import queue
import re
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
START_LIMIT_S = 20
END_LIMIT_S = 120
POLL_S = 0.005
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Broken(Exception):
    """The run itself went wrong: there is no figure."""


class Skipped(Exception):
    """What the figure needs is not on this machine."""


def say(text):
    print(text, file=sys.stderr, flush=True)


@dataclass
class Figure:
    name: str
    value: float
    unit: str
    gate: float
    at_least: bool = False  # The gate is a floor; else the most that passes.

    @property
    def passed(self):
        return self.value >= self.gate if self.at_least else self.value <= self.gate

    def __str__(self):
        relation = ">=" if self.at_least else "<="
        value = f"{self.value:.3g}" if abs(self.value) < 1000 else f"{self.value:.0f}"
        return (f"{'PASS' if self.passed else 'MISS'} {self.name} {value} {self.unit}".rstrip() +
                f" (gate {relation} {self.gate:g})")


@dataclass
class Plan:
    """How much of everything: `effort` is short, usual or long."""
    build: Path
    seed: int
    effort: str
    figures: list = field(default_factory=list)

    def size(self, usual, short, long=None):
        """Returns: the count for this run; without one of its own a long run does the usual."""
        if self.effort == "long" and long is not None:
            return long
        return short if self.effort == "short" else usual

    def add(self, name, value, unit, gate, at_least=False):
        self.figures.append(Figure(name, value, unit, gate, at_least))


class Program:
    """A process whose lines are read as they come; killed at the end of the block."""

    def __init__(self, command, descriptors=None, environment=None):
        limited = ["prlimit", f"--nofile={descriptors}"] if descriptors else []
        self.command = [str(word) for word in [*limited, *command]]
        # A session of its own: what it leaves behind can be told from others.
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True, env=dict(os.environ, **(environment or {})))
        self.lines = queue.SimpleQueue()  # (when it came, the line), at the end (when, None).
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for text in self.process.stdout:
            self.lines.put((time.monotonic(), text.strip()))
        self.lines.put((time.monotonic(), None))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()

    def line(self, limit_s=None):
        try:
            _, text = self.lines.get(timeout=limit_s)
        except queue.Empty:
            raise Broken(f"{' '.join(self.command)}: no line for {limit_s} s") from None
        if text is None:
            raise Broken(f"{' '.join(self.command)}: ended without a line")
        return text

    def arrived(self):
        """Returns: the lines that are there and were not taken, each with the time it came."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self.lines.get_nowait())
        return [each for each in found if each[1] is not None]

    def rest(self):
        """Returns: all further lines. Requires: the process ends, or has ended."""
        self.reader.join()
        return [text for _, text in self.arrived()]

    def ready(self, limit_s=START_LIMIT_S):
        if (text := self.line(limit_s)) != "ready":
            raise Broken(f"{' '.join(self.command)}: {text!r} in place of ready")
        return self

    def report(self, limit_s=None):
        return json.loads(self.line(limit_s))

    def has_ended(self, limit_s):
        """Waits without looking again and again. Returns: whether it ended within the limit."""
        if self.process.poll() is not None:
            return True
        descriptor = os.pidfd_open(self.process.pid)
        try:
            return bool(select.select([descriptor], [], [], limit_s)[0])
        finally:
            os.close(descriptor)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def resident_bytes(self):
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()


class Service(Program):
    def __init__(self, plan, *arguments, descriptors=None, environment=None):
        super().__init__([plan.build / "samples/service", *arguments],
                         descriptors, environment)
        try:
            self.port = self._listening_port()
        except Broken:
            self.end()  # There is no block yet that would do it.
            raise

    def _listening_port(self):
        match = re.search(r":(\d+)$", self.line(START_LIMIT_S))
        if not match:
            raise Broken("the service did not say where it listens")
        return int(match[1])

    def stop(self):
        """Ctrl-C: it has to end in order, with its books in balance. Returns: its last lines."""
        self.process.send_signal(signal.SIGINT)
        return self.last_lines()

    def last_lines(self):
        if not self.has_ended(END_LIMIT_S):
            raise Broken(f"the service has not ended within {END_LIMIT_S} s")
        code, lines = self.process.wait(), self.rest()
        if code != 0 or not lines or not lines[-1].endswith(" ok"):
            raise Broken(f"the service ended with code {code}: {(lines or [''])[-1]!r}")
        return lines


def accounts_in(lines):
    """Returns: what the service has counted of each connection: id -> (bytes, answers)."""
    found = (re.fullmatch(r"account: connection=(\d+) counted=(\d+) answered=(\d+)", line)
             for line in lines)
    return {int(each[1]): (int(each[2]), int(each[3])) for each in found if each}


def words_of(options):
    return [word for name, value in options.items()
            for word in (f"--{name.replace('_', '-')}", value)]


def peers(plan, port, mode, **options):
    return Program([plan.build / "bench/reliability_peers", f"--{mode}", "--port", port,
                    *words_of(options)])


def clients(plan, port, mode, descriptors=None, **options):
    """Clients that keep books, see clients.cpp."""
    return Program([plan.build / "bench/reliability_clients", f"--{mode}", "--port", port,
                    *words_of(options)], descriptors)


def good_p99(plan, port, seconds):
    """What 100 good clients see: 99 of 100 answers come within so many microseconds."""
    with peers(plan, port, "good", count=plan.size(100, 20), seconds=seconds, pause=20) as good:
        seen = good.ready().report()
    if seen["wrong"] or not seen["requests"]:
        raise Broken(f"good clients were not served: {seen}")
    return seen["p99_us"]


def wait_until(what, limit_s, holds):
    """Returns: the seconds until `holds()`, at most the limit."""
    begin = time.monotonic()
    while not holds():
        if time.monotonic() - begin > limit_s:
            say(f"  after {limit_s} s still not: {what}")
            return limit_s
        time.sleep(POLL_S)
    return time.monotonic() - begin
