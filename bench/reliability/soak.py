"""A long mixed load: whether memory, descriptors and answer times stay as they are."""

import re
import time
from statistics import fmean, median

from common import Broken, Service, peers, say

BLOCKS = 10
T_95 = 2.306  # Student's t, 97.5 %, for BLOCKS - 2 degrees of freedom.
WARM_UP_SHARE = 0.2
# The first turn that stalls has the debug information read, once: some 30 MB.
NO_STALL_WATCH = {"TROUPE_STALL_THRESHOLD": "0"}


def growth(samples):
    """By how much the line through the samples rises from first to last, in % of their mean.

    Returns: 0 where the 95 % interval of the slope contains 0 or lies below. The line goes through
    the medians of ten blocks: neighbouring samples are not independent, and some lie far out.
    """
    size = len(samples) // BLOCKS
    values = [median(samples[i * size:(i + 1) * size]) for i in range(BLOCKS)]
    center, mean = (BLOCKS - 1) / 2, fmean(values)
    spread = sum((i - center) ** 2 for i in range(BLOCKS))
    slope = sum((i - center) * each for i, each in enumerate(values)) / spread
    squares = sum((each - mean - slope * (i - center)) ** 2 for i, each in enumerate(values))
    margin = T_95 * (squares / (BLOCKS - 2) / spread) ** 0.5
    rise = slope * BLOCKS / mean * 100
    say(f"    mean {mean:.6g}, slope over the run {rise:+.2f} % "
        f"(95 %: {rise - margin * BLOCKS / mean * 100:+.2f} to "
        f"{rise + margin * BLOCKS / mean * 100:+.2f})")
    return rise if slope > margin else 0.0


def sampled(service, seconds, period_s):
    """Returns: memory, descriptors and p99 of the load, each period; the warm-up is left out."""
    resident, descriptors, p99_us = [], [], []
    begin = told = time.monotonic()
    say(f"  warming up for {seconds * WARM_UP_SHARE:.0f} s")
    while time.monotonic() - begin < seconds:
        time.sleep(period_s)
        seen = [re.search(r"p99 (\d+) us", text) for _, text in service.arrived()]
        if time.monotonic() - begin < seconds * WARM_UP_SHARE:
            continue
        p99_us += [int(each[1]) for each in seen if each]
        resident.append(service.resident_bytes())
        descriptors.append(service.descriptors())
        if time.monotonic() - told > 15:
            told = time.monotonic()
            say(f"  {told - begin:.0f} of {seconds} s: {resident[-1] / 1e6:.1f} MB, "
                f"{descriptors[-1]} descriptors, p99 {p99_us[-1] if p99_us else 0} us")
    return resident, descriptors, p99_us


def soak(plan):
    """A load of its own with chaos, and bad peers: slopes over the run."""
    seconds = plan.size(600, 5, 8 * 3600)
    period_s = plan.size(1, 0.2)
    with Service(plan, "--seconds", seconds + 3600, "--connections", plan.size(512, 80), "--chaos",
                 "--seed", plan.seed, environment=NO_STALL_WATCH) as service, \
            peers(plan, service.port, "bad", seconds=seconds + 60, seed=plan.seed) as bad:
        bad.ready()
        samples = sampled(service, seconds, period_s)
        if bad.process.poll() is not None:
            raise Broken("the bad peers have ended before the run")
        service.stop()
    names = ("resident_growth", "descriptor_growth", "p99_growth")
    for name, values in zip(names, samples):
        if len(values) < BLOCKS:
            say(f"    {name}: {len(values)} samples are too few")
            continue
        say(f"  {name}: {len(values)} samples")
        plan.add(f"soak.{name}", growth(values), "%", plan.size(2, 50))


FIGURES = {"soak": soak}
