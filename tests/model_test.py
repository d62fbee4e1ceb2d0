#!/usr/bin/env python3
"""Holds how the schedules of the models are counted over several runs.

    tests/model_test.py
"""

import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "model"))
sys.dont_write_bytecode = True

from kept import WANTED, Kept, digest  # noqa: E402


class Counting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "schedules.json"

    def kept(self, source="a"):
        return Kept(self.path, {"queue": source})

    def test_runs_add_up(self):
        for _ in range(2):
            kept = self.kept()
            kept.add("queue", "pushes", 10, 0)
            kept.add("queue", "pops", 5, 0)
            kept.write()
        self.assertEqual(self.kept().count("queue", "pushes"), 20)
        self.assertEqual(self.kept().total("queue"), 30)

    def test_schedules_of_other_sources_do_not_count(self):
        kept = self.kept()
        kept.add("queue", "pushes", WANTED, 1)
        kept.write()
        self.assertEqual(self.kept("b").total("queue"), 0)
        self.assertEqual(self.kept("b").violations("queue"), 0)

    def test_what_other_models_have_run_stays(self):
        self.path.write_text(json.dumps(
            {"slot": {"source": "c", "schedules": {"theft": 7}, "violations": 0}}))
        kept = self.kept()
        kept.add("queue", "pushes", 1, 0)
        kept.write()
        self.assertEqual(Kept(self.path, {"slot": "c"}).total("slot"), 7)

    def test_it_takes_enough_schedules_and_no_violation(self):
        kept = self.kept()
        kept.add("queue", "pushes", WANTED - 1, 0)
        self.assertFalse(kept.verdict("queue")[1])
        kept.add("queue", "pushes", 1, 0)
        self.assertTrue(kept.verdict("queue")[1])
        kept.add("queue", "pushes", 1, 1)
        self.assertFalse(kept.verdict("queue")[1])


class Digest(unittest.TestCase):
    def test_code_counts_and_comments_do_not(self):
        found = []
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for text in ("int a;\n", "// Why.\n\nint a;  // <- push\n", "int b;\n"):
                (root / "one.hpp").write_text(text, encoding="utf-8")
                found.append(digest([root / "one.hpp"], root))
        self.assertEqual(found[0], found[1])
        self.assertNotEqual(found[0], found[2])


if __name__ == "__main__":
    unittest.main()
