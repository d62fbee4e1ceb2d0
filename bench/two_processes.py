#!/usr/bin/env python3
"""Works between two processes that are linked as nodes: one serves, one asks.

    bench/two_processes.py kills|stops|silence --program FILE [--count N]

runs one of them by itself, as the tests do: exit code 1 when it shows what must not be.
"""

import argparse
import os
import random
import resource
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from measure import ROOT, Broken, Run, check_exit, figures_in, finished, last_line

START_LIMIT_S, END_LIMIT_S = 20, 30
SILENCE_LIMIT_S, STOP_LIMIT_S = 3.5, 2.0
LONGEST_LIFE_S = 0.3  # of a server that will be killed
KILLS, STOPS, QUICK_COUNT = 100, 100, 10
TLS_PAIRS = 3
STOPPED_S, STOPPED_QUICK_S = 30, 3


class Process:
    """A program whose lines are read as they come; killed at the end of the block."""

    def __init__(self, command, environment=None):
        self.command = [str(word) for word in command]
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=os.environ | (environment or {}), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.stdout.close()
        self.errors.close()

    def kill(self):
        self.process.kill()  # Also one that was stopped.
        self.process.wait()

    def broken(self, what):
        self.errors.seek(0)
        return Broken(f"{' '.join(self.command)}: {what}: {last_line(self.errors.read())}")

    def line(self):
        readable, _, _ = select.select([self.process.stdout], [], [], START_LIMIT_S)
        text = self.process.stdout.readline().strip() if readable else ""
        if not text:
            raise self.broken("no line")
        return text

    def end(self, number=signal.SIGTERM, limit_s=END_LIMIT_S):
        """Sends the signal. Returns: the seconds until the process has ended, and its code."""
        descriptor = os.pidfd_open(self.pid)
        try:
            begin = time.monotonic()
            self.process.send_signal(number)
            if not select.select([descriptor], [], [], limit_s)[0]:
                raise self.broken(f"still runs {limit_s} s after signal {number}")
            return time.monotonic() - begin, self.process.wait()
        finally:
            os.close(descriptor)


class Server(Process):
    def __init__(self, run, *options):
        super().__init__([run.command[0], "serve", "--workers", 2, *options], run.environment)
        try:
            self.port = int(self.line().removeprefix("listening on 127.0.0.1:"))
        except Exception:
            self.__exit__()
            raise


def client_command(run, server, *options):
    size = ["--size", run.size] if run.size else []
    return [*run.command, "--port", server.port, "--peer", server.pid, *size, *options]


def client_figures(run, server, *options):
    """What the client tells that does its work with this server."""
    command = [str(word) for word in client_command(run, server, *options)]
    output = finished(command, run.environment)
    names = {line.partition("\t")[0] for line in output.splitlines()}
    return figures_in(output, command, {name: f"nodes/{name}" for name in names})


def linked(run, *options):
    with Server(run) as server:
        return client_figures(run, server, *options)


def memory(run):
    return linked(run, "--seconds", STOPPED_QUICK_S if run.quick else STOPPED_S)


@contextmanager
def certificates():
    """A folder with an authority, ca.pem, and a certificate of its for this machine, node.pem."""
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2"]
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        finished([*make, "-subj", "/CN=authority", "-out", f"{at}/ca.pem", "-keyout",
                  f"{at}/ca.key"], {})
        finished([*make, "-subj", "/CN=node", "-addext", "subjectAltName=IP:127.0.0.1",
                  "-addext", "basicConstraints=critical,CA:FALSE", "-CA", f"{at}/ca.pem",
                  "-CAkey", f"{at}/ca.key", "-out", f"{at}/node.pem", "-keyout",
                  f"{at}/node.key"], {})
        yield at


