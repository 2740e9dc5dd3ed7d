"""Programs around a session: threads, feeds in any order, archives that are loaded again, pictures."""

from __future__ import annotations

import gc
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

import dynamic
import static
from tests.programs.choices import Choices
from tests.programs.program import Fault, Program


def threads(build: Callable[[Any, Any], Any], total: Callable[[int], Any], many: int, level: str) -> None:
    """Raise Fault if `many` threads that run `build(v, x)` on one session lose an update."""
    with static.Graph().as_default() as graph:
        v = static.Variable(np.zeros(4), name="v")
        x = static.placeholder("float64", (4,))
        update = build(v, x)
        init = static.global_variables_initializer()
    with static.Session(graph, level) as session:
        session.run(init)
        ones = np.ones(4)
        session.run(update, {x: ones})
        gate = threading.Barrier(many)

        def work() -> None:
            gate.wait()
            for _ in range(25):
                session.run(update, {x: ones})

        workers = [threading.Thread(target=work) for _ in range(many)]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)  # threads take turns in the middle of what they do
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        finally:
            sys.setswitchinterval(interval)
        held = session.run(v)
    want = total(1 + 25 * many)
    if not np.allclose(held, want):
        raise Fault("updates are lost between threads", f"{held[0]}, and {want}")


def slow(x: Any) -> Any:
    """x, after a while: whoever reads, does this, and then stores, leaves room for another thread."""

    def compute(array: Any) -> Any:
        time.sleep(0.0005)
        return array

    return static.py_func(compute, [x], "float64", shapes=(4,))


def _alive(name: str) -> int:
    gc.collect()
    return sum(
        type(o).__name__ == name and str(type(o).__module__).startswith("static") for o in gc.get_objects()
    )


def orders(count: int) -> None:
    """Raise Fault if a session compiles the same program again for another order of feed_dict."""
    with static.Graph().as_default() as graph:
        xs = [static.placeholder("float32", (2,), f"x{k}") for k in range(count)]
        y = sum((x * k for k, x in enumerate(xs)), xs[0])
        with static.Session(graph) as session:
            session.run(y, {x: np.ones(2) for x in xs})
            before = _alive("Program")
            for order in itertools.permutations(xs):
                session.run(y, {x: np.ones(2) for x in order})
            more = _alive("Program") - before
    if more:
        raise Fault("a program for each order of feed_dict", f"{more + 1} programs for one")


def loads(build: Callable[[Any], Any], times: int) -> None:
    """Raise Fault if archives that were loaded, run and let go leave graphs behind; or run wrong."""
    with static.Graph().as_default() as graph, tempfile.TemporaryDirectory() as folder:
        x = static.placeholder("float64", ("N", 3), name="x")
        y = build(x)
        data = np.linspace(-1, 1, 12).reshape(4, 3)
        with static.Session(graph) as session:
            want = session.run(y, {x: data})
        graph.save(Path(folder) / "a.diptych", {"y": y})
        counts = []
        for _ in range(times):
            loaded = static.load(Path(folder) / "a.diptych")
            got = loaded(x=data)["y"]
            del loaded
            counts.append(_alive("Graph"))
    if not np.array_equal(got, want):
        raise Fault("an archive and its graph", f"{got}, and {want}")
    if counts[-1] > counts[0]:
        raise Fault("loaded archives stay alive", f"{counts[-1] - counts[0]} graphs after {times} loads")


def pictures(build: Callable[[Any, Any], Any], name: str) -> None:
    """Raise Fault if a picture of a program with a hostile name or line is no valid DOT, SVG or text."""
    with static.Graph().as_default() as graph, tempfile.TemporaryDirectory() as folder:
        x = static.placeholder("float32", (None, 3), name="x")
        y = build(static, x)
        if name:
            with suppress(ValueError, TypeError):  # a name that is refused does no harm
                y = static.identity(y, name=name)
        eager = build(dynamic, dynamic.tensor(np.ones((2, 3)), requires_grad=True))
        static.show(graph)
        static.draw(graph, f"{folder}/static.svg")
        dynamic.draw(eager, f"{folder}/dynamic.svg")
        for path in sorted(Path(folder).iterdir()):
            text = path.read_text("utf-8")
            if path.suffix == ".svg":
                try:
                    ElementTree.fromstring(text)
                except ElementTree.ParseError as error:
                    raise Fault(f"{path.name} is no SVG", str(error)) from error
            elif path.suffix == ".dot":
                _check_dot(path.name, text)


