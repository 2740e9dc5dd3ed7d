"""The entries of convolutions, pooling, padding and resizing in the table of layers, beside plain ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import nn, ops
from tests.shared.nn.entry import Entry, normal, twin


def spatial() -> list[Entry]:
    """What moves windows over sequences, images and volumes, or one of them, and pads or resizes them."""
    line, images, volume, one = normal(3, 4, 9), normal(3, 4, 7, 6), normal(2, 4, 5, 4, 6), normal(4, 7, 6)
    sized = [("N", 4, "H", "W")]

    def put_back(axes: int, x: np.ndarray) -> Entry:
        """A pooling and what undoes it."""

        def calling(layer: Any, x: Any) -> Any:
            pooled, index = getattr(ops, f"max_pool{axes}d")(x, 2, return_indices=True)
            return layer(pooled, index, output_size=x.shape)

        def in_torch(layer: Any, x: Any) -> Any:
            import torch

            pooled, index = getattr(torch.nn.functional, f"max_pool{axes}d")(x, 2, return_indices=True)
            return layer(pooled, index, output_size=x.shape)

        made = twin(getattr(nn, f"MaxUnpool{axes}d"), 2)
        return Entry(**made, inputs=[x], calling=calling, torch_calling=in_torch)

    return [
        Entry(
            **twin(nn.Conv1d, 4, 6, 3, padding="same"), inputs=[normal(4, 9)], unknown=[(4, "L")],
            name="same",
        ),
        Entry(
            **twin(nn.Conv2d, 4, 6, 3, padding="valid"), inputs=[one], unknown=[(4, "H", "W")], name="one"
        ),
        *(
            Entry(**twin(nn.Conv2d, 4, 6, 3, padding=(2, 1), padding_mode=mode), inputs=[images],
                  unknown=sized, name=mode)
            for mode in ("reflect", "replicate", "circular")
        ),
        Entry(**twin(nn.Conv2d, 4, 6, (2, 3), padding="same", padding_mode="reflect"), inputs=[images],
              name="same, reflect"),
        Entry(
            **twin(nn.Conv3d, 4, 6, (2, 3, 2), stride=(1, 2, 1), padding=(1, 0, 1), groups=2),
            inputs=[volume],
        ),
        Entry(
            nn.Conv3d, lambda: nn.Conv3d(None, 2, 2), [volume[0]], unknown=[(4, "D", "H", "W")], name="lazy"
        ),
        Entry(**twin(nn.ConvTranspose1d, 4, 6, 3, dilation=2, output_padding=1), inputs=[line]),
        Entry(
            **twin(nn.ConvTranspose2d, 4, 2, 3, stride=2, padding=1), inputs=[images], name="of a size",
            calling=lambda layer, x: layer(x, output_size=(3, 2, 14, 11)),
        ),
        Entry(
            **twin(nn.ConvTranspose3d, 4, 2, 2, stride=2, padding=(1, 0, 1), output_padding=1, bias=False),
            inputs=[volume],
        ),
        Entry(
            **twin(nn.MaxPool2d, 2, return_indices=True), inputs=[one], unknown=[(4, "H", "W")],
            name="places",
        ),
        Entry(**twin(nn.MaxPool3d, 2, (1, 2, 1), 1, ceil_mode=True), inputs=[volume]),
        *(put_back(axes, x) for axes, x in ((1, line), (2, images), (3, volume))),
        Entry(**twin(nn.AvgPool1d, 3, 2, 1, ceil_mode=True), inputs=[normal(4, 8)], name="one"),
        Entry(**twin(nn.AvgPool2d, 2, divisor_override=3), inputs=[images], unknown=sized, name="divisor"),
        Entry(**twin(nn.AvgPool3d, 2, 1, 1, ceil_mode=True, count_include_pad=False), inputs=[volume]),
        Entry(**twin(nn.LPPool1d, 2, 3), inputs=[line]),
        Entry(**twin(nn.LPPool2d, 2, (3, 2), 2, ceil_mode=True), inputs=[images]),
        Entry(**twin(nn.LPPool3d, 2, 2), inputs=[volume]),
        Entry(**twin(nn.AdaptiveAvgPool1d, 4), inputs=[line]),
        Entry(**twin(nn.AdaptiveAvgPool3d, (2, None, 4)), inputs=[volume]),
        Entry(**twin(nn.AdaptiveMaxPool1d, 4), inputs=[line]),
        Entry(**twin(nn.AdaptiveMaxPool2d, (3, None), return_indices=True), inputs=[images]),
        Entry(**twin(nn.AdaptiveMaxPool3d, 2), inputs=[volume]),
        *(
            Entry(**twin(getattr(nn, f"{kind}Pad{axes}d"), padding), inputs=[x])
            for kind in ("Zero", "Reflection", "Replication", "Circular")
            for axes, padding, x in (
                (1, 2, line), (2, (1, 2, 0, 3), images), (3, (1, 0, 1, 2, 2, 1), volume),
            )
        ),
        Entry(**twin(nn.ConstantPad1d, (2, -1), 0.5), inputs=[normal(4, 9)], unknown=[(4, "L")]),
        Entry(**twin(nn.ConstantPad2d, 1, -2.0), inputs=[images]),
        Entry(**twin(nn.ConstantPad3d, (1, 0, 1, 2, -2, 1), 1.5), inputs=[volume]),
        Entry(**twin(nn.Upsample, scale_factor=2), inputs=[line]),
        Entry(
            **twin(nn.Upsample, size=(4, 9), mode="bicubic", align_corners=True), inputs=[images],
            name="cubic",
        ),
        Entry(**twin(nn.Upsample, scale_factor=1.5, mode="trilinear"), inputs=[volume], name="volumes"),
        Entry(**twin(nn.UpsamplingNearest2d, size=(3, 9)), inputs=[images]),
        Entry(**twin(nn.UpsamplingBilinear2d, scale_factor=2), inputs=[images], unknown=sized),
        Entry(**twin(nn.PixelShuffle, 2), inputs=[images]),
        Entry(**twin(nn.PixelUnshuffle, 2), inputs=[normal(3, 4, 6)]),
        Entry(**twin(nn.ChannelShuffle, 2), inputs=[images]),
        Entry(**twin(nn.Unfold, (3, 2), padding=1, stride=2), inputs=[images]),
        Entry(**twin(nn.Fold, (5, 4), (3, 2)), inputs=[normal(2, 12, 9)]),
    ]  # fmt: skip
