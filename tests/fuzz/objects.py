"""Calls of methods: each is made of objects that are new, for garbage may change what it is given to."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import dynamic
import static
from shared import data, models, nn, ops, optim
from shared.data import transforms
from shared.watch.profiler import Profiler

X = np.arange(6, dtype=np.float32).reshape(2, 3)
IMAGE = np.ones((3, 8, 8), np.float32)


class Call(NamedTuple):
    """A call that means something."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    settings: dict[str, Any] = {}  # noqa: RUF012  never changed


def _call(function: Any, *args: Any, **settings: Any) -> Call:
    return Call(function, args, settings)


class _Graph:
    """A small graph with a session, a model in it and an optimiser of that."""

    def __init__(self) -> None:
        self.graph = static.get_default_graph()
        self.x = static.placeholder("float32", (None, 3), name="x")
        self.v = static.Variable(X[0], name="v")
        self.model = nn.Linear(3, 1)
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.1)
        self.y = ops.sum(self.x * self.v) + ops.sum(self.model(self.x))
        self.step = self.v.assign_add(X[0])
        self.session = static.Session()
        self.session.run(static.global_variables_initializer())


def _partial() -> Call:
    g = _Graph()
    return _call(g.session.partial_run, g.session.partial_run_setup([g.y], [g.x]), g.y, {g.x: X})


def _loaded() -> static.Loaded:
    g = _Graph()
    g.graph.save("graph.zip", {"y": g.y}, {"x": g.x}, g.session)
    return static.load("graph.zip")


def _saved(call: str) -> Call:
    g = _Graph()
    saver = static.Saver()
    path = saver.save(g.session, "model", 1)
    if call == "save":
        return _call(saver.save, g.session, "model", 2)
    return _call(saver.restore, g.session, path)


STATIC: dict[str, Callable[[_Graph], Call]] = {
    "Session.run": lambda g: _call(g.session.run, [g.y, {"v": g.v}], {g.x: X}),
    "Session.program": lambda g: _call(g.session.program, g.y, [g.x]),
    "Session.memory": lambda g: _call(g.session.memory, g.step, {}, []),
    "Session.explain": lambda g: _call(g.session.explain, g.y, [g.x]),
    "Session.block": lambda g: _call(g.session.block, g.y, [g.x]),
    "Session.make_callable": lambda g: _call(g.session.make_callable, g.y, [g.x]),
    "call": lambda g: _call(g.session.make_callable(g.y, [g.x]), X),
    "Session.partial_run_setup": lambda g: _call(g.session.partial_run_setup, [g.y], [g.x]),
    "Session.load": lambda g: _call(g.session.load, g.model, g.optimizer),
    "Session.store": lambda g: _call(g.session.store, g.model, g.optimizer),
    "Session.hold": lambda g: _call(g.session.hold, {g.v: X[0]}),
    "Graph.get_tensor_by_name": lambda g: _call(g.graph.get_tensor_by_name, "x:0"),
    "Graph.get_operation_by_name": lambda g: _call(g.graph.get_operation_by_name, "x"),
    "Graph.save": lambda g: _call(g.graph.save, "graph.zip", {"y": g.y}, {"x": g.x}, g.session),
    "Graph.export_onnx": lambda g: _call(g.graph.export_onnx, "g.onnx", {"y": g.y}, {"x": g.x}, g.session),
    "Tensor.set_shape": lambda g: _call(g.x.set_shape, (2, 3)),
    "Tensor.eval": lambda g: _call(g.y.eval, {g.x: X}, g.session),
    "Variable.assign": lambda g: _call(g.v.assign, X[0]),
    "Variable.assign_add": lambda g: _call(g.v.assign_add, X[0]),
    "Variable.assign_sub": lambda g: _call(g.v.assign_sub, 1.0),
    "Variable.eval": lambda g: _call(g.v.eval, g.session),
    "Variable.load": lambda g: _call(g.v.load, X[0], g.session),
    "Node.run": lambda g: _call(g.step.node.run, {g.x: X}, g.session),
    "scatter_update": lambda g: _call(static.scatter_update, g.v, [0, 1], 0.0),
    "minimize": lambda g: _call(g.optimizer.minimize, g.y, [g.model.weight], g.v),
    "compute_gradients": lambda g: _call(g.optimizer.compute_gradients, g.y, [g.model.weight]),
    "apply_gradients": lambda g: _call(g.optimizer.apply_gradients, g.optimizer.compute_gradients(g.y)),
    "ReduceLROnPlateau.step": lambda g: _call(optim.ReduceLROnPlateau(g.optimizer).step, 1.0, g.session),
}


