"""A report is short: what a default run's pages say in prose is counted."""

from __future__ import annotations

from html.parser import HTMLParser

MOST = 20_000
"""Words of all pages together, an hour's reading."""

APART = {"script", "style", "svg", "pre", "samp", "table", "title"}
"""What is no prose: code, what a program said, tables and drawings."""
ROWS = {"title", "cells", "head", "signs"}
"""Classes of the rows of a `matrix`, which is a table, too, though its rows can be opened."""
LOOKED_UP = {"unseen", "facts", "glossary"}
"""Classes of what is not read in passing: what only a screen reader says, the machine's facts, words."""

EMPTY = {"meta", "link", "br", "wbr", "input", "img", "hr", "path", "circle", "rect"}


class Prose(HTMLParser):
    """Collects the words of a page outside of code and tables, those in closed details among them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, set[str]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in EMPTY:
            self.open.append((tag, set((dict(attrs).get("class") or "").split())))

    def handle_endtag(self, tag):
        while tag not in EMPTY and self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        in_table = any("matrix" in classes for _, classes in self.open)
        apart = LOOKED_UP | ROWS if in_table else LOOKED_UP
        if not any(tag in APART or classes & apart for tag, classes in self.open):
            self.words += [word for word in data.split() if any(map(str.isalnum, word))]


def words(page):
    parser = Prose()
    parser.feed(page)
    return parser.words


def test_words_are_counted_in_folded_prose_too_and_not_in_code_or_tables():
    page = """<body><p>Two words.<details><summary>One</summary><p>two <code>x</code></p></details>
        <pre>no no</pre><table><tr><td>no</td></tr></table><svg><text>no</text></svg>
        <dl class="glossary">no</dl>
        <div class="matrix"><details><summary><b class="title">no</b></summary>Three</details></div></body>"""
    assert words(page) == ["Two", "words.", "One", "two", "x", "Three"]


def test_all_pages_of_a_default_run_together_are_an_hours_reading(every_page):
    counted = {name: len(words(text)) for name, text in every_page.items()}
    assert len(counted) > 40 and all(counted.values())
    assert sum(counted.values()) <= MOST, sorted(counted.items(), key=lambda one: -one[1])[:12]
