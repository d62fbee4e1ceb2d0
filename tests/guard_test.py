#!/usr/bin/env python3
"""Holds how bench/guard/run.py reads profiles, counts, compares and updates.

    tests/guard_test.py
"""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest
from collections import Counter
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench" / "guard"))
sys.dont_write_bytecode = True

import run as guard  # noqa: E402
from run import Cost, Place  # noqa: E402

PROFILE = """\
version: 1
creator: callgrind-3.19.0
positions: instr line
events: Ir
ob=/program
fl=???
fn=push
0x10 0 5
0x14 12 5
cob=/libc.so.6
cfn=lock
calls=5 0x900 0
0x18 0 700
0x1c 0 5

fn=(below main)
0x40 0 1
ob=/libc.so.6
fl=mutex.c
fn=lock
0x10 7 90
0x10 8 10
totals: 116
"""

DISASSEMBLY = """\
0000000000001000 <lock>:
    1000:\tlock cmpxchg %rcx,(%rdi)
    1005:\txchg   %eax,(%rdi)
    1007:\txchg   %eax,0x2ee(%rip)        # 4010 <lock>
    100a:\txchg   %ax,%ax
    100c:\txchg   %rbx,%rax
    100e:\tcmpxchg %rcx,(%rdi)
    1011:\tcall   1000 <lock>
    1016:\tlock orl $0x0,-0x40(%rsp)
    101c:\txchg   %ecx,%fs:0x10
    1024:\txacquire lock incl (%rax)
    1028:\tmfence
    102b:\tjmp    1040 <unlock>
"""


def cost(instructions=100.0, locked=2.0):
    return Cost(instructions, locked)


class Reading(unittest.TestCase):
    def test_counts_what_a_function_runs_itself_and_not_its_callees(self):
        self.assertEqual(guard.executed(PROFILE), {
            Place("/program", "push", 0x10): 5,
            Place("/program", "push", 0x14): 5,
            Place("/program", "push", 0x1c): 5,
            Place("/program", "(below main)", 0x40): 1,
            Place("/libc.so.6", "lock", 0x10): 100})

    def test_refuses_a_profile_without_instructions(self):
        with self.assertRaises(guard.Broken):
            guard.executed("version: 1\nfn=main\n")

    def test_knows_locked_instructions(self):
        found = guard.instructions_in(DISASSEMBLY)
        self.assertEqual(len(found), 12)
        self.assertEqual({address for address, is_locked in found.items() if is_locked},
                         {0x1000, 0x1005, 0x1007, 0x1016, 0x101c, 0x1024, 0x1028})

    def test_refuses_an_instruction_that_the_file_does_not_have(self):
        with mock.patch.object(guard, "instructions_of", lambda file: {1: True}):
            self.assertTrue(guard.is_locked(Place("/program", "turn", 1)))
            with self.assertRaises(guard.Broken):
                guard.is_locked(Place("/program", "turn", 2))


class Counting(unittest.TestCase):
    def test_leaves_out_what_does_not_grow_with_the_length(self):
        start, turn = Place("/program", "main", 1), Place("/program", "turn", 2)
        short = Counter({start: 1000, turn: 30})
        long = Counter({start: 1000, turn: 80})
        found = guard.cost_by_function(short, long, 10, lambda place: place.address < 3)
        self.assertEqual(found, {"turn": Cost(5, 5)})

    def test_tells_the_same_address_of_two_files_apart(self):
        long = Counter({Place("/program", "turn", 1): 10,
                                          Place("/libc.so.6", "free", 1): 20})
        found = guard.cost_by_function(Counter(), long, 10,
                                       lambda place: place.file == "/libc.so.6")
        self.assertEqual(found, {"turn": Cost(1, 0), "free": Cost(2, 2)})
        self.assertEqual(guard.total(found), Cost(3, 2))


