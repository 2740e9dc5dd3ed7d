"""A sentence as HTML."""

from __future__ import annotations

import re
from html import escape


def prose(text: str) -> str:
    """A sentence as HTML: `code` between backquotes, [a link](page.html) to a page of the report, the rest
    as it stands."""
    escaped = escape(text, quote=False)
    return re.sub(r"`([^`]+)`|\[([^\[\]`]+)\]\((\w+\.html)\)", _marked, escaped)


def _marked(found: re.Match[str]) -> str:
    code, link, page = found.groups()
    return f"<code>{code}</code>" if code else f'<a href="{page}">{link}</a>'
