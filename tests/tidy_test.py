#!/usr/bin/env python3
"""Holds the rules of this code base that no compiler checks.

    tests/tidy_test.py [--root DIR] [RULE...]    check all rules, or those named
    tests/tidy_test.py --self-test               check the rules against planted violations

Prints one line for each finding, and exits with 1 if there is any.
"""

import argparse
import collections
import dataclasses
import pathlib
import posixpath
import re
import sys
import tempfile

# Lowest first. An include goes to the left only; siblings in one entry never meet.
ORDER = (("base",), ("pal",), ("task",), ("sched",), ("sync",), ("io",), ("actor",),
         ("net", "caf", "observe", "tls"), ("node", "runtime"), ("sim",))
RANK = {layer: rank for rank, layers in enumerate(ORDER) for layer in layers}

MAX_FILE_LINES = 600
MAX_PUBLIC_HEADER_LINES = 250  # of code: neither blank nor comment
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100

# Files that may use what `seams` refuses outside pal/: (path, what) -> why. Keep it short.
SEAMS_ALLOWED = {
    ("framework/troupe/base/assert.cpp", "atomic"): "base lies below pal: one process-wide handler",
    ("framework/troupe/base/log.cpp", "atomic"): "base lies below pal: one process-wide sink",
}

# Who a link in this repository may point to.
HOSTS = {"127.0.0.1", "localhost", "actor-framework.org", "doi.org", "docs.rs",
         "en.cppreference.com", "example.com", "example.org", "github.com", "semver.org",
         "tokio.rs", "www.boost.org", "www.rfc-editor.org", "www.w3.org"}

SKIPPED_FOLDERS = {"build", "corpus", "target", "node_modules", "__pycache__"}
CPP = {".hpp", ".cpp"}
TEXT = CPP | {".h", ".c", ".rs", ".py", ".sh", ".cmake", ".md", ".txt", ".json", ".toml", ".query",
              ".lock", ".html", ".js", ".yml", ""}


# ---- reading -----------------------------------------------------------------------------------

TOKEN = re.compile(r"""
    //[^\n]* | /\*.*?\*/                                  # comments
  | (?:u8|[uUL])?R"([^(\s]{0,16})\(.*?\)\1"               # raw strings
  | "(?:\\.|[^"\\\n])*"                                   # strings
  | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'                   # characters, but not 1'000
""", re.DOTALL | re.VERBOSE)


def blanked(match):
    """Comments become blanks, literals empty literals; lines stay where they are."""
    text = match[0]
    lines = "\n" * text.count("\n")
    if text.startswith("/"):
        return lines or " "
    return ('""' if '"' in text else "' '") + lines


@dataclasses.dataclass
class Source:
    path: str  # relative to the root, with slashes
    text: str

    def __post_init__(self):
        self.parts = pathlib.PurePosixPath(self.path).parts
        self.suffix = pathlib.PurePosixPath(self.path).suffix
        self.is_cpp = self.suffix in CPP
        self.code = TOKEN.sub(blanked, self.text) if self.is_cpp else self.text
        self.includes = [(line, name) for line, row in enumerate(self.text.splitlines(), 1)
                         for name in re.findall(r'^\s*#\s*include\s+([<"][^>"]+[>"])', row)]

    def under(self, *folders):
        return self.parts[0] in folders and len(self.parts) > 1

    def find(self, pattern, text=None):
        """Yields (line number, match) in the code, or in the given text of the same lines."""
        text = self.code if text is None else text
        for match in re.finditer(pattern, text, re.MULTILINE):
            yield text.count("\n", 0, match.start()) + 1, match


def read_tree(root):
    sources = []
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        hidden = any(part.startswith(".") and part not in (".ci", ".github") for part in parts[:-1])
        if hidden or SKIPPED_FOLDERS & set(parts[:-1]) or path.suffix not in TEXT:
            continue
        if path.is_file() and not path.is_symlink():
            try:
                sources.append(Source("/".join(parts), path.read_text(encoding="utf-8")))
            except UnicodeDecodeError:
                continue
    return sources


