"""Cases of pooling, beside those among the awkward ops."""

from __future__ import annotations

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, distinct, integers, normal
from tests.cases.convolution import torch_nn

_hanging = {"stride": 2, "padding": (1, 0), "dilation": (1, 2), "ceil_mode": True}
_overlapping = {"kernel": (3, 2), "stride": (1, 2), "padding": (1, 0), "dilation": (1, 1), "ceil": False}
_taps = integers(2, 4, 2, 2, 5, 2).astype(np.uint8)  # the kernel's middle row, which sees no padding

CASES = [
    Case(
        "max_pool2d", lambda x: ops.max_pool2d(x, (2, 3), return_indices=True, **_hanging),
        [distinct(2, 2, 6, 8)],
        torch=lambda x: torch_nn().max_pool2d(x, (2, 3), return_indices=True, **_hanging),
        unknown=[("n", "c", "h", "w")], name="hanging over, with indices",
    ),
    Case("max_pool2d", lambda x: ops.max_pool2d(x, 17, 1), [distinct(1, 1, 17, 18)],
         torch=lambda x: torch_nn().max_pool2d(x, 17, 1), name="more than 256 to a window"),
    Case("max_pool2d", lambda x: ops.max_pool2d(x, 2, padding=1, return_indices=True),
         [integers(-9, 9, 2, 1, 3, 3)], smooth=False, unknown=[("n", 1, "h", "w")], name="integers"),
    Case("max_pool2d", lambda x: ops.max_pool1d(x, 3, 2, 1, 1, True), [distinct(2, 2, 6)],
         torch=lambda x: torch_nn().max_pool1d(x, 3, 2, 1, 1, True), unknown=[("n", 2, "l")], name="1-d"),
    Case("max_pool2d", lambda x: ops.max_pool1d(x, 2, return_indices=True)[1], [distinct(2, 2, 6)],
         torch=lambda x: torch_nn().max_pool1d(x, 2, return_indices=True)[1], smooth=False,
         unknown=[("n", 2, "l")], name="1-d, with indices"),
    Case("max_pool2d", lambda x: ops.max_pool2d(x, 1), [distinct(0, 2, 3, 3)], name="no images"),
    Case("max_unpool2d", lambda g, t: TABLE["max_unpool2d"](g, t, size=(5, 4), **_overlapping),
         [normal(2, 2, 5, 2), _taps], unknown=[("n", "c", 5, 2), ("n", "c", 5, 2)]),
    Case("max_pick2d", lambda x, t: TABLE["max_pick2d"](x, t, **_overlapping),
         [normal(2, 2, 5, 4), _taps], unknown=[("n", "c", "h", "w"), ("n", "c", "oh", "ow")]),
    Case("tap_index", lambda t: TABLE["tap_index"](t, size=(5, 4), **_overlapping), [_taps], smooth=False,
         unknown=[("n", "c", "h", "w")]),
    Case("sum_pool2d", lambda x: ops.avg_pool2d(x, (2, 3)), [normal(2, 3, 5, 6)],
         torch=lambda x: torch_nn().avg_pool2d(x, (2, 3)), unknown=[("n", "c", "h", "w")]),
    Case("sum_pool2d", lambda x: ops.avg_pool2d(x, (3, 2), 2, 1), [normal(2, 2, 4, 5)],
         torch=lambda x: torch_nn().avg_pool2d(x, (3, 2), 2, 1), unknown=[("n", 2, "h", 5)], name="padded"),
    Case("sum_pool2d", lambda x: ops.avg_pool2d(x, 3, (1, 2), (0, 1), count_include_pad=False),
         [normal(2, 2, 4, 5)], unknown=[("n", 2, "h", "w")],
         torch=lambda x: torch_nn().avg_pool2d(x, 3, (1, 2), (0, 1), count_include_pad=False),
         name="padding left out"),
    Case("sum_pool2d", lambda x: ops.avg_pool2d(x, 2), [integers(-9, 9, 1, 2, 4, 4).astype(np.int8)],
         smooth=False, name="integers"),
    Case("sum_pool2d", lambda x: ops.avg_pool1d(x, 3, 2, 1, False), [normal(2, 2, 6)],
         torch=lambda x: torch_nn().avg_pool1d(x, 3, 2, 1, count_include_pad=False),
         unknown=[("n", 2, "l")], name="1-d"),
    Case("sum_unpool2d",
         lambda g: TABLE["sum_unpool2d"](g, size=(4, 5), kernel=(2, 3), stride=(2, 1), padding=(0, 1)),
         [normal(2, 2, 2, 5)], unknown=[("n", "c", "h", "w")]),
    Case("adaptive_avg_pool2d", lambda x: ops.adaptive_avg_pool2d(x, (3, 2)), [normal(2, 3, 7, 5)],
         torch=lambda x: torch_nn().adaptive_avg_pool2d(x, (3, 2)), unknown=[("n", "c", "h", "w")]),
    Case("adaptive_avg_pool2d", lambda x: ops.adaptive_avg_pool2d(x, (None, 3)), [normal(2, 1, 2, 2)],
         torch=lambda x: torch_nn().adaptive_avg_pool2d(x, (None, 3)), unknown=[("n", 1, "h", "w")],
         name="one size kept, one grown"),
    Case("adaptive_avg_pool2d", lambda x: ops.adaptive_avg_pool2d(x, 1), [integers(-9, 9, 2, 2, 3, 3)],
         smooth=False, unknown=[("n", 2, "h", "w")], name="integers"),
    Case("adaptive_avg_unpool2d", lambda g: TABLE["adaptive_avg_unpool2d"](g, size=(5, 3)),
         [normal(2, 2, 3, 2)], unknown=[("n", "c", "h", "w")]),
]  # fmt: skip
