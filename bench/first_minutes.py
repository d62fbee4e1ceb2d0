"""What somebody who has just come waits for, and reads: the way to a running service, and the
compiler's first word on a mistake. As in measure.py.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import ROOT, STOP_LIMIT_S, Broken, Unavailable, last_line

sys.path.insert(0, str(ROOT / "tests"))
import walk  # noqa: E402
import wrong_programs_test as wrong_programs  # noqa: E402

RUN_LIMIT_S = 1200


def first_run(run, name):
    """Seconds from `./dev run` in a fresh clone, with nothing compiled or cached, until the service
    listens; the packages are there."""
    environment = os.environ | run.environment | {"CCACHE_DISABLE": "1"}
    command = ["./dev", "run", "--serve", "--port", "0"]
    with (tempfile.TemporaryDirectory(prefix="troupe-first-") as place,
          Path(place, "said").open("w+") as said):
        clone = Path(place, "troupe")
        walk.clone(clone)
        start = time.monotonic()
        with subprocess.Popen(command, cwd=clone, env=environment, stdout=said,
                              stderr=subprocess.STDOUT, start_new_session=True) as service:
            try:
                while "listening on" not in (text := Path(said.name).read_text()):
                    if service.poll() is not None or time.monotonic() - start > RUN_LIMIT_S:
                        raise Broken(f"{' '.join(command)}: {last_line(text)}")
                    time.sleep(0.05)
                took = time.monotonic() - start
                os.killpg(service.pid, signal.SIGINT)
                service.wait(STOP_LIMIT_S)
            finally:
                if service.poll() is None:
                    os.killpg(service.pid, signal.SIGKILL)
    return {name: (took, "s")}


def first_error(_, name):
    """The line of clang's output with the first error, at worst, of all programs that it must
    refuse."""
    compiler = shutil.which("clang++-19")
    if compiler is None:
        raise Unavailable("not installed (Debian package clang-19)")
    includes = [f"-I{ROOT / folder}" for folder in ("framework", ".", "tests")]
    worst = 0
    for program in sorted(ROOT.glob("tests/*/wrong/*.cpp")):
        _, said = wrong_programs.output_of(compiler, *wrong_programs.FLAGS, *includes,
                                           "-fsyntax-only", str(program))
        lines = said.splitlines()
        at = next((number for number, line in enumerate(lines, 1) if "error:" in line), 0)
        worst = max(worst, at)
    if worst == 0:
        raise Broken("no program is refused")
    return {name: (worst, "lines")}
