"""Damaged and dishonest ONNX files: each gives a result or one of Diptych's errors, in little memory.

`python -m tests.fuzz.onnx_files 20000` tries as many, from seed 0 on; `--seed N --show` repeats one.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

import dynamic
import static
from shared import onnx
from shared.errors import DiptychError
from tests.shared.onnx.made import mlp, model, node, value
from tests.time_limit import time_limit

ROOM = 3 << 30
"""Bytes beyond those at the start that a damaged file may take before its error: less than a machine has."""

WRONG = (0, 1, -1, 2, 3, -7, 64, 2**15, 2**31 - 1, -(2**31), 2**40, 2**63 - 1, -(2**63))
"""Sizes, counts and axes that nobody meant."""


def _images() -> ModelProto:
    rng = np.random.default_rng(0)
    kept = {
        "w": rng.standard_normal((4, 2, 3, 3)).astype("float32"), "scale": np.ones(4, "float32"),
        "zero": np.zeros(4, "float32"), "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        "grow": np.array([1, 1, 2, 2], "float32"), "half": np.array([2, 2]),
    }  # fmt: skip
    nodes = [
        node("Pad", ["x", "pads"], ["p"]),
        node("Conv", ["p", "w"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c", "scale", "zero", "zero", "scale"], ["n"]),
        node("Relu", ["n"], ["r"]),
        node("MaxPool", ["r"], ["m"], kernel_shape=[2, 2], ceil_mode=1),
        node("Resize", ["m", "", "grow"], ["g"], mode="linear"),
        node("Split", ["g", "half"], ["a", "b"], axis=1),
        node("Concat", ["a", "b"], ["j"], axis=1),
        node("Flatten", ["j"], ["y"]),
    ]
    return model(nodes, [value("x", ["N", 2, 8, 8])], [value("y", None)], kept, check=False)


def _shapes() -> ModelProto:
    kept = {
        "axes": np.array([0]), "two": np.array([2]), "zero": np.array(0), "big": np.array([3, 1, 1]),
        "ids": np.array([[0, 2], [1, 1]]), "steps": np.array([1]), "depth": np.array(5),
        "hot": np.array([0, 1], "float32"),
    }  # fmt: skip
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Mul", ["s", "two"], ["t"]),
        node("ConstantOfShape", ["t"], ["ones"]),
        node("Expand", ["x", "big"], ["e"]),
        node("Tile", ["e", "big"], ["tiled"]),
        node("Gather", ["x", "ids"], ["g"], axis=1),
        node("OneHot", ["ids", "depth", "hot"], ["h"]),
        node("ReduceSum", ["g", "axes"], ["r"], keepdims=0),
        node("Slice", ["tiled", "axes", "two", "axes", "steps"], ["cut"]),
        node("ReduceMax", ["h"], ["top"]),
        node("ReduceSum", ["ones"], ["none"]),
        node("Sum", ["top", "none"], ["y"]),
    ]
    outputs = [value(name, None) for name in ("r", "cut", "y")]
    return model(nodes, [value("x", ["N", 4])], outputs, kept, check=False)


def _control() -> ModelProto:
    number = value("i", [], TensorProto.INT64)
    body = helper.make_graph(
        [node("Add", ["h", "x"], ["h2"]), node("Identity", ["go"], ["go2"]), node("Neg", ["h2"], ["row"])],
        "body", [number, value("go", [], TensorProto.BOOL), value("h", ["N", 4])],
        [value("go2", [], TensorProto.BOOL), value("h2", ["N", 4]), value("row", ["N", 4])],
    )  # fmt: skip
    then, other = (
        helper.make_graph([node(op, ["last"], ["z"])], op, [], [value("z", ["N", 4])])
        for op in ("Relu", "Neg")
    )
    kept = {"three": np.array(3), "yes": np.array(True), "zero": np.array(0, "float32")}
    nodes = [
        node("Loop", ["three", "yes", "x"], ["last", "rows"], body=body),
        node("ReduceSum", ["rows"], ["total"], keepdims=0),
        node("Greater", ["total", "zero"], ["up"]),
        node("If", ["up"], ["y"], then_branch=then, else_branch=other),
    ]
    return model(nodes, [value("x", ["N", 4])], [value("y", ["N", 4])], kept)


def _recurrent() -> ModelProto:
    rng = np.random.default_rng(0)
    kept = {
        "w": rng.standard_normal((1, 12, 4)).astype("float32"),
        "r": rng.standard_normal((1, 12, 3)).astype("float32"), "lengths": np.array([2, 1], "int32"),
    }  # fmt: skip
    nodes = [
        node("Unsqueeze", ["x", "axes"], ["xs"]),
        node("LSTM", ["xs", "w", "r", "", ""], ["ys", "last"], hidden_size=3),
        node("Squeeze", ["last"], ["y"]),
    ]
    kept["axes"] = np.array([0])
    return model(nodes, [value("x", ["N", 4])], [value("y", None)], kept, check=False)


@cache
def honest() -> list[bytes]:
    """The files that are damaged; they load and run."""
    makers: list[Callable[[], ModelProto]] = [lambda: mlp()[0], _images, _shapes, _control, _recurrent]
    return [make().SerializeToString() for make in makers]


# --- mutations -----------------------------------------------------------------------------


def _bytes(random: Random, data: bytes) -> bytes:
    """Some bytes are others, are gone, or there twice."""
    made = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        place, size = random.randrange(len(made) or 1), random.choice((1, 1, 2, 8, 40))
        kind = random.randrange(4)
        if kind == 0:
            made[place : place + 1] = bytes([random.randrange(256)])
        elif kind == 1:
            del made[place : place + size]
        elif kind == 2:
            made[place:place] = made[place : place + size]
        elif len(made) > place:
            made[place] ^= 1 << random.randrange(8)
    return bytes(made[: random.randrange(len(made) + 1)] if random.random() < 0.05 else made)


def _graphs(graph: Any) -> Iterator[Any]:
    yield graph
    for part in graph.node:
        for attribute in part.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)


def _meant(random: Random, data: bytes) -> bytes:
    """A file that says something else, well formed."""
    made = ModelProto.FromString(data)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        graph = random.choice([graph for graph in _graphs(made.graph) if graph.node])
        random.choice(SAYINGS)(random, made, graph)
        if not made.graph.node:
            break
    return made.SerializeToString()


def _names(graph: Any) -> list[str]:
    found = [*(v.name for v in graph.input), *(t.name for t in graph.initializer), ""]
    return [*found, *(name for part in graph.node for name in part.output)]


def _other_input(random: Random, made: Any, graph: Any) -> None:
    part = random.choice(graph.node)
    if part.input:
        part.input[random.randrange(len(part.input))] = random.choice(_names(graph))


def _fewer_or_more_inputs(random: Random, made: Any, graph: Any) -> None:
    part = random.choice(graph.node)
    if part.input and random.random() < 0.5:
        part.input.pop(random.randrange(len(part.input)))
    else:
        part.input.append(random.choice(_names(graph)))


def _other_output(random: Random, made: Any, graph: Any) -> None:
    part = random.choice(graph.node)
    if part.output:
        part.output[random.randrange(len(part.output))] = random.choice([*_names(graph), "new"])


def _node_gone_or_twice(random: Random, made: Any, graph: Any) -> None:
    place = random.randrange(len(graph.node))
    if random.random() < 0.5:
        graph.node.append(graph.node[place])
    elif len(graph.node) > 1:
        del graph.node[place]


OPS = (
    "Identity", "Add", "MatMul", "Reshape", "Expand", "Tile", "Pad", "Resize", "Conv",
    "ConvTranspose", "Range", "Gather", "Loop", "Scan", "If", "OneHot", "TopK", "Einsum",
    "NonZero", "ConstantOfShape", "Slice", "Cast", "ScatterND", "CumSum", "LSTM", "GRU", "Split",
    "SequenceAt", "QuantizeLinear", "Nope", "AveragePool", "Transpose", "DepthToSpace",
    "LayerNormalization", "Softmax", "Unique", "EyeLike", "Where",
)  # fmt: skip


def _other_op(random: Random, made: Any, graph: Any) -> None:
    random.choice(graph.node).op_type = random.choice(OPS)


def _other_attribute(random: Random, made: Any, graph: Any) -> None:
    found = [a for part in graph.node for a in part.attribute]
    if not found:
        return
    attribute = random.choice(found)
    if attribute.ints:
        attribute.ints[random.randrange(len(attribute.ints))] = random.choice(WRONG)
        if random.random() < 0.2:
            attribute.ints.append(random.choice(WRONG))
    elif attribute.HasField("i"):
        attribute.i = random.choice(WRONG)
    elif attribute.HasField("s"):
        attribute.s = random.choice((b"", b"linear", b"reflect", b"\xff", b"no"))
    else:
        attribute.type = random.randrange(15)


def _new_attribute(random: Random, made: Any, graph: Any) -> None:
    names = "axis", "group", "pads", "strides", "kernel_shape", "to", "mode", "keepdims", "perm"
    number: Any = random.choice(WRONG)
    random.choice(graph.node).attribute.append(
        helper.make_attribute(random.choice(names), random.choice((number, [number], [number] * 4, "x", 0.5)))
    )


def _other_array(random: Random, made: Any, graph: Any) -> None:
    if not graph.initializer:
        return
    tensor = random.choice(graph.initializer)
    kind = random.randrange(4)
    if kind == 0:
        tensor.data_type = random.randrange(26)
    elif kind == 1 and tensor.dims:
        tensor.dims[random.randrange(len(tensor.dims))] = random.choice(WRONG)
    elif kind == 2:
        tensor.dims.append(random.choice(WRONG))
    elif tensor.data_type == TensorProto.INT64 and tensor.raw_data:
        numbers = np.frombuffer(tensor.raw_data, "int64").copy()
        if numbers.size:
            numbers[random.randrange(numbers.size)] = random.choice(WRONG)
        tensor.raw_data = numbers.tobytes()
    if random.random() < 0.1:
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", random.choice(("../../etc/passwd", "/dev/zero", "x", ""))


def _other_type(random: Random, made: Any, graph: Any) -> None:
    values = [*graph.input, *graph.output]
    if values:
        said = random.choice(values).type.tensor_type
        if random.random() < 0.5:
            said.elem_type = random.randrange(26)
        else:
            said.shape.dim.add().dim_value = random.choice(WRONG)


def _other_opset(random: Random, made: Any, graph: Any) -> None:
    made.opset_import[0].version = random.choice((1, 7, 9, 11, 13, 18, 23, 27, 99, -1))


def _deeper(random: Random, made: Any, graph: Any) -> None:
    inner = helper.make_graph([node("Relu", ["x"], ["z"])], "deep", [], [value("z", None)])
    for _ in range(random.choice((2, 12, 24))):
        other = inner if random.random() < 0.1 else helper.make_graph([], "e", [], [])
        branch = node("If", ["yes"], ["z"], then_branch=inner, else_branch=other)
        inner = helper.make_graph([branch], "deep", [], [value("z", None)])
    made.graph.node.extend(inner.node)


SAYINGS: tuple[Callable[[Random, Any, Any], None], ...] = (
    _other_input, _fewer_or_more_inputs, _other_output, _node_gone_or_twice, _other_op, _other_attribute,
    _other_attribute, _new_attribute, _other_array, _other_array, _other_type, _other_opset, _deeper,
)  # fmt: skip


# --- what is promised ----------------------------------------------------------------------


def damaged(seed: int) -> bytes:
    """The file of a seed."""
    random = Random(seed)
    return random.choice((_bytes, _meant, _meant))(random, random.choice(honest()))


class Long(BaseException):
    """A file's model ran on for longer than it is waited for, as one may that says 2^40 trips of a loop."""


