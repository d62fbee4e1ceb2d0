#!/usr/bin/env python3
"""Tests how ./dev docs makes its pages: links, names, the sidebar, contracts. Needs no node."""

import json
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "site"))

import build  # noqa: E402  (found by the path above)
import contract_filter  # noqa: E402
import pages  # noqa: E402
import reference  # noqa: E402

FILES = {
    "README.md": "# troupe\n\nWhat it is,\nin short.\n\n[b](docs/b.md) [a](docs/a.md)\n",
    "CMakeLists.txt": 'project(troupe DESCRIPTION "Small words")\n',
    "docs/a.md": "# The first\n\n## At `all`\n",
    "docs/b.md": "# The `second`\n",
    "docs/c.md": "# Nobody links it\n",
    "docs/guide/README.md": "# Guide\n\n[z](z.md)\n",
    "docs/guide/a.md": "# Chapter two\n",
    "docs/guide/z.md": "# Chapter one\n",
    "docs/guide/images/i.svg": "<svg/>",
    "samples/one.cpp": "// Does <one>\n// thing. And more.\nint main() {}\n",
    "samples/data.bin": "x",
    "framework/troupe/task/spawn.hpp": "",
}


class on_a_small_tree(unittest.TestCase):
    """A repository of a few files stands in for this one."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        for name, text in FILES.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        places = {"ROOT": self.root, "STAGED": self.root / "build" / "pages",
                  "HTML": self.root / "build" / "html", "SITE": self.root / "build"}
        for name, path in places.items():
            self.addCleanup(setattr, build, name, getattr(build, name))
            setattr(build, name, path)
            path.mkdir(parents=True, exist_ok=True)
        self.site = build.Site()
        self.site.headers = {"troupe/task/spawn.hpp": []}

    def linked(self, text, page="docs/guide/a.md"):
        return self.site.with_links(text, self.root / page)


class links(on_a_small_tree):
    def test_a_link_to_a_page_leads_to_its_place(self):
        self.assertEqual(self.linked("[a](../a.md#at-all)"), "[a](/a.md#at-all)")
        self.assertEqual(self.linked("[a](../../README.md)"), "[a](/index.md)")
        self.assertEqual(self.linked("[a](.)"), "[a](/guide/index.md)")

    def test_a_link_to_a_header_leads_to_the_reference(self):
        self.assertEqual(self.linked("[a](../../framework/troupe/task/spawn.hpp)"),
                         "[a](/reference/task/spawn.md)")

    def test_a_link_to_a_source_makes_a_page_of_it(self):
        self.assertEqual(self.linked("[a](../../samples/one.cpp#L1)"),
                         "[a](/source/samples/one.cpp.md)")
        self.assertEqual(self.site.wanted, [self.root / "samples" / "one.cpp"])

    def test_a_folder_lists_what_lies_in_it_and_wants_it(self):
        text = build.folder_page(self.site, self.root / "samples")
        self.assertIn("- [one.cpp](/source/samples/one.cpp.md): Does \\<one\\> thing\n", text)
        self.assertIn("- data.bin\n", text)

    def test_a_link_to_what_cannot_be_shown_becomes_text(self):
        self.assertEqual(self.linked("see [the data](../../samples/data.bin)."), "see the data.")

    def test_a_link_to_no_file_is_told_and_becomes_text(self):
        self.assertEqual(self.linked("see [the page](none.md)."), "see the page.")
        self.assertEqual(self.site.missing, ["docs/guide/a.md: none.md: no such file"])

    def test_a_picture_is_copied(self):
        self.assertEqual(self.linked("![i](images/i.svg)"), "![i](/guide/images/i.svg)")
        self.assertTrue((build.STAGED / "guide" / "images" / "i.svg").exists())

    def test_addresses_and_code_are_left_alone(self):
        for text in ("[a](https://example.com/a.md)", "`[a](../a.md)`", "[a](#here)"):
            self.assertEqual(self.linked(text), text)

    def test_a_name_as_code_is_linked_but_not_in_blocks_nor_headings(self):
        self.assertEqual(self.linked("`troupe/task/spawn.hpp`, `task/spawn.hpp`, `docs/none.md`"),
                         "[`troupe/task/spawn.hpp`](/reference/task/spawn.md), "
                         "[`task/spawn.hpp`](/reference/task/spawn.md), `docs/none.md`")
        self.assertEqual(self.linked("`samples/`"), "[`samples/`](/source/samples/index.md)")
        for text in ("## `samples/`", "```\n`samples/`\n```", "[`samples/`](#here)"):
            self.assertEqual(self.linked(text), text)

    def test_two_pages_at_one_place_are_refused(self):
        self.site.put("a.md", "")
        with self.assertRaises(build.Failure):
            self.site.put("a.md", "")


class order(on_a_small_tree):
    def test_the_sidebar_follows_the_links_and_has_all_pages(self):
        groups = {group["text"]: [item["text"] for item in group["items"]]
                  for group in build.sidebar(self.site)["/"]}
        self.assertEqual(groups, {"Guide": ["Guide", "Chapter one", "Chapter two"],
                                  "In depth": ["The second", "The first", "Nobody links it"]})

    def test_the_start_page_offers_only_what_exists(self):
        text = build.start_page(FILES["README.md"], self.site)
        hero = json.loads(text.split("hero: ")[1].split("\n")[0])
        self.assertEqual([way["text"] for way in hero["actions"]], ["Guide", "Reference"])
        self.assertEqual(hero["tagline"], "What it is, in short.")


class what_was_built(on_a_small_tree):
    def broken(self, link, base="/"):
        (build.HTML / "guide").mkdir(exist_ok=True)
        (build.HTML / "index.html").write_text('<h1 id="top">x</h1>', encoding="utf-8")
        (build.HTML / "guide" / "a.html").write_text(f'<a href="{link}">x</a>', encoding="utf-8")
        return build.broken_links(base)["guide/a.html"]

    def test_links_that_lead_somewhere_are_right(self):
        for link in ("/", "/#top", "../index.html#top", "/guide/a", "#", "https://example.com/"):
            self.assertEqual(self.broken(link), [], link)
        self.assertEqual(self.broken("/troupe/guide/a.html", "/troupe/"), [])

    def test_links_that_lead_nowhere_are_told(self):
        for link in ("/none", "/guide/", "/#none", "b.html", "/index.css", "#none"):
            self.assertEqual(self.broken(link), [link], link)
        self.assertEqual(self.broken("/guide/a.html", "/troupe/"), ["/guide/a.html"])


class contracts(unittest.TestCase):
    def test_the_filter_marks_the_code_of_an_example_and_keeps_the_lines(self):
        text = ("namespace troupe::inline v0_1::net {\n"
                "/// Does it.\n/// Example:\n///     do_it();\n///     again();\nvoid do_it();\n")
        self.assertEqual(contract_filter.filtered(text),
                         "namespace troupe::net {\n/// Does it.\n/// Example: @code{.cpp}\n"
                         "///     do_it();\n///     again(); @endcode\nvoid do_it();\n")

    def test_each_word_of_a_contract_begins_a_paragraph(self):
        said = "Waits. Returns: the next one; empty at the end. Errors: `closed`. Cancel: nothing."
        self.assertEqual(reference.with_contract(said),
                         ["Waits.", "**Returns:** the next one; empty at the end.",
                          "**Errors:** `closed`.", "**Cancel:** nothing."])
        self.assertEqual(reference.with_contract("The word Returns: is no contract here"),
                         ["The word Returns: is no contract here"])

    def test_code_is_set_as_it_is_written_here(self):
        for given, wanted in (
                ("ref< A > &", "ref<A>&"), ("Args &&... args", "Args&&... args"),
                ("const std::vector< ref< A > > &all", "const std::vector<ref<A>>& all"),
                ("const sender &other", "const sender& other"), ("A && B", "A && B"),
                ("core & self()", "core& self()"), ("ref< A > * all", "ref<A>* all"),
                ("requires (sizeof...(T) > 0)", "requires(sizeof...(T) > 0)")):
            self.assertEqual(reference.tidied(given), wanted)

    def test_the_place_of_a_call_is_not_shown(self):
        where = "std::source_location where=std::source_location::current()"
        self.assertEqual(reference.without_where(f"(F&& f, {where})"), "(F&& f)")
        self.assertEqual(reference.without_where(f"({where})"), "()")
        self.assertEqual(reference.without_where("(std::source_location where={})"), "()")

    def test_a_long_declaration_has_a_line_for_each_parameter(self):
        name = "a_function_of_a_long_name_that_needs_room"
        self.assertEqual(
            reference.wrapped(f"void {name}(std::map<int, int> first, std::string second_of_both)"),
            f"void {name}(\n    std::map<int, int> first,\n    std::string second_of_both)")

    def test_overloads_without_words_join_the_one_before(self):
        members = [ElementTree.fromstring(
            f"<memberdef kind='function' prot='public'><type>void</type><name>{name}</name>"
            f"<argsstring>({args})</argsstring><briefdescription>{said}</briefdescription>"
            f"<location line='{line}'/></memberdef>")
            for line, (name, args, said) in enumerate((
                ("send", "int a", "<para>Sends. Errors: none.</para>"), ("send", "char a", ""),
                ("poll", "", ""), ("send", "long a", "<para>The same.</para>")))]
        found = reference.entries_of(members, "sender")
        self.assertEqual([entry.name for entry in found], ["sender::send"])
        self.assertEqual(found[0].parts, [
            (["void send(int a);", "void send(char a);"], "Sends.\n\n**Errors:** none."),
            (["void send(long a);"], "The same.")])


class anchors(unittest.TestCase):
    def test_they_are_those_of_github(self):
        self.assertEqual(pages.anchors("# Two `task<T>`s, *now*\n\n# join_set\n\n# join_set\n"),
                         {"two-taskts-now", "join_set", "join_set-1"})


if __name__ == "__main__":
    unittest.main()
