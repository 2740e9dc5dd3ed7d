"""Session: runs parts of a graph, and holds the values of its variables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar, Token
from typing import Any

import numpy as np

from shared import hooks
from shared.dims import Dim, Symbol
from shared.errors import (
    DiptychError,
    FeedError,
    FeedTypeError,
    FetchError,
    GraphError,
    MissingFeedError,
    SessionError,
    ShapeError,
    UninitializedError,
)
from shared.spec import dtype_name, str_shape
from shared.state import State
from static.codegen import Program
from static.graph import GROUP, Graph, Node, Tensor, get_default_graph
from static.prune import select
from static.variables import Variable

_default: ContextVar[Session | None] = ContextVar("default_session", default=None)


class Session:
    """Runs a graph. `with Session(graph=g) as s:` makes it, and its graph, the defaults.

    optimize: "exact" keeps every bit of what `dynamic` computes.
    """

    def __init__(self, graph: Graph | None = None, optimize: str = "exact") -> None:
        if optimize != "exact":
            raise SessionError(f"Session: optimize={optimize!r} is not a level; use 'exact'")
        self.graph = graph if graph is not None else get_default_graph()
        self.optimize = optimize
        self.closed = False
        self._values: dict[Variable, Any] = {}
        self._programs: dict[Any, Program] = {}
        self._lock = threading.Lock()
        self._entered: list[tuple[Token[Session | None], Any]] = []

    # --- running ---

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """The values of `fetches`, in the same structure.

        fetches    a Tensor, Variable, operation, name ("x:0"), or lists, tuples, namedtuples
                   and dicts of them. An operation gives None.
        feed_dict  what to feed, by placeholder (or any Tensor), or its name

        What is fetched belongs to the caller. If anything fails, no variable has changed.
        """
        self._check_open("run")
        elements: list[Tensor | Variable | Node] = []
        rebuild = self._flatten(fetches, elements)
        fed, arrays = self._feeds(feed_dict or {})
        program = self._program(elements, fed)
        with self._lock:
            values = dict(self._values)
        self._check_ready(program, values)
        try:
            results, stores = program(arrays, values)
        except Exception as error:
            raise self._explained(error, program, fed, arrays) from error
        if stores:
            with self._lock:
                self._values.update(stores)
        fetched = iter(results)
        return rebuild(iter([None if isinstance(e, Node) else next(fetched) for e in elements]))

    def program(self, fetches: Any, feeds: Iterable[Tensor] | None = None) -> str:
        """The generated Python source that a run of `fetches` executes.

        feeds: which Tensors would be fed; the placeholders that are needed, if None.
        """
        elements: list[Tensor | Variable | Node] = []
        self._flatten(fetches, elements)
        fed = list(feeds) if feeds is not None else []
        program = self._program(elements, fed)
        if feeds is None and program.missing:
            program = self._program(elements, [node.outputs[0] for node in program.missing])
        return program.source

    def _program(self, elements: Sequence[Tensor | Variable | Node], fed: Sequence[Tensor]) -> Program:
        watched = bool(hooks.active and hooks.hooks())
        key = (tuple(elements), tuple(fed), watched)
        program = self._programs.get(key)
        if program is None:
            if not self.graph.nodes:
                raise SessionError("run: the session's graph is empty; build it first, or pass graph=")
            targets = [e for e in elements if not isinstance(e, Variable)]
            values = [e for e in elements if not isinstance(e, Node)]
            program = Program(select(self.graph, targets, fed), fed, values, watched)
            self._programs[key] = program
        return program

    # --- values ---

    def load(self, *holders: Any) -> None:
        """Make the variables hold what models' and optimisers' States hold now."""
        with self._lock:
            for state in _states(holders):
                self._values[self.graph.lift(state)] = np.array(state.value())

    def store(self, *holders: Any) -> None:
        """Write the variables' values back into the States of models and optimisers."""
        with self._lock:
            for state in _states(holders):
                variable = self.graph.lift(state)
                if variable in self._values:
                    state.data = np.array(self._values[variable])

    # --- opening and closing ---

    def close(self) -> None:
        """Let go of all values; a later run is an error."""
        self.closed = True
        self._values.clear()
        self._programs.clear()

    def __enter__(self) -> Session:
        self._check_open("enter")
        scope = self.graph.as_default()
        scope.__enter__()
        self._entered.append((_default.set(self), scope))
        return self

    def __exit__(self, *error: object) -> None:
        token, scope = self._entered.pop()
        _default.reset(token)
        scope.__exit__(None, None, None)
        self.close()

    def _check_open(self, call: str) -> None:
        if self.closed:
            raise SessionError(f"{call}: attempted to use a closed Session; open a new one")

    # --- fetches ---

    def _flatten(self, fetches: Any, into: list[Any]) -> Callable[[Any], Any]:
        """Put what is fetched into a list; gives what puts the values back together."""
        if isinstance(fetches, (list, tuple)):
            parts = [self._flatten(part, into) for part in fetches]
            kind = type(fetches)
            if hasattr(fetches, "_fields"):
                return lambda values: kind(*[part(values) for part in parts])
            return lambda values: kind([part(values) for part in parts])
        if isinstance(fetches, dict):
            named = {key: self._flatten(part, into) for key, part in fetches.items()}
            return lambda values: {key: part(values) for key, part in named.items()}
        into.append(self._fetch(fetches))
        return next

    def _fetch(self, fetch: Any) -> Tensor | Variable | Node:
        if isinstance(fetch, str):
            return self.graph.get_tensor_by_name(fetch)
        if isinstance(fetch, State):
            return self.graph.lift(fetch)
        if not isinstance(fetch, (Tensor, Variable, Node)):
            raise FetchError(
                f"run: fetch {fetch!r} has invalid type {type(fetch).__name__}; fetch Tensors, "
                "Variables, operations, their names, or lists, tuples and dicts of them"
            )
        if fetch.graph is not self.graph:
            raise GraphError(
                f"run: {fetch.name!r} is not an element of this session's graph; open the session "
                "on its graph, static.Session(graph=...)"
            )
        return fetch

    # --- feeds ---

    def _feeds(self, feed_dict: Mapping[Any, Any]) -> tuple[list[Tensor], list[Any]]:
        fed: list[Tensor] = []
        arrays: list[Any] = []
        sizes: dict[Symbol, tuple[int, Tensor]] = {}
        for key, value in feed_dict.items():
            tensor = self._feed_key(key)
            array = _feed_value(tensor, value)
            _check_sizes(tensor, array, sizes)
            fed.append(tensor)
            arrays.append(array)
        return fed, arrays

    def _feed_key(self, key: Any) -> Tensor:
        tensor = self.graph.get_tensor_by_name(key) if isinstance(key, str) else key
        if not isinstance(tensor, Tensor):
            raise FeedTypeError(
                f"run: cannot interpret feed_dict key {key!r} as a Tensor; feed placeholders (or "
                "other Tensors of the graph), or their names such as 'x:0'"
            )
        if tensor.graph is not self.graph:
            raise FeedTypeError(
                f"run: cannot interpret feed_dict key {tensor.name!r} as a Tensor: it is not an "
                "element of this session's graph"
            )
        return tensor

    # --- what can go wrong ---

    def _check_ready(self, program: Program, values: dict[Variable, Any]) -> None:
        for node in program.missing:
            tensor = node.outputs[0]
            raise MissingFeedError(
                f"run: you must feed a value for placeholder {node.name!r} with dtype "
                f"{tensor.dtype.name} and shape {str_shape(tensor.shape)}: pass "
                f"feed_dict={{{node.name}: ...}}  (made at {node.line})"
            )
        for variable in program.reads:
            if variable not in values:
                raise UninitializedError(
                    f"run: attempting to use uninitialized value {variable.name!r} "
                    f"({variable.spec}); run static.global_variables_initializer() first, or "
                    "session.load(model)"
                )

    def _explained(
        self, error: Exception, program: Program, fed: Sequence[Tensor], arrays: Sequence[Any]
    ) -> Exception:
        """The error with the node, its inputs and the user's own line that built it."""
        node = getattr(error, "failed_node", None) or program.failed_at(error)
        if node is None or node.op is GROUP:
            return error
        text = error.message if isinstance(error, DiptychError) else f"{type(error).__name__}: {error}"
        inputs = ", ".join(str(x.spec) if isinstance(x, Tensor) else str(x) for x in node.inputs)
        feeds = ", ".join(
            f"{t.node.name}: {dtype_name(a.dtype)}{list(a.shape)}" for t, a in zip(fed, arrays, strict=True)
        )
        kind = type(error) if isinstance(error, DiptychError) else _error_class(error)
        return kind(
            f"{text}  [while running node {node.name!r} on ({inputs}), fed {{{feeds}}}]", node.line
        )


