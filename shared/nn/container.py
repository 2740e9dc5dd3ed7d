"""Modules that hold modules, or Parameters. PyTorch's names: the third layer's weight is `2.weight`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from shared.errors import RangeError, SettingError
from shared.nn.module import Module, modules_in
from shared.spec import in_short
from shared.state import Parameter, State
from shared.usage.door import methods
from shared.usage.late import Held


class Holder(Module):
    """Values by name, kept apart from the attributes so that no name is forbidden."""

    _held: Held

    def __init__(self) -> None:
        self._held = Held()

    def _put(self, name: str, value: Any) -> None:
        self._held = Held({**self._held, name: self._admitted(name, value)})

    def _admitted(self, name: str, value: Any) -> Any:
        """What is held in the place of a value; SettingError for one of another kind."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._held)


class _Row(Holder):
    """Values in a row, as a list holds them. Each is named by its place, which is counted anew where
    one is put in or taken out, unless it was given a name."""

    def append(self, value: Any) -> Self:
        """Put a value at the end."""
        self._put(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Put values at the end."""
        for value in values:
            self.append(value)
        return self

    def insert(self, index: int, value: Any) -> Self:
        """Put a value before the one at `index`."""
        return self._change(lambda held: held.insert(index, ("0", value)))

    def pop(self, index: int = -1) -> Any:
        """Take a value out, and give it."""
        found = self[index]
        del self[index]
        return found

    def _change(self, change: Callable[[list[tuple[str, Any]]], Any]) -> Self:
        """Change the list of names and values, and count those without a name of their own."""
        held: list[tuple[str, Any]] = list(self._held.items())
        change(held)
        names = [str(place) if name.isdecimal() else name for place, (name, _) in enumerate(held)]
        values = [self._admitted(name, value) for name, (_, value) in zip(names, held, strict=True)]
        self._held = Held(zip(names, values, strict=True))
        return self

    def _place(self, index: int) -> int:
        """The place that an index means; RangeError if there is none."""
        if not -len(self) <= index < len(self):
            raise RangeError(f"{type(self).__name__}: there is no [{index}] among {len(self)}")
        return index % len(self)

    def _of(self, held: list[tuple[str, Any]]) -> Any:
        """A plain one of this kind, of some of the values."""
        kind = next(kind for kind in type(self).__mro__ if _Row in kind.__bases__)
        return kind()._change(lambda empty: empty.extend(held))

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._held.values()))

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._of(list(self._held.items())[index])
        return list(self._held.values())[self._place(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        self._put(list(self._held)[self._place(index)], value)

    def __delitem__(self, index: int | slice) -> None:
        where = index if isinstance(index, slice) else self._place(index)
        self._change(lambda held: held.__delitem__(where))

    def __add__(self, other: Iterable[Any]) -> Any:
        return self._of(list(self._held.items())).extend(other)

    def __iadd__(self, other: Iterable[Any]) -> Self:
        return self.extend(other)


class _Named(Holder):
    """Values by name, as a dict holds them."""

    def __init__(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update(values or {})

    def __getitem__(self, name: str) -> Any:
        return self._held[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._put(name, value)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._held))

    def update(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Put values in, of a dict or of (name, value) pairs."""
        for name, value in dict(values).items():
            self._put(name, value)

    def pop(self, name: str) -> Any:
        """Take a value out, and give it."""
        left = dict(self._held)
        found = left.pop(name)
        self._held = Held(left)
        return found

    def clear(self) -> None:
        """Take all values out."""
        self._held = Held()

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._held.keys()

    def values(self) -> Iterable[Any]:
        """The values."""
        return self._held.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and values."""
        return self._held.items()


# --- modules -------------------------------------------------------------------------------


class _OfModules(Holder):
    """What holds modules."""

    def _admitted(self, name: str, value: Any) -> Any:
        if not isinstance(value, Module):
            way_out = "nn.Lambda makes a layer of a function"
            if isinstance(value, type):
                way_out = f"make one: {value.__name__}()"
            elif isinstance(value, (list, tuple)):
                way_out = "give what it holds one by one, as by Sequential(*layers)"
            raise SettingError(f"{type(self).__name__}: {value!r} is no Module; {way_out}")
        value.__dict__.setdefault("_name", name)
        return value

    def named_children(self) -> Iterator[tuple[str, Module]]:
        yield from self._held.items()
        for key, value in vars(self).items():
            if key != "_held":
                yield from modules_in(key, value)


class ModuleList(_OfModules, _Row):
    """Modules in a row, indexed and changed as a list is; a slice is a ModuleList."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)


class Sequential(_OfModules, _Row):
    """Calls its layers one after the other; `Sequential({"name": layer, ...})` names them.

    It is indexed and changed as a list is: `model[-1] = nn.Linear(64, 10)`, `model[:-1]` (a Sequential of
    the same layers), `insert`, `pop`, `del model[0]`, `a + b`.
    """

    def __init__(self, *layers: Module | Mapping[str, Module]) -> None:
        super().__init__()
        first = layers[0] if len(layers) == 1 else None
        if isinstance(first, Mapping):
            for name, layer in first.items():
                self._put(name, layer)
        else:
            self.extend(layers)

    def forward(self, x: Any) -> Any:
        for layer in self._held.values():
            x = layer(x)
        return x


class ModuleDict(_OfModules, _Named):
    """Modules by name, as a dict holds them."""


# --- Parameters ----------------------------------------------------------------------------


class _OfParameters(Holder):
    """What holds Parameters. An array of floats that is put in becomes one."""

    def _admitted(self, name: str, value: Any) -> Any:
        if isinstance(value, Parameter):
            return value
        given = value.numpy() if hasattr(value, "numpy") else value
        array = None if isinstance(value, (State, Module)) else np.array(given)
        if array is None or array.dtype.kind not in "fc":
            raise SettingError(
                f"{type(self).__name__}: {in_short(value)} is no Parameter, nor an array of floats to make "
                "one of"
            )
        return Parameter(array)

    def own_states(self) -> Iterator[tuple[str, State]]:
        yield from list(self._held.items())


class ParameterList(_OfParameters, _Row):
    """Parameters in a row, indexed and changed as a list is. An array that is put in becomes one."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)


class ParameterDict(_OfParameters, _Named):
    """Parameters by name, as a dict holds them. An array that is put in becomes one."""


methods(_Row, "append", "extend", "insert", "pop", "__getitem__", "__setitem__", "__delitem__")
methods(_Named, "update", "pop", "__getitem__", "__setitem__", "__delitem__")
