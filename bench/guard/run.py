#!/usr/bin/env python3
"""Counts what the hot paths cost, and compares it with bench/guard/baseline.json.

    bench/guard/run.py [--update] [--functions] [--program FILE] [--baseline FILE] [PATH...]

Callgrind counts how often each instruction of the program and its libraries is executed, and
objdump tells which of them are locked. Each path is gone through at two lengths; the difference,
divided by that of the lengths, is what once through it costs, without the start and the end. No
clock takes part. Exit code 1: a path costs more than the baseline says.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import functools
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import typing

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHORT, LONG = 4096, 24576  # Warm already; apart by whole mailboxes and budgets.
LIMIT_S = 100
# More than this is a failure; less than that, an improvement worth a new baseline.
MORE_INSTRUCTIONS, FEWER_INSTRUCTIONS = 1.03, 0.99
# Of one: what is done at the end of a budget, or when a mailbox is full, is a fraction.
MORE_LOCKED = 0.02
# The one choice of functions that all x86-64 processors have, so that all machines count alike.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.environ.get("PATH", ""),
               "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-BMI2,-ERMS,-FSRM,-AVX512F"}


class Broken(Exception):
    """Nothing could be counted."""


class Misused(Exception):
    """The command line asks for what there is not."""


@dataclasses.dataclass
class Cost:
    """Of once through a path."""
    instructions: float
    locked: float


class Place(typing.NamedTuple):
    """Of an instruction."""
    file: str
    function: str
    address: int


def output_of(*command):
    try:
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Broken(f"cannot run: {error}") from error
    if done.returncode:
        raise Broken(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def executed(profile):
    """Reads a profile of callgrind, uncompressed, with instructions.

    Returns: how often each instruction ran, by place."""
    counts, file, function, is_callee = collections.Counter(), "", "", False
    for line in profile.splitlines():
        if line.startswith("0x"):
            if not is_callee:
                address, *_, count = line.split()
                counts[Place(file, function, int(address, 16))] += int(count)
            is_callee = False
        elif line.startswith("ob="):
            file = line.removeprefix("ob=")
        elif line.startswith("fn="):
            function = line.removeprefix("fn=")
        elif line.startswith("calls="):
            is_callee = True  # The next line is what the function called has cost.
    if not counts:
        raise Broken("the profile holds no instructions")
    return counts


INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(.*)$", re.MULTILINE)
# An xchg with memory is locked without saying so, one of two registers is not.
LOCKED = re.compile(r"(?:[a-z0-9]+ )*lock\b|xchg[bwlq]?\s+(?!\s|%\w+,%\w+\s*$)|mfence\b")


def instructions_in(disassembly):
    """Reads what objdump prints. Returns: whether the instruction is locked, by address."""
    return {int(address, 16): LOCKED.match(text) is not None
            for address, text in INSTRUCTION.findall(disassembly)}


@functools.lru_cache(maxsize=None)
def instructions_of(file):
    return instructions_in(output_of("objdump", "-d", "--no-show-raw-insn", file))


def is_locked(place):
    known = instructions_of(place.file)
    if place.address not in known:
        raise Broken(f"{place.file} has no instruction at {place.address:#x}: {place.function}")
    return known[place.address]


def cost_by_function(short, long, rounds, locked=is_locked):
    """What one of `rounds` costs, by function, from the counts of a short and a long run."""
    costs = collections.defaultdict(lambda: Cost(0, 0))
    for place in long.keys() | short.keys():
        if grown := long[place] - short[place]:
            cost = costs[place.function]
            cost.instructions += grown / rounds
            cost.locked += grown / rounds * locked(place)
    return costs


def total(costs):
    return Cost(sum(cost.instructions for cost in costs.values()),
                sum(cost.locked for cost in costs.values()))


def measure(program, path):
    """Returns: the cost of once through the path, by function."""
    counts = []
    for length in (SHORT, LONG):
        with tempfile.NamedTemporaryFile(prefix="troupe-guard-") as profile:
            output_of("valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-strings=no",
                      "--compress-pos=no", f"--callgrind-out-file={profile.name}", program, path,
                      str(length))
            counts.append(executed(pathlib.Path(profile.name).read_text(encoding="utf-8")))
    return cost_by_function(*counts, LONG - SHORT)


def problems(before, now):
    """Why a path fails."""
    if before is None:
        return ["it is not in the baseline"]
    found = []
    if now.instructions > before.instructions * MORE_INSTRUCTIONS:
        found.append("more instructions")
    if now.locked > before.locked + MORE_LOCKED:
        found.append("more locked operations")
    return found


def is_improved(before, now):
    return not problems(before, now) and (
        now.instructions < before.instructions * FEWER_INSTRUCTIONS
        or now.locked < before.locked - MORE_LOCKED)


def row(path, before, now):
    """A line of the table."""
    if before is None:
        return f"{path:10} {'-':>10} {now.instructions:10.1f} {'-':>8} {'-':>8} {now.locked:8.2f}"
    change = 100 * (now.instructions / before.instructions - 1)
    return (f"{path:10} {before.instructions:10.1f} {now.instructions:10.1f} {change:+7.1f}%"
            f" {before.locked:8.2f} {now.locked:8.2f}")


def print_functions(path, costs):
    """What is inlined counts for the function it is in."""
    print(f"{path}\n{'instructions':>12} {'locked':>8}  function")
    for function, cost in sorted(costs.items(), key=lambda item: -item[1].instructions):
        if cost.instructions >= 0.5 or cost.locked >= 0.005:
            print(f"{cost.instructions:12.1f} {cost.locked:8.2f}  {function}")


HEAD = f"{'path':10} {'before':>10} {'now':>10} {'':8} {'before':>8} {'now':>8}"


def print_table(costs, baseline):
    print(f"{'':10} {'instructions':>21} {'':8} {'locked operations':>17}\n{HEAD}")
    for path, now in costs.items():
        print(row(path, baseline.get(path), now))


def judge(costs, baseline):
    """Says which paths fail, and which have a better figure to keep. Returns: how many fail."""
    failed = 0
    for path, now in costs.items():
        before = baseline.get(path)
        if found := problems(before, now):
            failed += 1
            print(f"FAILED: {path}: {', '.join(found)}; where: ./dev guard --functions {path}")
        elif is_improved(before, now):
            print(f"improved: {path}: keep it with ./dev guard --update {path}")
    return failed


def read_baseline(file):
    """Returns: the compiler, and the cost of each path."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return content["compiler"], {path: Cost(**cost) for path, cost in content["paths"].items()}
    except FileNotFoundError:
        return "", {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Broken(f"{file} is no baseline ({error}): ./dev guard --update makes one") from error


def write_baseline(file, compiler, baseline):
    """All at once, so that what is broken off leaves the old one."""
    paths = {path: {"instructions": round(cost.instructions, 1), "locked": round(cost.locked, 2)}
             for path, cost in sorted(baseline.items())}
    text = json.dumps({"compiler": compiler, "paths": paths}, indent=2) + "\n"
    beside = file.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="make what is counted the baseline")
    parser.add_argument("--functions", action="store_true", help="show where the cost is, too")
    parser.add_argument("--program", type=pathlib.Path, metavar="FILE",
                        default=ROOT / "build/release/bench/troupe_guard")
    parser.add_argument("--baseline", type=pathlib.Path, metavar="FILE",
                        default=ROOT / "bench/guard/baseline.json")
    parser.add_argument("path", nargs="*", metavar="PATH", help="only these")
    return parser.parse_args()