# ---- layers ------------------------------------------------------------------------------------

def layers(sources):
    """Includes go to lower layers only; detail/ is private to its folder."""
    independent = {source.path.removeprefix("framework/") for source in sources
                   if source.under("framework") and len(source.parts) == 3
                   and not any(name.startswith("<troupe/") for _, name in source.includes)}
    for source in sources:
        if not source.is_cpp:
            continue
        for line, name in source.includes:
            problem = None
            if source.under("framework"):
                problem = refused_in_framework(source, name, independent)
            elif source.under("actors", "samples") and "/detail/" in name:
                problem = "uses public headers only"
            if problem:
                yield f"{source.path}:{line}: {name}: {problem}"


def refused_in_framework(source, name, independent):
    if name.startswith('"'):
        return "write it as <troupe/layer/name.hpp>"
    if not name.startswith("<troupe/"):
        return None
    target = name.strip("<>")
    own, other = source.parts[2], pathlib.PurePosixPath(target).parts[1]
    if len(source.parts) == 3:  # an umbrella header beside the layers
        return "private to its folder" if "/detail/" in target else None
    if target in independent:
        return None
    if other not in RANK or own not in RANK:
        return f"'{other if own in RANK else own}' is no layer"
    if other != own and RANK[other] == RANK[own]:
        return f"{own} and {other} are siblings and never meet"
    if RANK[other] > RANK[own]:
        return f"{own} lies below {other}"
    owner, _, private = f"framework/{target}".partition("/detail/")
    if private and not source.path.startswith(f"{owner}/"):
        return "private to its folder"
    return None


# ---- sizes -------------------------------------------------------------------------------------

def sizes(sources):
    """Files, public headers, functions and lines have an end."""
    for source in sources:
        if source.suffix in (".md", ".json", ".rs", ".query") or source.parts[-1] == "LICENSE":
            continue
        rows = source.text.splitlines()
        if len(rows) > MAX_FILE_LINES:
            yield f"{source.path}: {len(rows)} lines; a file stops at {MAX_FILE_LINES}"
        for line, row in enumerate(rows, 1):
            if len(row) > MAX_COLUMNS:
                yield f"{source.path}:{line}: {len(row)} columns; a line stops at {MAX_COLUMNS}"
        if source.suffix == ".hpp" and source.under("framework", "actors") and (
                "detail" not in source.parts):
            count = sum(1 for row in source.code.splitlines() if row.strip())
            if count > MAX_PUBLIC_HEADER_LINES:
                yield (f"{source.path}: {count} lines of code; a public header stops at "
                       f"{MAX_PUBLIC_HEADER_LINES}")
        if source.is_cpp:
            for first, last, name in functions(source.code):
                if last - first + 1 > MAX_FUNCTION_LINES:
                    yield (f"{source.path}:{first}: {name}: {last - first + 1} lines; a function "
                           f"stops at {MAX_FUNCTION_LINES}")


def functions(code):
    """Yields (first line, last line, name) of what looks like a function outside any other."""
    directive = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
    code = directive.sub(lambda match: "\n" * match[0].count("\n"), code)
    # Boost.Test's suite markers end without a semicolon: the function behind one begins after it.
    code = re.sub(r"^(BOOST_(?:AUTO|FIXTURE)_TEST_SUITE[A-Z_]*\([^\n]*\))$", r"\1;", code,
                  flags=re.MULTILINE)
    position, start = 0, 0
    while position < len(code):
        letter = code[position]
        if letter == "{":
            header = code[start:position]
            kind = brace_kind(header)
            if kind != "scope":
                position = closing(code, position)
            if kind == "function":
                lead = len(header) - len(header.lstrip())
                found = re.search(r"([~\w]+|operator[^\s(]*)\s*\(", header)
                yield (code.count("\n", 0, start + lead) + 1, code.count("\n", 0, position) + 1,
                       found[1] if found else "function")
            if kind != "member":
                start = position + 1
        elif letter in ";}":
            start = position + 1
        position += 1


