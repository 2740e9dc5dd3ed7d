"""Drives a task on one engine, one event at a time."""

from __future__ import annotations

import importlib
import inspect
import linecache
from collections.abc import Callable, Generator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np

from comparisons.training.task import Task
from shared.device import cuda

ENGINES = ("dynamic", "static")
EXACT, FAST = "exact", "fast"
"""Static's levels: the one that every training script asks for, and its default."""


@dataclass(frozen=True)
class Event:
    """Something that a training run did.

    phase    "build", "compile", "step" or "done"; "write" where a script looks at its model between steps
    step     steps made so far
    loss     of this step; None in other phases
    seconds  what it took
    """

    engine: str
    phase: str
    step: int
    loss: float | None
    seconds: float


@dataclass
class Outcome:
    """What a training run left behind.

    states    every Parameter, buffer and optimiser slot by its path, as arrays
    guesses   the answer to each test example, such as its class
    accuracy  the share of them that is right; None where none is right or wrong
    """

    losses: list[float]
    states: dict[str, Any]
    guesses: Any
    accuracy: float | None


ON_GPU = {
    "dynamic": (
        "    nn.manual_seed(seed)\n    model = task.model()\n",
        '    dynamic.set_default_device("cuda")\n    nn.manual_seed(seed)\n'
        '    model = task.model().to("cuda")\n',
    ),
    "static": (f'optimize="{EXACT}"', f'optimize="{EXACT}", device="cuda"'),
}
"""What a training script says in one place, and what it says there where it trains on a GPU."""


def script(task: Task, engine: str, level: str = EXACT) -> ModuleType:
    """The module whose `train` trains such a task on this engine; on a GPU, or at another of static's
    levels, the same text but for the words that say so."""
    module = importlib.import_module(f"comparisons.training.loops.{task.loop}_{engine}")
    if task.device != "cpu":
        module = _changed(module, task.device, *ON_GPU[engine])
    if level != EXACT:
        module = _changed(module, level, *(f'optimize="{each}"' for each in (EXACT, level)))
    return module


def _changed(module: ModuleType, name: str, asked: str, wanted: str) -> ModuleType:
    """A copy of a script that says something else in one place."""
    source = inspect.getsource(module)
    if (times := source.count(asked)) != 1:
        raise ValueError(f"{module.__name__} has to say {asked} once, and says it {times} times")
    source = source.replace(asked, wanted)
    copy = ModuleType(f"{module.__name__}_{name}", module.__doc__)
    copy.__file__ = f"<{copy.__name__}>"
    # where a traceback, or an error that names the user's line, finds the text
    linecache.cache[copy.__file__] = (len(source), None, source.splitlines(True), copy.__file__)
    exec(compile(source, copy.__file__, "exec"), copy.__dict__)
    return copy


WAITS: dict[str, Callable[[], None]] = {"cpu": lambda: None, "cuda": cuda.synchronize}
"""How to wait, before the clock is read, for what a device was told to do."""


@dataclass
class Training:
    """A task on one engine. `advance()` goes on to the next event, or gives None at the end.

    Everything runs in a context of its own, so that a default graph or a mode that the script
    has opened is seen by nobody else, and two trainings can take turns.
    """

    task: Task
    engine: str
    seed: int = 0
    level: str = EXACT
    losses: list[float] = field(default_factory=list)
    outcome: Outcome | None = None

    def __post_init__(self) -> None:
        self._examples = self.task.examples  # loaded now, so that no phase is charged with it
        self._context = copy_context()
        self._wait = WAITS[self.task.device]
        self._generator: Generator[Any, None, Any] = script(self.task, self.engine, self.level).train(
            self.task, self.seed
        )

    def advance(self) -> Event | None:
        """Run to the next event; None once all is done."""
        if self.outcome is not None:
            return None
        start = perf_counter()
        try:
            said = self._context.run(next, self._generator)
        except StopIteration as end:
            self._wait()
            seconds = perf_counter() - start
            self.outcome = self._outcome(*end.value)
            return Event(self.engine, "done", len(self.losses), None, seconds)
        self._wait()
        seconds = perf_counter() - start
        if isinstance(said, str):
            return Event(self.engine, said, len(self.losses), None, seconds)
        self.losses.append(said)
        return Event(self.engine, "step", len(self.losses), said, seconds)

    def variables(self) -> dict[str, Any]:
        """The script's local variables, where it stands now."""
        return inspect.getgeneratorlocals(self._generator)

    def close(self) -> None:
        """Leave the script where it stands, through its `with` blocks."""
        self._context.run(self._generator.close)

    def _outcome(self, model: Any, optimizer: Any, guesses: Any) -> Outcome:
        states = {f"model/{name}": state for name, state in model.named_states()}
        several = isinstance(optimizer, tuple)
        for number, one in enumerate(optimizer if several else (optimizer,)):
            where = f"optimizer{number + 1 if several else ''}"
            states |= {f"{where}/{name}": state for name, state in one.named_states()}
        guesses, truth = np.asarray(guesses), self._examples.test_y
        return Outcome(
            self.losses,
            {name: np.array(state.numpy()) for name, state in states.items()},
            guesses,
            float((guesses[: len(truth)] == truth).mean()) if self.task.counted else None,
        )


def in_step(trainings: Sequence[Training], watch: Callable[[Event], None]) -> None:
    """Run trainings to their ends, taking turns step by step; `watch` sees every event."""
    running = list(trainings)
    while running:
        for training in tuple(running):
            event = training.advance()
            while event is not None and event.phase not in ("step", "done"):
                watch(event)
                event = training.advance()
            if event is None:
                running.remove(training)
            else:
                watch(event)
