"""An optimiser whose slots the ranks share: each holds a part of what is remembered (ZeRO, stage 1:
Rajbhandari, Rasley, Ruwase and He 2020).

Each Parameter is cut, as a row of numbers, into as many pieces as there are ranks. A rank updates piece
number `rank`, and, as a mirror, the one before it; then all get all new pieces. So no message carries slots,
and a rank that is lost takes none with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Any

import numpy as np

from shared import ops, ranks
from shared.errors import SettingError
from shared.optim.groups import ParameterGroup
from shared.optim.optimizer import Optimizer
from shared.optim.raw import raw
from shared.ranks import Communicator
from shared.ranks.transfer import Call
from shared.state import Parameter, State
from shared.usage.door import methods


class Sharded(Optimizer):
    """Steps as `optimizer` does, to the bit, with 2/n of its slots on each of n ranks.

    What `optimizer` remembers by now is taken over, and it is not to be used any more. Every rank must make
    the same steps, with gradients that are the same on all: those of a `nn.parallel.data_parallel` model.
    SettingError for a rule that looks at more than one element at a time.

    pieces  by Parameter, the pieces that this rank holds, by number: its own and the one before
    """

    def __init__(self, optimizer: Optimizer, comm: Communicator | None = None) -> None:
        if not optimizer.elementwise:
            raise SettingError(
                f"Sharded: {type(optimizer).__name__} looks at whole arrays, so its slots can not be cut; "
                "use one that treats each element by itself, such as Adam, AdamW or SGD"
            )
        self.__dict__.update(vars(optimizer))
        self.comm = ranks.world() if comm is None else comm
        self.count, self.number = self.comm.size, self.comm.rank
        self.held = tuple(dict.fromkeys([self.number, (self.number - 1) % self.count]))
        self.pieces: dict[Any, dict[int, Parameter]] = {}
        self._inner = inner = copy(optimizer)
        inner.clip_norm = inner.clip_value = None
        inner.groups, inner._names, inner._wishes, inner._group_of, inner._slots = [], {}, {}, {}, {}
        for group in optimizer.groups:
            inner.groups.append(ParameterGroup(group.lr, group.schedule, group.settings))
            for parameter in group.parameters:
                self._cut(parameter, inner.groups[-1])
        for parameter in self.pieces:
            remembered = self._slots.get(parameter, {})
            self._take(parameter, {name: state.data for name, state in remembered.items()})
        self._slots = {}

    def _cut(self, parameter: Any, group: ParameterGroup) -> None:
        flat, inner = parameter.value().reshape(-1), self._inner
        self.pieces[parameter] = {}
        for piece in self.held:
            name = f"{self._names[parameter]}[{piece} of {self.count}]"
            made = self.pieces[parameter][piece] = Parameter(flat[self._part(parameter, piece)], name)
            inner._names[made], inner._group_of[made] = name, group
            group.parameters.append(made)

    def _take(self, parameter: Any, slots: dict[str, Any]) -> None:
        """Hold the pieces of whole slots."""
        for piece, made in self.pieces[parameter].items():
            for name, array in slots.items():
                own = self._inner.slots(made)[name]
                part = ... if name in self.numbers else self._part(parameter, piece)
                own.data = array.reshape(() if part is ... else -1)[part].copy()

    def _part(self, parameter: Any, piece: int) -> slice:
        size = int(np.prod(parameter.shape, dtype=np.int64))
        each = -(-size // self.count)
        return slice(min(piece * each, size), min((piece + 1) * each, size))

    # --- what it holds ---

    def slots(self, parameter: Any) -> dict[str, State]:
        """What this rank remembers of a Parameter, by slot and piece: `exp_avg[1]`."""
        return {
            f"{name}[{piece}]": state
            for piece, made in self.pieces[parameter].items()
            for name, state in self._inner.slots(made).items()
        }

    def named_states(self, path: Callable[[Any], str] | None = None) -> Iterator[tuple[str, State]]:
        for state in self.learning_rates():
            yield state.name, state
        yield "steps", self.steps
        for parameter in self.parameters:
            head = self._names[parameter] if path is None else path(parameter)
            for slot, state in self.slots(parameter).items():
                yield f"{head}/{slot}", state

    def gathered(self, holders: dict[int, int] | None = None) -> Optimizer:
        """An optimiser by itself that remembers everything, put together of what all ranks hold: to be saved
        with the model, by rank 0, or to be cut for another number of ranks. All ranks must ask for it
        together.

        holders  by piece the rank of `comm` that gives it, where ranks were lost since it was cut
        """
        whole = copy(self._inner)
        whole.clip_norm, whole.clip_value, whole.groups = self.clip_norm, self.clip_value, self.groups
        whole._names, whole._wishes, whole._group_of = self._names, self._wishes, self._group_of
        whole._slots = {}
        pieces: dict[int, list[Any]] = {}
        for piece in range(self.count):
            root = piece if holders is None else holders[piece]
            under_way = []
            for parameter in self.parameters:
                own = self.pieces[parameter].get(piece)
                for name in self.starts(self._group(parameter).settings):
                    if own is not None:
                        array = self._inner.slots(own)[name].data
                    elif name in self.numbers:
                        array = np.zeros((), np.float64)
                    else:
                        part = self._part(parameter, piece)
                        array = np.zeros(part.stop - part.start, parameter.dtype)
                    call = Call(f"gathered({name} of {self._names[parameter]}, piece {piece})", "")
                    under_way.append(self.comm.begin_spread(call, array, root))
            pieces[piece] = [self.comm.result(one) for one in under_way]
        given = iter(zip(*pieces.values(), strict=True))
        for parameter in self.parameters:
            for name, state in whole.slots(parameter).items():
                parts = next(given)
                array = parts[0] if name in self.numbers else np.concatenate(parts)
                state.data = array.reshape(state.shape)
        return whole

    def share(self, whole: Optimizer) -> None:
        """Remember what an optimiser by itself does, such as one that `gathered` gave: each rank its pieces,
        by the number of ranks that there are now. Where it has not changed, they stay those of a graph."""
        if (self.count, self.number) != (self.comm.size, self.comm.rank):
            Sharded.__init__(self, whole, self.comm)
            return
        for parameter in self.pieces:
            self._take(parameter, {name: state.data for name, state in whole.slots(parameter).items()})

    def starts(self, h: Any) -> dict[str, float]:
        return self._inner.starts(h)

    def guard(self) -> Any:
        """No step is the same as another: it is made plainly within a `dynamic.function`."""
        return [object()]

    # --- training ---

    def _update(self, ready: Sequence[Any]) -> None:
        moved = []
        for parameter, g in zip(ready, self._clipped([raw(p.grad) for p in ready]), strict=True):
            flat, slope = parameter.data.reshape(-1), g.reshape(-1)
            for piece, made in self.pieces[parameter].items():
                part = self._part(parameter, piece)
                made.hold(flat[part])
                made._grad = slope[part]
                moved.append(made)
        self._inner._update(moved)
        for made in moved:
            made._grad = None
        own = [self.pieces[parameter][self.number].data for parameter in ready]
        for parameter, whole in zip(ready, self._together(ready, own), strict=True):
            parameter.data = np.array(whole, order="C")

    def assignments(self, pairs: Sequence[tuple[Any, Any]]) -> list[Any]:
        done, moved = [], []
        for g, (_, parameter) in zip(self._clipped([g for g, _ in pairs]), pairs, strict=True):
            flat, slope = ops.reshape(parameter, (-1,)), ops.reshape(g, (-1,))
            for piece, made in self.pieces[parameter].items():
                part = self._part(parameter, piece)
                done.append(made.assign(flat[part]))
                moved.append((slope[part], made))
        done += self._inner.assignments(moved)
        parameters = [parameter for _, parameter in pairs]
        own = [ops.reshape(self.pieces[parameter][self.number], (-1,)) for parameter in parameters]
        for parameter, whole in zip(parameters, self._together(parameters, own), strict=True):
            done.append(parameter.assign(whole))
        return done

    def _together(self, parameters: Sequence[Any], own: Sequence[Any]) -> list[Any]:
        """The whole new Parameters, of this rank's own pieces and the others'; one message for each dtype."""
        found: list[Any] = [None] * len(own)
        for dtype in dict.fromkeys(parameter.dtype for parameter in parameters):
            places = [i for i, parameter in enumerate(parameters) if parameter.dtype == dtype]
            sizes = [int(np.prod(parameters[i].shape, dtype=np.int64)) for i in places]
            widths = [-(-size // self.count) for size in sizes]
            filled = [
                ops.concatenate([own[i], ops.zeros((width - own[i].shape[0],), dtype, like=own[i])])
                for i, width in zip(places, widths, strict=True)
            ]
            row = ops.concatenate(filled)
            rows = ops.reshape(ops.all_gather(row, comm=self.comm), (self.count, row.shape[0]))
            start = 0
            for i, size, width in zip(places, sizes, widths, strict=True):
                numbers = ops.reshape(rows[:, start : start + width], (-1,))[:size]
                found[i] = ops.reshape(numbers, parameters[i].shape)
                start += width
        return found


methods(Sharded, "gathered", "share")
