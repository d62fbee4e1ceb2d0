"""What the figures share: the plan, programs that are broken, and the service among them."""

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
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
        return (f"{'PASS' if self.passed else 'MISS'} {self.name} {self.value:.3g} {self.unit} "
                f"(gate {relation} {self.gate:g})")


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

    def __init__(self, command, descriptors=None):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
                 ) if descriptors else None
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL, preexec_fn=limit)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            raise Broken(f"{' '.join(self.command)}: ended without a line")
        return text.strip()

    def ready(self):
        if (text := self.line()) != "ready":
            raise Broken(f"{' '.join(self.command)}: {text!r} in place of ready")
        return self

    def report(self):
        return json.loads(self.line())

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def resident_bytes(self):
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()


class Service(Program):
    def __init__(self, plan, *arguments, descriptors=None):
        super().__init__([plan.build / "samples/service", "--serve", *arguments], descriptors)
        match = re.search(r":(\d+)$", self.line())
        if not match:
            raise Broken("the service did not say where it listens")
        self.port = int(match[1])

    def stop(self):
        """Ctrl-C: it has to end in order, with its books in balance."""
        self.process.send_signal(signal.SIGINT)
        output = self.process.stdout.read()
        code = self.process.wait(END_LIMIT_S)
        last = output.strip().splitlines()[-1] if output.strip() else ""
        if code != 0 or not last.endswith(" ok"):
            raise Broken(f"the service ended with code {code}: {last!r}")


def peers(plan, port, mode, **options):
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Program([plan.build / "bench/reliability_peers", f"--{mode}", "--port", port, *words])


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
