"""Our layers on PyTorch's own samples of its modules: `python -m tests.samples.modules [NAME ...]`.

`torch.testing._internal.common_modules.module_db` holds, for each of PyTorch's modules, constructor
arguments and inputs by which PyTorch tests it. For every sample, in float32 and float64, in training and
evaluation, our layer of the same name is made with the same arguments and loads the same state dict; what it
gives, the gradients by its inputs and Parameters, and what the call left in the buffers are compared. A
sample is

    right    all of it agrees
    wrong    some of it does not, or its shape or dtype
    raises   an error came out
    refuses  a keyword is not known
    missing  there is no layer of that name

The exit status is that something is wrong.
"""

from __future__ import annotations

import argparse
import inspect
import sys
import unittest
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

import dynamic
from shared import nn, ops

VERDICTS = ("right", "wrong", "raises", "refuses", "missing")
DTYPES = ("float32", "float64")
TOLERANCE = {"float32": 2e-4, "float64": 1e-9}
"""Relative to the largest number of an array. In float32 both round; it is float64 that tells."""

NAMES = {"dim": "axis", "input": "x", "start_dim": "start_axis", "end_dim": "end_axis"}
"""Keywords that have another name here."""
LAST = ("CrossEntropyLoss", "NLLLoss")
"""Modules that have the classes on axis 1, and here on the last unless it is said."""
NORMALISED = ("CTCLoss",)
"""Modules whose gradient by their first input PyTorch gives as it is behind a log_softmax alone: both get
one."""
DRAWS = ("FractionalMaxPool2d", "FractionalMaxPool3d")
"""Modules whose forward draws random numbers in evaluation too: shapes alone are compared."""


@dataclass(frozen=True)
class Verdict:
    """What came of a sample. words: of what is not right, what is."""

    module: str
    case: str
    verdict: str
    words: str = ""


@dataclass(frozen=True)
class Sample:
    """One of PyTorch's samples."""

    module: type
    arguments: Any
    inputs: Any
    dtype: str
    training: bool
    number: int

    def __str__(self) -> str:
        return f"{self.number}-{self.dtype}-{'train' if self.training else 'eval'}"


def module_db() -> list[Any]:
    """PyTorch's table. Its module imports `expecttest`, which PyTorch does not bring and the samples
    do not need."""
    if "expecttest" not in sys.modules:
        stand_in: Any = ModuleType("expecttest")
        stand_in.TestCase, stand_in.ACCEPT = unittest.TestCase, False
        sys.modules["expecttest"] = stand_in
    from torch.testing._internal.common_modules import module_db

    return list(module_db)


def samples(names: Iterable[str] = (), dtypes: Iterable[str] = DTYPES) -> Iterator[Sample]:
    """All samples of the modules of these names; of all modules, if none is given."""
    import torch

    chosen = set(names)
    for info in module_db():
        module = info.module_cls
        if chosen and module.__name__ not in chosen:
            continue
        for dtype in dtypes:
            for training in (True, False):
                torch.manual_seed(0)
                kind = getattr(torch, dtype)
                made = info.module_inputs_func(
                    info, device="cpu", dtype=kind, requires_grad=True, training=training
                )
                for number, one in enumerate(made):
                    yield Sample(module, one.constructor_input, one.forward_input, dtype, training, number)


def try_sample(sample: Sample) -> Verdict:
    """What our layer makes of a sample."""
    name = sample.module.__name__
    if not hasattr(nn, name.removeprefix("Lazy")):
        return Verdict(name, str(sample), "missing")
    try:
        wrong = list(_differences(sample))
    except Exception as error:
        kind = "refuses" if "unexpected keyword" in str(error) else "raises"
        return Verdict(name, str(sample), kind, f"{type(error).__name__}: {str(error).splitlines()[0]}")
    return Verdict(name, str(sample), "wrong" if wrong else "right", "; ".join(wrong))


