#!/bin/sh
# Two ONNX files, one behind the other in one file, are one valid model.
#
# One would guess: what follows a model is an error, or is not read.
# What happens: the messages merge: nodes are put together, single fields are the second's. onnx loads it,
#     the checker passes it, onnxruntime runs it. Likewise a file that lost its tail at a field's edge: it
#     loads, without what stood there.
# Who is hurt: whoever appends by mistake (an upload resumed, a log redirected), or has a copy cut short.
# Bears on: static.export_onnx, which writes to the side and moves into place: docs/onnx.md, and
#     tests/reliability/test_files.py::test_what_goes_wrong_while_a_file_is_written_leaves_the_old_one.
# Guessed before the run (guesses.md, 37 and 38; heard of): reflex "refused, refused", wrong; manual
#     "refused, refused", wrong; build "the first is read, refused", wrong.
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

print("onnx", onnx.__version__, " onnxruntime", onnxruntime.__version__)


def model(name, op, source, result):
    node = helper.make_node(op, [source], [result])
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in (source, result))
    graph = helper.make_graph([node], name, [x], [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


first, second = model("first", "Exp", "a", "b"), model("second", "Neg", "c", "d")
second.metadata_props.add(key="labels", value="cat,dog")
joined = first.SerializeToString() + second.SerializeToString()
loaded = onnx.load_from_string(joined)
onnx.checker.check_model(loaded)
results = onnxruntime.InferenceSession(joined).run(None, {n: np.zeros(2, "f4") for n in "ac"})
print("joined:", loaded.graph.name, [node.op_type for node in loaded.graph.node], "results:", len(results))
whole = second.SerializeToString()
cut = onnx.load_from_string(whole[: whole.index(b"labels") - 4])
print("labels in the cut file:", len(cut.metadata_props), " nodes:", len(cut.graph.node))
still = loaded.graph.name == "second" and len(loaded.graph.node) == len(results) == 2
still = still and len(cut.graph.node) == 1 and not cut.metadata_props

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
