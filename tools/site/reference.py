"""Makes the pages of the reference, one for each public header, from what Doxygen has found.

The contracts of the headers (docs/style.md) become paragraphs that begin with their word.
"""

import collections
import dataclasses
import re
import xml.etree.ElementTree as ElementTree

import pages

# The words of a contract, in the order of docs/style.md.
WORDS = ("Requires", "Returns", "Errors", "Threads", "Cancel", "Bounds", "Source", "Differs",
         "Refuses", "Example")
MAX_COLUMNS = 88

# What operations have for the framework: shown only where a comment says something about it.
PLUMBING = {"poll", "enlist", "delist", "take", "start", "stop", "name", "await_ready",
            "await_suspend", "await_resume", "value_type", "promise_type", "operator="}


@dataclasses.dataclass
class Entry:
    """A function with its overloads, a type, a variable."""
    name: str  # As it is written in namespace troupe: `sender::send`.
    kind: str
    line: int
    parts: list  # Declarations, and what is said of them; more than one for overloads.
    members: list = dataclasses.field(default_factory=list)
    rows: list = dataclasses.field(default_factory=list)  # Fields or values: name, rest, text.


# ---- text ----------------------------------------------------------------------------------------

def plain(element):
    """The text of an element, without marks."""
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def escaped(text):
    return re.sub(r"([\\`*_\[\]<>{}|])", r"\\\1", text)


def inline(element):
    """The text of a paragraph as Markdown."""
    parts = [escaped(element.text or "")]
    for child in element:
        if child.tag == "computeroutput":
            parts.append(f"`{''.join(child.itertext())}`")
        elif child.tag == "ulink":
            parts.append(f"[{inline(child)}]({child.get('url')})")
        elif child.tag in ("ndash", "mdash"):
            parts.append("-")
        elif child.tag in ("programlisting", "itemizedlist", "orderedlist", "verbatim", "table"):
            parts.append(f"\0{block(child)}\0")  # A block of its own within the paragraph.
        elif child.tag == "sp":
            parts.append(" ")
        else:
            parts.append(inline(child))
        parts.append(escaped(child.tail or ""))
    return "".join(parts)


def block(element):
    if element.tag == "programlisting":
        rows = [code_row(row) for row in element.findall("codeline")]
        return "```cpp\n" + "\n".join(rows).strip("\n") + "\n```"
    if element.tag == "verbatim":
        return "```\n" + (element.text or "").strip("\n") + "\n```"
    mark = "- " if element.tag == "itemizedlist" else "1. "
    return "\n".join(mark + " ".join(described(item).split()) for item in element.iter("listitem"))


def code_row(row):
    text = ""
    for part in row.iter():
        if part.tag == "sp":
            text += " "
        text += part.text or ""
        if part is not row:
            text += part.tail or ""
    return text.rstrip()


def described(element):
    """The brief and the detailed description, or those of one element, as Markdown."""
    found = []
    for part in [element] if element.tag == "listitem" else (
            element.find("briefdescription"), element.find("detaileddescription")):
        for para in part.findall("para") if part is not None else ():
            found += [piece.strip() for piece in inline(para).split("\0") if piece.strip()]
    text = []
    for piece in found:
        text += [piece] if piece.startswith(("```", "- ", "1. ")) else with_contract(piece)
    return "\n\n".join(text)


def with_contract(paragraph):
    """The paragraph, and each part of a contract in it as one of its own."""
    words = "|".join(WORDS)
    paragraph = " ".join(paragraph.split())
    pieces = re.split(rf"(?:^|(?<=[.;:)`] ))({words}): *", paragraph)
    first = [pieces[0].strip()] if pieces[0].strip() else []
    return first + [f"**{word}:** {text.strip()}".strip()
                    for word, text in zip(pieces[1::2], pieces[2::2])]


# ---- declarations --------------------------------------------------------------------------------

