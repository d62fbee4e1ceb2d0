"""What it costs to have more of everything: actors, timers, connections; and 100 million actors.

`bench/run.py --work growth` measures one size after the other, with one worker and with two, and
starts over for the next repetition. The figures are costs: less is better. The table and the gates
go to stdout, every figure to bench/results/growth-<date>.json, the curves to docs/charts/growth.svg
(without --quick).
"""

import datetime
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import charts
import measure
import report
from measure import ROOT, Broken, Run, Unavailable
from peers import ECHO_LOAD, TROUPE, build_echo_load

NAME = "growth"
REPEAT, QUICK_REPEAT = 3, 1
WORKERS = (1, 2)
QUICK_MOST = 1_000_000  # of anything, with --quick

ACTORS = tuple(10**power for power in range(3, 8))
TIMERS = tuple(10**power for power in range(0, 7))
CONNECTIONS = (1, 10, 100, 1_000, 10_000, 19_000)  # idle ones
ACTIVE_CONNECTIONS = 64

CROWD, CROWD_NEEDS_BYTES, CROWD_LIMIT_S = 100_000_000, 16 << 30, 900
LINEAR_FROM = 1_000_000  # with fewer, the rest of the last chunk counts
SINGLE_WAKE_UPS = 1_000  # with fewer timers, each is a wake-up of an idle process


def say(text):
    print(text, file=sys.stderr, flush=True)


@dataclass
class Growth:
    """What was measured, for the file."""

    quick: bool
    rows: list[dict] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, figures, size, workers, repetition):
        for metric, (value, unit) in figures.items():
            self.rows.append(
                {
                    "work": NAME,
                    "metric": metric,
                    "size": size,
                    "workers": workers,
                    "unit": unit,
                    "repetition": repetition,
                    "value": value,
                }
            )


def troupe_run(work, workers, quick, size=None):
    command = [os.path.relpath(TROUPE, ROOT), work, "--workers", str(workers)]
    return Run(command, quick, ECHO_LOAD.relative_to(ROOT), size)


def works_of(name):
    """A work of troupe_bench that prints its figures."""
    return lambda size, workers, quick: measure.program_lines(
        troupe_run(name, workers, quick, size)
    )


def connections(size, workers, quick):
    """64 connections are busy, `size` others are open."""
    load = measure.serve(troupe_run("echo", workers, quick), ACTIVE_CONNECTIONS, idle=size)
    opened = ACTIVE_CONNECTIONS + size
    return {
        "growth_connections_cpu": (load.cpu_us, "us/request"),
        "growth_connections_p99": (load.p99_us, "us"),
        "growth_connections_memory": (load.grown_bytes / opened, "bytes"),
    }


FAMILIES = (
    ("actors", ACTORS, works_of("growth_actors")),
    ("timers", TIMERS, works_of("growth_timers")),
    ("connections", CONNECTIONS, connections),
)


def measure_sizes(found, repeat):
    for name, sizes, figures_of in FAMILIES:
        sizes = [size for size in sizes if not found.quick or size <= QUICK_MOST]
        failed = set()
        for repetition in range(1, repeat + 1):
            for size in sizes:
                for workers in WORKERS:
                    if (size, workers) in failed:
                        continue
                    where = f"[{name} {repetition}/{repeat}] {charts.short(size)} on {workers}"
                    try:
                        figures = figures_of(size, workers, found.quick)
                    except (Broken, Unavailable) as reason:
                        found.broken.append(f"{name}/{size}: {reason}")
                        failed.add((size, workers))
                        say(f"{where}: BROKEN: {reason}")
                        continue
                    found.add(figures, size, workers, repetition)
                    value, unit = next(iter(figures.values()))
                    say(f"{where}: {charts.short(value)} {unit}")


def memory_available():
    found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found[1]) * 1024


def measure_crowd(found):
    """100 million idle actors, each of which answers once; the program tells how far it is."""
    if found.quick:
        found.skipped.append("crowd: not with --quick")
        return
    free = memory_available()
    if free < CROWD_NEEDS_BYTES:
        found.skipped.append(f"crowd: needs 16 GiB of free memory; there are {free / 2**30:.1f}")
        return
    run = troupe_run("growth_crowd", 2, False, CROWD)
    command = [*run.command, "--size", str(CROWD)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=CROWD_LIMIT_S
        )
        measure.check_exit(command, done.returncode, "see above")
        found.add(measure.figures_in(done.stdout, command), CROWD, 2, 1)
    except subprocess.TimeoutExpired:
        found.broken.append(f"crowd: not done after {CROWD_LIMIT_S} s")
    except (Broken, Unavailable) as reason:
        found.broken.append(f"crowd: {reason}")


# ---- What it tells -----------------------------------------------------------------------------


def summarise(rows):
    """{(metric, workers, size): Summary}."""
    values = {}
    for row in rows:
        key = (row["metric"], row["workers"], row["size"])
        values.setdefault(key, []).append(row["value"])
    return {key: report.summary_of(found) for key, found in values.items()}


