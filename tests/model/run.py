#!/usr/bin/env python3
"""Runs the models of the lock-free protocols, or shows that they notice what is broken.

    tests/model/run.py [--schedules N] [--keep] [--minutes M] [--build DIR] [NAME...]
    tests/model/run.py --kept [--build DIR] [NAME...]
    tests/model/run.py --mutants [--match PATTERN] [--schedules N] [--write-docs] [--build DIR]
                       [NAME...]

NAME is that of tests/model/NAME_model.cpp; without one all are run, each with N schedules chosen at
random and with up to N / 10 of those that switch threads at most twice.

With --keep what is run is added to bench/results/model-schedules.json, and N is the sum over all
such runs of the same sources, each of which goes on where the last has stopped: after M minutes, or
by Ctrl-C. --kept prints the sums.

With --mutants each memory order is weakened and each step in tests/model/mutants/NAME.txt is
broken, one at a time; each such mutant has N schedules of each scenario to be noticed. --match
takes those alone in whose description PATTERN is found. --write-docs writes what came out, of this
run and of earlier ones of this build, to docs/protocols/mutants.md.

A line is `PASS|MISS figure value gate`. Exit code 1: something was missed; 2: wrong usage.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import threading
import time

from kept import Kept, digest, sources

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests" / "model"
DOCS = ROOT / "docs" / "protocols" / "mutants.md"
KEPT = ROOT / "bench" / "results" / "model-schedules.json"
CHUNK_SECONDS = 10  # Of one process; then the progress is shown.
FIRST_CHUNK = 20_000  # Schedules, before it is known how fast they are.
FIRST_TRIES = ((1_000, "random"), (20_000, "bound"), (100_000, "random"))
MOST_SECONDS = 1200


class Misused(Exception):
    """The command line, or a table of mutants, asks for what there is not."""


def known():
    return sorted(path.name.removesuffix("_model.cpp") for path in HERE.glob("*_model.cpp"))


@dataclasses.dataclass
class Model:
    name: str
    build: pathlib.Path

    @property
    def program(self):
        return self.build / "tests" / "model" / f"model_{self.name}"

    def source(self):
        """Returns: the hash of what it is compiled from. Errors: Misused for an old program."""
        files = sources(self.build, self.name)
        if max(path.stat().st_mtime for path in files) > self.program.stat().st_mtime:
            raise Misused(f"{self.program} is older than its sources: ./dev model builds it")
        return digest(files)

    def scenarios(self):
        return subprocess.run([self.program, "--list"], check=True, capture_output=True,
                              text=True).stdout.split()


def call(program, *options):
    """Runs a model. Returns: its lines, as objects, and what went wrong in a word, or None."""
    try:
        # Ctrl-C is for this process alone, which then lets the other come to its end.
        ended = subprocess.run([program, *map(str, options)], capture_output=True, text=True,
                               check=False, timeout=MOST_SECONDS, start_new_session=True)
    except subprocess.TimeoutExpired:
        return [], "hangs"
    lines = [json.loads(row) for row in ended.stdout.splitlines() if row.startswith("{")]
    if ended.returncode == 2:
        raise Misused(ended.stderr.strip())
    if ended.returncode < 0:
        return lines, "crashes"
    if ended.returncode:
        violations = [line["violation"] for line in lines if line.get("violation")]
        return lines, violations[0] if violations else "fails"
    return lines, None


# ---- the models themselves -----------------------------------------------------------------------

@dataclasses.dataclass
class Share:
    """What one scenario has to run, and what came out."""
    model: Model
    scenario: str
    scheduler: str
    schedules: int
    before: int = 0  # Schedules of earlier runs.
    done: int = 0
    seconds: float = 0.0
    violation: str = ""

    def run(self, is_over, progress):
        chunk = FIRST_CHUNK
        while self.done < self.schedules and not self.violation and not is_over():
            # The context-bound scheduler starts from the beginning each time: in one piece.
            is_bound = self.scheduler == "bound"
            piece = self.schedules if is_bound else min(chunk, self.schedules - self.done)
            first = self.before + self.done + 1
            options = ["--scenario", self.scenario, "--scheduler", self.scheduler,
                       "--schedules", piece, "--seed", first]
            lines, wrong = call(self.model.program, *options)
            if wrong:
                command = shlex.join([str(self.model.program), *map(str, options), "--history"])
                self.violation = f"{wrong}\n  {command}"
            ran = sum(line["schedules"] - (first - 1 if wrong else 0) for line in lines)
            seconds = sum(line["seconds"] for line in lines)
            self.done += ran
            self.seconds += seconds
            chunk = max(FIRST_CHUNK, int(ran / max(seconds, 0.01) * CHUNK_SECONDS))
            progress(self, ran)
            if is_bound:
                break
        return self


class Progress:
    """Says how far a run is, and notes what it has run, when there is a file for that."""

    def __init__(self, total, kept):
        self.total = total
        self.kept = kept
        self.done = 0
        self.start = time.monotonic()
        self.lock = threading.Lock()

    def __call__(self, share, ran):
        with self.lock:
            self.done += ran
            rate = self.done / (time.monotonic() - self.start)
            left = (self.total - self.done) / max(rate, 1)
            print(f"\r{self.done:,} of {self.total:,} schedules, {rate:,.0f}/s, {left:,.0f} s left "
                  f"({share.model.name})    ", end="", file=sys.stderr, flush=True)
            if self.kept:
                self.kept.add(share.model.name, share.scenario, ran, bool(share.violation))
                self.kept.write()


def run_shares(shares, jobs, minutes, kept):
    """Runs all, in their order, as many processes side by side as there are `jobs`."""
    stop = threading.Event()
    end = time.monotonic() + 60 * minutes

    def is_over():
        return stop.is_set() or time.monotonic() > end

    progress = Progress(sum(share.schedules for share in shares), kept)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(share.run, is_over, progress) for share in shares]
        try:
            concurrent.futures.wait(futures)
        except KeyboardInterrupt:
            stop.set()
            print(f"\nends in about {CHUNK_SECONDS} s", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for future in futures:
        future.result()  # An error is not to be lost.


def run_models(models, schedules, jobs, minutes):
    shares = []
    for model in models:
        scenarios = model.scenarios()
        share = max(1, schedules // len(scenarios))
        for scenario in scenarios:
            shares.append(Share(model, scenario, "random", share))
            shares.append(Share(model, scenario, "bound", max(1, share // 10)))
    run_shares(shares, jobs, minutes, None)
    missed = 0
    for model in models:
        ours = [share for share in shares if share.model is model]
        counts = {kind: sum(share.done for share in ours if share.scheduler == kind)
                  for kind in ("random", "bound")}
        seconds = sum(share.seconds for share in ours)
        violations = [share for share in ours if share.violation]
        missed += bool(violations)
        print(f"{'MISS' if violations else 'PASS'} model.{model.name} {len(violations)} violations "
              f"in {counts['random']:,} random and {counts['bound']:,} bounded schedules "
              f"({seconds:.0f} s) gate 0")
        for share in violations:
            print(f"  {share.scenario}: {share.violation}")
    return 1 if missed else 0


def keep_models(models, schedules, jobs, minutes):
    """Runs what is missing to so many schedules of each model. Returns: the process's code."""
    kept = Kept(KEPT, {model.name: model.source() for model in models})
    shares = []
    for model in models:
        scenarios = model.scenarios()
        wanted = -(-schedules // len(scenarios))
        for scenario in scenarios:
            before = kept.count(model.name, scenario)
            if before < wanted:
                shares.append(Share(model, scenario, "random", wanted - before, before))
    run_shares(shares, jobs, minutes, kept)
    for share in shares:
        if share.violation:
            print(f"  {share.model.name} {share.scenario}: {share.violation}")
    return print_kept(models, kept)


def print_kept(models, kept):
    verdicts = [kept.verdict(model.name) for model in models]
    for line, _ in verdicts:
        print(line)
    return 0 if all(passes for _, passes in verdicts) else 1


# ---- mutants -------------------------------------------------------------------------------------

@dataclasses.dataclass
class Mutant:
    model: str
    what: str
    file: str
    text: str  # The source line, or what is replaced.
    weaken: str = ""  # Of an order.
    to: str = ""  # The weaker order, or the replacement.
    spared: str = ""  # Why it need not be noticed.
    others: tuple = ()  # Models that may notice it in place of this one.
    result: dict = dataclasses.field(default_factory=dict)

    def key(self):
        return self.model, self.what, self.file, self.text, self.weaken

    def is_killed(self):
        return bool(self.result.get("wrong"))


@dataclasses.dataclass
class Table:
    """tests/model/mutants/NAME.txt; see docs/testing.md."""
    files: list
    others: list
    steps: list
    spared_orders: list

    @staticmethod
    def read(name):
        path = HERE / "mutants" / f"{name}.txt"
        table = Table([], [], [], [])
        if not path.exists():
            raise Misused(f"{path.relative_to(ROOT)} is not there")
        rows = iter(path.read_text(encoding="utf-8").splitlines())
        for row in rows:
            if not row.strip() or row.startswith("#"):
                continue
            kind, _, rest = row.partition(" ")
            if kind == "orders":
                table.files.append(rest)
                continue
            if kind == "others":
                table.others.append(rest)
                continue
            if kind not in ("step", "order"):
                raise Misused(f"{path.name}: '{row}' is no line of a table of mutants")
            found = Mutant(name, rest, "", "")
            for row in rows:
                key, _, value = row.partition(" ")
                if key in ("file", "spared", "to"):
                    setattr(found, key, value)
                elif row == "<<<":
                    found.text = "\n".join(iter(lambda: next(rows), "===" if kind == "step"
                                                else ">>>"))
                    if kind == "step":
                        found.to = "\n".join(iter(lambda: next(rows), ">>>"))
                    break
                else:
                    raise Misused(f"{path.name}: {found.what}: '{row}' is not understood")
            (table.steps if kind == "step" else table.spared_orders).append(found)
        return table


def source_of(file):
    return ROOT / "framework" / file


def order_mutants(model, table):
    """One for each order that the model reaches in the files of its table, and each weaker one."""
    lines, wrong = call(model.program, "--sites", "--schedules", 20_000)
    if wrong:
        raise Misused(f"{model.name}: is broken itself: {wrong}")
    found = []
    for line in lines:
        if line["file"] not in table.files:
            continue
        text = source_of(line["file"]).read_text(encoding="utf-8").splitlines()[line["line"] - 1]
        part = f":{line['part']}" if line["part"] else ""
        for weaker in line["weaker"]:
            site = f"{line['file']}:{line['line']}:{line['column']}{part}={weaker}"
            kind = f"{line['order']} on failure" if part else line["order"]
            mutant = Mutant(model.name, f"{kind} becomes {weaker}", line["file"], text.strip(),
                            weaken=site, to=weaker, others=tuple(table.others))
            for spared in table.spared_orders:
                if spared.file == mutant.file and spared.text.strip() in mutant.text and (
                        spared.what == mutant.what):
                    mutant.spared = spared.spared
            found.append(mutant)
    for spared in table.spared_orders:
        if not any(each.spared == spared.spared for each in found):
            raise Misused(f"{model.name}: no order is spared by '{spared.what}' of {spared.text}")
    return found


def command_of(model):
    """How the build compiles the model, as words."""
    commands = json.loads((model.build / "compile_commands.json").read_text(encoding="utf-8"))
    for each in commands:
        if each["file"].endswith(f"tests/model/{model.name}_model.cpp"):
            return shlex.split(each["command"]), each["directory"]
    raise Misused(f"{model.name}: is not a part of the build {model.build}")


def build_step(model, mutant, number, level):
    """Compiles the model against a copy of the file in which the step is broken, optimised so."""
    path = source_of(mutant.file)
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.text) != 1:
        raise Misused(f"{model.name}: {mutant.what}: its text is {text.count(mutant.text)} times "
                      f"in {mutant.file}")
    folder = model.build / "model" / model.name / str(number)
    copy = folder / mutant.file
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text.replace(mutant.text, mutant.to), encoding="utf-8")
    program = folder / "mutant"
    words, directory = command_of(model)
    compiler = next(i for i, word in enumerate(words) if "++" in pathlib.Path(word).name)
    words = words[:compiler + 1] + [f"-I{folder}", "-w"] + words[compiler + 1:]
    words[words.index("-o") + 1] = str(program)
    words.remove("-c")
    words += [level, "-g0"]
    ended = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False,
                           env={**os.environ, "CCACHE_DISABLE": "1"})
    if ended.returncode:
        raise Misused(f"{model.name}: {mutant.what}: does not compile\n{ended.stderr}")
    return program


