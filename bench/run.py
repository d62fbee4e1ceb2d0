#!/usr/bin/env python3
"""Measures troupe and its peers on the same works, interleaved, and prints ratios and gates.

    bench/run.py [--work NAME]... [--peer NAME]... [--quick] [--repeat N]
    bench/run.py --work growth           what it costs to have more of everything; see growth.py
    bench/run.py --micro [FILTER]        one push, one pop, one switch
    bench/run.py --from FILE... --write-docs --charts     of what was measured before

A repetition runs every peer once, one after the other (A B A B ...), so that a busy moment of the
machine meets all of them; the first one is a warm-up. Progress goes to stderr; the table and the
gates go to stdout, and every figure to bench/results/<date>.json; a run of everything also draws
docs/charts/. A missed gate is a result: the exit code is 1 only when something broke, and 2 for a
wrong command line.
"""

import argparse
import datetime
import json
import os
import resource
import sys
from collections import Counter
from pathlib import Path

import charts
import growth
import report
from measure import ROOT, Broken, Run, Unavailable
from peers import ECHO_LOAD, ONE_WORKER, PEERS, build_echo_load, build_tls_load
from works import WORKS

REPEAT, QUICK_REPEAT = 5, 3
MICRO = ROOT / "build" / "release" / "bench" / "troupe_micro"


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
    parser.add_argument("--charts", action="store_true", help="draw docs/charts/")
    parser.add_argument("--write-docs", action="store_true", help="tables of docs/performance.md")
    parser.add_argument("--from", action="extend", nargs="+", type=Path, metavar="FILE",
                        dest="results", help="measure nothing; a work counts in its last file")
    parser.add_argument("--micro", nargs="?", const="", metavar="FILTER", help="Google Benchmark")
    arguments = parser.parse_args()
    if arguments.repeat is not None and arguments.repeat < 1:
        parser.error("--repeat needs a positive number")

    families = {work.name.split("/")[0] for work in WORKS}
    known = families | {work.name for work in WORKS} | {growth.NAME}
    for name in set(arguments.work or ()) - known:
        names = " ".join([*(work.name for work in WORKS), growth.NAME])
        parser.error(f"no work {name}; there are: {names}")
    if growth.NAME in (arguments.work or ()) and len(arguments.work) > 1:
        parser.error(f"{growth.NAME} runs alone")
    for name in set(arguments.peer or ()) - {peer.name for peer in PEERS}:
        parser.error(f"no peer {name}; there are: {' '.join(peer.name for peer in PEERS)}")
    is_growth = arguments.work == [growth.NAME] and not arguments.quick
    if arguments.write_docs and not (arguments.results or is_growth or is_whole(arguments)):
        parser.error("--write-docs needs a run of everything, or --from")
    return arguments


def is_whole(arguments):
    """Whether everything is measured as it counts."""
    return not (arguments.work or arguments.peer or arguments.quick or arguments.troupe)


def chosen_works(names):
    """All, or those named; `echo` names every `echo/...`."""
    return [
        work
        for work in WORKS
        if not names or work.name in names or work.name.split("/")[0] in names
    ]


def chosen_peers(names):
    return [peer for peer in PEERS if not names or peer.name == "troupe" or peer.name in names]


def command_of(peer, work, is_asked_for=False):
    """The arguments of the peer's program for the work; None where it takes no part."""
    if peer.name == ONE_WORKER:
        command = work.commands["troupe"] if work.beside_one_worker else None
        return command and command.replace("--workers 2", f"--workers {peer.workers}")
    own = work.commands.get(peer.name)
    return work.commands.get(peer.commands_of) if own is None and is_asked_for else own


def is_troupe(peer):
    return peer.name in ("troupe", ONE_WORKER)