def table(rows):
    summaries = summarise(rows)
    units = {row["metric"]: row["unit"] for row in rows}
    lines = ["Median (minimum..maximum).", ""]
    lines += ["| what | unit | how many | 1 worker | 2 workers |", "|---|---|---|---|---|"]
    for metric, unit in units.items():
        for size in sorted({size for name, _, size in summaries if name == metric}):
            cells = []
            for workers in WORKERS:
                one = summaries.get((metric, workers, size))
                cells.append(report.cell(one) if one else "")
            what = metric.removeprefix("growth_").replace("_", " ")
            lines.append(f"| {what} | {unit} | {charts.short(size)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def growth_factor(summaries, metric, workers, few, many):
    """The cost with many over the cost with few; None where one of them is missing."""
    at = [summaries.get((metric, workers, size)) for size in (few, many)]
    return at[1].median / at[0].median if all(at) else None


def gates(rows):
    summaries, verdicts = summarise(rows), []
    for workers in WORKERS:
        for what in ("message", "scattered"):
            name = f"growth/{what}/{workers}"
            metric = f"growth_actors_{what}"
            factor = growth_factor(summaries, metric, workers, ACTORS[0], ACTORS[-1])
            text = "<= 1.5 x the ns of 1 000 actors, with 10 M"
            verdicts.append(report.judge(name, factor, "<=", 1.5, text))
        sizes = [size for size in ACTORS if size >= LINEAR_FROM]
        bytes_each = [summaries.get(("growth_actors_memory", workers, size)) for size in sizes]
        known = [summary.median for summary in bytes_each if summary]
        spread = max(known) / min(known) if len(known) == len(sizes) else None
        text = "<= 1.1 x from the least to the most bytes of an actor, 1 M to 10 M"
        verdicts.append(report.judge(f"growth/memory/{workers}", spread, "<=", 1.1, text))
    peak = summaries.get(("growth_crowd_peak", 2, CROWD))
    text = "<= 16 GiB at most, 100 M actors alive"
    verdicts.append(report.judge("growth/crowd", peak and peak.median, "<=", 16, text))
    return verdicts


def panels(summaries):
    """Curves, for the chart."""
    chosen = (
        ("A message to an actor, ns", "actors", ("actors_message", "actors_scattered")),
        ("A spawn, ns", "actors", ("actors_spawn",)),
        ("Memory of an actor, bytes", "actors", ("actors_memory",)),
        ("A timeout beside other timers, ns", "timers", ("timers_timeout",)),
        ("CPU of a timer, ns", "timers", ("timers_arm", "timers_fire")),
        ("CPU of an echo, us", "idle connections", ("connections_cpu",)),
    )
    for heading, across, metrics in chosen:
        lines = {}
        least = SINGLE_WAKE_UPS if "timers_fire" in metrics else 0
        for metric in metrics:
            for workers in WORKERS:
                points = [
                    (size, one.median)
                    for (name, count, size), one in sorted(summaries.items())
                    if (name, count) == (f"growth_{metric}", workers) and size >= least
                ]
                by = "1 worker" if workers == 1 else f"{workers} workers"
                name = metric.split("_")[1]
                if points:
                    lines[by if len(metrics) == 1 else f"{name}, {by}"] = points
        if lines:
            yield charts.Panel(heading, across, lines)


def measured(arguments):
    """Measures everything; returns what goes into the file."""
    if not TROUPE.exists():
        sys.exit(f"{TROUPE.relative_to(ROOT)} is not built")
    started = datetime.datetime.now(datetime.timezone.utc)
    load_before = os.getloadavg()[0]
    build_echo_load()
    found = Growth(arguments.quick)
    measure_sizes(found, arguments.repeat or (QUICK_REPEAT if arguments.quick else REPEAT))
    measure_crowd(found)
    verdicts = gates(found.rows)
    content = report.facts(started, load_before, {"troupe"}) | {
        "quick": arguments.quick,
        "gates": [verdict.line() for verdict in verdicts],
        "skipped": found.skipped,
        "broken": found.broken,
        "rows": found.rows,
    }
    path = ROOT / "bench" / "results" / f"growth-{started:%Y-%m-%d-%H%M%S}.json"
    report.write_json(arguments.output or path, content)
    return content


def run(arguments, content=None):
    """Measures, or takes what was measured; prints, draws, writes. Returns: the exit code."""
    is_new = content is None
    content = measured(arguments) if is_new else content
    costs, verdicts = table(content["rows"]), gates(content["rows"])
    print(costs)
    print()
    for line in content.get("skipped", ()):
        print(f"skipped: {line}")
    for line in content.get("broken", ()):
        print(f"BROKEN: {line}")
    for verdict in verdicts:
        print(verdict.line())
    counts = Counter(verdict.word for verdict in verdicts)
    print(f"{counts['PASS']} passed, {counts['MISS']} missed, {counts['SKIP']} skipped")
    if arguments.charts or (is_new and not arguments.quick):
        charts.write_growth(list(panels(summarise(content["rows"]))))
    if arguments.write_docs:
        report.write_growth_docs(costs, verdicts, content)
    return 1 if content.get("broken") else 0
