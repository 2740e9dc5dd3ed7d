"""Calls on a GPU, recorded once and launched again as one: CUDA graphs.

While a stream captures, nothing is computed, so that nobody can look at a value. What an op refuses in its
arguments' values it hands to `refuse_if`, and whoever launches the recording looks after each launch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from shared.device.cuda import CudaArray, cupy, to_device
from shared.durable.interrupts import within
from shared.errors import EngineError

_refusals: ContextVar[list[tuple[Any, Callable[[], Exception]]] | None] = ContextVar("refusals", default=None)


def capturing() -> bool:
    """Whether this thread records calls, which compute nothing yet."""
    return _refusals.get() is not None


def refuse_if(wrong: Any, error: Callable[[], Exception]) -> None:
    """Raises what `error` makes if `wrong`, an array of one bool, holds; while calls are recorded, after
    each launch in which it does."""
    waiting = _refusals.get()
    if waiting is not None:
        waiting.append((wrong, error))
    elif wrong:
        raise error()


class Recording:
    """Calls of `work(*inputs)` that are launched as one.

    inputs   CudaArrays of their own, from which every launch reads; `fill` writes into them
    results  what `work` gave, written anew by every launch

    Arrays that `work` makes lie in a pool of the recording's own, for nobody else may have their memory
    as long as it can be launched. EngineError if `work` waits for the GPU: it decides by a value, or
    computes on the host.
    """

    def __init__(self, work: Callable[..., Any], inputs: Iterable[Any]) -> None:
        self.inputs = [_copied(array) for array in inputs]
        self.refusals: list[tuple[Any, Callable[[], Exception]]] = []
        gpu = cupy().cuda
        self._stream, self._pool = gpu.Stream(non_blocking=True), gpu.MemoryPool()
        gpu.get_current_stream().synchronize()
        with within((_refusals, self.refusals)), gpu.using_allocator(self._pool.malloc), self._stream:
            self._stream.begin_capture()
            try:
                self.results = work(*self.inputs)
            except Exception as error:
                self._abandoned(error)
                raise
            self._graph = self._stream.end_capture()

    def _abandoned(self, error: Exception) -> None:
        """The stream is as before; says more of an error of CUDA's."""
        with suppress(Exception):  # that the capture is no longer valid `error` has said
            self._stream.end_capture()
        if isinstance(error, cupy().cuda.runtime.CUDARuntimeError):
            raise EngineError(
                f"capture: something in it waits for the GPU ({error}): it decides by a value or computes on "
                "the host, as loops, branches and random numbers do; leave out capture=True"
            ) from error

    def fill(self, arrays: Iterable[Any]) -> None:
        """Other values for the inputs, in order; an input itself in its place stays as it is."""
        for own, array in zip(self.inputs, arrays, strict=True):
            if own is not array:
                own.array[...] = to_device(array, "cuda").array

    def launch(self) -> Any:
        """The results, written anew. Raises what an op has refused."""
        cupy().cuda.get_current_stream().synchronize()  # what `fill` has begun
        self._graph.launch(self._stream)
        self._stream.synchronize()
        for wrong, error in self.refusals:
            if wrong:
                raise error()
        return self.results


def _copied(array: Any) -> CudaArray:
    there = to_device(array, "cuda")
    return CudaArray(there.array.copy(order="C")) if there is array else there
