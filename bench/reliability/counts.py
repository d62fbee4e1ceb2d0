"""What the framework keeps exact while things go wrong in it: crashes, overload, failing
allocations, a clock that jumps, handlers that block. Each is a program of its own."""

from common import Broken, Program, say


def counted(plan, mode, **options):
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with Program([plan.build / "bench/reliability_counts", f"--{mode}", "--seed", plan.seed,
                  *words]) as program:
        seen = program.report()
    say(f"  {seen}")
    return seen


def crashes(plan):
    """Actors that crash at random points, under supervisors of all kinds."""
    wanted = plan.size(1_000_000, 20_000, 10_000_000)
    seen = counted(plan, "crashes", count=wanted)
    if seen["crashes"] < wanted or not seen["escalations"]:
        raise Broken(f"not all that was planned has crashed: {seen}")
    plan.add("crashes.per_s", seen["crashes_per_s"], "/s", 5_000, at_least=True)
    plan.add("crashes.wrong_notices", seen["wrong_notices"], "", 0)
    plan.add("crashes.lost_restarts", seen["lost_restarts"] + seen["wrong_reports"], "", 0)
    plan.add("crashes.supervisors_alive", int(seen["all_alive"]), "", 1, at_least=True)
    plan.add("crashes.memory_growth", abs(seen["memory_growth_percent"]), "%", 5)


def overload(plan):
    """Bounded mailboxes of each policy that are offered 2 and 10 times what is possible."""
    seen = counted(plan, "overload", seconds=plan.size(20, 1, 300))
    if not (seen["handed_back"] and seen["undelivered"]):
        raise Broken(f"that was no overload: {seen}")
    plan.add("overload.unaccounted", seen["unaccounted"], "messages", 0)
    plan.add("overload.peak_over_bound", seen["peak_over_bound_percent"], "%", 10)
    plan.add("overload.control_p99", seen["control_p99_ms"], "ms", 10)


def allocations(plan):
    """Each allocation of eight scripts fails, alone or with all that follow it."""
    failures, wrong = 0, 0
    for more in (0, 1_000_000_000):
        say(f"  {'all from then on' if more else 'one'}")
        with Program([plan.build / "bench/reliability_allocations", "--more", more]) as program:
            seen = program.report()
        if seen["first_wrong"]:
            say(f"  {seen['first_wrong']}")
        failures += seen["failures"]
        wrong += seen["failures"] - seen["well"]
    plan.add("allocations.failed", failures, "", 400, at_least=True)
    plan.add("allocations.not_survived", wrong, "", 0)


def timers(plan):
    """Timers under a clock that jumps by anything from nothing to years."""
    seen = counted(plan, "timers", count=plan.size(2_000_000, 50_000, 50_000_000))
    wrong = ("early", "lost", "disordered", "bursts", "after_cancel")
    plan.add("timers.checked", seen["timers"], "", seen["timers"], at_least=True)
    for name in wrong:
        plan.add(f"timers.{name}", seen[name], "", 0)


def stalls(plan):
    """Handlers that block for more than 100 ms, among others that do not."""
    seen = counted(plan, "stalls", count=plan.size(96, 8, 960))
    plan.add("stalls.told_of", 100 * seen["reported"] / seen["planted"], "%", 100, at_least=True)
    plan.add("stalls.false", seen["false"], "", 0)


FIGURES = {"crashes": crashes, "overload": overload, "allocations": allocations,
           "timers": timers, "stalls": stalls}
