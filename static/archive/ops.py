"""The ops that an archive may name, and what their settings may be.

An op reads settings that a public function has put in order, and some hand them to compiled
loops that look at nothing twice. So what comes from a file is held against this table.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from shared.dims import Dim
from shared.errors import ArchiveError, ShapeError
from shared.op import TABLE, Op, Rule
from shared.ops.indexing import ARRAY
from shared.spec import Spec, sizes_match, str_shape
from static.control.body import BodyOp
from static.graph import create, effects, rankless
from static.graph.variables import replace_rows, rows_given

PREFIX = "static."
_OWN = (*effects.OPS, *rankless.OPS, replace_rows, rows_given, TABLE["stop_gradient"])
OWN: dict[str, Op] = {PREFIX + op.name: op for op in _OWN}
"""This engine's ops that are in no table, because the other engine has another way; and what was once such a
one, under the name that it has in archives of that time."""


class SetShape(Op):
    """What `set_shape` was told of a Tensor: in a graph that was loaded, a run checks it."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

        def compute(x: Any) -> Any:
            if x.ndim != spec.ndim or not all(map(sizes_match, spec.shape, x.shape)):
                raise ShapeError(
                    f"set_shape: this was told to be {spec} before the graph was saved, and is "
                    f"{str_shape(x.shape)}; tell it nothing that a run may belie, and save again"
                )
            return x

        kept = [Rule(lambda g, y, x: g)]
        super().__init__("set_shape", compute, lambda x: spec, kept, alias=(0,), listed=False)


DEFAULT, SET_SHAPE = PREFIX + "placeholder_with_default", PREFIX + "set_shape"
SCAN, WHILE, COND = (PREFIX + name for name in ("scan", "while_loop", "cond"))


def name_of(op: Op) -> str:
    """The name by which an archive knows an op; ArchiveError for one that only this process has."""
    if TABLE.get(op.name) is op and not op.name.startswith(PREFIX):
        return op.name
    if op.listed:
        raise ArchiveError(
            f"the op {op.name!r} was replaced by another of its name since this graph was built; build it "
            "anew"
        )
    name = PREFIX + op.name
    if OWN.get(name) is op or isinstance(op, (BodyOp, create.DefaultOp, SetShape)):
        return name
    raise ArchiveError(
        f"the op {op.name!r} is a Python function that only this process has (py_func makes such), and no "
        "archive can hold it; cut the graph behind it with inputs=, or make it an op with shared.op.Op"
    )


def op_called(name: Any) -> Op:
    """The op that an archive means, if it needs nothing but its name."""
    op = OWN.get(name) or TABLE.get(name) if isinstance(name, str) else None
    if op is None:
        raise ArchiveError(
            f"there is no op {name!r:.80} here; import the module that defines it before static.load, or "
            "load with the version of Diptych that saved it"
        )
    return op


# --- settings ------------------------------------------------------------------------------

Test = Callable[[Any], bool]


def _whole(value: Any, least: int | None = None) -> bool:
    return isinstance(value, Dim) or (type(value) is int and (least is None or value >= least))


def _number(value: Any) -> bool:
    return type(value) in (int, float) or isinstance(value, Dim)


def _each(test: Test, count: int | None = None) -> Test:
    return lambda value: (
        isinstance(value, tuple) and count in (None, len(value)) and all(test(part) for part in value)
    )


def _index_part(part: Any) -> bool:
    if isinstance(part, slice):
        return all(bound is None or _whole(bound) for bound in (part.start, part.stop, part.step))
    return part is None or part is Ellipsis or part is ARRAY or _whole(part)


def _any(*tests: Test) -> Test:
    return lambda value: any(test(value) for test in tests)


def _a(kind: type) -> Test:
    return lambda value: isinstance(value, kind)


def _from(least: int) -> Test:
    return lambda value: _whole(value, least)


