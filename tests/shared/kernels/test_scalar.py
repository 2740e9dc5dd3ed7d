"""The scalar form of an elementwise op is made of a closed vocabulary, and means what the op does."""

from __future__ import annotations

import ast
import math
import string
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from shared import ops
from shared.op import TABLE, VOCABULARY, Op
from static.graph.graph import Node, Tensor
from tests.cases import all_cases
from tests.laws.harness import draws, on_static

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub)
COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
FORMS = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.IfExp,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
)
SCALAR = [op for op in TABLE.values() if op.scalar is not None]
AWKWARD = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 40.0, -40.0, 1e-30, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("op", SCALAR, ids=lambda op: op.name)
def test_a_scalar_form_keeps_to_the_vocabulary(op: Op) -> None:
    """Operators, comparisons, `a if c else b`, numbers, arguments, settings, and those functions."""
    tree = ast.parse(filled(op, {name: f"setting_{name}" for name in settings_of(op)}), mode="eval")
    called = set()
    for node in ast.walk(tree):
        assert isinstance(node, (*FORMS, *OPERATORS, *COMPARISONS)), ast.dump(node)
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name) and node.func.id in VOCABULARY, ast.dump(node)
            called.add(node.func)
        if isinstance(node, ast.Constant):
            assert type(node.value) in (int, float), node.value
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in called}
    assert all(name.startswith(("argument_", "setting_")) for name in names), names


def settings_of(op: Op) -> list[str]:
    """The settings that the form names, read off the braces that hold no number."""
    fields = {field for _, field, _, _ in string.Formatter().parse(op.scalar or "") if field}
    return sorted(field for field in fields if not field.isdigit())


def filled(op: Op, settings: dict[str, Any]) -> str:
    """The form with arguments by the names argument_0, argument_1, ..."""
    assert op.scalar is not None
    return op.scalar.format(*(f"argument_{i}" for i in range(8)), **settings)


# --- meaning -------------------------------------------------------------------------------


def one(x: Any) -> Any:
    """A NumPy scalar as an array of one; a number that is written out stays one."""
    return np.array([x]) if isinstance(x, np.generic) else x


FUNCTIONS = {
    **{name: getattr(np, name) for name in VOCABULARY if hasattr(np, name)},
    "abs": np.absolute, "round": np.rint, "min": np.minimum, "max": np.maximum,
    "erf": lambda x: x.dtype.type(math.erf(x)),
    "erfc": lambda x: x.dtype.type(math.erfc(x)),
    "normcdf": lambda x: x.dtype.type(math.erfc(-float(x) / math.sqrt(2)) / 2),
    "bell": lambda x: x.dtype.type(math.exp(-(float(x) ** 2) / 2)),
    "pow": lambda a, b: ops.pow(one(a), one(b))[0],
    "cast": lambda x, dtype: np.asarray(x).astype(dtype)[()],
}  # fmt: skip


class PowersByName(ast.NodeTransformer):
    """`a ** b` means pow(a, b)."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("pow", ast.Load()), [node.left, node.right], [])
        return node


def nodes() -> Iterator[tuple[str, Node]]:
    """One node for each elementwise op, settings, numbers and dtypes of floats that the cases reach."""
    seen = set()
    for case in all_cases():
        if case.op not in {op.name for op in SCALAR}:
            continue
        for dtype in (np.float32, np.float64):
            arrays = case.arrays(dtype)
            cs, us, _ = draws(case, arrays)
            for node in on_static(case, arrays, cs, us, known=True).graph.nodes:
                if not isinstance(node.op, Op) or node.op.scalar is None:
                    continue
                kinds = [x.dtype.kind if isinstance(x, Tensor) else "weak" for x in node.inputs]
                if set(kinds) & {"i", "u"} or not node.inputs:
                    continue
                inputs = [str(x.dtype) if isinstance(x, Tensor) else repr(x) for x in node.inputs]
                key = f"{node.op.name}({', '.join(inputs)}){node.settings or ''}"
                if key not in seen:
                    seen.add(key)
                    yield key, node


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_a_scalar_form_gives_what_the_op_gives() -> None:
    """Of NaN, infinities and both zeros too: to the bit where it is arithmetic, to a few units in
    the last place where exp and its like round."""
    tried = set()
    for key, node in nodes():
        tried.add(node.op.name)
        arrays = awkward(node)
        whole = node.op.on_arrays(arrays, node.settings)
        tree = PowersByName().visit(ast.parse(filled(node.op, names(node)), mode="eval"))
        code = compile(ast.fix_missing_locations(tree), key, "eval")
        columns = [list(a) if isinstance(a, np.ndarray) else [a] * whole.size for a in arrays]
        one_by_one = np.array(
            [
                eval(code, FUNCTIONS | node.settings | {f"argument_{i}": x for i, x in enumerate(parts)})
                for parts in zip(*columns, strict=True)
            ],
            whole.dtype,
        )
        if whole.dtype.kind == "f":
            np.testing.assert_allclose(
                one_by_one, whole, rtol=8 * np.finfo(whole.dtype).eps, atol=0, err_msg=key
            )
            signs = np.signbit(one_by_one) == np.signbit(whole)
            assert np.all(signs | np.isnan(whole)), (
                key,
                [a[~signs] for a in arrays if isinstance(a, np.ndarray)],
            )
        else:
            np.testing.assert_array_equal(one_by_one, whole, err_msg=key)
    assert tried >= {op.name for op in SCALAR}


def names(node: Node) -> dict[str, str]:
    return {name: name for name in node.settings}


def awkward(node: Node) -> list[Any]:
    """Every combination of awkward values for the array arguments; numbers as they are."""
    kinds = [x.dtype if isinstance(x, Tensor) else None for x in node.inputs]
    choices = [
        np.array([False, True] if k.kind == "b" else AWKWARD).astype(k) for k in kinds if k is not None
    ]
    grids = iter(np.meshgrid(*choices, indexing="ij"))
    return [x if k is None else next(grids).reshape(-1) for x, k in zip(node.inputs, kinds, strict=True)]
