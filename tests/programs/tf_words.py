"""The words of `effects.py` in TensorFlow's graph mode, `tf.compat.v1`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow

tf = tensorflow.compat.v1
tf.disable_v2_behavior()


class TensorFlow:
    """The words. What is put is read from the value that was put, not from the variable, which a later
    assignment of the same run may have changed by then."""

    name_scope, variable_scope = staticmethod(tf.name_scope), staticmethod(tf.variable_scope)
    control_dependencies, group = staticmethod(tf.control_dependencies), staticmethod(tf.group)
    get_variable, stop_gradient = staticmethod(tf.get_variable), staticmethod(tf.stop_gradient)
    identity, cond = staticmethod(tf.identity), staticmethod(tf.cond)

    def __init__(self) -> None:
        self.log: list[str] = []
        self.variables: list[Any] = []

    def variable(self, value: Any, name: str) -> Any:
        dtype = tf.int32 if isinstance(value, int) else tf.float32
        self.variables.append(tf.Variable(value, name=name, dtype=dtype, use_resource=True))
        return self.variables[-1]

    def put(self, variable: Any, value: Any) -> Any:
        new = tf.convert_to_tensor(value, variable.dtype)
        with tf.control_dependencies([variable.assign(new, read_value=False)]):
            return tf.identity(new)

    def add(self, variable: Any, value: Any) -> Any:
        return self.put(variable, variable.read_value() + value)

    def say(self, x: Any, word: str) -> Any:
        def said(array: Any) -> Any:
            self.log.append(word)
            return np.float32(array)

        made = tf.py_func(said, [x], tf.float32)
        made.set_shape(())
        return made

    def check(self, x: Any) -> Any:
        return tf.debugging.Assert(x > -100.0, [x])

    def loop(self, trips: int, body: Callable[[Any], Any], start: Any) -> Any:
        return tf.while_loop(lambda k, c: k < trips, lambda k, c: (k + 1, body(c)), (tf.constant(0), start))[
            1
        ]


def on_tensorflow(program: Any, wanted: Sequence[Sequence[str]], feeds: Sequence[float]) -> Any:
    """What `effects.on_static` gives; or the error with which TensorFlow refuses the program."""
    words = TensorFlow()
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, (), name="x")
        try:
            made, named = program(words, x)
        except (TypeError, ValueError) as error:
            return error
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            values: list[Any] = []
            for fetch, fed in zip(wanted, feeds, strict=True):
                try:
                    values += [float(v) for v in session.run([made[name] for name in fetch], {x: fed})]
                except tf.errors.InvalidArgumentError:
                    values.append("refused")
            held = [float(session.run(v)) for v in words.variables]
        return values, words.log, held, [what.op.name for what in named]