class Session:
    """One run of the benchmark: what was measured, skipped, and broke."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.works = chosen_works(arguments.work)
        self.peers = chosen_peers(arguments.peer)
        self.rows = []
        self.skipped = []
        self.broken = []

    def command_of(self, peer, work):
        return command_of(peer, work, peer.name in (self.arguments.peer or ()))

    def skip(self, text):
        self.skipped.append(text)
        say(f"skipped: {text}")

    def build_peers(self):
        """Builds what is missing or older than its source, and returns the peers that are there."""
        available = []
        for peer in self.peers:
            if not any(self.command_of(peer, work) is not None for work in self.works):
                continue
            try:
                if not (is_troupe(peer) and self.arguments.troupe):
                    peer.build()
                available.append(peer)
            except Unavailable as reason:
                self.skip(f"{peer.name}: {reason}")
        return available

    def measure_once(self, work, peer, repetition):
        """Adds the rows of one repetition (0: the warm-up)."""
        program = work.program or work.programs.get(peer.name) or peer.program
        if program == peer.program and is_troupe(peer) and self.arguments.troupe:
            program = self.arguments.troupe.resolve()
        if not program.exists():
            raise Unavailable(f"{program.name} is not built")
        # Relative, so that no message and no file tells where this copy of the project lies.
        run = Run(
            command=[os.path.relpath(program, ROOT), *self.command_of(peer, work).split()],
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
        # Each process warms up itself: for a look that is enough.
        first, default = (1, QUICK_REPEAT) if self.arguments.quick else (0, REPEAT)
        return range(first, (self.arguments.repeat or default) + 1)

    def measure_work(self, work, position, available):
        peers = [peer for peer in available if self.command_of(peer, work) is not None]
        repetitions = self.repetitions(work)
        for repetition in repetitions:
            turn = f"{repetition}/{repetitions[-1]}" if repetition else "warm-up"
            for peer in list(peers):
                where = f"[{position}/{len(self.works)}] {work.name} {turn} {peer.name}"
                try:
                    value, unit = self.measure_once(work, peer, repetition)
                    say(f"{where}: {charts.short(value)} {unit}")
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


def measured(session):
    """Runs what is asked for; returns what goes into the file of this run."""
    started = datetime.datetime.now(datetime.timezone.utc)
    load_before = os.getloadavg()[0]
    raise_descriptor_limit()
    available = session.run()
    summaries = report.summarise(session.rows)
    path = session.arguments.output
    path = path or ROOT / "bench" / "results" / f"{started:%Y-%m-%d-%H%M%S}.json"
    verdicts = report.gates(session.works, session.peers, summaries)
    facts = report.facts(started, load_before, {peer.name for peer in available})
    content = facts | {
        "quick": session.arguments.quick,
        "gates": [verdict.line() for verdict in verdicts],
        "skipped": session.skipped,
        "broken": session.broken,
        "rows": session.rows,
    }
    report.write_json(path, content)
    return content


def read_results(paths):
    """The rows of these files as one run; a work counts where it was measured last."""
    content = {"rows": [], "sources": [], "versions": {}}
    for path in paths:
        found = json.loads(path.read_text())
        measured_here = {row["work"] for row in found["rows"]}
        content["rows"] = [row for row in content["rows"] if row["work"] not in measured_here]
        content["rows"] += found["rows"]
        content |= {key: found[key] for key in ("date", "machine", "compilers")}
        content["versions"] |= found["versions"]
        content["sources"].append(path.name)
    return content


def finish(session, content):
    """Prints the table and the gates, writes what is asked for, and returns the exit code."""
    summaries = report.summarise(content["rows"])
    verdicts = report.gates(session.works, session.peers, summaries)
    # A peer that has not been there at all needs no column.
    there = {peer for _, peer in summaries}
    peers = [peer for peer in session.peers if peer.name in there]
    print(report.table(session.works, peers, summaries))
    print()
    for line in session.skipped:
        print(f"skipped: {line}")
    for line in session.broken:
        print(f"BROKEN: {line}")
    for verdict in verdicts:
        print(verdict.line())
    counts = Counter(verdict.word for verdict in verdicts)
    skipped = f", {counts['SKIP']} skipped" if counts["SKIP"] else ""
    print(f"{counts['PASS']} passed, {counts['MISS']} missed{skipped}")
    arguments = session.arguments
    if arguments.charts or (is_whole(arguments) and not arguments.results):
        charts.write_all(session.works, peers, summaries)
    if arguments.write_docs:
        report.write_docs(session.works, peers, summaries, verdicts, content)
    return 1 if session.broken else 0


def main():
    arguments = parse_arguments()
    if arguments.micro is not None:
        if not MICRO.exists():
            sys.exit(f"{MICRO.relative_to(ROOT)} is not built (Debian package libbenchmark-dev)")
        os.execv(MICRO, [MICRO.name, f"--benchmark_filter={arguments.micro}"])
    if arguments.work == [growth.NAME]:
        raise_descriptor_limit()
        content = read_results(arguments.results) if arguments.results else None
        return growth.run(arguments, content)
    session = Session(arguments)
    content = read_results(arguments.results) if arguments.results else measured(session)
    return finish(session, content)


if __name__ == "__main__":
    sys.exit(main())
