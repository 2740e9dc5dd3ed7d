"""What a run is given and asked for: feeds and fetches, checked and taken apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from shared.casting import cast_known, cast_whole
from shared.device import cuda
from shared.dims import UNKNOWN_RANK, Dim
from shared.errors import FeedError, FeedTypeError, FetchError, GraphError
from shared.sizes.atoms import Symbol
from shared.spec import str_shape
from shared.state import State
from static.compile.device import CPU, Device
from static.graph.graph import Graph, Node, Tensor
from static.graph.sizes import Sizes, tensor_of
from static.graph.variables import Variable, lift

# --- fetches -------------------------------------------------------------------------------


def take_apart(graph: Graph, fetches: Any, into: list[Any]) -> Callable[[Any], Any]:
    """Put what is fetched into a list; gives what puts the values back together."""
    if isinstance(fetches, (Sizes, Dim)):
        fetches = tensor_of(graph, fetches)
    if isinstance(fetches, (list, tuple)):
        parts = [take_apart(graph, part, into) for part in fetches]
        kind = type(fetches)
        if hasattr(fetches, "_fields"):
            return lambda values: kind(*[part(values) for part in parts])
        return lambda values: kind([part(values) for part in parts])
    if isinstance(fetches, dict):
        named = {key: take_apart(graph, part, into) for key, part in fetches.items()}
        return lambda values: {key: part(values) for key, part in named.items()}
    into.append(_fetch(graph, fetches))
    return next


def _fetch(graph: Graph, fetch: Any) -> Tensor | Variable | Node:
    if isinstance(fetch, str):
        operation = graph.find(fetch)
        return graph.named(fetch) if operation is None else operation
    if isinstance(fetch, State):
        return lift(graph, fetch)
    if not isinstance(fetch, (Tensor, Variable, Node)):
        raise FetchError(
            f"run: fetch {fetch!r} has invalid type {type(fetch).__name__}; fetch Tensors, "
            "Variables, operations, their names, or lists, tuples and dicts of them"
        )
    if fetch.graph is not graph:
        raise GraphError(
            f"run: {fetch.name!r} is not an element of this session's graph; open the session "
            "on its graph, static.Session(graph=...)"
        )
    return fetch


# --- feeds ---------------------------------------------------------------------------------


def take_feeds(graph: Graph, feed_dict: Any, device: Device = CPU) -> tuple[list[Tensor], list[Any]]:
    """What is fed: the Tensors, and their values as arrays that fit them: NumPy's, or what is on
    the GPU already where `device` is that."""
    if not isinstance(feed_dict, Mapping):
        kind = type(feed_dict).__name__
        raise FeedTypeError(
            f"run: feed_dict must be a dict, {{tensor: value}}, not {kind}; several fetches go into one "
            "list, run([a, b], feed_dict)"
        )
    fed: list[Tensor] = []
    arrays: list[Any] = []
    sizes: dict[Symbol, tuple[int, Tensor]] = {}
    for key, value in feed_dict.items():
        tensor = feed_key(graph, key)
        if any(tensor is other for other in fed):
            raise FeedError(f"run: {tensor.name!r} is fed twice, by itself and by its name; feed it once")
        array = feed_value(tensor, value, device)
        check_sizes(tensor, array, sizes)
        fed.append(tensor)
        arrays.append(array)
    for tensor, array in zip(fed, arrays, strict=True):
        _check_expressions(tensor, array, sizes)
    return fed, arrays


def feed_key(graph: Graph, key: Any) -> Tensor:
    """The Tensor that a feed_dict's key means, or FeedTypeError."""
    tensor = graph.named(key) if isinstance(key, str) else key
    if not isinstance(tensor, Tensor):
        raise FeedTypeError(
            f"run: cannot interpret feed_dict key {key!r} as a Tensor; feed placeholders (or "
            "other Tensors of the graph), or their names such as 'x:0'"
        )
    if tensor.graph is not graph:
        raise FeedTypeError(
            f"run: cannot interpret feed_dict key {tensor.name!r} as a Tensor: it is not an "
            "element of this session's graph"
        )
    return tensor


