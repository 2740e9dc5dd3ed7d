#!/bin/sh
# onnxruntime sums int64 by way of float64.
#
# One would guess: a sum of integers is exact: 2**53 + 1.
# What happens: ReduceSum of [2**53, 1] is 2**53. Add of the same two is exact, and so is the reference
#     evaluator's ReduceSum.
# Who is hurt: whoever sums hashes, identifiers, fixed-point amounts or nanoseconds in an exported model.
# Bears on: docs/onnx.md, among what other runtimes do; ours adds in 64 bits:
#     tests/shared/ops/test_ops_values.py::test_integers_are_summed_in_64_bits.
# Guessed before the run (guesses.md, 29; heard of): reflex "exact", wrong; manual "exact", wrong; build
#     "exact", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, " onnxruntime", onnxruntime.__version__)


def both(op, inputs, kind, shape, **settings):
    """One node, by onnxruntime and by the reference evaluator."""
    names = [f"x{i}" for i in range(len(inputs))]
    values = [helper.make_tensor_value_info(n, kind, a.shape) for n, a in zip(names, inputs)]
    node = helper.make_node(op, names, ["y"], **settings)
    graph = helper.make_graph([node], "g", values, [helper.make_tensor_value_info("y", kind, shape)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    feeds = dict(zip(names, inputs))
    fast = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)[0]
    return fast, ReferenceEvaluator(model).run(None, feeds)[0]


large = np.array([2**53, 1])
summed, right = both("ReduceSum", [large], TensorProto.INT64, [], keepdims=0)
added, _ = both("Add", [large[:1], large[1:]], TensorProto.INT64, [1])
print("2**53 + 1 =", 2**53 + 1, " ReduceSum:", summed, " Add:", added[0], " reference:", right)
still = summed == 2**53 and added[0] == right == 2**53 + 1

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
