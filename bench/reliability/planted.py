"""Bugs that were planted into the framework, and the simulated programs that find them."""

import json
import subprocess
import sys

from common import ROOT, Broken, say

SEARCHED = 1000  # Seeds of each of the ranges of a long run.
MOST_SEEDS = 200  # That the bug in the middle may take.


def planted(plan):
    """Each bug of tests/planted/ in a copy of the framework, until a scenario finds it."""
    if plan.effort == "short":
        return
    how = ["--seeds", SEARCHED] if plan.effort == "long" else ["--known"]
    command = [sys.executable, ROOT / "tests/planted/run.py", *how]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        raise Broken(f"tests/planted/run.py ended with {done.returncode}")
    seen = json.loads(lines[-1])
    say(f"  {seen['bugs']} bugs, not found: {', '.join(seen['not_found']) or 'none'}")
    plan.add("planted.found", 100 * seen["found"] / seen["bugs"], "%", 95, at_least=True)
    plan.add("planted.median_seeds", seen["median_seeds"], "seeds", MOST_SEEDS)


FIGURES = {"planted": planted}
