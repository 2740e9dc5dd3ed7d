"""Processes that train together, by MPI: `world()` is all of them, `alone()` this one by itself.

They are started by `diptych-run -n 2 script.py`. MPI is loaded when `world()` is first asked for, and by
nothing else here.
"""

from __future__ import annotations

from shared.ranks.communicator import Communicator as Communicator
from shared.ranks.started import alone as alone, called as called, known as known, world as world

__all__ = ["Communicator", "alone", "called", "known", "world"]