def _check_dot(name: str, text: str) -> None:
    """Whether every string in it ends: a lexer of DOT, for its grammar is simple enough."""
    at, inside = 0, False
    while at < len(text):
        if inside and text[at] == "\\":
            at += 1
        elif text[at] == '"':
            inside = not inside
        elif inside and text[at] == "\n":
            raise Fault(f"{name} is no DOT", f"a string runs on: {text[max(0, at - 60) : at]!r}")
        at += 1
    if inside:
        raise Fault(f"{name} is no DOT", "its last string has no end")


# --- the grammar ---------------------------------------------------------------------------

UPDATES = (
    ("v.assign(slow(v) + x)", "n * 1.0"), ("v.assign_add(x)", "n * 1.0"),
    ("v.assign_sub(x)", "n * -1.0"), ("v.assign(v + 2 * x)", "n * 2.0"),
    ("static.assign_add(v, x)", "n * 1.0"), ("static.group(v.assign_add(x))", "n * 1.0"),
    ("v.assign(ops.scan(lambda c, e: (c + e, None), v * 1.0, ops.stack([x, x]))[0])", "n * 2.0"),
    ("static.scatter_update(v, [0, 1, 2, 3], v + x)", "n * 1.0"),
)  # fmt: skip
BODIES = (
    "ops.scan(lambda c, e: (c + e, c * e), x[0] * 0, x)[1]",
    "ops.scan(lambda c, e: (ops.tanh(c + e), None), x[0] * 0, x)[0]",
    "static.map_fn(lambda e: ops.sin(e) * 2, x)",
    "static.cond(ops.sum(x) > 0, lambda: x * 2, lambda: x - 1)",
    "static.while_loop(lambda k, c: k < 3, lambda k, c: (k + 1, c * 0.5), (static.constant(0), x))[1]",
    "ops.softmax(x, axis=1) @ ops.transpose(x)",
    "static.gradients(ops.sum(ops.scan(lambda c, e: (ops.tanh(c + e), None), x[0] * 0, x)[0]), [x])[0]",
)
LINES = (
    "y = ops.tanh(x) + \\\n        1", 'y = ops.tanh(x)  # a "quote" and a \\',
    "y = ops.tanh(x)  # <b>&amp; ]]> </script>",
    "y = ops.tanh(x)  # \\\"", "y = ops.tanh(x)  # \u00e9\u4e2d \\N \\l", "y = ops.tanh(x)  # {a|b} <c> \\\\",
)  # fmt: skip
NAMES = ("", "a<b>", 'quote"', "back\\", "a&b", "line\nbreak", "{x|y}", "-->", "\u00e9")


def write(choices: Choices, closed: frozenset[str] = frozenset()) -> Program:
    """One of the four."""
    open_ = [k for k in ("E24", "E22", "E19", "loads") if k not in closed]
    kind = choices.pick(open_)
    if kind == "E19":
        update, total = choices.pick(UPDATES)
        text = (
            f"threads(lambda v, x: {update}, lambda n: {total}, many={choices.pick((2, 4, 3))}, "
            f'level="{choices.pick(("fast", "exact"))}")\n'
        )
    elif kind == "E22":
        text = f"orders({choices.pick((2, 3))})\n"
    elif kind == "loads":
        text = f"loads(lambda x: {choices.pick(BODIES)}, times=4)\n"
    else:
        line, name = choices.pick(LINES), choices.pick(NAMES)
        text = f"def build(engine, x):\n    {line}\n    return ops.exp(y)\n\n\npictures(build, {name!r})\n"
    used = text.split("(")[0] if kind != "E24" else "pictures"
    used = "slow, threads" if "slow" in text else used
    source = f"import static\nfrom shared import ops\nfrom tests.programs.sessions import {used}\n\n\n{text}"
    return Program("sessions", source, frozenset({"E22" if kind == "loads" else kind}))
