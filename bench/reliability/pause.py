"""The service stands still for a while, as a process that was stopped or a machine that slept."""

import random
import signal
import time

from common import Broken, Service, accounts_in, clients, say
from hostile import answers

# A missed tick is made up for once, and one more may be due in its turn.
MOST_TICKS = 2
TICK_WINDOW_S = 0.5


def pause(plan):
    """SIGSTOP under load: what comes after it, and whether each request has one answer."""
    dice = random.Random(plan.seed)
    lengths_s = plan.size([1, 3, 10, 30], [1], list(range(1, 31)))
    most_ticks, serving_again_s, told = 0, 0, []
    with Service(plan, "--serve", "--accounts", "--each-second", "--idle", 120) as service:
        with clients(plan, service.port, "booked", count=plan.size(64, 16), at_once=4, pause=2,
                     seed=plan.seed) as crowd:
            crowd.ready()
            for length_s in lengths_s:
                time.sleep(dice.uniform(1, 2))
                say(f"  pause of {length_s} s")
                service.process.send_signal(signal.SIGSTOP)
                time.sleep(length_s)
                told += service.arrived()
                service.process.send_signal(signal.SIGCONT)
                begin = time.monotonic()
                if not answers(service.port):
                    raise Broken(f"no greeting within a second after a pause of {length_s} s")
                serving_again_s = max(serving_again_s, time.monotonic() - begin)
                time.sleep(max(begin + TICK_WINDOW_S - time.monotonic(), 0))
                after = service.arrived()
                most_ticks = max(most_ticks, sum(" s: " in text for _, text in after))
                told += after
            time.sleep(1)
            crowd.process.send_signal(signal.SIGTERM)
            log = crowd.report(60)
        accounts = accounts_in([text for _, text in told] + service.stop())
    failed = sum(failed for *_, failed in log["accounts"])
    answered = sum(answered for _, answered, _, _ in log["accounts"])
    say(f"  {answered} answered, {failed} round trips that took too long, "
        f"{log['broken']} broken off")
    # All have ended in order: both sides have to agree to the byte.
    differ = sum(accounts.get(number) != (sent, answered)
                 for number, answered, sent, _ in log["accounts"])
    if log["wrong"]:
        say(f"  {log['first_wrong']}")
    plan.add("pause.ticks_at_once", most_ticks, "", MOST_TICKS)
    plan.add("pause.serving_again", serving_again_s * 1000, "ms", 200)
    plan.add("pause.wrong_answers", log["wrong"], "", 0)
    plan.add("pause.broken_connections", log["broken"], "", 0)
    plan.add("pause.books_that_differ", differ, "", 0)


FIGURES = {"pause": pause}
