"""A program that can be run: compiled for some fetches and feeds, with the memory that its runs take.

What it does stands in its source (`codegen.py`). Plans and activation records are made for each set of sizes
that is fed, and used again by later runs.
"""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.device.memory import uncollected
from shared.dims import Dim, dims_in
from shared.errors import DiptychError, ShapeError, UnknownSizeError
from shared.sizes.atoms import Symbol
from shared.slices import Slices, finished
from shared.source import GENERATED
from shared.spec import Spec, sizes_match, str_shape
from static.compile.block import Step, Value
from static.compile.codegen import Writer
from static.compile.layout import lay_out
from static.compile.log import Log
from static.compile.lower import lower
from static.compile.options import EXACT, Options
from static.compile.passes import optimize
from static.compile.plan import Memory, Plan, evaluated
from static.control.body import Body
from static.graph.built import Setting
from static.graph.graph import Node, Tensor
from static.graph.select import Selection, select
from static.graph.variables import Variable

_serial = itertools.count(1)


@dataclass
class Failure:
    """The step that was running when an error was raised, and what it was given.

    member: which of the nodes that the step stands for, where it is several ops in one
    """

    step: Step
    given: list[Any]
    member: int = 0

    @property
    def node(self) -> Node:
        """The node that the error is about."""
        return self.step.nodes[self.member]


SIGNATURES = 4
"""For how many sets of sizes a program keeps its plans and arenas: those that came last."""


class Program:
    """A compiled run: call it with the fed arrays and the session's values.

    source    the generated text
    reads     the variables whose values it starts from; `stored`, those that it leaves with another;
              `touched`, both; `live`, those whose States a session follows
    missing   placeholders that it needs and that were not fed
    built     the settings that it was built with, and the values that these had; `agreed`, those that were
              the same in a run, and `looked`, how many changes of any there had been: see `static.run.late`
    log       what the passes did, and `block`, what they have made of it
    layout    where its values live
    """

    built: Mapping[Setting, list[Any]]
    agreed: dict[Setting, Any]

    def __init__(
        self,
        selection: Selection,
        fed: Sequence[Tensor],
        fetched: Sequence[Tensor | Variable],
        options: Options = EXACT,
        orderly: bool = True,
    ) -> None:
        """orderly: whether what will be fed is in C order."""
        with uncollected():
            finished(self._compiled(selection, fed, fetched, options, orderly))

    @classmethod
    def in_slices(
        cls,
        selection: Selection,
        fed: Sequence[Tensor],
        fetched: Sequence[Tensor | Variable],
        options: Options,
        orderly: bool,
    ) -> Slices[Program]:
        """The same program, made bit by bit."""
        program = object.__new__(cls)
        yield from program._compiled(selection, fed, fetched, options, orderly)
        return program

    def _compiled(
        self,
        selection: Selection,
        fed: Sequence[Tensor],
        fetched: Sequence[Tensor | Variable],
        options: Options,
        orderly: bool,
    ) -> Slices[None]:
        self.log = Log()
        lowered = lower(selection, fed, fetched)
        yield
        self.block = block = yield from optimize(lowered, options, self.log, orderly)
        self.layout = lay_out(block, orderly, options)
        yield
        writer = Writer(self.layout, options, BodyCompiler(options))
        self.source = writer.source()
        yield
        self.reads, self.missing = block.reads.keys(), block.missing
        self.stored = frozenset(block.stores)
        self.live = [variable for variable in block.reads if variable.live]
        self.touched = self.stored.union(self.reads)
        self.built, self.agreed, self.looked = {}, {}, -1
        self.step_at, self.names = writer.step_at, writer.names
        file = f"{GENERATED} program {next(_serial)}>"
        linecache.cache[file] = (len(self.source), None, self.source.splitlines(True), file)
        exec(compile(self.source, file, "exec"), writer.namespace)
        weakref.finalize(self, linecache.cache.pop, file, None)
        # Taken out of what it looks its names up in: it and its own name would be a cycle.
        self._run = _with_room(writer.namespace.pop("program"))
        self._file = file
        self._sizes_at = [self.layout.feed_axes[symbol] for symbol in self.layout.symbols]
        self._records: dict[tuple[int, ...], Records] = {}
        self._unsure = [
            variable for variable, value in block.stores.items()
            if any(isinstance(size, Dim) for size in (*value.sizes, *variable.shape))
        ]  # fmt: skip

    def __call__(self, feeds: Sequence[Any], state: dict[Variable, Any]) -> tuple[Any, ...]:
        """The fetched values, and what each assigned variable is to hold."""
        sizes = tuple([feeds[position].shape[axis] for position, axis in self._sizes_at])
        records = self._records.get(sizes) or self._records_for(sizes)
        arrays = records.take()
        result = self._run(feeds, state, arrays)
        records.free.append(arrays)  # of a run that fails, the traceback keeps it
        for variable in self._unsure:
            given = result[1][variable].shape
            if len(given) != len(variable.shape) or not all(map(sizes_match, variable.shape, given)):
                raise ShapeError(
                    f"run: variable {variable.name!r} has shape {str_shape(variable.shape)}, and what it "
                    f"was to be assigned has {str_shape(given)} in this run; reshape it, or feed values of "
                    "the sizes that the variable was made for"
                )
        return result

    def results(self, feeds: Sequence[Any]) -> Sequence[Any]:
        """The fetched values of a body, which has no variables of its own; an error remembers the
        innermost node that failed, and why."""
        try:
            return self(feeds, {})[0]
        except Exception as error:
            if not hasattr(error, "failed_at"):
                error.failed_at = self.failed_at(error)  # type: ignore[attr-defined]
            raise

    def memory(self, sizes: Mapping[str, int]) -> Memory:
        """What a run holds where its unknown sizes, by name, are these."""
        shapes = [value.sizes for value in (*self.block.fed, *self.layout.buffers.locations)]
        symbols = dict.fromkeys(symbol for dim in dims_in(shapes) for symbol in dim.symbols())
        if unknown := [symbol.name for symbol in symbols if symbol.name not in sizes]:
            raise UnknownSizeError(
                f"memory: the size {unknown[0]} is not known; give it, as in sizes={{{unknown[0]!r}: 32}}"
            )
        return Plan(self.layout, {symbol: sizes[symbol.name] for symbol in symbols}).memory()

    def _records_for(self, sizes: tuple[int, ...]) -> Records:
        """The plan for these sizes, and its activation records; the plan that came first makes room."""
        kept = self._records
        known = dict(zip(self.layout.symbols, sizes, strict=True))
        try:
            records = Records(Plan(self.layout, known))
        except ValueError as error:  # a size came out negative: some step can not be done
            raise self._unfit(known, error) from None
        while len(kept) >= SIGNATURES:
            kept.pop(next(iter(kept), sizes), None)
        kept[sizes] = records
        return records

    def _unfit(self, sizes: Mapping[Symbol, int], error: Exception) -> Exception:
        """The error of the first step that can not be done with these sizes; else the one given."""
        known = Dim.replaced  # no more of them than the plan has asked for
        for step in self.block.steps:
            given = [
                Spec(evaluated(x.shape, sizes, known), x.dtype)
                if isinstance(x, Value)
                else evaluated(x, sizes, known)
                for x in step.inputs
            ]
            try:
                step.op.infer(*given, **evaluated(step.settings, sizes, known))
            except DiptychError as better:
                better.failed_at = Failure(step, given)  # type: ignore[attr-defined]
                return better
            except Exception:  # what it says of sizes that are not known here is no news
                continue
        return error

    def failed_at(self, error: BaseException) -> Failure | None:
        """Where `error` was raised, if it was here."""
        trace, last = error.__traceback__, None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._file:
                last = trace
            trace = trace.tb_next
        step = self.step_at.get(last.tb_lineno) if last is not None else None
        if last is None or step is None:
            return None
        values = {**last.tb_frame.f_globals, **last.tb_frame.f_locals}
        given = [values[self.names[x]] if isinstance(x, Value) else x for x in step.inputs]
        return Failure(step, given, getattr(error, "member", 0))


