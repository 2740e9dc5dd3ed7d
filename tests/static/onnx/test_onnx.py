"""Export to ONNX: onnxruntime gives what a session gives, for every op, for models, for all sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import static
from shared import nest, nn, ops, optim
from shared.errors import ExportError, FetchError, GraphError, UninitializedError
from shared.models import MLP, LeNet, ResNet18, Transformer
from shared.op import TABLE
from static.control.body import BodyOp
from static.onnx import export as onnx_export
from static.onnx.table import NO_WORDS, ROWS
from tests import HOME
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import outputs

_WHY = "the extra 'onnx' brings it"
onnx = pytest.importorskip("onnx", reason=_WHY)
onnxruntime = pytest.importorskip("onnxruntime", reason=_WHY)
ReferenceEvaluator = pytest.importorskip("onnx.reference", reason=_WHY).ReferenceEvaluator
NotImplementedByRuntime = onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented

PAGE = HOME / "docs" / "onnx.md"
NEAR = {"rtol": 1e-5, "atol": 1e-5}
rng = np.random.default_rng(11)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def evaluated(file: Path, feeds: dict[str, Any]) -> list[Any]:
    """What the file gives in onnxruntime; where that has no kernel for a dtype, in onnx's own evaluator."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # its errors are raised; it need not print them as well
    try:
        return onnxruntime.InferenceSession(file, options).run(None, feeds)
    except NotImplementedByRuntime:
        made = onnx.load(file)
        wide = {onnx.TensorProto.DOUBLE, onnx.TensorProto.UINT64}
        if not wide & {a.i for node in made.graph.node for a in node.attribute if a.name == "to"}:
            raise  # float32 it must know
        return ReferenceEvaluator(made).run(None, feeds)


def assert_agree(file: Path, wanted: Sequence[Any], feeds: dict[str, Any]) -> None:
    """Shapes and dtypes exactly, values nearly."""
    for want, got in zip(wanted, evaluated(file, feeds), strict=True):
        assert (got.shape, got.dtype) == (want.shape, want.dtype)
        np.testing.assert_allclose(got, want, **NEAR)


# --- every op ------------------------------------------------------------------------------

REFUSED = {
    "conv2d-integers": "ONNX convolves floats alone",
    "im2col-integers": "and so here",
    "im2col": "with an unknown number of channels",
    "conv2d-3-d": "with an unknown kernel",
    "conv2d_input-transposed, 3-d": "with an unknown kernel",
    "linspace-as many as a size": "an unknown number of numbers",
    "max_pool2d-integers": "ONNX has it for 8 bits alone",
    "tap_index": "of taps that no pooling found",
    "getitem-an empty list and a bool": "a mask without axes",
    "argwhere-of a number": "and places without axes",
}
ASIDE = {
    "mean-of nothing": "onnxruntime's mean of nothing is 0",
    "broadcast_to-no tile": "onnxruntime takes an Expand to no elements for one that does nothing",
}


def cases() -> list[Any]:
    return [
        pytest.param(case, id=str(case), marks=[pytest.mark.xfail(reason=ASIDE[str(case)], strict=False)])
        if str(case) in ASIDE else pytest.param(case, id=str(case))
        for case in all_cases()
    ]  # fmt: skip


@pytest.mark.parametrize("case", cases())
def test_every_op_gives_what_it_gives_here(case: Case, file: Path) -> None:
    """In all cases of the laws, with sizes known and unknown; an op that is not exported is refused."""
    arrays = case.arrays(np.float32)
    for known in (True, False):
        with static.Graph().as_default() as graph:
            shapes = case.placeholder_shapes(arrays, known)
            named = enumerate(zip(arrays, shapes, strict=True))
            xs = [static.placeholder(a.dtype, shape, f"x{i}") for i, (a, shape) in named]
            ys = outputs(case.call(*xs))
        try:
            graph.export_onnx(file, {f"y{i}": y for i, y in enumerate(ys)}, xs)
        except ExportError as error:
            exported = {node.op.name for node in graph.nodes} <= {*ROWS, "placeholder", "constant"}
            told = "serves gradients alone" in str(error) or "no complex numbers" in str(error)
            if exported and not told and str(case) not in REFUSED:
                raise
            continue
        with static.Session(graph=graph) as session:
            wanted = session.run(ys, dict(zip(xs, arrays, strict=True)))
        assert_agree(file, wanted, {f"x{i}": a for i, a in enumerate(arrays)})


