#!/usr/bin/env python3
"""Holds how the reliability figures judge what was seen.

    tests/reliability_test.py
"""

import contextlib
import io
import pathlib
import random
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench" / "reliability"))
sys.dont_write_bytecode = True

from clock import strayed_ticks  # noqa: E402
from common import Broken, Figure, Plan, Program, Service, accounts_in  # noqa: E402
from shutdown import End, lost_of, p99  # noqa: E402
from soak import growth  # noqa: E402


def quietly(what, *arguments):
    with contextlib.redirect_stderr(io.StringIO()):
        return what(*arguments)


class Growth(unittest.TestCase):
    def test_a_steady_rise_is_told_in_per_cent_of_the_mean(self):
        self.assertAlmostEqual(quietly(growth, [1000 + i for i in range(200)]), 200 / 10.995, 1)

    def test_noise_is_no_growth(self):
        for seed in range(20):
            dice = random.Random(seed)
            values = [1000 + dice.choice([-50, 50]) for _ in range(300)]
            self.assertLess(quietly(growth, values), 5)

    def test_a_few_values_far_out_hide_no_growth(self):
        values = [1000 + i for i in range(200)]
        values[7] = 10_000_000
        self.assertAlmostEqual(quietly(growth, values), 18.2, 0)

    def test_a_fall_or_nothing_at_all_is_no_growth(self):
        self.assertEqual(quietly(growth, [1000 - i for i in range(200)]), 0)
        self.assertEqual(quietly(growth, [7] * 10), 0)


class Ticks(unittest.TestCase):
    def test_ticks_in_time_are_neither_strayed_nor_lost(self):
        self.assertEqual(strayed_ticks([(100 + i + i % 3 / 100, i) for i in range(1, 30)]), (0, 0))

    def test_a_tick_is_early_late_or_lost(self):
        ticks = [(100.0 + i, i) for i in range(1, 30)]
        ticks[3] = (103.9, 4)
        ticks[9] = (110.7, 10)
        del ticks[20:22]
        self.assertEqual(strayed_ticks(ticks), (2, 2))


class Books(unittest.TestCase):
    LINES = ["  1 s: 2 connections, 3 bytes/s", "account: connection=1 counted=40 answered=4",
             "account: connection=2 counted=0 answered=0", "balance: sent=40 ok"]

    def test_accounts_are_found_among_other_lines(self):
        self.assertEqual(accounts_in(self.LINES), {1: (40, 4), 2: (0, 0)})

    def test_lost_is_what_a_client_was_answered_and_the_books_do_not_have(self):
        accounts = accounts_in(self.LINES)
        for log, lost in (([1, 4, 40, 0], 0), ([1, 3, 30, 0], 0), ([1, 5, 40, 0], 1),
                          ([1, 4, 41, 0], 1), ([3, 1, 6, 0], 1), ([3, 0, 0, 0], 0)):
            self.assertEqual(lost_of({"accounts": [log]}, accounts), lost, log)

    def test_of_few_runs_the_slowest_counts_and_of_many_99_in_100(self):
        ends = [End(float(i)) for i in range(1, 201)]
        self.assertEqual(p99(ends[:5]), 5)
        self.assertEqual(p99(ends), 198)


class Programs(unittest.TestCase):
    def test_a_line_that_does_not_come_in_time_breaks_the_run(self):
        with Program(["sh", "-c", "echo one; sleep 60"]) as program:
            self.assertEqual(program.line(), "one")
            with self.assertRaisesRegex(Broken, "no line for 0.05 s"):
                program.line(0.05)
            self.assertFalse(program.has_ended(0.05))

    def test_the_end_of_a_program_is_no_line(self):
        with Program(["sh", "-c", "echo one; echo two"]) as program:
            self.assertTrue(program.has_ended(20))
            self.assertEqual(program.rest(), ["one", "two"])
        with Program(["true"]) as program:
            with self.assertRaisesRegex(Broken, "ended without a line"):
                program.line()

    def test_a_service_that_does_not_start_is_not_left_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "samples" / "service"
            program.parent.mkdir()
            program.write_text(f"#!/bin/sh\necho $$ >{folder}/pid\necho nowhere\nsleep 60\n")
            program.chmod(0o755)
            with self.assertRaisesRegex(Broken, "did not say where it listens"):
                Service(Plan(pathlib.Path(folder), 1, "short"), "--serve")
            pid = (pathlib.Path(folder) / "pid").read_text().strip()
            self.assertFalse(pathlib.Path("/proc", pid).exists())

    def test_descriptors_are_limited(self):
        with Program(["sh", "-c", "ulimit -n"], descriptors=77) as program:
            self.assertEqual(program.line(), "77")


class Figures(unittest.TestCase):
    def test_a_figure_passes_up_to_its_gate_or_from_it_on(self):
        self.assertEqual(str(Figure("a", 2, "s", 2)), "PASS a 2 s (gate <= 2)")
        self.assertEqual(str(Figure("a", 2.5, "", 2)), "MISS a 2.5 (gate <= 2)")
        self.assertEqual(str(Figure("a", 19000, "", 19001, True)), "MISS a 19000 (gate >= 19001)")

    def test_a_long_run_without_a_size_of_its_own_has_the_usual_one(self):
        sizes = [Plan(ROOT, 1, effort).size(2, 1) for effort in ("short", "usual", "long")]
        self.assertEqual(sizes, [1, 2, 2])
        self.assertEqual(Plan(ROOT, 1, "long").size(2, 1, 3), 3)


if __name__ == "__main__":
    unittest.main()
