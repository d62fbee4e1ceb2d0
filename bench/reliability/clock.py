"""The wall clock of the service jumps, as it does when it is set by hand or by a time server."""

import os
import random
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from common import POLL_S, Broken, Service, Skipped, clients, say

HOUR_S, YEAR_S = 3600, 365 * 24 * 3600
IDLE_S = 2
SLACK_S = 0.5  # How late a busy machine may be.
EARLY_S = 0.05  # Of ticks, of which one sees only when their line comes.


def fake_time_library():
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise Skipped("libfaketime is not installed (package libfaketime)")
    return found[0]


class WallClock:
    """What a process believes to be the time of day; the monotonic clock stays the machine's."""

    def __init__(self, folder):
        self.file = Path(folder) / "offset"
        self.environment = {
            "LD_PRELOAD": str(fake_time_library()), "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.jump_by(0)

    def jump_by(self, offset_s):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{offset_s:+d}\n")
        fresh.rename(self.file)

    def check(self, offset_s):
        """Looks whether a program sees the jump."""
        seen = int(subprocess.run(["date", "+%s"], env=dict(os.environ, **self.environment),
                                  capture_output=True, text=True, check=True).stdout)
        if abs(seen - time.time() - offset_s) > 60:
            raise Broken(f"the wall clock was not moved by {offset_s} s")


def silent_peer(port):
    """Returns: a connection that says nothing, and when it was begun."""
    begin = time.monotonic()
    peer = socket.create_connection(("127.0.0.1", port))
    peer.settimeout(0)
    return peer, begin


def closed_after(silent):
    """Takes those out that the service has closed. Returns: after how many seconds each was."""
    ages = []
    for peer, begin in list(silent):
        try:
            while peer.recv(4096):
                pass
        except BlockingIOError:
            continue
        ages.append(time.monotonic() - begin)
        peer.close()
        silent.remove((peer, begin))
    return ages


def strayed_ticks(ticks):
    """ticks: (when the line came, its number). Returns: how many were early or late, how many lost.

    The median of all tells when the first second began.
    """
    start = statistics.median(came - number for came, number in ticks)
    offsets = [came - number - start for came, number in ticks]
    strayed = sum(not -EARLY_S <= each <= SLACK_S for each in offsets)
    numbers = [number for _, number in ticks]
    return strayed, numbers[-1] - numbers[0] + 1 - len(set(numbers))


def jump_about(plan, wall, port):
    """Moves the clock; a peer that is to be closed for its silence begins with each jump.

    Returns: the number of jumps, after how many seconds each peer was closed, those that were not.
    """
    dice = random.Random(plan.seed)
    end, next_jump = time.monotonic() + plan.size(30, 5, 600), 0
    jumps, ages, silent = 0, [], []
    while (now := time.monotonic()) < end or (silent and now < end + IDLE_S + 5):
        if next_jump <= now < end:
            offset_s = dice.choice([-YEAR_S, -HOUR_S, 0, HOUR_S, YEAR_S])
            wall.jump_by(offset_s)
            if jumps % 10 == 0:
                wall.check(offset_s)
            silent.append(silent_peer(port))
            jumps, next_jump = jumps + 1, now + dice.uniform(0.1, 0.5)
        ages += closed_after(silent)
        time.sleep(POLL_S)
    return jumps, ages, silent


def clock(plan):
    """The wall clock jumps by hours and years, to and fro, under load."""
    with tempfile.TemporaryDirectory() as folder:
        wall = WallClock(folder)
        with Service(plan, "--serve", "--each-second", "--idle", IDLE_S,
                     environment=wall.environment) as service, \
                clients(plan, service.port, "booked", count=16, at_once=4, pause=10,
                        seed=plan.seed) as crowd:
            crowd.ready()
            jumps, ages, silent = jump_about(plan, wall, service.port)
            crowd.process.send_signal(signal.SIGTERM)
            log = crowd.report(60)
            lines = service.arrived()
            service.stop()
    ticks = [(came, int(found[1])) for came, text in lines
             if (found := re.match(r"(\d+) s: ", text))]
    if not ticks or not log["accounts"]:
        raise Broken("the service has not told its seconds, or served nobody")
    strayed, lost_ticks = strayed_ticks(ticks)
    strayed += sum(not IDLE_S <= age <= IDLE_S + SLACK_S for age in ages)
    say(f"  {jumps} jumps, {len(ticks)} ticks, {len(ages)} silent peers closed after "
        f"{min(ages, default=0):.3f} to {max(ages, default=0):.3f} s")
    plan.add("clock.timers_early_or_late", strayed, "", 0)
    plan.add("clock.timers_lost", lost_ticks + len(silent), "", 0)
    plan.add("clock.wrong_or_broken", log["wrong"] + log["broken"], "", 0)


FIGURES = {"clock": clock}
