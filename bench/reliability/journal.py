"""SIGKILL to the key-value server while it writes its journal, again and again."""

import contextlib
import random
import re
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path

from common import START_LIMIT_S, Broken, Program, say

WRITERS = 8
AT_ONCE = 4  # Requests that a writer has under way.


class Server(Program):
    def __init__(self, plan, journal):
        super().__init__([plan.build / "samples/keyval", "--workers", 2, "--shards", 2,
                          "--journal", journal])
        try:
            self.replayed = self.line(START_LIMIT_S)
            self.port = int(re.fullmatch(r"listening on .*:(\d+)", self.line(START_LIMIT_S))[1])
        except (Broken, TypeError):
            self.end()  # There is no block yet that would do it.
            raise


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=START_LIMIT_S)
        self.answers = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answers.close()
        self.socket.close()

    def send(self, *requests):
        self.socket.sendall("".join(f"{each}\r\n" for each in requests).encode())

    def answer(self):
        line = self.answers.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server has gone")
        if line[:1] == b"-":
            raise Broken(f"an error as the answer: {line}")
        size = int(line[1:]) if line[:1] in b"$*:" else 0
        if line[:1] == b"$":
            return self.answers.read(size + 2)[:-2] if size >= 0 else None
        if line[:1] == b"*":
            return [self.answer() for _ in range(size)]
        return size


class Writer:
    """Sets a key to 1, 2, 3, ..., and adds the same numbers to a list."""

    def __init__(self, number):
        self.key = f"writer{number}"
        self.first = self.acknowledged = self.begun = 0
        self.all_acknowledged = 0

    def check(self, by):
        """Returns: how many acknowledged writes are lost; what nobody wrote counts, too."""
        by.send(f"GET {self.key}", f"LRANGE {self.key}:all 0 -1", f"DEL {self.key}:all")
        stored, listed = int(by.answer() or 0), [int(each) for each in by.answer()]
        by.answer()
        lost = max(self.acknowledged - stored, 0) + max(stored - self.begun, 0)
        wanted = range(self.first + 1, self.acknowledged + 1)
        lost += len(set(wanted) - set(listed))
        lost += listed != list(range(self.first + 1, self.first + len(listed) + 1))
        self.first = self.acknowledged = self.begun = stored
        return lost

    def run(self, port):
        with contextlib.suppress(ConnectionError, TimeoutError), Client(port) as to:
            while True:
                numbers = range(self.begun + 1, self.begun + AT_ONCE + 1)
                self.begun += AT_ONCE
                to.send(*(f"SET {self.key} {each}\r\nRPUSH {self.key}:all {each}"
                          for each in numbers))
                for each in numbers:
                    to.answer()
                    to.answer()
                    self.acknowledged = each
                    self.all_acknowledged += 1


def kill_once(plan, journal, writers, dice):
    """Returns: the acknowledged writes that the kill before has lost."""
    with Server(plan, journal) as server:
        with Client(server.port) as by:
            lost = sum(each.check(by) for each in writers)
        threads = [threading.Thread(target=each.run, args=(server.port,)) for each in writers]
        for each in threads:
            each.start()
        time.sleep(dice.uniform(0.02, 0.3))
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        for each in threads:
            each.join()
    return lost, server.replayed


def journal(plan):
    """The key-value server is killed while clients write; what was acknowledged has to be there."""
    kills, dice = plan.size(100, 5, 1000), random.Random(plan.seed)
    writers, lost, torn = [Writer(number) for number in range(WRITERS)], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        for number in range(1, kills + 1):
            lost_now, replayed = kill_once(plan, path, writers, dice)
            lost += lost_now
            torn += "cut off" in replayed
            if lost_now or number % 20 == 0:
                say(f"  kill {number} of {kills}: {lost} lost; {replayed}")
        with Server(plan, path) as server, Client(server.port) as by:
            lost += sum(each.check(by) for each in writers)
    acknowledged = sum(each.all_acknowledged for each in writers)
    say(f"  {acknowledged} writes acknowledged in {kills} runs; {torn} tails were torn")
    if acknowledged < kills:
        raise Broken("hardly anything was acknowledged: there was no load")
    plan.add("journal.lost_acknowledged", lost, "", 0)


FIGURES = {"journal": journal}