def tried(seed: int, seconds: float = 30.0) -> str:
    """What came of the file: "runs", an error's name, or of one with loops, which gets a thirtieth of the
    time, "runs on". Raises what should not come.
    """
    data = damaged(seed)
    loops = b"Loop" in data
    try:
        with time_limit(seconds / 30 if loops else seconds, Long(), cpu=True):
            return _came_of(data, seed)
    except Long:
        if loops:
            return "runs on"
        raise


def _came_of(data: bytes, seed: int) -> str:
    try:
        with np.errstate(all="ignore"):
            net = onnx.load(data)
            feeds = [_fed(info) for info in net.inputs]
            if seed % 4:
                with dynamic.no_grad():
                    net(*map(dynamic.tensor, feeds))
            else:
                with static.Graph().as_default():
                    net(*(static.placeholder(a.dtype, (None,) * a.ndim) for a in feeds))
    except DiptychError as error:
        return type(error).__name__
    return "runs"


def _fed(info: Any) -> Any:
    """Ones of the shape that an input is said to have; 2 for sizes that are open, or too large to try."""
    sizes = [n if isinstance(n, int) and n <= 64 else 2 for n in info.type.shape or ()]
    dtype = info.type.dtype
    usable = dtype is not None and dtype.kind in "biufc"
    return np.ones(sizes[:8], dtype if usable else "float32")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print what came of each")
    asked = parser.parse_args()
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: SIM115
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
    came: Counter[str] = Counter()
    failed, longest = [], (0.0, 0)
    for seed in range(asked.seed, asked.seed + (1 if asked.show else asked.count)):
        start = time.perf_counter()
        try:
            came[tried(seed)] += 1
        except BaseException as error:
            if asked.show or isinstance(error, KeyboardInterrupt):
                raise
            failed.append((seed, f"{type(error).__name__}: {str(error)[:150]}"))
        longest = max(longest, (time.perf_counter() - start, seed))
    print(dict(came.most_common()), f"the longest took {longest[0]:.1f} s (seed {longest[1]})")
    for seed, error in failed:
        print(f"seed {seed}: {error}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
