"""Archives: what `graph.save` writes, `static.load` runs, bit for bit and without the code that
built it; and whatever else a file holds is refused."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import static
import tests.cases
from shared import nn, ops, optim
from shared.errors import ArchiveError, FeedTypeError, MissingFeedError, ShapeError
from shared.op import TABLE, Op
from static.archive.ops import OWN, is_ours
from static.archive.rebuild import KINDS, MORE_KEYS, NODE_KEYS, PROGRAM_KEYS
from static.archive.rebuild_bodies import BODIES, PART_KEYS
from static.graph.graph import edge_of
from static.graph.variables import lift
from tests import HOME
from tests.cases.case import Case

PROGRAM, WEIGHTS, CONSTANTS = "program.json", "weights.safetensors", "constants.safetensors"
rng = np.random.default_rng(11)


def array(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


@pytest.fixture(autouse=True)
def graph() -> Iterator[static.Graph]:
    with static.Graph().as_default() as g:
        yield g


# --- the same bits, somewhere else ---------------------------------------------------------


def mlp() -> Any:
    x = static.placeholder("float32", (None, 6), name="x")
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    with nn.evaluating(model):
        return {"logits": model(x)}, {x: array(5, 6)}


def cnn() -> Any:
    x = static.placeholder("float32", ("batch", 1, 12, 12), name="x")
    norm = nn.BatchNorm2d(4)
    norm.running_mean.assign(array(4))
    norm.running_var.assign(array(4) ** 2 + 0.5)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), norm, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 3)
    )
    with nn.evaluating(model):
        return {"y": model(x)}, {x: array(4, 1, 12, 12)}


def lstm_unrolled() -> Any:
    x = static.placeholder("float32", ("n", 5, 3), name="x")
    return {"y": nn.LSTM(3, 4, batch_first=True)(x)[0]}, {x: array(2, 5, 3)}


def lstm_scan() -> Any:
    x = static.placeholder("float32", (None, None, 3), name="x")
    y, (h, c) = nn.LSTM(3, 4, batch_first=True, num_layers=2)(x)
    return {"y": y, "h": h, "c": c}, {x: array(2, 5, 3)}


def looping() -> Any:
    """A while loop with a limit, that counts in a variable."""
    x = static.placeholder("float32", ("n",), name="x")
    trips = static.Variable(np.int64(0), trainable=False, name="trips")

    def body(i: Any, h: Any) -> Any:
        trips.assign_add(1)
        return i + 1, h * 0.5 + ops.sum(x)

    i, h = static.while_loop(lambda i, h: ops.sum(h) < 40, body, (np.int32(0), x), maximum=50)
    return {"i": i, "h": h, "trips": trips.value()}, {x: np.float32([1, 2])}


def branching() -> Any:
    x = static.placeholder("float32", ("n", 3), name="x")
    scale = static.Variable(array(3), name="scale")

    def yes() -> Any:
        return static.cond(ops.max(x) > 1, lambda: x * scale, lambda: x)

    return {"y": static.cond(ops.sum(x) > 0, yes, lambda: ops.neg(x))}, {x: np.abs(array(4, 3)) + 1}


def training() -> Any:
    """Gradients through a scan, and two masks of one dropout layer, the second after the first."""
    x = static.placeholder("float32", ("steps", 2, 4), name="x")
    drop, weight = nn.Dropout(0.4), static.Variable(array(4, 4) / 2, name="weight")
    last, ys = static.scan(lambda h, xt: 2 * (ops.tanh(h @ weight + xt),), np.zeros((2, 4), np.float32), x)
    loss = ops.sum(drop(last) * 2) + ops.sum(drop(ys))
    return {"loss": loss, "slope": static.gradients(loss, [weight])[0]}, {x: array(3, 2, 4)}


def awkward() -> Any:
    """All kinds of settings, effects, constants, weak numbers and sizes."""
    x = static.placeholder("float32", ("n", 4), name="x")
    rate = static.placeholder_with_default(np.float32(2.0), (), name="rate")
    sure = static.Assert(ops.min(x) > -1e9, [x], "far out")
    with static.control_dependencies([sure]):
        y = static.identity(x) * rate
    n = x.shape[0]
    z = ops.reshape(y[..., ::-1], (n * 2, 2))[:-1, None, np.array([1, 0])]
    noise = static.random_normal((n, 4), seed=7)
    parts = ops.split(ops.concatenate([y, ops.full((n, 2), -np.inf, like=x)], axis=1), [2, 4], axis=1)
    masked = x[x > 0]
    checked = static.check_numerics(static.stop_gradient(y), "y")
    shown = static.Print(checked, [rate], "rate: {braces} 'quotes' ")
    counts = ops.where(ops.isnan(x * np.nan), x * np.inf, -0.0 * x) / x.size
    outputs = [z, noise, *parts, masked, shown, counts, ops.sum(masked) ** 2, x.astype("float16")]
    return dict(zip("abcdefghij", outputs, strict=False)), {x: array(3, 4)}


MODELS: dict[str, Callable[[], Any]] = {
    build.__name__: build
    for build in (mlp, cnn, lstm_unrolled, lstm_scan, looping, branching, training, awkward)
}

RUNNER = """
import pathlib, sys
import numpy as np
import static
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.diptych")):
    with np.load(path.with_suffix(".feeds.npz")) as feeds:
        loaded = static.load(path)
        for step in range(2):
            np.savez(path.with_suffix(f".{step}.npz"), **loaded.run(feeds))
