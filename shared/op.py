"""What an op is: said once, read by both engines.

An `Op` holds how to compute it on raw arrays, what shape and dtype come out, its gradient in
terms of other ops, and what each part of the gradient reads. Calling an op on an engine's
Tensor hands the call to that engine; on raw arrays it just computes.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.arrays import (
    Array,
    array_module as array_module,  # with Op, what one who writes an op imports
    as_array as as_array,
    in_single_precision as in_single_precision,
    put as put,
    single_floats as single_floats,
)
from shared.dims import Shape
from shared.dispatch import ENGINE_OF
from shared.errors import (
    ArgumentError,
    DiptychError,
    DTypeError,
    GradientError,
    RangeError,
    SettingError,
    ShapeError,
)
from shared.rules import ZERO as ZERO, Joint as Joint, Rule as Rule, Wanted, Zero
from shared.settings import exact as exact, settings_key as settings_key
from shared.source import line_of_call
from shared.spec import (
    Operand,
    Spec,
    broadcast_shapes,
    is_weak,
    plain,
    promote,
    spec_of,
    ufunc_dtype,
)
from shared.usage.door import refused

TABLE: dict[str, Op] = {}
"""Every op there is, by name. The laws run over it."""


@dataclass(frozen=True, slots=True)
class PlannerHints:
    """What only a planner of memory reads (static's `compile` room): none of it changes what an op gives.

    view      of an op that, of a first argument in C order, always gives views and looks at no
              element: whether they are in C order as well, by its settings
    inplace   the arguments that `out` may be (a ufunc's may be any); of several outputs a tuple for each
    workspace the bytes that compute allocates beside its results, by the Specs of its arguments
              and its settings; None if they are few
    selective whether compute takes `needed=`, the positions of the outputs that somebody uses, and
              may give None for the others
    """

    view: Callable[..., bool] | None = None
    inplace: tuple[Any, ...] = ()
    workspace: Callable[..., int] | None = None
    selective: bool = False


NO_HINTS = PlannerHints()


class Op:
    """One op. See the module's docstring; `docs/ops.md` lists them all.

    name      unique in the table: of two ops that a user makes under one name the later one replaces the
              other there, with a warning, and none replaces one of Diptych's own
    compute   arrays in, a fresh array out (or a tuple of them), in C order; settings by keyword.
              It keeps no argument after it has returned.
              A NumPy ufunc keeps the memory order of its arguments: Python's operators on raw
              arrays do, with which rules are written, and sums depend on the order to the bit
    infer     Specs (or weak numbers) in, Spec (or a tuple of them) out; raises ShapeError
    rules     a Rule, ZERO or None for each argument, or one Joint; optional trailing
              arguments may be left out of a call
    outputs   the outputs' names; None if their count depends on the settings
    constant  names of outputs that carry no gradient (indices, masks, generator state)
    together  the arguments whose dtypes promote with each other: among them a Python float that meets no
              floating array makes float32 of them, see `single_floats`
    alias     arguments whose memory an output may share
    out       whether compute takes `out=`, a C-ordered array of the result's shape and dtype that
              it fills and gives (of several outputs a tuple, with None for those that are to be
              fresh). The bits are the same with it and without
    hints     what a planner of memory may know beside
    ufunc     whether compute is a NumPy ufunc
    scalar    elementwise ops: the expression of one element, with {0}, {1} for the arguments
    check     whether compute alone would take arguments that infer refuses, so that infer must
              look at them first
    judges    the arguments (`...`: and those behind them) whose values compute may refuse, as ids, though
              shapes and dtypes fit
    admits    raises what compute would of such values, called as compute is, other arguments as Specs; None
              if only compute itself can say
    pure      False for an op that does more than compute (prints, checks, calls a user's function):
              no optimisation may merge, move or drop it
    listed    False for an op that one node has for itself (a loop with its body)
    line      where a user has made it; None for an op that comes with Diptych
    """

    broadcasts = False
    """Whether the op works on each element alone and broadcasts its arguments: `elementwise` says so."""

    def __init__(
        self,
        name: str,
        compute: Callable[..., Array],
        infer: Callable[..., Any],
        rules: Sequence[Rule | Zero | None] | Joint = (),
        *,
        outputs: tuple[str, ...] | None = ("y",),
        constant: tuple[str, ...] = (),
        together: tuple[int, ...] = (),
        alias: tuple[int, ...] = (),
        out: bool = False,
        scalar: str | None = None,
        check: bool = False,
        hints: PlannerHints = NO_HINTS,
        judges: tuple[Any, ...] = (),
        admits: Callable[..., Any] | None = None,
        pure: bool = True,
        listed: bool = True,
        doc: str = "",
    ) -> None:
        self.name, self.compute, self.infer = name, compute, infer
        self.joint = rules if isinstance(rules, Joint) else None
        self.rules = () if isinstance(rules, Joint) else tuple(rules)
        self.outputs, self.single = outputs, outputs is not None and len(outputs) == 1
        self.constant, self.together = constant, together
        self.alias, self.out, self.scalar = alias, out, scalar
        self.check = self.examines = check
        self.hints, self.pure, self.listed = hints, pure, listed
        self.judges, self.admits = judges, admits
        self.ufunc = isinstance(compute, np.ufunc)
        self.inputs = _argument_names(self)
        self.fewest, self.most = _arity(self)
        written = getattr(compute, "__code__", None)
        self.positional = frozenset(written.co_varnames[: written.co_argcount] if written is not None else ())
        self.__doc__ = doc
        self.pullbacks: dict[Wanted, Any] = {}  # see `shared.pullback`
        _check_reads(self)
        self.line = line_of_call(__file__) if listed else None
        if listed:
            _enter(self)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __call__(self, *args: Any, **settings: Any) -> Any:
        try:
            count = len(args)
            if count != self.most and (
                count < self.fewest or (self.most is not None and count > self.most)
                or not self.positional.isdisjoint(settings)
            ):  # fmt: skip
                self._check_count(args, settings)
            for arg in args:
                engine = ENGINE_OF[type(arg)]
                if engine is not None:
                    if settings and "out" in settings:
                        raise SettingError(
                            f"{self.name}: out= is for raw arrays alone; of Tensors each result is a new "
                            f"one: write y = {self.name}(...)"
                        )
                    return engine.apply(self, args, settings)
            arrays = [a if type(a) is np.ndarray else _operand(a) for a in args]
            if self.together and float in map(type, arrays):
                arrays = single_floats(self, arrays, in_single_precision)
            return self.on_arrays(arrays, settings)
        except Exception as error:
            if not isinstance(error, DiptychError) or error.message.partition(":")[0] not in TABLE:
                refused(self.name, error, args=args, settings=settings)
            raise

    def _check_count(self, args: Sequence[Any], settings: dict[str, Any]) -> None:
        """ArgumentError unless there are as many arguments as compute takes; its settings, if they may
        stand among the arguments, are counted with them."""
        count = len(args) + sum([name in self.positional for name in settings if name != "out"])
        if self.fewest <= count and (self.most is None or count <= self.most):
            return
        more = "" if self.most == self.fewest else " or more" if self.most is None else f" to {self.most}"
        takes = f"{self.fewest}{more} argument(s) ({', '.join(self.inputs)})"
        raise ArgumentError(
            f"{self.name}: takes {takes}, not {len(args)}; settings go by name, and so does out="
        )

    def on_arrays(self, args: Sequence[Array], settings: dict[str, Any]) -> Any:
        """Compute on raw arrays and weak numbers; the result is an array or a tuple of them."""
        try:
            if self.examines:
                self.examine(args, settings)
            y = self.compute(*args, **settings) if settings else self.compute(*args)
        except Exception as error:
            raise self.explain(error, args, settings) from None
        if self.single:
            return y if type(y) is np.ndarray else _as_array(y)
        return tuple([part if type(part) is np.ndarray else _as_array(part) for part in y])

    def examine(self, args: Sequence[Any], settings: dict[str, Any]) -> None:
        """Refuse what infer refuses and compute would take."""
        self.infer(*[spec_of(arg) for arg in args], **settings)

    def explain(
        self, error: Exception, args: Sequence[Any], settings: dict[str, Any]
    ) -> Exception:
        """The error to raise for what `compute` raised: `infer` knows the better words."""
        if isinstance(error, DiptychError):
            return error
        try:
            specs = [spec_of(arg) for arg in args]
        except AttributeError:
            return DTypeError(f"{self.name}: {_strange(args)!r} is neither an array nor a number")
        try:
            self.infer(*specs, **settings)
        except DiptychError as better:
            return better
        except Exception:
            pass
        listed = ", ".join(str(spec) for spec in specs)
        if any(not is_weak(spec) and spec.dtype.kind not in "biufc" for spec in specs):
            return DTypeError(f"{self.name}({listed}): arrays must hold numbers ({error})")
        if isinstance(error, OverflowError):
            return DTypeError(f"{self.name}({listed}): {error}; cast the array to a wider dtype")
        if isinstance(error, (ValueError, IndexError)):
            kind = ShapeError if isinstance(error, ValueError) else RangeError
            return kind(f"{self.name}({listed}): {error}")
        return error

    def judged(self, count: int) -> list[int]:
        """The arguments, of so many, whose values compute may refuse."""
        if ... in self.judges:
            return list(range(self.judges[0], count))
        return [i for i in self.judges if i < count]

    def may_be(self, output: int, dtype: np.dtype[Any]) -> Sequence[int]:
        """The arguments over which an output of this dtype may be written: a ufunc's may be any, but NumPy's
        complex products have other last bits there."""
        if self.ufunc:
            return range(len(self.inputs)) if dtype.kind != "c" else ()
        inplace = self.hints.inplace
        return inplace if self.single or not inplace else inplace[output]

    def argument(self, position: int) -> str:
        """The name of an argument: as the rules call it, else its position."""
        return self.inputs[position] if position < len(self.inputs) else str(position)

    def carries_gradient(self, output: int, dtype: np.dtype[Any]) -> bool:
        """Whether an output of this dtype can have a cotangent at all."""
        if dtype.kind not in "fc":
            return False
        return self.outputs is None or self.outputs[output] not in self.constant


def _enter(op: Op) -> None:
    """Put an op into the table: its cell of a notebook may be run a second time."""
    before = TABLE.get(op.name)
    if before is not None:
        if before.line is None or op.line is None:
            raise GradientError(f"an op named {op.name!r} comes with Diptych; choose another name")
        warnings.warn_explicit(
            f"the op {op.name!r} made at {op.line} takes the place of the one made at {before.line}; what "
            "was built with that one keeps it",
            UserWarning, op.line.file, op.line.number,
        )  # fmt: skip
    TABLE[op.name] = op


def _argument_names(op: Op) -> tuple[str, ...]:
    """The arguments' names, read off the signature of a rule (or of compute)."""
    for rule in (op.joint, *op.rules):
        if isinstance(rule, (Rule, Joint)):
            written = rule.fn.__code__
            return written.co_varnames[2 : written.co_argcount]
    code = getattr(op.compute, "__code__", None)
    if code is not None:
        return tuple(name for name in code.co_varnames[: code.co_argcount] if name != "out")
    return ("x",) if len(op.rules) < 2 else tuple("abcdefgh"[: len(op.rules)])


def _arity(op: Op) -> tuple[int, int | None]:
    """The fewest and the most arguments that an op takes; None for any number of them."""
    if isinstance(op.compute, np.ufunc):
        return op.compute.nin, op.compute.nin
    written = getattr(op.compute, "__code__", None)
    if written is None:
        return 0, None
    most = written.co_argcount - ("out" in written.co_varnames[: written.co_argcount])
    fewest = written.co_argcount - len(op.compute.__defaults__ or ())
    return fewest, None if written.co_flags & inspect.CO_VARARGS else most


def _check_reads(op: Op) -> None:
    """A misspelt name in `reads` would keep nothing and fail far away: refuse it here."""
    known = {*op.inputs, *(op.outputs or ())}
    for rule in (op.joint, *op.rules):
        if isinstance(rule, (Rule, Joint)) and isinstance(rule.reads, str):
            if unknown := set(rule.reads.split()) - known:
                raise GradientError(
                    f"{op.name}: a rule reads {sorted(unknown)}, but the op's values are "
                    f"{sorted(known)}"
                )


def _operand(value: Any) -> Any:
    """What compute takes for a raw argument. A NumPy scalar is a 0-d array that lost its shape."""
    if isinstance(value, np.generic):
        return np.asarray(value)
    if isinstance(value, (list, tuple)):
        return as_array(value)
    return plain(value)


def _strange(values: Sequence[Any]) -> Any:
    """The first of the values that has no shape and is no number."""
    return next(v for v in values if not (is_weak(v) or hasattr(v, "shape")))


def _as_array(value: Any) -> Array:
    return np.asarray(value) if isinstance(value, (np.generic, int, float, complex)) else value


# --- elementwise ops -----------------------------------------------------------------------

VOCABULARY = (
    "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "abs", "floor", "ceil",
    "round", "erf", "erfc", "normcdf", "bell", "min", "max", "sign", "cast", "pow", "isnan",
)  # fmt: skip
"""The functions of which a `scalar` may be made, beside `+ - * / **`, comparisons, `a if c else b`.

Each gives one element what the op of that name gives it (`min` and `max`: minimum and maximum, so
NaN wins), signed zeros included; `bell(x)` is exp(-x^2 / 2), `**` is pow, and `cast(x, dtype)` takes a
setting. A number that is written out is weak: it takes the dtype of what stands beside it. Comparisons give
bools.
"""


def elementwise(
    name: str,
    compute: Callable[..., Array],
    scalar: str | None,
    *rules: Rule | Zero | Joint | None,
    dtype: Callable[..., np.dtype[Any]] | None = None,
    out: bool | None = None,
    inplace: tuple[int, ...] = (),
    workspace: float = 0,
    together: tuple[int, ...] | None = None,
    judges: tuple[int, ...] = (),
    admits: Callable[..., Any] | None = None,
    kind: type[Op] = Op,
    doc: str = "",
) -> Op:
    """An op that works on each element alone and broadcasts its arguments.

    `rules` is a rule for each argument, or one Joint. The dtype that comes out is the ufunc's own
    where `compute` is a NumPy ufunc; else `dtype` says it from the operands, by default NumPy's
    promotion of them all. `workspace`: how many more arrays like the result compute holds at once;
    `together`: as Op has it, by default all arguments; `judges`, `admits`: as Op has them; `kind`: a class of
    ops that is narrower than Op.
    """
    ufunc = compute if isinstance(compute, np.ufunc) else None

    def infer(*operands: Operand, **settings: Any) -> Spec:
        shape: Shape = broadcast_shapes(name, *operands)
        if dtype is not None:
            return Spec(shape, dtype(*operands, **settings))
        if ufunc is not None:
            return Spec(shape, ufunc_dtype(name, ufunc, operands))
        return Spec(shape, promote(*operands))

    def held(*operands: Operand, **settings: Any) -> int:
        y = infer(*operands, **settings)
        return int(workspace * math.prod(int(size) for size in y.shape) * y.dtype.itemsize)

    hints = PlannerHints(inplace=inplace, workspace=held if workspace else None)
    together = tuple(range(8)) if together is None else together
    joint = rules[0] if rules and isinstance(rules[0], Joint) else None
    made = kind(
        name, compute, infer, joint or [rule for rule in rules if not isinstance(rule, Joint)],
        out=ufunc is not None if out is None else out, scalar=scalar, together=together,
        hints=hints if inplace or workspace else NO_HINTS, judges=judges, admits=admits, doc=doc,
    )  # fmt: skip
    made.broadcasts = True
    return made
