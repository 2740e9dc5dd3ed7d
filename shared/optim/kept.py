"""What an optimiser remembers, as arrays by name: in memory, in files, on a device."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from shared.durable import interrupts
from shared.errors import StateError
from shared.nn.saved import arrays_of, load_arrays, read_own, write_file
from shared.optim.groups import HasRate
from shared.state import State
from shared.usage.door import methods


class Kept(HasRate):
    """What an optimiser is as something that is saved; `Optimizer` says what it keeps.

    numbers   the slots that are one number for a parameter
    _names    the parameters' names
    _wishes   what those of them would be called that were given no name
    """

    numbers: tuple[str, ...]
    _kind: str
    _names: dict[Any, str]
    _wishes: dict[Any, str]

    @property
    def parameters(self) -> list[Any]:
        """All that is trained."""
        raise NotImplementedError

    def slots(self, parameter: Any) -> dict[str, State]:
        """What is remembered of a parameter."""
        raise NotImplementedError

    def named_states(self, path: Callable[[Any], str] | None = None) -> Iterator[tuple[str, State]]:
        """All that is kept, with names."""
        raise NotImplementedError

    def to(self, device: str) -> Self:
        """Keep what is remembered of each parameter on a device ("cpu", "cuda"), as `model.to(device)`
        does with the parameters; an optimiser that has made no step yet follows them by itself. The
        learning rate and the counts of steps stay on the host."""
        with interrupts.deferred():
            for parameter in self.parameters:
                for slot, state in self.slots(parameter).items():
                    if slot not in self.numbers:
                        state.to(device)
        return self

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that `named_states` names, as arrays."""
        return arrays_of(self.named_states())

    def load_state_dict(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; StateError, and no change, if it does not fit, or if nothing but
        their order tells two parameters apart."""
        self._load(arrays, f"{self._kind}.load_state_dict")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `state_dict()` to a safetensors file, which replaces the one before it whole."""
        write_file(path, self.state_dict(), {"optimizer": self._kind}, f"{self._kind}.save")

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take over what `save` wrote, as `load_state_dict` does."""
        arrays, _ = read_own(path, f"{self._kind}.load")
        self._load(arrays, f"{self._kind}.load: {os.fspath(path)}")

    def _load(self, arrays: Mapping[str, Any], source: str) -> None:
        alike: dict[Any, Any] = {}
        for parameter in self.parameters:
            kind = self._wishes.get(parameter, parameter), tuple(parameter.shape)
            if (other := alike.setdefault(kind, parameter)) is not parameter and self.slots(parameter):
                raise StateError(
                    f"{source}: nothing but their order tells {self._names[other]} and "
                    f"{self._names[parameter]} apart, so one might get what belongs to the other; make the "
                    "optimiser from (name, parameter) pairs, or keep it by nn.save_checkpoint(path, model, "
                    "optimizer), which goes by the places in the model"
                )
        load_arrays(self.named_states(), arrays, True, source)


methods(Kept, "to", "load_state_dict", "save", "load")
