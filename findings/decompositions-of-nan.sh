#!/bin/sh
# NumPy refuses NaN in eig and svd, and lets it through in eigh, inv, cholesky and qr.
#
# One would guess: all decompositions of a matrix of NaN do the same: raise LinAlgError.
# What happens: eig and svd (and what stands on it: pinv, matrix_rank, lstsq) raise; eigh, inv, solve,
#     cholesky and qr return NaN without a word, and cholesky puts its zeros into the upper triangle all the
#     same.
# Who is hurt: whoever guards a step by `except LinAlgError`: half of the calls never raise.
# Bears on: MatrixError of linalg.svd, which asks for NaN, and
#     tests/shared/ops/test_beside_others.py::test_what_nan_does_to_a_decomposition.
# Guessed before the run (guesses.md, 6): reflex "all raise", wrong; manual "all raise", wrong; build "all
#     give NaN", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np

print("NumPy", np.__version__)
bad = np.full((2, 2), np.nan)


def outcome(name):
    try:
        getattr(np.linalg, name)(bad)
    except np.linalg.LinAlgError as error:
        return f"raises: {error}"
    return "returns"


found = {name: outcome(name) for name in ("eig", "svd", "pinv", "eigh", "inv", "cholesky", "qr")}
for name, what in found.items():
    print(f"{name:9}", what)
still = [name for name, what in found.items() if what == "returns"] == ["eigh", "inv", "cholesky", "qr"]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
