#!/usr/bin/env python3
"""Plants bugs into a copy of the framework, one at a time, and lets simulated programs find them.

    tests/planted/run.py [--bug NUMBER]... [--seeds N] [--ranges N] [--jobs N] [--known]
    tests/planted/run.py --check    only whether each patch applies

Each *.patch beside this file is one bug: what it does, the promise that it breaks, and the diff.
The copy lies in build/planted; only sim_scenarios is built there, with the flags of build/release,
so that the compiler cache has all that a patch does not touch. A bug is found when a scenario tells
of a violation, crashes, or does not end; the program without a bug has to pass the same seeds.

A search looks through disjoint ranges of seeds, notes in found.json how many each range needs, and
writes the list in docs/reliability.md. With --known each bug is played with the seed noted there,
and searched for only where that one has become a pass; nothing is written. The last line is JSON.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TREE = ROOT / "build/planted/tree"
BUILD = TREE / "build/release"
PROGRAM = BUILD / "tests/sim/scenarios/sim_scenarios"
CLEAN = ROOT / "build/planted/sim_scenarios"  # Without a bug.
FOUND = HERE / "found.json"
LIST = ROOT / "docs/reliability.md"
MARKS = ("<!-- planted bugs: begin -->", "<!-- planted bugs: end -->")
COPIED = ("CMakeLists.txt", "CMakePresets.json", "actors", "cmake", "framework", "samples", "tests",
          "tools/gdb")
LEFT_OUT = ("BUILD_SAMPLES", "BUILD_BENCH", "WITH_CAF", "WITH_TLS", "INSTALL")
RANGE_LIMIT_S = 1800
VIOLATION = re.compile(r"^seed (\d+) \((\w+)\) does not hold: (.*)$", re.MULTILINE)


class Broken(Exception):
    """The run itself went wrong: nothing is said about the bugs."""


def say(text):
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Bug:
    path: Path
    what: str
    promise: str

    @property
    def name(self):
        return self.path.stem

    @property
    def touches_headers(self):
        return bool(re.search(r"^\+\+\+ .*\.hpp$", self.path.read_text(), re.MULTILINE))


@dataclass(frozen=True)
class Violation:
    seed: int
    family: str
    text: str


def read_bugs(numbers):
    bugs = []
    for path in sorted(HERE.glob("*.patch")):
        lines = path.read_text().splitlines()
        bugs.append(Bug(path, lines[0], lines[1].removeprefix("Promise: ")))
    if numbers:
        bugs = [each for each in bugs if int(each.name.split("_")[0]) in numbers]
    return sorted(bugs, key=lambda each: each.touches_headers)  # Those that are cheap to build.


# ---- the copy ----------------------------------------------------------------------------------

def run(command, what):
    done = subprocess.run(command, cwd=TREE, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Broken(f"{what}:\n{done.stdout[-4000:]}")


def copy_changed(source, target):
    """What has not changed keeps its time, so that it is not built again."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        names = {each.name for each in source.iterdir()} - {"__pycache__", "build"}
        for gone in {each.name for each in target.iterdir()} - names:
            left = target / gone
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        for name in sorted(names):
            copy_changed(source / name, target / name)
    elif not target.exists() or source.read_bytes() != target.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def prepare():
    for name in COPIED:
        copy_changed(ROOT / name, TREE / name)
    os.environ.update(CCACHE_BASEDIR=str(TREE), CCACHE_NOHASHDIR="1",
                      CCACHE_SLOPPINESS="include_file_mtime,include_file_ctime,time_macros,"
                                        "pch_defines")
    run(["cmake", "--preset", "release", *(f"-DTROUPE_{each}=OFF" for each in LEFT_OUT)],
        "the copy cannot be configured")


def build(jobs):
    run(["cmake", "--build", str(BUILD), "-j", str(jobs), "--target", "sim_scenarios"],
        "the copy cannot be built")


@contextlib.contextmanager
def planted(bug):
    """The copy with this bug in its sources."""
    paths = re.findall(r"^\+\+\+ b/(\S+)$", bug.path.read_text(), re.MULTILINE)
    before = {TREE / path: (TREE / path).read_text() for path in paths}
    try:
        run(["patch", "-p1", "--no-backup-if-mismatch", "--input", str(bug.path)],
            f"{bug.name} does not apply")
        yield
    finally:
        for path, text in before.items():
            path.write_text(text)


# ---- playing -----------------------------------------------------------------------------------

