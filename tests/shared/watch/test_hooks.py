"""Watching ops on either engine: the same hooks see the same ops."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops
from shared.errors import ArgumentError
from shared.watch import hooks
from shared.watch.hooks import Event, Hook, watching
from shared.watch.nan import NanFinder
from shared.watch.profiler import Profiler


class Seen(Hook):
    """Writes down what it is shown."""

    def __init__(self) -> None:
        self.ops: list[tuple[str, str]] = []

    def after(self, event: Event) -> None:
        self.ops.append((event.phase, event.op.name))


def model() -> nn.Module:
    nn.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


DATA = np.ones((5, 3), np.float32)


def test_both_engines_show_a_hook_the_same_forward_ops() -> None:
    eager, planned = Seen(), Seen()
    with watching(eager):
        model()(dynamic.tensor(DATA))
    with static.Graph().as_default():
        x = static.placeholder("float32", (None, 3))
        y = model()(x)
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            with watching(planned):
                session.run(y, {x: DATA})
            session.run(y, {x: DATA})
    assert eager.ops == planned.ops == [("forward", name) for name in ("linear", "tanh", "linear")]


def test_backward_is_shown_too() -> None:
    seen = Seen()
    loss = ops.sum(model()(dynamic.tensor(DATA)))
    with watching(seen):
        loss.backward()
    assert [name for phase, name in seen.ops if phase == "backward"] == ["sum", "linear", "tanh", "linear"]


def test_a_hook_sees_its_own_thread_only() -> None:
    seen = Seen()
    with watching(seen):
        thread = threading.Thread(target=lambda: ops.exp(dynamic.tensor(1.0)))
        thread.start()
        thread.join()
    assert seen.ops == []


def test_what_is_no_hook_is_refused_and_leaves_nobody_watching() -> None:
    for wrong in (dynamic.tensor([1.0, 2.0]), 3, Profiler):
        with pytest.raises(ArgumentError, match=r"watching: takes Hooks"), watching(wrong):
            pass
    assert not hooks.active and not hooks.hooks()


def test_a_profile_counts_calls_time_and_bytes(tmp_path: Path) -> None:
    with watching(Profiler()) as (profile,):
        loss = ops.sum(model()(dynamic.tensor(DATA)))
        loss.backward()
    rows = {(row.phase, row.op): row for row in profile.totals()}
    forward = rows["forward", "linear"]
    assert forward.calls == 2 and forward.seconds > 0
    tanh = rows["forward", "tanh"]
    assert tanh.bytes == 5 * 4 * 4
    assert "linear" in profile.table() and "tanh" in profile.table()
    profile.save_trace(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert len(events) == len(profile.spans) and {"ts", "dur", "name", "ph"} <= set(events[0])


def test_the_nan_finder_names_the_op_the_inputs_and_the_line() -> None:
    x = dynamic.tensor([1.0, -1.0], requires_grad=True)
    with np.errstate(all="ignore"), watching(NanFinder()), pytest.raises(ArithmeticError) as caught:
        ops.exp(ops.log(x))  # the culprit
    for words in ("log, forward", "from -1 to 1", "the culprit"):
        assert words in str(caught.value)


def test_the_nan_finder_finds_it_in_backward() -> None:
    x = dynamic.tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(all="ignore"), watching(NanFinder()):
        y = ops.sum(ops.sqrt(x))  # the slope at 0 is infinite
        with pytest.raises(ArithmeticError, match=r"sqrt, backward.*the slope at 0"):
            y.backward()


def test_the_nan_finder_works_inside_a_session_and_names_the_node() -> None:
    with static.Graph().as_default():
        x = static.placeholder("float32", (None,))
        y = ops.log(x) + 1  # built here
        said = pytest.raises(ArithmeticError, match=r"node 'log'.*built here")
        with static.Session() as session, np.errstate(all="ignore"), watching(NanFinder()), said:
            session.run(y, {x: [-1.0]})


def test_anomaly_mode_shows_the_forward_line_of_a_backward_error() -> None:
    from shared.op import TABLE, Op, Rule
    from shared.spec import Spec

    def broken(g: Any, y: Any, x: Any) -> Any:
        raise ZeroDivisionError("broken rule")

    op = Op("broken", lambda x: x * 2, lambda x: Spec(x.shape, x.dtype), [Rule(broken)])
    try:
        with dynamic.anomaly():
            y = op(dynamic.tensor(1.0, requires_grad=True))  # forward ran here
            with pytest.raises(RuntimeError, match=r"broken rule.*forward ran here"):
                y.backward()
    finally:
        del TABLE["broken"]


def test_anomaly_mode_finds_nan_made_in_backward() -> None:
    with dynamic.anomaly(), np.errstate(all="ignore"):
        y = ops.sum(ops.sqrt(dynamic.tensor([0.0], requires_grad=True)))  # forward ran here
        with pytest.raises(RuntimeError, match=r"sqrt gave NaN or infinity.*forward ran here"):
            y.backward()
