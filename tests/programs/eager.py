"""Programs of define-by-run: views and changes in place, gradients by hand, Python's own protocols.

`hand(program)` runs a program in the words of `dynamic` and in those of PyTorch, on the same values.
`dynamic` may refuse what PyTorch takes, in words of its own, unless the program says `must`; what it
takes must have the same values and the same gradients.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops
from shared.errors import DiptychError
from tests.programs.choices import Choices
from tests.programs.program import Fault, Program


def hand(program: Callable[..., Any], must: bool = False) -> None:
    """Raise Fault if the two disagree."""
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    values = {name: np.random.default_rng(k).standard_normal((3, 2)) for k, name in enumerate("ab")}
    nn.manual_seed(0)
    ours = nn.Linear(3, 2).astype("float64")
    theirs = torch.nn.Linear(3, 2, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(np.array(ours.weight.data)))
        theirs.bias.copy_(torch.tensor(np.array(ours.bias.data)))
    other = SimpleNamespace(
        **{name: getattr(torch, name) for name in ["tanh", "exp", "sin", "sum", "mean", "stack", "no_grad"]}
    )
    a, b = (torch.tensor(v, requires_grad=True) for v in values.values())
    try:
        want = _results(program, other, a, b, theirs, torch.Tensor)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        want = error
    own = {name: getattr(ops, name) for name in ("tanh", "exp", "sin", "sum", "mean", "stack")}
    words = SimpleNamespace(**own, no_grad=dynamic.no_grad)
    a, b = (dynamic.tensor(v, requires_grad=True) for v in values.values())
    try:
        got = _results(program, words, a, b, ours, dynamic.Tensor)
    except (DiptychError, TypeError, ValueError, IndexError) as error:
        if must and not isinstance(want, Exception):
            raise Fault("dynamic refuses what PyTorch does", str(error)) from error
        return
    if isinstance(want, Exception):  # PyTorch refuses: nothing to compare with, but for what must not happen
        if got["parameters"] != 2:
            raise Fault("a Parameter is lost", f"{list(dict(ours.named_parameters()))} are left")
        return
    for name, value in want.items():
        here = got[name]
        if (here is None) != (value is None):
            raise Fault("PyTorch and dynamic", f"{name} is {here}, and {value}")
        if value is not None and (
            here.shape != value.shape or not np.allclose(here, value, rtol=1e-9, atol=1e-12)
        ):
            raise Fault("PyTorch and dynamic", f"{name} is {here.tolist()}, and {value.tolist()}")


def _results(program: Any, words: Any, a: Any, b: Any, layer: Any, kind: type) -> dict[str, Any]:
    """The values that a program returns, then the gradients and what the layer holds."""

    def array(value: Any) -> Any:
        if value is None or (not hasattr(value, "detach") and not hasattr(value, "data")):
            return None if value is None else np.asarray(value, "float64")
        value = value.detach() if hasattr(value, "detach") else value.data
        return np.array(value.numpy() if hasattr(value, "numpy") else value, "float64")

    made = program(words, a, b, layer)
    found = {f"value {k}": array(v) for k, v in enumerate(made)}
    found |= {"a": array(a), "b": array(b), "gradient by a": array(a.grad), "gradient by b": array(b.grad)}
    for name, p in layer.named_parameters():
        found |= {name: array(p), f"gradient by {name}": array(p.grad)}
    found["parameters"] = np.array(len(list(layer.named_parameters())))
    return found


MAKE = (
    "{n} = {v} * 2", "{n} = E.tanh({v})", "{n} = {v} + b", "{n} = {v} * {v}", "{n} = {v}[1:]",
    "{n} = {v}[:, 0]", "{n} = {v}.reshape(-1)", "{n} = {v}.T", "{n} = layer(a.T)", "{n} = E.sin({v})",
    "{n} = {v}.detach()", "{n} = {v}.clone()", "{n} = E.exp({v} * 0.1)", "{n} = {v}[0]",
)  # fmt: skip
CHANGE = (
    "{v} += 1.0", "{v} *= 2", "{v} -= {u}", "{v}[0] = 5.0", "{v}[1:] *= 3", "{v} += {u}", "{v}.zero_()",
    "{v}.fill_(2.0)", "{v}.copy_({u})", "{v} /= 4", "{v}[...] = {u}",
)  # fmt: skip
SUMMED = ("loss += ({v} * {v}).sum()", "loss += E.sum(E.sin({v}))", "loss = loss + {v}.sum()")
UPDATES = (
    "layer.weight -= 0.1 * layer.weight.grad", "layer.bias += 1.0", "layer.weight *= 0.5",
    "layer.bias -= layer.bias.grad", "layer.weight[0] = 1.0", "layer.bias.zero_()",
    "layer.weight.fill_(0.25)", "layer.bias.copy_(layer.bias * 2)", "a -= 0.1 * a",
    "layer.weight[:, 1] -= 2.0", "layer.weight /= 2", "layer.weight = layer.weight * 2",
    "layer.bias = b[0] * 1",
)  # fmt: skip


def write(choices: Choices, closed: frozenset[str] = frozenset()) -> Program:
    """Values, changes of them, one or two losses, and updates by hand."""
    names, lines, items = ["a", "b"], [], set()
    changed = False

    def pick() -> str:
        return names[-1 - choices.below(len(names))]

    for k in range(1 + choices.below(6)):
        if choices.below(4) == 3:
            lines.append(choices.pick(CHANGE).format(v=pick(), u=pick()))
            changed = True
            items.add("C13")
            if "C13" in closed:
                lines.pop()
        else:
            lines.append(choices.pick(MAKE).format(v=pick(), n=f"v{k}"))
            names.append(f"v{k}")
    lines.append("loss = 0" if "C13" not in closed else "loss = a.sum() * 0")
    for _ in range(1 + choices.below(3)):
        lines.append(choices.pick(SUMMED if "C13" not in closed else SUMMED[2:]).format(v=pick()))
    items.add("C13")
    lines += ["loss = loss + (layer(a.T) ** 2).sum()", "loss.backward()"]
    updates = [choices.pick(UPDATES) for _ in range(choices.below(3))] if "C8" not in closed else []
    if updates:
        items.add("C8")
        lines += ["with E.no_grad():", *(f"    {line}" for line in updates)]
        lines += ["again = (layer(a.detach().T) ** 2).sum()", "again.backward()"]
    else:
        lines.append("again = loss")
    source = (
        "from tests.programs.eager import hand\n\n\ndef program(E, a, b, layer):\n"
        + "".join(f"    {line}\n" for line in lines)
        + f"    return [{', '.join(n for n in names[2:])}{', ' if names[2:] else ''}loss, again]\n\n\n"
        f"hand(program{'' if changed else ', must=True'})\n"
    )
    return Program("eager", source, frozenset(items))
