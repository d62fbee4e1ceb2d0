#!/usr/bin/env python3
"""Uses troupe from outside, in each way that docs/install.md names, and compares what comes out.

    cmake/install_check/check.py [--only REGEX] [--dpkg]

Prints a line for each way, then `N passed, N failed`. The library is built once as static and once
as shared libraries, under build/install-check/. With --dpkg, as root, the .deb is really installed
and removed again; else it is unpacked into a folder.
"""

import argparse
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
WORK = ROOT / "build" / "install-check"
COMPILER = "clang++-19"
COMPILERS = (COMPILER, "g++")
MULTIARCH = "lib"  # Fixed, so that the check knows where things are.
VERSION = ".".join(re.findall(r"TROUPE_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", (
    ROOT / "framework/troupe/version.hpp").read_text(), re.MULTILINE))
EXPECTED = f"""troupe {VERSION}
one pool: true
canceled
timeout: true
blocking: 42
beats: 3
log: actor
ask: the receiver ended while it ran the request (may have run)
echo: there and back
"""
# One set of flags wherever the library is compiled, so that ccache compiles it once.
FLAGS = ["-G", "Ninja", "-DCMAKE_CXX_FLAGS=-O1", "-DCMAKE_BUILD_TYPE=None",
         "-DCMAKE_CXX_VISIBILITY_PRESET=hidden", "-DCMAKE_VISIBILITY_INLINES_HIDDEN=ON",
         *(["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else [])]
LIBRARY = ["-DTROUPE_BUILD_TESTS=OFF", "-DTROUPE_BUILD_SAMPLES=OFF", "-DTROUPE_BUILD_BENCH=OFF",
           "-DTROUPE_WITH_CAF=OFF", "-DTROUPE_WARNINGS=OFF", f"-DCMAKE_INSTALL_LIBDIR={MULTIARCH}"]


class Failed(Exception):
    """What is wrong, in words."""


def run(*command, env=None, code=0, cwd=None):
    """Runs a command. Returns: what it said. Errors: Failed, when it ends with another code."""
    done = subprocess.run([str(word) for word in command], text=True, timeout=590, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd,
                          env=os.environ | {"LC_ALL": "C"} | (env or {}))
    if (done.returncode == 0) != (code == 0):
        words = " ".join(map(str, command))
        raise Failed(f"{words}\nended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def fresh(name):
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def expect(what, got, wanted):
    if got != wanted:
        raise Failed(f"{what}:\n{got}\nexpected:\n{wanted}")


# ---- the library ---------------------------------------------------------------------------------

def library(kind):
    """Builds it as `kind`, installs it, and moves what was installed. Returns: where it is now."""
    moved = WORK / f"moved-{kind}"
    if moved in library.made:
        return moved
    build, prefix = WORK / f"build-{kind}", WORK / f"prefix-{kind}"
    shared = "ON" if kind == "shared" else "OFF"
    run("cmake", "-S", ROOT, "-B", build, *FLAGS, *LIBRARY, f"-DCMAKE_CXX_COMPILER={COMPILER}",
        f"-DBUILD_SHARED_LIBS={shared}")
    run("cmake", "--build", build)
    for folder in (prefix, moved):
        shutil.rmtree(folder, ignore_errors=True)
    run("cmake", "--install", build, "--prefix", prefix)
    prefix.rename(moved)
    library.made.add(moved)
    return moved


library.made = set()


def components(prefix):
    config = (prefix / MULTIARCH / "cmake/troupe/troupeConfig.cmake").read_text()
    return re.search(r"set\(troupe_COMPONENTS ([^)]*)\)", config)[1].split(";")


def no_build_paths():
    """Nothing that is installed as text names a folder of the build."""
    prefix = library("static")
    for path in prefix.rglob("*"):
        if path.suffix in (".cmake", ".pc", ".py", ".hpp") and str(ROOT) in path.read_text():
            raise Failed(f"{path.relative_to(prefix)} names {ROOT}")


# ---- CMake ---------------------------------------------------------------------------------------

def configure(name, source, *options, compiler=COMPILER, code=0):
    build = fresh(name)
    said = run("cmake", "-S", source, "-B", build, *FLAGS, f"-DCMAKE_CXX_COMPILER={compiler}",
               *options, code=code)
    return said if code else build


def consume(name, *options, compiler=COMPILER):
    """Builds the consumer, runs it and compares its output."""
    build = configure(name, HERE / "consumer", *options, compiler=compiler)
    run("cmake", "--build", build)
    expect("the consumer printed", run(build / "consumer"), EXPECTED)


def find_package(kind, compiler):
    consume(f"find-{kind}-{compiler}", f"-DCMAKE_PREFIX_PATH={library(kind)}", compiler=compiler)


def each_component(kind):
    prefix = library(kind)
    for component in components(prefix):
        configure(f"component-{kind}", HERE / "consumer", f"-DCMAKE_PREFIX_PATH={prefix}",
                  f"-DCOMPONENTS={component}")
    every = ";".join(components(prefix))
    build = configure(f"component-{kind}", HERE / "consumer", f"-DCMAKE_PREFIX_PATH={prefix}",
                      f"-DCOMPONENTS={every}")
    run("cmake", "--build", build)


def refused_packages():
    """What cannot be found is named."""
    prefix = library("static")
    said = configure("refused", HERE / "consumer", f"-DCMAKE_PREFIX_PATH={prefix}",
                     "-DCOMPONENTS=base;nonsense", code=1)
    if "there is no component 'nonsense' in this installation" not in " ".join(said.split()):
        raise Failed(f"an unknown component is not named:\n{said}")
    said = configure("refused", HERE / "consumer", f"-DCMAKE_PREFIX_PATH={prefix}",
                     "-DCOMPONENTS=net", "-DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON", code=1)
    if "troupe::base needs the package fmt" not in " ".join(said.split()):
        raise Failed(f"a missing package is not named:\n{said}")
    major, minor, _ = VERSION.split(".")
    said = configure("refused", HERE / "consumer", f"-DCMAKE_PREFIX_PATH={prefix}",
                     f"-DTROUPE_WANTED={major}.{int(minor) + 1}", code=1)
    if f"version: {VERSION}" not in said:
        raise Failed(f"another minor version is not refused:\n{said}")


def as_sources(how):
    consume(how, f"-DHOW={how}", f"-DTROUPE_ROOT={ROOT}")


def template(how):
    """The project of samples/template, copied away from here; its test and its program."""
    copy = fresh(f"template-{how}") / "source"
    shutil.copytree(ROOT / "samples/template", copy)
    where = (f"-DTROUPE_SOURCES={ROOT}" if how == "sources" else
             f"-DCMAKE_PREFIX_PATH={library('static')}")
    build = configure(f"template-{how}-build", copy, where)
    run("cmake", "--build", build)
    run("ctest", "--test-dir", build)
    expect("the template printed", run(build / "greeter", "Ann"),
           "Hello, Ann! You are number 1.\n")


# ---- shared libraries ----------------------------------------------------------------------------

def exports():
    """SONAMEs carry the minor version; nothing but what is ours is exported."""
    prefix, counts = library("shared"), []
    for path in sorted((prefix / MULTIARCH).glob("libtroupe_*.so")):
        dynamic = run("readelf", "-d", path)
        soname = re.search(r"SONAME.*\[(.*)\]", dynamic)[1]
        expect("the SONAME is", soname, f"{path.name}.{VERSION.rpartition('.')[0]}")
        symbols = run("nm", "-DC", "--defined-only", path).splitlines()
        # Ours, or the run-time type information of ours.
        foreign = [line for line in symbols if not re.search(
            r"^\S+ \S (?:[\w -]+ (?:for|to) )?troupe(?:::|_debug_)", line)]
        if foreign:
            raise Failed(f"{path.name} exports {foreign[0]}, and {len(foreign) - 1} more")
        counts.append(f"{path.name} {len(symbols)}")
    if not counts:
        raise Failed("there are no shared libraries")
    return ", ".join(counts)


# ---- pkg-config ----------------------------------------------------------------------------------

def pkg_config(kind, compiler):
    prefix = library(kind)
    env = {"PKG_CONFIG_PATH": str(prefix / MULTIARCH / "pkgconfig")}
    cflags, libs = (run("pkg-config", f"--{what}", "troupe", env=env).split()
                    for what in ("cflags", "libs"))
    expect("the version is", run("pkg-config", "--modversion", "troupe", env=env), f"{VERSION}\n")
    program = fresh(f"pkg-config-{kind}-{compiler}") / "consumer"
    run(compiler, "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", *cflags,
        HERE / "consumer/main.cpp", "-o", program, *libs)
    said = run(program, env={"LD_LIBRARY_PATH": str(prefix / MULTIARCH)})
    expect("the consumer printed", said, EXPECTED)


# ---- packages ------------------------------------------------------------------------------------

def packaged(generator, pattern):
    library("static")
    folder = fresh(f"cpack-{generator}")
    run("cpack", "-G", generator, "-B", folder, "-D", "CPACK_PACKAGING_INSTALL_PREFIX=/usr",
        cwd=WORK / "build-static")
    return next(folder.glob(pattern)), folder / "root"


def tar_gz():
    archive, root = packaged("TGZ", "*.tar.gz")
    root.mkdir()
    run("tar", "-xzf", archive, "-C", root, "--strip-components=1")
    consume("tgz", f"-DCMAKE_PREFIX_PATH={root};{root / 'usr'}")


def deb(really):
    archive, root = packaged("DEB", "*.deb")
    depends = run("dpkg-deb", "-f", archive, "Depends")
    names = [each.split()[0] for each in depends.strip().split(", ")]
    for name in names:
        if "installed" not in run("dpkg-query", "-W", "-f", "${db:Status-Status}", name):
            raise Failed(f"it depends on {name}, which was not needed to build it")
    wanted = {"libboost1.81-dev", "libfmt-dev", "libmimalloc-dev"}
    if not wanted <= set(names):
        raise Failed(f"it depends on {names} only")
    if not really:
        run("dpkg-deb", "-x", archive, root)
        return consume("deb", f"-DCMAKE_PREFIX_PATH={root / 'usr'}")
    run("dpkg", "-i", archive)
    try:
        consume("deb")
    finally:
        run("dpkg", "-r", "troupe-dev")
    return None


# ---- docs/install.md -----------------------------------------------------------------------------

PAGE = (ROOT / "docs/install.md").read_text()
BEGINNING = """cmake_minimum_required(VERSION 3.25)
project(program LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_EXTENSIONS OFF)
"""


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def documented_project(number, block):
    folder = fresh(f"documented-{number}")
    (folder / "main.cpp").write_text(blocks("cpp")[0])
    (folder / "CMakeLists.txt").write_text(BEGINNING + block)
    (folder / "third_party").mkdir()
    (folder / "third_party/troupe").symlink_to(ROOT)
    build = configure(f"documented-{number}-build", folder,
                      f"-DCMAKE_PREFIX_PATH={library('static')}")
    run("cmake", "--build", build)
    expect("the program printed", run(build / "program"), f"troupe {VERSION}\n")


def documented_commands():
    """The commands that build and install, and those that compile, one after the other.

    The library is compiled as it was before, and not anew with a Release's flags."""
    folder = fresh("documented-commands")
    (folder / "main.cpp").write_text(blocks("cpp")[0])
    install, compiles = blocks("sh")
    as_before = shlex.join([*FLAGS, *LIBRARY, f"-DCMAKE_CXX_COMPILER={COMPILER}"])
    for documented, ours in (("-S troupe", f"-S {ROOT}"),
                             ("-DCMAKE_BUILD_TYPE=Release", as_before)):
        if documented not in install:
            raise Failed(f"the page does not say {documented} any more")
        install = install.replace(documented, ours)
    # As deep as the folder where it was compiled before: else no path in the cache is the same.
    install = re.sub("(-B|--build|--install) build", rf"\1 {fresh('documented-build')}", install)
    run("bash", "-ec", install, cwd=folder)
    pc = next((folder / "installed").rglob("troupe.pc"))
    for command in compiles.splitlines():
        (folder / "program").unlink(missing_ok=True)
        run("bash", "-ec", command, cwd=folder, env={"PKG_CONFIG_PATH": str(pc.parent)})
        expect("the program printed", run(folder / "program"), f"troupe {VERSION}\n")


def ways(really):
    """Yields (name, function, arguments)."""
    yield "the library, static", library, ("static",)
    yield "installed files name no build path", no_build_paths, ()
    for compiler in COMPILERS:
        yield f"find_package, static, {compiler}", find_package, ("static", compiler)
    yield "find_package, each component alone, static", each_component, ("static",)
    yield "find_package says what it lacks", refused_packages, ()
    for compiler in COMPILERS:
        yield f"pkg-config, static, {compiler}", pkg_config, ("static", compiler)
    yield "the library, shared", library, ("shared",)
    yield "SONAMEs and exported symbols", exports, ()
    for compiler in COMPILERS:
        yield f"find_package, shared, {compiler}", find_package, ("shared", compiler)
        yield f"pkg-config, shared, {compiler}", pkg_config, ("shared", compiler)
    yield "find_package, each component alone, shared", each_component, ("shared",)
    yield "add_subdirectory", as_sources, ("subdirectory",)
    yield "FetchContent", as_sources, ("fetch",)
    yield "samples/template, find_package", template, ("package",)
    yield "samples/template, FetchContent", template, ("sources",)
    for number, block in enumerate(blocks("cmake"), 1):
        yield f"docs/install.md, CMake block {number}", documented_project, (number, block)
    yield "docs/install.md, commands", documented_commands, ()
    yield "tar.gz, unpacked", tar_gz, ()
    yield f".deb, {'installed' if really else 'unpacked'}", deb, (really,)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="", metavar="REGEX", help="the ways whose name matches")
    parser.add_argument("--dpkg", action="store_true", help="install the .deb; needs root")
    options = parser.parse_args()
    if options.dpkg and os.geteuid() != 0:
        parser.error("--dpkg needs root")
    # Compiles for the same source are the same, in whatever folder they are made.
    os.environ |= {"CCACHE_BASEDIR": str(ROOT), "CCACHE_NOHASHDIR": "1"}
    os.environ.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count()))
    passed = failed = 0
    for name, check, arguments in ways(options.dpkg):
        if not re.search(options.only, name):
            continue
        start = time.monotonic()
        try:
            said = check(*arguments)
            passed, verdict, why = passed + 1, "PASS", f"\n{said}" if isinstance(said, str) else ""
        except (Failed, OSError, subprocess.TimeoutExpired) as error:
            failed, verdict, why = failed + 1, "FAIL", f"\n{error}"
        print(f"{verdict} {name} ({time.monotonic() - start:.1f} s){why}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
