"""Programs of effects, define-and-run: assignments, control dependencies, branches, scopes and names.

A program is written in TensorFlow 1's words. Three run it: `static`, a model of what its rule says ("a run
executes, in program order, the nodes that its fetches need, and a read of a variable sees the last assignment
before it among those"), and, where it is installed, TensorFlow's graph mode. TensorFlow leaves the order
open unless control dependencies say it, so it is asked about programs that are one chain of these.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import static
from shared.errors import DiptychError
from tests.programs.choices import Choices
from tests.programs.model import Model
from tests.programs.program import Fault, Program


class Static:
    """The words, as `static` has them. `log` is what `say` has said."""

    name_scope, variable_scope = staticmethod(static.name_scope), staticmethod(static.variable_scope)
    control_dependencies, cond = staticmethod(static.control_dependencies), staticmethod(static.cond)
    group, get_variable = staticmethod(static.group), staticmethod(static.get_variable)
    identity, stop_gradient = staticmethod(static.identity), staticmethod(static.stop_gradient)
    AUTO_REUSE = static.AUTO_REUSE

    def __init__(self) -> None:
        self.log: list[str] = []

    def variable(self, value: Any, name: str) -> Any:
        return static.Variable(np.array(value, "int32" if isinstance(value, int) else "float32"), name=name)

    def put(self, variable: Any, value: Any) -> Any:
        return variable.assign(value)

    def add(self, variable: Any, value: Any) -> Any:
        return variable.assign_add(value)

    def say(self, x: Any, word: str) -> Any:
        def said(array: Any) -> Any:
            self.log.append(word)
            return array

        return static.py_func(said, [x], "float32", shapes=())

    def check(self, x: Any) -> Any:
        return static.Assert(x > -100.0, [x], "small")

    def loop(self, trips: int, body: Callable[[Any], Any], start: Any) -> Any:
        zero = static.constant(0)
        return static.while_loop(lambda k, c: k < trips, lambda k, c: (k + 1, body(c)), (zero, start))[1]

    def name(self, what: Any) -> str:
        return what.name if isinstance(what, static.Variable) else what.node.name


Ran = tuple[list[Any], list[str], list[Any], list[str]]
"""The values of all fetches, what was said, what the variables hold at the end, and names."""


def on_static(program: Any, wanted: Sequence[Sequence[str]], feeds: Sequence[float], level: str) -> Ran:
    words = Static()
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", (), name="x")
        made, named = program(words, x)
        init = static.global_variables_initializer()
        with static.Session(graph, level) as session:
            session.run(init)
            values: list[Any] = []
            for fetch, fed in zip(wanted, feeds, strict=True):
                try:
                    values += [float(v) for v in session.run([made[name] for name in fetch], {x: fed})]
                except AssertionError:
                    values.append("refused")
            stored = [float(session.run(v)) for v in graph.variables]
    return values, words.log, stored, [words.name(what) for what in named]


def on_model(program: Any, wanted: Sequence[Sequence[str]], feeds: Sequence[float]) -> Ran:
    model = Model()
    made, named = program(model, model.x)
    values: list[Any] = []
    for fetch, fed in zip(wanted, feeds, strict=True):
        try:
            values += [float(v) for v in model.run([made[name] for name in fetch], np.float32(fed))]
        except AssertionError:
            values.append("refused")
    return values, model.log, [float(v.held) for v in model.variables], [w.name for w in named]


def effects(program: Any, wanted: Sequence[Sequence[str]], feeds: Sequence[float], chain: bool) -> None:
    """Raise Fault if the engines, or a run's levels, differ in a value, in what was said and in which
    order, in what the variables hold at the end, or in names."""
    try:
        want: Any = on_model(program, wanted, feeds)
    except TypeError as error:
        want = error
    found: dict[str, Any] = {}
    for level in ("exact", "fast"):
        try:
            found[level] = on_static(program, wanted, feeds, level)
        except DiptychError as error:
            found[level] = error
    for level, got in found.items():
        if isinstance(got, Exception) != isinstance(want, Exception):
            raise Fault(f"{level} and the rule", f"{got!r:.200}, and {want!r:.200}")
        if not isinstance(got, Exception):
            _same(f"{level} and the rule", got, want)
    if chain and importlib.util.find_spec("tensorflow") is not None:
        from tests.programs.tf_words import on_tensorflow

        theirs = on_tensorflow(program, wanted, feeds)
        got = found["exact"]
        if isinstance(got, Exception) != isinstance(theirs, Exception):
            raise Fault("exact and TensorFlow", f"{got!r:.200}, and {theirs!r:.200}")
        if not isinstance(got, Exception):
            _same("exact and TensorFlow", got, theirs)


def _same(what: str, got: Ran, want: Ran) -> None:
    for kind, a, b in zip(("values", "said", "held", "names"), got, want, strict=True):
        equal = len(a) == len(b) and all(
            p == q or (not isinstance(p, str) and not isinstance(q, str) and np.isclose(p, q, rtol=1e-5))
            for p, q in zip(a, b, strict=True)
        )
        if not equal:
            raise Fault(what, f"{kind} {a}, and {b}")


# --- the grammar ---------------------------------------------------------------------------

EXPRESSIONS = ("x", "{t} + 1.0", "v * 2.0", "w + {t}", "v + w", "{t} * 0.5", "x - v", "{t} * {t} * 0.1")
STATEMENTS = (
    "E.put(v, {e})", "E.put(w, {e})", "E.add(v, {e})", "E.identity({e})", "E.say({e}, '{n}')",
    "E.add(w, 0.5)", "E.identity(v)", "E.identity({e}, name='{n}')",
)  # fmt: skip
NAMED = (
    'E.get_variable("u", (), initializer=E.ones)', 'E.variable(1.0, "v")', 'E.variable(1.0, "z")',
    'E.identity(x, name="y")',
)  # fmt: skip
SCOPES = ('E.variable_scope("enc")', 'E.name_scope("s")', 'E.name_scope("s/")', 'E.variable_scope("dec")')


def write(choices: Choices, closed: frozenset[str] = frozenset()) -> Program:
    """Some statements, chained or not, and what some runs fetch."""
    chain = choices.below(3) != 2
    lines = ['v = E.variable(1.0, "v")', 'w = E.variable(2.0, "w")', "t0 = E.identity(x)"]
    names, items, last = ["t0"], set(), ["t0"]

    def expression() -> str:
        return choices.pick(EXPRESSIONS).format(t=choices.pick(names[::-1][:3]))

    def statement(name: str) -> str:
        return choices.pick(STATEMENTS).format(e=expression(), n=name)

    for k in range(1, 2 + choices.below(6)):
        name, kind = f"t{k}", choices.below(9)
        before = last if chain else [choices.pick(names[::-1])] if choices.below(2) else []
        inner: list[str] = []
        if kind == 6:  # a branch that waits for what was made outside of it
            outside = choices.pick(
                ("o{k} = E.group({t})", "o{k} = E.check({e})", "o{k} = E.group(E.put(w, {e}))")
            )
            inner.append(outside.format(k=k, t=names[-1], e=expression()))
            inner += [
                f"def yes{k}():", f"    with E.control_dependencies([o{k}]):",
                f"        return E.identity({expression()})",
                f"{name} = E.cond({choices.pick(names[::-1])} > 0.0, yes{k}, "
                f"lambda: E.identity({names[-1]} * 0.5))",
            ]  # fmt: skip
            items.add("B5")
            if "B5" in closed:
                inner = [f"{name} = {statement(name)}"]
                items.discard("B5")
        elif kind == 7:
            inner = [
                f"{name} = E.loop({choices.pick((2, 0, 3))}, lambda c: c * 0.5 + {expression()}, {names[-1]})"
            ]
        elif kind == 8:
            a, b = expression(), expression()
            inner = [f"{name} = E.cond({names[-1]} > 1.0, lambda: E.identity({a}), lambda: E.identity({b}))"]
        else:
            inner = [f"{name} = {statement(name)}"]
        if before:
            lines += [
                f"with E.control_dependencies([{', '.join(before)}]):",
                *(f"    {line}" for line in inner),
            ]
        else:
            lines += inner
        names.append(name)
        last = [name, f"o{k}"] if inner[0].startswith(f"o{k} ") else [name]
    named = []
    if choices.below(3) == 1 and "E20" not in closed:
        items.add("E20")
        for k in range(1 + choices.below(3)):
            scopes = [choices.pick(SCOPES) for _ in range(1 + choices.below(2))]
            lines.append(f"with {', '.join(scopes)}:")
            lines.append(f"    n{k} = {choices.pick(NAMED[1:])}")
            named.append(f"n{k}")
        if choices.below(2):
            lines += ["with E.variable_scope('enc') as scope:", "    pass", "with E.variable_scope(scope):",
                      "    m = E.variable(3.0, 'q')"]  # fmt: skip
            named.append("m")
    if choices.below(6) == 1 and "E21" not in closed:
        items.add("E21")
        lines += [
            "i = E.variable(3, 'i')",
            choices.pick(("j = E.add(i, 0.5)", "j = E.put(i, 2.7)", "j = E.add(i, 2)")),
        ]
        if not chain:
            lines[-1] = lines[-1].replace("0.5", "1.5")
        names.append("j")
    wanted = [
        [choices.pick(names[::-1]) for _ in range(1 + choices.below(2))] for _ in range(1 + choices.below(3))
    ]
    feeds = [choices.pick((1.0, -2.0, 3.0, 0.0)) for _ in wanted]
    body = "".join(f"    {line}\n" for line in lines)
    made = ", ".join(f'"{n}": {n}' for n in names)
    source = (
        "from tests.programs.effects import effects\n\n\n"
        f"def program(E, x):\n{body}    return {{{made}}}, [{', '.join(named)}]\n\n\n"
        f"effects(program, {wanted}, {feeds}, chain={chain})\n"
    )
    return Program("effects", source, frozenset(items))
