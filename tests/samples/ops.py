"""python -m tests.samples.ops [--only REGEX] [--few N]: PyTorch's own samples of its ops, on ours.

PyTorch tests each of its ops by samples (`torch.testing._internal.common_methods_invocations.op_db`). Those
of ops that have a name here are run on `dynamic`, in float32 and float64 (in another dtype where PyTorch has
neither), and values and first gradients are held against PyTorch's. Printed are what was wrong or refused,
how often and why, and the names that have no op here. The exit status is 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import collections
import re
import sys
import types
import unittest
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops
from shared.errors import DiptychError
from tests.samples.words import DIFFERENCES, LEFT, RENAMED, THEIRS, WORDS

RIGHT, WRONG, KEYWORD, REFUSED, BROKE = "right", "wrong", "keyword refused", "refused", "broke"
"""What may come of a sample: values and gradients are PyTorch's; they are not; a keyword is unknown here;
another error of ours; an error that is none of ours."""
MEANT, ABSENT = "meant", "absent"
"""It is not PyTorch's and is meant so (`DIFFERENCES`); there is no op of the name."""
TOLERANCES = {"float32": 5e-4, "complex64": 5e-4}
"""By dtype how far a number may be off, by its own size and by 1; 1e-7 for the others."""


@dataclass(frozen=True)
class Found:
    """What came of one sample of an op."""

    name: str
    dtype: str
    outcome: str
    why: str = ""


@cache
def op_db() -> tuple[Any, ...]:
    """PyTorch's ops with their samples. The module wants the package expecttest, for one class of it."""
    if "expecttest" not in sys.modules:
        stand_in: Any = types.ModuleType("expecttest")
        stand_in.TestCase, stand_in.ACCEPT = unittest.TestCase, False
        sys.modules["expecttest"] = stand_in
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db as found
    return tuple(found)


# --- which call it is ----------------------------------------------------------------------


def called(info: Any) -> Callable[..., Any] | None:
    """What stands here for an op of PyTorch's: its line in the table, or the op of its name."""
    for name in (f"{info.name}.{info.variant_test_name}", info.name):
        if name in WORDS:
            return WORDS[name]
    found = by_name(info.name)
    if found is None:
        return None
    return lambda *args, **settings: found(*args, **{RENAMED.get(k, k): v for k, v in settings.items()})


def by_name(name: str) -> Callable[..., Any] | None:
    """The public op of that name, also where PyTorch has it in a drawer: `special.erfc`."""
    drawer, _, last = name.rpartition(".")
    if drawer == "nn.functional":
        return getattr(nn.functional, last, None)
    if drawer in ("", "special"):
        return getattr(ops, last) if last in ops.__all__ else None
    within = getattr(ops, drawer, None)
    return getattr(within, last) if last in getattr(within, "__all__", ()) else None


# --- one sample ----------------------------------------------------------------------------


def ours(value: Any, leaves: list[Any]) -> Any:
    """A sample's argument in our words; Tensors that require a gradient are noted in `leaves`."""
    import torch

    if isinstance(value, torch.Tensor):
        made = dynamic.tensor(value.numpy(force=True), requires_grad=value.requires_grad)
        if value.requires_grad:
            leaves.append((value, made))
        return made
    if isinstance(value, torch.dtype):
        return torch.zeros((), dtype=value).numpy().dtype
    if isinstance(value, torch.Size):
        return tuple(value)
    if isinstance(value, (list, tuple)):
        return type(value)([ours(part, leaves) for part in value])
    return value


def flat(result: Any) -> list[Any]:
    """The results that hold numbers, one after the other."""
    if isinstance(result, (list, tuple)):
        return [part for each in result for part in flat(each)]
    return [] if result is None else [result]


def numbers(value: Any) -> Any:
    if isinstance(value, dynamic.Tensor):
        return value.numpy()
    if not hasattr(value, "detach"):
        return np.asarray(value)
    return value.numpy(force=True)


def differs(what: str, got: Any, wanted: Any, mixed: bool) -> str:
    """In what way, if any, an array is not PyTorch's. Arguments of mixed dtypes promote as in NumPy."""
    if got.shape != wanted.shape:
        return f"{what}: shape {got.shape}, PyTorch's is {wanted.shape}"
    if wanted.dtype.kind in "fc" and got.dtype.kind in "fc" and got.dtype != wanted.dtype and not mixed:
        return f"{what}: {got.dtype}, PyTorch's is {wanted.dtype}"
    close = TOLERANCES.get(wanted.dtype.name, 1e-7)
    wide = np.complex128 if wanted.dtype.kind == "c" else np.float64
    got, wanted = got.astype(wide), wanted.astype(wide)
    if np.allclose(got, wanted, close, close, equal_nan=True):
        return ""
    at = np.unravel_index(np.argmax(~np.isclose(got, wanted, close, close, equal_nan=True)), got.shape)
    return f"{what}: {got[at]!r} at {tuple(map(int, at))}, PyTorch's is {wanted[at]!r}"


