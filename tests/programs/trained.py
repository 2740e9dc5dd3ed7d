"""Programs that train: layers with state, called in and out of control flow, for several steps."""

from __future__ import annotations

from tests.programs.choices import Choices
from tests.programs.program import Program
from tests.programs.training import OPTIMIZERS

LAYERS = {
    "fc": "Linear(3, 4)", "mix": "Linear(4, 4)", "bn": "BatchNorm1d(4)", "drop": "Dropout(0.5)",
    "ln": "LayerNorm(4)", "out": "Linear(4, 2)",
}  # fmt: skip
CALLS = ("net.mix({h})", "net.bn({h})", "net.drop({h})", "net.ln({h})", "ops.tanh({h})", "ops.sin({h}) + {h}")
AROUND = {
    "plain": "{h} = {call}",
    "twice": "{h} = {call}\n{h} = {call}",
    "scan": "{h}, _ = ops.scan(lambda c, q: ({call_c} + q, c), {h}, ops.stack([{h}, {h} * 0.5, {h} - 1]))",
    "rows": "_, hs = ops.scan(lambda c, q: (c, {call_q}), ops.sum({h}), ops.stack([{h}, {h} * 0.5]))\n"
            "{h} = hs[-1]",
    "map_fn": "{h} = ops.sum(ops.map_fn(lambda q: {call_q}, ops.stack([{h}, 2 * {h}, {h} - 1])), axis=0)",
    "cond": "{h} = ops.cond(ops.sum({h} * {h}) {sign} 3, lambda: {call}, lambda: {h} * 0.5)",
    "while": "_, {h} = ops.while_loop(lambda k, c: k < {trips}, lambda k, c: (k + 1, {call_c}), "
             "(ops.cast(ops.sum({h}) > 1e9, 'int64'), {h}))",  # 0, and no constant; of NaN, too
    "checkpoint": "{h} = ops.checkpoint(lambda c: {call_c}, {h})",
}  # fmt: skip
WITH_STATE = ("net.bn", "net.drop")
INSIDE = ("scan", "rows", "map_fn", "cond", "while")


def write(choices: Choices, closed: frozenset[str] = frozenset()) -> Program:
    """A model, its loss, and how it is trained."""
    lines: list[str] = []
    items: set[str] = set()
    for _ in range(1 + choices.below(3)):
        around = choices.pick(tuple(AROUND))
        call = choices.pick(CALLS)
        if choices.below(3) == 2:
            call = call.replace("{h}", choices.pick(CALLS))
        stateful = any(layer in call for layer in WITH_STATE)
        item = "B4" if stateful and around in INSIDE else "C12" if stateful and around == "checkpoint" else ""
        if item in closed:
            around = "plain"
        elif item:
            items.add(item)
        filled = AROUND[around].format(
            h="h", call=call.format(h="h"), call_c=call.format(h="c"), call_q=call.format(h="q"),
            sign=choices.pick((">", "<")), trips=choices.pick(("2", "1", "0", "3")),
        )  # fmt: skip
        lines += filled.splitlines()
    setting = ""
    optimizer = choices.pick(tuple(OPTIMIZERS))
    if "C8" in closed and optimizer == "SGD":
        optimizer = "Adam"
    late = choices.below(6)
    if late in (1, 2) and "E23" not in closed:
        setting = (", drop=2", ", quiet=2")[late - 1]
        if late == 1 and choices.below(2):
            setting += ', how="set"'
        items.add("E23")
    if optimizer == "SGD":
        items.add("C8")
    body = "".join(f"    {line}\n" for line in lines)
    made = "".join(f"            self.{name} = nn.{layer}\n" for name, layer in LAYERS.items())
    source = (
        "from tests.programs.training import train\n\n\n"
        "def make(nn):\n    class Net(nn.Module):\n"
        "        def __init__(self):\n            super().__init__()\n"
        f"{made}\n    return Net()\n\n\n"
        f"def loss(ops, net, x, y):\n    h = ops.tanh(net.fc(x))\n{body}"
        "    reached = sum(ops.sum(p) for p in net.parameters()) * 0.0  # none is without a gradient\n"
        "    return ops.mean(ops.square(net.out(h) - y)) + reached\n\n\n"
        f'train(make, loss, "{optimizer}", batch={choices.pick((4, 3, 5))}{setting})\n'
    )
    return Program("trained", source, frozenset(items))
