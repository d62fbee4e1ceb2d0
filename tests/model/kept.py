"""What the models have run in all, over many runs: bench/results/model-schedules.json.

It counts for each model the schedules of its scenarios, numbered from 1 on, as long as the sources
that the model compiles stay as they are. Comments in them may change.
"""

import hashlib
import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WANTED = 100_000_000  # Schedules of each model.
COMMENT = re.compile(r"\s*//.*")


def digest(files, root=ROOT):
    """Returns: a hash of the files' text, without comments and empty lines, and of their names."""
    found = hashlib.sha256()
    for path in sorted(files):
        found.update(f"{path.relative_to(root)}\n".encode())
        for row in path.read_text(encoding="utf-8").splitlines():
            code = COMMENT.sub("", row).strip()
            if code:
                found.update(f"{code}\n".encode())
    return found.hexdigest()[:16]


def sources(build, name):
    """Returns: the files of this repository that the model was compiled from."""
    unit = f"tests/model/CMakeFiles/model_{name}.dir/{name}_model.cpp.o"
    told = subprocess.run(["ninja", "-C", build, "-t", "deps", unit], check=True, text=True,
                          capture_output=True).stdout
    paths = {(pathlib.Path(build) / row.strip()).resolve() for row in told.splitlines()
             if row.startswith("    ")}
    return [path for path in paths if path.is_relative_to(ROOT)]


class Kept:
    """The counts, for the sources of today: those of other sources are forgotten."""

    def __init__(self, path, hashes):
        """`hashes` are those of the present sources, by model."""
        self.path = path
        former = self.read()
        self.rows = {name: former[name] if former.get(name, {}).get("source") == source else
                     {"source": source, "schedules": {}, "violations": 0}
                     for name, source in hashes.items()}

    def read(self):
        return json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}

    def count(self, name, scenario):
        return self.rows[name]["schedules"].get(scenario, 0)

    def total(self, name):
        return sum(self.rows[name]["schedules"].values())

    def violations(self, name):
        return self.rows[name]["violations"]

    def add(self, name, scenario, schedules, violations):
        """Those that follow the ones that are counted already."""
        row = self.rows[name]
        row["schedules"][scenario] = self.count(name, scenario) + schedules
        row["violations"] += violations

    def write(self):
        """What is there of other models stays as it is."""
        everything = {**self.read(), **self.rows}
        rows = [f' "{name}": {json.dumps(row)}' for name, row in sorted(everything.items())
                if row["schedules"]]
        self.path.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")

    def verdict(self, name):
        """Returns: the line that says whether it is enough, and whether it is."""
        total, violations = self.total(name), self.violations(name)
        passes = total >= WANTED and not violations
        return (f"{'PASS' if passes else 'MISS'} model.{name}.schedules {total:,} in all, "
                f"{violations} violations gate {WANTED:,}"), passes
