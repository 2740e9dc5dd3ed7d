"""Cases for what moves, joins, cuts and repeats elements."""

from __future__ import annotations

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, integers, normal
from tests.cases.oracle import torch_op

_ABC = [("a", "b", "c")]

def _pads() -> list[Case]:
    """An image that goes on by itself, one end cropped."""
    ends = ((0, 0), (0, 0), (2, 1), (-1, 3))
    return [
        Case("extend", lambda x, mode=mode: ops.pad(x, ends, mode), [normal(1, 2, 3, 5)],
             torch=torch_op("nn.functional.pad", pad=(-1, 3, 2, 1), mode=mode),
             unknown=[("n", 2, "h", "w")], name=mode)
        for mode in ("reflect", "replicate", "circular")
    ]  # fmt: skip


CASES = [
    Case("reshape", lambda x: ops.reshape(x, (x.shape[0], -1)) * 2, [normal(2, 3, 4)],
         torch=lambda x: x.reshape(2, -1) * 2, unknown=_ABC),
    Case("reshape", lambda x: ops.flatten(ops.transpose(x), 1), [normal(2, 3, 4)], unknown=_ABC,
         torch=lambda x: x.permute(2, 1, 0).flatten(1), name="flatten, transposed"),
    Case("reshape", lambda x: ops.reshape(x, -1), [normal()], unknown=[()], name="one number"),
    Case("reshape", lambda x: ops.reshape(x, (3, 0)), [normal(0, 2)], unknown=[(0, 2)], name="nothing"),
    Case("reshape", lambda x: ops.squeeze(ops.expand_dims(x, (0, -1)), 0), [normal(2, 3)],
         torch=lambda x: x[..., None], unknown=[("a", "b")], name="expand_dims and squeeze"),
    Case("reshape", lambda x: ops.squeeze(x), [normal(2, 1, 3, 1)], torch=torch_op("squeeze"),
         unknown=[(2, 1, 3, 1)], name="squeeze all"),
    Case("reshape", lambda x: ops.reshape(x, (4, 1)), [integers(0, 9, 2, 2)], smooth=False, name="integers"),
    Case("transpose", ops.transpose, [normal(2, 3, 4)], torch=lambda x: x.permute(2, 1, 0), unknown=_ABC),
    Case("transpose", lambda x: ops.permute(x, (1, -1, 0)) * 2, [normal(2, 3, 4)], unknown=_ABC,
         torch=lambda x: x.permute(1, 2, 0) * 2, name="in another order"),
    Case("transpose", lambda x: ops.swapaxes(x, 0, -1) * x.shape[1], [normal(2, 3, 4)], unknown=_ABC,
         torch=lambda x: x.swapaxes(0, -1) * 3, name="two axes"),
    Case("transpose", ops.transpose, [normal()], unknown=[()], name="one number"),
    Case("flip", ops.flip, [normal(2, 3)], torch=torch_op("flip", dims=(0, 1)), unknown=[("a", "b")]),
    Case("flip", lambda x: ops.flip(x, (-1, 0)) * 2, [normal(2, 3, 4)], unknown=_ABC,
         torch=lambda x: x.flip(0, 2) * 2, name="two axes"),
    Case("broadcast_to", lambda x: ops.broadcast_to(x, (2, 3, 4)) * 2, [normal(3, 1)],
         torch=lambda x: x.broadcast_to(2, 3, 4) * 2, unknown=[("a", 1)]),
    Case("broadcast_to", lambda x: ops.broadcast_to(x, (50, 100)) * 2, [normal(100)],
         torch=lambda x: x.broadcast_to(50, 100) * 2, unknown=[(100,)], name="a large view"),
    Case("broadcast_to", lambda x, y: ops.broadcast_to(x, y.shape), [normal(1), normal(2, 3)],
         unknown=[(1,), ("a", "b")], name="to another's shape"),
    Case("sum_to", lambda x: ops.sum_to(x, (3, 1)), [normal(2, 3, 4)], unknown=[("a", 3, "c")],
         torch=lambda x: x.sum((0, 2))[:, None]),
    Case("sum_to", lambda x: ops.sum_to(x, x.shape[1:]), [normal(2, 3)], unknown=[("a", "b")],
         name="no axis kept"),
    Case("sized", lambda x: TABLE["sized"](x, shape=tuple(x.shape), call="squeeze") * 2, [normal(2, 3)],
         torch=lambda x: x * 2, unknown=[("a", "b")]),
    Case("sum_to", lambda x: TABLE["sum_to"](x, shape=(3,)), [normal(3)], unknown=[(3,)],
         name="nothing to sum"),
    # joining and cutting
    Case("concatenate", lambda a, b: ops.concatenate([a, b], -1), [normal(2, 3), integers(0, 9, 2, 1)],
         unknown=[("n", "a"), ("n", "b")], name="float and int"),
    Case("concatenate", lambda a: ops.concatenate([a, a, ops.flip(a)]), [normal(2, 3)], unknown=[("n", 3)],
         torch=lambda a: torch_op("cat")([a, a, a.flip(0, 1)]), name="one thing twice"),
    Case("concatenate", lambda a: ops.concatenate([ops.transpose(a)], 0), [normal(2, 3)],
         unknown=[("n", "m")],
         name="one, transposed"),
    Case("stack", lambda a, b: ops.stack([a, b], -2), [normal(2, 3), normal(2, 3)], unknown=[("n", "m")] * 2,
         torch=lambda a, b: torch_op("stack")([a, b], -2)),
    Case("stack", lambda a, b: ops.stack([ops.transpose(a), b, 2 * b]), [normal(3, 2), integers(0, 9, 2, 3)],
         unknown=[("m", "n"), ("n", "m")], name="transposed, float and int"),
    Case("stack", lambda a, b: ops.stack([a, b]), [normal(), normal()], unknown=[(), ()], name="numbers"),
    Case("split", lambda x: ops.split(x, [0, 2])[1], [normal(2, 3)], unknown=[(2, "b")],
         name="an empty part"),
    Case("split", lambda x: ops.split(x, 1, 1), [integers(0, 9, 2, 3)], smooth=False, unknown=[("a", "b")],
         name="integers"),
    Case("unbind", lambda x: ops.unbind(x, -2), [normal(2, 3, 4)], torch=torch_op("unbind", dim=-2),
         unknown=[("a", 3, "c")]),
    Case("unbind", lambda x: ops.unbind(ops.transpose(x))[1], [normal(2, 3)], torch=lambda x: x.T[1],
         unknown=[("a", 3)], name="one slice used"),
    # larger
    Case("pad", lambda x: ops.pad(x, ((1, 0), (2, 3)), value=-1.5), [normal(2, 3)], unknown=[("a", "b")],
         torch=torch_op("nn.functional.pad", pad=(2, 3, 1, 0), value=-1.5)),
    Case("pad", lambda x: ops.pad(ops.transpose(x), 1), [normal(2, 3)], unknown=[("a", "b")],
         name="all round"),
    *_pads(),
    Case("crop", lambda x: ops.pad(x, ((-1, 2), (0, -2)), value=0.5), [normal(3, 4)], unknown=[("a", "b")],
         torch=torch_op("nn.functional.pad", pad=(0, -2, -1, 2), value=0.5), name="and pad"),
    Case("extend", lambda x: ops.pad(x, ((9, 0), (0, 7)), "reflect"), [normal(3, 1)], unknown=[("a", "b")],
         composed=lambda x: np.pad(x, ((9, 0), (0, 7)), "reflect"), name="again and again"),
    Case("extend", lambda x: ops.pad(x, (4, 5), "wrap"), [integers(0, 9, 3)], smooth=False, unknown=[("a",)],
         composed=lambda x: np.pad(x, (4, 5), "wrap"), name="integers"),
    Case("draw_in", lambda g: TABLE["draw_in"](g, widths=((0, 0), (2, 1)), mode="wrap"), [normal(2, 6)],
         unknown=[("a", "b")]),
    Case("pad", lambda x: ops.pad(x, (0, 2)), [integers(0, 9, 3)], smooth=False, name="integers"),
    Case("crop", lambda x: TABLE["crop"](x, widths=((1, 0), (0, 2))) * 2, [normal(3, 4)],
         unknown=[("a", "b")]),
    Case("broadcast_to", lambda x: ops.tile(x, (2, 1, 3)), [normal(2, 3)],
         torch=torch_op("tile", dims=(2, 1, 3)),
         unknown=[("a", "b")], name="tile"),
    Case("broadcast_to", lambda x: ops.tile(x, x.shape[0]), [normal(2, 3)], torch=torch_op("tile", dims=(2,)),
         unknown=[("a", "b")], name="tile as often as a size says"),
    Case("broadcast_to", lambda x: ops.tile(x, 2), [normal(2, 3)], torch=torch_op("tile", dims=(2,)),
         unknown=[("a", "b")], name="tile along the last axis"),
    Case("broadcast_to", lambda x: ops.repeat(x, 2, -1), [normal(2, 3)], unknown=[("a", "b")],
         torch=torch_op("repeat_interleave", repeats=2, dim=-1), name="repeat"),
    Case("broadcast_to", lambda x: ops.repeat(x, 3), [normal(2, 2)], unknown=[("a", "b")],
         torch=torch_op("repeat_interleave", repeats=3), name="repeat, flat"),
    Case("broadcast_to", lambda x: ops.tile(x, 0), [np.ones((2, 3))], unknown=[("a", "b")], name="no tile"),
]  # fmt: skip
