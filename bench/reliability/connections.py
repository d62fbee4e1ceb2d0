"""Very many connections, most of them idle."""

import resource
import time

from common import Broken, Service, clients, say, wait_until

DESCRIPTORS = 20_000  # Of a process; clients and service are one each.
CONNECT_LIMIT_S = 120  # The system takes long to find the last free ports.


def connections(plan):
    """Connections that are held, each of them checked and closed at the end."""
    count, active = plan.size(19_000, 500), plan.size(5000, 100)
    seconds = plan.size(10, 1, 120)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < DESCRIPTORS:
        raise Broken(f"{DESCRIPTORS} descriptors are needed for each process: see ulimit -n")
    with Service(plan, "--serve", "--limit", count + 100, "--idle", 600,
                 descriptors=DESCRIPTORS) as service:
        own, before = service.descriptors(), service.resident_bytes()
        say(f"  connecting {count}")
        with clients(plan, service.port, "held", descriptors=DESCRIPTORS, count=count,
                     active=active, at_once=64, seconds=seconds, pause=1000) as holder:
            holder.ready(CONNECT_LIMIT_S)
            held = service.descriptors() - own
            say(f"  {held} stand, {active} of them active for {seconds} s")
            time.sleep(seconds / 2)
            each_bytes = (service.resident_bytes() - before) / max(held, 1)
            seen = holder.report()
        wait_until("all connections closed", 10, lambda: service.descriptors() <= own)
        leaked = service.descriptors() - own
        service.stop()
    say(f"  {seen}")
    if not seen["requests"]:
        raise Broken("no active connection was answered")
    plan.add("connections.held", held, "", count, at_least=True)
    plan.add("connections.wrong", seen["wrong"] + seen["unsound"], "", 0)
    plan.add("connections.leaked_descriptors", leaked, "", 0)
    plan.add("connections.bytes_each", each_bytes, "B", 16 * 1024)
    plan.add("connections.accepted_per_second", seen["per_second"], "/s", 2000,
             at_least=True)


FIGURES = {"connections": connections}
