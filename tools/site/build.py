#!/usr/bin/env python3
"""Makes the site of the documentation in build/docs/html; ./dev docs runs it.

    build.py [--base PATH]       build it, to lie at PATH of its host (default: /)
    build.py --serve [--port N]  and show it on this machine
    build.py --lock              write package-lock.json anew, after a change of package.json

The pages are the Markdown files of the repository, and one for each public header and for each
source file or folder that a page links. What stands in the sidebar follows from the files: a title
is the first heading, the order is that of the links in README.md and in docs/guide/README.md.
Checks that every link of what was built leads somewhere; the last line is `N passed, N failed`, of
pages.
"""

import argparse
import html.parser
import json
import os
import pathlib
import posixpath
import re
import shutil
import socket
import subprocess
import sys
import urllib.parse

import pages
import reference

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "docs"
SITE = BUILD / "site"  # The project of npm, with the pages as VitePress reads them.
STAGED = SITE / "pages"
HTML = BUILD / "html"

LANGUAGES = {".hpp": "cpp", ".cpp": "cpp", ".h": "c", ".c": "c", ".py": "python", ".rs": "rust",
             ".go": "go", ".cmake": "cmake", ".toml": "toml", ".sh": "bash", ".erl": "erlang",
             ".mjs": "js", ".css": "css", ".html": "html", ".txt": "", "": ""}
MAX_SOURCE_BYTES = 200_000
# Of Doxygen 1.9: of specialisations of what others have declared, which are not shown.
KNOWN_WARNING = re.compile(r"scope for class (?:fmt|boost|std)::")


class Failure(Exception):
    """What kept the site from being made, in one line."""


def step(what):
    print(f"==> {what}", flush=True)


# ---- where pages lie on the site ---------------------------------------------------------------

def place_of(path):
    """The place of a Markdown file of the repository among the pages of the site."""
    name = pages.relative(path, ROOT)
    if name == "README.md":
        return "index.md"
    if name.startswith("docs/"):
        name = name.removeprefix("docs/")
    elif "/" in name:
        name = f"source/{name}"
    else:
        name = name.lower()
    return re.sub(r"(^|/)README\.md$", r"\1index.md", name)


def place_of_source(path):
    """The place of the page that shows a source file, or lists a folder."""
    name = pages.relative(path, ROOT)
    return f"source/{name}/index.md" if path.is_dir() else f"source/{name}.md"


def header_of(path):
    """framework/troupe/task/spawn.hpp -> troupe/task/spawn.hpp, for a header."""
    return pages.relative(path, ROOT).removeprefix("framework/")