SETTINGS: dict[str, tuple[Test, str]] = {
    **dict.fromkeys(("size", "sizes", "places", "axes"), (_each(_from(0)), "sizes from 0 up")),
    **dict.fromkeys(("blank", "classes", "count", "m", "n", "num", "width"), (_from(0), "an int from 0 up")),
    **dict.fromkeys(("kernel", "stride", "dilation"), (_each(_from(1), 2), "two ints from 1 up")),
    **dict.fromkeys(("ignored", "diagonal", "k"), (_whole, "an int")),
    "root": (_from(0), "an int from 0 up"),
    **dict.fromkeys(("start", "stop", "step", "eps", "momentum", "p"), (_number, "a number")),
    **dict.fromkeys(("alpha", "delta", "high", "least", "low"), (_number, "a number")),
    **dict.fromkeys(("slope", "smoothing"), (_number, "a number")),
    **dict.fromkeys(("keepdims", "ceil", "endpoint", "reverse"), (_a(bool), "true or false")),
    **dict.fromkeys(("descending", "largest", "upper"), (_a(bool), "true or false")),
    **dict.fromkeys(("causal", "complete", "inverse", "unitriangular"), (_a(bool), "true or false")),
    **dict.fromkeys(("call", "mode", "reduction", "nonlinearity"), (_a(str), "text")),
    **dict.fromkeys(("subscripts", "message", "format", "comm", "kind", "at"), (_a(str), "text")),
    "axis": (_any(_from(0), _each(_from(0))), "an axis from 0 up, or several"),
    "correction": (_from(0), "an int from 0 up"),
    "dtype": (_a(np.dtype), "a dtype"),
    "far": (_each(_from(0), 2), "two ints from 0 up"),
    **dict.fromkeys(("groups", "ranks"), (_from(1), "an int from 1 up")),
    "index": (_each(_index_part), "an index"),
    "length": (_from(0), "a size"),
    "maximum": (_any(_a(type(None)), _from(0)), "an int from 0 up, or null"),
    "shape": (_each(_from(-1)), "sizes from 0 up, or -1 for one that a run works out"),
    "padding": (_any(_a(type(None)), _from(0), _each(_from(0), 2)), "an int from 0 up, two, or null"),
    "minlength": (_from(0), "an int from 0 up"),
    "shift": (_each(_whole), "ints"),
    "side": (_a(str), "text"),
    "norm": (_a(str), "text"),
    **dict.fromkeys(("rtol", "scale"), (_any(_a(type(None)), _number), "a number, or null")),
    "summarize": (_from(0), "an int from 0 up"),
    "value": (_any(_number, _a(bool)), "a number"),
    "widths": (_each(_each(_from(0), 2)), "pairs of ints from 0 up"),
}
"""What the settings of Diptych's own ops may be, by the names that they have in all ops."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_settings(op: Op, arguments: Sequence[Any], settings: Mapping[str, Any]) -> None:
    """ArchiveError unless the op can take these arguments and settings. An op that a user has
    made takes what settings it likes, under names that Python can write."""
    for name, value in settings.items():
        if not _WORD.fullmatch(name) or keyword.iskeyword(name):
            raise ArchiveError(f"{name!r:.80} is no name of a setting")
        if not is_ours(op):
            continue
        test, kind = SETTINGS.get(name, (None, ""))
        if test is None:
            raise ArchiveError(
                f"{op.name} has no setting {name!r:.80} that archives know; static/archive/ops.py lists them"
            )
        if not test(value):
            raise ArchiveError(f"{op.name}: {name} must be {kind}, not {value!r:.80}")
    if isinstance(op.compute, np.ufunc):
        fits = not settings and len(arguments) == op.compute.nin
    else:
        # An op that one node has for itself would be kept, with all that it holds, by a cache.
        signature = _signature if op.listed else inspect.signature
        handed_in = {"compiler": None} if isinstance(op, BodyOp) else {}
        try:
            signature(op.compute).bind(*arguments, **settings, **handed_in)
            fits = True
        except TypeError:
            fits = False
        except ValueError:  # a function that does not tell its parameters
            fits = True
    if not fits:
        raise ArchiveError(
            f"{op.name} does not take {len(arguments)} arguments with the settings {sorted(settings)!r:.200}"
        )


_signature = lru_cache(maxsize=1024)(inspect.signature)


def is_ours(op: Op) -> bool:
    """Whether the op comes with Diptych."""
    module = getattr(op.compute, "__module__", None) or ""
    return module.partition(".")[0] in ("shared", "static")