def _trained() -> tuple[nn.Module, optim.Optimizer]:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    ops.sum(model(dynamic.tensor(X))).backward()
    optimizer.step()
    return model, optimizer


def _of_a_module(name: str, *args: Any) -> Callable[[], Call]:
    return lambda: _call(getattr(_trained()[0], name), *args)


def _of_an_optimizer(name: str, *args: Any) -> Callable[[], Call]:
    return lambda: _call(getattr(_trained()[1], name), *args)


def _loading(kind: int) -> Callable[[], Call]:
    def made() -> Call:
        found = _trained()[kind]
        return _call(found.load_state_dict, found.state_dict())  # type: ignore[union-attr]

    return made


def _from_a_file(kind: int) -> Callable[[], Call]:
    def made() -> Call:
        found = _trained()[kind]
        found.save("states")
        return _call(found.load, "states")

    return made


def _checkpoint(load: bool) -> Call:
    model, optimizer = _trained()
    args = ("checkpoint", model, optimizer, _loader())
    nn.save_checkpoint(*args, step=1)
    if load:
        return _call(nn.load_checkpoint, *args)
    return _call(nn.save_checkpoint, *args, step=1, extra={"a": 1})


def _loader() -> data.DataLoader:
    return data.DataLoader(data.TensorDataset(X, X), 1, shuffle=True)


def _all_of(kind: Any) -> Callable[..., Any]:
    """What makes a loader, as a function that also takes its batches."""
    return lambda *args, **settings: list(kind(*args, **settings))


def _entered(kind: Any) -> Callable[..., Any]:
    """What makes a block, as a function that also enters it."""

    def enter(*args: Any, **settings: Any) -> None:
        with kind(*args, **settings):
            pass

    return enter


def _set(name: str) -> Callable[[], Call]:
    def put(*values: Any) -> None:
        for value in values[:1]:
            setattr(_trained()[1], name, value)

    return lambda: _call(put, 0.1)


def _profiled() -> Profiler:
    with dynamic.watching(found := Profiler()):
        ops.exp(dynamic.tensor(X))
    return found