def _differences(sample: Sample) -> Iterator[str]:
    """In what our layer and PyTorch's differ."""
    import torch

    torch.manual_seed(0)
    arguments, inputs = sample.arguments, sample.inputs
    theirs = sample.module(*arguments.args, **arguments.kwargs).to(getattr(torch, sample.dtype))
    theirs.train(sample.training)
    state = _state(theirs)  # of a lazy module there is none yet
    normalised = sample.module.__name__ in NORMALISED
    first, *rest = inputs.args if inputs.args else [None]
    given = (first.log_softmax(-1), *rest) if normalised else inputs.args
    their_ys = _tensors(theirs(*given, **inputs.kwargs))
    ours = _twin(sample).astype(sample.dtype).train(sample.training)
    state = _state(theirs) if sample.module.__name__.startswith("Lazy") else state
    tensors: list[tuple[Any, Any]] = []
    packed = any(_is_packed(x) for x in inputs.args)
    if packed:
        args, keywords = _unpacked(inputs.args, ours.batch_first, tensors)
    else:
        args = [_ours(x, tensors) for x in inputs.args]
        keywords = {NAMES.get(key, key): _ours(x, tensors) for key, x in inputs.kwargs.items()}
    if normalised:
        args[0] = ops.log_softmax(args[0], -1)
    if any(parameter.data is None for parameter in ours.parameters()):
        ours(*args, **keywords)
    ours.load_state_dict(state)
    our_ys = _tensors(ours(*args, **keywords))
    if packed:
        their_ys = _tensors(_padded(theirs(*inputs.args, **inputs.kwargs), ours.batch_first))

    if len(our_ys) != len(their_ys):
        yield f"{len(our_ys)} outputs, not {len(their_ys)}"
        return
    compare = sample.module.__name__ not in DRAWS
    for i, (y, t) in enumerate(zip(our_ys, their_ys, strict=True)):
        yield from _unlike(f"output {i}", y, t, sample.dtype, compare)
    if not compare:
        return
    for name, t in _state(theirs).items():
        yield from _unlike(name, ours.state_dict()[name], t, sample.dtype)
    yield from _unlike_gradients(ours, theirs, tensors, our_ys, their_ys, sample.dtype)


def _unlike_gradients(
    ours: Any, theirs: Any, tensors: list[tuple[Any, Any]], our_ys: list[Any], their_ys: list[Any], dtype: str
) -> Iterator[str]:
    """In what gradients differ, by the inputs and by the Parameters."""
    import torch

    leaves = [(f"gradient by input {i}", x, t) for i, (x, t) in enumerate(tensors) if t.requires_grad]
    mine = dict(ours.named_parameters())
    leaves += [(f"gradient by {name}", mine[name], t) for name, t in theirs.named_parameters()]
    pairs = [(y, t) for y, t in zip(our_ys, their_ys, strict=True) if t.requires_grad]
    if not pairs or not leaves:
        return
    cotangents = [np.cos(np.arange(t.numel())).reshape(t.shape).astype(_kind(t)) for _, t in pairs]
    total = sum((t * torch.tensor(c)).sum() for (_, t), c in zip(pairs, cotangents, strict=True))
    expected = torch.autograd.grad(total, [t for _, _, t in leaves], allow_unused=True)
    total = sum(ops.sum(y * c) for (y, _), c in zip(pairs, cotangents, strict=True))
    found = dynamic.grad(total, [x for _, x, _ in leaves], allow_unused=True)
    for (name, x, t), g, e in zip(leaves, found, expected, strict=True):
        none = np.zeros(x.shape, _kind(t))
        yield from _unlike(name, none if g is None else g, torch.tensor(none) if e is None else e, dtype)


def _unlike(name: str, ours: Any, theirs: Any, dtype: str, compare: bool = True) -> Iterator[str]:
    """In what an array of ours differs from a Tensor of theirs."""
    mine = np.asarray(ours.numpy() if hasattr(ours, "numpy") else ours)
    other = theirs.detach().numpy()
    if mine.shape != other.shape or mine.dtype != other.dtype:
        yield f"{name} is {mine.dtype}{list(mine.shape)}, not {other.dtype}{list(other.shape)}"
    elif compare:
        largest = np.abs(other[np.isfinite(other)]).max(initial=1.0)
        allowed = TOLERANCE[dtype] * float(largest)
        if not np.allclose(mine, other, rtol=0, atol=allowed, equal_nan=True):
            off = np.abs(mine.astype(np.float64) - other).max()
            yield f"{name} is off by {off:.2g}"


# --- from PyTorch's words to ours ----------------------------------------------------------


