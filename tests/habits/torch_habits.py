"""`python -m tests.habits.torch_habits`: which lines of PyTorch work here, and what the others are
answered."""

from __future__ import annotations

import copy
import sys
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import dynamic
from shared import nn, optim
from tests.habits import torch_lines

LINES = [
    line
    for table in (torch_lines.TENSORS, torch_lines.LAYERS, torch_lines.TRAINING)
    for line in table.strip().split("\n")
]


def theirs() -> Any:
    """PyTorch, as a program imports it."""
    import torch

    return SimpleNamespace(torch=torch, nn=torch.nn, F=torch.nn.functional, optim=torch.optim)


def ours() -> Any:
    """Diptych in its place: only the imports are others."""
    return SimpleNamespace(torch=dynamic, nn=nn, F=getattr(nn, "functional", nn), optim=optim)


def fixtures(words: Any, folder: str) -> dict[str, Any]:
    """The values that lines use, the same for both."""
    torch, rng = words.torch, np.random.default_rng(0)

    def floats(*shape: int) -> Any:
        return torch.tensor(rng.standard_normal(shape).astype("float32"))

    x = torch.tensor(rng.standard_normal((4, 5)).astype("float32"), requires_grad=True)
    values = {
        "x": x, "y": floats(4, 5), "w": floats(5, 3), "v": floats(5), "batch": floats(2, 3, 5),
        "img": floats(2, 3, 8, 8), "six": floats(2, 4, 6), "i": torch.tensor(np.array([0, 2, 1, 1])),
        "j": torch.tensor(np.array([[0], [2], [4], [1]])), "labels": torch.tensor(np.array([0, 3, 4, 1])),
        "mask": torch.tensor(rng.random((4, 5)) > 0.5), "path": str(Path(folder) / "kept"), "np": np,
        "copy": copy,
    }  # fmt: skip
    net = words.nn.Sequential(words.nn.Linear(5, 8), words.nn.Tanh(), words.nn.Linear(8, 5))
    drawn = {name: rng.standard_normal(tuple(p.shape)) for name, p in net.named_parameters()}
    net.load_state_dict({name: torch.tensor(a.astype("float32")) for name, a in drawn.items()})
    return {**vars(words), **values, "net": net}


def run(line: str, words: Any) -> Any:
    """What the last expression of a line gives, as arrays, numbers and lists."""
    with tempfile.TemporaryDirectory() as folder:
        space = fixtures(words, folder)
        *before, last = [part.strip() for piece in line.split(" // ") for part in _statements(piece)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for statement in before:
                exec(statement, space)
            return plain(eval(last, space))


def _statements(piece: str) -> list[str]:
    return [piece] if piece.startswith(("with ", "for ")) else piece.split("; ")


def plain(value: Any) -> Any:
    """A value as NumPy has it."""
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if hasattr(value, "detach"):
        return np.asarray(value.detach().numpy())
    if hasattr(value, "numpy") and not isinstance(value, np.generic):
        return np.asarray(value.numpy())
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value)
    return value


def same(a: Any, b: Any) -> bool:
    """Whether two values are the same: to rounding, widths of integers aside."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        kinds = a.dtype.kind == b.dtype.kind and (a.dtype == b.dtype or a.dtype.kind in "iu")
        return kinds and a.shape == b.shape and np.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True)
    if isinstance(a, float) or isinstance(b, float):
        return abs(a - b) <= 1e-5 * max(1.0, abs(a))
    if a is None or isinstance(a, (bool, int, str)):
        return bool(a == b)
    return True  # a thing that each has its own of


def outcome(line: str) -> tuple[str, str]:
    """What becomes of a line: "right", "wrong", "answered" (with the line to write) or "fails"."""
    try:
        want = run(line, theirs())
    except Exception as error:
        return "no line", f"{type(error).__name__}: {error}"
    try:
        got = run(line, ours())
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        return ("answered" if "; write " in text or " write " in text else "fails"), text
    return ("right", "") if same(want, got) else ("wrong", f"{got!r}, not {want!r}"[:200])


def main() -> None:
    """Print what becomes of every line that does not simply work."""
    counts: dict[str, int] = {}
    for line in LINES:
        if len(sys.argv) > 1 and sys.argv[1] not in line:
            continue
        kind, text = outcome(line)
        counts[kind] = counts.get(kind, 0) + 1
        if kind != "right":
            print(f"{kind:9} {line}\n          {text[:230]}")
    print(counts)


if __name__ == "__main__":
    main()
