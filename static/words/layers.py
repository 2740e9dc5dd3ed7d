"""`static.layers`: functions that make their variables, in scopes as `get_variable` does, and their classes.

Variables are called `dense/kernel`, `dense/bias`, and so on. A layer that is called in a variable scope which
is entered once more with reuse=True shares them, as does one of these classes that is called again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared import ops
from shared.dims import Dim, product
from shared.errors import ShapeError
from shared.spec import str_shape
from static.control.cond import cond
from static.graph.collections import REGULARIZATION_LOSSES, add_to_collection
from static.graph.graph import Tensor, call_within, current_call, get_default_graph
from static.graph.operands import as_tensor, constant
from static.graph.scopes import AUTO_REUSE, VariableScope, get_variable, variable_scope
from static.graph.variables import Variable
from static.words import images, nn
from static.words.initializers import Ones, Zeros


class Layer:
    """A layer with its settings. `layer(x)` makes its variables at the first call, and shares them from then
    on.

    name        of its variable scope; a numbered one of its own kind if None
    trainable   whether optimisers may change its variables
    """

    kind = "layer"
    call: Any
    """The layer of a Tensor: what subclasses write."""

    def __init__(self, name: str | None = None, trainable: bool = True, reuse: Any = None) -> None:
        self._scope: VariableScope | None = None
        self._named, self._reuse = name, reuse
        self.trainable = trainable
        self.variables: list[Variable] = []

    @property
    def name(self) -> str:
        """The path of its variables, once it was called."""
        return self._scope.name if self._scope is not None else self._named or self.kind

    @property
    def trainable_variables(self) -> list[Variable]:
        """Those of its variables that optimisers may change."""
        return [variable for variable in self.variables if variable.trainable]

    trainable_weights, weights = trainable_variables, property(lambda self: self.variables)

    def __call__(self, inputs: Any, **settings: Any) -> Any:
        where = self._scope or self._named
        reuse = AUTO_REUSE if self._scope is not None else self._reuse
        with variable_scope(where, self.kind, reuse=reuse) as scope:
            self._scope = scope
            return self.call(as_tensor(inputs), **settings)

    apply = __call__

    def add(
        self, name: str, shape: Any, initializer: Any, regularizer: Any = None, trainable: bool = True
    ) -> Variable:
        """A variable of the layer's."""
        if any(isinstance(size, Dim) for size in shape):
            raise ShapeError(
                f"{self.kind}: its {name} would be {str_shape(tuple(shape))}, and a variable's sizes have to "
                "be known; give the placeholder its last size"
            )
        made = get_variable(
            name, shape, None, initializer, regularizer, trainable=trainable and self.trainable
        )
        if not any(made is known for known in self.variables):
            self.variables.append(made)
        return made


def _finished(layer: Any, y: Any) -> Any:
    """What the activation makes of a layer's result, whose penalty is noted."""
    y = y if layer.activation is None else layer.activation(y)
    if layer.activity_regularizer is not None:
        add_to_collection(REGULARIZATION_LOSSES, layer.activity_regularizer(y))
    return y


class Dense(Layer):
    """activation(x kernel + bias) along the last axis: kernel (in, units), Glorot's; bias zeros."""

    kind = "dense"

    def __init__(
        self, units: int, activation: Any = None, use_bias: bool = True, kernel_initializer: Any = None,
        bias_initializer: Any = None, kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, trainable: bool = True, name: str | None = None, reuse: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name, trainable, reuse)
        self.units, self.activation, self.use_bias = int(units), activation, use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer or Zeros
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.activity_regularizer = activity_regularizer

    def call(self, x: Tensor) -> Any:
        sizes = (x.shape[-1], self.units)
        self.kernel = self.add("kernel", sizes, self.kernel_initializer, self.kernel_regularizer)
        y = ops.matmul(x, self.kernel)
        if self.use_bias:
            self.bias = self.add("bias", (self.units,), self.bias_initializer, self.bias_regularizer)
            y = y + self.bias
        return _finished(self, y)