def _plain() -> dict[str, Callable[[], Call]]:
    rows = data.TensorDataset(X, X)
    schedules = (
        optim.ConstantLR(0.1), optim.LinearLR(0.1), optim.StepLR(0.1, 2), optim.MultiStepLR(0.1, (1, 2)),
        optim.ExponentialLR(0.1, 0.9), optim.PolynomialLR(0.1), optim.CosineAnnealingLR(0.1, 5),
        optim.SequentialLR([optim.LinearLR(0.1), optim.StepLR(0.1, 2)], [3]),
        optim.ChainedScheduler([optim.LinearLR(0.1), optim.StepLR(1.0, 2)]),
    )  # fmt: skip
    changes = (
        transforms.Compose([transforms.ToArray()]), transforms.AsType("float32"), transforms.ToArray(),
        transforms.Normalize(0.5, 0.5), transforms.Flatten(), transforms.RandomHorizontalFlip(),
        transforms.CenterCrop(2), transforms.RandomCrop(2, 1), transforms.Resize(4),
    )  # fmt: skip
    found = {type(x).__name__: lambda x=x: _call(x, np.float64(1)) for x in schedules}
    found |= {type(x).__name__: lambda x=x: _call(x, IMAGE) for x in changes}
    made: tuple[tuple[Any, Any], ...] = (
        (optim.StepLR, (0.1, 2, 0.1)), (optim.MultiStepLR, (0.1, (1, 2))), (optim.LinearLR, (0.1, 0.1, 1.0)),
        (optim.SequentialLR, ([optim.LinearLR(0.1), optim.StepLR(0.1, 2)], [3])),
        (optim.ChainedScheduler, ([optim.LinearLR(0.1)],)), (transforms.Normalize, (0.5, 0.5)),
        (transforms.OneHot, (3,)), (transforms.RandomCrop, (2, 1, 0)), (transforms.Resize, (4,)),
        (transforms.RandomHorizontalFlip, (0.5, 0)), (data.Vocabulary, ("ab\ufffd",)),
        (data.Subset, (rows, [0])),
        (data.ConcatDataset, ([rows, rows],)), (models.MLP, ((3, 4, 2),)), (models.LeNet, ()),
        (models.CharLSTM, (5,)), (nn.ModuleList, ([nn.Linear(2, 2)],)), (nn.Sequential, (nn.Linear(2, 2),)),
        (nn.ModuleDict, ({"a": nn.Linear(2, 2)},)), (data.PadCollate, (0.0, True)),
    )  # fmt: skip
    found |= {f"{kind.__name__} made": lambda kind=kind, args=args: _call(kind, *args) for kind, args in made}
    found |= {
        "OneHot": lambda: _call(transforms.OneHot(3), 1),
        "DataLoader": lambda: _call(_all_of(data.DataLoader), rows, 1, shuffle=True, seed=0, prefetch=1),
        "SequenceLoader": lambda: _call(_all_of(data.SequenceLoader), X, batch_size=1, length=1),
        "TensorDataset.__getitem__": lambda: _call(rows.__getitem__, 1),
        "TensorDataset.batch": lambda: _call(rows.batch, np.array([0, 1])),
        "Subset.__getitem__": lambda: _call(data.Subset(rows, [0]).__getitem__, 0),
        "Subset.batch": lambda: _call(data.Subset(rows, [0]).batch, [0]),
        "ConcatDataset.__getitem__": lambda: _call(data.ConcatDataset([rows, rows]).__getitem__, 3),
        "Vocabulary.encode": lambda: _call(data.Vocabulary().encode, "text"),
        "Vocabulary.decode": lambda: _call(data.Vocabulary().decode, [1, 2]),
        "PadCollate": lambda: _call(data.PadCollate(), [X, X[:1]]),
        "pad_sequence": lambda: _call(data.pad_sequence, [X, X[:1]]),
        "Loader.load_state_dict": lambda: _call(_loader().load_state_dict, _loader().state_dict()),
        "x[...]": lambda: _call(dynamic.tensor(X).__setitem__, 1, 0.0),
        "getitem": lambda: _call(dynamic.tensor(X).__getitem__, 1),
        "state_shapes": lambda: _call(models.CharLSTM(5).state_shapes, 2),
        "evaluating": lambda: _call(_entered(nn.evaluating), nn.Dropout()),
        "watching": lambda: _call(_entered(dynamic.watching), Profiler()),
        "no_grad": lambda: _call(_entered(dynamic.no_grad)),
        "name_scope": lambda: _call(_entered(static.name_scope), "a"),
        "variable_scope": lambda: _call(_entered(static.variable_scope), "a"),
        "control_dependencies": lambda: _call(_entered(static.control_dependencies), [static.constant(1.0)]),
        "Profiler.table": lambda: _call(_profiled().table, 3),
        "Profiler.save_trace": lambda: _call(_profiled().save_trace, "trace.json"),
        "global_norm": lambda: _call(optim.global_norm, [X]),
        "clip_by_global_norm": lambda: _call(optim.clip_by_global_norm, [X], 1.0),
        "clip_by_value": lambda: _call(optim.clip_by_value, [X], 1.0),
        "clip_grad_norm_": lambda: _call(optim.clip_grad_norm_, _trained()[0].parameters(), 1.0),
        "clip_grad_value_": lambda: _call(optim.clip_grad_value_, _trained()[0].parameters(), 1.0),
        "ReduceLROnPlateau made": lambda: _call(optim.ReduceLROnPlateau, _trained()[1], "min", 0.1),
        "ReduceLROnPlateau.step here": lambda: _call(optim.ReduceLROnPlateau(_trained()[1]).step, 1.0),
        "State.assign": lambda: _call(nn.Parameter(X).assign, X),
        "State.to": lambda: _call(nn.Parameter(X).to, "cpu"),
        "load_checkpoint": lambda: _checkpoint(load=True),
        "save_checkpoint": lambda: _checkpoint(load=False),
    }  # fmt: skip
    return found


