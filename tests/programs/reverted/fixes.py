"""What law 12 was written for: faults that were mended, each with the lines that bring it back.

Where a fix has several parts, whose faults show in different programs, each has a row. The letters and
numbers are those that `items` of programs and the names in `corpus/` have.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.mutation.mutation import Mutation

Edit = tuple[str, str, str, str]
"""file, at, old, new, as a Mutation has them."""


@dataclass(frozen=True)
class Reverted:
    """A fix that is taken back.

    item   which fix
    fault  what is wrong without it
    edits  what stands in the tree then
    """

    item: str
    fault: str
    edits: tuple[Edit, ...]

    def mutations(self) -> list[Mutation]:
        return [Mutation(self.item, *edit) for edit in self.edits]


_STABILIZE = """\
    Pass("stabilize", stabilize_numbers, "fast", "takes the form that floating point does not lose"),
"""
_FOLD = """\
    Pass("fold", fold_constants, "fast", "computes what depends on constants alone, once"),
"""

FIXES = [
    # --- sizes
    Reverted("A1", "sizes as source lose their brackets", (
        ("shared/sizes/polynomials.py", "def operand", 'else f"({whole})"', "else whole"),
        ("shared/sizes/polynomials.py", "pieces.append(",
         'f"({\'\'.join(pieces)})" if len(pieces) > 1 else pieces[0]', '"".join(pieces)'),
        ("shared/sizes/atoms.py", "FUNCTIONS: ", '"({} // {})".format', '"{} // {}".format'),
    )),
    Reverted("A2", "what two unknown sizes broadcast to is a size of its own, which nothing defines", (
        ("shared/spec.py", "def broadcast_shapes", "result.append(stretched(*sizes))",
         "open_ = not known and any([not same_size(size, sizes[0]) for size in sizes])\n"
         "        result.append(Dim() if open_ else stretched(*sizes))"),
    )),
    Reverted("A3", "an unknown size is compared, and is not equal", (
        ("shared/dims.py", "def __eq__", 'raise self._undecided(f"whether the size {self} is {other} is")',
         "return False"),
    )),
    # --- state meets control flow
    Reverted("B4", "updates of layers in loops and branches outside of a forward are dropped", (
        ("static/graph/assignments.py", "def is_update", 'if node.settings["owner"] is not None:',
         'if node.settings["owner"] is not None and not node.settings["update"]:'),
    )),
    Reverted("B5", "what was made around a body is not waited for in it", (
        ("static/control/body.py", "def waits_for",
         "self.awaited.update(dict.fromkeys(node for node in nodes if node.graph is not self))", "pass"),
    )),
    Reverted("B6", "no gradient by what nothing flows through", (
        ("static/differentiate.py", "def _place_of", "edge_of(x) or", "edge_of(x) if True else"),
    )),
    Reverted("B7", "what a loop's gradient reads is stacked, whatever its sizes", (
        ("static/control/loop.py", "def varies", "return True", "return False"),
    )),
    # --- Python meets the tape
    Reverted("C8", "p -= y makes a new Tensor in the place of a Parameter", (
        ("shared/state.py", "", "from shared.inplace import InPlace",
         "from shared.operators import Operators as InPlace"),
        ("shared/nn/module.py", "def _check_replaces", "if isinstance(value, kind):", "if True:"),
    )),
    Reverted("C8", "anything may take a Parameter's place", (
        ("shared/nn/module.py", "def _check_replaces", "if isinstance(value, kind):", "if True:"),
    )),
    Reverted("C9", "a Tensor with a gradient becomes an array", (
        ("dynamic/values.py", "def check_detached", "if x.edge is not None and mode.get().recording:",
         "if False:"),
        ("shared/arrays.py", "def as_array",
         "if isinstance(values, (list, tuple)) and _holds_tensors(values):", "if False:"),
    )),
    Reverted("C9", "NumPy's functions take the values of Tensors", (
        ("dynamic/values.py", "def check_detached", "if x.edge is not None and mode.get().recording:",
         "if False:"),
        ("shared/numpy_calls.py", "def __array_function__", "if function not in ASKING:", "if False:"),
    )),
    Reverted("C10", "an argument too many is filled with the result", (
        ("shared/op.py", "def __call__", "if count != self.most and (", "if False and ("),
    )),
    Reverted("C11", "& | ~ on integers are logical", (
        ("shared/operators.py", "def __and__", "ops.bitwise_and", "ops.logical_and"),
        ("shared/operators.py", "def __or__", "ops.bitwise_or", "ops.logical_or"),
        ("shared/operators.py", "def __invert__", "ops.bitwise_not", "ops.logical_not"),
    )),
    Reverted("C12", "a checkpoint runs again with the states as they are then", (
        ("dynamic/recompute.py", "_apart(recording=True),",
         "holding(dict(zip(self.states, arrays, strict=True))),", '__import__("contextlib").nullcontext(),'),
    )),
    Reverted("C13", "+= on what the tape remembers is refused", (
        ("dynamic/values.py", "def _update", "if self.edge is not None and mode", "if False and mode"),
        ("dynamic/values.py", "def _update", "if self.edge is None and getattr", "if False and getattr"),
    )),
    # --- numbers at the edge
    Reverted("D14", "sums add one by one over a leading axis", (
        ("shared/numerics/summing.py", "def _plan", "if count <= BLOCK or 0 in shape:", "if True:"),
    )),
    Reverted("D15", "gelu by 1 + erf", (
        ("shared/ops/gaussian.py", "return _gelu_tanh(x)", "else _gelu(x)[0]",
         "else x * ((erf(x * ROOT_HALF) + 1) * 0.5)"),
    )),
    Reverted("D15", "the gradient of elu by y + alpha", (
        ("shared/ops/activations.py", "_elu = elementwise(",
         "g * (exp(minimum(x, 0)) * alpha)), reads=\"x\"", "g * (y + alpha)), reads=\"y x\""),
    )),
    Reverted("D15", "the gradient of expm1 by y + 1", (
        ("shared/ops/elementwise.py", "expm1 = elementwise(", 'g * exp(x), reads="x"',
         'g * (y + 1), reads="y"'),
    )),
    Reverted("D15", "squares that overflow in layer_norm", (
        ("shared/ops/normalization.py", "", "if squares_fit(var + eps):", "if True:"),
    )),
    Reverted("D16", "half precision is summed, and squared, in half", (
        ("shared/numerics/half.py", "def wide", "if x.dtype != HALF:", "if True:"),
        ("shared/numerics/scaling.py", "def squares_fit", "return bool(fitting(y).all())", "return True"),
        ("shared/numerics/summing.py", "def work_dtype", "return _SINGLE if dtype.itemsize == 2 else dtype",
         "return dtype"),
    )),
    Reverted("D16", "gelu's cube overflows", (
        ("shared/ops/gaussian.py", "_FLAT = 25.0", "_FLAT = 25.0", "_FLAT = 1e30"),
    )),
    Reverted("D17", "constants are folded before logarithms are stable", (
        ("static/compile/passes/__init__.py", "PASSES = (",
         _STABILIZE + _FOLD, _FOLD + _STABILIZE),
    )),
    Reverted("D17", "a logarithm looks at its neighbours alone", (
        ("static/compile/passes/stabilize.py", "def _log(", "if not (traits.above or traits.below):",
         "if True:"),
    )),
    Reverted("D18", "Python floats beside integers are float64", (
        ("shared/arrays.py", "def single_floats", "if not any([isinstance(v, float) for v in values])",
         "if True or any([isinstance(v, float) for v in values])"),
    )),
    Reverted("D18", "NumPy's scalars are Python's numbers", (
        ("shared/spec.py", "def number_or_array",
         "return value.item() if isinstance(value, (float, complex)) else np.asarray(value)",
         "return value.item()"),
        ("shared/op.py", "def _operand", "return np.asarray(value)", "return value.item()"),
    )),
    # --- sessions and variables
    Reverted("E19", "runs that store do not wait for each other", (
        ("static/run/session.py", "def _results", "if program.stored or self.options.capture:", "if False:"),
    )),
    Reverted("E20", "variables take no part in scopes", (
        ("static/graph/variables.py", "self.graph: Graph = ",
         "scope = current_call.get() if state is None else None", "scope = None"),
    )),
    Reverted("E20", "name_scope('s/') has a second slash", (
        ("static/graph/graph.py", "def call_within", 'if not name or name.endswith("/"):', "if not name:"),
    )),
    Reverted("E20", "a variable scope that is entered by its object is called after its repr", (
        ("static/graph/scopes.py", "if isinstance(name_or_scope, VariableScope):\n        path = ",
         "path = name_or_scope.name", "path = repr(name_or_scope)"),
    )),
    Reverted("E21", "an assignment casts what does not fit", (
        ("shared/casting.py", "def check_dtype", "if given != dtype and not may_become(given, dtype):",
         "if False:"),
        ("shared/casting.py", "def cast_number",
         "made = cast_known(array, dtype) if array.dtype.kind in NUMBERS else None",
         "made = array.astype(dtype)"),
    )),
    Reverted("E22", "a program for each order of feeds", (
        ("static/run/session.py", "",
         "if len(fed) > 1:", "if False:"),
    )),
    Reverted("E22", "a cache keeps the ops of archives that were let go", (
        ("static/archive/ops.py", "def check_settings", "_signature if op.listed else inspect.signature",
         "_signature"),
    )),
    Reverted("E23", "settings that come late change nothing, without a word", (
        ("static/run/session.py", "def _done", "if late.count[0] != program.looked:", "if False:"),
        ("static/run/session.py", "def _done", "if program.live:", "if False:"),
    )),
    Reverted("E24", "lines and names stand in DOT as they are", (
        ("shared/picture/dot.py", "def _literal", "return graphviz.escape(printable(text))", "return text"),
    )),
]  # fmt: skip
"""In the order of the letters."""
