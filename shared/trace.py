"""What a define-by-run program did, as data: what one engine records, another compiles.

A path is a list of events, in the order in which they happened. The Tensors of a call are counted, as they
are first met: those that come from outside, and what each event gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from shared.op import Op
from shared.slices import Slices
from shared.spec import Spec


@dataclass(frozen=True, slots=True)
class Known:
    """A Tensor that was met before, by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class New:
    """A Tensor, or an array, that comes from outside and is met here for the first time.

    leaf  whether it is a leaf that requires a gradient
    made  whether it came with a history of its own
    weak  whether it is a Python float that is another in each call, which stands here in the dtype that it
          takes
    """

    number: int
    spec: Spec
    leaf: bool = False
    made: bool = False
    weak: bool = False


Argument = Any
"""Known, New, a State, or a weak number (or None, for one that is left out)."""


@dataclass(eq=False, slots=True)
class Event:
    """Something that happened.

    first    the number of its first output; `outputs`, what they are
    history  of each output whether a gradient flows back from it
    ordered  of each output whether it was in C order; `fresh`, whether it was no view of another's memory
    """

    first: int = 0
    outputs: tuple[Spec, ...] = ()
    history: tuple[bool, ...] = ()
    ordered: tuple[bool, ...] = ()
    fresh: tuple[bool, ...] = ()

    def arguments(self) -> Sequence[Argument]:
        """What it was given."""
        return ()


@dataclass(eq=False, slots=True)
class Applied(Event):
    """An op was applied; `recording`, whether the tape was on; `frozen`, which of its arguments are States
    that no gradient was to reach."""

    op: Op = None  # type: ignore[assignment]
    args: tuple[Argument, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    recording: bool = True
    frozen: frozenset[int] = frozenset()

    def arguments(self) -> Sequence[Argument]:
        return self.args


class Way(NamedTuple):
    """How something is differentiated.

    adds     whether it is added to what leaves have in `.grad`, and not given back
    named    whether it is told by what; else it is by all leaves
    keeps    whether what was made is kept for another time; `creates`, whether the derivatives have a history
    """

    adds: bool
    named: bool
    keeps: bool
    creates: bool


BACKWARD = Way(adds=True, named=False, keeps=False, creates=False)
"""As `y.backward()` does."""


@dataclass(eq=False, slots=True)
class Differentiated(Event):
    """`y` was differentiated, times `seed`, by `leaves`; if the way is to add, `before` is what they had in
    `.grad` (or None). The derivatives, or the sums, are the outputs."""

    y: Argument = None
    seed: Argument = None
    leaves: tuple[Argument, ...] = ()
    before: tuple[Argument, ...] = ()
    way: Way = BACKWARD

    def arguments(self) -> Sequence[Argument]:
        return (self.y, self.seed, *self.leaves, *self.before)


@dataclass(eq=False, slots=True)
class Assigned(Event):
    """`state.assign(value)`."""

    state: Any = None
    value: Argument = None

    def arguments(self) -> Sequence[Argument]:
        return (self.value,)


@dataclass(eq=False, slots=True)
class Stepped(Event):
    """`optimizer.step()`, with the gradients of `parameters`, under settings that `guard` tells."""

    optimizer: Any = None
    parameters: tuple[Any, ...] = ()
    gradients: tuple[Argument, ...] = ()
    guard: Any = None

    def arguments(self) -> Sequence[Argument]:
        return self.gradients


class Stretch(Protocol):
    """Events between two looks at a value, as one compiled program.

    feeds   the numbers of the Tensors that it is fed
    reads   the States whose arrays it is fed behind them: (State, whether as it was when the path began, and
            not when the stretch did)
    ordered whether it takes only arrays in C order
    gives   the numbers of the Tensors that it gives, and behind them, what the `stores` are to hold
    """

    feeds: tuple[int, ...]
    reads: tuple[tuple[Any, bool], ...]
    gives: tuple[int, ...]
    stores: tuple[Any, ...]
    ordered: bool

    def run(self, arrays: Sequence[Any]) -> Sequence[Any]:
        """The arrays of what it gives and stores, which belong to the caller."""


class Path(Protocol):
    """A path as one graph, of which stretches are cut."""

    def needed(self, begin: int, end: int, known: set[int]) -> set[int]:
        """Which of the Tensors `known` the events from `begin` to `end` read."""

    def fork(self, at: int, events: Sequence[Event]) -> Slices[Path | None]:
        """A path that goes the same way up to an event, and from there on another; None if it has to be begun
        anew. Of paths that have events in common one is built at a time."""

    def stretch(
        self, begin: int, end: int, known: set[int], gives: Sequence[int], ordered: bool
    ) -> Slices[Stretch]:
        """The events from `begin` to `end`, where the Tensors `known` can be fed; `ordered`: all in C
        order. It is made bit by bit, and what the path holds meanwhile may grow."""


class Compiler(Protocol):
    """What an engine that compiles offers to one that records: bit by bit, so that this can rest."""

    def path(self, events: Sequence[Event], level: str) -> Slices[Path]:
        """The events as one graph; `level` is "exact" or "fast"."""
