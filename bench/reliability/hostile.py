"""Hostile peers beside good ones, and a service that has run out of descriptors."""

import contextlib
import signal
import socket
import time

from common import Broken, Service, good_p99, peers, say, wait_until


def hostile(plan):
    """Slow-loris, half-open and bad peers beside good ones."""
    count, idle_s, seconds = plan.size(1000, 60), plan.size(8, 2), plan.size(6, 1)
    with Service(plan, "--serve", "--idle", idle_s) as service:
        own = service.descriptors()
        say("  quiet")
        quiet = good_p99(plan, service.port, seconds)
        before = service.resident_bytes()
        say(f"  {count} slow-loris, {count} half-open")
        with contextlib.ExitStack() as stack:
            slow = stack.enter_context(peers(plan, service.port, "slow", count=count)).ready()
            bad = stack.enter_context(
                peers(plan, service.port, "bad", seconds=seconds, seed=plan.seed)).ready()
            silent = stack.enter_context(
                peers(plan, service.port, "silent", count=count, seconds=600))
            silent.ready().process.send_signal(signal.SIGSTOP)
            last_silent = time.monotonic()
            held = service.descriptors() - own
            per_peer = (service.resident_bytes() - before) / max(held, 1)
            beside = good_p99(plan, service.port, seconds)
            dripped = slow.report()
            behaved = bad.report()
            left_s = idle_s + 10 - (time.monotonic() - last_silent)
            wait_until("all half-open sockets gone", max(left_s, 0),
                       lambda: service.descriptors() <= own)
            gone_s = time.monotonic() - last_silent
        if behaved["wrong"] or behaved["broken"] or not behaved["connections"]:
            raise Broken(f"bad peers were not treated as they have to be: {behaved}")
        service.stop()
    plan.add("hostile.good_p99_ratio", beside / quiet, "x quiet", 3)
    plan.add("hostile.slow_loris_gone", dripped["latest_s"], "s", idle_s + 1)
    plan.add("hostile.half_open_gone", gone_s, "s", idle_s + 1)
    plan.add("hostile.bytes_per_peer", per_peer, "B", 32 * 1024)


def answers(port):
    """Whether a fresh connection is greeted."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as probe:
        probe.settimeout(1)
        return probe.recv(64).startswith(b"troupe service")
    return False


def descriptors(plan):
    """A service without descriptors: what it costs, and how soon it serves again."""
    measured_s = plan.size(5, 1)
    with Service(plan, "--serve", descriptors=64) as service:
        held = []
        while answers(service.port):
            held.append(socket.create_connection(("127.0.0.1", service.port)))
            held[-1].recv(64)
        say(f"  exhausted with {len(held)} connections")
        waiting = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(100)]
        cpu, begin = service.cpu_seconds(), time.monotonic()
        time.sleep(measured_s)
        busy = (service.cpu_seconds() - cpu) / (time.monotonic() - begin)
        for each in waiting + held:
            each.close()
        wait_until("the service has closed them", 10, lambda: service.descriptors() < 60)
        again_s = wait_until("serving again", 5, lambda: answers(service.port))
        service.stop()
    plan.add("descriptors.cpu_while_exhausted", busy * 100, "%", 5)
    plan.add("descriptors.serving_again", again_s * 1000, "ms", 200)


FIGURES = {"hostile": hostile, "descriptors": descriptors}
