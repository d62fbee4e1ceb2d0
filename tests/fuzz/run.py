#!/usr/bin/env python3
"""Lets libFuzzer look for inputs that break a decoder, and says which of its lines they reached.

    tests/fuzz/run.py [--seconds N] [--keep] [--build DIR] [NAME...]

NAME is that of tests/fuzz/NAME_fuzz.cpp; without one all are run. Each starts from its inputs in
tests/fuzz/corpus/NAME/ and from those that former runs have found. One that breaks a decoder is
left in DIR/broken/NAME/, and how to run it alone is printed. Exit code 1: a decoder was broken, or
fewer of its lines were reached than ought to be; 2: wrong usage.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests" / "fuzz"
LEAST_PERCENT = 95.0
# No decoder needs a longer input to be driven everywhere; short ones are tried more often.
MOST_BYTES = 512
MOST_MEGABYTES = 1024  # One that asks for more has followed a length that it was only told.
MOST_SECONDS_EACH = 10


class Misused(Exception):
    """The command line asks for what there is not."""


@dataclasses.dataclass
class Outcome:
    runs: int
    seconds: int
    percent: float
    unreached: list  # "file:line" of the decoder
    broken: list  # paths of inputs


def known():
    return sorted(path.name.removesuffix("_fuzz.cpp") for path in HERE.glob("*_fuzz.cpp"))


def decoder_of(name):
    """The files whose lines are counted, which the first line names."""
    first = (HERE / f"{name}_fuzz.cpp").read_text(encoding="utf-8").split("\n", 1)[0]
    if not first.startswith("// Decodes: "):
        raise Misused(f"{name}_fuzz.cpp: the first line does not say '// Decodes: FILE'")
    return first.removeprefix("// Decodes: ").split()


def coverage(program, profile, files):
    """Returns the reached lines of the files in percent, and those that were not reached."""
    data = profile.with_suffix(".profdata")
    subprocess.run(["llvm-profdata-19", "merge", "-sparse", "-o", data, profile], check=True)
    shown = subprocess.run(["llvm-cov-19", "export", "-format=lcov", program,
                            f"-instr-profile={data}", *[ROOT / file for file in files]],
                           check=True, capture_output=True, text=True)
    counts, file = {}, ""
    for row in shown.stdout.splitlines():
        if row.startswith("SF:"):
            file = os.path.relpath(row[3:], ROOT)
        elif found := re.match(r"DA:(\d+),(\d+)", row):
            place = file, int(found[1])
            counts[place] = max(counts.get(place, 0), int(found[2]))
    if not counts:
        raise Misused(f"{', '.join(files)}: has no lines in {program}")
    unreached = [f"{file}:{line}" for (file, line), count in sorted(counts.items()) if count == 0]
    return 100 * (1 - len(unreached) / len(counts)), unreached


def fuzz(name, seconds, build):
    """Runs one fuzzer for so many seconds."""
    program = build / "tests" / "fuzz" / f"fuzz_{name}"
    found, broken = build / "found" / name, build / "broken" / name
    shutil.rmtree(broken, ignore_errors=True)
    for folder in (found, broken):
        folder.mkdir(parents=True, exist_ok=True)
    profile, log = build / f"{name}.profraw", build / f"{name}.log"
    profile.unlink(missing_ok=True)
    command = [program, f"-max_total_time={seconds}", f"-max_len={MOST_BYTES}",
               f"-rss_limit_mb={MOST_MEGABYTES}", f"-timeout={MOST_SECONDS_EACH}",
               "-print_final_stats=1", f"-artifact_prefix={broken}/", found,
               HERE / "corpus" / name]
    with open(log, "w", encoding="utf-8") as output:
        ended = subprocess.run(command, stdout=output, stderr=output, check=False,
                               env={**os.environ, "LLVM_PROFILE_FILE": str(profile)})
    text = log.read_text(encoding="utf-8", errors="replace")
    runs = re.search(r"^stat::number_of_executed_units: (\d+)", text, re.MULTILINE)
    inputs = sorted(broken.iterdir())
    if ended.returncode != 0:
        why = re.search(r"^.*(what\(\):|ERROR: |runtime error: ).*$", text, re.MULTILINE)
        print(why[0].strip() if why else f"exit code {ended.returncode}; log: {log}")
        for path in inputs:
            print(f"  {program} {path}")
    percent, unreached = 0.0, []
    if profile.exists() and profile.stat().st_size > 0:
        percent, unreached = coverage(program, profile, decoder_of(name))
    elapsed = re.search(r"^Done \d+ runs in (\d+) second", text, re.MULTILINE)
    return Outcome(int(runs[1]) if runs else 0, int(elapsed[1]) if elapsed else 0, percent,
                   unreached, inputs if inputs or ended.returncode == 0 else [log])


def keep(name, build):
    """Puts the fewest inputs that reach what all reach into the corpus of the source tree."""
    program, least = build / "tests" / "fuzz" / f"fuzz_{name}", build / "least" / name
    corpus = HERE / "corpus" / name
    shutil.rmtree(least, ignore_errors=True)
    least.mkdir(parents=True)
    corpus.mkdir(parents=True, exist_ok=True)
    # Without the counters how often a line is run makes no difference, else hundreds would stay.
    subprocess.run([program, "-set_cover_merge=1", "-use_counters=0", f"-max_len={MOST_BYTES}",
                    least, corpus, build / "found" / name], check=True, stderr=subprocess.DEVNULL,
                   env={**os.environ, "LLVM_PROFILE_FILE": os.devnull})
    for path in corpus.iterdir():
        if re.fullmatch(r"[0-9a-f]{40}", path.name):  # Others were named by hand: to stay.
            path.unlink()
    for path in least.iterdir():
        shutil.copyfile(path, corpus / path.name)
    files = list(corpus.iterdir())
    print(f"{name}: {len(files)} inputs kept, {sum(f.stat().st_size for f in files)} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known()))
    parser.add_argument("--seconds", type=int, default=30, metavar="N", help="for each (30)")
    parser.add_argument("--keep", action="store_true", help="add what was found to the corpus")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "fuzz",
                        metavar="DIR")
    options = parser.parse_args()
    if unknown := set(options.names) - set(known()):
        raise Misused(f"no fuzzer is called '{unknown.pop()}'; there are: {', '.join(known())}")
    if options.seconds < 1:
        raise Misused("--seconds must be at least 1")

    failed, names = 0, options.names or known()
    print(f"{'fuzzer':<10} {'runs':>10} {'seconds':>8} {'lines':>7} {'crashes':>8}", flush=True)
    for name in names:
        outcome = fuzz(name, options.seconds, options.build)
        print(f"{name:<10} {outcome.runs:>10} {outcome.seconds:>8} {outcome.percent:>6.1f}% "
              f"{len(outcome.broken):>8}", flush=True)
        if not outcome.broken and outcome.percent < LEAST_PERCENT:
            print(f"  fewer than {LEAST_PERCENT:.0f}%; not reached: {', '.join(outcome.unreached)}")
        failed += bool(outcome.broken) or outcome.percent < LEAST_PERCENT
        if options.keep and not outcome.broken:
            keep(name, options.build)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Misused as error:
        print(f"fuzz: {error}", file=sys.stderr)
        sys.exit(2)
