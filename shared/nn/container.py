"""Modules that hold modules. PyTorch's names: the third layer's weight is `2.weight`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.errors import SettingError
from shared.nn.module import Module, modules_in
from shared.usage.door import methods


class _Holder(Module):
    """Modules by name, kept apart from the attributes so that no name is forbidden."""

    _held: dict[str, Module]

    def __init__(self) -> None:
        self.__dict__["_held"] = {}

    def _put(self, name: str, module: Any) -> None:
        if not isinstance(module, Module):
            way_out = "wrap a function in one"
            if isinstance(module, type):
                way_out += f", or make one: {module.__name__}()"
            elif isinstance(module, (list, tuple)):
                way_out = "give what it holds one by one, as by Sequential(*layers)"
            raise SettingError(f"{type(self).__name__}: {module!r} is no Module; {way_out}")
        module.__dict__.setdefault("_name", name)
        self._held[name] = module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        yield from self._held.items()
        for key, value in vars(self).items():
            if key != "_held":
                yield from modules_in(key, value)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._held.values()))

    def __len__(self) -> int:
        return len(self._held)


class ModuleList(_Holder):
    """Modules in a row, indexed as a list is."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def append(self, module: Module) -> ModuleList:
        """Put a module at the end."""
        self._put(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Put modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def __getitem__(self, index: int | slice) -> Any:
        found = list(self._held.values())
        return ModuleList(found[index]) if isinstance(index, slice) else found[index]


class Sequential(_Holder):
    """Calls its layers one after the other; `Sequential({"name": layer, ...})` names them."""

    def __init__(self, *layers: Module | Mapping[str, Module]) -> None:
        super().__init__()
        first = layers[0] if len(layers) == 1 else None
        if isinstance(first, Mapping):
            for name, layer in first.items():
                self._put(name, layer)
        else:
            for each in layers:
                self.append(each)

    def append(self, layer: Any) -> Sequential:
        """Put a layer at the end."""
        self._put(str(len(self)), layer)
        return self

    def __getitem__(self, index: int | slice) -> Any:
        found = list(self._held.values())
        return Sequential(*found[index]) if isinstance(index, slice) else found[index]

    def forward(self, x: Any) -> Any:
        for layer in self._held.values():
            x = layer(x)
        return x


class ModuleDict(_Holder):
    """Modules by name."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        for name, module in (modules or {}).items():
            self._put(name, module)

    def __getitem__(self, name: str) -> Any:
        return self._held[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self._put(name, module)

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._held))

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._held.keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._held.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules."""
        return self._held.items()


methods(ModuleList, "append", "extend", "__getitem__")
methods(Sequential, "append", "__getitem__")
methods(ModuleDict, "__getitem__", "__setitem__")
