#!/bin/sh
# mpmath's erfc of 1e160 is an error.
#
# One would guess: a tiny number, as at 1e10, where it is 4e-43429448190325182776: exponents are unbounded
#     there; or 0.
# What happens: OverflowError: somewhere on the way the exponent is made a Python float.
# Who is hurt: whoever takes mpmath as the judge of tails of distributions, over the whole range of float64.
# Bears on: tests/shared/numerics/test_digits.py, where mpmath judges erfc and what is made of it.
# Guessed before the run (guesses.md, 40; heard of): reflex "a tiny number", wrong; manual "0", wrong; build
#     "a tiny number", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet mpmath==1.4.1
venv/bin/python - <<'END'
import mpmath

print("mpmath", mpmath.__version__)
near = mpmath.erfc(mpmath.mpf("1e10"))
try:
    far = mpmath.erfc(mpmath.mpf("1e160"))
except OverflowError as error:
    far = f"OverflowError: {error}"
print("at 1e10:", mpmath.nstr(near, 3), " at 1e160:", far)
still = near > 0 and str(far).startswith("OverflowError")

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