assert not any(name.partition(".")[0] in ("tests", "dynamic", "pickle5") for name in sys.modules)
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Each model's outputs in two runs: here from its own graph, there from its archive, in an
    interpreter that can import neither this file nor the layers' use in it."""
    folder = tmp_path_factory.mktemp("archives")
    wanted: dict[str, Any] = {}
    for name, build in MODELS.items():
        with static.Graph().as_default() as g:
            outputs, feeds = build()
            with static.Session() as session:
                session.run(static.global_variables_initializer())
                g.save(folder / f"{name}.diptych", outputs)
                wanted[name] = [session.run(outputs, feeds) for _ in range(2)]
            np.savez(folder / f"{name}.feeds.npz", **{x.node.name: value for x, value in feeds.items()})
    script = folder / "run.py"
    script.write_text(RUNNER)
    environment = os.environ | {"PYTHONPATH": str(HOME), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(script), str(folder)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = {}
    for name in MODELS:
        found[name] = []
        for step in range(2):
            with np.load(folder / f"{name}.{step}.npz") as made:
                found[name].append(dict(made))
    return {"wanted": wanted, "found": found, "messages": done.stderr}


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_graph_gives_the_same_bits_where_the_models_code_is_not(name: str, runs: Any) -> None:
    for want, found in zip(runs["wanted"][name], runs["found"][name], strict=True):
        assert want.keys() == found.keys()
        for key in want:
            assert (found[key].dtype, found[key].shape) == (want[key].dtype, want[key].shape), key
            assert found[key].tobytes() == np.asarray(want[key]).tobytes(), key


def test_state_and_effects_go_on_in_a_loaded_graph(runs: Any) -> None:
    first, second = runs["found"]["looping"]
    assert second["trips"] == 2 * first["trips"] > 0
    noise = [made["b"] for made in runs["found"]["awkward"]]
    assert not np.array_equal(*noise)
    assert runs["messages"].count("rate: {braces} 'quotes' 2.") == 2


CASES = list(
    {
        id(case): case
        for module in pkgutil.iter_modules(tests.cases.__path__)
        for case in getattr(importlib.import_module(f"tests.cases.{module.name}"), "CASES", [])
    }.values()
)


@pytest.mark.parametrize("op", sorted({case.op for case in CASES}))
def test_every_op_and_its_gradients_come_back_bit_for_bit(op: str, tmp_path: Path) -> None:
    for case in CASES:
        if case.op == op and case.name != "batch_norm in evaluation":  # which asks for a value, when built
            _come_back(case, tmp_path)


def _come_back(case: Case, folder: Path) -> None:
    arrays = case.arrays(np.float64)
    with static.Graph().as_default() as g:
        xs = [
            static.placeholder(a.dtype, s)
            for a, s in zip(arrays, case.placeholder_shapes(arrays, False), strict=True)
        ]
        made = case.call(*xs)
        outputs = [
            t for t in (made if isinstance(made, (tuple, list)) else [made]) if isinstance(t, static.Tensor)
        ]
        floats = [x for x in xs if x.dtype.kind in "fc"]
        slopes = [ops.real(y) for y in outputs if edge_of(y) is not None]
        if case.smooth and floats and slopes:
            outputs += [g for g in static.gradients(slopes, floats) if g is not None]
        if not outputs:
            return
        named = {f"y{i}": y for i, y in enumerate(outputs)}
        g.save(folder / "one", named, {f"x{i}": x for i, x in enumerate(xs)})
        want = static.Session().run(named, dict(zip(xs, arrays, strict=True)))
    loaded = static.load(folder / "one")
    found = loaded.run({f"x{i}": a for i, a in enumerate(arrays)})
    for name in named:
        assert (found[name].dtype, found[name].shape) == (want[name].dtype, want[name].shape), case
        assert found[name].tobytes() == want[name].tobytes(), case
    loaded.graph.save(folder / "two", loaded.outputs, loaded.inputs)
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes(), case


def test_every_op_that_comes_with_diptych_is_held_against_the_table_of_settings() -> None:
    ours = [op for op in TABLE.values() if is_ours(op) or isinstance(op.compute, np.ufunc)]
    assert len(ours) == len(TABLE)


# --- what is saved, and how it is run ------------------------------------------------------


def code(source: str) -> str:
    """A program without its comments."""
    return re.sub(r"  # .*", "", source)


def test_the_compiled_program_is_the_one_from_before(graph: static.Graph, tmp_path: Path) -> None:
    outputs, feeds = lstm_unrolled()
    graph.save(tmp_path / "m", outputs)
    loaded = static.load(tmp_path / "m")
    before = static.Session().program(outputs, list(feeds))
    assert code(loaded.session.program(loaded.outputs)) == code(before)


def test_a_loaded_graph_is_written_in_the_same_bytes(tmp_path: Path) -> None:
    for name, build in MODELS.items():
        with static.Graph().as_default() as g:
            g.save(tmp_path / name, build()[0])
        loaded = static.load(tmp_path / name)
        loaded.graph.save(tmp_path / "again", loaded.outputs, loaded.inputs)
        assert (tmp_path / name).read_bytes() == (tmp_path / "again").read_bytes(), name


def test_values_come_from_the_session_or_the_default_one_or_the_parameters(
    graph: static.Graph, tmp_path: Path
) -> None:
    layer = nn.Linear(2, 1, bias=False)
    y = layer(static.placeholder("float32", (None, 2), name="x"))
    start = layer.weight.data.copy()
    paths = [tmp_path / name for name in ("parameters", "default", "session")]
    graph.save(paths[0], {"y": y})
    other = static.Session()
    other.load(layer)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        session.run(static.assign(lift(graph, layer.weight), np.float32([[3, 4]])))
        graph.save(paths[1], {"y": y})
        graph.save(paths[2], {"y": y}, session=other)
    found = [static.load(path).run(x=np.eye(2, dtype=np.float32))["y"].T for path in paths]
    assert np.array_equal(found[0], start) and np.array_equal(found[1], [[3, 4]])
    assert np.array_equal(found[2], start)


def test_only_what_the_outputs_need_is_saved(graph: static.Graph, tmp_path: Path) -> None:
    x, label = static.placeholder("float32", (None, 4), name="x"), static.placeholder("int64", (None,))
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    logits = model(x)
    train = optim.Adam(model.parameters(), lr=0.1).minimize(ops.cross_entropy(logits, label))
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        session.run(train, {x: array(8, 4), label: np.arange(8) % 3})
        graph.save(tmp_path / "m", [logits])
    loaded = static.load(tmp_path / "m")
    assert loaded.signature == "(x: f32[n0,4]) -> (Sequential/2/linear: f32[n0,3])"
    assert len(loaded.graph.nodes) < len(graph.nodes) / 4
    assert all(not variable.name.startswith("Adam") for variable in loaded.graph.variables)


def test_without_outputs_what_nothing_uses_is_saved(graph: static.Graph, tmp_path: Path) -> None:
    x = static.placeholder("float32", (2,), name="x")
    y = ops.tanh(x)
    static.Variable(np.zeros(2, np.float32)).assign(y)
    static.identity(y * 2, name="z")
    static.scan(lambda h, part: (ops.tanh(h + part), None), y[0], x)
    graph.save(tmp_path / "m")
    assert static.load(tmp_path / "m").signature == "(x: f32[2]) -> (z: f32[2], scan:0: f32[])"


def test_a_graph_can_be_cut_at_any_tensor(graph: static.Graph, tmp_path: Path) -> None:
    x = static.placeholder("float32", (None, 6))
    pooled, index = TABLE["max_pool2d"](
        ops.reshape(x, (x.shape[0], 1, 2, 3)), kernel=(2, 2), stride=(1, 1), padding=(0, 0),
        dilation=(1, 1), ceil=True,
    )  # fmt: skip
    graph.save(tmp_path / "whole", {"y": pooled * 2, "index": index}, {"x": x, "pooled": pooled})
    graph.save(tmp_path / "part", {"y": ops.tanh(pooled)}, {"pooled": pooled})
    values = array(3, 1, 1, 2)
    whole = static.load(tmp_path / "whole").run(x=array(3, 6), pooled=values)
    assert np.array_equal(whole["y"], values * 2) and whole["index"].shape == (3, 1, 1, 2)
    part = static.load(tmp_path / "part")
    assert len(part.graph.nodes) == 2 and np.array_equal(part(pooled=values)["y"], np.tanh(values))


def test_defaults_may_be_fed_and_need_not_be(graph: static.Graph, tmp_path: Path) -> None:
    x = static.placeholder("float32", ("n",), name="x")
    rate = static.placeholder_with_default(np.float32(2), (), name="rate")
    graph.save(tmp_path / "m", x * rate)
    loaded = static.load(tmp_path / "m")
    assert loaded.signature == "(x: f32[n], rate: f32[] = ...) -> (mul: f32[n])"
    assert loaded(x=[1.0, 2.0])["mul"].tolist() == [2, 4]
    assert loaded(x=[1.0, 2.0], rate=np.float32(3))["mul"].tolist() == [3, 6]


def test_what_is_fed_is_checked_as_in_any_session(graph: static.Graph, tmp_path: Path) -> None:
    x, w = static.placeholder("float32", ("n", 2), name="x"), static.placeholder("float32", ("n",), name="w")
    graph.save(tmp_path / "m", {"y": ops.sum(x, 1) * w})
    loaded = static.load(tmp_path / "m")
    with pytest.raises(
        MissingFeedError, match=r"'w' must be fed; this graph is \(x: f32\[n,2\], w: f32\[n\]\)"
    ):
        loaded(x=array(3, 2))
    with pytest.raises(FeedTypeError, match="no input 'v'"):
        loaded(v=1)
    with pytest.raises(ValueError, match="feed values that agree"):
        loaded(x=array(3, 2), w=array(4))


def test_gradients_can_be_taken_in_a_loaded_graph(graph: static.Graph, tmp_path: Path) -> None:
    outputs, feeds = lstm_scan()
    (weight, *_) = graph.variables
    graph.save(tmp_path / "m", outputs)
    want = static.gradients(ops.sum(outputs["y"] ** 2), [weight])[0]
    loaded = static.load(tmp_path / "m")
    with loaded.graph.as_default():
        found = static.gradients(ops.sum(loaded.outputs["y"] ** 2), [loaded.graph.variables[0]])[0]
    session = static.Session(graph)
    session.run([variable.initializer for variable in graph.variables])
    (values,) = feeds.values()
    slope = loaded.session.run(found, {loaded.inputs["x"]: values})
    assert np.array_equal(slope, session.run(want, feeds)) and np.abs(slope).max() > 0


def test_a_finalized_graph_can_be_saved_and_is_not_changed(graph: static.Graph, tmp_path: Path) -> None:
    outputs, _ = branching()
    graph.finalize()
    count = len(graph.nodes)
    graph.save(tmp_path / "m", outputs)
    assert len(graph.nodes) == count


def test_shapes_that_were_told_are_kept_and_checked(graph: static.Graph, tmp_path: Path) -> None:
    x = static.placeholder("float32", name="x")
    y = ops.reshape(x, (-1, 2))
    rows, early = y.shape[0], y * 2
    y.set_shape((3, None))
    graph.save(tmp_path / "m", {"y": ops.reshape(early + y, (6,))})
    loaded = static.load(tmp_path / "m")
    assert loaded.signature == "(x: f32<unknown rank>) -> (y: f32[6])"
    assert loaded(x=np.ones(6))["y"].tolist() == [3] * 6
    with pytest.raises(
        ShapeError, match=r"told to be f32\[3,2\] before the graph was saved, and is \(4, 2\)"
    ):
        loaded(x=np.ones(8))
    with pytest.raises(
        ArchiveError, match=r"node 'mul_1': the size n\d+ is of no Tensor that is saved; .*set_shape"
    ):
        graph.save(tmp_path / "m", {"y": y * rows})


def test_users_lines_and_scopes_are_kept_as_text(graph: static.Graph, tmp_path: Path) -> None:
    outputs, _ = mlp()
    graph.save(tmp_path / "m", outputs)
    loaded = static.load(tmp_path / "m")
    relu = loaded.graph.get_tensor_by_name("Sequential/1/relu:0").node
    assert str(relu.line).startswith("test_archive.py:") and "model(x)" in str(relu.line)
    assert relu.call is not None and relu.call.name == "Sequential/1"
    assert "relu" in static.show(loaded.graph)


def test_names_that_python_would_misread_are_run_as_any_others(graph: static.Graph, tmp_path: Path) -> None:
    names = ("slice", "Ellipsis", "\u00b2", "\ufb01", "fi", "state", "lambda", "__import__('os')", "a b")
    xs = [static.placeholder("float32", (f"{name}!", 3), name=name) for name in names]
    y = sum((i + 1) * ops.sum(x[..., 1:] * x.shape[0]) for i, x in enumerate(xs))
    graph.save(tmp_path / "m", {"y": y})
    feeds = {x: np.ones((1, 3), np.float32) for x in xs}
    assert static.Session().run(y, feeds) == 90
    assert static.load(tmp_path / "m").run({x.node.name: v for x, v in feeds.items()})["y"] == 90


def test_an_op_of_the_users_own_is_needed_where_it_is_loaded(graph: static.Graph, tmp_path: Path) -> None:
    triple = Op("archived_triple", lambda x, *, times: x * times, lambda x, *, times: x, [])
    try:
        graph.save(tmp_path / "m", {"y": triple(static.placeholder("float64", (2,), name="x"), times=3.5)})
        assert static.load(tmp_path / "m")(x=[1, 2])["y"].tolist() == [3.5, 7]
    finally:
        del TABLE["archived_triple"]
    with pytest.raises(
        ArchiveError, match=r"no op 'archived_triple' here; import the module that defines it"
    ):
        static.load(tmp_path / "m")


def test_a_file_is_replaced_whole_or_not_at_all(
    graph: static.Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = static.placeholder("float32", (2,), name="x")
    graph.save(tmp_path / "m", {"y": x * 2})
    before = (tmp_path / "m").read_bytes()

    def broken(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        graph.save(tmp_path / "m", {"y": x * 3})
    assert (tmp_path / "m").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_the_page_tells_the_whole_schema() -> None:
    page = (HOME / "docs" / "archive.md").read_text(encoding="utf-8")
    kinds = {**KINDS, **BODIES}
    more = {key for _, keys in kinds.values() for key in keys}
    for word in {*PROGRAM_KEYS, *NODE_KEYS, *MORE_KEYS, *PART_KEYS, *more, *kinds, *OWN}:
        assert f"`{word}`" in page, word


# --- what no archive can hold --------------------------------------------------------------


def refused(graph: static.Graph, folder: Path, words: str, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(ArchiveError, match=words):
        graph.save(folder / "m", *args, **kwargs)
    assert not list(folder.iterdir())


def test_python_functions_can_not_be_saved_and_the_node_is_named(graph: static.Graph, tmp_path: Path) -> None:
    x = static.placeholder("float32", (2,), name="x")
    y = static.py_func(np.sort, [x], "float32", shapes=(2,), name="sorting")
    refused(
        graph, tmp_path, r"node 'sorting': .*no archive can hold it; cut the graph.*test_archive.py", y * 2
    )
    inside = static.cond(
        ops.sum(x) > 0, lambda: static.py_func(np.sort, [x], "float32", (2,), "deep"), lambda: x
    )
    refused(graph, tmp_path, r"^save: node 'deep': the op 'deep' is a Python function", inside)
    graph.save(tmp_path / "m", {"y": y * 2}, inputs=[y])
    assert static.load(tmp_path / "m")(sorting=[1, 2])["y"].tolist() == [2, 4]


def test_mistakes_are_found_when_a_graph_is_saved(graph: static.Graph, tmp_path: Path) -> None:
    x, z = (static.placeholder("float32", (2,), name=name) for name in "xz")
    v = static.Variable(np.zeros(2), name="v")
    refused(graph, tmp_path, "need the placeholder 'z', which is not among the inputs", x * z, inputs=[x])
    refused(graph, tmp_path, "initialisers", v.initializer.inputs[0])
    refused(
        graph, tmp_path, "complex128, which safetensors does not have", static.constant(np.ones(2) * 1j) * 2
    )
    refused(graph, tmp_path, r"printable characters on one line", {"y\n": x * 2})
    refused(
        graph,
        tmp_path,
        r"^save: node 'a\\tb': the name of a node is 'a\\tb'",
        static.placeholder("float32", (), name="a\tb") * 2,
    )
    refused(graph, tmp_path, "nothing to save", [])
    with pytest.raises(
        TypeError, match=r"can be no output; name Tensors of the graph \(for a variable v, v.value"
    ):
        graph.save(tmp_path / "m", v)
    with pytest.raises(TypeError, match="two outputs are called 'x'"):
        graph.save(tmp_path / "m", [x, x])
