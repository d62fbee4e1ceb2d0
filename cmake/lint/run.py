"""Runs a clang-query script over our sources, with the flags of a build folder, in parallel.

Prints each match once and exits with 1 if there is any, or if a file cannot be parsed.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("framework", "actors", "samples", "tests")
KEYWORD = re.compile(r"\bco_(await|yield|return)\b")
MATCH = re.compile(r'^(.+:\d+:\d+): note: "([^"]+)" binds here', re.MULTILINE)


def flags_of(command):
    """The flags of one entry that matter to a parser: no output, warnings or precompiled header."""
    words, flags, skip = shlex.split(command)[1:], [], 0
    for index, word in enumerate(words):
        if skip:
            skip -= 1
        elif word in ("-o", "-c", "-MT", "-MF", "-x"):
            skip = 1
        elif word == "-Xclang":
            # -include-pch FILE goes; -include FILE stays. Only after -Xclang is it taken as text.
            skip = 3 if words[index + 1] in ("-include", "-include-pch") else 1
            if words[index + 1] == "-include":
                flags += words[index:index + 4]
        elif not word.startswith(("-W", "-M", "-g", "-O")):
            flags.append(word)
    return flags + ["-w", "-Wno-pragma-once-outside-header"]


def units(build):
    """Yields (file, flags) of each source and header of ours that has a coroutine in it."""
    with open(build / "compile_commands.json", encoding="utf-8") as file:
        entries = {entry["file"]: flags_of(entry["command"]) for entry in json.load(file)}
    if not entries:
        sys.exit(f"{build}: no compile commands")
    fallback = next(iter(entries.values()))
    for folder in FOLDERS:
        known = [flags for name, flags in entries.items() if name.startswith(f"{ROOT / folder}/")]
        for path in sorted((ROOT / folder).rglob("*.[ch]pp")):
            if "wrong" in path.parts:
                continue  # not to be parsed, see tests/wrong_programs_test.py
            if KEYWORD.search(path.read_text(encoding="utf-8")):
                flags = entries.get(str(path), known[0] if known else fallback)
                yield path, ["-x", "c++", *flags]


def lint(query, path, flags):
    run = subprocess.run(["clang-query-19", "-f", query, str(path), "--", *flags],
                         capture_output=True, text=True)
    output = run.stdout + run.stderr
    helpers = ("root", "here")  # "here" is only the function that a rule looks at.
    matches = [f"{place}: {what}" for place, what in MATCH.findall(output) if what not in helpers]
    roots = [f"{place}: match" for place, what in MATCH.findall(output) if what == "root"]
    counted = sum(int(n) for n in re.findall(r"^(\d+) match(?:es)?\.$", output, re.MULTILINE))
    found = sorted(set(matches or roots))
    if " error: " in output or "Error while" in output or run.returncode != 0:
        found.append(f"{path}: cannot be parsed\n{output}")
    elif counted and not found:
        found.append(f"{path}: {counted} matches\n{output}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("query")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    options = parser.parse_args()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(lint, options.query, path, flags)
                for path, flags in units(options.build)]
        found = [line for job in jobs for line in job.result()]
    for line in found:
        print(line.replace(f"{ROOT}/", ""))
    print(f"{len(jobs)} files with coroutines, {len(found)} findings")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
