#!/usr/bin/env python3
"""Does what README.md and the guide say: runs every shell block of both in a fresh clone, in order.

    ./dev test walk [--keep] [PAGE...]
    tests/walk.py --list [PAGE...]

What is walked is what is committed. A block is marked ```sh and runs by itself, in the clone's top
folder; one that fails ends the walk through its page. A block marked ```sh background is a server:
the walk goes on when it says that it is listening, and ends it by Ctrl-C at the page's next
heading.
Without PAGEs all are walked; with --keep the clone is left, and its place told. --list only tells
what there is to walk. The last line is `N passed, N failed`, with what blocks say so of themselves.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUIDE = pathlib.Path("docs/guide/README.md")
FENCE = re.compile(r"^```(.*)$")
LINK = re.compile(r"\]\(([\w-]+\.md)\)")
READY = re.compile(rb"\blistening\b")
BLOCK_LIMIT_S = 1800
END_LIMIT_S = 20
PROGRESS = re.compile(r"^\[\d+/\d+\] |^\d+/\d+ .* Passed ")
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed$")


@dataclasses.dataclass
class Block:
    page: pathlib.Path
    line: int
    section: int  # Counts the headings before it.
    is_server: bool
    text: str

    def __str__(self):
        first = self.text.splitlines()[0]
        more = " ..." if "\n" in self.text.strip() else ""
        return f"{self.page}:{self.line}  {first}{more}"


def blocks_of(page):
    """Returns: the page's shell blocks. Errors: ValueError for a mark that nobody understands."""
    found, section, info, lines = [], 0, None, []
    for number, row in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1):
        fence = FENCE.match(row)
        if info is None and not fence:
            section += row.startswith("#")
        elif info is None:
            info, lines, start = fence[1].split(), [], number + 1
            if info[:1] in (["bash"], ["shell"], ["console"]):
                raise ValueError(f"{page}:{number}: a shell block is marked sh, not {info[0]}")
        elif not fence:
            lines.append(row)
        else:
            if info[:1] == ["sh"]:
                if info[1:] not in ([], ["background"]):
                    raise ValueError(f"{page}:{start - 1}: unknown mark: {' '.join(info)}")
                found.append(Block(page, start, section, len(info) > 1, "\n".join(lines)))
            info = None
    return found


def pages():
    """Returns: README.md, and the guide's chapters in the order of its index."""
    chapters = LINK.findall((ROOT / GUIDE).read_text(encoding="utf-8"))
    return [pathlib.Path("README.md"), GUIDE, *(GUIDE.parent / name for name in chapters)]


class Server:
    """A block that goes on until it is asked to end."""

    def __init__(self, block, folder, log):
        self.block = block
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", f"exec {block.text}"], cwd=folder, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True)

    def is_up(self):
        """Waits until it listens. Returns: false when it has ended, or takes too long."""
        end = time.monotonic() + BLOCK_LIMIT_S
        while time.monotonic() < end:
            if READY.search(self.log.read_bytes()):
                return True
            try:
                self.process.wait(0.2)
                return False
            except subprocess.TimeoutExpired:
                continue
        return False

    def ends(self):
        """Asks it to. Returns: whether it does, gracefully."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            return self.process.wait(END_LIMIT_S) == 0
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            return False


def run(block, folder, log):
    """Returns: whether the block has ended well."""
    with log.open("wb") as out:
        process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", block.text], cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                   start_new_session=True)
    try:
        return process.wait(BLOCK_LIMIT_S) == 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False


def git(*words):
    # Whoever owns the files: they are only read.
    trusting = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*"}
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False,
                          env=os.environ | trusting)


def clone(to):
    """What is committed; where there is no repository, the files that are there."""
    if git("clone", "-q", str(ROOT), str(to)).returncode == 0:
        if git("status", "--porcelain").stdout:
            print("what is not committed is not walked", flush=True)
        return
    print("this is no git repository: its files are copied", flush=True)
    shutil.copytree(ROOT, to, symlinks=True,
                    ignore=shutil.ignore_patterns("build", ".cache", ".git", "__pycache__"))


class Walk:
    def __init__(self, folder, logs):
        self.folder = folder
        self.logs = logs
        self.passed = self.failed = self.blocks = 0

    def tell(self, block, is_well, start, log):
        said = log.read_text(encoding="utf-8", errors="replace").splitlines()
        counts = COUNTS.match(said[-1]) if said else None
        self.passed += int(counts[1]) if counts else is_well
        self.failed += max(int(counts[2]), not is_well) if counts else not is_well
        print(f"{'ok    ' if is_well else 'FAILED'} {time.monotonic() - start:6.1f} s  {block}",
              flush=True)
        if not is_well:
            print("\n".join(row for row in said if not PROGRESS.match(row)), flush=True)
        return is_well

    def page(self, page):
        server = None
        for block in blocks_of(page):
            start = time.monotonic()
            self.blocks += 1
            log = self.logs / f"{self.blocks}.log"
            if server and server.block.section != block.section:
                server = self.end(server)
            if not block.is_server:
                is_well = run(block, self.folder, log)
            else:
                server = server and self.end(server)
                server = Server(block, self.folder, log)
                is_well = server.is_up()
            if not self.tell(block, is_well, start, log):
                break
        if server:
            self.end(server)

    def end(self, server):
        start = time.monotonic()
        if not server.ends():
            self.tell(server.block, False, start, server.log)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("pages", nargs="*", type=pathlib.Path, metavar="PAGE")
    chosen = parser.parse_args()
    walked = chosen.pages or pages()
    if chosen.list:
        for page in walked:
            for block in blocks_of(page):
                print(block)
        return 0
    place = pathlib.Path(tempfile.mkdtemp(prefix="troupe-walk-"))
    try:
        clone(place / "troupe")
        walk = Walk(place / "troupe", place)
        for page in walked:
            walk.page(page)
    finally:
        if chosen.keep:
            print(f"the clone is left in {place}")
        else:
            shutil.rmtree(place)
    print(f"{walk.passed} passed, {walk.failed} failed")
    return 1 if walk.failed else 0


if __name__ == "__main__":
    sys.exit(main())
