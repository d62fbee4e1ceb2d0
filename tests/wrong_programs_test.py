#!/usr/bin/env python3
"""Holds what the compiler must refuse: the programs of tests/*/wrong/, each compiled alone.

    tests/wrong_programs_test.py COMPILER FOLDER INCLUDE... -- precompile HEADER
    tests/wrong_programs_test.py COMPILER FOLDER INCLUDE... -- PROGRAM.cpp

A program says on top what its first line with an error must contain, for all compilers or for one:

    // error: text
    // clang: text
    // g++ before 12.3: text

That error comes first: before it there is nothing but where it comes from. And among the first
lines that name a place is one of the program itself: the compiler tells of a mistake in a header,
and the reader looks for his own line.

Where no such line is for the compiler, it must compile. With -DRIGHT it must compile in any case:
so nothing but the marked place can be what was refused. The header is compiled once, into FOLDER,
and not again for each program.
"""

import os
import pathlib
import re
import subprocess
import sys

FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
EXPECTATION = re.compile(r"^// (error|clang|g\+\+)(?: before ([\d.]+))?: (.+)$", re.MULTILINE)
LIMIT_S = 100
PLACE = re.compile(r"\S+:\d+:\d+: ")
# By layer: where the line of the program itself is at the latest, counting those with a place. What
# travels between nodes is looked at field by field, and each step is named.
LATEST = {"actor": 5, "node": 11}
# The line of clang's output that has the error, at the latest, and the programs for which that is
# looked at: one for each header that refuses something.
SOON = 3
SAMPLES = {"answer_is_a_reference", "ask_without_handler", "behavior_without_handler",
           "child_argument_is_not_copied", "task_awaited_as_an_lvalue", "string_view"}


def output_of(*command):
    """Returns: the exit code, and what was said."""
    english = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=english)
    return done.returncode, done.stderr + done.stdout


def numbers(version):
    return [int(number) for number in re.findall(r"\d+", version)]


def is_for(compiler, name, before):
    """Whether an expectation for this `name`, `before` this version, is meant for the compiler."""
    is_clang = "clang" in output_of(compiler, "--version")[1]
    if name != "error" and is_clang != (name == "clang"):
        return False
    version = output_of(compiler, "-dumpversion" if is_clang else "-dumpfullversion")[1]
    return not before or numbers(version) < numbers(before)


def problem_of(program, compiler, command):
    """What is wrong with a wrong program; None where it is refused as it should be."""
    code, output = output_of(*command, "-DRIGHT", program)
    if code:
        return f"is refused with -DRIGHT too:\n{output}"
    expectations = EXPECTATION.findall(pathlib.Path(program).read_text())
    if not expectations:
        return "does not say what is expected, as in `// error: text`"
    expected = [text for name, before, text in expectations if is_for(compiler, name, before)]
    code, output = output_of(*command, program)
    if not expected:
        return f"is refused:\n{output}" if code else None
    if not code:
        return f"is not refused; expected: {expected[0]}"
    places = [line for line in output.splitlines() if PLACE.match(line)]
    first = next((line for line in places if re.search(r": (?:error|warning|note): ", line)), "")
    if "error: " not in first or expected[0] not in first:
        return f"says first:\n{first}\nexpected: {expected[0]}"
    latest = LATEST[pathlib.Path(program).parts[-3]]
    if not any(line.startswith(f"{program}:") for line in places[:latest]):
        return f"is not named by the first {latest} lines with a place:\n" + "\n".join(places)
    return None


def late_error(program, command):
    """What is wrong with how soon clang comes to the error, the headers compiled with the program.
    g++ first tells each step of the way from the program's line."""
    lines = output_of(*command, program)[1].splitlines()
    if any("error:" in line for line in lines[:SOON]):
        return None
    return f"has no error within {SOON} lines:\n" + "\n".join(lines[:20])


def main():
    end = sys.argv.index("--")
    compiler, folder, *includes = sys.argv[1:end]
    what, *names = sys.argv[end + 1:]
    header = pathlib.Path(folder, "wrong.hpp")
    command = [compiler, *FLAGS, *(f"-I{include}" for include in includes)]
    if what == "precompile":
        header.write_text("".join(f"#include <{name}>\n" for name in names))
        # The one of these names that the compiler looks for when it is told the header.
        compiled = f"{header}.{'pch' if is_for(compiler, 'clang', '') else 'gch'}"
        code, output = output_of(*command, "-x", "c++-header", str(header), "-o", compiled)
        return output if code else 0
    command.append("-fsyntax-only")
    problem = problem_of(what, compiler, [*command, "-include", str(header)])
    if not problem and pathlib.Path(what).stem in SAMPLES and is_for(compiler, "clang", ""):
        problem = late_error(what, command)
    return f"{what} {problem}" if problem else 0


if __name__ == "__main__":
    sys.exit(main())