class BodyCompiler:
    """Compiles the bodies of loops and branches that a program runs: see `static.control.body.Compiler`.

    A body keeps its programs, one for each set of results that is asked for.
    """

    def __init__(self, options: Options) -> None:
        self.options = replace(options, watched=False, memory_limit=None)
        self.module, self.copy = options.device.module, options.device.copy

    def body(
        self, body: Body, fed: Sequence[Tensor], results: Sequence[Tensor], arrays: Sequence[Any]
    ) -> Callable[[Sequence[Any]], Sequence[Any]]:
        orderly = all([array.flags.c_contiguous for array in arrays])
        key = (tuple(fed), tuple(results), self.options, orderly)
        program = body.programs.get(key)
        if program is None:
            selection = select(body, results, fed)
            program = body.programs[key] = Program(selection, fed, results, self.options, orderly)
        return program.results


CHUNK = 1 << 14
"""Bytes of a piece of the stack that CPython (from 3.11 on) keeps its functions' frames on."""
LARGE = CHUNK // 8
"""Bytes of a frame from which on it is kept out of a piece that others have begun."""


def _with_room(program: Any) -> Any:
    """The function, with a frame that leaves room for those of the functions that it calls.

    A frame with hundreds of names takes up most of a piece of CPython's stack. If it ends close to the
    end of one, each call inside maps a new piece of memory and gives it back, which takes longer than
    most steps. Too large for any piece, it gets one of its own, with room behind it.
    """
    code = program.__code__
    words = code.co_nlocals + code.co_stacksize
    if LARGE < 8 * words < CHUNK:
        program.__code__ = code.replace(co_stacksize=code.co_stacksize + CHUNK // 8 - words)
    return program


class Records:
    """The activation records of one plan that no run is using: its free list. Several threads may run one
    program at once, each with a record of its own."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.free: list[tuple[Any, ...]] = []

    def take(self) -> tuple[Any, ...]:
        """A record for one run."""
        try:
            return self.free.pop()
        except IndexError:
            return self.plan.allocate()
