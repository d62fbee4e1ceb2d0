"""The peers of the benchmark and how their programs are built into build/peers.

A peer that is not installed or does not build raises Unavailable: a skipped row.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from measure import ROOT, Unavailable

SOURCES = ROOT / "bench" / "peers"
BUILT = ROOT / "build" / "peers"
TROUPE = ROOT / "build" / "release" / "bench" / "troupe_bench"
CAF_BENCH = ROOT / "build" / "release" / "bench" / "troupe_caf_bench"
PIPELINE = ROOT / "build" / "release" / "samples" / "pipeline"
NODES_BENCH = ROOT / "build" / "release" / "bench" / "troupe_nodes_bench"
KEYVAL = ROOT / "build" / "release" / "samples" / "keyval"
TLS_BENCH = ROOT / "build" / "release" / "bench" / "troupe_tls_bench"
CAF_NODES = BUILT / "caf_nodes"
ASIO_TLS = BUILT / "asio_tls_echo"
ECHO_LOAD = BUILT / "echo_load"
TLS_LOAD = BUILT / "tls_load"
TLS_CERTIFICATE, TLS_KEY = BUILT / "tls_certificate.pem", BUILT / "tls_key.pem"

ONE_WORKER = "troupe/1"  # how troupe does with one worker, beside how it does with two
RUST_PACKAGES = Path("/usr/share/cargo/registry")
MIMALLOC = "libmimalloc.so.2"


def is_current(program, sources):
    return program.exists() and all(
        program.stat().st_mtime >= source.stat().st_mtime for source in sources
    )


def build(command, **options):
    print(f"building: {' '.join(command)}", file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "error" in line] or ["no message"]
        raise Unavailable(f"does not build: {errors[0]}")


def build_c(source, program, *more):
    if is_current(program, [source]):
        return
    compiler = shutil.which("clang-19") or shutil.which("cc")
    if compiler is None:
        raise Unavailable("does not build: neither clang-19 nor cc is installed")
    program.parent.mkdir(parents=True, exist_ok=True)
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion"]
    files = ["-o", str(program.relative_to(ROOT)), str(source.relative_to(ROOT))]
    build([compiler, "-O2", "-std=c11", *warnings, *files, *more], cwd=ROOT)


def build_echo_load():
    build_c(ROOT / "bench" / "load" / "echo_load.c", ECHO_LOAD)


def build_tls_load():
    """The load generator, and a certificate for the servers, which it does not look at."""
    build_c(
        ROOT / "bench" / "load" / "echo_load.c", TLS_LOAD, "-DWITH_TLS", "-lssl", "-lcrypto"
    )
    if TLS_CERTIFICATE.exists() and TLS_KEY.exists():
        return
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "3650", "-subj", "/CN=localhost"]
    command += ["-out", str(TLS_CERTIFICATE), "-keyout", str(TLS_KEY)]
    try:
        build(command)
    except FileNotFoundError:
        raise Unavailable("not installed (Debian package openssl)") from None


def build_with_asio(program, sources, *libraries):
    if is_current(program, sources):
        return
    compiler = shutil.which("clang++-19")
    if compiler is None:
        raise Unavailable("not installed (Debian package clang-19)")
    if asio_version() is None:
        raise Unavailable("not installed (Debian package libboost1.81-dev)")
    program.parent.mkdir(parents=True, exist_ok=True)
    files = [str(source.relative_to(ROOT)) for source in sources if source.suffix == ".cpp"]
    command = [compiler, "-O3", "-DNDEBUG", "-std=c++20", "-o", str(program.relative_to(ROOT))]
    build([*command, *files, "-fuse-ld=mold", "-pthread", *libraries], cwd=ROOT)


def build_asio():
    folder = SOURCES / "asio"
    tls_source = folder / "tls_echo.cpp"
    sources = {*folder.glob("*.[ch]pp")} - {tls_source}
    build_with_asio(ASIO_PROGRAM, sorted(sources))
    if not Path("/usr/include/openssl/ssl.h").exists():
        raise Unavailable("not installed (Debian package libssl-dev)")
    build_with_asio(ASIO_TLS, [tls_source], "-lssl", "-lcrypto")


def build_epoll():
    build_c(SOURCES / "epoll" / "echo.c", BUILT / "epoll_echo")


def build_tokio():
    """Debian's cargo and Debian's crates, offline: every Debian 12 measures the same Tokio."""
    folder = SOURCES / "tokio"
    sources = [folder / "Cargo.toml", folder / ".cargo" / "config.toml", *folder.glob("src/*.rs")]
    if is_current(BUILT / "tokio" / "release" / "tokio_bench", sources):
        return
    if not Path("/usr/bin/cargo").exists() or not any(RUST_PACKAGES.glob("tokio-1.*")):
        raise Unavailable("not installed (Debian packages cargo and librust-tokio-dev)")
    environment = os.environ | {"PATH": "/usr/bin:/bin", "CARGO_TARGET_DIR": str(BUILT / "tokio")}
    # The program is touched, as cargo leaves it alone when only a comment has changed.
    build(["cargo", "build", "--release", "--offline"], cwd=folder, env=environment)
    (BUILT / "tokio" / "release" / "tokio_bench").touch()


def build_go():
    """Debian's Go and its standard library alone: nothing is fetched."""
    folder = SOURCES / "go"
    if is_current(GO_PROGRAM, [folder / "go.mod", *folder.glob("*.go")]):
        return
    if shutil.which("go") is None:
        raise Unavailable("not installed (Debian package golang-go)")
    GO_PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "GOCACHE": str(BUILT / "go_cache"),
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "GOWORK": "off",
    }
    # The program is touched, as Go leaves it alone when only a comment has changed.
    output = os.path.relpath(GO_PROGRAM, folder)
    build(["go", "build", "-o", output, "."], cwd=folder, env=environment)
    GO_PROGRAM.touch()


