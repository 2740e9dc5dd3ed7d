"""Every layer, with inputs to call it on: what the laws of the layers run over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared import nn
from tests.shared.nn.entry import Entry, normal, rng, twin
from tests.shared.nn.losses import losses
from tests.shared.nn.spatial import spatial
from tests.shared.nn.stacks import stacks


def _simple(layer: type, *args: Any, **kwargs: Any) -> Entry:
    """An activation: as PyTorch's of the same name."""
    torch_kwargs = {{"axis": "dim"}.get(key, key): value for key, value in kwargs.items()}
    return Entry(
        layer, lambda: layer(*args, **kwargs), [normal(3, 5)],
        torch=lambda t: getattr(t, layer.__name__)(*args, **torch_kwargs),
    )  # fmt: skip


IMAGES = normal(3, 4, 7, 6)
VOLUMES = normal(2, 4, 3, 2, 3)
STEPS = normal(5, 3, 4)
"""A sequence T N C."""
OVER_BATCH = [(5, "N", 4)]
LENGTHS = np.array([5, 2, 3])


def _packed(module: Any, x: Any, lengths: Any) -> Any:
    """A PyTorch layer over sequences of these lengths."""
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    y, state = module(pack_padded_sequence(x, lengths, enforce_sorted=False))
    return pad_packed_sequence(y)[0], state


def _started(layer: type) -> tuple[int, Callable[..., Any]]:
    """How many states there are to start from, and how a layer is called with them."""
    if layer in (nn.LSTM, nn.LSTMCell):
        return 2, lambda module, x, h, c: module(x, (h, c))
    return 1, lambda module, x, h: module(x, h)


def _recurrent(layer: type) -> list[Entry]:
    states, calling = _started(layer)
    return [
        Entry(**twin(layer, 4, 6), inputs=[STEPS], unknown=OVER_BATCH),
        Entry(
            **twin(layer, 4, 6, num_layers=2, bidirectional=True, batch_first=True),
            inputs=[normal(3, 5, 4)], name="deep",
        ),
        Entry(**twin(layer, 4, 6, bias=False), inputs=[normal(5, 4)], unknown=[(5, 4)], name="one"),
        Entry(
            **twin(layer, 4, 6, bidirectional=True), calling=calling,
            inputs=[STEPS, *(normal(2, 3, 6) for _ in range(states))],
            unknown=[*OVER_BATCH, *[(2, "N", 6)] * states], name="started",
        ),
        Entry(
            **twin(layer, 4, 6, num_layers=2, bidirectional=True), inputs=[STEPS, LENGTHS],
            unknown=[*OVER_BATCH, ("N",)], calling=lambda module, x, n: module(x, lengths=n),
            torch_calling=_packed, name="lengths",
        ),
        Entry(
            **twin(layer, 4, 6, num_layers=3, dropout=0.4), inputs=[STEPS], unknown=OVER_BATCH,
            random=True, name="dropout",
        ),
    ]  # fmt: skip


def _cell(layer: type) -> list[Entry]:
    states, calling = _started(layer)
    start = [normal(3, 6) for _ in range(states)]
    return [
        Entry(**twin(layer, 4, 6), inputs=[normal(3, 4)]),
        Entry(**twin(layer, 4, 6), inputs=[normal(3, 4), *start], calling=calling, name="started"),
    ]


def _norms() -> list[Entry]:
    flat_x, image = normal(6, 4), IMAGES
    return [
        Entry(**twin(nn.BatchNorm1d, 4), inputs=[flat_x]),
        Entry(**twin(nn.BatchNorm1d, 4, momentum=None), inputs=[normal(3, 4, 5)], name="mean"),
        Entry(**twin(nn.BatchNorm2d, 4, eps=1e-3, momentum=0.3), inputs=[image]),
        Entry(**twin(nn.BatchNorm2d, 4, affine=False), inputs=[image], name="plain"),
        Entry(**twin(nn.BatchNorm2d, 4, track_running_stats=False), inputs=[image], name="untracked"),
        Entry(**twin(nn.LayerNorm, 4), inputs=[normal(2, 3, 4)]),
        Entry(**twin(nn.LayerNorm, (3, 4), bias=False), inputs=[normal(2, 3, 4)], name="axes"),
        Entry(**twin(nn.LayerNorm, 4, elementwise_affine=False), inputs=[flat_x], name="plain"),
        Entry(**twin(nn.BatchNorm3d, 4), inputs=[VOLUMES]),
        Entry(**twin(nn.GroupNorm, 2, 4), inputs=[image]),
        Entry(**twin(nn.GroupNorm, 4, 4, affine=False, eps=1e-3), inputs=[normal(3, 4, 5)], name="plain"),
        Entry(**twin(nn.InstanceNorm1d, 4), inputs=[normal(3, 4, 5)]),
        Entry(
            **twin(nn.InstanceNorm1d, 4, affine=True, track_running_stats=True), inputs=[normal(4, 5)],
            unknown=[(4, "T")], name="one",
        ),
        Entry(
            **twin(nn.InstanceNorm2d, 4, momentum=0.3, affine=True, track_running_stats=True), inputs=[image]
        ),
        Entry(**twin(nn.InstanceNorm3d, 4, eps=1e-3), inputs=[VOLUMES]),
        Entry(**twin(nn.RMSNorm, 4), inputs=[normal(2, 3, 4)]),
        Entry(
            **twin(nn.RMSNorm, (3, 4), 1e-3, elementwise_affine=False), inputs=[normal(2, 3, 4)],
            name="plain",
        ),
        Entry(**twin(nn.LocalResponseNorm, 3, 0.5, 0.7, 2.0), inputs=[image]),
    ]  # fmt: skip