def play(program, first, last, family=None):
    """Returns: the first violation of these seeds, or None."""
    # Each twice: what leaks shows in the second time.
    command = [program, "--seeds", f"{first}..{last}", "--twice", "1",
               *(["--family", family] if family else [])]
    try:
        done = subprocess.run(command, text=True, capture_output=True, check=False,
                              timeout=RANGE_LIMIT_S)
    except subprocess.TimeoutExpired:
        say(f"  seeds {first}..{last} take more than {RANGE_LIMIT_S} s")
        return None
    match = VIOLATION.search(done.stdout)
    if match:
        return Violation(int(match[1]), match[2], match[3])
    if done.returncode != 0:
        raise Broken(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return None


def family_of(seed):
    done = subprocess.run([CLEAN, "--seeds", str(seed)], text=True, capture_output=True, check=True)
    return next(iter(json.loads(done.stdout.splitlines()[-1])["by_family"]))


def search(program, plan):
    """Returns: for each range the violation, or None."""
    with concurrent.futures.ThreadPoolExecutor(plan.jobs) as pool:
        return list(pool.map(lambda start: play(program, start, start + plan.seeds - 1),
                             plan.starts))


def note(bug, seen, plan):
    """What is written of a search."""
    needed = [each and each.seed - start + 1 for each, start in zip(seen, plan.starts)]
    hits = [each for each in seen if each]
    row = {"bug": bug.name, "found": bool(hits), "needed": needed, "tried": plan.seeds}
    if hits:
        first = hits[0]
        crashed = first.family == "crashed"
        # A range without a find counts as one that would have needed more than it has.
        row |= {"median": statistics.median_high(each or plan.seeds + 1 for each in needed),
                "seed": first.seed, "family": family_of(first.seed) if crashed else first.family,
                "violation": first.text}
    return row


def find(bug, plan):
    with planted(bug):
        build(plan.jobs)
        row = note(bug, search(PROGRAM, plan), plan)
    say(f"  {bug.name}: {row.get('median', 'not found')} {row.get('family', '')} "
        f"{row.get('violation', '')[:100]}")
    return row


def find_again(bug, row, plan):
    """With the known seed, or one of the first range, if there is none any more."""
    with planted(bug):
        build(plan.jobs)
        seen = None
        if row.get("found"):
            seen = play(PROGRAM, row["seed"], row["seed"], row["family"])
        is_known = seen is not None
        if not is_known:
            seen = play(PROGRAM, 1, plan.seeds)
    say(f"  {bug.name}: {'known seed' if is_known else 'another seed' if seen else 'not found'}")
    return {"bug": bug.name, "found": seen is not None, "known": is_known,
            "median": row.get("median")}


# ---- what is written ---------------------------------------------------------------------------

def read_found():
    return json.loads(FOUND.read_text()) if FOUND.exists() else {}


def write_found(rows):
    FOUND.write_text(json.dumps(dict(sorted(rows.items())), indent=1) + "\n")


def write_list(bugs, rows):
    lines = ["| Bug | Promise | Found by | Seeds |", "|---|---|---|---|"]
    for bug in sorted(bugs, key=lambda each: each.name):
        row = rows.get(bug.name, {})
        seeds = row.get("median", "")
        if seeds and seeds > row["tried"]:
            seeds = f"> {row['tried']}"
        lines.append(f"| {bug.what} | {bug.promise} | {row.get('family', 'none')} | {seeds} |")
    text = LIST.read_text()
    before, rest = text.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    LIST.write_text("\n".join([before + MARKS[0], *lines, MARKS[1] + after]))


def summary(rows):
    medians = [row["median"] for row in rows if row.get("median")]
    return {"bugs": len(rows), "found": sum(row["found"] for row in rows),
            "known": sum(row.get("known", False) for row in rows),
            "median_seeds": statistics.median(medians) if medians else None,
            "not_found": [row["bug"] for row in rows if not row["found"]]}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bug", type=int, action="append", help="its number; else all")
    parser.add_argument("--seeds", type=int, default=1000, help="at most, of each range")
    parser.add_argument("--ranges", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--known", action="store_true", help="with the seeds of found.json")
    parser.add_argument("--check", action="store_true", help="build nothing")
    plan = parser.parse_args()
    plan.starts = [1 + i * plan.seeds for i in range(plan.ranges)]
    return plan


def check_clean(bugs, known, plan):
    build(plan.jobs)
    CLEAN.unlink(missing_ok=True)
    shutil.copy(PROGRAM, CLEAN)
    seen = [] if plan.known else [each for each in search(CLEAN, plan) if each]
    for bug in bugs if plan.known else []:
        row = known.get(bug.name, {})
        if row.get("found"):
            seen += filter(None, [play(CLEAN, row["seed"], row["seed"], row["family"])])
    if seen:
        raise Broken(f"without a bug: {seen}")


def check_patches(bugs):
    """Returns: the exit code."""
    broken = 0
    for bug in bugs:
        done = subprocess.run(["patch", "-p1", "--dry-run", "--force", "--input", str(bug.path)],
                              cwd=ROOT, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            broken += 1
            print(f"{bug.path.relative_to(ROOT)}: {done.stdout.strip()}")
    print(f"{len(bugs) - broken} of {len(bugs)} patches apply")
    return 1 if broken or not bugs else 0


def main():
    plan = parse_arguments()
    bugs = read_bugs(plan.bug)
    if plan.check:
        return check_patches(bugs)
    known = read_found()
    prepare()
    check_clean(bugs, known, plan)
    say("  the program without a bug passes")
    rows = []
    for bug in bugs:
        if plan.known:
            rows.append(find_again(bug, known.get(bug.name, {}), plan))
            continue
        try:
            rows.append(find(bug, plan))
        except Broken as error:  # The others can still be found.
            say(f"  {bug.name}: {error}")
            rows.append({"bug": bug.name, "found": False})
        known[bug.name] = rows[-1]
        write_found(known)
    if not plan.known:
        everything = read_bugs(None)
        names = {each.name for each in everything}
        write_found({name: row for name, row in known.items() if name in names})
        write_list(everything, known)
    print(json.dumps(summary(rows)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Broken as error:
        sys.exit(f"run.py: {error}")
