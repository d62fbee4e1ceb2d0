#!/usr/bin/env python3
"""Holds what troupe-gdb.py shows of a program that is stopped at a known point, and of its core.

    tools/gdb/troupe_gdb_test.py PROGRAM FOLDER

The program is stopped.cpp; FOLDER is for the core file. The lines that are expected are those that
are marked in the source. Ends with 77, which is "skipped", where there is no gdb.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MARKS = r"// (legal waits|board waits|the circle|the outsider waits)$"
LINES = {mark: number
         for number, line in enumerate((HERE / "stopped.cpp").read_text().splitlines(), 1)
         for mark in re.findall(MARKS, line)}


def where(mark):
    return f"stopped.cpp:{LINES[mark]}"


def expectations():
    """Regular expressions for lines: two blanks or more stand between columns."""
    yield rf"task \d+ +waits +handler of legal +an answer .*{where('legal waits')}"
    yield rf"task \d+ +waits +handler of board +an event.*{where('board waits')}"
    yield rf"task \d+ +waits +stopped.cpp:\d+ +an answer .*{where('the outsider waits')}"
    yield rf"task \d+ +waits +stopped.cpp:\d+ +.*{where('the circle')}"
    yield r"task \d+ +ready +"
    yield rf"legal  +stopped::clerk  waits  0 +stopped::approve .*{where('legal waits')}"
    yield rf"board  +stopped::clerk  waits  2 +stopped::approve .*{where('board waits')}"
    yield r"stopped::clerk  stopped::clerk  idle   0"
    yield rf"legal +-> board +at {where('legal waits')}$"
    yield rf"(task \d+) +-> (task \d+) +at {where('the circle')} +in a circle"
    yield r"circle: (task \d+) -> (task \d+) -> \1$"


PRINTED = {"board": "ref to board", "weak": "weak_ref to legal",
           "id": "actor_id of stopped::clerk", "good": "result: 42",
           "bad": r"result: error 4 of troupe::.*",
           "later": r"task at the start of .*not_started\(\)"}


def gdb(*arguments):
    said = subprocess.run(["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off",
                           "-ex", "set pagination off", "-ex", "set width 0", *arguments],
                          capture_output=True, text=True, timeout=55, check=False)
    return said.stdout + said.stderr


def commands(*words):
    return [part for word in words for part in ("-ex", word)]


def missing(said, what, patterns):
    return [f"{what}: no line is like {pattern}\n{said}" for pattern in patterns
            if not re.search(pattern, said, re.MULTILINE)]


def bare(line):
    """A line without what differs from run to run: the numbers of tasks, the widths of columns."""
    return " ".join(re.sub(r"task \d+", "task N", line).split())


def not_said(said, of):
    """The lines that docs/debugging.md shows behind the commands `of`, and gdb did not say."""
    page = (HERE.parents[1] / "docs/debugging.md").read_text()
    blocks = re.findall(rf"^    \(gdb\) {of}\n((?:    .+\n)+)", page, re.MULTILINE)
    lines = {bare(line) for line in said.splitlines()}
    return [f"docs/debugging.md shows, and gdb did not say: {line}" for block in blocks
            for line in block.splitlines() if bare(line) not in lines] if blocks else [
                f"docs/debugging.md shows nothing of {of}"]


def main():
    program, folder = sys.argv[1:]
    if not shutil.which("gdb"):
        print("skipped: gdb is not installed (apt-get install gdb)")
        return 77
    helpers = commands(f"source {HERE / 'troupe-gdb.py'}", "troupe tasks", "troupe actors",
                       "troupe waits")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        core = f"{scratch}/core"
        printed = commands(*(f"print {name}" for name in PRINTED), "info args")
        live = gdb(*commands("break stopped::here", "run"), *helpers, *printed,
                   *commands(f"generate-core-file {core}", "kill"), program)
        if "ptrace: Operation not permitted" in live:
            print("skipped: this system does not let gdb trace a process")
            return 77
        wrong = missing(live, "live", expectations()) + not_said(live, r"troupe \w+")
        # Without types there is nothing to print: a build with -g1 has none.
        if "board = " in live:
            wrong += missing(live, "printers", (rf"= {words}$" for words in PRINTED.values()))
            wrong += not_said(live, "info args")
        wrong += missing(gdb(*helpers, program, core), "core", expectations())
    return "\n".join(wrong[:3])


if __name__ == "__main__":
    sys.exit(main() or 0)
