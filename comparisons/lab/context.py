"""Context: what an experiment is given to run with, and to measure with fairly.

Each meter is a call of its own, so that none disturbs another: whatever is timed is timed alone,
memory is counted in another call, kernels in a third.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from comparisons.statistics.effect import LEAST
from comparisons.statistics.spread import spread
from comparisons.statistics.tally import tally
from shared.durable import files
from shared.watch.hooks import Event, Hook, watching

T = TypeVar("T")
_HOME = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Context:
    """How an experiment is to be run, and its meters.

    full   whether there is time: more sizes, more rounds
    seed   decides everything random; `nn.manual_seed(seed)` has been called
    note   tells who watches, in a few words, what is being done
    """

    full: bool = False
    seed: int = 0
    note: Callable[[str], None] = lambda text: None

    def pick(self, quick: T, full: T) -> T:
        """The one or the other, by how much time there is."""
        return full if self.full else quick

    @property
    def rounds(self) -> int:
        """How many samples of what is timed: enough for a verdict, in a full run more."""
        return self.pick(LEAST, 31)

    def time(
        self,
        calls: Mapping[str, Callable[[], object]],
        rounds: int | None = None,
        at_least: float | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Seconds that one call takes, as a spread over rounds, for each of `calls` by name.

        They take turns, in alternating order, `rounds` times (default: 15, in a full run 31; with fewer
        than 15 nobody is ever ahead), after one turn that does not count. In its turn a call is repeated
        until `at_least` seconds have passed (default: a millisecond, in a full run two), and what counts
        is the mean.
        """
        repeats, least = {}, self.pick(1e-3, 2e-3) if at_least is None else at_least
        for name, call in calls.items():
            call()
            start = perf_counter()
            call()
            repeats[name] = max(1, min(round(least / (perf_counter() - start)), 100_000))
        samples: dict[str, list[float]] = {name: [] for name in calls}
        for turn in range(rounds or self.rounds):
            gc.collect()
            for name in [*calls] if turn % 2 == 0 else reversed([*calls]):
                call, many = calls[name], range(repeats[name])
                start = perf_counter()
                for _ in many:
                    call()
                samples[name].append((perf_counter() - start) / repeats[name])
        return {name: spread(found) for name, found in samples.items()}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within the block the garbage collector looks at nothing that stood before it: else an experiment
        would take the longer, the more the process has done before."""
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            gc.unfreeze()

    @property
    def counts(self) -> int:
        """How often bytes are counted, each time from the beginning."""
        return self.pick(3, 5)

    def held(self, make: Callable[[], Callable[[], object]], calls: int = 2) -> dict[str, Any]:
        """Bytes that a side holds: {peak, between}, at the highest point of its last call and after it, each
        a tally.

        This is what every page means by memory. `make` makes all that the side needs (its model, its
        graph, its session) and gives what is to be called; all that was allocated since before that
        counts, whatever it is kept for: parameters, gradients, the arena, the program. What the side
        shares with others (loaded kernels, the examples) is there before: it is made and called once
        without being counted. By tracemalloc, which sees NumPy's arrays and Python's objects but slows
        Python down: never time in the same call.
        """
        first = make()
        first()
        del first

        def once() -> tuple[int, int]:
            call = make()
            for _ in range(calls):
                tracemalloc.reset_peak()
                call()
            gc.collect()
            return tracemalloc.get_traced_memory()

        between, peaks = zip(*[_traced(once) for _ in range(self.counts)], strict=True)
        return {"peak": tally(peaks), "between": tally(between)}

    def working(self, make: Callable[[], Callable[[], object]]) -> dict[str, int]:
        """Bytes that the first call of what `make` gives takes for itself at its highest point, beside what
        stood before it, as a tally: what an estimate of a run foretells, and what a limit of a run limits.
        An arena that the call makes counts. This is the smaller of the two: a page that tells it names it,
        for memory is what `held` gives.
        """

        def once(call: Callable[[], object]) -> int:
            call()
            return tracemalloc.get_traced_memory()[1]

        return tally([_traced(partial(once, make())) for _ in range(self.counts)])

    def kernels(self, call: Callable[[], object]) -> dict[str, Any]:
        """How many ops run in a call of either engine: {total, ops: {name: how many}}.

        Dynamic's backward counts one for each node whose rules run, however many kernels those
        call; static's gradients are ops like any other. So compare forward passes, or a call
        with another on the same engine.
        """
        counter = _Counter()
        with watching(counter):
            call()
        return {"total": counter.seen.total(), "ops": dict(sorted(counter.seen.items()))}

    def fresh(
        self, code: str, *arguments: str, folder: Path | None = None, timeout: float = 60
    ) -> dict[str, Any]:
        """Run a program in a fresh interpreter, as `script.py` in `folder` (default: an empty one).

        Gives {code, out, err, status, seconds}: what it printed on standard output and error, its
        exit status, and how long it took from start to end. It can import Diptych's packages, whose
        files a traceback shows by their places in the project.
        """
        if folder is None:
            with files.scratch() as made:
                return self.fresh(code, *arguments, folder=made, timeout=timeout)
        (folder / "script.py").write_text(code, encoding="utf-8")
        environment = os.environ | {"PYTHONPATH": str(_HOME), "PYTHONIOENCODING": "utf-8"}
        start = perf_counter()
        done = subprocess.run(
            [sys.executable, "script.py", *arguments], cwd=folder, env=environment, capture_output=True,
            encoding="utf-8", timeout=timeout, check=False,
        )  # fmt: skip
        seconds = perf_counter() - start
        out, err = (
            text.replace(f"{folder}{os.sep}", "").replace(f"{_HOME}{os.sep}", "")
            for text in (done.stdout, done.stderr)
        )
        return {"code": code, "out": out, "err": err, "status": done.returncode, "seconds": seconds}

    def drawing(self, what: Any) -> str:
        """A Tensor (of either engine), several, or a static graph, drawn as SVG text."""
        import dynamic
        import static
        from comparisons.training.inside import drawn

        some = what[0] if isinstance(what, (list, tuple)) else what
        draw = dynamic.draw if isinstance(some, dynamic.Tensor) else static.draw
        return drawn(lambda path: draw(what, path))


def _traced(work: Callable[[], T]) -> T:
    """What some work gives, under tracemalloc."""
    gc.collect()
    tracemalloc.start()
    try:
        return work()
    finally:
        tracemalloc.stop()


class _Counter(Hook):
    """Counts ops by name."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def after(self, event: Event) -> None:
        self.seen[event.op.name] += 1
