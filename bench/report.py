"""What a run of the benchmark tells: the table, the gates, and the JSON file."""

import json
import os
import re
import statistics
import subprocess
from dataclasses import dataclass

from measure import ROOT
from peers import PEERS
from works import HIGHER

SIGNS = {
    ">=": lambda figure, target: figure >= target,
    "<=": lambda figure, target: figure <= target,
    "<": lambda figure, target: figure < target,
}


@dataclass(frozen=True)
class Summary:
    median: float
    low: float
    high: float


def summarise(rows):
    """{(metric, peer): Summary} of the raw rows, warm-ups left out."""
    values = {}
    for row in rows:
        if row["repetition"] > 0:
            values.setdefault((row["metric"], row["peer"]), []).append(row["value"])
    return {
        key: Summary(statistics.median(found), min(found), max(found))
        for key, found in values.items()
    }


def short(value):
    """Three digits, with k or M where they help."""
    letter = ""
    for factor, name in ((1e6, " M"), (1e3, " k")):
        if abs(value) >= factor:
            value, letter = value / factor, name
            break
    return (f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}") + letter


def ratio(summaries, metric, peer):
    """Troupe's median over the peer's, or None."""
    ours, theirs = summaries.get((metric, "troupe")), summaries.get((metric, peer))
    if ours is None or theirs is None or theirs.median == 0:
        return None
    return ours.median / theirs.median


def table(works, peers, summaries):
    """One markdown row per metric; each peer's cell ends in troupe's ratio to it."""
    lines = [
        "Median (minimum..maximum), **troupe / peer**. + : more is better, - : less is better.",
        "",
        f"| work | unit | {' | '.join(peer.name for peer in peers)} |",
        "|---|---|" + "---|" * len(peers),
    ]
    for metric in (metric for work in works for metric in work.metrics):
        cells = []
        for peer in peers:
            summary = summaries.get((metric.name, peer.name))
            if summary is None:
                cells.append("")
                continue
            cell = f"{short(summary.median)} ({short(summary.low)}..{short(summary.high)})"
            of_peer = ratio(summaries, metric.name, peer.name)
            if peer.name != "troupe" and of_peer is not None:
                cell += f" **{of_peer:.3g}**"
            cells.append(cell)
        direction = "+" if metric.better == HIGHER else "-"
        lines.append(f"| {metric.name} {direction} | {metric.unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


def gates(works, peers, summaries):
    """[(verdict, line)] of every gate whose peer takes part in this run."""
    verdicts = []
    taking_part = {peer.name for peer in peers}
    for metric in (metric for work in works for metric in work.metrics):
        for gate in metric.gates:
            if "troupe" not in taking_part or not {gate.peer or "troupe"} <= taking_part:
                continue
            if gate.peer is None:
                ours = summaries.get((metric.name, "troupe"))
                figure, target = ours and ours.median, f"{gate.sign} {gate.target:g} {metric.unit}"
            else:
                figure = ratio(summaries, metric.name, gate.peer)
                target = f"{gate.sign} {gate.target:g} x {gate.peer}"
            if figure is None:
                verdicts.append(("SKIP", f"SKIP {metric.name} - {target}"))
                continue
            verdict = "PASS" if SIGNS[gate.sign](figure, gate.target) else "MISS"
            verdicts.append((verdict, f"{verdict} {metric.name} {figure:.3g} {target}"))
    return verdicts


def output_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def first_line_of(*command):
    text = output_of(*command)
    return text.splitlines()[0] if text else None


def machine():
    model = re.search(r"^Model name:\s*(.+)$", output_of("lscpu") or "", re.MULTILINE)
    return {
        "model": model.group(1) if model else None,
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "kernel": ".".join(os.uname().release.split(".")[:2]),
    }


def compilers():
    """The versions of what compiles troupe (from CMake's cache), the C programs and Tokio."""
    cache = ROOT / "build" / "release" / "CMakeCache.txt"
    troupe = None
    if cache.exists():
        found = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.+)$", cache.read_text(), re.MULTILINE)
        troupe = found and first_line_of(found.group(1), "--version")
    return {
        "troupe": troupe,
        "c": first_line_of("clang-19", "--version") or first_line_of("cc", "--version"),
        "rust": first_line_of("/usr/bin/rustc", "--version"),
    }


def versions(available):
    found = {peer.name: peer.version() for peer in PEERS if peer.name in available}
    found["troupe"] = output_of("git", "describe", "--always", "--dirty")
    return found


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
