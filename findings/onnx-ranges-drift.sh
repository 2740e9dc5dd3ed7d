#!/bin/sh
# onnxruntime's Range adds the step again and again.
#
# One would guess: the last of the ten thousand numbers from 0 to 1000 by 0.1 is 999.9, or differs by a last
#     bit or two.
# What happens: it is 999.80: each number is the one before plus the float32 step, and the error grows to a
#     whole step. The operator's definition says start + i * delta, and the reference evaluator computes so.
# Who is hurt: whoever exports positions, times or frequencies that are made by a range of floats.
# Bears on: ops.arange under static.export_onnx: docs/onnx.md, among what other runtimes do.
# Guessed before the run (guesses.md, 31): reflex "the same", wrong; manual "the same", wrong; build "last
#     bits differ", wrong.
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


ends = [np.float32(0), np.float32(1000), np.float32(0.1)]
fast, right = both("Range", [np.array(x) for x in ends], TensorProto.FLOAT, [None])
print("numbers:", len(fast), len(right), " last:", fast[-1], " reference:", right[-1])
still = len(fast) == len(right) == 10000 and 999.7 < fast[-1] < 999.85 and 999.89 < right[-1] < 999.91

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
