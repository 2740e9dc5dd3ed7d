"""Source as HTML, and two sources side by side."""

from __future__ import annotations

import re
from html import unescape

from comparisons.report.look.listing import highlighted, shared_lines, side_by_side

LEFT = """import dynamic

for x in data:
    y = f(x)
    y.backward()
"""
RIGHT = """import static

with session:
    for x in data:
        session.run(y)
"""


def text(line):
    return unescape(re.sub(r"<[^>]*>", "", line))


def test_highlighting_changes_no_character():
    source = 'def f(a):\n    """Two\n    lines <&>."""\n'
    source += '    return "x" + f"{a:.2f}" if a < 1.5 else None  # why\n'
    lines = highlighted(source)
    assert "\n".join(map(text, lines)) + "\n" == source
    assert '<span class="k">def</span>' in lines[0]
    assert '<span class="s">' in lines[1]
    assert '<span class="s">' in lines[2]
    assert '<span class="n">1.5</span>' in lines[3]
    assert '<span class="c"># why</span>' in lines[3]


def test_what_is_not_whole_python_is_shown_plainly():
    assert highlighted("for x in (1 <\n") == ["for x in (1 &lt;"]


def test_equal_lines_face_each_other_whatever_their_indentation():
    left, right = side_by_side(LEFT, RIGHT)
    assert len(left) == len(right)
    facing = [
        (text(a.html), text(b.html))
        for a, b in zip(left, right, strict=True)
        if a.mark == b.mark == "same" and a.html and b.html
    ]
    assert facing == [("for x in data:", "    for x in data:")]


def test_lines_of_one_side_alone_are_marked_and_faced_by_nothing():
    left, right = side_by_side(LEFT, RIGHT)
    assert [text(row.html) for row in left if row.mark == "own"] == [
        "import dynamic", "    y = f(x)", "    y.backward()",
    ]  # fmt: skip
    assert [text(row.html) for row in right if row.mark == "own"] == [
        "import static", "with session:", "        session.run(y)",
    ]  # fmt: skip
    assert shared_lines(LEFT, RIGHT) == (1, 3, 3)
