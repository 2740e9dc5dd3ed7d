"""Kinds of fault that are known and not mended yet: the grammar leaves out what shows them.

Each has programs in `corpus/`, and a test asserts that they still fail: what is mended must leave this
table. It is empty when the law holds.
"""

from __future__ import annotations

KNOWN: dict[str, str] = {}
