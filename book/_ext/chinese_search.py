"""Sphinx extension: the search finds Chinese words wherever in a sentence they stand.

Chinese has no spaces, and Sphinx would keep a whole clause as one word. Here a run of Chinese
characters is kept as its characters and its pairs of neighbours, and what a reader asks for is cut
the same way: 注意力 is asked for as 注意 and 意力. A page is found if it has every pair.

The Chinese name of a term in a glossary ("attention", "注意力: a weighted average ...") becomes an
entry of the index too, so that the search leads to the term itself.
"""

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.search.en import SearchEnglish
from sphinx.transforms import SphinxTransform

CHINESE = "㐀-䶿一-鿿豈-﫿"
PARTS = re.compile(f"[{CHINESE}]+|[^{CHINESE}]+")
NAME = re.compile(rf"([^:：]*[{CHINESE}][^:：]*)[:：]")
HEADING = "中文"  # of the Chinese names in the index

# What the page's script does with a query. Sphinx would mark each pair by itself in what it found,
# and asks for excerpts, which a browser refuses where pages are files in a folder.
SPLIT_QUERY = r"""
var splitWords = (query) => query.split(/[^\p{Letter}\p{Number}_\p{Emoji_Presentation}]+/gu)
  .flatMap((word) => word.match(/[CHINESE]+|[^CHINESE]+/g) || []);
var splitQuery = (query) => splitWords(query).flatMap((word) => {
  if (word.length < 2 || !/[CHINESE]/.test(word)) return [word];
  return [...word].slice(1).map((character, i) => word[i] + character);
});
if (typeof Search !== "undefined") {
  const parseQuery = Search._parseQuery;
  Search._parseQuery = (query) => {
    const parsed = parseQuery(query), marked = new Set(parsed[3]);
    splitWords(query).filter((word) => /[CHINESE]/.test(word)).forEach((word) => {
      splitQuery(word).forEach((pair) => marked.delete(pair));
      marked.add(word);
    });
    parsed[3] = marked;
    localStorage.setItem("sphinx_highlight_terms", [...marked].join(" "));
    return parsed;
  };
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
""".replace("CHINESE", CHINESE)


class SearchWithChinese(SearchEnglish):
    """English words as always, Chinese ones by pairs."""

    js_splitter_code = SPLIT_QUERY

    def split(self, input: str) -> list[str]:
        found = []
        for word in super().split(input):
            for part in PARTS.findall(word):
                if re.match(f"[{CHINESE}]", part):
                    found += [*part, *(part[i : i + 2] for i in range(len(part) - 1))]
                else:
                    found.append(part)
        return found


class ChineseNames(SphinxTransform):
    """Give the terms of a glossary a second entry in the index."""

    default_priority = 400  # before Sphinx collects the entries

    def apply(self, **_: Any) -> None:
        for glossary in self.document.findall(addnodes.glossary):
            for item in glossary.findall(nodes.definition_list_item):
                name = NAME.match(item[-1].astext())
                entry = next(item.findall(addnodes.index), None)
                if name and entry is not None:
                    target = entry["entries"][0][2]
                    entry["entries"].append(("single", name[1].strip(), target, "main", HEADING))


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_search_language(SearchWithChinese)
    app.add_transform(ChineseNames)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