def test_rows_and_excuses_are_of_ops_that_there_are() -> None:
    loops = {"scan", "cond", "while_loop"}
    effects = {"print", "assert", "check_numerics"}
    assert set(ROWS) - loops <= set(TABLE)
    assert set(NO_WORDS) - effects <= set(TABLE)
    assert not set(ROWS) & set(NO_WORDS)


def test_every_op_has_a_row_or_an_excuse() -> None:
    ours = {name for name, op in TABLE.items() if getattr(op.compute, "__module__", None) is None
            or op.compute.__module__.partition(".")[0] == "shared"}  # fmt: skip
    missing = sorted(ours - set(ROWS) - set(NO_WORDS))
    assert not missing, (
        f"say {missing} in ONNX's words, in the file of their family in static/onnx/ops, or say why not in "
        "NO_WORDS of static/onnx/table.py"
    )


# --- models --------------------------------------------------------------------------------

Build = Callable[[Any], Any]


def assert_exports(
    file: Path, build: Build, shape: Sequence[Any], runs: Sequence[dict[str, int]], dtype: str = "float32",
    top: int | None = None,
) -> None:  # fmt: skip
    """One file agrees with a session for all these sizes. `top`: what integers are drawn below."""
    with static.Graph().as_default() as graph:
        x = static.placeholder(dtype, shape, name="x")
        ys = nest.flatten(build(x))[0]
    with static.Session(graph=graph) as session:
        session.run(static.global_variables_initializer())
        graph.export_onnx(file, {f"y{i}": y for i, y in enumerate(ys)}, session=session)
        for sizes in runs:
            at = [sizes.get(n, n) for n in shape]
            a = rng.standard_normal(at).astype(dtype) if top is None else rng.integers(0, top, at)
            assert_agree(file, session.run(ys, {x: a}), {"x": a})


def evaluating(model: nn.Module) -> nn.Module:
    model.eval()
    return model


BATCHES = [{"N": 1}, {"N": 5}]
MODELS: dict[str, tuple[Callable[[], nn.Module], Sequence[Any]]] = {
    "MLP": (lambda: MLP((12, 20, 20, 4), dropout=0.5), ("N", 12)),
    "MLP on images": (lambda: MLP((36, 20, 4), ops.gelu), ("N", 1, 6, 6)),
    "LeNet": (lambda: LeNet(channels=1), ("N", 1, 28, 28)),
    "ResNet18": (lambda: ResNet18(10), ("N", 3, 32, 32)),
    "RNN": (lambda: nn.RNN(6, 8, num_layers=2, bidirectional=True), (7, "N", 6)),
    "RNN of relus": (lambda: nn.RNN(6, 8, nonlinearity="relu", bias=False), (7, "N", 6)),
    "LSTM": (lambda: nn.LSTM(6, 8, num_layers=2, dropout=0.5, bidirectional=True), (7, "N", 6)),
    "LSTM, batch first": (lambda: nn.LSTM(6, 8, batch_first=True), ("N", 4, 6)),
    "GRU": (lambda: nn.GRU(6, 8, num_layers=2, bidirectional=True), (7, "N", 6)),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(16, 4, 32), (5, "N", 16)),
    "convolutions": (
        lambda: nn.Sequential(
            nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2), nn.BatchNorm2d(8), nn.LeakyReLU(0.2),
            nn.Conv2d(8, 6, 3, padding=(2, 1), dilation=2, bias=False), nn.ELU(), nn.AvgPool2d(2, padding=1),
            nn.AdaptiveAvgPool2d((3, 1)), nn.Flatten(), nn.Linear(18, 5), nn.LogSoftmax(),
        ),
        ("N", 4, 16, 15),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_models_of_any_batch_size_give_what_they_give_here(name: str, file: Path) -> None:
    make, shape = MODELS[name]
    assert_exports(file, evaluating(make()), shape, BATCHES)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_recurrent_layers_of_any_number_of_steps(kind: type[nn.Module], file: Path) -> None:
    model = evaluating(kind(6, 8, num_layers=2, bidirectional=True))
    assert_exports(file, model, ("T", "N", 6), [{"T": 3, "N": 1}, {"T": 9, "N": 5}, {"T": 1, "N": 2}])


