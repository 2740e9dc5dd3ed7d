"""What a page says about the scripts."""

from __future__ import annotations

from comparisons.quantities import count, number


def scripts(counts: tuple[int, int, int]) -> str:
    """How much of two scripts is the same; the counts are of lines that both have, that only
    dynamic has, that only static has."""
    same, dynamic, static = counts
    return (
        f"{count(same, 'line is', 'lines are')} the same on both sides; {number(dynamic)} belong to dynamic "
        f"alone, {number(static)} to static alone. Dynamic's own lines compute: each is done when Python has "
        "passed it. Static's describe: what they make has a shape and a dtype, but no value, until "
        "the session runs it with arrays in the place of its placeholders."
    )
