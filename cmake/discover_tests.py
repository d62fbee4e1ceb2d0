"""Writes the ctest file of one Boost.Test program: one ctest test for each test case.

Names are PREFIX.SUITE/CASE. A case carries its own Boost labels and those of its suites; one
without any gets the label "unit". Cases labelled "timing" run alone.
"""

import argparse
import re
import subprocess
import sys

# Our child processes and signals are part of the tests: Boost.Test must not take them for failures.
RUN_OPTIONS = ["--catch_system_errors=no", "--color_output=no", "--report_level=no"]

NODE = re.compile(r'^(tu\d+)\[.*color=(\w+),label="(.*)"\];$')
EDGE = re.compile(r"^(tu\d+) -> (tu\d+);$")


def parse(dot):
    """Yields (path, labels, enabled) of each test case in the output of --list_content=DOT."""
    nodes, parent, order = {}, {}, []
    for line in dot.splitlines():
        if node := NODE.match(line):
            name, _, rest = node[3].partition("|")
            labels = re.search(r"\|labels:(.*)$", "|" + rest)
            own = [word.lstrip("@") for word in labels[1].split()] if labels else []
            nodes[node[1]] = (name, own, node[2] == "green")
            order.append(node[1])
        elif edge := EDGE.match(line):
            parent[edge[2]] = edge[1]
    suites = set(parent.values())
    for unit in order:
        if unit in suites or unit not in parent:
            continue
        names, labels, enabled = [], [], True
        while unit in parent:  # the root is the program itself
            name, own, on = nodes[unit]
            names.insert(0, name)
            labels += [label for label in own if label not in labels]
            enabled = enabled and on
            unit = parent[unit]
        yield "/".join(names), labels, enabled


def quoted(text):
    return f"[==[{text}]==]"


def listing(program, prefix, timeout, environment, cases):
    lines = []
    for path, labels, enabled in cases:
        name = quoted(f"{prefix}.{path}")
        command = [program, f"--run_test={path}", *RUN_OPTIONS]
        lines.append(f"add_test({name} {' '.join(quoted(word) for word in command)})")
        properties = ["TIMEOUT", str(timeout), "LABELS", quoted(";".join(labels or ["unit"]))]
        if "timing" in labels:
            properties += ["RUN_SERIAL", "TRUE"]
        if environment:
            properties += ["ENVIRONMENT", quoted(";".join(environment))]
        if not enabled:
            properties += ["DISABLED", "TRUE"]
        lines.append(f"set_tests_properties({name} PROPERTIES {' '.join(properties)})")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--timeout", type=int, required=True, help="seconds for each case")
    parser.add_argument("--output", required=True)
    parser.add_argument("--environment", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()

    try:
        run = subprocess.run([options.program, "--list_content=DOT"], capture_output=True,
                             text=True, timeout=options.timeout)
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.exit(f"{options.program}: cannot list its test cases: {error}")
    cases = list(parse(run.stderr))
    if run.returncode != 0 or not cases:
        sys.exit(f"{options.program}: cannot list its test cases (exit code {run.returncode}, "
                 f"{len(cases)} cases)\n{run.stdout}{run.stderr}")
    with open(options.output, "w", encoding="utf-8") as file:
        file.write(listing(options.program, options.prefix, options.timeout, options.environment,
                           cases))


if __name__ == "__main__":
    main()
