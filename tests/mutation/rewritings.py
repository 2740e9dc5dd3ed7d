"""Wrong patterns: what the optimiser writes for what."""

from __future__ import annotations

from tests.mutation.mutation import Mutation, rows

SIMPLIFY = rows("pattern", "static/compile/passes/simplify.py", [
    # The three of which it is said that they once passed all tests.
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("sqrt(square(x))", "x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"',
     'Pattern("reciprocal(reciprocal(x))", "x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("-(-x)", "x"', 'Pattern("-(-x)", "-x"'),
    # And their kind.
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("x + 0", "x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("0 - x", "-x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("x - x", "x * 0", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("x * 0", "x - x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("square(sqrt(x))", "x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("exp(log(x))", "x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("relu(-x)", "-relu(x)", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("abs(x)", "relu(x)", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("abs(abs(x))", "x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("floor(x)", "round(x)", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("(x * y) / y", "x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("(x + y) - y", "x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("x / y", "x * reciprocal(y)", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", 'Pattern("x * 1"', 'Pattern("x ** 3", "x * x", ""),\n    Pattern("x * 1"'),
    ("PATTERNS = (", '"x * 1", "x"', '"x * 2", "x"'),
    ("PATTERNS = (", '"x - 0", "x"', '"0 - x", "x"'),
    ("PATTERNS = (", '"x ** 2", "square(x)"', '"x ** 2", "x"'),
    ("PATTERNS = (", '"x ** 0.5", "sqrt(x)"', '"x ** 0.5", "rsqrt(x)"'),
    ("PATTERNS = (", '"x ** -1", "reciprocal(x)"', '"x ** -1", "-x"'),
    ("PATTERNS = (", '"x + (-y)", "x - y"', '"x + (-y)", "y - x"'),
    ("PATTERNS = (", '"x - (-y)", "x + y"', '"x - (-y)", "x - y"'),
    ("PATTERNS = (", '"(-x) * (-y)", "x * y"', '"(-x) * (-y)", "-(x * y)"'),
    ("PATTERNS = (", '"(-x) / (-y)", "x / y"', '"(-x) / (-y)", "y / x"'),
    ("PATTERNS = (", '"x - y", "a sign less to change", kinds="f"', '"x - y", "a sign less to change"'),
    ("PATTERNS = (", 'Pattern("(-x) * (-y)", "x * y", "two signs undo each other", kinds="f")',
     'Pattern("(-x) * (-y)", "x * y", "two signs undo each other")'),
    ("PATTERNS = (", '"sum_to(x, shape=b)", "one sum', '"sum_to(x, shape=a)", "one sum'),
    ("PATTERNS = (", '"reshape(x, shape=b)", "only', '"reshape(x, shape=a)", "only'),
    ("_unchanged)\n", '("reshape", "broadcast_to", "sum_to", "cast")',
     '("reshape", "broadcast_to", "sum_to", "cast", "neg")'),
    ("_unchanged)\n", '("reshape", "broadcast_to", "sum_to", "cast")',
     '("reshape", "broadcast_to", "sum_to", "cast", "flip")'),
    ("def _transposed_twice", 'before.settings["axes"][axis] for axis in axes',
     "axes[axis] for axis in axes"),
    ("def _transposed_twice", "if axes == tuple(range(len(axes))):\n        return before",
     "if True:\n        return before"),
])  # fmt: skip

STABILIZE = rows("logarithm", "static/compile/passes/stabilize.py", [
    ("PATTERNS = (", '"log_softmax(x, axis=a)", "log of', '"softmax(x, axis=a)", "log of'),
    ("PATTERNS = (", '"log_sigmoid(x)"', '"log_sigmoid(-x)"'),
    ("PATTERNS = (", '"log(1 - sigmoid(x))", "log_sigmoid(-x)"', '"log(1 - sigmoid(x))", "log_sigmoid(x)"'),
    ("PATTERNS = (", '"log1p(-sigmoid(x))", "log_sigmoid(-x)"', '"log1p(-sigmoid(x))", "-log_sigmoid(x)"'),
    ("PATTERNS = (", '"log(1 + exp(x))", "softplus(x)"', '"log(1 + exp(x))", "x"'),
    ("PATTERNS = (", '"log1p(exp(x))", "softplus(x)"', '"log1p(exp(x))", "softplus(-x)"'),
    ("PATTERNS = (", '"logsumexp(x, axis=a, keepdims=k)"', '"max(x, axis=a, keepdims=k)"'),
    ("PATTERNS = (", '"softmax(x, axis=a)"', '"log_softmax(x, axis=a)"'),
    ("PATTERNS = (", '"1 / (1 + exp(-x))", "sigmoid(x)"', '"1 / (1 + exp(-x))", "sigmoid(-x)"'),
    ("PATTERNS = (", '"exp(x) - 1", "expm1(x)"', '"exp(x) - 1", "x"'),
    ("PATTERNS = (", '"sqrt(square(x))", "abs(x)"', '"sqrt(square(x))", "x"'),
    ("PATTERNS = (", '"sqrt(x * x)", "abs(x)"', '"sqrt(x * x)", "relu(x)"'),
    ("LAST = (", '"log(1 + x)", "log1p(x)"', '"log(1 + x)", "log1p(-x)"'),
    ("def _div", "scaled(w, b), -1)", "scaled(w, b), 1)"),
    ("def _log_of", "1 / math.log(base)", "math.log(base)"),
    ("def _share", "maker.inputs[0] is a", "maker.inputs[0] is b"),
    ("def _let_through", "w.known.of_value(step.inputs[1]).pure", "True"),
    ("def _log1p", 'w("softplus", w.log(found, value))', "w.log(found, value)"),
])  # fmt: skip

SCALED = [
    *rows("logarithm", "static/compile/passes/scaled.py", [
        ("def _neg", "-1.0 * (x.factor or 1.0)", "(x.factor or 1.0)"),
        ("def _power", "count * power for", "count * abs(power) for"),
        ("def _sub", 'w("mul", x, -2.0)', 'w("mul", x, 2.0)'),
        ("def _sub", "Scaled(2.0, {right: 1.0})", "Scaled(1.0, {right: 1.0})"),
        ("def _moved", "place = step.outputs.index(value)", "place = 0"),
        ("def _scattered", "not _undoes(step, others, maker)", "maker.op.name not in ('getitem', 'gather')"),
        ("def placed", "return w(step.op.name, w.at(w.total(terms), x), **step.settings)", "return index"),
        ("def placed", "& {*terms} - {None}", "| {*terms}"),
        ("def _bounded", "log_of(max(x, 0))", "max(x, 0)"),
        ("def _where", "[w.total(x.terms) for x in said]", "[w.total(x.terms) for x in said[::-1]]"),
        ("def _summed", "bounded and not whole", "bounded"),
        ("def _constant_over", "all([ones[axis] for axis in axes])", "any(ones)"),
        ("def _returns", "== list(range(len(axes)))", "!= []"),
        ("def _add", "if w.known.is_one(a) or w.known.is_one(b):", "if True:"),
    ]),
    *rows("logarithm", "static/compile/passes/traits.py", [
        ("def complement", "x.dtype == value.dtype", "True"),
        ("def _of_one_dtype", 'dtype.kind == "f" and all([x.dtype == dtype',
         'dtype.kind == "f" or all([x.dtype == dtype'),
        ("def _squared_tanh", "inside[0] is inside[-1]", "True"),
        ("def _power", "if not x.pure or power is None", "if power is None"),
    ]),
    *rows("logarithm", "static/compile/passes/writer.py", [
        ("def total", "part if count > 0 else self(\"neg\", part)", "part"),
        ("def times", "terms.get(term, 0.0) + sign * count", "terms.get(term, 0.0) + count"),
        ("def product", "if not x.sparse or not isinstance(x.factor, Value):", "if True:"),
        ("def log(", "+ log_of(x.factor)", "- log_of(x.factor)"),
    ]),
    *rows("logarithm", "static/compile/passes/inside.py", [
        ("def _one_of_two", "if w.known.of_value(a).below:", "if w.known.of_value(b).below:"),
        ("def _turned", "axes.index(i) for i", "axes[i] for i"),
        ("def _chosen", "w(\"where\", mask, through(w, a, u), through(w, b, u))",
         "w(\"where\", mask, through(w, b, u), through(w, a, u))"),
    ]),
    *rows("pattern", "static/compile/passes/patterns.py", [
        ("def _same_number", "and bool(np.signbit(number) == np.signbit(wanted))", ""),
        ("def number", "if same else None", "if array.size else None"),
        ("def _match(", "elif bound[tree.id] is value", "elif True"),
        ("def _fits", "new.spec == old.spec", "new.shape == old.shape"),
        ("_COMMUTE = ", '("add", "mul")', '("add", "mul", "sub", "div")'),
        ("def _match_setting", "if exact(known) == exact(value) else None", "if True else None"),
    ]),
]  # fmt: skip

MUTATIONS: list[Mutation] = [*SIMPLIFY, *STABILIZE, *SCALED]
