"""What a run of the benchmark tells: the table, the gates, and the JSON file."""

import json
import os
import re
import statistics
import subprocess
from dataclasses import dataclass

from charts import short
from measure import ROOT
from peers import ONE_WORKER, PEERS
from works import HIGHER, LOWER

DOCS = ROOT / "docs" / "performance.md"
LEAST_OF_ONE_WORKER = 0.9

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


def summary_of(values):
    return Summary(statistics.median(values), min(values), max(values))


def summarise(rows):
    """{(metric, peer): Summary} of the raw rows, warm-ups left out."""
    values = {}
    for row in rows:
        if row["repetition"] > 0:
            values.setdefault((row["metric"], row["peer"]), []).append(row["value"])
    return {key: summary_of(found) for key, found in values.items()}


def ratio(summaries, metric, peer):
    """Troupe's median over the peer's, or None."""
    ours, theirs = summaries.get((metric, "troupe")), summaries.get((metric, peer))
    if ours is None or theirs is None or theirs.median == 0:
        return None
    return ours.median / theirs.median


def cell(summary):
    return f"{short(summary.median)} ({short(summary.low)}..{short(summary.high)})"


def table(works, peers, summaries):
    """One markdown row per metric; each peer's cell ends in troupe's ratio to it."""
    lines = [
        "Median (minimum..maximum), **troupe / peer**. + : more is better, - : less is better.",
        "",
        f"| work | unit | {' | '.join(peer.name for peer in peers)} |",
        "|---|---|" + "---|" * len(peers),
    ]
    there = {metric for metric, _ in summaries}
    for metric in (metric for work in works for metric in work.metrics):
        if metric.name not in there:
            continue
        cells = []
        for peer in peers:
            summary = summaries.get((metric.name, peer.name))
            if summary is None:
                cells.append("")
                continue
            text = cell(summary)
            of_peer = ratio(summaries, metric.name, peer.name)
            if peer.name != "troupe" and of_peer is not None:
                text += f" **{of_peer:.3g}**"
            cells.append(text)
        direction = "+" if metric.better == HIGHER else "-"
        lines.append(f"| {metric.name} {direction} | {metric.unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


@dataclass(frozen=True)
class Verdict:
    word: str  # PASS, MISS, or SKIP where there is no figure
    name: str
    seen: str
    target: str

    def line(self):
        return f"{self.word} {self.name} {self.seen} {self.target}"


def judge(name, figure, sign, target, text):
    if figure is None:
        return Verdict("SKIP", name, "-", text)
    word, seen = "PASS" if SIGNS[sign](figure, target) else "MISS", short(figure)
    # A miss by a hair shows the hair.
    seen = f"{figure:.5g}" if word == "MISS" and seen == short(target) else seen
    return Verdict(word, name, seen, text)


def gate_verdict(metric, gate, summaries):
    if gate.peer is None:
        ours = summaries.get((metric.name, "troupe"))
        figure, of = ours and ours.median, metric.unit
    else:
        figure, of = ratio(summaries, metric.name, gate.peer), f"x {gate.peer}"
        if gate.is_speed:
            figure, of = speed_ratio(summaries, metric, gate.peer), f"x faster than {gate.peer}"
        elif metric.better == LOWER:
            of = f"x the {metric.unit} of {gate.peer}"
    text = f"{gate.sign} {gate.target:g} {of}"
    return judge(metric.name, figure, gate.sign, gate.target, text)


def speed_ratio(summaries, metric, peer):
    """How many times faster troupe is than the peer, whatever is better; or None."""
    found = ratio(summaries, metric.name, peer)
    return 1 / found if found and metric.better == LOWER else found


def gates(works, peers, summaries):
    """The verdict on every gate whose peer takes part in this run."""
    verdicts = []
    taking_part = {peer.name for peer in peers}
    if "troupe" not in taking_part:
        return verdicts
    for work in works:
        for metric in work.metrics:
            for gate in metric.gates:
                if gate.peer is None or gate.peer in taking_part:
                    verdicts.append(gate_verdict(metric, gate, summaries))
    for work in works:
        if work.beside_one_worker and ONE_WORKER in taking_part:
            figure = speed_ratio(summaries, work.metrics[0], ONE_WORKER)
            text = f">= {LEAST_OF_ONE_WORKER:g} x one worker"
            name = f"workers/{work.name}"
            verdicts.append(judge(name, figure, ">=", LEAST_OF_ONE_WORKER, text))
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


def facts(started, load_before, available):
    """When, where and with what it was measured."""
    load = {"load_before": load_before, "load_after": os.getloadavg()[0]}
    return {
        "date": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "machine": machine() | load,
        "compilers": compilers(),
        "versions": versions(available),
    }


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def table_of_misses(verdicts, reasons):
    """`reasons`: gate -> why, which a person has written."""
    lines = ["| Gate | Seen | Target | Why, as far as it is known |", "|---|---|---|---|"]
    told = set()
    for verdict in verdicts:
        if verdict.word == "MISS":
            why = "as above" if verdict.name in told else reasons.get(verdict.name, "-")
            told.add(verdict.name)
            lines.append(f"| {verdict.name} | {verdict.seen} | {verdict.target} | {why} |")
    return "\n".join(lines) if len(lines) > 2 else "Every gate is met."


def table_of_gates(verdicts):
    """Misses first, then what was not measured."""
    order = ("MISS", "SKIP", "PASS")
    lines = ["| | Gate | Seen | Target |", "|---|---|---|---|"]
    for verdict in sorted(verdicts, key=lambda each: order.index(each.word)):
        lines.append(f"| {verdict.word} | {verdict.name} | {verdict.seen} | {verdict.target} |")
    return "\n".join(lines)


def origin(content):
    """One paragraph that says where the figures come from."""
    machine, versions = content["machine"], content["versions"]
    memory = f"{machine['memory_bytes'] / 2**30:.0f} GiB"
    peers = ", ".join(f"{name} {number}" for name, number in versions.items() if number)
    sources = content.get("sources")
    files = f" The rows are in `bench/results/`: {', '.join(sources)}." if sources else ""
    return (
        f"Measured on {content['date'][:10]}: {machine['cores']} cores of {machine['model']}, "
        f"{memory}, Linux {machine['kernel']}; {content['compilers']['troupe']}; {peers}.{files}"
    )


def split_at_markers(text, name):
    """What stands before, between and behind `<!-- name -->` and `<!-- /name -->`."""
    begin, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    before, found, rest = text.partition(begin)
    inner, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{DOCS.relative_to(ROOT)}: no {begin.strip()} ... {end.strip()}")
    return before + begin, inner, end + after


def write_docs(works, peers, summaries, verdicts, content):
    """The tables of docs/performance.md, so that they say what was measured. The reasons for misses
    are a person's, and stay with their gates."""
    before, misses, after = split_at_markers(DOCS.read_text(), "misses")
    reasons = {}
    for line in misses.splitlines():
        cells = re.split(r" *\| *", line.strip("| "))
        if len(cells) == 4:
            reasons.setdefault(cells[0], cells[3])  # The next one of a gate is "as above".
    text = before + table_of_misses(verdicts, reasons) + after
    before, _, after = split_at_markers(text, "results")
    parts = (origin(content), table(works, peers, summaries), table_of_gates(verdicts))
    DOCS.write_text(before + "\n\n".join(parts) + after)


def write_growth_docs(table_of_costs, verdicts, content):
    before, _, after = split_at_markers(DOCS.read_text(), "growth")
    parts = (origin(content), table_of_gates(verdicts), table_of_costs)
    DOCS.write_text(before + "\n\n".join(parts) + after)
