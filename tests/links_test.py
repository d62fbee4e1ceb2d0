#!/usr/bin/env python3
"""Holds that every link between the pages and files of this repository leads somewhere.

    tests/links_test.py [--root DIR]     check each relative link and #anchor of all Markdown files
    tests/links_test.py --self-test      check the checker against planted links

Needs no network: addresses of other hosts are for the rule `words` of tidy_test.py. Prints one line
for each broken link, and exits with 1 if there is any.
"""

import argparse
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "site"))

import pages  # noqa: E402  (found by the path above)


def problem_of(page, target, root, text):
    """What is wrong with a link of a page, or None."""
    if pages.is_external(target):
        return None
    name, _, anchor = target.partition("#")
    if name.startswith("/"):
        return "write it relative to the page"
    path = (page.parent / name).resolve() if name else page
    if not path.is_relative_to(root):
        return "leads out of the repository"
    if not path.exists():
        return "no such file"
    if not anchor:
        return None if name or target == "#" else "an empty link"
    if path.suffix == ".md":
        known = pages.anchors(text if path == page else path.read_text(encoding="utf-8"))
        return None if anchor in known else f"no such heading: #{anchor}"
    lines = re.fullmatch(r"L(\d+)(?:-L(\d+))?", anchor)
    if path.is_dir() or not lines:
        return f"only pages have such anchors: #{anchor}"
    count = len(path.read_text(encoding="utf-8").splitlines())
    return None if int(lines[2] or lines[1]) <= count else f"it has {count} lines only"


def check(root):
    """Returns the findings, and how many links there are."""
    root = root.resolve()
    found, count = [], 0
    for page in pages.all_pages(root):
        text = page.read_text(encoding="utf-8")
        for start, _, target in pages.links(text):
            count += 1
            if problem := problem_of(page, target, root, text):
                line = text.count("\n", 0, start) + 1
                found.append(f"{page.relative_to(root).as_posix()}:{line}: {target}: {problem}")
    return found, count


# ---- the checker against planted links ---------------------------------------------------------

OTHER = "# Other `page_of`\n\n## Twice, *told*\n\n## Twice, told\n\n```\n## No heading\n```\n"
RIGHT = """# Page
[a](other.md) [b](other.md#other-page_of) [c](#page) [d](other.md#twice-told-1) [e](../src)
![chart](../src/a.svg) [`f[0](x)`](../src/a.hpp#L2) [g](https://example.com/none) [h][ref]
`[i](code.md)` <!-- [j](comment.md) -->

    [k](indented.md)

- item

    [l](other.md "with a title")

[ref]: other.md#twice-told
"""
PLANTED = [  # text, what the finding says
    ("[a](none.md)\n", "page.md:1: none.md: no such file"),
    ("\n![a](../src/none.svg)\n", "page.md:2: ../src/none.svg: no such file"),
    ("[a](other.md#none)\n", "no such heading"),
    ("[a](other.md#no-heading)\n", "no such heading"),
    ("[a](other.md#twice-told-2)\n", "no such heading"),
    ("[a](#none)\n", "no such heading"),
    ("[a](../../out.md)\n", "leads out"),
    ("[a](/docs/other.md)\n", "relative"),
    ("[a](../src/a.hpp#L3)\n", "2 lines only"),
    ("[a](../src/a.hpp#name)\n", "only pages"),
    ("[a]()\n", "empty link"),
    ("- item\n\n    [a](none.md)\n", "page.md:3: none.md"),
    ("[a][b]\n\n[b]: none.md\n", "page.md:3: none.md"),
    ("```\ncode\n```\n[a](none.md)\n", "page.md:4: none.md"),
    ("[`a`](none.md) and `b`\n", "page.md:1: none.md"),
]


def findings_of(text):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "troupe")
        files = {"docs/page.md": text, "docs/other.md": OTHER, "src/a.svg": "<svg/>",
                 "src/a.hpp": "int a;\nint b;\n", "build/a.md": "[a](none.md)"}
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return check(root)[0]


def self_test():
    """Returns what is wrong with the checker."""
    wrong = [f"false alarm: {finding}" for finding in findings_of(RIGHT)]
    for text, expected in PLANTED:
        found = findings_of(text)
        if len(found) != 1 or expected not in found[0]:
            wrong.append(f"'{expected}' not found in {text!r}; found {found}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        found = self_test()
        print(*found, f"{len(PLANTED)} planted links, {len(found)} wrong", sep="\n")
    else:
        found, count = check(options.root)
        print(*found, f"{count} links, {len(found)} broken", sep="\n")
        if count == 0:
            found.append("no links at all: nothing was checked")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