def place_of(tensor: Tensor) -> tuple[int, int]:
    """Where a Tensor stands in its graph."""
    return tensor.node.order, tensor.index


def feed_value(tensor: Tensor, value: Any, device: Device = CPU) -> Any:
    """The fed value as an array of the Tensor's dtype, or FeedTypeError."""
    if isinstance(value, (Tensor, Variable)):
        raise FeedTypeError(
            f"run: the value of feed {tensor.name!r} is a static Tensor; a feed takes numbers, "
            "lists and arrays: run the Tensor first and feed its value"
        )
    if cuda.in_use:
        value = _from_gpu(value, device)
    if isinstance(value, State) or hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, np.ndarray) and value.dtype == tensor.dtype:
        value = np.asarray(value)  # a matrix or a masked array would compute in ways of its own
        return value if value.flags.c_contiguous else np.array(value, order="C")
    try:
        array = value if isinstance(value, cuda.CudaArray) else np.asarray(value)
        converted = cast_known(array, tensor.dtype)
        if converted is None and array.dtype.kind == "f":
            converted = cast_whole(array, tensor.dtype)
    except (ValueError, TypeError):
        converted = None
    if converted is None:
        shown = repr(value)
        if len(shown) > 60:
            shown = f"of type {type(value).__name__}"
        raise FeedTypeError(
            f"run: type of feed value {shown} is not compatible with Tensor {tensor.name!r}, which "
            f"has dtype {tensor.dtype.name}; convert it first (rows of one length, numbers of that kind)"
        )
    return converted


def _from_gpu(value: Any, device: Device) -> Any:
    """The array behind a value that is on the GPU, on the session's device; anything else as it is."""
    held = cuda.adopted(getattr(value, "data", None) if hasattr(value, "numpy") else value)
    return device.put(held) if isinstance(held, cuda.CudaArray) else value


def check_sizes(tensor: Tensor, array: Any, sizes: dict[Symbol, tuple[int, Tensor]]) -> None:
    """The fed shape fits the Tensor's, and shared unknown sizes agree between feeds."""
    if tensor.shape is UNKNOWN_RANK:
        return
    fits = array.ndim == len(tensor.shape)
    for size, given in zip(tensor.shape, array.shape, strict=False):
        fits = fits and (isinstance(size, Dim) or size == given)
    if not fits:
        raise FeedError(
            f"run: cannot feed value of shape {str_shape(array.shape)} for Tensor {tensor.name!r}, "
            f"which has shape {str_shape(tensor.shape)}; reshape the value, or give the placeholder "
            f"None where sizes vary  (made at {tensor.line})"
        )
    for size, given in zip(tensor.shape, array.shape, strict=True):
        symbol = size.symbol() if isinstance(size, Dim) else None
        if symbol is None:
            continue
        before, other = sizes.setdefault(symbol, (given, tensor))
        if before != given:
            raise FeedError(
                f"run: the size {symbol} is {before} in what was fed for {other.name!r} and {given} "
                f"in {tensor.name!r} {str_shape(array.shape)}; feed values that agree on it"
            )


def _check_expressions(tensor: Tensor, array: Any, sizes: dict[Symbol, tuple[int, Tensor]]) -> None:
    """Sizes such as `2*n` are what the sizes that were fed elsewhere make of them."""
    known = {symbol: size for symbol, (size, _) in sizes.items()}
    for size, given in zip(tensor.sizes, array.shape, strict=False):
        if not isinstance(size, Dim) or size.symbol() is not None:
            continue
        symbols = set(size.symbols())
        if symbols <= known.keys() and size.evaluate(known) != given:
            where = ", ".join(f"{symbol} = {known[symbol]}" for symbol in sorted(symbols, key=str))
            raise FeedError(
                f"run: cannot feed value of shape {str_shape(array.shape)} for Tensor {tensor.name!r}, which "
                f"has shape {str_shape(tensor.shape)}: with {where} that size is {size.evaluate(known)}, not "
                f"{given}; feed values that agree on it"
            )
