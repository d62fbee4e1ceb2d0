#!/usr/bin/env python3
"""Breaks things around the real service, and prints one line for each figure.

    bench/reliability/run.py [--figure NAME]... [--short] [--seed N] [--output FILE]

A line is `PASS|MISS figure value gate command`; the command repeats the figure. Progress goes to
stderr, every figure to bench/results/reliability-<date>.json. A missed gate is a result: the exit
code is 1 only when something broke, or, with --short, when a figure missed.
"""

import argparse
import contextlib
import datetime
import json
import os
import re
import resource
import signal
import socket
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
    gate: float  # At most.

    @property
    def passed(self):
        return self.value <= self.gate


@dataclass
class Plan:
    """How much of everything."""
    build: Path
    seed: int
    short: bool
    figures: list = field(default_factory=list)

    def size(self, full, short):
        return short if self.short else full

    def add(self, name, value, unit, gate):
        self.figures.append(Figure(name, value, unit, gate))


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


def hostile(plan):
    """Slow-loris, half-open and bad peers beside good ones."""
    count, idle_s, seconds = plan.size(1000, 60), plan.size(8, 2), plan.size(6, 1)
    with Service(plan, "--idle", idle_s) as service:
        own = service.descriptors()
        say("  quiet")
        quiet = good_p99(plan, service.port, seconds)
        before = service.resident_bytes()
        say(f"  {count} slow-loris, {count} half-open")
        with contextlib.ExitStack() as stack:
            slow = stack.enter_context(peers(plan, service.port, "slow", count=count)).ready()
            bad = stack.enter_context(
                peers(plan, service.port, "bad", seconds=seconds, seed=plan.seed)).ready()
            silent = stack.enter_context(
                peers(plan, service.port, "silent", count=count, seconds=600))
            silent.ready().process.send_signal(signal.SIGSTOP)
            last_silent = time.monotonic()
            held = service.descriptors() - own
            per_peer = (service.resident_bytes() - before) / max(held, 1)
            beside = good_p99(plan, service.port, seconds)
            dripped = slow.report()
            behaved = bad.report()
            left_s = idle_s + 10 - (time.monotonic() - last_silent)
            wait_until("all half-open sockets gone", max(left_s, 0),
                       lambda: service.descriptors() <= own)
            gone_s = time.monotonic() - last_silent
        if behaved["wrong"] or not behaved["connections"]:
            raise Broken(f"bad peers were not treated as they have to be: {behaved}")
        service.stop()
    plan.add("hostile.good_p99_ratio", beside / quiet, "x quiet", 3)
    plan.add("hostile.slow_loris_gone", dripped["latest_s"], "s", idle_s + 1)
    plan.add("hostile.half_open_gone", gone_s, "s", idle_s + 1)
    plan.add("hostile.bytes_per_peer", per_peer, "B", 32 * 1024)


def answers(port):
    """Whether a fresh connection is greeted."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as probe:
        probe.settimeout(1)
        return probe.recv(64).startswith(b"troupe service")
    return False


def descriptors(plan):
    """A service without descriptors: what it costs, and how soon it serves again."""
    measured_s = plan.size(5, 1)
    with Service(plan, descriptors=64) as service:
        held = []
        while answers(service.port):
            held.append(socket.create_connection(("127.0.0.1", service.port)))
            held[-1].recv(64)
        say(f"  exhausted with {len(held)} connections")
        waiting = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(100)]
        cpu, begin = service.cpu_seconds(), time.monotonic()
        time.sleep(measured_s)
        busy = (service.cpu_seconds() - cpu) / (time.monotonic() - begin)
        for each in waiting + held:
            each.close()
        wait_until("the service has closed them", 10, lambda: service.descriptors() < 60)
        again_s = wait_until("serving again", 5, lambda: answers(service.port))
        service.stop()
    plan.add("descriptors.cpu_while_exhausted", busy * 100, "%", 5)
    plan.add("descriptors.serving_again", again_s * 1000, "ms", 200)


FIGURES = {"hostile": hostile, "descriptors": descriptors}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", action="append", choices=sorted(FIGURES))
    parser.add_argument("--short", action="store_true", help="seconds each, and a miss is an error")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


def write_results(plan, path):
    rows = [{"figure": each.name, "value": each.value, "unit": each.unit, "gate": each.gate,
             "passed": each.passed} for each in plan.figures]
    text = json.dumps({"date": datetime.datetime.now().isoformat(timespec="seconds"),
                       "cores": os.cpu_count(), "seed": plan.seed, "figures": rows}, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def main():
    arguments = parse_arguments()
    plan = Plan(arguments.build, arguments.seed, arguments.short)
    broken = 0
    for name in arguments.figure or FIGURES:
        say(f"{name}: {FIGURES[name].__doc__}")
        told = len(plan.figures)
        try:
            FIGURES[name](plan)
        except (Broken, OSError, subprocess.TimeoutExpired, ValueError) as error:
            broken += 1
            print(f"BROKEN {name}: {error}")
        for each in plan.figures[told:]:
            command = f"./dev reliability --figure {name} --seed {plan.seed}"
            print(f"{'PASS' if each.passed else 'MISS'} {each.name} {each.value:.3g} {each.unit} "
                  f"(gate <= {each.gate:g}) {command}", flush=True)
    if not arguments.short:
        stamp = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S")
        output = arguments.output or ROOT / f"bench/results/reliability-{stamp}.json"
        write_results(plan, output)
        say(f"written: {output.relative_to(ROOT) if output.is_relative_to(ROOT) else output}")
    missed = sum(not each.passed for each in plan.figures)
    return 1 if broken or (arguments.short and missed) else 0


if __name__ == "__main__":
    sys.exit(main())