def _twin(sample: Sample) -> Any:
    """Our layer of the same name, with the same arguments. A Lazy one leaves the first of them out, which is
    None here."""
    name, arguments = sample.module.__name__, sample.arguments
    args = [_ours(x) for x in arguments.args]
    keywords = {NAMES.get(key, key): _ours(x) for key, x in arguments.kwargs.items()}
    if name in LAST and sample.inputs.args[0].ndim > 1:
        keywords["axis"] = 1
    if name.startswith("Lazy"):
        args.insert(0, None)
    return getattr(nn, name.removeprefix("Lazy"))(*args, **keywords)


def _ours(value: Any, tensors: list[tuple[Any, Any]] | None = None) -> Any:
    """A value as we take it. Tensors become arrays or, where they are listed, Tensors of ours."""
    import torch

    if isinstance(value, torch.Tensor):
        array = value.detach().numpy().copy()
        if tensors is None:
            return array
        for mine, theirs in tensors:
            if theirs is value:  # one of the samples of KLDivLoss is its own target
                return mine
        tensors.append((dynamic.tensor(array, requires_grad=value.requires_grad), value))
        return tensors[-1][0]
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if isinstance(value, torch.nn.TransformerEncoderLayer):
        return _encoder_layer(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_ours(x, tensors) for x in value)
    if inspect.isroutine(value) and hasattr(ops, value.__name__):
        return getattr(ops, value.__name__)
    return value


def _encoder_layer(theirs: Any) -> Any:
    """The layer of ours that an encoder is made of as often as it has layers."""
    activation = _ours(theirs.activation)
    return nn.TransformerEncoderLayer(
        theirs.self_attn.embed_dim, theirs.self_attn.num_heads, theirs.linear1.out_features,
        theirs.dropout.p, activation, batch_first=theirs.self_attn.batch_first,
        norm_first=theirs.norm_first, bias=theirs.linear1.bias is not None,
    )  # fmt: skip


def _is_packed(value: Any) -> bool:
    return type(value).__name__ == "PackedSequence"


def _unpacked(inputs: Any, batch_first: bool, tensors: list[tuple[Any, Any]]) -> tuple[list[Any], Any]:
    """A packed sequence, and what comes after it, as our layers take them: padded, with lengths."""
    from torch.nn.utils.rnn import pad_packed_sequence

    padded, lengths = pad_packed_sequence(inputs[0], batch_first)
    args = [dynamic.tensor(padded.detach().numpy()), *(_ours(x, tensors) for x in inputs[1:])]
    return args, {"lengths": lengths.numpy()}


def _padded(outputs: Any, batch_first: bool) -> Any:
    """The other way round."""
    from torch.nn.utils.rnn import pad_packed_sequence

    return (pad_packed_sequence(outputs[0], batch_first)[0], *outputs[1:])


def _state(module: Any) -> dict[str, Any]:
    from torch.nn.parameter import is_lazy

    states = {name: t for name, t in module.state_dict().items() if not is_lazy(t)}
    return {name: t.detach().clone() for name, t in states.items()}


def _tensors(value: Any) -> list[Any]:
    """The Tensors in tuples, in order; None left out."""
    if value is None:
        return []
    if isinstance(value, (tuple, list)):
        return [t for part in value for t in _tensors(part)]
    return [value]


def _kind(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


# --- the table -----------------------------------------------------------------------------


def table(verdicts: list[Verdict], all_words: bool) -> Iterator[str]:
    """A line for each module, of those with something amiss the first of its words, and the sum."""
    modules = list(dict.fromkeys(verdict.module for verdict in verdicts))
    counts = {module: Counter(v.verdict for v in verdicts if v.module == module) for module in modules}
    yield f"{'':28}" + "".join(f"{verdict:>9}" for verdict in VERDICTS)
    for module in [*sorted(modules), "all"]:
        count = counts[module] if module in counts else Counter(v.verdict for v in verdicts)
        yield f"{module:28}" + "".join(f"{count[verdict] or '':>9}" for verdict in VERDICTS)
        said = [v for v in verdicts if v.module == module and v.words]
        for verdict in said if all_words else said[:1]:
            yield f"    {verdict.case}: {verdict.words}"


def main() -> None:
    """Try samples and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="modules to try; all, if none is named")
    parser.add_argument("--words", action="store_true", help="print the words of all that is not right")
    asked = parser.parse_args()
    verdicts = [try_sample(sample) for sample in samples(asked.names)]
    print("\n".join(table(verdicts, asked.words)))
    sys.exit(any(verdict.verdict == "wrong" for verdict in verdicts))


if __name__ == "__main__":
    main()
