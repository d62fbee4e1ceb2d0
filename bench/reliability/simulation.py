"""Random programs in simulated worlds: what sim_scenarios finds."""

import json
import subprocess
import time

from common import Broken, say


def scenarios(plan, *words):
    """Runs sim_scenarios. Returns: what its last line says."""
    command = [str(plan.build / "tests/sim/scenarios/sim_scenarios"), *map(str, words)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    lines = ended.stdout.splitlines()
    for line in lines[:-1]:
        say(f"  {line}")
    if ended.returncode not in (0, 1) or not lines or not lines[-1].startswith("{"):
        raise Broken(f"{' '.join(command)} ended with {ended.returncode}: {lines[-1:]}")
    return json.loads(lines[-1])


def simulation(plan):
    """Programs of every kind, one for each seed: order, time, network and faults are the seed's."""
    count = plan.size(2_000, 100, long=100_000)
    first = plan.seed * 1_000_000
    start = time.monotonic()
    told = scenarios(plan, "--seeds", f"{first}..{first + count - 1}", "--jobs", 2, "--keep-going")
    seconds = time.monotonic() - start
    say(f"  {told['simulated_hours']:.1f} simulated hours, {told['steps']} steps, "
        f"{told['rehashed']} seeds played twice, {told['by_family']}")
    plan.add("simulation.scenarios", told["scenarios"], "scenarios", count, at_least=True)
    plan.add("simulation.violations", told["violations"], "scenarios", 0)
    # 10 000 in ten minutes.
    plan.add("simulation.rate", told["scenarios"] / seconds, "scenarios/s", 10_000 / 600,
             at_least=True)
    plan.add("simulation.hours", told["simulated_hours"], "h", 0, at_least=True)
    plan.add("simulation.ratio", told["simulated_hours"] * 3600 / seconds, "simulated s/s", 1,
             at_least=True)
    # Two processes of one seed, shared in another way, have one history.
    fewer = f"{first}..{first + count // 10 - 1}"
    hashes = {scenarios(plan, "--seeds", fewer, "--jobs", jobs)["hash"] for jobs in (1, 3)}
    plan.add("simulation.other_histories", len(hashes) - 1, "of a process", 0)


FIGURES = {"simulation": simulation}