def spent_s():
    """CPU seconds of all children that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def over_tls(run, name):
    """The work over plain links and over mutual TLS, by turns, since one pair of two rates tells
    little on a busy machine; and what both processes spend on it."""
    rates, spent = {False: [], True: []}, {False: 0.0, True: 0.0}
    with certificates() as folder:
        for is_secure in [False, True] * TLS_PAIRS:
            before_s = spent_s()
            options = ["--tls", folder] if is_secure else []
            with Server(run, *options) as server:
                rate, unit = client_figures(run, server, *options)[f"nodes/{name}"]
            rates[is_secure].append(rate)
            spent[is_secure] += spent_s() - before_s
    plain, secure = (statistics.median(rates[each]) for each in (False, True))
    return {
        f"nodes/tls_{name}": (secure / plain * 100, "% of plain"),
        f"nodes/tls_{name}_rate": (secure, unit),
        f"nodes/tls_{name}_cpu": (spent[True] / spent[False] * 100, "% of plain"),
    }


def kills(run, count=None):
    """SIGKILL of the server at random moments under load; it is started again each time."""
    count = count or (QUICK_COUNT if run.quick else KILLS)
    dice = random.Random(count)
    with tempfile.TemporaryDirectory() as folder:
        book = ["--book", Path(folder) / "book"]
        server = Server(run, *book)
        try:
            with Process(client_command(run, server, *book), run.environment) as client:
                if (first := client.line()) != "ready":
                    raise client.broken(first)
                for _ in range(count):
                    time.sleep(dice.uniform(0, LONGEST_LIFE_S))
                    server.__exit__()
                    server = Server(run, "--port", server.port, *book)
                _, code = client.end()
                output = client.process.stdout.read()
                client.errors.seek(0)
                check_exit(client.command, code, client.errors.read())
        finally:
            server.__exit__()
    seen = figures_in(output, client.command)
    if seen["load_failed"][0] < count:
        raise Broken(f"{' '.join(client.command)}: there was no load to fail: {seen}")
    return {name.replace("load", "nodes/kills"): figure for name, figure in seen.items()}


def stops(run, count=None):
    """SIGTERM to one of two linked processes under load, by turns; then to the other."""
    count = count or (QUICK_COUNT if run.quick else STOPS)
    dice = random.Random(count)
    unclean, longest_s = 0, 0.0
    for number in range(count):
        with Server(run) as server, \
                Process(client_command(run, server), run.environment) as client:
            if (first := client.line()) != "ready":
                raise client.broken(first)
            time.sleep(dice.uniform(0, 0.05))
            both = (server, client) if number % 2 == 0 else (client, server)
            ends = [each.end() for each in both]
            broken, _ = figures_in(client.process.stdout.read(), client.command)["load"]
            is_clean = broken == 0 and all(
                code == 0 and seconds < STOP_LIMIT_S for seconds, code in ends)
            unclean += not is_clean
            longest_s = max(longest_s, ends[0][0])
            if not is_clean:
                told = both[0].broken(f"stop {number + 1}: {ends}, {broken} violations")
                print(told, file=sys.stderr, flush=True)
    return {
        "nodes/stops": (float(unclean), "unclean"),
        "nodes/stops_count": (float(count), "stops"),
        "nodes/stops_longest": (longest_s * 1e3, "ms"),
    }


# What the tests run: the words of the client, how it is measured, and the most that may be seen.
SHORT = {
    "kills": ("load", kills, 0),
    "stops": ("load", stops, 0),
    "silence": ("silence", lambda run, _: linked(run), SILENCE_LIMIT_S),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", choices=SHORT)
    parser.add_argument("--program", type=Path, required=True, metavar="FILE")
    parser.add_argument("--count", type=int, default=3, metavar="N")
    arguments = parser.parse_args()
    word, measure, most = SHORT[arguments.work]
    run = Run([str(arguments.program.resolve()), word], quick=True, load_program=Path())
    try:
        seen = measure(run, arguments.count)
    except Broken as reason:
        sys.exit(f"BROKEN: {reason}")
    for name, (value, unit) in seen.items():
        print(f"{name} {value:g} {unit}")
    return int(seen[f"nodes/{arguments.work}"][0] > most)


if __name__ == "__main__":
    sys.exit(main())