def tidied(code):
    """Doxygen's spaces as clang-format would have them."""
    code = " ".join(code.split())
    code = re.sub(r"< (?!=|\d)", "<", code)
    while (shorter := re.sub(r"(?<=[\w>*&\])\"'.]) >(?! \d|=)", ">", code)) != code:
        code = shorter
    code = re.sub(r" (&&?|\*)(?=\.\.\.|\w|,|\)|>|$)", r"\1 ", code)
    code = re.sub(r"([&*]) (?=[,)>]|\.\.\.)", r"\1", code)
    code = re.sub(r"(?<=[A-Za-z_>]) ([&*]) (?=[A-Za-z_])", r"\1 ", code)
    code = re.sub(r"\)(?=&)", ") ", re.sub(r"\) ?= ?(?=0|delete|default)", ") = ", code))
    return code.replace("requires (", "requires(").strip()


def without_where(code):
    """The parameter by which a call tells its place is the compiler's business."""
    default = r"(?: *= *(?:std::source_location::current\(\)|\{\}))?"
    return re.sub(r",? *std::source_location where" + default, "", code)


def template_head(element):
    params = element.find("templateparamlist")
    if params is None:
        return ""
    names = []
    for param in params.findall("param"):
        text = tidied(" ".join(filter(None, (plain(param.find("type")),
                                             plain(param.find("declname"))))))
        default = plain(param.find("defval"))
        names.append(f"{text} = {tidied(default)}" if default else text)
    head = f"template <{', '.join(names)}>\n"
    clause = plain(element.find("requiresclause"))
    return head + (f"  {tidied('requires ' + clause)}\n" if clause else "")


def wrapped(code):
    """A declaration that is too long gets a line for each parameter."""
    if len(code) <= MAX_COLUMNS or "(" not in code:
        return code
    opening = code.index("(", code.index("operator()") + 10) if "operator()" in code else (
        code.index("("))
    depth, parts, current, closing = 0, [], "", len(code)
    for place in range(opening, len(code)):
        letter = code[place]
        if letter in "(<{[" and depth >= 0:
            depth += 1
            if depth == 1:
                continue
        if letter in ")>}]" and code[place - 1] != "-":
            depth -= 1
            if depth == 0:
                closing = place
                break
        if letter == "," and depth == 1:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    parts.append(current.strip())
    inner = ",\n".join(f"    {part}" for part in parts)
    return f"{code[:opening]}(\n{inner}{code[closing:]}"


def declaration(member):
    kind, name = member.get("kind"), member.findtext("name")
    args = member.findtext("argsstring") or ""
    if kind == "typedef":
        return template_head(member) + f"using {name} = {tidied(plain(member.find('type')))};"
    if kind == "define":
        params = [plain(param) for param in member.findall("param")]
        return f"#define {name}" + (f"({', '.join(params)})" if params else "")
    words = [word for word, flag in (("static", member.get("static")),
                                     ("explicit", member.get("explicit"))) if flag == "yes"]
    if member.get("virt") in ("virtual", "pure-virtual"):
        words.append("virtual")
    result = re.sub(r"\b(?:static|explicit|virtual|friend|inline)\b ?", "",
                    plain(member.find("type")))
    code = " ".join(words + [result, name + args]) if result else " ".join(words + [name + args])
    if kind == "variable":
        value = plain(member.find("initializer"))
        code += f" {value}" if value and len(value) < 40 else ""
    return template_head(member) + wrapped(without_where(tidied(code))) + ";"


# ---- entries -------------------------------------------------------------------------------------

def is_shown(member):
    """Not what is for the compiler or the framework, unless a comment speaks of it."""
    kind, name = member.get("kind"), member.findtext("name")
    if kind == "friend" or member.get("prot") == "private" or name.startswith("~"):
        return False
    if described(member):
        return True
    args = member.findtext("argsstring") or ""
    is_copy = re.match(rf"\((?:const )?{re.escape(name)} ?&&?\w* ?\w*\)", args)
    is_plumbing = name in PLUMBING or "detail::" in plain(member.find("type")) + args
    return not (is_plumbing or is_copy or re.search(r"= ?(delete|default)", args))


