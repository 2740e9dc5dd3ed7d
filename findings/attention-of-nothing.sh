#!/bin/sh
# A row that may attend to nothing is zeros or NaN by whether weights are asked for.
#
# One would guess: softmax of nothing but -inf is NaN, so NaN whichever way attention is computed.
# What happens: scaled_dot_product_attention gives zeros, for a mask of bools and for one of -inf;
#     MultiheadAttention gives NaN with need_weights=True, which is its default, and zeros (before its last
#     bias) without.
# Who is hurt: whoever has padded sequences of length 0 in a batch, and switches weights on to look why.
# Bears on: tests/shared/ops/test_ops_neural.py::test_a_query_that_may_see_nothing_attends_to_nothing, and
#     nn.MultiheadAttention in tests/shared/ops/test_beside_others.py::test_attention_to_nothing.
# Guessed before the run (guesses.md, 60): reflex "NaN and NaN", wrong; manual "NaN and NaN", wrong; build
#     "NaN and NaN", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch

print("PyTorch", torch.__version__)
q, kv = torch.ones(1, 1, 1, 4), torch.ones(1, 1, 3, 4)
mask = torch.zeros(1, 3, dtype=torch.bool)
attend = torch.nn.functional.scaled_dot_product_attention
by_bools = attend(q, kv, kv, attn_mask=mask)
by_infinity = attend(q, kv, kv, attn_mask=torch.full((1, 3), -torch.inf))
layer, x = torch.nn.MultiheadAttention(4, 1, bias=False, batch_first=True), torch.ones(1, 3, 4)
asked, unasked = (
    layer(x, x, x, key_padding_mask=torch.ones(1, 3, dtype=torch.bool), need_weights=weights)[0]
    for weights in (True, False)
)
print("function:", by_bools[0, 0, 0, 0].item(), by_infinity[0, 0, 0, 0].item())
print("layer, weights asked for:", asked[0, 0, 0].item(), " not asked for:", unasked[0, 0, 0].item())
still = (by_bools == 0).all() and (by_infinity == 0).all() and asked.isnan().all() and (unasked == 0).all()

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
