"""Mutation testing: wrong lines are planted one at a time, and the suite has to notice each.

`python -m tests.mutation` plants them in a copy of this tree and says which it caught; `--help` says what
else there is. The mutations are data: `rules` (derivatives), `forms` (what kernels are made of), `memory`
(whose memory a result may share or take), `infers` (shapes and dtypes, foretold), `rewritings` (patterns),
`passes` (passes, plans of memory, settings), `kinks` (choices at corners). Which tests are to catch a kind
stands in `mutation.TESTS`.

Known to survive, since no program is known that tells them from what stands there:

- `scaled.py`, a scatter that undoes any pick: no rule puts elements back by an index other than
  that by which they were picked.
- `scaled.py`, transposes that return to any order: seen only where three axes are of one size.
- `inside.py`, `where` with its sides exchanged: rules send cotangents back through `gate`.
- `groups.py`, parts cut along another axis or unequal: what fusion then reads side by side has the same bits.

Survived when they were last tried, and nobody has said why: `scaled.py`, `where` with its sides exchanged;
`fuse.py`, settings left out of the key by which fused ops are shared. (69 of the table had not been tried
yet then, and ten that survived have had tests written since without being planted again.)
"""

from __future__ import annotations

from tests.mutation import forms, infers, kinks, memory, passes, rewritings, rules
from tests.mutation.mutation import Mutation

MUTATIONS: list[Mutation] = [
    *rewritings.MUTATIONS, *passes.MUTATIONS, *rules.MUTATIONS, *forms.MUTATIONS, *memory.MUTATIONS,
    *infers.MUTATIONS, *kinks.MUTATIONS,
]  # fmt: skip
