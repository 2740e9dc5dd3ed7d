"""`static.load`: a saved graph, ready to run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from shared.device.cuda import check_device
from shared.errors import ArchiveError, FeedTypeError, MissingFeedError
from shared.usage.door import refused
from static.archive.encoding import damaged
from static.archive.rebuild import KINDS, Builder
from static.archive.rebuild_bodies import BODIES
from static.archive.save import PROGRAM
from static.archive.unpack import unpack
from static.graph.graph import PLACEHOLDER, Graph, Tensor
from static.run.session import Session


def load(path: str | os.PathLike[str], device: str = "cpu") -> Loaded:
    """The graph that `Graph.save` has written to `path`, with a session that holds its weights.

    The code that built the graph is not needed, and the file can run none: it names ops, and
    everything it says of them is checked against what they do. ArchiveError, naming the member
    and the node, for a file that is damaged, of another version, or not honestly made; DiskError
    for one that can not be read. What a loaded program computes is up to whoever made it.

    device: where it runs, "cpu" or "cuda", as in Session.
    """
    check_device("load", device)
    contents = unpack(path)
    try:
        graph, inputs, outputs = Builder(contents, {**KINDS, **BODIES}).build()
        return Loaded(graph, inputs, outputs, device)
    except ArchiveError as error:
        message = error.message
    except Exception as error:
        message = damaged(f"{type(error).__name__}: {error}").message
    raise ArchiveError(f"load: {os.fspath(path)}: {PROGRAM}: {message}")


class Loaded:
    """A saved graph and its session. `loaded(x=array)` gives the outputs by name.

    graph    the nodes that the outputs need; more may be added, gradients for one
    inputs   what it is fed, by name
    outputs  what it gives, by name
    session  holds the weights as they were saved
    """

    def __init__(
        self, graph: Graph, inputs: dict[str, Tensor], outputs: dict[str, Tensor], device: str = "cpu"
    ) -> None:
        self.graph, self.inputs, self.outputs = graph, inputs, outputs
        self.session = Session(graph, device=device)
        self._needed = [name for name, tensor in inputs.items() if tensor.node.op is PLACEHOLDER]
        self._calls: dict[tuple[str, ...], Any] = {}
        self._call(tuple(self._needed))  # compiled now, so that the first run is as fast as the others

    def __repr__(self) -> str:
        return f"<static.Loaded {self.signature}>"

    @property
    def signature(self) -> str:
        """What goes in and what comes out: `(x: f32[n,784], rate: f32[] = ...) -> (y: f32[n,10])`."""
        given = ", ".join(
            f"{name}: {tensor.spec}{'' if name in self._needed else ' = ...'}"
            for name, tensor in self.inputs.items()
        )
        made = ", ".join(f"{name}: {tensor.spec}" for name, tensor in self.outputs.items())
        return f"({given}) -> ({made})"

    def run(self, feeds: Mapping[str, Any] | None = None, /, **named: Any) -> dict[str, Any]:
        """All outputs by name. Inputs go by name, too; in a dict where a name is no Python word."""
        try:
            values = {**(feeds or {}), **named}
            for name in values:
                if name not in self.inputs:
                    raise FeedTypeError(f"run: there is no input {name!r}; this graph is {self.signature}")
            for name in self._needed:
                if name not in values:
                    raise MissingFeedError(
                        f"run: the input {name!r} must be fed; this graph is {self.signature}"
                    )
            names = tuple(name for name in self.inputs if name in values)
            return self._call(names)(*[values[name] for name in names])
        except Exception as error:
            refused("run", error, Loaded.run, (feeds,), named, of=self)
            raise

    __call__ = run

    def _call(self, names: tuple[str, ...]) -> Any:
        """The compiled program that is fed these inputs."""
        call = self._calls.get(names)
        if call is None:
            feeds = [self.inputs[name] for name in names]
            call = self._calls[names] = self.session.make_callable(self.outputs, feeds)
        return call
