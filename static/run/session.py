"""Session: runs parts of a graph, and holds the values of its variables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shared.device.cuda import to_host
from shared.device.memory import uncollected
from shared.errors import (
    DiptychError,
    FeedTypeError,
    FetchError,
    MissingFeedError,
    SessionError,
    ShapeError,
    UninitializedError,
)
from shared.interrupts import deferred, within
from shared.spec import dtype_name, spec_of, str_shape
from shared.state import State
from shared.watch import hooks
from shared.watch.profiler import Profiler
from static.compile.block import Block
from static.compile.device import DEVICES
from static.compile.passes import options_for
from static.compile.plan import Memory
from static.compile.program import Program
from static.graph.default_session import innermost_session
from static.graph.graph import Graph, Node, Tensor, get_default_graph
from static.graph.select import select
from static.graph.variables import Variable, lift
from static.run.feeds import feed_key, take_apart, take_feeds
from static.run.partial import PartialRun
from static.run.remote import PROGRAMS


@dataclass
class RunOptions:
    """How to run. trace: time every node, and count the bytes it gives."""

    trace: bool = False


@dataclass
class RunMetadata:
    """What a traced run leaves: a Profiler, with a `table()` and `save_trace(path)`."""

    profile: Profiler | None = None


class Session:
    """Runs a graph. `with Session(graph=g) as s:` makes it, and its graph, the defaults.

    optimize  "fast" may differ from what `dynamic` computes in the last bits, and where floating
              point would lose a number (`static.compile.passes.stabilize`); "exact" keeps every bit
    without   names of passes to leave out: `static.PASSES` lists them; "plan" leaves out the plan of
              where values are put, so that each step makes a new array
    device    "cpu", or "cuda" for a GPU, by CuPy: the variables' values live there, what is fed is brought
              there in each run, and what is fetched comes back as NumPy arrays
    memory_limit  the bytes that a run may hold, as `memory` counts them: cheap values are computed
              again instead of being kept, as far as that takes. All sizes must be known then.
              MemoryLimitError, when a run is compiled, if that is not enough
    """

    def __init__(
        self,
        graph: Graph | None = None,
        optimize: str = "fast",
        without: Iterable[str] = (),
        device: str = "cpu",
        memory_limit: int | None = None,
    ) -> None:
        self.options = options_for(optimize, without, device, memory_limit)
        self.device = self.options.device
        self._kind = PROGRAMS[self.device.name]
        self.graph = graph if graph is not None else get_default_graph()
        self.closed = False
        self._values: dict[Variable, Any] = {}
        self._programs: dict[Any, Program] = {}
        self._lock = threading.Lock()
        self._entered: list[within] = []

    # --- running ---

    def run(
        self,
        fetches: Any,
        feed_dict: Mapping[Any, Any] | None = None,
        options: RunOptions | None = None,
        run_metadata: RunMetadata | None = None,
    ) -> Any:
        """The values of `fetches`, in the same structure.

        fetches    a Tensor, Variable, operation, name ("x:0"), or lists, tuples, namedtuples
                   and dicts of them. An operation gives None.
        feed_dict  what to feed, by placeholder (or any Tensor), or its name
        options    `RunOptions(trace=True)` times every node, into `run_metadata.profile`

        What is fetched belongs to the caller. If anything fails, no variable has changed.
        """
        if options is not None and not isinstance(options, RunOptions):
            raise FeedTypeError(
                f"run: options must be RunOptions, not {type(options).__name__}; several fetches go into one "
                "list, run([a, b], feed_dict)"
            )
        if options is not None and options.trace:
            profile = Profiler()
            with hooks.watching(profile):
                result = self.run(fetches, feed_dict)
            if run_metadata is not None:
                run_metadata.profile = profile
            return result
        self._check_open("run")
        elements: list[Tensor | Variable | Node] = []
        rebuild = take_apart(self.graph, fetches, elements)
        fed, arrays = take_feeds(self.graph, {} if feed_dict is None else feed_dict, self.device)
        program = self._program(elements, fed)
        values = self._ready_values(program)
        try:
            results, stores = program(arrays, values)
        except Exception as error:
            raise self._explained(error, program, fed, arrays) from error
        if stores:
            self._keep(stores)
        fetched = iter(results)
        return rebuild(iter([None if isinstance(e, Node) else next(fetched) for e in elements]))

    def program(self, fetches: Any, feeds: Iterable[Tensor] | None = None) -> str:
        """The generated Python source that a run of `fetches` executes.

        feeds: which Tensors would be fed; the placeholders that are needed, if None.
        """
        return self._compiled(fetches, feeds).source

    def memory(
        self, fetches: Any, sizes: Mapping[str, int] | None = None, feeds: Iterable[Tensor] | None = None
    ) -> Memory:
        """How many bytes a run of `fetches` will hold, said before it runs.

        sizes: values for unknown sizes, by name; UnknownSizeError if one is missing. What the body of
        a loop or a branch holds while it runs is not counted.
        """
        return self._compiled(fetches, feeds).memory(sizes or {})

    def explain(self, fetches: Any, feeds: Iterable[Tensor] | None = None) -> str:
        """What each pass of the optimiser did to a run of `fetches`, and why that is allowed."""
        return str(self._compiled(fetches, feeds).log)

    def block(self, fetches: Any, feeds: Iterable[Tensor] | None = None) -> Block:
        """The steps that a run of `fetches` executes, as data: what `program` writes as text."""
        return self._compiled(fetches, feeds).block

    def _compiled(self, fetches: Any, feeds: Iterable[Tensor] | None) -> Program:
        feeds = None if feeds is None else [feed_key(self.graph, key) for key in feeds]
        elements: list[Tensor | Variable | Node] = []
        take_apart(self.graph, fetches, elements)
        fed = list(feeds) if feeds is not None else []
        program = self._program(elements, fed)
        if feeds is None and program.missing:
            program = self._program(elements, [node.outputs[0] for node in program.missing])
        return program

    def _program(self, elements: Sequence[Tensor | Variable | Node], fed: Sequence[Tensor]) -> Program:
        watched = bool(hooks.active and hooks.hooks())
        key = (tuple(elements), tuple(fed), watched)
        program = self._programs.get(key)
        if program is None:
            if not self.graph.nodes and not self.graph.variables:
                raise SessionError("run: the session's graph is empty; build it first, or pass graph=")
            targets = [e for e in elements if not isinstance(e, Variable)]
            values = [e for e in elements if not isinstance(e, Node)]
            options = replace(self.options, watched=watched)
            with uncollected():
                program = self._kind(select(self.graph, targets, fed), fed, values, options)
            self._programs[key] = program
        return program

    def make_callable(self, fetches: Any, feed_list: Sequence[Any] = ()) -> Callable[..., Any]:
        """A function of the fed values, in the order of `feed_list`, that gives `fetches`.

        Resolved and compiled once: a call costs little more than the program itself. A feed
        whose shape or dtype differs from the last call's is checked again.
        """
        self._check_open("make_callable")
        elements: list[Tensor | Variable | Node] = []
        rebuild = take_apart(self.graph, fetches, elements)
        fed = [feed_key(self.graph, key) for key in feed_list]
        program = self._program(elements, fed)
        self._ready_values(program)
        simple = isinstance(fetches, (Tensor, Variable, str, State))
        checked: list[Any] = [object()] * len(fed)

        def call(*values: Any) -> Any:
            if self.closed or len(values) != len(fed):
                self._check_open("call")
                names = [tensor.name for tensor in fed]
                raise SessionError(
                    f"call: {len(values)} values for {len(fed)} feeds; give one for each, in order: {names}"
                )
            if checked != [_signature(v) for v in values]:
                given = dict(zip(fed, values, strict=True))
                values = tuple(take_feeds(self.graph, given, self.device)[1])
                checked[:] = [(v.shape, v.dtype) for v in values]
            try:
                results, stores = program(values, self._values)
            except Exception as error:
                raise self._explained(error, program, fed, values) from error
            if stores:
                self._keep(stores)
            if simple:
                return results[0]
            fetched = iter(results)
            return rebuild(iter([None if isinstance(e, Node) else next(fetched) for e in elements]))

        return call

    def partial_run_setup(self, fetches: Sequence[Any], feeds: Sequence[Any] = ()) -> PartialRun:
        """Begin a computation that is to be run in parts; see `partial_run`."""
        self._check_open("partial_run_setup")
        elements: list[Any] = []
        take_apart(self.graph, list(fetches), elements)
        if any(isinstance(element, Variable) for element in elements):
            raise FetchError("partial_run_setup: fetch variable.value(), which has its place in the program")
        return PartialRun(elements, [feed_key(self.graph, key) for key in feeds])

    def partial_run(
        self, handle: PartialRun, fetches: Any, feed_dict: Mapping[Any, Any] | None = None
    ) -> Any:
        """Some of the fetches that `partial_run_setup` named, with some more of its feeds; what
        earlier parts computed is not computed again."""
        self._check_open("partial_run")
        if not isinstance(handle, PartialRun):
            raise FetchError(
                f"partial_run: {handle!r} is no handle; partial_run_setup(fetches, feeds) gives one"
            )
        elements: list[Any] = []
        rebuild = take_apart(self.graph, fetches, elements)
        fed, arrays = take_feeds(self.graph, {} if feed_dict is None else feed_dict, self.device)
        known = handle.take(elements, dict(zip(fed, arrays, strict=True)))
        nodes = select(self.graph, elements, known).nodes
        made = [t for node in nodes for t in node.outputs if t not in known]
        values = self.run([*made], known)
        handle.keep(elements, {**known, **dict(zip(made, values, strict=True))})
        given = [None if isinstance(e, Node) else np.array(to_host(handle.values[e])) for e in elements]
        return rebuild(iter(given))

    # --- values ---

    def load(self, *holders: Any) -> None:
        """Make the variables hold what models' and optimisers' States hold now."""
        self._keep({lift(self.graph, state): self.device.take(state.value()) for state in _states(holders)})

    def store(self, *holders: Any) -> None:
        """Write the variables' values back into the States of models and optimisers."""
        values = self._values
        with deferred():
            for state in _states(holders):
                variable = lift(self.graph, state)
                if variable in values:
                    state.data = DEVICES[state.device].take(values[variable])

    def hold(self, values: Mapping[Variable, Any]) -> None:
        """New values, all at once: a run in another thread sees all of them or none."""
        self._keep({variable: self.device.put(value) for variable, value in values.items()})

    def _keep(self, values: Mapping[Variable, Any]) -> None:
        """The same for values that are on the session's device."""
        with self._lock:
            self._values = {**self._values, **values}

    # --- opening and closing ---

    def close(self) -> None:
        """Let go of all values; a later run is an error."""
        self.closed = True
        self._values = {}
        self._programs.clear()

    def __enter__(self) -> Session:
        self._check_open("enter")
        self._entered.append(within((innermost_session, self), *self.graph.defaults()))
        try:
            self._entered[-1].__enter__()
        except BaseException:
            self._entered.pop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        block = self._entered.pop()  # now it is held here alone
        block.__exit__()
        self.close()

    def _check_open(self, call: str) -> None:
        if self.closed:
            raise SessionError(f"{call}: attempted to use a closed Session; open a new one")

    # --- what can go wrong ---

    def _ready_values(self, program: Program) -> dict[Variable, Any]:
        """The values that a program starts from, or the error that says what it lacks."""
        if not program.missing and self._values.keys() >= program.reads:
            return self._values
        self.hold({v: v.initial() for v in program.reads if v.automatic and v not in self._values})
        values = self._values
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
        return values

    def _explained(
        self, error: Exception, program: Program, fed: Sequence[Tensor], arrays: Sequence[Any]
    ) -> Exception:
        """The error with the node, its inputs and the user's own line that built it."""
        found = getattr(error, "failed_at", None) or program.failed_at(error)
        if found is None:
            return error
        step, node, given = found.step, found.node, found.given
        if not step.symbols():
            error = step.op.explain(error, given, step.settings)
        text = error.message if isinstance(error, DiptychError) else f"{type(error).__name__}: {error}"
        inputs = ", ".join(str(spec_of(value)) for value in given)
        feeds = ", ".join(
            f"{t.node.name}: {dtype_name(a.dtype)}{list(a.shape)}" for t, a in zip(fed, arrays, strict=True)
        )
        kind = type(error) if isinstance(error, DiptychError) else _error_class(error)
        return kind(
            f"{text}  [while running node {node.name!r} on ({inputs}), fed {{{feeds}}}]", node.line
        )


def _signature(value: Any) -> Any:
    """What must stay the same from call to call for a value to go in unchecked."""
    if type(value) is np.ndarray and value.flags.c_contiguous:
        return value.shape, value.dtype
    return None


def _error_class(error: Exception) -> type[DiptychError]:
    return ShapeError if isinstance(error, ValueError) else SessionError


def _states(holders: Iterable[Any]) -> Iterable[State]:
    for holder in holders:
        if isinstance(holder, State):
            yield holder
        else:
            yield from (state for _, state in holder.named_states())


class InteractiveSession(Session):
    """A Session that is the default from the moment it is made until it is closed."""

    def __init__(
        self,
        graph: Graph | None = None,
        optimize: str = "fast",
        without: Iterable[str] = (),
        device: str = "cpu",
        memory_limit: int | None = None,
    ) -> None:
        super().__init__(graph, optimize, without, device, memory_limit)
        self._token = innermost_session.set(self)

    def close(self) -> None:
        if not self.closed and innermost_session.get() is self:
            innermost_session.reset(self._token)
        super().close()
