"""A sentence as HTML."""

from __future__ import annotations

import re
from html import escape

UNIT = re.compile(r"(?<=\d) (?=(?:s|ms|µs|bytes?|kB|MB|GB)\b|%)")


def prose(text: str) -> str:
    """A sentence as HTML: `code` between backquotes, [a link](page.html) to a page of the report, the rest
    as it stands. No line is broken between a figure and its unit."""
    escaped = re.sub(UNIT, "\N{NO-BREAK SPACE}", escape(text, quote=False))
    return re.sub(r"`([^`]+)`|\[([^\[\]`]+)\]\((\w+\.html)\)", _marked, escaped)


def _marked(found: re.Match[str]) -> str:
    code, link, page = found.groups()
    return f"<code>{code}</code>" if code else f'<a href="{page}">{link}</a>'
