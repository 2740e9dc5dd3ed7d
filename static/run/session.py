"""Session: runs parts of a graph, and holds the values of its variables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shared.device.cuda import owned, to_host
from shared.device.memory import uncollected
from shared.durable.interrupts import block as entered, deferred, within
from shared.errors import ArgumentError, FetchError, SessionError
from shared.spec import in_short
from shared.state import State
from shared.usage import late
from shared.usage.door import methods, refused
from shared.watch import hooks
from shared.watch.profiler import Profiler
from static.compile.block import Block
from static.compile.device import DEVICES
from static.compile.passes import options_for
from static.compile.plan import Memory
from static.compile.program import Program
from static.control.body import calls_of
from static.graph.default_session import innermost_session
from static.graph.graph import Graph, Node, Tensor, get_default_graph
from static.graph.select import select
from static.graph.variables import Variable, lift
from static.run.config import ConfigProto, tell
from static.run.failures import check_ready, explained
from static.run.feeds import feed_key, place_of, take_apart, take_feeds
from static.run.late import Lookout
from static.run.options import RunMetadata, RunOptions, as_options
from static.run.partial import PartialRun
from static.run.remote import program_kind
from static.run.turns import Turns

PROGRAMS_KEPT = 256
"""How many programs a session keeps: those that were compiled last."""


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
    capture   on a GPU: from the second run with the same shapes on, a run is recorded as a CUDA graph and
              launched as one call. EngineError for what decides by a value or computes on the host: loops,
              branches, random numbers
    config    TensorFlow 1's ConfigProto: what is set in it changes nothing, and is told once with what does
    """

    def __init__(
        self,
        graph: Graph | None = None,
        optimize: str = "fast",
        without: Iterable[str] = (),
        device: str = "cpu",
        memory_limit: int | None = None,
        config: ConfigProto | None = None,
        capture: bool = False,
    ) -> None:
        if config is not None:
            tell(config)
        self.options = options_for(optimize, without, device, memory_limit, capture)
        self.device = self.options.device
        self.graph = graph if graph is not None else get_default_graph()
        self.closed = False
        self._values: dict[Variable, Any] = {}
        self._programs: dict[Any, Program] = {}
        self._lock = threading.Lock()
        self._turns = Turns()
        self._lookout = Lookout(self.graph)
        self._followed: dict[Variable, float] = {}  # what each live State held when its value was taken
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
        try:
            if options is not None and as_options(options).trace:
                return self._traced(fetches, feed_dict, run_metadata)
            self._check_open("run")
            elements: list[Tensor | Variable | Node] = []
            rebuild = take_apart(self.graph, fetches, elements)
            fed, arrays = take_feeds(self.graph, {} if feed_dict is None else feed_dict, self.device)
            if len(fed) > 1:  # in one order, whichever it was given in: so it is one program
                pairs = sorted(zip(fed, arrays, strict=True), key=lambda pair: place_of(pair[0]))
                fed, arrays = [tensor for tensor, _ in pairs], [array for _, array in pairs]
            program = self._program(elements, fed)
            fetched = iter(self._results(program, fed, arrays))
            return rebuild(iter([None if isinstance(e, Node) else next(fetched) for e in elements]))
        except Exception as error:
            refused("run", error, Session.run, (fetches, feed_dict), of=self)
            raise

    def _traced(self, fetches: Any, feed_dict: Any, run_metadata: Any) -> Any:
        profile = Profiler()
        with hooks.watching(profile):
            result = self.run(fetches, feed_dict)
        if run_metadata is not None:
            run_metadata.profile = profile
        return result

    def _results(self, program: Program, fed: Sequence[Tensor], arrays: Sequence[Any]) -> Sequence[Any]:
        """What a program gives. A run that stores has its variables to itself from the first read on; where
        runs are captured, and write into the arrays that variables hold, every run has."""
        if program.stored or self.options.capture:
            return self._turns.take(program.touched, program.stored, lambda: self._done(program, fed, arrays))
        return self._done(program, fed, arrays)

    def _done(self, program: Program, fed: Sequence[Tensor], arrays: Sequence[Any]) -> Sequence[Any]:
        if late.count[0] != program.looked:
            self._lookout.look(program)
        if program.live:
            self._follow(program)
        values = self._ready_values(program)
        try:
            results, stores = program(arrays, values)
        except Exception as error:
            raise explained(error, program, fed, arrays) from error
        if stores:
            self._keep(stores)
        return results

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
        fed = sorted(feeds, key=place_of) if feeds is not None else []
        program = self._program(elements, fed)
        if feeds is None and program.missing:
            fed = sorted([node.outputs[0] for node in program.missing], key=place_of)
            program = self._program(elements, fed)
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
                selection = select(self.graph, targets, fed)
                program = program_kind(options)(selection, fed, values, options)
            program.built = self.graph.settings.of([*selection.nodes, *calls_of(selection.nodes)])
            while len(self._programs) >= PROGRAMS_KEPT:
                self._programs.pop(next(iter(self._programs), key), None)
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
            try:
                if self.closed or len(values) != len(fed):
                    self._check_open("call")
                    names = [tensor.name for tensor in fed]
                    raise SessionError(
                        f"call: {len(values)} values for {len(fed)} feeds; give one for each, in order: "
                        f"{names}"
                    )
                if checked != [_signature(v) for v in values]:
                    given = dict(zip(fed, values, strict=True))
                    values = tuple(take_feeds(self.graph, given, self.device)[1])
                    checked[:] = [(v.shape, v.dtype) for v in values]
                results = self._results(program, fed, values)
                if simple:
                    return results[0]
                fetched = iter(results)
                return rebuild(iter([None if isinstance(e, Node) else next(fetched) for e in elements]))
            except Exception as error:
                refused("call", error, args=values)
                raise

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
        known = handle.take(elements, dict(zip(fed, map(owned, arrays), strict=True)))  # for later parts too
        selection = select(self.graph, elements, known)
        made = [t for node in selection.nodes for t in node.outputs if t not in known]

        def part() -> Sequence[Any]:
            handle.check_current(selection.stores, self._values)
            values = self.run([*made], known)
            handle.values_seen(selection, self._values)
            return values

        values = self._turns.take(selection.variables(), frozenset(), part)
        handle.keep(elements, {**known, **dict(zip(made, values, strict=True))})
        given = [None if isinstance(e, Node) else np.array(to_host(handle.values[e])) for e in elements]
        return rebuild(iter(given))

    # --- values ---

    def load(self, *holders: Any) -> None:
        """Make the variables hold what models' and optimisers' States hold now."""
        states = list(_states("load", holders))
        self._replace({lift(self.graph, state): self.device.take(state.value()) for state in states})

    def store(self, *holders: Any) -> None:
        """Write the variables' values back into the States of models and optimisers."""
        states = {lift(self.graph, state): state for state in _states("store", holders)}

        def store() -> None:
            values = self._values
            with deferred():
                for variable, state in states.items():
                    if variable in values:
                        state.hold(DEVICES[state.device].take(values[variable]))

        self._turns.take(states.keys(), frozenset(), store) if self.options.capture else store()

    def values(self) -> dict[Variable, Any]:
        """What all variables hold now: arrays that no run writes to."""
        return dict(self._values)

    def hold(self, values: Mapping[Variable, Any]) -> None:
        """New values, all at once: a run in another thread sees all of them or none."""
        self._replace({variable: self.device.put(value) for variable, value in values.items()})

    def _replace(self, values: Mapping[Variable, Any]) -> None:
        """The same for values that are on the session's device; no run that stores one of them is on."""
        self._turns.take(values.keys(), values.keys(), lambda: self._keep(values))

    def _follow(self, program: Program) -> None:
        """Take what live States hold, if that was changed since: whoever changed a rate last has set it."""
        for variable in program.live:
            state: Any = variable.state
            if variable in self._values and self._followed.get(variable) != float(state.data):
                self._keep({variable: self.device.take(state.value())})

    def _keep(self, values: Mapping[Variable, Any]) -> None:
        with self._lock:
            self._values = {**self._values, **values}
        for variable in values:
            if variable.live:
                self._followed[variable] = float(variable.state.data)  # type: ignore[union-attr]
        self._lookout.taken(values)

    # --- opening and closing ---

    @entered
    def as_default(self) -> within:
        """Within the block this session is the default one; it is not closed at its end."""
        return within((innermost_session, self), gives=self)

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

    def _ready_values(self, program: Program) -> dict[Variable, Any]:
        """The values that a program starts from, or the error that says what it lacks."""
        if not program.missing and self._values.keys() >= program.reads:
            return self._values
        first = {v: v.initial() for v in program.reads if v.automatic and v not in self._values}
        self._keep({variable: self.device.put(value) for variable, value in first.items()})
        values = self._values
        check_ready(program, values)
        return values


def _signature(value: Any) -> Any:
    """What must stay the same from call to call for a value to go in unchecked."""
    if type(value) is np.ndarray and value.flags.c_contiguous:
        return value.shape, value.dtype
    return None


def _states(call: str, holders: Iterable[Any]) -> Iterable[State]:
    for holder in holders:
        if isinstance(holder, State):
            yield holder
        elif hasattr(holder, "named_states"):
            yield from (state for _, state in holder.named_states())
        else:
            raise ArgumentError(f"{call}: takes models, optimisers and their States, not {in_short(holder)}")


methods(
    Session, "program", "memory", "explain", "block", "make_callable", "partial_run_setup", "partial_run",
    "load", "store", "hold",
)  # fmt: skip