def count_all(program, paths):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        return dict(zip(paths, threads.map(functools.partial(measure, program), paths)))


def chosen(names, known):
    """Returns: those named, or all."""
    if unknown := set(names) - set(known):
        raise Misused(f"no path {' '.join(sorted(unknown))}; there are: {' '.join(known)}")
    return [path for path in known if not names or path in names]


def old_baseline(arguments, compiler):
    """Returns: what to compare with; nothing where it cannot be read and will be replaced."""
    try:
        made_by, baseline = read_baseline(arguments.baseline)
    except Broken:
        if not arguments.update or arguments.path:
            raise
        return {}
    if made_by and made_by != compiler:
        print(f"note: the baseline was made by {made_by}, this by {compiler}")
        if arguments.update and arguments.path:
            raise Misused("update all paths, so that one compiler has made them")
    return baseline


def run(arguments):
    known = output_of(str(arguments.program)).split()
    paths = chosen(arguments.path, known)
    compiler = output_of(str(arguments.program), "--compiler").strip()
    baseline = old_baseline(arguments, compiler)
    with tempfile.TemporaryDirectory(prefix="troupe-guard-") as folder:
        program = f"{folder}/troupe_guard"  # Valgrind cannot read the debug information of clang.
        output_of("objcopy", "--strip-debug", str(arguments.program), program)
        by_function = count_all(program, paths)
    if arguments.functions:
        for path, found in by_function.items():
            print_functions(path, found)
    costs = {path: total(found) for path, found in by_function.items()}
    print_table(costs, baseline)
    failed = 0
    if arguments.update:
        kept = {path: cost for path, cost in baseline.items() if path in known}
        write_baseline(arguments.baseline, compiler, kept | costs)
        print(f"the baseline is new for: {' '.join(paths)}")
    else:
        failed = judge(costs, baseline)
    print(f"{len(paths) - failed} passed, {failed} failed")
    return failed != 0


def main():
    arguments = parse_arguments()
    if platform.machine() != "x86_64":
        print("guard: the baseline is of x86-64, there is nothing to compare\n0 passed, 0 failed")
        return 0
    try:
        return run(arguments)
    except Misused as error:
        print(f"guard: {error}", file=sys.stderr)
        return 2
    except Broken as error:
        print(f"guard: {error}", file=sys.stderr)
        print("0 passed, 1 failed")
        return 1


if __name__ == "__main__":
    sys.exit(main())
