"""A short run of what `python -m tests.fuzz 250000` does at length."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops
from shared.errors import ArgumentError, DiptychError, RangeError, SettingError, ShapeError, TooLargeError
from shared.usage.door import door

HOME = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform knows no fork")
def test_garbage_gives_results_or_errors_that_name_the_call() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "3000"], cwd=HOME, capture_output=True, text=True, timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TypeError("no"), ArgumentError), (StopIteration(), ArgumentError),
        (AttributeError("no"), ArgumentError),
        (IndexError("no"), RangeError), (OverflowError("no"), SettingError), (ValueError("no"), SettingError),
        (MemoryError("no"), TooLargeError), (RecursionError("no"), ArgumentError),
    ],
)  # fmt: skip
def test_what_python_would_say_is_said_in_our_words(
    error: Exception, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def function(x: object, size: int = 1) -> None:
        raise error

    monkeypatch.setattr("shared.usage.door.is_ours", lambda file: True)
    words = r"resize\(3, size=2\): .*it is called as resize\(x, size=\.\.\.\)"
    with pytest.raises(kind, match=words) as caught:
        door(function, "resize")(3, size=2)
    assert caught.value.__cause__ is error
    with pytest.raises(ArgumentError, match=r"resize\(\): .*missing 1 required positional argument: 'x'"):
        door(function, "resize")()


def test_what_the_callers_own_function_raises_goes_through_as_it_is() -> None:
    def own(*_: object) -> object:
        return {}["their key"]

    for call in (
        lambda: ops.while_loop(lambda i: True, own, [0]),
        lambda: static.cond(static.constant(True), own, own),
        lambda: static.scan(own, static.constant(0.0), static.constant([1.0])),
    ):
        with static.Graph().as_default(), pytest.raises(KeyError, match=r"^'their key'$") as caught:
            call()
        assert type(caught.value) is KeyError


X, BIAS = np.ones((2, 3), np.float32), np.ones(3, np.float32)
T = static.constant(True)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: ops.cast(np.dtype("float32"), X), DiptychError, "cast"),
        (lambda: ops.scan(lambda c, x: (c, x), 1.0, 2.0), DiptychError, "scan"),
        (lambda: static.get_variable("v", (-1, -1)), SettingError, "get_variable: .* sizes from 0 up"),
        (lambda: ops.normal(0, (0, 1)), DiptychError, "normal"),
        (lambda: static.cond(T, T, T), DiptychError, r"cond\(.*is called as cond\(pred, true_fn"),
        (lambda: dynamic.tensor([float("inf")], dtype="int64"), DiptychError, "tensor.*infinity"),
        (lambda: ops.sum(X, keepdims=np.ones(3)), DiptychError, "sum"),
        (lambda: ops.layer_norm(X, 2**40, bias=BIAS), ShapeError, "layer_norm: the last axes of x"),
        (lambda: ops.pow(X), ArgumentError, r"pow: takes 2 argument\(s\) \(a, b\), not 1"),
        (lambda: ops.zeros((2**40, 2**20)), TooLargeError, r"zeros\(.*called as zeros\(shape"),
        (lambda: nn.manual_seed([1, [2]]), SettingError, "manual_seed: a seed is a whole number from 0"),
    ],
)  # fmt: skip
def test_arguments_that_once_came_out_as_something_else(call: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call()
