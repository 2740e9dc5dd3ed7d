"""Functions with a gradient of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared.dims import Dim
from shared.errors import GradientError, SettingError
from shared.op import Joint, Op
from shared.ops.gradients import stop_gradient
from shared.ops.shapes import as_tensor_like
from shared.rules import Wanted
from shared.spec import in_short, is_weak, str_shape

Function = Callable[..., Any]


def custom_gradient(function: Function | None = None, gradient: Function | None = None) -> Any:
    """`function`, differentiated by `gradient`: pure functions, written in ops.

        def pull(g, y, x):
            return g * ops.cast(ops.less(ops.abs(x), 1.0), g.dtype)

        straight_through = ops.custom_gradient(ops.sign, pull)

    function  `function(*xs, **settings)` gives y, one value or a tuple of them
    gradient  `gradient(g, y, *xs, **settings)` gives the cotangent of each x (alone, if there is one) from
              that of y: None where it is zero. Of several outputs g and y are tuples, and a cotangent that
              did not arrive is None
    `@ops.custom_gradient(gradient=pull)` stands before a function, too. Arrays and Tensors go by position;
    what goes by name is a setting. Second derivatives are those of the ops in `gradient`. What `function`
    reads beside its arguments gets no gradient: hand it in. In short what `tf.custom_gradient`,
    `jax.custom_vjp` and `torch.autograd.Function` do, for both engines.
    """
    if gradient is None or not callable(gradient):
        raise SettingError(f"custom_gradient: gradient must be a function, not {in_short(gradient)}")
    if function is None:
        return lambda given: custom_gradient(given, gradient)
    if not callable(function):
        raise SettingError(f"custom_gradient: takes a function, not {in_short(function)}")
    return _Custom(function, gradient)


class CustomOp(Op):
    """Gives its first arguments on, as many as it has outputs. The others are what the gradient is by."""

    def __init__(self, name: str, count: int, gradient: Function) -> None:
        outputs = ("y",) if count == 1 else tuple(f"y{i}" for i in range(count))

        def first(*values: Any, **_: Any) -> Any:
            return values[0] if count == 1 else values[:count]

        def pull(g: Any, y: Any, *values: Any, wanted: Wanted, **settings: Any) -> Sequence[Any]:
            xs = values[count:]
            found = gradient(g, y, *xs, **settings)
            parts = tuple(found) if isinstance(found, (tuple, list)) else (found,)
            if len(parts) != len(xs):
                raise GradientError(
                    f"{name}: its gradient gave {len(parts)} cotangents for {len(xs)} arguments; give one "
                    "for each, None where it is zero"
                )
            for i, (part, x) in enumerate(zip(parts, xs, strict=True)):
                if part is not None and wanted[count + i]:
                    _check_cotangent(f"{name}: its gradient by argument {i}", part, x)
            return [None] * count + list(parts)

        def reads(wanted: Wanted) -> set[str]:
            return {*outputs, *map(str, range(count, len(wanted)))}

        super().__init__(
            name, first, first, Joint(pull, reads), outputs=outputs, alias=tuple(range(count)), listed=False
        )


def _check_cotangent(place: str, g: Any, x: Any) -> None:
    """GradientError unless g has the shape of x, or one from which broadcasting x is undone."""
    shape = getattr(g, "shape", None)
    behind = () if shape is None else tuple(shape)[len(shape) - len(x.shape) :]
    if shape is None or len(behind) != len(x.shape) or not all(
        isinstance(a, Dim) or isinstance(b, Dim) or a == b or b == 1
        for a, b in zip(behind, x.shape, strict=True)
    ):
        given = in_short(g) if shape is None else f"of shape {str_shape(tuple(shape))}"
        raise GradientError(f"{place} is {given}, where the argument is {str_shape(tuple(x.shape))}")


class _Custom:
    """A function with a gradient of its own: what it computes is a constant, which a CustomOp gives on."""

    def __init__(self, function: Function, gradient: Function) -> None:
        self.function, self.gradient = function, gradient
        self.name = str(getattr(function, "name", None) or getattr(function, "__name__", "custom_gradient"))
        self.__name__, self.__doc__, self.__wrapped__ = self.name, function.__doc__, function
        self.ops: dict[int, Op] = {}

    def __call__(self, *xs: Any, **settings: Any) -> Any:
        xs = tuple([x if is_weak(x) else as_tensor_like(x) for x in xs])
        made = self.function(*[x if is_weak(x) else stop_gradient(x) for x in xs], **settings)
        ys = made if isinstance(made, tuple) else (made,)
        op = self.ops.get(len(ys))
        if op is None:
            op = self.ops.setdefault(len(ys), CustomOp(self.name, len(ys), self.gradient))
        found = op(*[stop_gradient(y) for y in ys], *xs, **settings)
        return (found,) if isinstance(made, tuple) and op.single else found
