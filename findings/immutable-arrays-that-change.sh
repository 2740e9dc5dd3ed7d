#!/bin/sh
# A JAX array changes when the PyTorch tensor that it came from does.
#
# One would guess: JAX arrays are immutable, and compiled code relies on it: what comes by DLPack is copied.
# What happens: memory is shared, both ways: the array has the new value, compiled functions too, and a
#     tensor made of a JAX array writes into it.
# Who is hurt: whoever hands over a batch and refills the buffer, or keeps the array as the old weights of a
#     target network.
# Bears on: dynamic.from_dlpack, which shares as well and says so:
#     tests/dynamic/test_tensor.py::test_dlpack_goes_both_ways_without_a_copy.
# Guessed before the run (guesses.md, 26): reflex "no, immutable", wrong; manual "no, copied", wrong; build
#     "yes", right.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet jax==0.10.2 torch==2.13.0
JAX_PLATFORMS=cpu venv/bin/python - <<'END'
import jax
import torch

print("JAX", jax.__version__, " PyTorch", torch.__version__)
tensor = torch.zeros(1000)
array = jax.numpy.from_dlpack(tensor)
before = float(array[0])
tensor[0] = 5
after, compiled = float(array[0]), float(jax.jit(lambda x: x + 1)(array)[0])
print("before:", before, " after:", after, " compiled x + 1:", compiled)
still = (before, after, compiled) == (0, 5, 6)

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
