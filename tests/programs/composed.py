"""Programs of ops: values of many shapes, sizes that are unknown, control flow in control flow."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

import dynamic
from tests.programs.choices import Choices
from tests.programs.program import Program
from tests.programs.writer import FITS, Line, Writer, kept

SIZES = (3, 4, 2, 1, 5, 0)
CONTROL = re.compile(r"ops\.(cond|scan|map_fn|while_loop)\(")
SPECIAL = "np.array([0.0, -0.0, 1.0, -3.0, np.inf, -np.inf, np.nan, 1e-40, -1e-310, 1e30, 1e300, 0.5])"


def write(choices: Choices, closed: frozenset[str] = frozenset()) -> Program:
    """A program of up to 14 lines, with its gradients."""
    n, t = choices.pick(SIZES), choices.pick(SIZES)
    dtype = choices.pick(("float64", "float64", "float32", "float64"))
    special = choices.below(12) == 11 and "F25" not in closed
    makers = {
        "x": (f'normal(1, {n}, 3).astype("{dtype}")', '("N", 3)'),
        "y": (f'normal(2, {n}, 3).astype("{dtype}")', '("N", 3)'),
        "z": (f'normal(3, {t}).astype("{dtype}")', '("T",)'),
        "w": (f'(normal(4, 3, 3) / 2).astype("{dtype}")', "(3, 3)"),
        "u": (f'normal(5, 3).astype("{dtype}")', "(3,)"),
        "s": (f'normal(6).astype("{dtype}")', "()"),
        "i": (f"whole(7, {n})", '("N",)'),
        "o": (f"np.array({choices.pick((2, 1, 3, 0))})", "()"),
    }
    if special:
        makers["x"] = (f'np.resize({SPECIAL}[{choices.below(12)}:], ({n}, 3)).astype("{dtype}")', '("N", 3)')
    space: dict[str, Any] = {"np": np, "normal": normal, "whole": whole}
    with np.errstate(all="ignore"):
        values = {name: dynamic.tensor(eval(maker, space)) for name, (maker, _) in makers.items()}
    order = ("i", "o", "s", "z", "u", "w", "y", "x")  # the last is the simplest
    writer = Writer(choices, {name: values[name] for name in order}, closed, special=special)
    writer.write(14)
    results = [line.names[-1] for line in writer.lines if FITS["f"](writer.values[line.names[-1]])][-3:]
    if not results:
        results = [line.names[-1] for line in writer.lines][-1:] or ["x"]
    lines = kept(writer.lines, results)
    text = "".join(line.text + "\n" for line in lines)
    used = [name for name in makers if _mentions(lines, results, name)]
    body = "".join(f"    {line}\n" for line in text.splitlines())
    told = '("known",)' if CONTROL.search(text) else '("known", "named")'
    order = 0 if special or ("B7" in closed and CONTROL.search(text)) else choices.pick((2, 1))
    source = (
        "import numpy as np\n"
        "from tests.programs.agree import agree, normal, whole\n\n\n"
        f"def program(ops, {', '.join(used)}):\n{body}    return {', '.join(results)},\n\n\n"
        "agree(\n    program,\n"
        + "".join(f"    {name}=({makers[name][0]}, {makers[name][1]}),\n" for name in used)
        + f"    order={order},\n"
        + (f"    sizes={told},\n" if "A2" in closed else "")
        + ")\n"
    )
    names = {name for line in lines for name in line.names}
    items = {
        item for item, made in writer.used.items() if not made or made & set(text.split()) or made & names
    }
    return Program("composed", source, frozenset(items))


def _mentions(lines: list[Line], results: list[str], name: str) -> bool:
    words = {w for line in lines for w in re.findall(r"[A-Za-z_]\w*", line.text)}
    return name in words or name in results


def normal(seed: int, *shape: int) -> Any:
    """Standard normal numbers, the same for a seed."""
    return np.random.default_rng(seed).standard_normal(shape)


def whole(seed: int, *shape: int) -> Any:
    """Integers from 0 to 2."""
    return np.random.default_rng(seed).integers(0, 3, shape)