def brace_kind(header):
    """What a brace opens, from the text since the last statement."""
    text = re.sub(r"\balignas\s*\([^)]*\)|\[\[.*?\]\]", "", header, flags=re.DOTALL)
    while (shorter := re.sub(r"<[^<>]*>", "", text)) != text:
        text = shorter
    text = text.strip()
    if re.search(r"\b(class|struct|union|namespace|enum|extern)\b[^()]*$", text):
        return "scope"
    if ")" not in text:
        return "initializer"
    if re.search(r"\)[\s\w]*:(?!:)", text) and re.search(r"[:,]\s*\w+$", text):
        return "member"  # of a constructor's initializer list: foo() : member_{...}
    return "function"


def closing(code, position):
    """The index of the brace that closes the one at position, or the end."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, position):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


# ---- dead files --------------------------------------------------------------------------------

def dead_files(sources):
    """Each header is included by somebody, each .cpp belongs to a target."""
    paths = {source.path for source in sources}
    cmake = {source.path: source.text for source in sources
             if source.suffix == ".cmake" or source.parts[-1] == "CMakeLists.txt"}
    listed = set(re.findall(r"troupe_layer\((\w+)", cmake.get("framework/CMakeLists.txt", "")))
    used = set()
    # What stands in for a header of the framework is found before it, by include path.
    shims = {source.path.split("/shim/")[0] + "/shim" for source in sources
             if "/shim/" in source.path}
    for source in sources:
        for _, name in source.includes:
            folder = pathlib.PurePosixPath(source.path).parent
            for base in (folder, "framework", "tests", ".", *shims):
                path = posixpath.normpath(pathlib.PurePosixPath(base) / name[1:-1])
                if path in paths and path != source.path:
                    used.add(path)
    for source in sources:
        if not source.is_cpp:
            continue
        if source.suffix == ".hpp" and source.path not in used and not is_umbrella(source):
            yield f"{source.path}: nobody includes it"
        if source.suffix == ".cpp" and not in_target(source, listed, cmake):
            yield f"{source.path}: no target builds it"


def is_umbrella(source):
    return source.under("framework") and len(source.parts) == 3


def in_target(source, listed, cmake):
    """Mirrors the globs of our CMakeLists.txt files."""
    depth = len(source.parts)
    if source.under("framework"):
        return depth > 3 and source.parts[2] in listed
    if source.under("samples"):
        is_of_step = depth == 4 and re.match(r"[1-9]_", source.parts[2])
        return depth <= 3 or bool(is_of_step)
    if source.under("tests"):
        is_wrong = depth == 4 and source.parts[2] == "wrong"  # compiled by wrong_programs_test.py
        beside = cmake.get(posixpath.join(*source.parts[:-1], "CMakeLists.txt"), "")
        return source.path == "tests/main.cpp" or is_wrong or (
            depth == 3 and source.path.endswith(("_test.cpp", "_fuzz.cpp", "_model.cpp"))) or (
            depth == 4 and source.parts[-1] in beside)
    if source.under("bench"):
        return source.parts[1] != "troupe" or depth == 3
    return any(source.parts[-1] in text for text in cmake.values())


# ---- names, seams, words -----------------------------------------------------------------------

def names(sources):
    """No `using namespace` in headers; each to-do says of which kind it is; the library's own names
    are in the inline namespace of its version."""
    version = version_namespace(sources)
    for source in sources:
        if source.is_cpp and source.under("framework", "actors") and version:
            for line, match in source.find(r"^namespace troupe\b(?!::inline " + version + r"\b)"):
                yield f"{source.path}:{line}: write namespace troupe::inline {version}"
        if source.suffix == ".hpp":
            for line, _ in source.find(r"\busing\s+namespace\b"):
                yield f"{source.path}:{line}: using namespace in a header"
        if source.suffix != ".md" and source.parts[-1] != "tidy_test.py":
            kind = r"\b(TODO|FIXME|XXX|HACK)\b(\([a-z-]+\):)?"
            for line, match in source.find(kind, source.text):
                if match[1] != "TODO" or not match[2]:
                    yield f"{source.path}:{line}: {match[1]}: write it as TODO(kind): what"


def version_namespace(sources):
    """The one that troupe/version.hpp asks for, such as v0_1; None in a tree without it."""
    for source in sources:
        if source.path == "framework/troupe/version.hpp":
            numbers = [match[1] for part in ("MAJOR", "MINOR")
                       for _, match in source.find(rf"TROUPE_VERSION_{part} (\d+)")]
            return "v" + "_".join(numbers)
    return None


SEAMS = {
    "clock": r"\b(?:steady|system|high_resolution)_clock::now\b|\b(?:clock_gettime|gettimeofday)\b",
    "thread": r"\bstd::(?:j?thread|this_thread|async)\b|\bpthread_create\b",
    "random": r"\bstd::random_device\b|\bgetrandom\b",
    "atomic": r"\bstd::atomic(?!_signal_fence)\w*",
    "mutex": r"\bstd::(?:(?:recursive_|shared_|timed_)*mutex|condition_variable\w*|call_once)\b",
}
SLEEPS = (r"\bthis_thread::sleep_\w+|\b(?:usleep|nanosleep)\b|(?<![\w.:>])(?:::)?sleep\("
          r"|\btime\.sleep\b")


def seams(sources, allowed=None):
    """Clock, threads, randomness and atomics come from pal/; tests do not sleep."""
    allowed = SEAMS_ALLOWED if allowed is None else allowed
    needed = set()
    for source in sources:
        if source.is_cpp and source.under("framework") and source.parts[2] != "pal":
            for what, pattern in SEAMS.items():
                for line, match in source.find(pattern):
                    needed.add((source.path, what))
                    if (source.path, what) not in allowed:
                        yield f"{source.path}:{line}: {match[0]}: take it from troupe/pal/"
        if source.under("tests") and source.suffix in CPP | {".py"} and (
                source.parts[-1] != "tidy_test.py"):
            for line, match in source.find(SLEEPS):
                yield f"{source.path}:{line}: {match[0]}: wait for an event or a virtual clock"
    for path, what in sorted(set(allowed) - needed):
        yield f"tests/tidy_test.py: {path} no longer needs to be allowed '{what}'"


def words(sources, root):
    """No path of a particular machine, no link to a host that is not known to all."""
    places = [r"(?<![\w.])/(?:home|Users)/\w+", r"(?<![\w.$}])/root/"]
    if str(root.parent) not in ("/", "/home", "/opt", "/src", "/tmp", "/usr", "/var"):
        places.append(r"(?<![\w.$}])" + re.escape(str(root.parent)) + r"(?=/)")
    for source in sources:
        if source.parts[-1] == "tidy_test.py":
            continue
        for line, match in source.find("|".join(places), source.text):
            yield f"{source.path}:{line}: {match[0]}: a path of one machine"
        link = r"\b[a-z]+://(?:[^/\s\"'<>@]*@)?(\[[^]]*\]|[\w.-]+)"
        for line, match in source.find(link, source.text):
            if match[1].lower() not in HOSTS:
                yield f"{source.path}:{line}: {match[0]}: a host that HOSTS does not name"


RULES = {"layers": layers, "sizes": sizes, "dead_files": dead_files, "names": names,
         "seams": seams, "words": words}


def check(root, chosen):
    """Prints and counts the findings."""
    sources, found = read_tree(root), 0
    for rule in chosen:
        findings = list(RULES[rule](sources, root) if rule == "words" else RULES[rule](sources))
        for finding in findings:
            print(f"{rule}: {finding}")
        found += len(findings)
    return found


# ---- the rules against planted violations --------------------------------------------------------

CLEAN = {
    "framework/CMakeLists.txt": "troupe_layer(base)\ntroupe_layer(pal)\ntroupe_layer(task)\n"
                                "troupe_layer(net)\ntroupe_layer(caf)\n",
    "framework/troupe/version.hpp": "#pragma once\n",
    "framework/troupe/base/a.hpp": "#pragma once\n#include <troupe/version.hpp>\n",
    "framework/troupe/base/a.cpp": "#include <troupe/base/a.hpp>\n// std::thread in a comment\n"
                                   "const char* s = \"std::mutex\"; int big = 1'000;\n"
                                   "int order = int(std::memory_order_relaxed);\n",
    "framework/troupe/pal/clock.hpp": "#include <troupe/base/a.hpp>\nstd::atomic<int> a;\n",
    "framework/troupe/task/detail/x.hpp": "#include <troupe/pal/clock.hpp>\n",
    "framework/troupe/task/task.cpp": "#include <troupe/task/detail/x.hpp>\n",
    "samples/tasks/a.cpp": "// TODO(speed): less\nint main() { using namespace std; }\n",
    "samples/service/main.cpp": "#include \"own.hpp\"\n",
    "samples/service/own.hpp": "#pragma once\n",
    "samples/grown/1_first/main.cpp": "",
    "tests/main.cpp": "",
    "tests/task/wrong/call.cpp": "",
    "tests/task/task_test.cpp": "#include <troupe/task/detail/x.hpp>\nauto f = sleep_for(1s);\n",
    "docs/a.md": "See https://github.com/x and http://127.0.0.1:80/.\n",
}

LONG = "  int x = 0;\n" * 71
PLANTED = [  # rule, path, text, what the finding says
    ("layers", "framework/troupe/base/a.cpp", "#include <troupe/task/t.hpp>", "below task"),
    ("layers", "framework/troupe/net/a.cpp", "#include <troupe/caf/t.hpp>", "siblings"),
    ("layers", "framework/troupe/net/a.cpp", "#include <troupe/task/detail/x.hpp>", "private"),
    ("layers", "framework/troupe/net/a.cpp", "#include <troupe/util/x.hpp>", "'util' is no layer"),
    ("layers", "framework/troupe/net/a.cpp", "#include \"x.hpp\"", "write it as"),
    ("layers", "framework/troupe/net/a.cpp", "#include <troupe/all.hpp>", "no layer"),
    ("layers", "samples/tasks/a.cpp", "#include <troupe/task/detail/x.hpp>", "public headers only"),
    ("layers", "actors/a.cpp", "  # include <troupe/task/detail/x.hpp>", "public headers only"),
    ("sizes", "tests/main.cpp", "\n" * 601, "601 lines"),
    ("sizes", "bench/run.py", "#" * 101 + "\n", "101 columns"),
    ("sizes", "framework/troupe/base/a.hpp", "int f();\n" * 251, "251 lines of code"),
    ("sizes", "tests/main.cpp", "namespace a {\nint f() {\n" + LONG + "}\n}\n", "2: f: 73 lines"),
    ("sizes", "tests/main.cpp",
     "struct s : t<int()> {\n s(int x = 1) : a_{x}, b_(2) {\n" + LONG + "}\nint a_;};",
     "2: s: 73 lines"),
    ("sizes", "tests/main.cpp",
     "template <class T>\nauto s<T>::g() const\n -> x {\n" + LONG + "}\n",
     "1: g: 75 lines"),
    ("sizes", "tests/main.cpp",
     "#define A \\\n {\nint y[] = {1};\nBOOST_AUTO_TEST_CASE(c) {\n" + LONG + "}\n",
     "4: BOOST_AUTO_TEST_CASE: 73 lines"),
    ("sizes", "tests/main.cpp",
     "const char* s = R\"x( { )x\"; char c = '{';\nvoid h() {\n" + LONG + "}", "2: h: 73 lines"),
    ("dead_files", "framework/troupe/base/b.hpp", "", "nobody includes"),
    ("dead_files", "framework/troupe/util/b.cpp", "", "no target"),
    ("dead_files", "samples/a/b/c.cpp", "", "no target"),
    ("dead_files", "tests/task/helper.cpp", "", "no target"),
    ("dead_files", "bench/troupe/a/b.cpp", "", "no target"),
    ("dead_files", "cmake/probe.cpp", "", "no target"),
    ("names", "framework/troupe/base/a.hpp", "using  namespace std;\n", "using namespace"),
    ("names", "tests/main.cpp", "// TODO: later\n", "TODO(kind)"),
    ("names", "dev", "# FIXME(x): later\n", "TODO(kind)"),
    ("seams", "framework/troupe/base/a.cpp", "std::chrono::steady_clock::now();", "steady"),
    ("seams", "framework/troupe/task/task.cpp", "\nstd::thread t;", "task.cpp:2: std::thread"),
    ("seams", "framework/troupe/task/task.cpp", "std::random_device r;", "random_device"),
    ("seams", "framework/troupe/task/task.cpp", "std::atomic<int> a;", "std::atomic"),
    ("seams", "framework/troupe/task/task.cpp", "std::atomic_thread_fence(x);", "thread_fence"),
    ("seams", "framework/troupe/task/task.cpp", "std::shared_mutex m;", "std::shared_mutex"),
    ("seams", "tests/task/task_test.cpp", "std::this_thread::sleep_for(1s);", "sleep_for"),
    ("seams", "tests/task/task_test.cpp", "usleep(3);", "usleep"),
    ("seams", "tests/x_test.py", "time.sleep(1)\n", "time.sleep"),
    ("words", "docs/a.md", "in /home/someone/troupe\n", "one machine"),
    ("words", "dev", "cd {parent}/elsewhere\n", "one machine"),
    ("words", "bench/run.py", "x = 'https://registry.invalid/simple'\n", "HOSTS"),
]


def findings_of(rule, files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "checkouts", "troupe")
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{parent}", str(root.parent)), encoding="utf-8")
        sources = read_tree(root)
        extra = {"words": [root], "seams": [{}]}.get(rule, [])
        return list(RULES[rule](sources, *extra))


def self_test():
    """Returns the number of planted violations that were missed, and of false alarms."""
    wrong = []
    for rule in RULES:
        wrong += [f"{rule}: false alarm: {finding}" for finding in findings_of(rule, CLEAN)]
    for rule, path, text, expected in PLANTED:
        found = findings_of(rule, {**CLEAN, path: text})
        if not any(expected in finding for finding in found):
            wrong.append(f"{rule}: missed '{expected}' in {path}; found {found}")
    planted = Source("framework/troupe/base/a.cpp", "std::mutex m;")
    if list(seams([planted], {("framework/troupe/base/a.cpp", "mutex"): "why"})):
        wrong.append("seams: the allow-list does not allow")
    if not any("no longer" in finding for finding in seams([], {("a.cpp", "mutex"): "why"})):
        wrong.append("seams: an allow-list entry that nobody needs was not found")
    untested = set(RULES) - {rule for rule, *_ in PLANTED}
    wrong += [f"{rule}: no planted violation" for rule in untested]
    for line in wrong:
        print(line)
    count = collections.Counter(rule for rule, *_ in PLANTED)
    print(f"{sum(count.values())} planted violations, {len(wrong)} wrong")
    return len(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rules", nargs="*", metavar="RULE", help=", ".join(RULES))
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.rules) - set(RULES):
        parser.error(f"unknown rule {', '.join(sorted(unknown))}; there are: {', '.join(RULES)}")
    found = self_test() if options.self_test else check(options.root, options.rules or list(RULES))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