class Comparing(unittest.TestCase):
    def test_fails_above_three_per_cent_more_instructions(self):
        self.assertEqual(guard.problems(cost(), cost(102.9)), [])
        self.assertEqual(guard.problems(cost(), cost(103.1)), ["more instructions"])

    def test_fails_with_more_locked_operations_however_few_instructions(self):
        self.assertEqual(guard.problems(cost(), cost(50, 2.01)), [])
        self.assertEqual(guard.problems(cost(), cost(50, 2.03)), ["more locked operations"])

    def test_fails_without_a_figure_to_compare_with(self):
        self.assertEqual(len(guard.problems(None, cost())), 1)

    def test_sees_an_improvement_of_either(self):
        self.assertFalse(guard.is_improved(cost(), cost(99.5)))
        self.assertTrue(guard.is_improved(cost(), cost(98.5)))
        self.assertTrue(guard.is_improved(cost(), cost(100, 1)))
        self.assertFalse(guard.is_improved(cost(), cost(104, 1)), "one is worse")


class Running(unittest.TestCase):
    """With what would be counted given: what is said, and what is written."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.baseline = pathlib.Path(folder.name, "baseline.json")
        guard.write_baseline(self.baseline, "clang 19", {"ask": cost(), "gone": cost()})

    def run_guard(self, counted, *words, compiler="clang 19"):
        def output_of(*command):
            return {("/guard",): " ".join(counted), ("/guard", "--compiler"): compiler}.get(
                command, "")

        def count_all(_, paths):
            return {path: {"a function": counted[path]} for path in paths}

        said = io.StringIO()
        command = ["run.py", "--program", "/guard", "--baseline", str(self.baseline), *words]
        with mock.patch.multiple(guard, output_of=output_of, count_all=count_all), \
                mock.patch("sys.argv", command), contextlib.redirect_stderr(said), \
                mock.patch("platform.machine", lambda: "x86_64"), contextlib.redirect_stdout(said):
            code = guard.main()
        return code, said.getvalue()

    def paths(self):
        return guard.read_baseline(self.baseline)[1]

    def test_passes_with_what_the_baseline_says(self):
        code, said = self.run_guard({"ask": cost()})
        self.assertEqual((code, said.splitlines()[-1]), (0, "1 passed, 0 failed"))
        self.assertNotIn("improved", said)

    def test_fails_and_names_the_path(self):
        code, said = self.run_guard({"ask": cost(100, 3), "new": cost()})
        self.assertEqual((code, said.splitlines()[-1]), (1, "0 passed, 2 failed"))
        self.assertIn("FAILED: ask: more locked operations;", said)
        self.assertIn("FAILED: new: it is not in the baseline;", said)
        self.assertEqual(self.paths()["ask"], cost(), "nobody asked for an update")

    def test_tells_how_to_keep_an_improvement(self):
        code, said = self.run_guard({"ask": cost(100, 1)})
        self.assertEqual((code, said.splitlines()[-1]), (0, "1 passed, 0 failed"))
        self.assertIn("./dev guard --update ask\n", said)

    def test_update_replaces_all_and_forgets_what_is_gone(self):
        code, said = self.run_guard({"ask": cost(200.04), "new": cost()}, "--update")
        self.assertEqual((code, said.splitlines()[-1]), (0, "2 passed, 0 failed"))
        self.assertEqual(self.paths(), {"ask": cost(200), "new": cost()})

    def test_update_of_one_path_keeps_the_others(self):
        self.run_guard({"ask": cost(200), "new": cost()}, "--update", "new")
        self.assertEqual(self.paths(), {"ask": cost(), "new": cost()})

    def test_update_repairs_a_baseline_that_cannot_be_read(self):
        self.baseline.write_text("<<<<<<< one side\n")
        self.assertEqual(self.run_guard({"ask": cost()})[0], 1)
        self.assertEqual(self.run_guard({"ask": cost()}, "--update", "ask")[0], 1)
        self.assertEqual(self.run_guard({"ask": cost()}, "--update")[0], 0)
        self.assertEqual(self.paths(), {"ask": cost()})

    def test_mixes_no_compilers(self):
        _, said = self.run_guard({"ask": cost()}, compiler="clang 20")
        self.assertIn("made by clang 19, this by clang 20", said)
        code, _ = self.run_guard({"ask": cost(1)}, "--update", "ask", compiler="clang 20")
        self.assertEqual((code, self.paths()["ask"]), (2, cost()))

    def test_refuses_a_path_that_there_is_not(self):
        code, said = self.run_guard({"ask": cost()}, "aks")
        self.assertEqual(code, 2)
        self.assertIn("there are: ask", said)


if __name__ == "__main__":
    unittest.main()