def test_recurrent_layers_on_sequences_of_different_lengths(file: Path) -> None:
    model = evaluating(nn.LSTM(6, 8, bidirectional=True))
    assert_exports(file, lambda x: model(x, lengths=np.array([4, 0, 2])), (4, 3, 6), [{}])


def test_a_language_model_of_any_length(file: Path) -> None:
    """Embeddings, positions sliced by a size, a mask made of sizes."""
    model = evaluating(Transformer(11, context=12, width=16, heads=4))
    assert_exports(file, model, ("N", "T"), [{"N": 1, "T": 3}, {"N": 5, "T": 12}], "int64", top=11)


def test_images_of_any_size(file: Path) -> None:
    model = evaluating(
        nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(2))
    )
    assert_exports(file, model, ("N", 3, "H", "W"), [{"N": 1, "H": 8, "W": 9}, {"N": 2, "H": 13, "W": 11}])


@pytest.mark.parametrize("move", [(2, 2, 0), (3, 2, 1), (2, 3, 0), (2, 3, 1), (2, 2, 1)])
def test_windows_that_hang_over_the_edge(move: tuple[int, int, int], file: Path) -> None:
    def pool(x: Any) -> Any:
        return ops.max_pool2d(x, *move, ceil_mode=True, return_indices=True)

    assert_exports(file, pool, ("N", 2, "H", "W"), [{"N": 1, "H": 7, "W": 8}, {"N": 2, "H": 9, "W": 10}])


# --- sizes and control flow ----------------------------------------------------------------

WEIGHTS = rng.standard_normal((4, 4)).astype(np.float32) / 2


def recurrent(x: Any, reverse: bool) -> Any:
    def step(h: Any, row: Any) -> Any:
        h = ops.tanh(h @ WEIGHTS + row)
        return h, (h * h, ops.sum(h), x[0])

    return ops.scan(step, ops.zeros(x.shape[1:], x.dtype, like=x), x, reverse=reverse)


def nested(x: Any) -> Any:
    """A scan in a scan, and branches within."""

    def outer(h: Any, row: Any) -> Any:
        h, _ = ops.scan(lambda c, part: (ops.tanh(c * WEIGHTS[0] + part), None), h, ops.stack([row, h]))
        h = ops.cond(ops.sum(h) > 0, lambda: h * WEIGHTS[1], lambda: h + row)
        return h, ops.sum(h)

    return ops.scan(outer, x[0], x)


def until_large(x: Any) -> Any:
    def small(i: Any, h: Any) -> Any:
        return ops.sum(h * h) < ops.sum(x * x) * 50

    return ops.while_loop(small, lambda i, h: (i + 1, h * 1.7 + x[0]), (ops.sum(x) * 0, x))


