"""What the Markdown pages of this repository say: their links, anchors and titles.

Used by build.py, which makes the site of them, and by tests/links_test.py.
"""

import pathlib
import re

SKIPPED_FOLDERS = {"build", "node_modules", "__pycache__", "corpus", "target"}


def all_pages(root):
    """The Markdown files below root, without what is built or hidden."""
    for path in sorted(root.rglob("*.md")):
        parts = path.relative_to(root).parts
        if not (SKIPPED_FOLDERS & set(parts) or any(part.startswith(".") for part in parts)):
            yield path


def blanked(text):
    """Blanks of the same length, so that positions and lines stay where they are."""
    return re.sub(r"[^\n]", " ", text)


def prose(text):
    """The text with comments and code of all kinds blanked."""
    text = re.sub(r"<!--.*?-->", lambda found: blanked(found[0]), text, flags=re.DOTALL)
    rows, fence, is_in_list, was_blank = [], None, False, True
    for row in text.split("\n"):
        mark = re.match(r"^\s*(`{3,}|~{3,})", row)
        if fence:
            if mark and mark[1].startswith(fence) and row.strip() == mark[1]:
                fence = None
            row = blanked(row)
        elif mark:
            fence, row = mark[1], blanked(row)
        elif row.startswith("    ") and was_blank and not is_in_list:
            row = blanked(row)  # Code by indentation; what follows it is blank or code, too.
        elif row and not row[0].isspace():
            is_in_list = bool(re.match(r"([-*+]|\d+[.)])\s", row))
        was_blank = not row.strip()
        rows.append(row)
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", lambda found: blanked(found[0]),
                  "\n".join(rows), flags=re.DOTALL)


def links(text):
    """Yields (start, end, target) of each link and image."""
    text = prose(text)
    inline = r'\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\))?[^()\s<>]*)>?(?:\s+"[^"]*")?\s*\)'
    definition = r"^ {0,3}\[[^\]^]+\]:\s*(\S+)"
    for pattern in (inline, definition):
        for found in re.finditer(pattern, text, re.MULTILINE):
            yield found.start(1), found.end(1), found[1]


def is_external(target):
    return bool(re.match(r"[a-z][a-z0-9+.-]*:", target))


def headings(text):
    """Yields (level, words) of each heading, without its marks."""
    for row, shown in zip(text.split("\n"), prose(text).split("\n")):
        if found := re.match(r"^(#{1,6})\s+(.*?)\s*#*$", row):
            if re.match(r"^#{1,6}\s", shown):
                words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", found[2])
                words = re.sub(r"`+", "", words)
                words = re.sub(r"(\*\*|\*|(?<!\w)_|_(?!\w))(?=\S)|(?<=\S)(\*\*|\*)", "", words)
                yield len(found[1]), words


def slug(words):
    """The anchor of a heading, as GitHub makes it; config.mjs has the same rule."""
    return re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")


def anchors(text):
    seen, found = {}, set()
    for _, words in headings(text):
        name = slug(words)
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.add(f"{name}-{count}" if count else name)
    return found | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))


def title(text, otherwise):
    return next((words for _, words in headings(text)), otherwise)


def linked_pages(page):
    """The Markdown files that a page links, in the order of their first links; one that links a
    folder links its pages."""
    if not page.exists():
        return []
    order = []
    for _, _, target in sorted(links(page.read_text(encoding="utf-8"))):
        if is_external(target) or target.startswith("#"):
            continue
        path = (page.parent / target.partition("#")[0]).resolve()
        for each in sorted(path.glob("*.md")) if path.is_dir() else [path]:
            if each.suffix == ".md" and each not in order:
                order.append(each)
    return order


def in_linked_order(paths, index):
    """The paths, first those that the index links, then the others by name."""
    order = {path: place for place, path in enumerate(linked_pages(index))}
    return sorted(paths, key=lambda path: (order.get(path.resolve(), len(order)), path.name))


def relative(path, root):
    return pathlib.Path(path).resolve().relative_to(pathlib.Path(root).resolve()).as_posix()
