"""A rank that does not come to where others wait for it: late, ended, or ended in an error."""

import sys
import time

import numpy as np

import dynamic
from shared import ops, ranks
from shared.errors import CollectiveError
from tests.ranks.launched import say

comm = ranks.world(limit=2.0 if sys.argv[1] == "late" else 30)
x = dynamic.tensor(np.ones(3, "float32"))
ops.all_reduce(x)
started = time.monotonic()
if comm.rank == 1:
    if sys.argv[1] == "late":
        time.sleep(5)
    if sys.argv[1] == "raised":
        print(1 / (comm.rank - 1))
    sys.exit()
try:
    ops.all_gather(x)
except CollectiveError as error:
    say(0, error=[type(error).__name__, str(error)], seconds=time.monotonic() - started)