BEFORE = np.where(np.tri(3, dtype=bool), 0.25, -np.inf)
"""What lets each place look at itself and at what stands before it, as floats to add."""


def _both_masks(module: Any, x: Any, y: Any, padding: Any, before: Any = BEFORE) -> Any:
    masks = {"key_padding_mask": padding, "attn_mask": before}
    return module(x, x, y, **masks, average_attn_weights=False)


def _both_masks_in_torch(module: Any, x: Any, y: Any, padding: Any) -> Any:
    """PyTorch wants masks of one kind."""
    import torch

    added = torch.zeros(padding.shape, dtype=torch.float64).masked_fill(padding, -np.inf)
    return _both_masks(module, x, y, added, torch.tensor(BEFORE))


def _causal_alone(module: Any, x: Any, y: Any) -> Any:
    return module(x, y, y, is_causal=True)


def _causal_alone_in_torch(module: Any, x: Any, y: Any) -> Any:
    """PyTorch wants the mask as well."""
    import torch

    return module(x, y, y, attn_mask=torch.ones(len(x), len(y), dtype=torch.bool).triu(1))


def _attention() -> list[Entry]:
    query, key = normal(4, 3, 8), normal(5, 3, 8)
    mask = rng.random((3, 5)) < 0.4
    mask[0] = mask[:, 0] = False
    return [
        Entry(
            **twin(nn.MultiheadAttention, 8, 2), inputs=[query, key, key + 1],
            unknown=[("L", "N", 8), ("S", "N", 8), ("S", "N", 8)],
        ),
        Entry(
            **twin(nn.MultiheadAttention, 8, 2, bias=False), inputs=[query, key, key, mask],
            unknown=[("L", "N", 8), ("S", "N", 8), ("S", "N", 8), ("N", "S")],
            calling=lambda m, q, k, v, mask: m(q, k, v, key_padding_mask=mask), name="masked",
        ),
        Entry(
            **twin(nn.MultiheadAttention, 8, 2, batch_first=True), inputs=[query, query + 1, mask[:, :4].T],
            unknown=[("N", 3, 8), ("N", 3, 8), ("N", 3)], calling=_both_masks,
            torch_calling=_both_masks_in_torch, name="both masks",
        ),
        Entry(
            **twin(nn.MultiheadAttention, 8, 2, dropout=0.3), inputs=[query, key, key],
            unknown=[("L", "N", 8), ("S", "N", 8), ("S", "N", 8)], random=True, name="dropout",
        ),
        Entry(
            **twin(nn.MultiheadAttention, 8, 2, kdim=6, vdim=5, add_bias_kv=True, add_zero_attn=True),
            inputs=[query, normal(5, 3, 6), normal(5, 3, 5), mask],
            unknown=[("L", "N", 8), ("S", "N", 6), ("S", "N", 5), ("N", "S")],
            calling=lambda m, q, k, v, mask: m(q, k, v, key_padding_mask=mask), name="other sizes",
        ),
        Entry(
            **twin(nn.MultiheadAttention, 8, 2, add_bias_kv=True, bias=False),
            inputs=[normal(4, 8), normal(4, 8)], unknown=[("L", 8), ("L", 8)], calling=_causal_alone,
            torch_calling=_causal_alone_in_torch, name="without a batch",
        ),
    ]  # fmt: skip