CALLS: dict[str, Callable[[], Call]] = {
    **{name: (lambda made=made: made(_Graph())) for name, made in STATIC.items()},  # type: ignore[misc]
    "Session.partial_run": _partial,
    "Saver.save": lambda: _saved("save"),
    "Saver.restore": lambda: _saved("restore"),
    "latest_checkpoint": lambda: _call(static.latest_checkpoint, os.curdir),
    "Loaded.run": lambda: _call(_loaded().run, {"x": X}),
    "static.load": lambda: _call(static.load, "graph.zip", "cpu"),
    "register_forward_hook": _of_a_module("register_forward_hook", lambda *_: None),
    "named_modules": _of_a_module("named_modules", "a"),
    "num_parameters": _of_a_module("num_parameters", True),
    "apply": _of_a_module("apply", lambda module: None),
    "requires_grad_": _of_a_module("requires_grad_", False),
    "Module.astype": _of_a_module("astype", "float64"),
    "Module.to": _of_a_module("to", "cpu"),
    "Module.load_state_dict": _loading(0),
    "Module.save": _of_a_module("save", "states", {"a": "b"}),
    "Module.load": _from_a_file(0),
    "train": _of_a_module("train", False),
    "register_buffer": _of_a_module("register_buffer", "a", X),
    "register_parameter": _of_a_module("register_parameter", "a", nn.Parameter(X)),
    "add_module": _of_a_module("add_module", "a", nn.Linear(2, 2)),
    "get_submodule": _of_a_module("get_submodule", "0"),
    "get_parameter": _of_a_module("get_parameter", "0.weight"),
    "get_buffer": _of_a_module("get_buffer", "1.running_mean"),
    "Module.zero_grad": _of_a_module("zero_grad", True),
    "Sequential.append": _of_a_module("append", nn.Linear(2, 2)),
    "Sequential.__getitem__": _of_a_module("__getitem__", 1),
    "ModuleList.extend": lambda: _call(nn.ModuleList().extend, [nn.Linear(2, 2)]),
    "ModuleDict.__getitem__": lambda: _call(nn.ModuleDict({"a": nn.Linear(2, 2)}).__getitem__, "a"),
    "ModuleDict.__setitem__": lambda: _call(nn.ModuleDict().__setitem__, "a", nn.Linear(2, 2)),
    "add_param_group": _of_an_optimizer("add_param_group", {"params": [nn.Parameter(X)], "lr": 0.1}),
    "Optimizer.zero_grad": _of_an_optimizer("zero_grad", True),
    "slots": _of_an_optimizer("slots", nn.Parameter(X)),
    "Optimizer.to": _of_an_optimizer("to", "cpu"),
    "Optimizer.load_state_dict": _loading(1),
    "Optimizer.save": _of_an_optimizer("save", "states"),
    "Optimizer.load": _from_a_file(1),
    "lr": _set("lr"),
    **_plain(),
}
"""By the name that their errors hold, behind a class's."""
