"""Module: a layer, or a model made of layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from os import PathLike, fspath
from typing import Any

import numpy as np

from shared.device.cuda import DEVICES
from shared.dispatch import ENGINE_OF, NEUTRAL, engine_in_charge
from shared.durable.interrupts import deferred
from shared.errors import AssignmentError, DiptychError, DTypeError, SettingError, StateError
from shared.nn.saved import Loaded, arrays_of, load_arrays, read_own, write_file
from shared.op import TABLE
from shared.spec import as_dtype, in_short
from shared.state import Buffer, Parameter, State
from shared.usage import late
from shared.usage.absent import MODULE, Answers
from shared.usage.door import methods, refused
from shared.usage.late import MARK, PLAIN, Held

SETTING = (*PLAIN, tuple, State, Held)
"""Kinds of values that an attribute may have which a graph is built with; and Modules."""


hook_changes = [0]
"""How often a hook was put anywhere, or taken away."""


class Module(Answers):
    """Holds Parameters, Buffers and other Modules as attributes, also in lists and dicts.

    Write `forward`; call the module itself. States are found in the order in which they were defined and
    named by their path, such as `layers.0.weight`. `training` is True until `eval()`.
    """

    def __init__(self) -> None:
        """Nothing is asked for; a class of one's own may leave out to call this."""

    training = True
    _absent = MODULE
    _forward_hooks: tuple[Callable[..., Any], ...] = ()

    @property
    def name(self) -> str:
        """What a call of this module is called in graphs: the class, or where it stands."""
        return self.__dict__.get("_name") or type(self).__name__

    def __setattr__(self, key: str, value: Any) -> None:
        before = self.__dict__.get(key)
        if value is not None and isinstance(before, (State, Module)):
            _check_replaces(f"{type(self).__name__}.{key}", before, value)
        if MARK in self.__dict__:
            before = self.__dict__.get(key, getattr(type(self), key, None))
            if isinstance(value, (*SETTING, Module)) and not late.same(before, value):
                late.note(self, key, before, value)
        object.__setattr__(self, key, value)
        for path, child in modules_in(key, value):
            child.__dict__.setdefault("_name", path)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        engine: Any = None
        tensor = None
        for value in (*args, *kwargs.values()) if kwargs else args:
            engine = ENGINE_OF[type(value)]
            if engine is not None and engine is not NEUTRAL:
                tensor = value
                break
        else:
            engine = engine_in_charge()
        try:
            if engine is None:
                y = self.forward(*args, **kwargs)
            else:
                with engine.call(self, tensor):
                    y = self.forward(*args, **kwargs)
        except Exception as error:
            if not isinstance(error, DiptychError) or error.message.partition(":")[0] not in TABLE:
                refused(type(self).__name__, error, self.forward, args, kwargs)
            raise
        for hook in self._forward_hooks:
            found = hook(self, args, y)
            y = y if found is None else found
        return y

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; subclasses write it, in ops and other modules."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(); write one")

    def register_forward_hook(self, hook: Callable[[Any, tuple[Any, ...], Any], Any]) -> Hook:
        """Call `hook(module, args, output)` after each call of this module, on either engine; what
        it gives, unless None, takes the output's place. `.remove()` on the result ends it."""
        self._forward_hooks = (*self._forward_hooks, hook)
        hook_changes[0] += 1
        return Hook(self, hook)

    def __repr__(self) -> str:
        inner = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        head = f"{type(self).__name__}({self.settings()}"
        return head + ("\n" + "\n".join(inner) + "\n)" if inner else ")")

    def settings(self) -> str:
        """What stands in the brackets of the repr."""
        return ""

    # --- what is inside ---

    def children(self) -> Iterator[Module]:
        """The modules directly inside, in definition order."""
        return (child for _, child in self.named_children())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The same with their names."""
        for key, value in list(vars(self).items()):
            yield from modules_in(key, value)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all inside it, with their paths; each once."""
        return _visit(prefix, self, set())

    def modules(self) -> Iterator[Module]:
        """This module and all inside it."""
        return (module for _, module in self.named_modules())

    def own_states(self) -> Iterator[tuple[str, State]]:
        """The Parameters and Buffers that stand in this module itself, with their names, in definition
        order."""
        # A list of them: another thread may be calling the module for the first time.
        for key, value in list(vars(self).items()):
            yield from _in(State, key, value)

    def state_paths(self) -> Iterator[tuple[str, State]]:
        """Parameters and Buffers with their paths, in definition order. One that stands in two
        places (tied weights) comes with each of its paths."""
        for path, module in self.named_modules():
            for name, state in module.own_states():
                yield (f"{path}.{name}" if path else name), state

    def named_states(self) -> Iterator[tuple[str, State]]:
        """Parameters and Buffers with their first paths, in definition order; each once."""
        seen: set[int] = set()
        for path, state in self.state_paths():
            if id(state) not in seen:
                seen.add(id(state))
                yield path, state

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """What training changes, with paths."""
        return ((path, s) for path, s in self.named_states() if isinstance(s, Parameter))

    def parameters(self) -> Iterator[Parameter]:
        """What training changes. Each one's name becomes its path in this module."""
        for path, parameter in self.named_parameters():
            parameter.called(path)
            yield parameter

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """What is kept but not trained, with paths."""
        return ((path, s) for path, s in self.named_states() if isinstance(s, Buffer))

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Keep a value under a name, which is saved and not trained: `self.name = Buffer(value)`. One that is
        not to be saved is a plain attribute."""
        _check_name("register_buffer", self, name)
        if not persistent or tensor is None:
            setattr(self, name, tensor)
            return
        setattr(self, name, tensor if isinstance(tensor, State) else Buffer(getattr(tensor, "array", tensor)))

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Keep a Parameter under a name: `self.name = param`."""
        _check_name("register_parameter", self, name)
        if param is not None and not isinstance(param, Parameter):
            raise AssignmentError(
                f"register_parameter: {in_short(param)} is no Parameter; write nn.Parameter(values)"
            )
        setattr(self, name, param)

    def add_module(self, name: str, module: Module | None) -> None:
        """Keep a module under a name: `self.name = module`."""
        _check_name("add_module", self, name)
        setattr(self, name, module)

    register_module = add_module

    def get_submodule(self, target: str) -> Module:
        """The module of a path, as `named_modules` tells it."""
        return self._at("get_submodule", dict(self.named_modules()), target)

    def get_parameter(self, target: str) -> Parameter:
        """The Parameter of a path."""
        return self._at("get_parameter", dict(self.named_parameters()), target)

    def get_buffer(self, target: str) -> Buffer:
        """The Buffer of a path."""
        return self._at("get_buffer", dict(self.named_buffers()), target)

    def _at(self, call: str, known: Mapping[str, Any], target: str) -> Any:
        if target not in known:
            raise StateError(
                f"{call}: there is no {target!r} in {type(self).__name__}; there are "
                f"{', '.join(known)}"
            )
        return known[target]

    def extra_repr(self) -> str:
        """What stands in the brackets of the repr, by PyTorch's name."""
        return self.settings()

    def num_parameters(self, trainable: bool = False) -> int:
        """How many numbers the Parameters hold; with `trainable`, without the frozen ones."""
        found = [p for p in self.parameters() if p.requires_grad or not trainable]
        return sum(math.prod(p.shape) for p in found)

    # --- what is done to all of it ---

    def apply(self, fn: Callable[[Module], Any]) -> Module:
        """Call `fn` on every module inside, and last on this one; gives this module."""
        for _, child in self.named_children():
            child.apply(fn)
        fn(self)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Let gradients reach every Parameter inside or, with False, freeze them all."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
            parameter.grad = None
        return self

    def astype(self, dtype: Any) -> Module:
        """Hold every floating-point Parameter and Buffer in `dtype` from now on."""
        kind = as_dtype(dtype)
        if kind.kind != "f":
            raise DTypeError(f"astype: a model's dtype must be floating point, not {kind}")
        with deferred():
            for _, state in self.named_states():
                state.grad = None
                if isinstance(state, Parameter):
                    state.kind = kind
                if state.settled and state.dtype.kind == "f" and state.dtype != kind:
                    late.note(state, "dtype", state.dtype, kind)
                    state.hold(state.data.astype(kind))
        return self

    def to(self, target: Any) -> Module:
        """Hold every Parameter and Buffer on a device ("cpu", "cuda") from now on, or in a dtype.

        Those whose shape is not known yet are made there. Gradients are forgotten. An optimiser that
        has made steps is moved by `optimizer.to(device)`.
        """
        if not isinstance(target, str) or target not in DEVICES:
            return self.astype(target)
        with deferred():
            for _, state in self.named_states():
                state.to(target)
        return self

    def cpu(self) -> Module:
        """Hold everything on the host."""
        return self.to("cpu")

    def cuda(self) -> Module:
        """Hold everything on the GPU."""
        return self.to("cuda")

    def float(self) -> Module:
        """Hold everything floating in float32."""
        return self.astype(np.float32)

    def double(self) -> Module:
        """Hold everything floating in float64."""
        return self.astype(np.float64)

    def half(self) -> Module:
        """Hold everything floating in float16."""
        return self.astype(np.float16)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        check_forgotten(set_to_none)
        for _, parameter in self.named_parameters():
            parameter.grad = None

    # --- saving ---

    def state_dict(self) -> dict[str, Any]:
        """Copies of all Parameters and Buffers as arrays, by path, in definition order. The
        paths are PyTorch's. Tied weights come once, under their first path."""
        return arrays_of(self.state_paths())

    def load_state_dict(self, arrays: Mapping[str, Any], strict: bool = True) -> Loaded:
        """Hold these values (arrays, or Tensors, by path) from now on.

        StateError, and nothing is loaded, if a name is missing, unexpected or of another shape;
        with `strict=False` only for shapes. Gives the missing and the unexpected names.
        """
        return load_arrays(self.state_paths(), arrays, strict, "load_state_dict")

    def save(self, path: str | PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
        """Write `state_dict()` and some words of text to a safetensors file, which replaces the
        one there in one move."""
        write_file(path, self.state_dict(), {"model": type(self).__name__, **(metadata or {})}, "save")

    def load(self, path: str | PathLike[str], strict: bool = True) -> Loaded:
        """Load a safetensors file of this model's, or of the same one in PyTorch."""
        arrays, metadata = read_own(path, "load")
        found = load_arrays(self.state_paths(), arrays, strict, f"load {fspath(path)}")
        return found._replace(metadata=metadata)

    # --- modes ---

    def train(self, mode: bool = True) -> Module:
        """Set training mode here and in every module inside."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Set evaluation mode here and in every module inside."""
        return self.train(False)


methods(
    Module, "register_forward_hook", "named_modules", "num_parameters", "apply", "requires_grad_", "astype",
    "to", "load_state_dict", "save", "load", "train", "register_buffer", "register_parameter", "add_module",
    "register_module", "get_submodule", "get_parameter", "get_buffer",
)  # fmt: skip


def _visit(path: str, module: Module, seen: set[int]) -> Iterator[tuple[str, Module]]:
    if id(module) in seen:
        return
    seen.add(id(module))
    yield path, module
    for name, child in module.named_children():
        yield from _visit(f"{path}.{name}" if path else name, child, seen)


class Hook:
    """A hook that stands; also a context manager, at whose end it is removed."""

    def __init__(self, module: Module, hook: Callable[..., Any]) -> None:
        self.module, self.hook = module, hook

    def remove(self) -> None:
        """Call the hook no more."""
        left = tuple(hook for hook in self.module._forward_hooks if hook is not self.hook)
        self.module._forward_hooks = left
        hook_changes[0] += 1

    def __enter__(self) -> Hook:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def check_forgotten(set_to_none: bool) -> None:
    """SettingError unless gradients are to be forgotten: zeros that are kept differ from none for rules with
    momentum."""
    if set_to_none is not True:
        raise SettingError(
            "zero_grad: gradients are forgotten here, not filled with zeros; leave set_to_none out, or write "
            "p.grad.zero_() for each parameter"
        )


def _check_name(call: str, module: Module, name: str) -> None:
    if not isinstance(name, str) or not name.isidentifier():
        raise SettingError(f"{call}: {name!r} is no name for an attribute; write letters, digits and _")
    if hasattr(type(module), name):
        raise SettingError(
            f"{call}: {type(module).__name__} has an attribute {name!r} of its own; choose "
            "another"
        )


def _check_replaces(place: str, before: Any, value: Any) -> None:
    """AssignmentError if what stands in the place would no longer be trained, saved or found."""
    kind = next(kind for kind in (Parameter, Buffer, State, Module) if isinstance(before, kind))
    if isinstance(value, kind):
        return
    raise AssignmentError(
        f"{place}: a {kind.__name__} stands there, and {in_short(value)} is none, so it would no longer be "
        f"trained, saved or found; put a {kind.__name__} in its place, or None"
        + ("" if kind is Module else ", or overwrite what it holds: .assign(value)")
    )


def _in(kind: type, key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, kind):
        yield key, value
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            yield from _in(kind, f"{key}.{index}", part)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _in(kind, f"{key}.{name}", part)


def modules_in(key: str, value: Any) -> Iterator[tuple[str, Module]]:
    """The modules in an attribute: itself, or those inside lists and dicts, with paths."""
    return _in(Module, key, value)