def programs_of(model, mutant, number, is_quick):
    """Returns: what runs the mutant, by the words that tell whose model it is."""
    if mutant.weaken:
        program = model.program
    else:
        # Most are noticed in a moment, for which optimising takes too long.
        program = build_step(model, mutant, number, "-O0" if is_quick else "-O1")
    return {"": program,
            **{f"{name}, ": Model(name, model.build).program for name in mutant.others}}


def try_mutant(model, mutant, number, schedules):
    options = ["--weaken", mutant.weaken] if mutant.weaken else []
    tried = 0
    for level, (limit, scheduler) in enumerate((*FIRST_TRIES, (schedules, "random"))):
        if level < 2:
            programs = programs_of(model, mutant, number, level == 0)
        for whose, each in programs.items():
            lines, wrong = call(each, *options, "--schedules", min(limit, schedules),
                                "--scheduler", scheduler)
            tried += sum(line["schedules"] for line in lines)
            if wrong:
                last = lines[-1] if lines else {}
                mutant.result = {"wrong": wrong, "scenario": whose + last.get("scenario", ""),
                                 "scheduler": scheduler, "schedules": tried}
                return mutant
    mutant.result = {"wrong": None, "schedules": tried}
    return mutant


def describe(mutant):
    result = mutant.result
    where = f"{mutant.model}: {mutant.what}: {mutant.file}"
    if mutant.weaken:
        where += f": {mutant.text}"
    if mutant.is_killed():
        return f"killed after {result['schedules']:,} schedules: {where}: {result['wrong']}"
    why = f" (known: {mutant.spared})" if mutant.spared else ""
    return f"SURVIVES {result['schedules']:,} schedules{why}: {where}"


