"""docs/kinks.md says what the table of kinks says now."""

from __future__ import annotations

from docs.kinks_page import PAGE, page


def test_the_page_of_kinks_is_up_to_date() -> None:
    assert page() == PAGE.read_text(encoding="utf-8"), "write it anew: python -m docs.kinks_page"
