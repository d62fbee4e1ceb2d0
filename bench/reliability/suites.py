"""What other commands of ./dev look for: inputs that break a decoder, and sanitizers' reports."""

import re
import subprocess
import sys

from common import ROOT, Broken, say

FUZZ_ROW = re.compile(r"^(\w+) +(\d+) +(\d+) +([\d.]+)% +(\d+)$")
# How own code would keep a sanitizer from looking.
SUPPRESSIONS = r"no_sanitize|NO_SANITIZE|suppressions=|__\w+san_default_suppressions"


def dev(*words):
    """Runs ./dev, and shows what it prints as progress. Returns: its exit code and its lines."""
    lines = []
    with subprocess.Popen([ROOT / "dev", *map(str, words)], stdout=subprocess.PIPE, text=True,
                          stderr=sys.stderr) as running:
        for line in running.stdout:
            lines.append(line.rstrip())
            if FUZZ_ROW.match(lines[-1]) or lines[-1].startswith("==>"):
                say(f"  {lines[-1]}")
    return running.returncode, lines


def fuzz(plan):
    """Every decoder against inputs that libFuzzer makes up, under AddressSanitizer and UBSan."""
    _, lines = dev("fuzz", "--seconds", plan.size(10, 1, long=3600))
    rows = [match.groups() for match in map(FUZZ_ROW.match, lines) if match]
    if not rows:
        raise Broken(f"./dev fuzz told of no decoder: {lines[-1:]}")
    say(f"  {sum(int(row[1]) for row in rows)} runs of {len(rows)} decoders")
    plan.add("fuzz.crashes", sum(int(row[4]) for row in rows), "inputs", 0)
    plan.add("fuzz.least_lines", min(float(row[3]) for row in rows), "%", 95, at_least=True)


def sanitizers(plan):
    """The unit tests under the sanitizers; a long run does it, and .ci/run at each change."""
    if plan.effort != "long":
        return
    failed = 0
    for preset, repeats in (("asan", 1), ("tsan", 5)):
        for _ in range(repeats):
            say(f"  {preset}")
            code, lines = dev("test", "--preset", preset, "--label", "unit")
            counts = re.fullmatch(r"(\d+) passed, (\d+) failed", lines[-1] if lines else "")
            if not counts or not int(counts[1]):
                raise Broken(f"./dev test --preset {preset} ended with {code}: {lines[-1:]}")
            failed += int(counts[2])
    found = subprocess.run(["grep", "-rnE", SUPPRESSIONS, "--include=*.?pp", "--include=CMake*",
                            "framework", "actors", "samples", "cmake"], cwd=ROOT, text=True,
                           capture_output=True, check=False).stdout
    say(found)
    plan.add("sanitizers.tests_with_a_report", failed, "tests", 0)
    plan.add("sanitizers.suppressions", len(found.splitlines()), "lines", 0)


MOST_SCHEDULES = 100_000_000  # Of a model, all runs of its present sources together.
MODEL_ROW = re.compile(r"^(?:PASS|MISS) model\.\w+ (\d+) violations in ")
KEPT_ROW = re.compile(r"^(?:PASS|MISS) model\.\w+\.schedules ([\d,]+) in all, (\d+) violations ")
MUTANTS_ROW = re.compile(r"^(?:PASS|MISS) model\.\w+\.mutants (\d+) of (\d+) killed"
                         r"(?:, (\d+) known to survive)?")


def rows_of(pattern, lines):
    """Returns: the numbers in each line that matches. Errors: Broken without one."""
    rows = [[int((number or "0").replace(",", "")) for number in found.groups()]
            for found in map(pattern.match, lines) if found]
    if not rows:
        raise Broken(f"./dev model told of no protocol: {lines[-1:]}")
    return rows


def model(plan):
    """The lock-free protocols in the orders of steps that Relacy tries; a long run breaks them."""
    _, lines = dev("model", "--schedules", plan.size(1_000_000, 10_000))
    violations = sum(row[0] for row in rows_of(MODEL_ROW, lines))
    if plan.effort == "long":
        dev("model", "--schedules", MOST_SCHEDULES, "--keep")
    _, lines = dev("model", "--kept")
    for line in lines:
        say(f"  {line}")
    kept = rows_of(KEPT_ROW, lines)
    plan.add("model.violations", violations + sum(row[1] for row in kept), "schedules", 0)
    if plan.effort != "short":
        plan.add("model.least_schedules", min(row[0] for row in kept), "schedules",
                 MOST_SCHEDULES, at_least=True)
    if plan.effort == "long":
        _, lines = dev("model", "--mutants", "--schedules", 1_000_000)
        rows = rows_of(MUTANTS_ROW, lines)
        killed, planted, spared = (sum(column) for column in zip(*rows))
        say(f"  {spared} mutants are known to survive: see docs/protocols/mutants.md")
        plan.add("model.mutants_killed", killed, "mutants", planted - spared, at_least=True)


FIGURES = {"fuzz": fuzz, "model": model, "sanitizers": sanitizers}
