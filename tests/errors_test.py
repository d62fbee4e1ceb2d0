#!/usr/bin/env python3
"""Holds docs/errors.md: whatever the library prints when something is wrong has a section there.

A section is a heading, the words as a quotation, and the items Means, Cause, Confirm and Remedy.
The sources say what there has to be: each text with a code such as [T04] at its end, each
enumerator of an error code with what its category says of it, and each text that is logged as a
warning or an error. Nothing may be missing, no code stand twice, and no section be left over.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "errors.md"
STRINGS = r'(?:"(?:[^"\\]|\\.)*"\s*)+'
# Which header has an error code, and what it is called in the page. Its source is beside it.
CODES = {
    "errc": "framework/troupe/base/result",
    "ask_errc": "framework/troupe/actor/errors",
    "io::name_errc": "framework/troupe/io/resolver",
    "tls::errc": "framework/troupe/tls/errors",
    "node_errc": "framework/troupe/node/errors",
    "actors::breaker_errc": "actors/circuit_breaker",
}
ITEMS = ["Means", "Cause", "Confirm", "Remedy"]


def text_of(literals):
    """The text of string literals that stand one behind the other."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))


def sources():
    """Returns: the text of each source of the library, by its path."""
    found = [path for folder in ("framework", "actors") for path in (ROOT / folder).rglob("*.?pp")]
    return {path: path.read_text() for path in sorted(found)}


def misuses(texts):
    """Returns: problems, and the words of each code."""
    problems, words = [], {}
    for path, text in texts.items():
        for literals in re.findall(STRINGS, text):
            coded = re.fullmatch(r"(.*) \[([A-Z]\d\d)\]", text_of(literals))
            if not coded:
                continue
            if coded[2] in words:
                problems.append(f"{path}: the code {coded[2]} stands twice")
            words[coded[2]] = coded[1]
        for call in re.findall(rf"\b(?:misuse|require_executor)\(\s*({STRINGS})", text):
            if not re.search(r" \[[A-Z]\d\d\]$", text_of(call)):
                problems.append(f'{path}: a misuse without a code at its end: "{text_of(call)}"')
    return problems, words


def enumerators(name, stem):
    """Returns: what is printed in brackets, with the words, of each enumerator of an error code."""
    short = name.split("::")[-1]
    header = (ROOT / f"{stem}.hpp").read_text()
    source = (ROOT / f"{stem}.cpp").read_text()
    category = re.search(r'name\(\) const noexcept override \{ return "([\w.]+)"', source)[1]
    body = re.search(rf"enum class {short} \{{(.*?)\n\}};", header, re.DOTALL)[1]
    only = re.search(rf"message\(int\) const override \{{\s*return ({STRINGS});", source)
    words, number = {}, 0
    for each, value in re.findall(r"^\s*(\w+)(?: = (\d+))?,", body, re.MULTILINE):
        number = int(value) if value else number + 1
        said = re.search(rf"case {short}::{each}:\s*return ({STRINGS});", source) or only
        words[f"{name}::{each} [{category}:{number}]"] = text_of(said[1])
    return words


def unlisted_codes(texts):
    """Returns: the error codes that the sources have and CODES does not."""
    listed = {(ROOT / f"{stem}.hpp") for stem in CODES.values()}
    return [f"{path}: its error code is not in CODES of this test" for path, text in texts.items()
            if re.search(r"enum class \w*errc\b", text) and path not in listed]


def pattern_of(text):
    """What stands for a text that is formatted: each place is `...`."""
    return re.sub(r"\{[^}]*\}", "...", text)


def logged(texts):
    """Returns: the texts that are logged as warnings or errors, with `...` for what differs."""
    words = set()
    for text in texts.values():
        calls = rf"\blog\(\s*log_level::(?:warning|error),((?:{STRINGS}|[^;\"])*);"
        for call in re.findall(calls, text):
            for literals in re.findall(STRINGS, call):
                said = pattern_of(text_of(literals))
                if said.strip() and said != "s":  # Those of one letter are for the plural.
                    words.add(said + "..." if re.search(r": $", said) else said)
        # What goes past the log, since nothing can be relied on.
        for literals in re.findall(rf"std::fprintf\(stderr, ({STRINGS}), file, line", text):
            words.add(re.sub(r"%\w", "...", text_of(literals)).removesuffix("\\n"))
        # What is put together before it is logged, by the watch for stalls.
        for literals in re.findall(rf"std::string text = fmt::format\(\s*({STRINGS})", text):
            if " is held up for " in text_of(literals):
                words.add(pattern_of(text_of(literals)))
    return words


def sections(page):
    """Returns: problems, and the words of each section by its heading."""
    problems, words = [], {}
    section = re.compile(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
    for heading, body in section.findall(page):
        if heading in words:
            problems.append(f"the section `{heading}` stands twice")
        words[heading] = " ".join(re.findall(r"^> (.*)$", body, re.MULTILINE))
        items = re.findall(r"^- (\w+): \S", body, re.MULTILINE)
        if items != ITEMS:
            problems.append(f"the section `{heading}` has {items} instead of {ITEMS}")
    return problems, words


def problems_of(texts, page):
    """Returns: what is wrong, one line each."""
    problems, wanted = misuses(texts)
    problems += unlisted_codes(texts)
    for name, stem in CODES.items():
        wanted |= enumerators(name, stem)
    more, there = sections(page)
    problems += more
    lines = logged(texts)
    for heading, words in wanted.items():
        if heading not in there:
            problems.append(f"no section `{heading}`: {words}")
        elif there[heading] != words:
            problems.append(f"`{heading}` says: {there[heading]}\n  but the sources: {words}")
    of_log = {words for heading, words in there.items() if heading not in wanted}
    problems += [f"no section with the words of a line in the log: {each}"
                 for each in sorted(lines - of_log)]
    problems += [f"a section is left over: {each}" for each in sorted(of_log - lines)]
    return problems


def self_test(texts, page):
    """Each kind of mistake is found. Returns: what is not."""
    path = next(iter(texts))
    added = {
        "a code that stands twice": ('misuse("again [T04]");', page),
        "a misuse without a code": ('misuse("no code");', page),
        "a code without a section": ('misuse("one more [T99]");', page),
        "a line in the log without a section": ('log(log_level::error, "it burns");', page),
        "an error code that is not known": ("enum class other_errc { no = 1 };", page),
        "a section that is left over": ("", page + "\n### T98\n\n> gone\n"),
        "a section without a remedy": ("", page.replace("- Remedy:", "- So:", 1)),
        "other words": ("", page.replace("\n> a task was awaited", "\n> a job was awaited", 1)),
        "a section that is missing": ("", page.replace("### ask_errc::deadlock", "### gone", 1)),
    }
    return [f"not found: {what}" for what, (source, changed) in added.items()
            if not problems_of(texts | {path: texts[path] + source}, changed)]


def main():
    texts, page = sources(), PAGE.read_text()
    problems = problems_of(texts, page) or self_test(texts, page)
    return "\n".join(problems) if problems else 0


if __name__ == "__main__":
    sys.exit(main())
