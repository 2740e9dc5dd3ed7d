"""Module: a layer, or a model made of layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.dispatch import tensor_engine
from shared.state import Buffer, Parameter, State


class Module:
    """Holds Parameters, Buffers and other Modules as attributes, also in lists and dicts.

    Write `forward`; call the module itself. States are found in the order in which they were
    defined and named by their path, such as `layers.0.weight`. `training` is True until
    `eval()`.
    """

    training = True

    @property
    def name(self) -> str:
        """What a call of this module is called in graphs: the class, or where it stands."""
        return self.__dict__.get("_name") or type(self).__name__

    def __setattr__(self, key: str, value: Any) -> None:
        object.__setattr__(self, key, value)
        for path, child in _modules_in(key, value):
            child.__dict__.setdefault("_name", path)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        engine = tensor_engine(args) or tensor_engine(kwargs.values())
        if engine is None:
            return self.forward(*args, **kwargs)
        value = next(v for v in (*args, *kwargs.values()) if tensor_engine((v,)) is engine)
        with engine.call(self, value):
            return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; subclasses write it, in ops and other modules."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(); write one")

    def __repr__(self) -> str:
        inner = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.children()]
        head = f"{type(self).__name__}({self.settings()}"
        return head + ("\n" + "\n".join(inner) + "\n)" if inner else ")")

    def settings(self) -> str:
        """What stands in the brackets of the repr."""
        return ""

    # --- what is inside ---

    def children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside, with their names, in definition order."""
        for key, value in vars(self).items():
            yield from _modules_in(key, value)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all inside it, with their paths; each once."""
        seen: set[int] = set()

        def visit(path: str, module: Module) -> Iterator[tuple[str, Module]]:
            if id(module) in seen:
                return
            seen.add(id(module))
            yield path, module
            for name, child in module.children():
                yield from visit(f"{path}.{name}" if path else name, child)

        return visit(prefix, self)

    def modules(self) -> Iterator[Module]:
        """This module and all inside it."""
        return (module for _, module in self.named_modules())

    def named_states(self) -> Iterator[tuple[str, State]]:
        """Parameters and Buffers with their paths, in definition order; each once."""
        seen: set[int] = set()
        for path, module in self.named_modules():
            for key, value in vars(module).items():
                for name, state in _states_in(key, value):
                    if id(state) not in seen:
                        seen.add(id(state))
                        yield (f"{path}.{name}" if path else name), state

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """What training changes, with paths."""
        return ((path, s) for path, s in self.named_states() if isinstance(s, Parameter))

    def parameters(self) -> Iterator[Parameter]:
        """What training changes. Each one's name becomes its path in this module."""
        for path, parameter in self.named_parameters():
            parameter.name = path
            yield parameter

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """What is kept but not trained, with paths."""
        return ((path, s) for path, s in self.named_states() if isinstance(s, Buffer))

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for _, parameter in self.named_parameters():
            parameter.grad = None

    # --- modes ---

    def train(self, mode: bool = True) -> Module:
        """Set training mode here and in every module inside."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Set evaluation mode here and in every module inside."""
        return self.train(False)


@contextmanager
def evaluating(model: Module) -> Iterator[Module]:
    """Evaluation mode within the block; afterwards each module is as it was."""
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, training in before:
            module.training = training


def _in(kind: type, key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, kind):
        yield key, value
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            yield from _in(kind, f"{key}.{index}", part)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _in(kind, f"{key}.{name}", part)


def _modules_in(key: str, value: Any) -> Iterator[tuple[str, Module]]:
    return _in(Module, key, value)


def _states_in(key: str, value: Any) -> Iterator[tuple[str, State]]:
    return _in(State, key, value)
