"""python -m tests.fuzz CALLS [SEED]: prints what was wrong, and exits with 1 if anything was.

Wrong is: an exception that is not of Diptych's tree (but for what the caller's own functions raise), one that
does not name the call, the end of the process, and, where nothing else runs, more than a second of CPU time.
Calls are made in batches, each by a process of its own, which may take 4 GiB of memory.
"""

from __future__ import annotations

import collections
import gc
import os
import random
import re
import resource
import sys
import tempfile
import time
import traceback
import warnings
from typing import Any

import numpy as np

import static
from shared.errors import DiptychError
from shared.op import TABLE
from tests.fuzz.calls import METHODS, SPACES, Template, drawn, templates

BATCH = 500
MEMORY = 4 << 30
SECONDS = 1.0
CPU = 30
"""Seconds for a batch, which usually takes one or two."""


def wrong(call: Template, error: BaseException) -> str:
    """What is wrong with an error, if anything."""
    if isinstance(error, ZeroDivisionError) and str(error) == "the caller's own":
        return ""
    last = traceback.extract_tb(error.__traceback__)[-1]
    if os.path.basename(last.filename) == "calls.py":  # in a function that a call is given
        return ""
    where = f"{os.path.basename(last.filename)}:{last.lineno}"
    if call.method and where.startswith("__main__") and f"{call.function.__name__}()" in str(error):
        return ""  # the number of arguments, of a method that is called too often for a door before it
    if not isinstance(error, DiptychError):
        return f"{call.name}: {type(error).__name__} at {where}: {str(error)[:100]}"
    if not _names(call, error.message):
        return f"{call.name}: not named ({where}): {error.message[:100]}"
    return ""


def _names(call: Template, message: str) -> bool:
    """Whether a message is about a call; that of a layer or a method may be about one that it makes."""
    name = call.name
    if name.lower() in message.lower() or (call.method and re.match(r"[A-Za-z_][\w.]*[:(]", message)):
        return True
    if name[0].isupper() or name in METHODS:
        head = re.match(r"\w*", message)
        return head is not None and head[0] in OPS
    return False


OPS = {*TABLE, *(name for space in SPACES for name in space.__all__)}


def shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array({value.dtype}, {value.shape})"
    text = repr(value).replace("\n", " ")
    return text if len(text) < 60 else text[:57] + "..."


def one(seed: int, slow: bool) -> str:
    """What is wrong with the call of a seed, if anything."""
    with static.Graph().as_default():
        call = drawn(random.Random(seed))
        said = ""
        start = time.process_time()
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found = call.function(*call.args, **dict(call.settings))
                del found
        except Exception as error:
            said = wrong(call, error)
        seconds = time.process_time() - start
    if not said and slow and seconds > SECONDS:
        said = f"{call.name}: takes {seconds:.1f} s"
    if said:
        given = ", ".join([shown(x) for x in call.args] + [f"{k}={shown(v)}" for k, v in call.settings])
        return f"{said}  [{seed}: {call.name}({given})]"
    return ""


def batch(first: int, count: int, slow: bool) -> list[str]:
    """The same of many, by a process that may end."""
    ours, its = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115  the child ends with it
        ended = 1
        try:
            with os.fdopen(its, "w") as out:
                for seed in range(first, first + count):
                    print(f"?{seed}", file=out, flush=True)
                    if said := one(seed, slow):
                        print(said.replace("\n", " "), file=out, flush=True)
            ended = 0
        finally:
            os._exit(ended)  # and nothing of what this process would do at its end
    os.close(its)
    with os.fdopen(ours) as answers:
        lines = answers.read().splitlines()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found = [line for line in lines if not line.startswith("?")]
    if status:
        last = next(line for line in reversed(lines) if line.startswith("?"))
        done = int(last[1:])
        found.append(f"the process ended with {status} at seed {done}")
        found += batch(done + 1, first + count - done - 1, slow) if done + 1 < first + count else []
    return found


def main(calls: int, seed: int) -> int:
    """The exit status."""
    templates()
    gc.freeze()
    start, found = time.perf_counter(), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # for what is written under names that are garbage
        for first in range(seed, seed + calls, BATCH):
            found += batch(first, min(BATCH, seed + calls - first), slow=calls > 10_000)
    kinds = collections.Counter(line.partition("  [")[0] for line in found)
    examples = {line.partition("  [")[0]: line for line in found}
    for kind, count in kinds.most_common():
        print(f"{count:5} {examples[kind]}")
    print(
        f"{calls:,} calls of {len(templates())} functions in {time.perf_counter() - start:.0f} s: "
        f"{len(found)} wrong, of {len(kinds)} kinds"
    )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
