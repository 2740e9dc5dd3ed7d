#!/bin/sh
# Paddle's relu of NaN is 0, and its argmax steps over NaN.
#
# One would guess: NaN goes through relu as it goes through maximum, and argmax points to it, as max gives
#     it.
# What happens: max, maximum and clip give NaN; relu 0, and argmax of [1, NaN, 2] the 2.
# Who is hurt: whoever waits for a NaN to show in the loss: the first layer has taken it out.
# Bears on: tests/shared/ops/test_ops_values.py::test_nan_is_never_lost_on_the_way.
# Guessed before the run (guesses.md, 83): reflex "NaN everywhere, argmax 1", wrong; manual "NaN everywhere,
#     argmax 1", wrong; build "relu 0, argmax 2", right.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet paddlepaddle==3.3.1
venv/bin/python - <<'END'
import math

import paddle

print("Paddle", paddle.__version__)
nan = paddle.to_tensor(float("nan"))
row = paddle.to_tensor([1.0, float("nan"), 2.0])
relu = float(paddle.nn.functional.relu(nan))
larger, largest = float(paddle.maximum(nan, paddle.to_tensor(0.0))), float(paddle.max(row))
place = int(paddle.argmax(row))
print("relu:", relu, " maximum:", larger, " max of the row:", largest, " its argmax:", place)
still = relu == 0 and math.isnan(larger) and math.isnan(largest) and place == 2

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
