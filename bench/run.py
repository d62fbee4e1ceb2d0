#!/usr/bin/env python3
"""Measures troupe and its peers on the same works, interleaved, and prints ratios and gates.

    bench/run.py [--work NAME]... [--peer NAME]... [--quick] [--repeat N]

A repetition runs every peer once, one after the other (A B A B ...), so that a busy moment of the
machine meets all of them; the first one is a warm-up. Progress goes to stderr; the table and the
gates go to stdout, and every figure to bench/results/<date>.json. A missed gate is a result: the
exit code is 1 only when something broke, and 2 for a wrong command line.
"""

import argparse
import datetime
import os
import resource
import sys
from collections import Counter
from pathlib import Path

import report
from measure import ROOT, Broken, Run, Unavailable
from peers import ECHO_LOAD, PEERS, build_echo_load, build_tls_load
from works import WORKS

REPEAT, QUICK_REPEAT = 5, 3


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", action="append", metavar="NAME", help="only this work")
    parser.add_argument("--peer", action="append", metavar="NAME", help="troupe and only this peer")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, 3 repetitions")
    parser.add_argument("--repeat", type=int, metavar="N", help=f"default {REPEAT}")
    parser.add_argument("--troupe", type=Path, metavar="PROGRAM", help="another troupe_bench")
    parser.add_argument("--output", type=Path, metavar="FILE", help="another JSON file")
    arguments = parser.parse_args()
    if arguments.repeat is not None and arguments.repeat < 1:
        parser.error("--repeat needs a positive number")

    families = {work.name.split("/")[0] for work in WORKS}
    known = families | {work.name for work in WORKS}
    for name in set(arguments.work or ()) - known:
        parser.error(f"no work {name}; there are: {' '.join(work.name for work in WORKS)}")
    for name in set(arguments.peer or ()) - {peer.name for peer in PEERS}:
        parser.error(f"no peer {name}; there are: {' '.join(peer.name for peer in PEERS)}")
    return arguments


def chosen_works(names):
    """All, or those named; `echo` names every `echo/...`."""
    return [
        work
        for work in WORKS
        if not names or work.name in names or work.name.split("/")[0] in names
    ]


def chosen_peers(names):
    if not names:
        return [peer for peer in PEERS if peer.by_default]
    return [peer for peer in PEERS if peer.name == "troupe" or peer.name in names]


def command_of(peer, work):
    """The arguments of the peer's program for the work; None where it takes no part."""
    return work.commands.get(peer.commands_of or peer.name)


