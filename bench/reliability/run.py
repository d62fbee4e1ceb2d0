#!/usr/bin/env python3
"""Breaks things around the real service and in programs, and prints a line for each figure.

    bench/reliability/run.py [--figure NAME]... [--short | --long] [--seed N] [--output FILE]

A line is `PASS|MISS figure value gate command`; the command repeats the figure. Progress goes to
stderr, every figure to bench/results/reliability-<date>.json. A missed gate is a result: the exit
code is 1 only when something broke, or, with --short, when a figure missed.
"""

import argparse
import datetime
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import clock
import connections
import counts
import hostile
import journal
import pause
import planted
import shutdown
import simulation
import soak
import suites
from common import ROOT, Broken, Plan, Skipped, say

FIGURES = {**hostile.FIGURES, **connections.FIGURES, **shutdown.FIGURES, **pause.FIGURES,
           **clock.FIGURES, **soak.FIGURES, **counts.FIGURES, **simulation.FIGURES,
           **planted.FIGURES, **journal.FIGURES, **suites.FIGURES}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", action="append", choices=sorted(FIGURES))
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--short", action="store_const", dest="effort", const="short",
                        default="usual", help="seconds each, and a miss is an error")
    effort.add_argument("--long", action="store_const", dest="effort", const="long",
                        help="the full counts; takes hours")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


def write_results(plan, path):
    rows = [{"figure": each.name, "value": each.value, "unit": each.unit, "gate": each.gate,
             "at_least": each.at_least, "passed": each.passed} for each in plan.figures]
    text = json.dumps({"date": datetime.datetime.now().isoformat(timespec="seconds"),
                       "cores": os.cpu_count(), "seed": plan.seed, "effort": plan.effort,
                       "figures": rows}, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def main():
    arguments = parse_arguments()
    # An end in order: what was started ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    plan = Plan(arguments.build, arguments.seed, arguments.effort)
    broken = 0
    for name in arguments.figure or FIGURES:
        say(f"{name}: {FIGURES[name].__doc__}")
        told = len(plan.figures)
        try:
            FIGURES[name](plan)
        except Skipped as reason:
            print(f"SKIP {name}: {reason}", flush=True)
        except (Broken, OSError, subprocess.TimeoutExpired, ValueError) as error:
            broken += 1
            print(f"BROKEN {name}: {error}", flush=True)
        for each in plan.figures[told:]:
            effort = "" if plan.effort == "usual" else f" --{plan.effort}"
            print(f"{each} ./dev reliability --figure {name} --seed {plan.seed}{effort}",
                  flush=True)
    if plan.effort != "short":
        stamp = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S")
        output = arguments.output or ROOT / f"bench/results/reliability-{stamp}.json"
        write_results(plan, output)
        say(f"written: {output.relative_to(ROOT) if output.is_relative_to(ROOT) else output}")
    missed = sum(not each.passed for each in plan.figures)
    return 1 if broken or (plan.effort == "short" and missed) else 0


if __name__ == "__main__":
    sys.exit(main())
