"""Cases of convolution and of what it stands on: im2col and col2im."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, integers, normal


def torch_nn() -> Any:
    """torch.nn.functional, imported only where a law asks for it."""
    import torch

    return torch.nn.functional


_wide = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}
_deep = {"stride": (2, 2, 1), "padding": (1, 0, 1), "dilation": (1, 1, 2)}
_beyond = {"stride": 2, "padding": 1, "dilation": 3, "output_padding": 2}
_table = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2)}

CASES = [
    Case("conv2d", lambda x, w: ops.conv2d(x, w), [normal(2, 3, 5, 4), normal(4, 3, 3, 2)],
         torch=lambda x, w: torch_nn().conv2d(x, w),
         unknown=[("n", "c", "h", "w"), ("o", "c", 3, 2)]),
    Case(
        "conv2d", lambda x, w, b: ops.conv2d(x, w, b, groups=2, **_wide),
        [normal(2, 4, 6, 5), normal(6, 2, 3, 2), normal(6)],
        torch=lambda x, w, b: torch_nn().conv2d(x, w, b, groups=2, **_wide),
        unknown=[("n", 4, "h", "w"), (6, 2, 3, 2), (6,)], name="every setting",
    ),
    Case("conv2d", lambda x, w, b: ops.conv2d(x, w, b, padding=1, groups=3),
         [normal(1, 3, 4, 4), normal(3, 1, 3, 3), normal(3)],
         torch=lambda x, w, b: torch_nn().conv2d(x, w, b, padding=1, groups=3),
         unknown=[("n", 3, 4, "w"), ("o", 1, "k", "l"), ("o",)], name="by channel, kernel unknown"),
    Case("conv2d", lambda x, w: ops.conv2d(x, w), [normal(0, 2, 3, 3), normal(2, 2, 1, 1)],
         torch=lambda x, w: torch_nn().conv2d(x, w), name="no images"),
    Case("conv2d", lambda x, w: ops.conv2d(x, w, padding=1),
         [integers(-4, 5, 2, 1, 3, 3), integers(-4, 5, 2, 1, 2, 2)],
         torch=lambda x, w: torch_nn().conv2d(x, w, padding=1), smooth=False, name="integers"),
    Case("conv2d_input", lambda g, w: TABLE["conv2d_input"](g, w, size=(5, 4), groups=2, **_table),
         [normal(2, 4, 3, 2), normal(4, 2, 3, 2)], unknown=[("n", 4, 3, 2), (4, 2, 3, 2)]),
    Case("conv2d_weight", lambda x, g: TABLE["conv2d_weight"](x, g, kernel=(3, 2), groups=2, **_table),
         [normal(2, 4, 5, 4), normal(2, 4, 3, 2)], unknown=[("n", 4, "h", "w"), ("n", 4, "oh", "ow")]),
    Case("conv2d", lambda x, w, b: ops.conv1d(x, w, b, stride=2, padding=1, dilation=2, groups=2),
         [normal(2, 4, 7), normal(2, 2, 3), normal(2)],
         torch=lambda x, w, b: torch_nn().conv1d(x, w, b, stride=2, padding=1, dilation=2, groups=2),
         unknown=[("n", 4, "l"), (2, 2, 3), (2,)], name="1-d"),
    Case("conv2d_input", lambda x, w: ops.conv_transpose2d(x, w), [normal(2, 3, 2, 3), normal(3, 2, 2, 3)],
         torch=lambda x, w: torch_nn().conv_transpose2d(x, w),
         unknown=[("n", "c", "h", "w"), ("c", "o", 2, 3)], name="transposed"),
    Case(
        "conv2d_input",
        lambda x, w, b: ops.conv_transpose2d(
            x, w, b, stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2, dilation=(1, 2)
        ),
        [normal(2, 4, 3, 2), normal(4, 1, 3, 2), normal(2)],
        torch=lambda x, w, b: torch_nn().conv_transpose2d(
            x, w, b, stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2, dilation=(1, 2)
        ),
        unknown=[("n", 4, "h", "w"), (4, 1, 3, 2), (2,)], name="transposed, every setting",
    ),
    Case("conv2d", lambda x, w: ops.conv2d(x, w, padding="same", dilation=(1, 3)),
         [normal(2, 3, 5, 4), normal(2, 3, 3, 2)],
         torch=lambda x, w: torch_nn().conv2d(torch_nn().pad(x, (1, 2, 1, 1)), w, dilation=(1, 3)),
         unknown=[("n", 3, "h", "w"), (2, 3, "k", 2)], name="same"),
    Case("conv2d", lambda x, w: ops.conv2d(x, w, stride=2, padding="same"),
         [normal(1, 2, 5, 4), normal(2, 2, 3, 3)], unknown=[("n", 2, "h", "w"), (2, 2, 3, 3)],
         name="same, of a stride"),
    Case("conv2d", lambda x, w: ops.conv2d(x, w, padding=((2, 0), 1)),
         [normal(1, 2, 4, 3), normal(2, 2, 3, 2)],
         torch=lambda x, w: torch_nn().conv2d(torch_nn().pad(x, (1, 1, 2, 0)), w),
         unknown=[("n", 2, "h", "w"), (2, 2, 3, 2)], name="ends padded apart"),
    Case("conv2d", lambda x, w, b: ops.conv2d(x, w, b), [normal(2, 4, 3), normal(3, 2, 2, 2), normal(3)],
         torch=lambda x, w, b: torch_nn().conv2d(x, w, b), unknown=[(2, "h", "w"), (3, 2, 2, 2), (3,)],
         name="one image"),
    Case(
        "conv2d", lambda x, w, b: ops.conv3d(x, w, b, groups=2, **_deep),
        [normal(2, 4, 4, 3, 4), normal(4, 2, 3, 2, 2), normal(4)],
        torch=lambda x, w, b: torch_nn().conv3d(x, w, b, groups=2, **_deep),
        unknown=[("n", 4, "d", "h", "w"), (4, 2, "k", 2, 2), (4,)], name="3-d",
    ),
    Case("conv2d", lambda x, w: ops.conv3d(x, w, padding="same"),
         [normal(1, 2, 3, 2, 3), normal(2, 2, 2, 1, 3)],
         torch=lambda x, w: torch_nn().conv3d(torch_nn().pad(x, (1, 1, 0, 0, 0, 1)), w),
         unknown=[("n", 2, "d", "h", "w"), (2, 2, 2, 1, 3)], name="3-d, same"),
    Case(
        "conv2d_input", lambda x, w, b: ops.conv_transpose1d(x, w, b, **_beyond),
        [normal(2, 2, 3), normal(2, 3, 2), normal(3)],
        torch=lambda x, w, b: torch_nn().conv_transpose1d(x, w, b, **_beyond),
        unknown=[("n", 2, "l"), (2, 3, "k"), (3,)], name="transposed, 1-d, beyond the stride",
    ),
    Case(
        "conv2d_input", lambda x, w, b: ops.conv_transpose3d(x, w, b, groups=2, output_padding=1, **_deep),
        [normal(1, 4, 2, 3, 2), normal(4, 2, 3, 2, 2), normal(4)],
        torch=lambda x, w, b: torch_nn().conv_transpose3d(x, w, b, groups=2, output_padding=1, **_deep),
        unknown=[("n", 4, "d", "h", "w"), (4, 2, "k", 2, 2), (4,)], name="transposed, 3-d",
    ),
    Case("im2col", lambda x: ops.im2col(x, (2, 3), dilation=(2, 1), padding=(1, 0), stride=(1, 2)),
         [normal(2, 3, 4, 5)],
         torch=lambda x: torch_nn().unfold(x, (2, 3), dilation=(2, 1), padding=(1, 0), stride=(1, 2)),
         unknown=[("n", "c", "h", "w")]),
    Case("im2col", lambda x: ops.im2col(x, 2), [integers(0, 9, 1, 2, 3, 3)], smooth=False,
         unknown=[("n", 2, 3, "w")], name="integers"),
    Case(
        "col2im", lambda x: ops.col2im(x, (4, 5), (2, 3), dilation=(2, 1), padding=(1, 0), stride=(1, 2)),
        [normal(2, 18, 8)],
        torch=lambda x: torch_nn().fold(x, (4, 5), (2, 3), dilation=(2, 1), padding=(1, 0), stride=(1, 2)),
        unknown=[("n", "rows", "places")],
    ),
]  # fmt: skip