class Session:
    """One run of the benchmark: what was measured, skipped, and broke."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.works = chosen_works(arguments.work)
        self.peers = chosen_peers(arguments.peer)
        self.rows = []
        self.skipped = []
        self.broken = []

    def skip(self, text):
        self.skipped.append(text)
        say(f"skipped: {text}")

    def build_peers(self):
        """Builds what is missing or older than its source, and returns the peers that are there."""
        available = []
        for peer in self.peers:
            if not any(command_of(peer, work) is not None for work in self.works):
                continue
            try:
                if peer.name != "troupe" or self.arguments.troupe is None:
                    peer.build()
                available.append(peer)
            except Unavailable as reason:
                self.skip(f"{peer.name}: {reason}")
        return available

    def measure_once(self, work, peer, repetition):
        """Adds the rows of one repetition (0: the warm-up)."""
        own = work.program or (work.troupe_program if peer.name == "troupe" else None)
        program = own or peer.program
        if own is not None and not program.exists():
            raise Unavailable(f"{program.name} is not built")
        if own is None and peer.name == "troupe" and self.arguments.troupe:
            program = self.arguments.troupe.resolve()
        # Relative, so that no message and no file tells where this copy of the project lies.
        run = Run(
            command=[os.path.relpath(program, ROOT), *command_of(peer, work).split()],
            quick=self.arguments.quick,
            load_program=(work.load_program or ECHO_LOAD).relative_to(ROOT),
            size=work.quick_size if self.arguments.quick else None,
            environment=peer.environment,
        )
        figures = work.measure(run)
        for metric in work.metrics:
            value, unit = figures.get(metric.name, (None, metric.unit))
            if unit != metric.unit:
                raise Broken(f"{peer.name} tells {metric.name} in {unit}, not in {metric.unit}")
            if value is None:
                if metric is work.metrics[0]:
                    raise Broken(f"{peer.name} tells no {metric.name}")
                continue
            self.rows.append(
                {
                    "work": work.name,
                    "metric": metric.name,
                    "peer": peer.name,
                    "unit": unit,
                    "repetition": repetition,
                    "value": value,
                }
            )
        return figures[work.metrics[0].name]

    def repetitions(self, work):
        """The numbers of the repetitions; 0 is the warm-up."""
        if work.repeat:
            return range(1, work.repeat + 1)
        default = QUICK_REPEAT if self.arguments.quick else REPEAT
        return range(0, (self.arguments.repeat or default) + 1)

    def measure_work(self, work, position, available):
        peers = [peer for peer in available if command_of(peer, work) is not None]
        repetitions = self.repetitions(work)
        for repetition in repetitions:
            turn = f"{repetition}/{repetitions[-1]}" if repetition else "warm-up"
            for peer in list(peers):
                where = f"[{position}/{len(self.works)}] {work.name} {turn} {peer.name}"
                try:
                    value, unit = self.measure_once(work, peer, repetition)
                    say(f"{where}: {report.short(value)} {unit}")
                    continue
                except Unavailable as reason:
                    self.skip(f"{work.name}: {peer.name}: {reason}")
                except Broken as reason:
                    self.broken.append(f"{work.name}: {reason}")
                    say(f"{where}: BROKEN: {reason}")
                peers.remove(peer)

    def build_load(self, family, build):
        """Builds a load generator; without it the works of its family are left out."""
        theirs = [work for work in self.works if work.name.startswith(f"{family}/")]
        try:
            if theirs:
                build()
        except Unavailable as reason:
            self.skip(f"{family}: the load generator {reason}")
            self.works = [work for work in self.works if work not in theirs]

    def run(self):
        available = self.build_peers()
        self.build_load("echo", build_echo_load)
        self.build_load("tls", build_tls_load)
        for position, work in enumerate(self.works, 1):
            self.measure_work(work, position, available)
        return available


def raise_descriptor_limit():
    """Inherited by every server and the load generator."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def finish(session, available, started, load_before):
    """Prints the table and the gates, writes the file, and returns the exit code."""
    summaries = report.summarise(session.rows)
    verdicts = report.gates(session.works, session.peers, summaries)
    path = session.arguments.output
    path = path or ROOT / "bench" / "results" / f"{started:%Y-%m-%d-%H%M%S}.json"
    report.write_json(
        path,
        {
            "date": f"{started:%Y-%m-%dT%H:%M:%SZ}",
            "quick": session.arguments.quick,
            "machine": report.machine()
            | {"load_before": load_before, "load_after": os.getloadavg()[0]},
            "compilers": report.compilers(),
            "versions": report.versions({peer.name for peer in available}),
            "gates": [line for _, line in verdicts],
            "skipped": session.skipped,
            "broken": session.broken,
            "rows": session.rows,
        },
    )
    print(report.table(session.works, session.peers, summaries))
    print()
    for line in session.skipped:
        print(f"skipped: {line}")
    for line in session.broken:
        print(f"BROKEN: {line}")
    for _, line in verdicts:
        print(line)
    counts = Counter(verdict for verdict, _ in verdicts)
    skipped = f", {counts['SKIP']} skipped" if counts["SKIP"] else ""
    print(f"{counts['PASS']} passed, {counts['MISS']} missed{skipped}")
    return 1 if session.broken else 0


def main():
    session = Session(parse_arguments())
    raise_descriptor_limit()
    started = datetime.datetime.now(datetime.timezone.utc)
    load_before = os.getloadavg()[0]
    available = session.run()
    return finish(session, available, started, load_before)


if __name__ == "__main__":
    sys.exit(main())
