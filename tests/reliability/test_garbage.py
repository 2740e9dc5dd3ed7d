"""With the collector off nothing is left over: what is let go of is freed at once, and no cycle waits."""

from __future__ import annotations

import ast
import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.errors import DiptychError

ONES = np.ones((3, 8), np.float32)


class Built:
    """A graph with all that sessions run: it stays, sessions come and go."""

    def __init__(self) -> None:
        nn.manual_seed(0)
        self.graph = static.Graph()
        with self.graph.as_default():
            model = nn.Sequential(
                nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 8)
            )
            self.x = static.placeholder("float32", ("N", 8))
            y = model(self.x)
            self.loss = ops.mean(ops.square(y)) + ops.mean(ops.log(ops.softmax(y)))
            self.model, self.opt = model, optim.Adam(model.parameters(), lr=0.01)
            self.train = self.opt.minimize(self.loss)
            count = static.while_loop(lambda i: i < 3, lambda i: i + 1, [static.constant(0)])
            summed, _ = static.scan(lambda c, a: (c + a, c * a), static.constant(0.0), ops.sum(y, axis=1))
            chosen = static.cond(ops.sum(self.x) > 0, lambda: self.x + 1, lambda: self.x - 1)
            self.more = [count, summed, chosen]
            self.wrong = ops.reshape(self.x, (7, -1))
            self.init = static.global_variables_initializer()
            self.saver = static.Saver()


BUILT = Built()


def session(**settings: Any) -> Iterator[static.Session]:
    with static.Session(BUILT.graph, **settings) as s:
        s.run(BUILT.init)
        yield s


def trains(level: str) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        for s in session(optimize=level):
            for n in (2, 3):
                s.run([BUILT.loss, BUILT.train], {BUILT.x: np.ones((n, 8), np.float32)})
            s.run(BUILT.more, {BUILT.x: ONES})

    return work


def looks(folder: Path) -> None:
    for s in session():
        s.program(BUILT.loss), s.explain(BUILT.train), s.memory(BUILT.loss, {"N": 3})
        meta = static.RunMetadata()
        s.run(BUILT.loss, {BUILT.x: ONES}, static.RunOptions(trace=True), meta)
        call = s.make_callable(BUILT.loss, [BUILT.x])
        call(ONES)
        handle = s.partial_run_setup([BUILT.loss], [BUILT.x])
        s.partial_run(handle, BUILT.loss, {BUILT.x: ONES})


def keeps(folder: Path) -> None:
    for s in session():
        BUILT.saver.restore(s, BUILT.saver.save(s, folder / "run", global_step=1))
        s.load(BUILT.model, BUILT.opt)
        s.store(BUILT.model, BUILT.opt)
        BUILT.graph.save(folder / "graph", {"loss": BUILT.loss})
    nn.save_checkpoint(folder / "run", BUILT.model, BUILT.opt)
    nn.load_checkpoint(folder / "run", BUILT.model, BUILT.opt)


def fails(folder: Path) -> None:
    for s in session():
        with suppress(DiptychError):
            s.run(BUILT.wrong, {BUILT.x: ONES})
        with suppress(DiptychError):
            s.run(BUILT.loss)


def on_dynamic(folder: Path) -> None:
    model = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.1))
    opt = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(2):
        x = dynamic.tensor(ONES, requires_grad=True)
        loss = ops.mean(ops.square(model(x)))
        (g,) = dynamic.grad(loss, [x], create_graph=True)
        opt.zero_grad()
        (loss + ops.sum(g * g)).backward()
        opt.step()
    with dynamic.no_grad(), nn.evaluating(model):
        dynamic.show(model(x))


WORK = {
    "exact": trains("exact"), "fast": trains("fast"), "looks": looks, "keeps": keeps, "fails": fails,
    "dynamic": on_dynamic,
}  # fmt: skip


HOME = Path(__file__).resolve().parents[2]
FILES = sorted(path for package in ("shared", "dynamic", "static") for path in (HOME / package).rglob("*.py"))


def test_no_function_within_a_function_calls_itself() -> None:
    """It would hold itself by the name that it calls: a cycle, each time that the outer one is called."""
    found = []
    for path in FILES:
        for outer in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            inner = [n for n in ast.walk(outer) if isinstance(n, ast.FunctionDef) and n is not outer]
            for function in inner if isinstance(outer, ast.FunctionDef) else ():
                names = {n.id for part in function.body for n in ast.walk(part) if isinstance(n, ast.Name)}
                if function.name in names:
                    found.append(f"{path.relative_to(HOME)}:{function.lineno} {function.name}")
    assert not found


@pytest.mark.parametrize("name", WORK)
def test_nothing_waits_for_the_collector(name: str, tmp_path: Path) -> None:
    work = WORK[name]
    work(tmp_path)  # what is made once and kept, is
    gc.collect()
    was = gc.isenabled()
    gc.disable()
    try:
        work(tmp_path)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        kinds = {getattr(found, "__qualname__", type(found).__name__) for found in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        if was:
            gc.enable()
    assert not kinds, f"in cycles: {sorted(kinds)}"