def entries_of(members, scope):
    """Functions of one name are one entry; one without a word of its own joins the one before."""
    found, functions = [], {}
    for member in sorted(members, key=line_of):
        if not is_shown(member):
            continue
        kind, name, text = member.get("kind"), member.findtext("name"), described(member)
        full = f"{scope}::{name}" if scope else name
        if kind == "enum":
            found.append(enumeration(member, full))
        elif kind == "function" and full in functions:
            parts = functions[full].parts
            if text:
                parts.append(([declaration(member)], text))
            else:
                parts[-1][0].append(declaration(member))
        else:
            found.append(Entry(full, kind, line_of(member), [([declaration(member)], text)]))
            if kind == "function":
                functions[full] = found[-1]
    return found


def line_of(element):
    return int(element.find("location").get("line"))


def enumeration(member, name):
    word = "enum class" if member.get("strong") == "yes" else "enum"
    code = f"{word} {name.rpartition('::')[2]};"
    entry = Entry(name, "enum", line_of(member), [([code], described(member))])
    for value in member.findall("enumvalue"):
        entry.rows.append((value.findtext("name"), "", described(value)))
    return entry


def type_entry(compound, compounds, scope):
    """A class with its members, and the classes in it behind them."""
    name = compound.findtext("compoundname").removeprefix("troupe::")
    kind = compound.get("kind")
    bases = [tidied(plain(base)) for base in compound.findall("basecompoundref")
             if base.get("prot") == "public" and "detail::" not in plain(base)]
    short = tidied(name.removeprefix(scope + "::") if scope else name)
    code = template_head(compound) + f"{kind} {short}" + (f" : public {', '.join(bases)}" if bases
                                                          else "") + ";"
    if kind == "concept":
        code = template_head(compound) + f"concept {short};"
    entry = Entry(tidied(name), kind, line_of(compound), [([code], described(compound))])
    members = [member for section in compound.findall("sectiondef")
               for member in section.findall("memberdef")]
    fields = [member for member in members if member.get("kind") == "variable"
              and member.get("static") == "no" and member.get("prot") == "public"]
    for member in sorted(fields, key=line_of):
        initial = plain(member.find("initializer")).removeprefix("=").strip()
        code = tidied(f"{plain(member.find('type'))} {member.findtext('name')}")
        entry.rows.append((code, initial, described(member)))
    entry.members = entries_of([member for member in members if member not in fields], entry.name)
    for inner in compound.findall("innerclass"):
        if inner.get("prot") != "private" and inner.get("refid") in compounds:
            nested = type_entry(compounds[inner.get("refid")], compounds, entry.name)
            if any(text for _, text in nested.parts) or any(
                    text for member in nested.members for _, text in member.parts):
                entry.members += [nested] + nested.members
                nested.members = []
    return entry


def says_something(entry):
    return any(text for _, text in entry.parts) or entry.members or entry.rows


# ---- pages ---------------------------------------------------------------------------------------

