"""Entries of what holds layers, of Transformers, of tables, and of what changes shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import nn, ops
from tests.shared.nn.entry import Entry, normal, rng, twin

STEPS = normal(5, 3, 4)
"""A sequence T N C."""
IDS = np.array([1, 2, 3, 3, 9, 2, 0])
OFFSETS = np.array([0, 2, 2, 5])


def _shapes() -> list[Entry]:
    image = normal(3, 4, 2, 5)
    return [
        Entry(**twin(nn.Flatten, 1, 2), inputs=[image], name="some"),
        Entry(**twin(nn.Unflatten, 1, (2, -1)), inputs=[image]),
        Entry(nn.Lambda, lambda: nn.Lambda(ops.tanh), [image]),
        Entry(**twin(nn.Bilinear, 4, 5, 3), inputs=[normal(6, 4), normal(6, 5)]),
        Entry(
            **twin(nn.Bilinear, 4, 5, 3, bias=False), inputs=[normal(2, 3, 4), normal(2, 3, 5)], name="many"
        ),
    ]  # fmt: skip


def _weighted(module: Any, ids: Any, offsets: Any, weights: Any) -> Any:
    return module(ids, offsets, per_sample_weights=weights)


def _tables() -> list[Entry]:
    rows = np.array([[1, 2, 3], [3, 3, 9]])
    bags = {"inputs": [IDS, OFFSETS], "unknown": [("N",), ("B",)]}
    return [
        Entry(**twin(nn.Embedding, 10, 4, max_norm=1.5), inputs=[rows], name="max_norm"),
        Entry(**twin(nn.Embedding, 10, 4, max_norm=2.0, norm_type=1.0), inputs=[rows], name="norm_type"),
        Entry(**twin(nn.EmbeddingBag, 10, 4), inputs=[rows]),
        *(
            Entry(**twin(nn.EmbeddingBag, 10, 4, mode=mode, padding_idx=3), **bags, name=mode)
            for mode in ("sum", "mean", "max")
        ),
        Entry(
            **twin(nn.EmbeddingBag, 10, 4, mode="sum", include_last_offset=True, max_norm=1.5),
            inputs=[IDS, np.array([0, 2, 2, 7])], unknown=[("N",), ("B",)], name="last",
        ),
        Entry(
            **twin(nn.EmbeddingBag, 10, 4, mode="sum"), inputs=[IDS, OFFSETS, normal(7)],
            unknown=[("N",), ("B",), ("N",)], calling=_weighted, name="weighted",
        ),
    ]  # fmt: skip


def _padded(module: Any, x: Any, padding: Any) -> Any:
    return module(x, src_key_padding_mask=padding)


def _transformers() -> list[Entry]:
    src, tgt = STEPS, normal(4, 3, 4)
    padding = rng.random((3, 5)) < 0.4
    padding[:, 0] = False
    small = {"nhead": 2, "dim_feedforward": 6, "dropout": 0.0}
    over = [("S", "N", 4), ("T", "N", 4)]

    def stacked(t: Any, kind: str) -> Any:
        layer = getattr(t, f"Transformer{kind}Layer")(4, **small, activation="gelu")
        quiet = {"enable_nested_tensor": False} if t is not nn and kind == "Encoder" else {}
        return getattr(t, f"Transformer{kind}")(layer, 2, norm=t.LayerNorm(4), **quiet)

    return [
        Entry(**twin(nn.TransformerEncoderLayer, 4, **small), inputs=[src], unknown=over[:1]),
        Entry(
            **twin(nn.TransformerEncoderLayer, 4, **small, norm_first=True, batch_first=True, bias=False),
            inputs=[normal(3, 5, 4), padding], unknown=[("N", 5, 4), ("N", 5)], calling=_padded,
            name="norm_first",
        ),
        Entry(
            **twin(nn.TransformerEncoderLayer, 4, 2, 6, 0.3), inputs=[src], unknown=over[:1], random=True,
            name="dropout",
        ),
        Entry(**twin(nn.TransformerDecoderLayer, 4, **small), inputs=[tgt, src], unknown=over[::-1]),
        Entry(
            nn.TransformerEncoder, lambda: stacked(nn, "Encoder"), [src, padding],
            unknown=[("S", "N", 4), ("N", "S")], calling=_padded, torch=lambda t: stacked(t, "Encoder"),
        ),
        Entry(
            nn.TransformerDecoder, lambda: stacked(nn, "Decoder"), [tgt, src], unknown=over[::-1],
            torch=lambda t: stacked(t, "Decoder"),
        ),
        Entry(
            **twin(nn.Transformer, 4, 2, 1, 1, 6, 0.0, batch_first=True),
            inputs=[normal(3, 5, 4), normal(3, 4, 4)], unknown=[("N", "S", 4), ("N", "T", 4)],
            calling=lambda module, x, y: module(x, y, tgt_is_causal=True),
            torch_calling=lambda module, x, y: module(
                x, y, tgt_mask=module.generate_square_subsequent_mask(y.shape[1]).to(y.dtype)
            ),
        ),
    ]  # fmt: skip


def stacks() -> list[Entry]:
    """All of them."""
    projected = [
        Entry(
            **twin(nn.LSTM, 4, 6, num_layers=2, bidirectional=True, proj_size=2),
            inputs=[STEPS, normal(4, 3, 2), normal(4, 3, 6)],
            unknown=[(5, "N", 4), (4, "N", 2), (4, "N", 6)],
            calling=lambda module, x, h, c: module(x, (h, c)), name="projected",
        ),
        Entry(
            **twin(nn.LSTM, 4, 6, proj_size=5, bias=False), inputs=[STEPS], unknown=[("T", "N", 4)],
            name="projected unbiased",
        ),
    ]  # fmt: skip
    return [*_shapes(), *_tables(), *_transformers(), *projected]
