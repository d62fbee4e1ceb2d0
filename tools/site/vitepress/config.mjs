// How the pages look. What is on them, and in which order, build.py writes into site.json.

import { readFileSync } from "node:fs";

const site = JSON.parse(readFileSync(new URL("../site.json", import.meta.url), "utf8"));

// The anchor of a heading, as GitHub makes it; pages.py has the same rule.
function slug(words) {
  return words.trim().toLowerCase().replace(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-");
}

export default {
  title: site.title,
  description: site.description,
  base: site.base,
  lang: "en",
  srcDir: "pages",
  outDir: "../html",
  cacheDir: "cache",
  head: [["link", { rel: "icon", href: `${site.base}icon.svg` }]],
  markdown: {
    html: false, // What looks like a tag is text: the pages speak of C++ templates.
    anchor: { slugify: slug },
    toc: { slugify: slug },
    headers: { slugify: slug },
    config: (md) => {
      // Code by indentation looks like code between fences.
      md.renderer.rules.code_block = (tokens, ...rest) => md.renderer.rules.fence(tokens, ...rest);
    },
  },
  themeConfig: {
    nav: site.nav,
    sidebar: site.sidebar,
    search: { provider: "local" },
    outline: { level: [2, 3], label: "On this page" },
    docFooter: { prev: "Before", next: "Next" },
    darkModeSwitchLabel: "Dark",
    sidebarMenuLabel: "Pages",
    returnToTopLabel: "To the top",
    externalLinkIcon: true,
  },
};
