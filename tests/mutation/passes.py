"""Wrong passes and plans of memory, and settings that are not told apart."""

from __future__ import annotations

from tests.mutation.mutation import Mutation, rows

PASSES = [
    *rows("pass", "static/compile/passes/cse.py", [
        ("def merge_same", "if not step.op.pure:", "if False:"),
        ("def _key", "settings_key(step.settings) if step.settings else ()", "()"),
        ("def _key", "inputs = tuple([id(x)", "inputs = frozenset([id(x)"),
        ("def _key", "else exact(x) for x", "else x for x"),
    ]),
    *rows("pass", "static/compile/passes/fold.py", [
        ("def _computed", "else x for x in step.inputs]", "else x for x in step.inputs[::-1]]"),
        ("def _computed", "> LIMIT for", "> LIMIT * 1000 for"),
        ("def _computed", "made if fits else None", "made"),
        ("def _computed", "is_weak(x) or x in constants for",
         "is_weak(x) or x in constants or len(step.inputs) > 1 for"),
    ]),
    *rows("pass", "static/compile/passes/prune.py", [
        ("def without_unused", "not step.op.pure or any(", "any("),
        ("def without_unused", "needed.update(step.values())", "needed.update(list(step.values())[:1])"),
    ]),
    *rows("pass", "static/compile/passes/hoist.py", [
        ("def _moves", "if node.control or symbols_of(node):", "if symbols_of(node):"),
        ("def _moves", "and by_rows(node) and", "and"),
        ("def _moves", "op.listed and op.pure", "op.listed"),
        ("def by_rows", "len(node.inputs[1].shape) == 2 and", ""),
        ("def rest", "xs=[*loop.xs, *columns]", "xs=[*columns, *loop.xs]"),
    ]),
    *rows("pass", "static/compile/passes/rows.py", [
        ("def _independent", "deepest += 1", "deepest += 0"),
        ("def _independent", "depth.get(block.sizes[symbol][0], 0)", "0"),
        ("def _independent", "depth.get(node, 0) for own", "0 for own"),
        ("def merge_rows", "(step.op, *step.inputs[1:])", "(step.op, step.inputs[1])"),
        ("def merge_rows", "*step.settings.items(), ", ""),
        ("def _multiplies", "and x.dtype == step.outputs[0].dtype", ""),
    ]),
    *rows("pass", "static/compile/passes/columns.py", [
        ("def _beside", 'axis = 1 if op is TABLE["matmul"] else 0', "axis = 0"),
        ("def product", "if any(node.control for node in step.nodes):", "if False:"),
        ("def product", "or y in self.kept", ""),
        ("def product", "if not all(map(self._early, step.inputs[1:])):", "if False:"),
    ]),
    *rows("pass", "static/compile/passes/weight_gradients.py", [
        ("def gather_products", "and times == 1", ""),
        ("def gather_products", "or len(users.get(value, ())) != 1", ""),
    ]),
    *rows("pass", "static/compile/passes/pack.py", [
        ("def _weight", "return not turned, maker.inputs[0]", "return turned, maker.inputs[0]"),
        ("TURNED = ", '"matmul": False', '"matmul": True'),
        ("TURNED = ", '"linear": True', '"linear": False'),
    ]),
    *rows("pass", "static/compile/passes/convolve.py", [
        ("def alone", "len(self.users[step.outputs[0]]) == 1 and", ""),
        ("def _side_by_side", "return", "return True or"),
    ]),
    *rows("pass", "static/compile/block.py", [
        ("def in_order", "if not step.op.pure:\n            needs.add(effect)",
         "if False:\n            needs.add(effect)"),
    ]),
]  # fmt: skip

CELLS = [
    Mutation("pass", one.file, one.at, one.old, one.new, "layers_over_time or cell or lstm")
    for one in rows("pass", "static/compile/passes/cells.py", [
        ("def _lstm(", 'w("mul", f, c), w("mul", i, n)', 'w("mul", i, c), w("mul", f, n)'),
        ("def _lstm_grad", 'w("sub", 1, w("mul", t, t))', 'w("sub", 1, t)'),
        ("def _gru(", 'w("mul", u, w("sub", h, n))', 'w("mul", r, w("sub", h, n))'),
        ("def _gru_grad", 'of_h = w("mul", a_n, r)', 'of_h = w("mul", a_n, u)'),
        ("def _rnn(", '== "tanh" else "relu"', '!= "tanh" else "relu"'),
    ])
]  # fmt: skip

FUSION = [
    *rows("form", "static/compile/passes/groups.py", [
        ("def grouped", "for group in around:\n                group.open = False",
         "for group in ():\n                group.open = False",
         "not case"),
        ("def cuts", "len(group.shape) - 1 and all(", "len(group.shape) - 1 or all(", "not case"),
        ("def joined", "and v not in self.elsewhere", "", "not case"),
        ("def axes_of", "(True,) * len(shape)", "(True,) * len(own[1:]) + (False,)", "not case"),
    ]),
    *rows("form", "static/compile/passes/forms.py", [
        ("SHAPING = ", "(0, 1, -1, 2, -2, 0.5, -0.5)", "()", "number or numbers"),
        ("def _part", "abs(number) <= MOST", "True", "number or numbers"),
        ("def _tried", "if promotes and not op.ufunc and", "if False and", "program or alone"),
    ]),
    *rows("form", "static/compile/passes/fuse.py", [
        ("def _key", "told += step.op, form, step.outputs[0].dtype", "told += (form,)", "not case"),
        ("def _key", "settings_key(step.settings)", "0", "numbers or alone or told_apart"),
    ]),
]  # fmt: skip

