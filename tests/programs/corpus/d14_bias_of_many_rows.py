"""D14: bias of many rows."""

from shared import ops
from tests.programs.numbers import long

long(lambda x: ops.mean(x, axis=0), (1_000_000, 2), 0.1, terms=1_000_000)
