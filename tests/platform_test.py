#!/usr/bin/env python3
"""Holds what a platform that is not supported says first, and that the version is one.

    tests/platform_test.py COMPILER VERSION

VERSION is what CMake takes for the version of the project.
"""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r"^#include <((?:troupe|actors)/[^>]+)>", re.MULTILINE)
REFUSED = {
    ("-U__linux__",): "troupe works on Linux only",
    ("-U__x86_64__", "-U__aarch64__"): "troupe works on x86-64 and arm64 only",
    ("-U__LP64__",): "troupe works on x86-64 and arm64 only",
    ("-std=c++17",): "troupe needs C++20",
    ("-fno-exceptions",): "troupe needs exceptions",
    ("-fno-rtti",): "troupe needs RTTI",
}
TEXT = ("#include <troupe/version.hpp>\n"
        "static_assert(TROUPE_VERSION == {number});\n"
        "constexpr char expected[] = \"{version}\";\n"
        "static_assert(__builtin_strcmp(troupe::version_string, expected) == 0);\n")


def compiled(compiler, flags, text):
    """Returns: what the compiler says."""
    command = [compiler, "-std=c++20", "-Wall", "-Wextra", f"-I{ROOT / 'framework'}",
               "-fsyntax-only", "-x", "c++", *flags, "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=50,
                          env=os.environ | {"LC_ALL": "C"}).stderr


def lost_headers():
    """The headers that do not lead to version.hpp."""
    headers = {f"{folder}{path.relative_to(ROOT / root).as_posix()}": path
               for root, folder in (("framework", ""), ("actors", "actors/"))
               for path in (ROOT / root).rglob("*.hpp")}
    leads = {"troupe/version.hpp"}
    while True:
        more = {name for name, path in headers.items()
                if name not in leads and leads & set(INCLUDE.findall(path.read_text()))}
        if not more:
            return sorted(set(headers) - leads)
        leads |= more


def main():
    compiler, version = sys.argv[1:]
    wrong = [f"{name} does not include troupe/version.hpp" for name in lost_headers()]
    major, minor, patch = map(int, version.split("."))
    text = TEXT.format(version=version, number=major * 10000 + minor * 100 + patch)
    if said := compiled(compiler, [], text):
        wrong.append(f"version {version}:\n{said}")
    for flags, expected in REFUSED.items():
        said = compiled(compiler, flags, text)
        first = next((line for line in said.splitlines() if "error" in line), "no error")
        if expected not in first:
            wrong.append(f"{' '.join(flags)}: {first}\nexpected: {expected}")
    return "\n".join(wrong)


if __name__ == "__main__":
    sys.exit(main() or 0)
