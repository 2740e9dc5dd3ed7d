"""Who is asked: our four ways, and other systems where they are installed. Each gives the words of a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

Words = dict[str, Any]


@dataclass(frozen=True)
class System:
    """One way to run a function.

    name      what the page calls it; `package`, what has to be installed
    words     the words of its texts: `function`, what makes a function of the system's own; `tensor`, of
              numbers; `numbers`, the way back; `parameter`, of numbers that are learnt; its modules; and
              `traces`, how often these functions have been traced
    """

    name: str
    package: str
    words: Callable[[], Words]

    def plain(self) -> Words:
        """The same words, with functions left as they are."""
        return self.words() | {"function": lambda fn, **settings: fn}


def numbers(y: Any) -> Any:
    """An array's or Tensor's numbers, as a list."""
    return np.asarray(y.numpy() if hasattr(y, "numpy") else y).tolist()


def counted(function: Callable[..., Any], traces: Callable[[Any], int]) -> Words:
    """The words that make functions, and that count the traces of those that were made."""
    made: list[Any] = []

    def noted(fn: Callable[..., Any], **settings: Any) -> Any:
        made.append(function(fn, **settings))
        return made[-1]

    return {"function": noted, "traces": lambda: sum(map(traces, made))}


def _ours(words: Words, tensor: Callable[..., Any]) -> Words:
    import dynamic
    import static
    from shared import nn, ops, optim

    return words | {
        "tensor": tensor, "numbers": numbers, "parameter": lambda values: nn.Parameter(np.float32(values)),
        "dynamic": dynamic, "static": static, "nn": nn, "ops": ops, "optim": optim,
    }  # fmt: skip


def _array(values: Any) -> Any:
    return np.array(values, np.float32)


def _dynamic() -> Words:
    import dynamic

    return _ours({"function": lambda fn: fn}, dynamic.tensor)


def _dynamic_function() -> Words:
    import dynamic

    def function(fn: Callable[..., Any]) -> Any:
        made = dynamic.function(fn, at_once=True)
        made.plain = 0  # followed from the first call on
        return made

    return _ours({"function": function}, dynamic.tensor)


def _static_function() -> Words:
    import static

    return _ours(counted(static.function, lambda fn: fn.made), _array)


def built(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A graph of fn, made in the first call, that a Session runs in each."""
    import static
    from shared.nest import flatten
    from static.graph.graph import Tensor

    graph = static.Graph()
    made: list[Any] = []

    def call(*args: Any, **settings: Any) -> Any:
        values, build = flatten((args, settings))
        if any(isinstance(x, Tensor) for x in values):
            return fn(*args, **settings)  # it is called while another one's graph is made
        arrays = [x for x in values if isinstance(x, np.ndarray)]
        if not made:
            with graph.as_default():
                inputs = [static.placeholder(x.dtype, [None] * x.ndim) for x in arrays]
                feeds = iter(inputs)
                args, settings = build([next(feeds) if isinstance(x, np.ndarray) else x for x in values])
                fetches = fn(*args, **settings)
                session = static.Session()
                session.run(static.global_variables_initializer())
            made.append((session, inputs, fetches))
        session, inputs, fetches = made[0]
        if len(inputs) != len(arrays):
            raise TypeError(f"the graph has {len(inputs)} inputs, and was given {len(arrays)} arrays")
        return session.run(fetches, dict(zip(inputs, arrays, strict=True)))

    call.made = made  # type: ignore[attr-defined]
    return call


def _static() -> Words:
    return _ours(counted(built, lambda call: len(call.made)), _array)


def _peer(module: str) -> Words:
    return import_module(f"comparisons.pitfalls.{module}").words()


OURS = (
    System("dynamic", "dynamic", _dynamic),
    System("static", "static", _static),
    System("dynamic.function", "dynamic", _dynamic_function),
    System("static.function", "static", _static_function),
)
PEERS = (
    System("tf.function", "tensorflow", lambda: _peer("on_tensorflow")),
    System("torch.compile", "torch", lambda: _peer("on_torch")),
    System("jax.jit", "jax", lambda: _peer("on_jax")),
)
SYSTEMS = {system.name: system for system in (*OURS, *PEERS)}
"""By name, in the order in which they are shown."""