LAYERS: list[Entry] = [
    Entry(**twin(nn.Linear, 5, 7), inputs=[normal(3, 5)]),
    Entry(**twin(nn.Linear, 5, 7, bias=False), inputs=[normal(2, 3, 5)], name="many"),
    Entry(nn.Linear, lambda: nn.Linear(7), [normal(3, 5)], name="lazy"),
    Entry(**twin(nn.Conv1d, 4, 6, 3, stride=2, padding=1), inputs=[normal(3, 4, 9)]),
    Entry(**twin(nn.Conv2d, 4, 6, (3, 2), stride=2, padding=1), inputs=[IMAGES]),
    Entry(**twin(nn.Conv2d, 4, 6, 3, dilation=2, groups=2, bias=False), inputs=[IMAGES], name="groups"),
    Entry(nn.Conv2d, lambda: nn.Conv2d(None, 6, 3), [IMAGES], name="lazy"),
    Entry(
        **twin(nn.ConvTranspose2d, 4, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
        inputs=[IMAGES],
    ),
    Entry(**twin(nn.MaxPool2d, 3, 2, 1), inputs=[IMAGES]),
    Entry(**twin(nn.MaxPool2d, 2, dilation=2, ceil_mode=True), inputs=[IMAGES], name="ceil"),
    Entry(**twin(nn.MaxPool1d, 3, 2, 1), inputs=[normal(3, 4, 9)]),
    Entry(**twin(nn.AvgPool1d, 3, 2, 1), inputs=[normal(3, 4, 9)]),
    Entry(**twin(nn.AvgPool2d, 2, 1, 1, count_include_pad=False), inputs=[IMAGES]),
    Entry(**twin(nn.AdaptiveAvgPool2d, (3, 2)), inputs=[IMAGES]),
    Entry(
        **twin(nn.Embedding, 10, 4, padding_idx=2),
        inputs=[np.array([[1, 2, 3], [3, 3, 9]])],
    ),
    *(
        Entry(**twin(layer, 0.4), inputs=[x], random=True)
        for layer, x in (
            (nn.Dropout, normal(6, 5)), (nn.Dropout1d, normal(6, 5, 2)), (nn.Dropout2d, IMAGES),
            (nn.Dropout3d, VOLUMES), (nn.AlphaDropout, normal(6, 5)),
        )
    ),
    Entry(**twin(nn.RReLU, 0.2, 0.4), inputs=[normal(6, 5)], random=True),
    Entry(**twin(nn.Flatten), inputs=[IMAGES]),
    Entry(**twin(nn.Identity), inputs=[normal(3, 5)]),
    *spatial(),
    *_norms(),
    *(entry for layer in (nn.RNN, nn.LSTM, nn.GRU) for entry in _recurrent(layer)),
    Entry(**twin(nn.RNN, 4, 6, nonlinearity="relu"), inputs=[STEPS], unknown=OVER_BATCH, name="relu"),
    *(entry for layer in (nn.RNNCell, nn.LSTMCell, nn.GRUCell) for entry in _cell(layer)),
    *_attention(),
    *losses(),
    *stacks(),
    *(
        _simple(layer)
        for layer in (
            nn.ReLU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Softplus, nn.Mish, nn.SELU,
            nn.Softsign, nn.Tanhshrink, nn.Hardtanh, nn.ReLU6, nn.Hardswish, nn.Hardshrink, nn.Softshrink,
            nn.PReLU,
        )
    ),
    Entry(  # PyTorch's own gradient is a sixth in single precision
        **twin(nn.Hardsigmoid), inputs=[normal(3, 5) * 4],
        torch_calling=lambda module, x: (x + 3).clamp(0, 6) / 6,
    ),
    Entry(**twin(nn.PReLU, 4, 0.1), inputs=[IMAGES], name="channels"),
    Entry(**twin(nn.Softmax2d), inputs=[IMAGES]),
    _simple(nn.CELU, 1.5),
    Entry(**twin(nn.Softplus, 2.0, 0.5), inputs=[normal(3, 5)], name="settings"),
    _simple(nn.Threshold, 0.1, -2.0),
    Entry(nn.GLU, lambda: nn.GLU(1), [IMAGES], torch=lambda t: t.GLU(1)),
    _simple(nn.Softmin, axis=1),
    Entry(**twin(nn.GELU, approximate="tanh"), inputs=[normal(3, 5)], name="tanh"),
    _simple(nn.LeakyReLU, 0.2),
    _simple(nn.ELU, 1.5),
    _simple(nn.Softmax, axis=0),
    _simple(nn.LogSoftmax, axis=1),
    Entry(
        nn.Sequential, lambda: nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)), [normal(3, 5)],
        torch=lambda t: t.Sequential(t.Linear(5, 4), t.Tanh(), t.Linear(4, 2)),
    ),
]  # fmt: skip
