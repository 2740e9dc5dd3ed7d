"""Loops and branches inside each other, whose sizes and numbers of trips vary from step to step, 0 among
them: values and derivatives of first and second order are those of Python's own control flow, on
`dynamic`, and of finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops

Body = Callable[[Any, Any], Any]
"""A vector of 3 numbers from one of them and from a weight of as many."""
rng = np.random.default_rng(3)
XS = np.array([[0.9, -0.4, 0.7], [-0.7, 0.3, -0.1]])
W, TOWARDS = np.array([0.8, -1.1, 0.5]), rng.standard_normal((2, 3))


def leaf(v: Any, w: Any) -> Any:
    """As many numbers as are positive are raised to the third power."""
    return ops.sin(v) * w + ops.sum(v[v > 0.1] ** 3) * 0.1


def plain(v: Any, w: Any) -> Any:
    """A body of one size, whose values can be stacked."""
    return ops.tanh(v * w) + v * 0.5


def rows(v: Any) -> Any:
    return ops.stack([v, v * -0.6, v + 0.3])


def scan(body: Body) -> Body:
    def run(v: Any, w: Any) -> Any:
        last, ys = ops.scan(lambda c, e: ((y := body(e, w)) * 0.5 + ops.sin(c), y * c), v, rows(v))
        return last + ops.mean(ys, axis=0)

    return run


def mapped(body: Body) -> Body:
    return lambda v, w: ops.mean(ops.scan(lambda c, e: (c, body(e, w)), (), rows(v))[1], axis=0)


def sifted(body: Body) -> Body:
    """A scan over as many rows as have a large sum, from the last to the first."""

    def run(v: Any, w: Any) -> Any:
        some = rows(v)[ops.sum(rows(v), axis=1) > 0.5]
        return ops.scan(lambda c, e: (body(e, w) + c * w, ()), v, some, reverse=True)[0]

    return run


def branch(body: Body) -> Body:
    """One of the branches does the body; both take what is made outside, of a size that varies."""

    def run(v: Any, w: Any) -> Any:
        t = v[v > -0.2]
        y = ops.cond(ops.sum(v) > 0.2, lambda: body(v, w) * ops.sum(t * t), lambda: v * 2)
        return y + ops.sum(ops.cond(v[0] > 0, lambda: t * w[0], lambda: ops.sin(t)))

    return run


def loop(body: Body) -> Body:
    """0, 1 or 2 trips, by the numbers that come in."""

    def run(v: Any, w: Any) -> Any:
        trips = ops.cast(ops.floor(ops.abs(ops.sin(ops.sum(v) * 5)) * 2.99), "int64")
        return ops.while_loop(
            lambda i, _: i < trips, lambda i, u: (i + 1, ops.sin(body(u, w)) + v * 0.1), (trips * 0, v)
        )[1]

    return run


KINDS = {"scan": scan, "map": mapped, "sifted": sifted, "cond": branch, "while": loop}
NESTS = [
    *((a,) for a in KINDS), *((a, b) for a in KINDS for b in KINDS),
    ("scan", "while", "scan"), ("while", "cond", "while"), ("map", "sifted", "cond"),
    ("cond", "scan", "while"), ("sifted", "map", "while"), ("while", "while", "sifted"),
]  # fmt: skip


def nested(names: tuple[str, ...], inmost: Body) -> Body:
    body = inmost
    for name in reversed(names):
        body = KINDS[name](body)
    return body


def derivatives(gradients: Callable[..., Any], run: Body, x: Any, w: Any) -> list[Any]:
    """The value, its derivatives, and those of these in one direction."""
    y = ops.sum(run(x, w) * np.array([1.0, -0.5, 0.3]))
    first = gradients(y, [x, w])
    along = ops.sum(first[0] * TOWARDS[0]) + ops.sum(first[1] * TOWARDS[1])
    return [y, *first, *gradients(along, [x, w])]


def on_dynamic(run: Body, x: Any, w: Any) -> list[Any]:
    leaves = [dynamic.tensor(a, requires_grad=True) for a in (x, w)]

    def gradients(y: Any, xs: list[Any]) -> list[Any]:
        found = dynamic.grad(y, xs, create_graph=True, allow_unused=True) if y.requires_grad else [None, None]
        return [ops.zeros_like(x) if g is None else g for x, g in zip(xs, found, strict=True)]

    return [value.numpy() for value in derivatives(gradients, run, *leaves)]


def on_static(run: Body, places: Any, optimize: str, shape: Any) -> list[list[Any]]:
    with static.Graph().as_default():
        xs = [static.placeholder("float64", shape) for _ in range(2)]
        built = derivatives(lambda y, xs: static.gradients(y, xs, unconnected="zero"), run, *xs)
        with static.Session(optimize=optimize) as session:
            return [session.run(built, dict(zip(xs, place, strict=True))) for place in places]


def along(by_x: Any, by_w: Any) -> float:
    return float((by_x * TOWARDS[0]).sum() + (by_w * TOWARDS[1]).sum())


def check_differences(run: Body, place: Any, found: list[Any]) -> None:
    """In one direction: the value's first differences, and those of its derivative."""
    _, *by = found
    h, near = 1e-6, []
    for step in (1e-6, -1e-6):
        value, by_x, by_w, *_ = on_dynamic(run, *(np.stack(place) + step * TOWARDS))
        near.append((float(value), along(by_x, by_w)))
    (up, steep_up), (down, steep_down) = near
    np.testing.assert_allclose(along(*by[:2]), (up - down) / (2 * h), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(along(*by[2:]), (steep_up - steep_down) / (2 * h), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("names", [("map",), ("map", "while"), ("scan", "cond")], ids="-".join)
def test_derivatives_of_what_varies_are_kept_in_files(names: Any, tmp_path: Any) -> None:
    with static.Graph().as_default() as graph:
        xs = [static.placeholder("float64", (None,), name=name) for name in "xw"]
        built = derivatives(
            lambda y, xs: static.gradients(y, xs, unconnected="zero"), nested(names, leaf), *xs
        )
        with static.Session() as session:
            want = session.run(built, {xs[0]: XS[0], xs[1]: W})
        graph.save(tmp_path / "kept", outputs=built)
    got = static.load(tmp_path / "kept")(x=XS[0], w=W)
    assert all((a == b).all() for a, b in zip(want, got.values(), strict=True))


CASES = [(names, leaf) for names in NESTS] + [((name,), plain) for name in KINDS]
WAYS = [("exact", (None,)), ("fast", (3,)), ("fast", (None,)), ("exact", (3,))]
"""Levels and sizes. Each case is tried in one way, as compiling is what takes time."""


@pytest.mark.parametrize(
    ("names", "inmost", "way"), [(*case, WAYS[i % 3 if i % 5 else 3]) for i, case in enumerate(CASES)],
    ids=["-".join([*names, inmost.__name__]) for names, inmost in CASES],
)  # fmt: skip
def test_nested_control_flow_has_the_derivatives_of_python_control_flow(
    names: Any, inmost: Body, way: Any
) -> None:
    run = nested(names, inmost)
    places = [(x, W) for x in XS]
    want = [on_dynamic(run, *place) for place in places]
    check_differences(run, places[0], want[0])
    for found, expected in zip(on_static(run, places, *way), want, strict=True):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)
        if way[0] == "exact":
            assert found[0] == expected[0]
