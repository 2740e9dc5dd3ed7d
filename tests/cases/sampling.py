"""Cases of images in another size, read at places of one's choice, and with channels for pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from tests.cases.case import Case, between, integers, normal
from tests.cases.oracle import torch_op

IMAGE = [("n", 2, "h", "w")]


def _resized(name: str, shape: tuple[int, ...], op: str = "getitem", **settings: Any) -> Case:
    return Case(
        op, lambda x: ops.interpolate(x, **settings), [normal(*shape)],
        torch=torch_op("nn.functional.interpolate", **settings),
        unknown=[("n", 2, *("d", "h", "w")[5 - len(shape) :])], name=f"interpolate, {name}",
    )  # fmt: skip


def _sampled(name: str, shape: tuple[int, ...], **settings: Any) -> Case:
    axes = len(shape) - 2
    return Case(
        "getitem", lambda x, grid: ops.grid_sample(x, grid, **settings),
        [normal(*shape), between(-1.6, 1.6, shape[0], *(3, 2, 2)[:axes], axes)],
        torch=torch_op("nn.functional.grid_sample", **{"align_corners": False, **settings}),
        unknown=[("n", 2, *("d", "h", "w")[3 - axes :]), ("n", *("od", "oh", "ow")[3 - axes :], axes)],
        name=f"grid_sample, {name}",
    )  # fmt: skip


BOXES = np.array([[0, 1.25, 0.3, 4.3, 3.1], [1, -2.0, 1, 9, 5.5], [0, 2, 2, 2.1, 2.1], [1, 4, 3, 3, 2]])


def _region(name: str, *settings: Any, op: str = "getitem") -> Case:
    return Case(
        op, lambda x, boxes: ops.roi_align(x, boxes, (2, 3), *settings), [normal(2, 2, 4, 6), BOXES],
        unknown=[*IMAGE, ("k", 5)], smooth=False, name=f"roi_align, {name}",
    )  # fmt: skip


CASES = [
    _resized("nearest", (1, 2, 3, 5), size=(5, 4)),
    _resized("nearest, a factor", (1, 2, 4), scale_factor=2.5),
    _resized("nearest-exact", (1, 2, 2, 3, 5), size=(3, 5, 2), mode="nearest-exact"),
    _resized("linear", (1, 2, 5), size=3, mode="linear"),
    _resized("bilinear, a factor", (1, 2, 3, 4), scale_factor=(1.5, 0.5), mode="bilinear"),
    _resized("bilinear, corners", (1, 2, 3, 4), size=(5, 1), mode="bilinear", align_corners=True),
    _resized("trilinear", (1, 2, 2, 3, 2), size=(3, 2, 4), mode="trilinear"),
    _resized("bicubic", (1, 2, 3, 4), size=(5, 3), mode="bicubic"),
    _resized("bicubic, corners", (1, 2, 3, 4), size=(2, 6), mode="bicubic", align_corners=True),
    _resized("area", (1, 2, 5, 4), "adaptive_avg_pool2d", size=(3, 2), mode="area"),
    _resized("smoothed", (1, 2, 6, 3), "matmul", size=(2, 5), mode="bilinear", antialias=True),
    _resized("cubic, smoothed", (1, 2, 6, 4), "matmul", scale_factor=0.5, mode="bicubic", antialias=True),
    Case("getitem", lambda x: ops.interpolate(x, scale_factor=2), [integers(0, 9, 1, 2, 2, 3)], smooth=False,
         unknown=IMAGE, name="interpolate, integers"),
    _sampled("bilinear", (2, 2, 3, 4)),
    _sampled("border", (1, 2, 3, 4), padding_mode="border", align_corners=True),
    _sampled("reflection", (1, 2, 3, 4), padding_mode="reflection"),
    _sampled("nearest", (1, 2, 3, 4), mode="nearest", padding_mode="reflection", align_corners=True),
    _sampled("bicubic", (1, 2, 3, 4), mode="bicubic"),
    _sampled("bicubic, border", (1, 2, 3, 4), mode="bicubic", padding_mode="border"),
    _sampled("volumes", (1, 2, 2, 3, 2), padding_mode="zeros"),
    Case("getitem", lambda theta: ops.affine_grid(theta, (2, 3, 4, 1)), [normal(2, 2, 3)],
         torch=torch_op("nn.functional.affine_grid", size=(2, 3, 4, 1), align_corners=False),
         unknown=[("n", 2, 3)], name="affine_grid"),
    Case("getitem", lambda theta: ops.affine_grid(theta, (1, 3, 2, 3, 4), align_corners=True),
         [normal(1, 3, 4)],
         torch=torch_op("nn.functional.affine_grid", size=(1, 3, 2, 3, 4), align_corners=True),
         unknown=[("n", 3, 4)], name="affine_grid, volumes"),
    _region("as many samples as pixels", op="up_to"),
    _region("two samples", 0.5, 2, True),
    Case("up_to", lambda x, boxes: ops.roi_align(x, boxes, 2), [normal(1, 2, 3, 3), np.zeros((0, 5))],
         unknown=[*IMAGE, ("k", 5)], name="roi_align, no boxes"),
    Case("transpose", lambda x: ops.pixel_shuffle(x, 2), [normal(2, 8, 2, 3)],
         torch=torch_op("nn.functional.pixel_shuffle", upscale_factor=2), unknown=[("n", 8, "h", "w")],
         name="pixel_shuffle"),
    Case("transpose", lambda x: ops.pixel_unshuffle(x, 2), [normal(2, 4, 6)],
         torch=torch_op("nn.functional.pixel_unshuffle", downscale_factor=2), unknown=[("n", 4, "w")],
         name="pixel_unshuffle"),
    Case("transpose", lambda x: ops.channel_shuffle(x, 3), [normal(2, 6, 2)],
         torch=torch_op("nn.functional.channel_shuffle", groups=3), unknown=[("n", 6, "l")],
         name="channel_shuffle"),
]  # fmt: skip