class Conv2D(Layer):
    """activation(convolution with kernel (KH, KW, in, filters) + bias) of images (N, H, W, C)."""

    kind = "conv2d"

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str = "channels_last", dilation_rate: Any = (1, 1), activation: Any = None,
        use_bias: bool = True, kernel_initializer: Any = None, bias_initializer: Any = None,
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        trainable: bool = True, name: str | None = None, reuse: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name, trainable, reuse)
        self.filters, self.kernel_size = int(filters), images.pair(self.kind, "kernel_size", kernel_size)
        self.strides = images.pair(self.kind, "strides", strides)
        self.padding, self.data_format, self.dilation_rate = padding.upper(), data_format, dilation_rate
        self.activation, self.use_bias = activation, use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer or Zeros
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.activity_regularizer = activity_regularizer

    def call(self, x: Tensor) -> Any:
        channels = x.shape[images.channels_of(self.kind, self.data_format)]
        sizes = self.sizes(channels)
        self.kernel = self.add("kernel", sizes, self.kernel_initializer, self.kernel_regularizer)
        y = self.convolved(x)
        if self.use_bias:
            self.bias = self.add("bias", (self.filters,), self.bias_initializer, self.bias_regularizer)
            channels_first = images.channels_of(self.kind, self.data_format) == 1
            y = nn.bias_add(y, self.bias, "NCHW" if channels_first else None)
        return _finished(self, y)

    def sizes(self, channels: Any) -> tuple[Any, ...]:
        """The kernel's."""
        return (*self.kernel_size, channels, self.filters)

    def convolved(self, x: Tensor) -> Any:
        """The convolution, without bias."""
        return images.conv2d(
            x, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate
        )


class Conv2DTranspose(Conv2D):
    """activation(transposed convolution with kernel (KH, KW, filters, in) + bias) of images (N, H, W, C)."""

    kind = "conv2d_transpose"

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str = "channels_last", activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = None, bias_initializer: Any = None, **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, (1, 1), activation, use_bias,
            kernel_initializer, bias_initializer, **settings,
        )  # fmt: skip

    def sizes(self, channels: Any) -> tuple[Any, ...]:
        return (*self.kernel_size, self.filters, channels)

    def convolved(self, x: Tensor) -> Any:
        return images.conv2d_transpose(x, self.kernel, None, self.strides, self.padding, self.data_format)


class BatchNormalization(Layer):
    """Ioffe and Szegedy 2015, over all axes but one.

    Called with training=True, or a Tensor of one bool, it goes by the batch's own mean and variance, and
    moves `moving_mean` and `moving_variance` by 1 - momentum towards them: in UPDATE_OPS, and in whatever
    `minimize` makes of a loss that depends on it. Otherwise it goes by the moving ones.
    """

    kind = "batch_normalization"

    def __init__(
        self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True,
        scale: bool = True, beta_initializer: Any = None, gamma_initializer: Any = None,
        moving_mean_initializer: Any = None, moving_variance_initializer: Any = None,
        beta_regularizer: Any = None, gamma_regularizer: Any = None, trainable: bool = True,
        name: str | None = None, reuse: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name, trainable, reuse)
        self.axis, self.momentum, self.epsilon = axis, momentum, epsilon
        self.center, self.scale = center, scale
        self.starts = {
            "gamma": gamma_initializer or Ones, "beta": beta_initializer or Zeros,
            "moving_mean": moving_mean_initializer or Zeros,
            "moving_variance": moving_variance_initializer or Ones,
        }  # fmt: skip
        self.regularizers = {"gamma": gamma_regularizer, "beta": beta_regularizer}

    def call(self, x: Tensor, training: Any = False) -> Any:
        axis = self.axis % len(x.shape)

        def own(name: str, trainable: bool = True) -> Any:
            start, penalty = self.starts[name], self.regularizers.get(name)
            return self.add(name, (x.shape[axis],), start, penalty, trainable)

        gamma, beta = own("gamma") if self.scale else None, own("beta") if self.center else None
        mean, variance = own("moving_mean", False), own("moving_variance", False)
        others = tuple(i for i in range(len(x.shape)) if i != axis)

        def normalised(mean: Any, variance: Any) -> Any:
            row = [1 if i in others else -1 for i in range(len(x.shape))]
            m, v, b, g = (None if p is None else ops.reshape(p, row) for p in (mean, variance, beta, gamma))
            return nn.batch_normalization(x, m, v, b, g, self.epsilon)

        def trained() -> Any:
            by = nn.moments(x, others)
            # As a module's call, so that what it assigns are updates, which `minimize` runs.
            with call_within(get_default_graph(), "update", current_call.get(), module=True):
                for kept, new in zip((mean, variance), by, strict=True):
                    value = kept.value() * self.momentum + new * (1 - self.momentum)
                    get_default_graph().assign(kept, value, update=True)
                return normalised(*by)

        def judged() -> Any:
            return normalised(mean.value(), variance.value())

        if isinstance(training, (Tensor, Variable)):
            return cond(training, trained, judged)
        return trained() if training else judged()


