"""Law 4, on PyTorch's own samples: a short run; the long one is `python -m tests.samples.ops`."""

from __future__ import annotations

from typing import Any

import pytest

from shared import ops as o
from tests.samples import words
from tests.samples.ops import ABSENT, BROKE, RIGHT, WRONG, each, op_db

torch = pytest.importorskip("torch", reason="PyTorch is not installed: the oracle laws need it")

SHORT = (
    r"^(__r\w+__|a?(sin|cos|tan)h?|abs|add|addcdiv|addcmul|atan2|ceil|clamp|copysign|digamma|div|erf\w*|exp\w*"
    r"|floor\w*|fmax|fmin|fmod|frac|hypot|isinf|lerp|lgamma|log\d*p?|logaddexp2?|logit|mul|nan_to_num|polygamma"
    r"|pow|remainder|sigmoid|sinc|sub|sum|trunc|where|xlogy)$"
)


def test_pytorch_s_samples_come_out_as_pytorch_has_them() -> None:
    found = list(each(SHORT, few=2))
    assert not [f for f in found if f.outcome in (WRONG, BROKE, ABSENT)]
    assert sum(f.outcome == RIGHT for f in found) >= 150


def test_every_line_is_of_an_op_that_pytorch_has() -> None:
    known = {name for info in op_db() for name in (info.name, f"{info.name}.{info.variant_test_name}")}
    assert {*words.WORDS, *words.LEFT, *words.THEIRS} <= known
    assert not {*words.WORDS} & {*words.LEFT}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (lambda x: o.cos(x), "result 0"),
        (lambda x: o.sin(x) + 0 * x + (o.cos(x) - o.cos(x.detach())), "gradient 0"),
        (lambda x: o.sum(o.sin(x)), "result 0: shape"),
    ],
)
def test_a_wrong_value_shape_or_gradient_is_noticed(monkeypatch: Any, line: Any, said: str) -> None:
    monkeypatch.setitem(words.WORDS, "sin", line)
    found = list(each("^sin$", few=1))
    assert {f.outcome for f in found} == {WRONG}
    assert all(f.why.startswith(said) for f in found)