def compared(info: Any, call: Callable[..., Any], sample: Any) -> str:
    """In what way, if any, values or first gradients are not PyTorch's."""
    import torch

    leaves: list[Any] = []
    mine = flat(call(*ours((sample.input, *sample.args), leaves),
                     **{key: ours(value, leaves) for key, value in sample.kwargs.items()}))  # fmt: skip
    given = flat([sample.input, sample.args, list(sample.kwargs.values())])
    mixed = len({x.dtype for x in given if isinstance(x, torch.Tensor)}) > 1
    theirs_call, finish = THEIRS.get(info.name, info.op), sample.output_process_fn_grad
    result = theirs_call(sample.input, *sample.args, **sample.kwargs)
    theirs = flat(result if info.name in THEIRS else finish(result))
    if len(mine) != len(theirs):
        return f"{len(mine)} results, PyTorch has {len(theirs)}"
    for i, (got, wanted) in enumerate(zip(mine, theirs, strict=True)):
        if said := differs(f"result {i}", numbers(got), numbers(wanted), mixed):
            return said
    rng = np.random.default_rng(0)
    pairs = [(y, z, rng.standard_normal(tuple(z.shape)) * (1 + 0.5j if z.is_complex() else 1))
             for y, z in zip(mine, theirs, strict=True)
             if isinstance(z, torch.Tensor) and z.requires_grad]  # fmt: skip
    if not pairs or not leaves or not info.supports_autograd:
        return ""
    live = [(y, c) for y, _, c in pairs if getattr(y, "requires_grad", False)]  # that of the others is 0
    wanted = torch.autograd.grad(
        [z for _, z, _ in pairs], [theirs for theirs, _ in leaves],
        [torch.tensor(c).to(z.dtype) for _, z, c in pairs], allow_unused=True,
    )  # fmt: skip
    got = dynamic.grad(
        [y for y, _ in live], [mine for _, mine in leaves],
        [dynamic.tensor(c.astype(y.dtype)) for y, c in live], allow_unused=True,
    ) if live else [None] * len(leaves)  # fmt: skip
    for i, (g, w) in enumerate(zip(got, wanted, strict=True)):
        if g is not None or w is not None:
            zeros = np.zeros(tuple((leaves[i][0]).shape))
            g, w = (zeros.astype(numbers(leaves[i][0]).dtype) if v is None else numbers(v) for v in (g, w))
            if said := differs(f"gradient {i}", g, w, mixed):
                return said
    return ""


_UNKNOWN_WORD = re.compile(r"unexpected keyword|no setting|has no argument|multiple values")


def tried(info: Any, call: Callable[..., Any], sample: Any, dtype: str) -> Found:
    try:
        said = compared(info, call, sample)
    except AttributeError as error:
        if error.obj is ops or str(getattr(error.obj, "__name__", "")).startswith("shared.ops"):
            return Found(info.name, dtype, ABSENT)
        return Found(info.name, dtype, BROKE, repr(error))
    except DiptychError as error:
        outcome = KEYWORD if _UNKNOWN_WORD.search(error.message) else REFUSED
        return Found(info.name, dtype, outcome, error.message)
    except Exception as error:
        outcome = KEYWORD if isinstance(error, TypeError) and _UNKNOWN_WORD.search(str(error)) else BROKE
        return Found(info.name, dtype, outcome, f"{type(error).__name__}: {error}")
    wrong = MEANT if info.name in DIFFERENCES else WRONG
    return Found(info.name, dtype, wrong if said else RIGHT, said)


# --- all of them ---------------------------------------------------------------------------


def dtypes_of(info: Any) -> Iterator[Any]:
    """float32 and float64; where PyTorch has neither, the first of the others."""
    import torch

    known = info.supported_dtypes("cpu")
    floats = [dtype for dtype in (torch.float32, torch.float64) if dtype in known]
    others = [dtype for dtype in (torch.int64, torch.int32, torch.bool, torch.complex128) if dtype in known]
    yield from floats or others[:1]


def each(only: str = "", few: int | None = None) -> Iterator[Found]:
    """What comes of every sample of every op whose name the expression matches."""
    for info in op_db():
        name = f"{info.name}.{info.variant_test_name}".rstrip(".")
        if info.name in LEFT or not re.search(only, name):
            continue
        call = called(info)
        if call is None:
            yield Found(info.name, "", ABSENT)
            continue
        for dtype in dtypes_of(info):
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                wanted = info.supports_autograd and (dtype.is_floating_point or dtype.is_complex)
                samples = info.sample_inputs("cpu", dtype, requires_grad=wanted)
                for at, sample in enumerate(samples):
                    if at == few:
                        break
                    yield tried(info, call, sample, str(dtype).removeprefix("torch."))


_NUMBERS = re.compile(r"\(.*\): |-?\d[\d.e+-]*")
"""What differs between samples that are refused, or wrong, for one reason: arguments and numbers."""


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.samples.ops", description=__doc__)
    parser.add_argument("--only", default="", help="an expression that the names must match")
    parser.add_argument("--few", type=int, help="the first so many samples of each op alone")
    given = parser.parse_args(words)
    by_outcome: dict[str, list[Found]] = collections.defaultdict(list)
    for found in each(given.only, given.few):
        by_outcome[found.outcome].append(found)
    for outcome in (KEYWORD, REFUSED, BROKE, WRONG):
        alike: dict[Any, list[Found]] = collections.defaultdict(list)
        for found in by_outcome[outcome]:
            alike[found.name, _NUMBERS.sub("#", found.why)].append(found)
        for (name, _), each_one in sorted(alike.items()):
            print(f"{outcome:>15} {len(each_one):4}  {name} ({each_one[0].dtype}): {each_one[0].why:.200}")
    absent = sorted({f.name for f in by_outcome.pop(ABSENT, [])})
    names = {f.name for every in by_outcome.values() for f in every}
    for name in sorted({f.name for f in by_outcome[MEANT]}):
        print(f"{MEANT:>15} {sum(f.name == name for f in by_outcome[MEANT]):4}  {name}: {DIFFERENCES[name]}")
    counts = ", ".join(f"{len(by_outcome[o])} {o}" for o in (RIGHT, WRONG, MEANT, KEYWORD, REFUSED, BROKE))
    print(f"\n{len(names)} names have an op here: {counts}")
    print(f"{len(absent)} have none: {' '.join(absent)}")
    return 1 if by_outcome[WRONG] else 0


if __name__ == "__main__":
    sys.exit(main())