class Dropout(Layer):
    """Elements dropped with probability `rate` when it is called with training=True, or a Tensor of it."""

    kind = "dropout"

    def __init__(
        self, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed

    def call(self, x: Tensor, training: Any = False) -> Any:
        def dropped() -> Any:
            return nn.dropout(x, None, self.noise_shape, self.seed, self.rate)

        if isinstance(training, (Tensor, Variable)):
            return cond(training, dropped, lambda: constant(1, x.dtype) * x)
        return dropped() if training else x


class Flatten(Layer):
    """Images and the like as rows: all axes but the first made one."""

    kind = "flatten"

    def call(self, x: Tensor) -> Any:
        return ops.reshape(x, (x.shape[0], product(x.shape[1:])))


class _Pooling2D(Layer):
    pool: Any = None

    def __init__(
        self, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name)
        self.pool_size = images.pair(self.kind, "pool_size", pool_size)
        self.strides = images.pair(self.kind, "strides", strides)
        self.padding, self.data_format = padding.upper(), data_format

    def call(self, x: Tensor) -> Any:
        return type(self).pool(x, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling2D(_Pooling2D):
    """The largest element of each window."""

    kind, pool = "max_pooling2d", staticmethod(images.max_pool)


class AveragePooling2D(_Pooling2D):
    """The mean of each window."""

    kind, pool = "average_pooling2d", staticmethod(images.avg_pool)


def function_of(kind: type[Layer]) -> Callable[..., Any]:
    """The function that makes such a layer and calls it once: `dense(x, 10)` is `Dense(10)(x)`."""

    def layer(inputs: Any, *args: Any, name: str | None = None, **settings: Any) -> Any:
        called = {"training": settings.pop("training")} if "training" in settings else {}
        settings["name"] = name
        return kind(*args, **settings)(inputs, **called)

    layer.__name__, layer.__doc__ = kind.kind, f"`{kind.__name__}(...)(inputs)`: {kind.__doc__}"
    return layer


dense, conv2d, conv2d_transpose = map(function_of, (Dense, Conv2D, Conv2DTranspose))
batch_normalization, dropout, flatten = map(function_of, (BatchNormalization, Dropout, Flatten))
max_pooling2d, average_pooling2d = map(function_of, (MaxPooling2D, AveragePooling2D))


def fully_connected(
    inputs: Any, num_outputs: int, activation_fn: Any = ops.relu, weights_initializer: Any = None,
    weights_regularizer: Any = None, biases_initializer: Any = Zeros, reuse: Any = None, scope: Any = None,
) -> Any:  # fmt: skip
    """`contrib.layers`' word for `dense`; relu unless another activation_fn, or None, is given."""
    name = scope if isinstance(scope, str) or scope is None else scope.name
    layer = Dense(
        num_outputs, activation_fn, biases_initializer is not None, weights_initializer, biases_initializer,
        weights_regularizer, name=name, reuse=reuse,
    )  # fmt: skip
    layer.kind = "fully_connected"
    return layer(inputs)