class Site:
    """The pages of the site while they are made."""

    def __init__(self):
        self.markdown = list(pages.all_pages(ROOT))
        self.headers = {}
        self.layers = {}
        self.wanted = []  # Sources that a page links, in turn.
        self.missing = []  # Links to files that are not there.
        self.places = {}

    def address(self, path, anchor):
        """Where a link to a file of the repository leads on the site, or None for nowhere."""
        if path.suffix == ".md" and path in self.markdown:
            place = place_of(path)
        elif path.suffix == ".hpp" and header_of(path) in self.headers:
            return f"/reference/{reference.page_of(header_of(path))}.md"
        elif path.is_dir() and (path / "README.md") in self.markdown:
            place = place_of(path / "README.md")
        elif not is_readable(path):
            return None
        else:
            place, anchor = place_of_source(path), ""
            if path not in self.wanted:
                self.wanted.append(path)
        return f"/{place}" + (f"#{anchor}" if anchor else "")

    def with_links(self, text, page):
        """The text of a page, with its links to files of the repository as those of the site."""
        for start, end, target in sorted(pages.links(text), reverse=True):
            if pages.is_external(target) or target.startswith("#"):
                continue
            name, _, anchor = target.partition("#")
            path = (page.parent / name).resolve()
            if not path.exists():
                self.missing.append(f"{pages.relative(page, ROOT)}: {target}: no such file")
                text = without_link(text, start, end)
            elif path.suffix in (".svg", ".png"):
                place = pages.relative(path, ROOT).removeprefix("docs/")
                copy(path, STAGED / place)
                text = text[:start] + f"/{place}" + text[end:]
            elif address := self.address(path, anchor):
                text = text[:start] + address + text[end:]
            else:
                text = without_link(text, start, end)
        return self.with_names(text)

    def with_names(self, text):
        """Where a page names a public header, a page or a sample as code, that is a link to it."""
        def linked(found):
            name = found[1]
            path = ROOT / name
            for header in (name, f"troupe/{name}"):
                if header in self.headers:
                    return f"[{found[0]}](/reference/{reference.page_of(header)}.md)"
            if not name.startswith(("docs/", "samples/", "actors/")) or not path.exists():
                return found[0]
            address = self.address(path, "")
            return f"[{found[0]}]({address})" if address else found[0]

        is_code = re.compile(r"(?<![`\[])`<?((?:[\w-]+/)+(?:[\w-]+(?:\.\w+)?)?)>?`(?![`\]])")
        rows, fence = [], False
        for row in text.split("\n"):
            fence ^= row.lstrip().startswith("```")
            rows.append(row if fence or row.startswith("#") else is_code.sub(linked, row))
        return "\n".join(rows)

    def put(self, place, text):
        if place in self.places:
            raise Failure(f"two pages are to lie at {place}")
        self.places[place] = text
        path = STAGED / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def is_readable(path):
    """Folders, and sources that are not too long to be shown."""
    if path.is_dir() or path.suffix not in LANGUAGES:
        return path.is_dir()
    try:
        return path.stat().st_size <= MAX_SOURCE_BYTES and bool(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return False


def without_link(text, start, end):
    """The text with one link replaced by its words."""
    closing = text.index(")", end)
    opening = text.rindex("[", 0, start)
    return text[:opening] + text[opening + 1:start - 2] + text[closing + 1:]


# ---- what is on the pages ----------------------------------------------------------------------

def stage(site):
    """Writes all pages as VitePress reads them."""
    for path in site.markdown:
        text = re.sub(r"<!--.*?-->\n?", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = site.with_links(text, path)
        text = start_page(text, site) if path == ROOT / "README.md" else with_layout(text)
        site.put(place_of(path), text)
    for path in site.wanted:  # Grows meanwhile: folders want what lies in them.
        site.put(place_of_source(path), folder_page(site, path) if path.is_dir() else
                 source_page(path))
    copy(HERE / "icon.svg", STAGED / "public" / "icon.svg")


def with_layout(text):
    """Pages with wide tables get the room of the outline, too."""
    rules = re.findall(r"^\|[-:| ]+\|$", text, re.MULTILINE)
    columns = max((rule.count("|") - 1 for rule in rules), default=0)
    return ("---\naside: false\npageClass: wide\n---\n\n" if columns > 6 else "") + text


def start_page(text, site):
    """The README, below its title in large letters, and the ways to go on from it."""
    found = re.match(r"# (.*)\n\n((?:.+\n)+)", text)
    ways = [("Guide", "/guide/"), ("Cheat sheet", "/cheat-sheet"),
            ("Reference", "/reference/")]
    actions = [{"theme": "brand" if place == 0 else "alt", "text": words, "link": address}
               for place, (words, address) in enumerate(ways) if exists(site, address)]
    hero = {"name": found[1], "text": description(), "tagline": " ".join(found[2].split()),
            "actions": actions}
    return f"---\nlayout: home\nhero: {json.dumps(hero)}\n---\n\n{text[found.end():]}"


def exists(site, address):
    place = address.strip("/")
    places = set(map(place_of, site.markdown)) | {"reference/index.md"}
    return bool(places & {f"{place}.md", f"{place}/index.md"})


def description():
    found = re.search(r'DESCRIPTION "([^"]+)"', (ROOT / "CMakeLists.txt").read_text())
    return found[1]


# Sources are there to be read behind a link; a search is to find pages.
UNSEARCHED = "---\noutline: false\nsearch: false\nprev: false\nnext: false\n---\n\n"


def source_page(path):
    text = path.read_text(encoding="utf-8").rstrip("\n")
    fence = "`" * max(4, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    language = LANGUAGES.get(path.suffix, "")
    if path.name == "CMakeLists.txt":
        language = "cmake"
    if not path.suffix and text.startswith("#!"):
        language = "bash"
    name = pages.relative(path, ROOT)
    return f"{UNSEARCHED}# {name}\n\n{fence}{language}\n{text}\n{fence}\n"


def folder_page(site, folder):
    rows = [f"{UNSEARCHED}# {pages.relative(folder, ROOT)}/", ""]
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if path.name in pages.SKIPPED_FOLDERS or path.name.startswith("."):
            continue
        address = site.address(path, "")
        name = path.name + ("/" if path.is_dir() else "")
        rows.append(f"- [{name}]({address}){about(path)}" if address else f"- {name}")
    return "\n".join(rows) + "\n"


def about(path):
    """What a page or a source says of itself first, to stand behind its name."""
    if path.is_dir():
        return ""
    text = path.read_text(encoding="utf-8")
    first = re.match(r"//+ ?((?:.|\n// ?)*?)(?:\.(?=\s)|\n(?!//)|$)", text)
    words = pages.title(text, "") if path.suffix == ".md" else (first[1] if first else "")
    words = " ".join(words.replace("\n//", " ").split())
    return f": {reference.escaped(words)}" if words else ""


# ---- the sidebar -------------------------------------------------------------------------------

def link_to(path):
    place = "/" + place_of(path).removesuffix(".md")
    return {"text": pages.title(path.read_text(encoding="utf-8"), path.stem),
            "link": re.sub(r"/index$", "/", place)}


def sidebar(site):
    """The groups of pages; and those of the reference for its own pages."""
    docs = ROOT / "docs"
    top = [path for path in site.markdown if path.parent == docs]
    groups = [("Guide", ordered(site, docs / "guide"), False),
              ("In depth", pages.in_linked_order(top, ROOT / "README.md"), False)]
    for folder in sorted(path for path in docs.iterdir() if path.is_dir()):
        if folder.name != "guide":
            name = folder.name.replace("-", " ").capitalize()
            groups.append((name, ordered(site, folder), True))
    groups.append(("The project", [path for path in site.markdown if path.parent == ROOT
                                   and path.name != "README.md"], False))
    own = [group(name, [link_to(path) for path in paths], is_long and len(paths) > 6)
           for name, paths, is_long in groups if paths]
    layers = [{"text": "All headers", "link": "/reference/"}]
    for layer, headers in site.layers.items():
        items = [{"text": header.rpartition("/")[2], "link":
                  f"/reference/{reference.page_of(header)}"} for header in headers]
        layers.append(group(layer, items, True))
    return {"/reference/": layers, "/": own}


def ordered(site, folder):
    """The pages of a folder, its README first, then as that links them."""
    index = folder / "README.md"
    found = [path for path in site.markdown if path.parent == folder and path != index]
    first = [index] if index in site.markdown else []
    return first + pages.in_linked_order(found, index)


def group(name, items, is_collapsed):
    return {"text": name, "items": items, "collapsed": is_collapsed}


def write_config(site, base):
    nav = [("Guide", "/guide/"), ("Cheat sheet", "/cheat-sheet"),
           ("Promises", "/semantics"), ("Performance", "/performance"),
           ("Reference", "/reference/")]
    config = {"title": "troupe", "description": description(), "base": base,
              "nav": [{"text": words, "link": address} for words, address in nav
                      if exists(site, address)],
              "sidebar": sidebar(site)}
    (SITE / "site.json").write_text(json.dumps(config, indent=1), encoding="utf-8")


# ---- the tools ---------------------------------------------------------------------------------

def run_doxygen():
    """Reads the headers. Returns what Doxygen has warned of."""
    step("reading the public headers")
    folder = BUILD / "doxygen"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = (HERE / "Doxyfile").read_text() + f"\nOUTPUT_DIRECTORY = {folder}\n"
    done = subprocess.run(["doxygen", "-"], cwd=ROOT, input=settings, text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise Failure(f"doxygen failed: {done.stderr.strip()}")
    return [row for row in done.stderr.splitlines()
            if row.strip() and not KNOWN_WARNING.search(row)]


def npm(*arguments, folder=SITE):
    """Runs npm, and says so where it cannot reach its registry."""
    log = BUILD / "npm.log"
    with open(log, "w", encoding="utf-8") as out:
        done = subprocess.run(["npm", *arguments, "--no-audit", "--no-fund"], cwd=folder,
                              stdout=out, stderr=out, check=False)
    if done.returncode:
        text = log.read_text(encoding="utf-8", errors="replace")
        unreachable = re.search(r"E(?:NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH)"
                                r"|ERR_SOCKET_TIMEOUT|network", text)
        raise Failure(("npm's registry cannot be reached" if unreachable else "npm failed")
                      + f"; log: {pages.relative(log, ROOT)}")


def install():
    """Puts VitePress into the project of npm, where it is not there as the lock file says."""
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = SITE / "node_modules" / ".locked"
    for name in ("package.json", "package-lock.json"):
        copy(HERE / name, SITE / name)
    if not stamp.exists() or stamp.read_bytes() != lock:
        step("installing VitePress")
        npm("ci", "--prefer-offline", "--fetch-retries=1", "--fetch-timeout=60000")
        stamp.write_bytes(lock)


def write_lock():
    """Without what names a host: which registry it is each machine says for itself."""
    npm("install", "--package-lock-only", "--omit-lockfile-registry-resolved", folder=HERE)
    path = HERE / "package-lock.json"
    lock = json.loads(path.read_text(encoding="utf-8"))
    for package in lock["packages"].values():
        package.pop("funding", None)
    path.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


def vitepress(*arguments):
    program = SITE / "node_modules" / ".bin" / "vitepress"
    return subprocess.run([program, *arguments], cwd=SITE, check=False).returncode


def serve(port):
    """Shows the site until Ctrl-C; VitePress says the address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Failure(f"port {port} is taken: choose one by --port ({error})") from error
    os.chdir(SITE)
    os.execv("node_modules/.bin/vitepress", ["vitepress", "preview", ".", "--port", str(port)])


# ---- what was built ----------------------------------------------------------------------------

class Page(html.parser.HTMLParser):
    """The links and the anchors of one page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if attrs.get("id"):
            self.anchors.add(attrs["id"])
        name = {"a": "href", "img": "src", "link": "href", "script": "src"}.get(tag)
        if name and attrs.get(name):
            self.links.add(attrs[name])


def target_of(name, path, base):
    """The file of the site that a link of the page called name means."""
    place = posixpath.join(posixpath.dirname(base + name), path)
    if place.endswith("/"):
        place += "index.html"
    elif not posixpath.splitext(place)[1]:
        place += ".html"
    place = posixpath.normpath(place)
    return place.removeprefix(base) if place.startswith(base) else place


def broken_links(base):
    """Returns page -> links that lead nowhere, for every page of the site."""
    built = {path.relative_to(HTML).as_posix(): Page(path.read_text(encoding="utf-8"))
             for path in sorted(HTML.rglob("*.html"))}
    broken = {name: [] for name in built if name != "404.html"}
    for name in broken:
        for link in sorted(built[name].links):
            if pages.is_external(link) or link.startswith("//"):
                continue
            path, _, anchor = urllib.parse.unquote(link).partition("#")
            place = target_of(name, path, base) if path else name
            is_there = place in built or (HTML / place).is_file()
            if not is_there or (anchor and place in built and anchor not in built[place].anchors):
                broken[name].append(link)
    return broken


def build(base):
    """Builds the site. Returns how many pages are right, and how many are not."""
    BUILD.mkdir(parents=True, exist_ok=True)
    warnings = run_doxygen()
    SITE.mkdir(parents=True, exist_ok=True)
    install()
    step("making the pages")
    for folder in (STAGED, HTML, SITE / ".vitepress"):
        shutil.rmtree(folder, ignore_errors=True)
    STAGED.mkdir(parents=True)
    shutil.copytree(HERE / "vitepress", SITE / ".vitepress")
    site = Site()
    site.headers = reference.read(BUILD / "doxygen" / "xml")
    site.layers = reference.write(site.headers, STAGED / "reference")
    stage(site)
    write_config(site, base)
    step("building the site")
    if vitepress("build", "."):
        raise Failure("VitePress failed, see above")
    broken = broken_links(base)
    for row in site.missing + [f"doxygen: {row}" for row in warnings]:
        print(f"FAILED: {row}")
    for name, links in broken.items():
        for link in links:
            print(f"FAILED: {name}: {link}: leads nowhere")
    failed = sum(1 for links in broken.values() if links)
    print(f"docs: {pages.relative(HTML, ROOT)}/index.html")
    return len(broken) - failed, failed + len(warnings) + len(site.missing)


def main():
    parser = argparse.ArgumentParser(prog="./dev docs", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--base", default="/")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--port", type=int, default=4173)
    parser.add_argument("--lock", action="store_true")
    options = parser.parse_args()
    try:
        if options.lock:
            BUILD.mkdir(parents=True, exist_ok=True)
            write_lock()
            return 0
        passed, failed = build(f"/{options.base.strip('/')}/".replace("//", "/"))
        print(f"{passed} passed, {failed} failed", flush=True)
        if options.serve:
            serve(options.port)
    except Failure as failure:
        print(f"FAILED: docs: {failure}")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