def read(folder):
    """Returns header -> entries, of all that Doxygen has written into the folder."""
    compounds = {}
    for path in sorted(folder.glob("*.xml")):
        compound = ElementTree.parse(path).getroot().find("compounddef")
        if compound is not None:
            compounds[compound.get("id")] = compound
    headers = collections.defaultdict(list)
    nested = {inner.get("refid") for each in compounds.values()
              if each.get("kind") not in ("namespace", "file")
              for inner in each.findall("innerclass")}
    for key, compound in compounds.items():
        kind, name = compound.get("kind"), compound.findtext("compoundname")
        if kind in ("class", "struct", "union", "concept") and key not in nested:
            if name.startswith("troupe::"):
                entry = type_entry(compound, compounds, "")
                if says_something(entry):
                    headers[compound.find("location").get("file")].append(entry)
        elif kind in ("namespace", "file"):
            scope = "" if kind == "file" else name.removeprefix("troupe").removeprefix("::")
            if kind == "namespace" and not name.startswith("troupe"):
                continue
            by_file = collections.defaultdict(list)
            for section in compound.findall("sectiondef"):
                for member in section.findall("memberdef"):
                    if kind == "namespace" or member.get("kind") == "define":
                        by_file[member.find("location").get("file")].append(member)
            for header, members in by_file.items():
                headers[header] += entries_of(members, scope)
    for header in [header for header in headers if "/detail/" in header]:
        layer = header.split("/")[1]  # What a private header has for all is with troupe/x/x.hpp.
        headers[f"troupe/{layer}/{layer}.hpp"] += [
            dataclasses.replace(entry, line=1_000_000 + entry.line)
            for entry in headers.pop(header)]
    return {header: sorted(entries, key=lambda entry: entry.line)
            for header, entries in headers.items()}


def cell(text):
    return re.sub(r"\s+", " ", text).strip().replace("|", r"\|")


def code_cell(text):
    return "`" + re.sub(r"(?<!\\)\|", r"\|", text) + "`" if text else ""


def rendered(entry, level):
    rows = [f"{'#' * level} `{entry.name}`", ""]
    for declarations, text in entry.parts:
        rows += ["```cpp", *declarations, "```", "", *([text, ""] if text else [])]
    if entry.rows:
        has_initial = any(initial for _, initial, _ in entry.rows)
        rows += ["| Value | Means |" if entry.kind == "enum" else
                 "| Member | Default | Means |" if has_initial else "| Member | Means |"]
        rows += ["|---|---|---|" if has_initial and entry.kind != "enum" else "|---|---|"]
        for name, initial, text in entry.rows:
            middle = f" {code_cell(initial)} |" if has_initial and entry.kind != "enum" else ""
            rows.append(f"| {code_cell(name)} |{middle} {cell(text)} |")
        rows.append("")
    for member in entry.members:
        rows += rendered(member, level + 1 if level < 3 else level)
    return rows


def target_of(header):
    """The name of the CMake target that a header belongs to."""
    return f"troupe::{header.split('/')[1] if header.startswith('troupe/') else 'actors'}"


def page_of(header):
    """The page of a header, below reference/."""
    return header.removeprefix("troupe/").removesuffix(".hpp")


def write(headers, folder):
    """Writes a page for each header, and the list of all. Returns layer -> headers."""
    layers = collections.defaultdict(list)
    for header in sorted(headers):
        layers[page_of(header).split("/")[0] if "/" in page_of(header) else "troupe"].append(header)
        rows = [f"# {header}", "", f"```cpp\n#include <{header}>\n```", "",
                f"CMake target `{target_of(header)}`.", ""]
        for entry in headers[header]:
            rows += rendered(entry, 2)
        path = folder / f"{page_of(header)}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(rows), encoding="utf-8")
    rows = ["# Reference", "", "The public headers, each with its contract, as Doxygen reads "
            "them. All names are in namespace `troupe`. Not shown is the last parameter of many "
            "functions, `std::source_location where`: by it a report knows the place of the call.",
            ""]
    for layer, paths in layers.items():
        rows += [f"## {layer}", "", "| Header | Names |", "|---|---|"]
        for header in paths:
            names = dict.fromkeys(entry.name for entry in headers[header])
            linked = ", ".join(f"[`{name}`]({page_of(header)}.md#{pages.slug(name)})"
                               for name in names if "operator" not in name and "<" not in name)
            rows.append(f"| [`{page_of(header)}.hpp`]({page_of(header)}.md) | {linked} |")
        rows.append("")
    (folder / "index.md").write_text("\n".join(rows), encoding="utf-8")
    return layers
