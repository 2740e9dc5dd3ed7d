"""Recurrent cells, and gelu, taken apart into plain steps, so that fusion can join them with what stands
around.

A cell is one op because that is fastest for an engine that takes the ops one by one. Seen whole it is
elementwise on each gate; as one kernel, with the sums that go into it, it visits each element
once. `fuse` opens cells only where it can make kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared.dims import UNKNOWN_RANK, divide, same_shape, same_size
from shared.op import TABLE
from shared.slices import Slices
from static.compile.block import Block, Step, Value, applied


def open_cells(block: Block) -> Slices[Block]:
    """The block with plain steps in the place of cells. What a cell gives and nobody uses is left out."""
    if not any(step.op.name in CELLS for step in block.steps):
        return block
    makers, users = block.makers(), block.users()
    kept = {*block.leaving(), *(value for value, _ in block.sizes.values())}
    steps: list[Step] = []
    for step in block.steps:
        take_apart = CELLS.get(step.op.name)
        if take_apart is None or step.op is not TABLE.get(step.op.name) or not _known(step):
            steps.append(step)
        else:
            take_apart(_Writer(step, makers, users, kept, steps))
            yield
    return block.with_steps(steps)


def _known(step: Step) -> bool:
    """Whether all that goes in has one dtype, and shapes that are sure to fit: where only a run can
    know, the cell looks, and plain steps would broadcast."""
    values = list(step.values())
    if len({v.dtype for v in values}) != 1 or any(v.shape is UNKNOWN_RANK for v in values):
        return False
    shapes = [v.shape[:-1] for v in values]
    gates = _GATES[step.op.name]
    sizes = [divide(v.shape[-1], count) for v, count in zip(values, gates, strict=False) if v.shape]
    alike = all(same_shape(shape, shapes[0]) for shape in shapes)
    return alike and all(same_size(size, sizes[0]) for size in sizes)


class _Writer:
    """Writes the steps that one cell is made of. Calling it writes an op and gives its value."""

    def __init__(
        self, cell: Step, makers: dict[Value, Step], users: dict[Value, list[Step]], kept: set[Value],
        steps: list[Step],
    ) -> None:  # fmt: skip
        """kept: values that are needed though no step uses them."""
        self.cell, self.makers, self.users, self.kept, self.steps = cell, makers, users, kept, steps

    def __call__(self, op: str, *inputs: Any, into: int | None = None) -> Value:
        step = applied(TABLE[op], inputs, {}, self.cell.nodes)
        if into is not None:
            step = Step(step.op, step.inputs, {}, [self.cell.outputs[into]], step.nodes)
        self.steps.append(step)
        return step.outputs[0]

    def gates(self, z: Value, count: int) -> Sequence[Value]:
        """The gates that stand side by side in `z`; of a sum that is made for the cell, the sums of gates."""
        maker = self.makers.get(z)
        alone = z not in self.kept and self.users[z] == [self.cell]
        if alone and maker is not None and maker.op is TABLE["add"]:
            terms = [x for x in maker.inputs if isinstance(x, Value) and x.spec == z.spec]
            if len(terms) == 2:
                a, b = (self.split(x, count) for x in terms)
                return [self("add", *pair) for pair in zip(a, b, strict=True)]
        return self.split(z, count)

    def split(self, z: Value, count: int) -> Sequence[Value]:
        """`z` cut into equal parts along its last axis."""
        axis = len(z.shape) - 1
        settings = {"sizes": (divide(z.shape[axis], count),) * count, "axis": axis}
        self.steps.append(applied(TABLE["split"], [z], settings, self.cell.nodes))
        return self.steps[-1].outputs

    def join(self, gates: Sequence[Value], output: int) -> None:
        """The gates side by side, as an output of the cell, if it is used."""
        value = self.cell.outputs[output]
        if value in self.users or value in self.kept:
            settings = {"axis": len(value.shape) - 1}
            self.steps.append(Step(TABLE["concatenate"], gates, settings, [value], self.cell.nodes))


def _rnn(w: _Writer) -> None:
    zx, *zh = w.cell.inputs
    z = w("add", zx, *zh) if zh else zx
    w("tanh" if w.cell.settings["nonlinearity"] == "tanh" else "relu", z, into=0)


def _lstm(w: _Writer) -> None:
    z, c = w.cell.inputs
    z_i, z_f, z_n, z_o = w.gates(z, 4)
    i, f, n, o = w("sigmoid", z_i), w("sigmoid", z_f), w("tanh", z_n), w("sigmoid", z_o)
    c_next = w("add", w("mul", f, c), w("mul", i, n), into=1)
    w("mul", o, w("tanh", c_next), into=0)
    w.join([i, f, n, o], 2)


def _lstm_grad(w: _Writer) -> None:
    g_h, g_c, c, c_next, gates = w.cell.inputs
    i, f, n, o = w.split(gates, 4)
    t = w("tanh", c_next)
    d = w("add", g_c, w("mul", w("mul", g_h, o), w("sub", 1, w("mul", t, t))))
    slope = {x: w("mul", x, w("sub", 1, x)) for x in (i, f, o)}
    parts = [
        w("mul", w("mul", d, n), slope[i]),
        w("mul", w("mul", d, c), slope[f]),
        w("mul", w("mul", d, i), w("sub", 1, w("mul", n, n))),
        w("mul", w("mul", g_h, t), slope[o]),
    ]
    w("mul", d, f, into=1)
    w.join(parts, 0)


def _gru(w: _Writer) -> None:
    zx, zh, h = w.cell.inputs
    x_r, x_u, x_n = w.split(zx, 3)
    h_r, h_u, h_n = w.split(zh, 3)
    r, u = w("sigmoid", w("add", x_r, h_r)), w("sigmoid", w("add", x_u, h_u))
    n = w("tanh", w("add", x_n, w("mul", r, h_n)))
    w("add", n, w("mul", u, w("sub", h, n)), into=0)
    w.join([r, u, n], 1)


def _gru_grad(w: _Writer) -> None:
    g, zh, h, gates = w.cell.inputs
    r, u, n = w.split(gates, 3)
    _, _, h_n = w.split(zh, 3)
    g_h = w("mul", g, u, into=2)
    a_n = w("mul", w("sub", g, g_h), w("sub", 1, w("mul", n, n)))
    a_u = w("mul", w("mul", w("sub", h, n), g_h), w("sub", 1, u))
    a_r = w("mul", w("mul", a_n, h_n), w("mul", r, w("sub", 1, r)))
    of_h = w("mul", a_n, r)
    w.join([a_r, a_u, a_n], 0)
    w.join([a_r, a_u, of_h], 1)


def _gelu(w: _Writer) -> None:
    (x,) = w.cell.inputs
    w("mul", x, w("normal_cdf", x, into=1), into=0)


_GATES = {
    "gelu": (1,), "rnn_cell": (1, 1), "lstm_cell": (4, 1), "lstm_cell_grad": (1, 1, 1, 1, 4),
    "gru_cell": (3, 3, 1), "gru_cell_grad": (1, 3, 1, 3),
}  # fmt: skip
"""How many values stand side by side in each of a cell's inputs."""

CELLS: dict[str, Callable[[_Writer], None]] = {
    "gelu": _gelu, "rnn_cell": _rnn, "lstm_cell": _lstm, "lstm_cell_grad": _lstm_grad, "gru_cell": _gru,
    "gru_cell_grad": _gru_grad,
}  # fmt: skip
