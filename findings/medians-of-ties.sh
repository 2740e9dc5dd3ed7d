#!/bin/sh
# torch.median shares its gradient among equals, torch.quantile and jnp.median do not.
#
# One would guess: the median picks a number, and that one has the gradient; or max and median of one
#     library do alike.
# What happens: of [1, 1, 1] torch.median gives each a third and torch.quantile(0.5) all to one; in JAX the
#     median gives all to one, and max a third to each.
# Who is hurt: whoever trains with a median: a robust loss, a median filter, a norm over patches that are
#     equal at the start.
# Bears on: tests/shared/ops/test_beside_others.py::test_a_median_of_equals_has_one_gradient.
# Guessed before the run (guesses.md, 86): reflex "one; shared; shared", wrong; manual "one in each", wrong;
#     build "one in each", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0 jax==0.10.2
JAX_PLATFORMS=cpu venv/bin/python - <<'END'
import jax
import torch

print("PyTorch", torch.__version__, " JAX", jax.__version__)


def shares(f):
    x = torch.ones(3, requires_grad=True)
    f(x).backward()
    return [round(share, 3) for share in x.grad.tolist()]


ones = jax.numpy.ones(3)
found = {
    "torch.median": shares(torch.median), "torch.quantile": shares(lambda x: torch.quantile(x, 0.5)),
    "jnp.median": jax.grad(jax.numpy.median)(ones).round(3).tolist(),
    "jnp.max": jax.grad(jax.numpy.max)(ones).round(3).tolist(),
}
print({name: [round(share, 3) for share in row] for name, row in found.items()})
still = [max(row) < 0.5 for row in found.values()] == [True, False, False, True]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
