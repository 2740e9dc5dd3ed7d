"""Kinds of fault that are known and not mended yet: the grammar leaves out what shows them.

Each has programs in `corpus/`, and a test asserts that they still fail: what is mended must leave this
table. It is empty when the law holds.
"""

from __future__ import annotations

KNOWN: dict[str, str] = {
    "D14": "sums over a leading axis add one by one",
    "D15": "formulas that lose their digits at the edges of float32",
    "D16": "float16 overflows in the middle of a formula",
    "D18": "Python floats and NumPy scalars in promotion",
    "E23": "a setting that is changed after the graph was built is ignored",
}
