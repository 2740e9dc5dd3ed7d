"""Programs whose arrays live on a GPU: what they are fed goes there, what is fetched comes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.device.capture import Recording
from shared.device.cuda import CudaArray, cupy, to_device, to_host
from static.compile.device import CPU
from static.compile.options import Options
from static.compile.program import SIGNATURES, Program
from static.graph.variables import Variable


class RemoteProgram(Program):
    """A compiled run on a GPU. It takes arrays from either side, gives NumPy arrays for what is
    fetched, as TensorFlow does, and leaves there what the variables are to hold."""

    def __call__(self, feeds: Sequence[Any], state: dict[Variable, Any]) -> tuple[Any, ...]:
        fetched, stores = super().__call__([to_device(array, "cuda") for array in feeds], state)
        return tuple([to_host(array) for array in fetched]), stores


class CapturedProgram(RemoteProgram):
    """The same, recorded in the second run with feeds of some shapes, and launched as one from then on.

    The first run is a plain one, in which kernels are compiled and libraries get their memory ready. The
    last recordings are kept, with the memory of a step each.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._recordings: dict[Any, CapturedRun | None] = {}

    def __call__(self, feeds: Sequence[Any], state: dict[Variable, Any]) -> tuple[Any, ...]:
        shapes = tuple(
            [feed.shape for feed in feeds]
            + [getattr(state[variable], "shape", ()) for variable in self.reads]
        )
        if shapes not in self._recordings:
            while len(self._recordings) >= SIGNATURES:
                del self._recordings[next(iter(self._recordings))]
            self._recordings[shapes] = None
            return super().__call__(feeds, state)
        run = self._recordings[shapes]
        if run is None:
            run = self._recordings[shapes] = CapturedRun(self, feeds, state)
        return run(feeds, state)


class CapturedRun:
    """A program as two recordings: one computes, the other one lets the variables' arrays have what they are
    to hold. Between them stands the look at what ops refuse, so a run that fails changes no variable."""

    def __init__(self, program: Program, feeds: Sequence[Any], state: dict[Variable, Any]) -> None:
        self._variables, count = [*program.reads], len(feeds)

        def compute(*arrays: Any) -> Any:
            values = dict(zip(self._variables, arrays[count:], strict=True))
            return Program.__call__(program, arrays[:count], values)

        self._computing = Recording(compute, [*feeds, *(state[variable] for variable in self._variables)])
        _, stores = self._computing.results
        held = dict(zip(self._variables, self._computing.inputs[count:], strict=True))
        self._kept = {
            variable: held[variable] if variable in held else CudaArray(cupy().empty_like(new.array))
            for variable, new in stores.items()
        }

        def keep() -> None:
            for variable, own in self._kept.items():
                own.array[...] = stores[variable].array

        self._keeping = Recording(keep, ()) if stores else None

    def __call__(self, feeds: Sequence[Any], state: dict[Variable, Any]) -> tuple[Any, ...]:
        self._computing.fill([*feeds, *(state[variable] for variable in self._variables)])
        fetched, _ = self._computing.launch()
        results = tuple([to_host(array) for array in fetched])
        if self._keeping is not None:
            self._keeping.launch()
        return results, self._kept


def program_kind(options: Options) -> type[Program]:
    """The kind of program that a session compiles. Who watches a run sees it plainly."""
    if options.device is CPU:
        return Program
    return CapturedProgram if options.capture and not options.watched else RemoteProgram