def build_tokio_mimalloc():
    build_tokio()
    try:
        ctypes.CDLL(MIMALLOC)
    except OSError:
        raise Unavailable("not installed (Debian package libmimalloc2.0)") from None


def find_troupe():
    if not TROUPE.exists():
        raise Unavailable(f"{TROUPE.relative_to(ROOT)} is not built")


def build_caf():
    """CAF alone; its actors on our workers are measured by CAF_BENCH, which cmake builds."""
    nodes = SOURCES / "caf" / "nodes.cpp"
    headers = [*nodes.parent.glob("*.hpp")]
    works = sorted({*nodes.parent.glob("*.cpp")} - {nodes})
    build_with_caf(CAF_PROGRAM, [*works, *headers], "-lcaf_core")
    build_with_caf(CAF_NODES, [nodes], "-lcaf_io", "-lcaf_core")


def build_with_caf(program, sources, *libraries):
    if is_current(program, sources):
        return
    if caf_version() is None:
        raise Unavailable("not installed (Debian package libcaf-dev)")
    compiler = shutil.which("clang++-19")
    if compiler is None:
        raise Unavailable("does not build: clang++-19 is not installed")
    program.parent.mkdir(parents=True, exist_ok=True)
    files = [str(source.relative_to(ROOT)) for source in sources if source.suffix == ".cpp"]
    command = [compiler, "-O3", "-DNDEBUG", "-std=c++20", "-o", str(program.relative_to(ROOT))]
    build([*command, *files, "-fuse-ld=mold", *libraries, "-pthread"], cwd=ROOT)


def build_erlang():
    source, folder = SOURCES / "erlang" / "bench.erl", BUILT / "erlang"
    if shutil.which("erl") is None or shutil.which("erlc") is None:
        raise Unavailable("not installed (Debian package erlang-base)")
    if is_current(folder / "bench.beam", [source]):
        return
    folder.mkdir(parents=True, exist_ok=True)
    files = ["-o", str(folder.relative_to(ROOT)), str(source.relative_to(ROOT))]
    build(["erlc", "-Wall", "-Werror", *files], cwd=ROOT)


def build_redis():
    """Of Debian's redis-tools, which has the server under another name: what it does goes by that.
    The package redis-server would start one with the machine."""
    server = Path("/usr/bin/redis-check-rdb")
    if not server.exists():
        raise Unavailable("not installed (Debian package redis-tools)")
    BUILT.mkdir(parents=True, exist_ok=True)
    REDIS_PROGRAM.unlink(missing_ok=True)
    REDIS_PROGRAM.symlink_to(server)


def redis_version():
    if shutil.which("redis-cli") is None:
        return None
    done = subprocess.run(["redis-cli", "--version"], capture_output=True, text=True)
    return done.stdout.split()[1]


def caf_version():
    try:
        text = Path("/usr/include/caf/config.hpp").read_text()
    except FileNotFoundError:
        return None
    number = re.search(r"#define CAF_VERSION (\d*)(\d\d)(\d\d)$", text, re.MULTILINE)
    return ".".join(str(int(part or 0)) for part in number.groups()) if number else None


def erlang_version():
    found = sorted(Path("/usr/lib/erlang/releases").glob("*/OTP_VERSION"))
    return found[-1].read_text().strip() if found else None


def asio_version():
    try:
        text = Path("/usr/include/boost/version.hpp").read_text()
    except FileNotFoundError:
        return None
    found = re.search(r'#define BOOST_LIB_VERSION "(.+)"', text)
    return found and f"Boost {found.group(1).replace('_', '.')}"


def go_version():
    if shutil.which("go") is None:
        return None
    done = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True)
    return done.stdout.strip().removeprefix("go") or None


def tokio_version():
    folders = sorted(RUST_PACKAGES.glob("tokio-1.*"))
    return folders[0].name.removeprefix("tokio-") if folders else None


@dataclass(frozen=True)
class Peer:
    name: str
    program: Path
    build: Callable[[], None]
    version: Callable[[], str | None] = lambda: None
    environment: dict[str, str] = field(default_factory=dict)
    commands_of: str | None = None  # whose commands it takes where it has none and is asked for
    workers: int = 2


CAF_PROGRAM = BUILT / "caf_bench"
ASIO_PROGRAM = BUILT / "asio_bench"
CAF_NODES = BUILT / "caf_nodes"
ASIO_TLS = BUILT / "asio_tls_echo"  # of the works with TLS, in place of the peer's own program
GO_PROGRAM = BUILT / "go_bench"
REDIS_PROGRAM = BUILT / "redis-server"
TOKIO_PROGRAM = BUILT / "tokio" / "release" / "tokio_bench"

PEERS = (
    Peer("troupe", TROUPE, find_troupe),
    Peer(ONE_WORKER, TROUPE, find_troupe, commands_of="troupe", workers=1),
    Peer("tokio", TOKIO_PROGRAM, build_tokio, tokio_version),
    Peer(
        "tokio+mimalloc",
        TOKIO_PROGRAM,
        build_tokio_mimalloc,
        tokio_version,
        environment={"LD_PRELOAD": MIMALLOC},
        commands_of="tokio",
    ),
    Peer("caf", CAF_PROGRAM, build_caf, caf_version),
    Peer("erlang", SOURCES / "erlang" / "run", build_erlang, erlang_version),
    Peer("go", GO_PROGRAM, build_go, go_version),
    Peer("asio", ASIO_PROGRAM, build_asio, asio_version),
    Peer("epoll", BUILT / "epoll_echo", build_epoll),
    Peer("redis", REDIS_PROGRAM, build_redis, redis_version),
)
