"""SIGTERM under load, again and again."""

import contextlib
import os
import random
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from common import START_LIMIT_S, Broken, Service, accounts_in, clients, say, wait_until

AT_ONCE = 2  # Runs.
HANG_S = 20
FORCED_CODE = 130


@dataclass
class End:
    """What one run has seen."""
    seconds: float  # From the signal to the exit.
    problem: str = ""  # Not in order: code, books, hang.
    lost: int = 0  # Connections of which an answered request is missing from the books.
    left_behind: int = 0
    acknowledged: int = 0


def processes_of_session(leader):
    """Returns: how many processes the session of `leader` still has."""
    count = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == leader:
                count += 1
        except (ProcessLookupError, PermissionError):
            pass
    return count


def is_taken(port):
    """Whether somebody still holds the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def lost_of(log, accounts):
    """Counts the clients to whom more was answered than the service has in its books."""
    return sum(accounts.get(number, (0, 0))[0] < sent or accounts.get(number, (0, 0))[1] < answered
               for number, answered, sent, _ in log["accounts"])


def stop_once(plan, number):
    """One service, one load, one SIGTERM at a moment of its own."""
    dice = random.Random(f"{plan.seed} {number}")
    load = {"count": dice.choice([1, 4, 16, 32, 64]), "at_once": dice.choice([1, 2, 8]),
            "pause": dice.choice([0, 0, 0, 5])}
    moment_s = dice.uniform(0, 0.4)
    with Service(plan, "--serve", "--accounts") as service, \
            clients(plan, service.port, "booked", seed=number, **load) as crowd:
        crowd.ready()
        time.sleep(moment_s)
        begin = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        if not service.has_ended(HANG_S):
            return End(HANG_S, problem=f"hangs: {load}, after {moment_s:.3f} s")
        end = End(time.monotonic() - begin)
        code, lines = service.process.wait(), service.rest()
        log = crowd.report(START_LIMIT_S)
        end.lost = lost_of(log, accounts_in(lines))
        end.acknowledged = sum(answered for _, answered, _, _ in log["accounts"])
        end.left_behind = processes_of_session(service.process.pid) + is_taken(service.port)
        if code != 0 or not lines or not lines[-1].endswith(" ok") or log["wrong"]:
            end.problem = f"code {code}, {lines[-1:]}, {log['first_wrong']}: {load}"
    return end


def hold_up(port):
    """Returns: a connection that asks until the service waits for its answers to be read."""
    peer = socket.create_connection(("127.0.0.1", port))
    peer.settimeout(0.1)
    with contextlib.suppress(TimeoutError):
        while True:
            peer.send(b"echo " + b"x" * 4000 + b"\n")
    return peer


def is_pending(program, number):
    """Whether the signal was sent, and no thread of the process has taken it yet."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    waiting = re.findall(r"^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$", status, re.MULTILINE)
    return any(int(each, 16) >> (number - 1) & 1 for each in waiting)


def force_once(plan, number):
    """The second SIGTERM comes while the first is being obeyed."""
    dice = random.Random(f"{plan.seed} forced {number}")
    with Service(plan, "--serve", "--drain", 30) as service, \
            clients(plan, service.port, "booked", count=16, seed=number) as crowd, \
            hold_up(service.port):
        crowd.ready()
        time.sleep(dice.uniform(0.05, 0.3))
        service.process.send_signal(signal.SIGTERM)
        # Both at once are one: the system does not count a signal that is still pending.
        wait_until("the first SIGTERM taken", 5, lambda: not is_pending(service, signal.SIGTERM))
        time.sleep(dice.uniform(0, 0.2))
        begin = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        if not service.has_ended(HANG_S):
            return End(HANG_S, problem="a second SIGTERM does not force the exit")
        end = End(time.monotonic() - begin)
        code = service.process.wait()
        if code != FORCED_CODE:
            end.problem = f"a second SIGTERM: code {code}"
    return end


def ends_of(plan, what, count, once):
    """Does `once` so many times. Returns: what each has seen, the quickest first."""
    ends, told = [], time.monotonic()
    several = ThreadPoolExecutor(AT_ONCE)
    try:
        for number, end in enumerate(several.map(lambda n: once(plan, n + 1), range(count)), 1):
            ends.append(end)
            if end.problem or end.lost or end.left_behind:
                say(f"  run {number}: {end}")
            if time.monotonic() - told > 5:
                told = time.monotonic()
                say(f"  {number} of {count} {what}")
    finally:
        several.shutdown(cancel_futures=True)
    return sorted(ends, key=lambda each: each.seconds)


def p99(ends):
    return ends[max(len(ends) * 99 // 100 - 1, 0)].seconds if len(ends) >= 100 else ends[-1].seconds


def shutdown(plan):
    """SIGTERM under load at random moments; the clients' logs against the service's books."""
    ends = ends_of(plan, "stops", plan.size(200, 5, 1000), stop_once)
    forced = ends_of(plan, "forced stops", plan.size(40, 3, 200), force_once)
    acknowledged = sum(each.acknowledged for each in ends)
    say(f"  {acknowledged} requests acknowledged; median {ends[len(ends) // 2].seconds:.3f} s, "
        f"longest {ends[-1].seconds:.3f} s")
    if not acknowledged:
        raise Broken("nothing was acknowledged: there was no load")
    plan.add("shutdown.p99", p99(ends), "s", 1)
    plan.add("shutdown.lost_acknowledged", sum(each.lost for each in ends), "", 0)
    plan.add("shutdown.not_in_order", sum(bool(each.problem) for each in ends), "", 0)
    plan.add("shutdown.left_behind", sum(each.left_behind for each in ends), "", 0)
    plan.add("shutdown.forced_p99", p99(forced) * 1000, "ms", 500)
    plan.add("shutdown.not_forced", sum(bool(each.problem) for each in forced), "", 0)


FIGURES = {"shutdown": shutdown}
