"""Mutation testing: wrong lines are planted one at a time, and the suite has to notice each.

`python -m tests.mutation` plants them in a copy of this tree and says which it caught; `--help` says what
else there is. The mutations are data: `rules` (derivatives), `forms` (what kernels are made of), `memory`
(whose memory a result may share or take), `infers` (shapes and dtypes, foretold), `rewritings` (patterns),
`passes` (passes, plans of memory, messages, settings), `kinks` (choices at corners). Which tests are to
catch a kind stands in `mutation.TESTS`.

Known to survive, since no program is known that tells them from what stands there:

- `scaled.py`, a scatter that undoes any pick: no rule puts elements back by an index other than
  that by which they were picked.
- `scaled.py`, transposes that return to any order: seen only where three axes are of one size.
- `groups.py`, parts cut along another axis or unequal: what fusion then reads side by side has the same bits.
- `patterns.py`, a setting that is named twice matches any two: no pattern names one twice.
- `fold.py`, constants that do not fit what was foretold: that they fit is law 1.
- `hoist.py`, a product with a weight of any axes leaves its loop: where that is another product, it has not
  the shape that is expected, and stays.
- `rows.py`, rows of another dtype than the product's are put together: NumPy widens them before it, too.
- `fuse.py`, fused ops are shared by forms alone: of one form there is one object for each dtype and text.
- `recompute.py`, what the step that holds most needs is looked at, too: to compute it again frees nothing
  there, so it is not taken.
- `forms.py`, whole numbers that no double holds are handed: NumPy, too, takes them by way of a double.

Each of 473 has been planted: 463 were caught, and the ten above survive.
"""

from __future__ import annotations

from tests.mutation import forms, infers, kinks, memory, passes, rewritings, rules
from tests.mutation.mutation import Mutation

MUTATIONS: list[Mutation] = [
    *rewritings.MUTATIONS, *passes.MUTATIONS, *rules.MUTATIONS, *forms.MUTATIONS, *memory.MUTATIONS,
    *infers.MUTATIONS, *kinks.MUTATIONS,
]  # fmt: skip