PROGRAMS: dict[str, Build] = {
    "scan": lambda x: recurrent(x, reverse=False),
    "scan, from the end": lambda x: recurrent(x, reverse=True),
    "scan over nothing": lambda x: ops.scan(lambda c, _: (c * 1.5 + x, c), x, None, length=4),
    "scan as often as a size": lambda x: ops.scan(lambda c, _: (c + x, c), x, None, x.shape[0], reverse=True),
    "scan that measures": lambda x: ops.scan(
        lambda c, r: (c + ops.sum(r[r > 0]) / (r[r > 0].shape[0] + 1), None), ops.zeros((), like=x), x
    ),
    "map_fn": lambda x: static.map_fn(lambda row: row * ops.sum(row), x),
    "while_loop": until_large,
    "while_loop without a trip": lambda x: ops.while_loop(
        lambda h: ops.sum(h) > 1e9, lambda h: (h * 2,), (x,)
    ),
    "while_loop to its maximum": lambda x: ops.while_loop(
        lambda h: ops.sum(h) < 1e9, lambda h: (h * 2,), (x,), 3
    ),
    "cond": lambda x: ops.cond(ops.sum(x) > 0, lambda: (x @ WEIGHTS, x), lambda: (x, x @ WEIGHTS)),
    "nested": nested,
    "sizes as numbers": lambda x: (x * x.size, ops.mean(x) * x.shape[0] / (x.shape[0] + 1)),
    "sizes in settings": lambda x: (
        x.reshape(-1), x[: (x.shape[0] + 1) // 2, x.shape[0] // -3:], ops.reshape(x, (2, x.shape[0], -1)),
        ops.arange(x.shape[0], like=x), ops.tile(x, (x.shape[0], 1)),
    ),
    "sizes that are measured": lambda x: (x[x[:, 0] > 0] * 2, x[x > 0] / x[x > 0].shape[0]),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_loops_branches_and_sizes_stay_what_they_are(name: str, file: Path) -> None:
    assert_exports(file, PROGRAMS[name], ("N", 4), [{"N": 2}, {"N": 5}, {"N": 6}])


# --- values, names, what the file says -----------------------------------------------------


def test_values_are_the_sessions_else_the_parameters(file: Path) -> None:
    model = nn.Linear(3, 2)
    x = rng.standard_normal((4, 3)).astype(np.float32)
    with static.Graph().as_default() as graph:
        fed = static.placeholder("float32", ("N", 3), name="x")
        y = model(fed)
        train = optim.SGD(model.parameters(), lr=0.1).minimize(ops.mean(y * y))
        before = x @ model.weight.data.T + model.bias.data
        graph.export_onnx(file, y)
        assert_agree(file, [before], {"x": x})
        with static.Session() as session:
            with pytest.raises(UninitializedError):
                graph.export_onnx(file, y)
            session.run(static.global_variables_initializer())
            session.run(train, {fed: x})
            after = session.run(y, {fed: x})
            assert np.abs(after - before).max() > 1e-3
            static.export_onnx(file, y)
            assert_agree(file, [after], {"x": x})
            with static.Session(graph=static.Graph()):  # which knows nothing of this graph
                static.export_onnx(file, y)
            assert_agree(file, [before], {"x": x})
            static.export_onnx(file, y, session=session)
    assert_agree(file, [after], {"x": x})


def test_a_file_says_who_made_it_of_what(file: Path) -> None:
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N", None, 3), name="x")
        y = ops.concatenate([x, x]) * 2
        graph.export_onnx(file, {"twice": y, "sum": ops.sum(y, axis=(0, 1))})
    made = onnx.load(file)
    onnx.checker.check_model(made, full_check=True)
    assert (made.producer_name, made.ir_version, made.graph.name) == ("diptych", 10, "model")
    assert [(s.domain, s.version) for s in made.opset_import] == [("", 21)]
    unknown = str(x.shape[1])
    assert [shape_of(v) for v in made.graph.input] == [("x", ["N", unknown, 3])]
    assert [shape_of(v) for v in made.graph.output] == [("twice", ["2*N", unknown, 3]), ("sum", [3])]
    lines = {node.op_type: node.doc_string for node in made.graph.node}
    assert lines["Concat"].endswith("y = ops.concatenate([x, x]) * 2")


def shape_of(value: Any) -> tuple[str, list[Any]]:
    sizes = value.type.tensor_type.shape.dim
    return value.name, [size.dim_param or size.dim_value for size in sizes]


def test_two_sizes_of_one_name_are_told_apart(file: Path) -> None:
    """Runtimes take what goes by one name to be equal."""
    from shared.dims import Dim

    with static.Graph().as_default() as graph:
        a, b = (static.placeholder("float32", (Dim("n"),), name=name) for name in "ab")
        graph.export_onnx(file, [ops.sum(a), ops.sum(b)])
    assert [shape_of(v)[1] for v in onnx.load(file).graph.input] == [["n"], ["n_1"]]


def test_inputs_and_outputs_are_what_one_says(file: Path) -> None:
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N",), name="x")
        static.placeholder("float32", (), name="left out")
        with static.name_scope("inner"):
            h = static.identity(x * 2)
        start = static.placeholder_with_default(ops.sum(h), ())
        y = h + start
        a, b = np.float32([1, 2]), np.float32([3, 4])
        graph.export_onnx(file, [y, h, static.constant(3.0)])
        names = [v.name for v in onnx.load(file).graph.output]
        assert names == [y.node.name, h.node.name, "constant"]
        assert_agree(file, [a * 2 + 6, a * 2, np.float32(3)], {"x": a})
        graph.export_onnx(file, {"same": x})
        assert_agree(file, [a], {"x": a})
        graph.export_onnx(file, {"y": y.name, "again": y, "same": h}, {"h": h, "x": x, "begin": start})
        assert_agree(file, [b + 7, b + 7, b], {"h": b, "x": a, "begin": np.array(7, np.float32)})
        with pytest.raises(FetchError, match="two outputs are called"):
            graph.export_onnx(file, [y, y])
        with pytest.raises(ExportError, match="an input and an output are called 'x'"):
            graph.export_onnx(file, x)
        with pytest.raises(FetchError, match="can be no output"):
            graph.export_onnx(file, [3])
        with pytest.raises(FetchError, match="nothing to export"):
            graph.export_onnx(file, [])
    with pytest.raises(GraphError, match="not of this graph"):
        static.Graph().export_onnx(file, y)


def test_many_uses_of_a_constant_are_one_in_the_file(file: Path) -> None:
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N",), name="x")
        y = x
        for _ in range(50):
            y = y * 0.5 + 1
        graph.export_onnx(file, y)
    assert len(onnx.load(file).graph.initializer) == 2


def test_what_is_exact_near_zero_stays_so(file: Path) -> None:
    """ONNX has no expm1 and log1p: exp(x) - 1 and log(1 + x) would give 0 here."""
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N",), name="x")
        graph.export_onnx(file, [ops.expm1(x), ops.log1p(x)])
    a = np.float32([1e-9, -1e-9, 1e-4, -1e-4, 0.3, -0.3, 0.7, -0.7, 3, 50])
    grow, shrink = evaluated(file, {"x": a})
    np.testing.assert_allclose(grow, np.expm1(a), rtol=1e-6)
    np.testing.assert_allclose(shrink, np.log1p(a), rtol=1e-6)


def test_a_graph_from_an_archive_is_exported_like_any(file: Path, tmp_path: Path) -> None:
    """Loops among it, which are made anew there."""
    model = evaluating(nn.LSTM(6, 8))
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("T", "N", 6), name="x")
        graph.save(tmp_path / "lstm.diptych", {"y": model(x)[0]})
    loaded = static.load(tmp_path / "lstm.diptych")
    loaded.graph.export_onnx(file, loaded.outputs, session=loaded.session)
    a = rng.standard_normal((5, 2, 6)).astype(np.float32)
    assert_agree(file, [loaded.run(x=a)["y"]], {"x": a})


# --- mistakes ------------------------------------------------------------------------------


def summed_slopes(x: Any) -> Any:
    """The gradient of a loop."""
    w = static.Variable(np.ones(4, np.float32))
    last, _ = ops.scan(lambda c, row: (ops.tanh(c * w + row), None), x[0], x)
    return static.gradients(ops.sum(last), [w])[0]


MISTAKES: dict[str, tuple[Build, type[Exception], str]] = {
    "training: dropout": (lambda x: nn.Dropout(0.5)(x), ExportError, "dropout.*model.eval()"),
    "training: batch norm": (lambda x: nn.BatchNorm1d(4)(x), ExportError, "batch_norm.*model.eval()"),
    "random numbers": (lambda x: x + static.random_normal((4,)), ExportError, "normal.*feed them"),
    "a loss": (lambda x: ops.cross_entropy(x, np.zeros(2, int)), ExportError, "cross_entropy.*outputs"),
    "printing": (lambda x: static.Print(x, [x]), ExportError, "print.*only computes"),
    "a user's function": (
        lambda x: static.py_func(np.sort, [x], "float32", (None, 4), name="add"), ExportError,
        "docs/onnx.md",
    ),
    "an assignment": (
        lambda x: static.Variable(np.zeros(4, np.float32), name="state").assign(x[0]), ExportError,
        "assigns to the variable 'state'",
    ),
    "a loop's gradient": (summed_slopes, ExportError, "gradient"),
    "unknown rank": (
        lambda x: static.identity(static.placeholder("float32")), ExportError, "set_shape",
    ),
    "a dtype that ONNX does not know": (
        lambda x: static.constant(np.zeros(1, np.longdouble)), ExportError, "cast it first",
    ),
    "a dtype that an op does not take": (
        lambda x: ops.max_pool2d(ops.cast(ops.reshape(x, (1, 1, -1, 4)), "int64"), 1), ExportError,
        "checker refuses",
    ),
    "a number that a dtype does not hold": (
        lambda x: ops.less(ops.cast(x, "uint64"), -(2**63)), ExportError, "does not hold",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_what_has_no_words_is_refused_with_the_way_out(name: str, file: Path) -> None:
    """And an older file stays as it was, with nothing beside it."""
    build, kind, words = MISTAKES[name]
    file.write_bytes(b"older")
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", (2, 4), name="x")
        y = build(x)
        with pytest.raises(kind, match=words) as caught:
            graph.export_onnx(file, y)
    assert caught.value.line.file == __file__
    assert file.read_bytes() == b"older" and list(file.parent.iterdir()) == [file]


def test_a_placeholder_that_is_no_input_is_named(file: Path) -> None:
    with static.Graph().as_default() as graph:
        x, left = (static.placeholder("float32", (), name=name) for name in ("x", "left"))
        with pytest.raises(ExportError, match=r"'left'.*not among the inputs"):
            graph.export_onnx(file, x + left, x)


def test_what_one_file_can_not_hold_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "LARGEST", 1000)
    with static.Graph().as_default() as graph:
        y = nn.Linear(100, 10)(static.placeholder("float32", (1, 100)))
        with pytest.raises(ExportError, match=r"4040 bytes.*in parts"):
            graph.export_onnx(file, y)


def test_loops_are_bodies_that_rows_know() -> None:
    """A user's own op of such a name is not taken for one."""
    from shared.op import Op

    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", (), name="x")
        own = Op("scan", lambda x: x, lambda x: x, (), listed=False)
        assert not isinstance(own, BodyOp)
        with pytest.raises(ExportError, match=r"docs/onnx\.md"):
            graph.export_onnx("never.onnx", static.ENGINE.apply(own, [x], {}))


# --- the page ------------------------------------------------------------------------------


def test_the_page_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(code, str(PAGE), "exec"), {})


def test_the_page_lists_the_ops() -> None:
    listed = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    assert {name for name in ROWS if hasattr(ops, name)} <= listed