def all_mutants(model):
    table = Table.read(model.name)
    return [*order_mutants(model, table), *table.steps]


def run_mutants(models, schedules, jobs, match, record):
    tasks = [(model, mutant, number, schedules) for model in models
             for number, mutant in enumerate(all_mutants(model)) if re.search(match, mutant.what)]
    done, everything = 0, []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(try_mutant, *task)
                                                       for task in tasks]):
            done += 1
            everything = with_former(future.result(), record)
            print(f"[{done}/{len(tasks)}] {describe(future.result())}", flush=True)
    missed = 0
    for model in models:
        ours = [mutant for each, mutant, _, _ in tasks if each is model]
        killed = sum(mutant.is_killed() for mutant in ours)
        spared = sum(bool(mutant.spared) and not mutant.is_killed() for mutant in ours)
        is_missed = killed + spared < len(ours)
        missed += is_missed
        known_ones = f", {spared} known to survive" if spared else ""
        print(f"{'MISS' if is_missed else 'PASS'} model.{model.name}.mutants {killed} of "
              f"{len(ours)} killed{known_ones} gate all")
    return missed, everything


# ---- the page ------------------------------------------------------------------------------------

INTRODUCTION = """\
# Mutants of the lock-free protocols

Written by `./dev model --mutants --write-docs`; do not edit. Each memory order that is not relaxed
is weakened to the next weaker ones, and steps of the protocols are left out or swapped, one at a
time. The models of `tests/model/` have to notice each, see [testing.md](../testing.md#models). The
last column is how many schedules of the model that took.
"""