def _error_class(error: Exception) -> type[DiptychError]:
    return ShapeError if isinstance(error, ValueError) else SessionError


def _states(holders: Iterable[Any]) -> Iterable[State]:
    for holder in holders:
        if isinstance(holder, State):
            yield holder
        else:
            yield from (state for _, state in holder.named_states())


def _feed_value(tensor: Tensor, value: Any) -> Any:
    """The fed value as an array of the Tensor's dtype, or FeedTypeError."""
    if isinstance(value, (Tensor, Variable)):
        raise FeedTypeError(
            f"run: the value of feed {tensor.name!r} is a static Tensor; a feed takes numbers, "
            "lists and arrays: run the Tensor first and feed its value"
        )
    if isinstance(value, State) or hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, np.ndarray) and value.dtype == tensor.dtype:
        return value if value.flags.c_contiguous else np.array(value, order="C")
    try:
        array = np.asarray(value)
        fits = np.can_cast(array.dtype, tensor.dtype, "same_kind") or (
            array.dtype.kind in "iub" and tensor.dtype.kind == "f"
        )
        if fits:
            converted = array.astype(tensor.dtype, order="C")
            if tensor.dtype.kind in "iub" and not np.array_equal(converted, array):
                fits = False
    except (ValueError, TypeError):
        fits = False
    if not fits:
        shown = repr(value) if np.size(value) < 10 else f"of type {type(value).__name__}"
        raise FeedTypeError(
            f"run: type of feed value {shown} is not compatible with Tensor {tensor.name!r}, which "
            f"has dtype {tensor.dtype.name}; convert it first"
        )
    return converted


def _check_sizes(tensor: Tensor, array: Any, sizes: dict[Symbol, tuple[int, Tensor]]) -> None:
    """The fed shape fits the Tensor's, and shared unknown sizes agree between feeds."""
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


def get_default_session(call: str = "get_default_session") -> Session:
    """The innermost session entered with `with`; SessionError if there is none."""
    session = _default.get()
    if session is None:
        raise SessionError(
            f"{call}: no default session is registered; use `with static.Session() as s:`, or "
            "pass session=..."
        )
    return session
