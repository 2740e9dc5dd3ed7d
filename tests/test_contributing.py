"""Promise: what CONTRIBUTING shows as an example does what it says."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

import dynamic
import static
from shared import ops
from shared.nn import Module, Parameter
from static.compile.log import Log, Record
from static.compile.lower import lower
from static.graph.select import select
from tests import HOME
from tests.static.checker import check_block

EXAMPLES = re.findall(r"```python\n(.*?)```", (HOME / "CONTRIBUTING.md").read_text(), flags=re.S)


def defined(word: str, **known: Any) -> dict[str, Any]:
    """What the example that has this word in it defines."""
    (code,) = [example for example in EXAMPLES if word in example]
    names = dict(known)
    exec(code, names)
    return names


def test_the_layer() -> None:
    swish = defined("class Swish", Module=Module, Parameter=Parameter, np=np, ops=ops, Any=Any)["Swish"](2.0)
    x = np.float32([-1.0, 0.5])
    np.testing.assert_allclose(swish(dynamic.tensor(x)).numpy(), x / (1 + np.exp(-2 * x)), rtol=1e-6)


def test_the_pass() -> None:
    run = defined("def undo_transposes")["undo_transposes"]
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", (2, 3, 4))
        back = ops.transpose(ops.transpose(x, (2, 0, 1)), (1, 2, 0))
        other = ops.transpose(ops.transpose(x, (2, 0, 1)), (2, 0, 1))
    log = Log([Record("undo_transposes", 0, 0)])
    block = run(lower(select(graph, [back, other]), [x], [back, other]), log)
    check_block("undo_transposes", block)
    assert block.results[0] is block.fed[0]
    assert block.results[1] is not block.fed[0]
    assert "puts all axes back" in str(log)