def page(mutants):
    rows = [INTRODUCTION]
    for name in sorted({mutant.model for mutant in mutants}):
        ours = [mutant for mutant in mutants if mutant.model == name]
        killed = sum(mutant.is_killed() for mutant in ours)
        rows += [f"## {name}", "",
                 f"{killed} of {len(ours)} are noticed by `tests/model/{name}_model.cpp`.", "",
                 "| Mutant | Where | Noticed | After |", "|---|---|---|---|", *map(row, ours), ""]
    return "\n".join(rows)


def row(mutant):
    where = mutant.file.removeprefix("troupe/")
    if mutant.weaken:
        where += f": `{mutant.text.split('  //')[0]}`"
    result = mutant.result
    if mutant.is_killed():
        noticed = ": ".join(filter(None, (result["scenario"], result["wrong"])))
    else:
        noticed = f"no: {mutant.spared or 'MISSED'}" if result else "not tried"
    cells = [mutant.what, where, noticed, f"{result.get('schedules', 0):,}"]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def present(mutants, build):
    """Returns: those that today's tables and sources have, with what came out."""
    results = {mutant.key(): mutant.result for mutant in mutants}
    todays = [mutant for name in known() for mutant in all_mutants(Model(name, build))]
    return [dataclasses.replace(mutant, result=results.get(mutant.key(), {})) for mutant in todays]


def with_former(mutant, path):
    """Notes what came out for it. Returns: all that is noted."""
    former = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    found = {each.key(): each for each in (Mutant(**each) for each in former)}
    found[mutant.key()] = mutant
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([dataclasses.asdict(each) for each in found.values()]),
                    encoding="utf-8")
    return list(found.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--schedules", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("--match", default="")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    chosen = parser.parse_args()
    for name in chosen.names:
        if name not in known():
            raise Misused(f"no model is called '{name}'; there are: {', '.join(known())}")
    models = [Model(name, chosen.build.resolve()) for name in chosen.names or known()]
    for model in models:
        if not model.program.exists():
            raise Misused(f"{model.program} is not built: ./dev model builds it")
    if chosen.kept:
        return print_kept(models, Kept(KEPT, {model.name: model.source() for model in models}))
    if not chosen.mutants:
        run = keep_models if chosen.keep else run_models
        return run(models, chosen.schedules, chosen.jobs, chosen.minutes)
    missed, everything = run_mutants(models, chosen.schedules, chosen.jobs, chosen.match,
                                     chosen.build / "model" / "mutants.json")
    if chosen.write_docs:
        DOCS.write_text(page(present(everything, chosen.build.resolve())), encoding="utf-8")
        print(f"written: {DOCS.relative_to(ROOT)}")
    return 1 if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Misused as problem:
        print(f"model: {problem}", file=sys.stderr)
        sys.exit(2)
