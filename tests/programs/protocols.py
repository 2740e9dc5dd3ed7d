"""Programs in which Python's own protocols meet the tape: lists of Tensors, arrays, stray arguments.

The law: no gradient is lost, and nothing is overwritten, without a word. What is written may be refused;
what is taken must give the value and the gradients of what is meant.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

import dynamic
import static
from shared import ops
from tests.programs.choices import Choices
from tests.programs.program import Fault, Program

REFUSALS = (TypeError, ValueError, RuntimeError)


def keeps(written: Callable[..., Any], meant: Callable[..., Any]) -> None:
    """Raise Fault if `written(a, b)` is taken on an engine and is not `meant(a, b)`, gradients included."""
    arrays = [np.array([1.5, -2.0]), np.array([0.5, 3.0])]

    def on_dynamic(fn: Callable[..., Any]) -> list[Any]:
        a, b = (dynamic.tensor(v, requires_grad=True) for v in arrays)
        y = fn(a, b)
        if not isinstance(y, dynamic.Tensor) or not y.requires_grad:
            return [np.asarray(y.numpy() if isinstance(y, dynamic.Tensor) else y), None, None]
        gs = dynamic.grad(ops.sum(y), [a, b], allow_unused=True)
        return [y.detach().numpy(), *(None if g is None else g.numpy() for g in gs)]

    want = on_dynamic(meant)
    found: dict[str, Any] = {}
    with suppress(*REFUSALS):
        found["dynamic"] = on_dynamic(written)
    with static.Graph().as_default(), static.Session() as session:
        ps = [static.placeholder("float64", (2,)) for _ in arrays]
        try:
            y = written(*ps)
            gs = static.gradients(ops.sum(y), ps)
            found["static"] = [
                None if t is None else session.run(t, dict(zip(ps, arrays, strict=True))) for t in (y, *gs)
            ]
        except REFUSALS:
            pass
    for engine, made in found.items():
        for name, a, b in zip(("value", "gradient by a", "gradient by b"), made, want, strict=True):
            if (a is None) != (b is None) or (a is not None and not np.allclose(a, b)):
                raise Fault(f"{engine} and what is meant", f"{name} is {a}, and {b}")


def unharmed(name: str) -> None:
    """Raise Fault if `ops.name(x, h)` takes an h that it has no use for, and writes into it."""
    x, h = dynamic.tensor([0.25, 0.5]), dynamic.tensor([7.0, 8.0])
    try:
        getattr(ops, name)(x, h)
    except REFUSALS:
        return
    if h.tolist() != [7.0, 8.0]:
        raise Fault("an argument is overwritten", f"ops.{name}(x, h) made h {h.tolist()}")


PAIRS = (
    ("a * [b[0], b[1]]", "a * ops.stack([b[0], b[1]])"),
    ("ops.mean([a[0] * 2, a[1] * 3])", "ops.mean(ops.stack([a[0] * 2, a[1] * 3]))"),
    ("a * np.concatenate([a, b])[1:3]", "a * ops.concatenate([a, b])[1:3]"),
    ("dynamic.tensor([a[0] * 2, b[1]]) * b", "ops.stack([a[0] * 2, b[1]]) * b"),
    ("ops.sum([a, b])", "ops.sum(ops.stack([a, b]))"),
    ("ops.where(a > 0, [b[0], 1.0], a)", "ops.where(a > 0, ops.stack([b[0], b[0] * 0 + 1.0]), a)"),
    ("np.array(a * 2) * b", "a * 2 * b"),
    ("b + np.stack([a[0], b[1]])", "b + ops.stack([a[0], b[1]])"),
    ("ops.matmul([[a[0], b[0]], [0.0, 1.0]], b)",
     "ops.matmul(ops.stack([ops.stack([a[0], b[0]]), np.array([0.0, 1.0])]), b)"),
    ("np.sin(a) * b", "ops.sin(a) * b"),
    ("np.sum(a) * b", "ops.sum(a) * b"),
    ("[a[0], a[1]] * b", "ops.stack([a[0], a[1]]) * b"),
    ("ops.concatenate([[a[0]], b])", "ops.concatenate([ops.stack([a[0]]), b])"),
    ("np.float64(2.0) * a", "2.0 * a"),
    ("np.array([1.0, 2.0]) * a + b", "a * np.array([1.0, 2.0]) + b"),
    ("ops.maximum(a, [b[0], b[1]])", "ops.maximum(a, ops.stack([b[0], b[1]]))"),
    ("a + (b[0], b[1])", "a + ops.stack([b[0], b[1]])"),
    ("ops.dot(a, np.asarray(b))", "ops.dot(a, b)"),
    ("ops.full((2,), a[0]) * b", "ops.broadcast_to(a[0], (2,)) * b"),
)  # fmt: skip


def write(choices: Choices, closed: frozenset[str] = frozenset()) -> Program:
    """A list of Tensors where an array may stand, or one argument too many."""
    if choices.below(3) == 2 and "C10" not in closed:
        return Program(
            "protocols",
            f'from tests.programs.protocols import unharmed\n\nunharmed("{choices.pick(_unary())}")\n',
            frozenset({"C10"}),
        )
    written, meant = choices.pick(PAIRS if "C9" not in closed else PAIRS[13:15])
    return Program(
        "protocols",
        "import numpy as np\nimport dynamic\nfrom shared import ops\n"
        "from tests.programs.protocols import keeps\n\n"
        f"keeps(lambda a, b: {written}, lambda a, b: {meant})\n",
        frozenset({"C9"}),
    )


def _unary() -> list[str]:
    """The ops of one array."""
    found = []
    for name in ops.__all__:
        try:
            with np.errstate(all="ignore"):
                getattr(ops, name)(np.array([0.25, 0.5]))
        except (TypeError, ValueError, RuntimeError):
            continue
        found.append(name)
    return found