PLAN = [
    *rows("plan", "static/compile/arena.py", [("ALIGNMENT = ", "ALIGNMENT = ", "ALIGNMENT = 1 or ")]),
    *rows("plan", "static/compile/buffers.py", [
        ("def keep", "self.last = max(self.last, until)", "self.last = until"),
        ("def embed", "host.first = min(host.first, buffer.first)", "pass"),
    ]),
    *rows("plan", "static/compile/passes/recompute.py", [
        ("def _repeatable", "return step.op.pure and", "return"),
        ("def choices", "and owner not in needed", ""),
    ]),
    *rows("plan", "static/compile/plan.py", [
        ("def _offset", "sum(self.bytes_of(spec) for spec in before)", "0"),
        ("def bytes_of", "* value.dtype.itemsize", "* 4"),
    ]),
]  # fmt: skip

MESSAGES = [
    *rows("message", "static/compile/passes/messages.py", [
        ("", "if len(group) > 1 or _early(block, group)]", "if len(group) > 1]"),
        ("", "key=lambda which: (ready[which], which)", "key=lambda which: which"),
        ("", "floor = _before(block, place, group[0])", "floor = -1"),
        ("", "floor = max([floor, *(made.get(", "floor = max([0 * floor, *(made.get("),
        ("", "floor = max([floor, *(made.get(value, -1)", "floor = max([floor, *(0 * made.get(value, -1)"),
        ("", 'averages = len(group) > 1 and group[0].settings["kind"] == "mean"',
         "averages = len(group) > 1"),
        ("", "closes=averages and number == len(buckets) - 1", "closes=averages"),
        ("", "made.update(dict.fromkeys(done.outputs, first))", "made.update({})"),
        ("def _groups", "if group and (used or not step.op.pure):", "if group and used:"),
        ("def _groups", "elif group and (used or _kind", "elif group and (_kind"),
        ("def _groups", "elif group and (used or _kind(group[-1]) != _kind(step)):", "elif group and used:"),
        ("def _is_sum", "all(isinstance(size, int) for", "all(True for"),
        ("def _kind", 'step.settings["kind"], step.inputs[1:]', 'step.settings["kind"]'),
        ("def _kind", 'step.settings["kind"], step.inputs[1:]', "step.inputs[1:]"),
        ("def _most", "else comm.bucket_bytes", "else ranks.Communicator.bucket_bytes"),
        ("def _before", "not other.op.pure and at < place[step]", "not other.op.pure and False"),
        ("def _first_use", "            return at\n", "            return len(block.steps)\n"),
        ("def _first_use", "            return at\n", "            return max(at - 1, 0)\n"),
    ]),
]  # fmt: skip

SETTINGS = [
    *rows("setting", "shared/settings.py", [
        ("def exact", "return (type(value).__name__, repr(value))", 'return ("number", value)',
         "numbers or number or told_apart or look_the_same"),
        ("def exact", 'return ("slice", exact((value.start, value.stop, value.step)))', 'return ("slice",)',
         ""),
        ("def settings_key", "for name in sorted(settings)", "for name in sorted(settings)[:1]", ""),
    ]),
    *rows("setting", "shared/spec.py", [
        ("def one_axis", "return int(axis) % ndim", "return int(axis)", ""),
        ("def many_axes", "return tuple(sorted(found))", "return tuple(found)", ""),
        ("def many_axes", "if len(set(found)) != len(found):", "if False:", ""),
        ("def one_axis", "or isinstance(axis, bool)", "", ""),
        ("def sizes_match", "or a == b", "or a <= b", ""),
    ]),
    *rows("setting", "shared/ops/matrices.py", [
        ("def _triangle", "getattr(xp, name)(x, diagonal)", "getattr(xp, name)(x)", ""),
        ("def tensordot", "(*left, *of_a)", "(*of_a, *left)", ""),
    ]),
    *rows("setting", "shared/ops/tiling.py", [
        ("def repeat", "(*before, size, 1, *after)", "(*before, 1, size, *after)", ""),
    ]),
    *rows("setting", "shared/ops/padding.py", [
        ("def _fill", "not low <= value <= high", "not low <= value", ""),
        ("def _below", "at_least(-width, 0)", "at_least(-width, 1)", ""),
    ]),
    *rows("setting", "shared/ops/indexing.py", [
        ("def getitem", "isinstance(index, tuple) else (index,)",
         "isinstance(index, (tuple, list)) else (index,)", ""),
        ("def take", "x, axis = reshape(x, -1), 0", "axis = 0", ""),
    ]),
]  # fmt: skip

MUTATIONS: list[Mutation] = [*PASSES, *CELLS, *FUSION, *PLAN, *MESSAGES, *SETTINGS]
