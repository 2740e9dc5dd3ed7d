"""Tasks on a GPU, tried on a stand-in for CuPy: each as it runs on the CPU, and the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comparisons.tasks import TASKS
from comparisons.training.drive import ENGINES, EXACT, FAST, Training, script
from comparisons.training.task import Task
from shared.data import Split
from shared.kernels import on_gpu
from tests import HOME, standin


def few_trees(task: Task) -> Task:
    """The stand-in takes long for each op, and a tree takes many."""
    if task.loop != "trees":
        return task
    return replace(task, data=lambda: Split(*(part[:24] for part in task.examples)), batch_size=8)


APART = {"cnn_digits": 1e-5, "transformer_text": 1e-5}
"""How far a task's numbers may lie from the CPU's, as a share: its convolutions, or its attention, are
kernels there, which add up in another order than products of NumPy's."""
NOISE = "self_attn.in_proj_bias"
"""What a key's bias adds is the same for all keys, so it moves nothing: its gradient is rounding alone, which
Adam divides by its own size."""
HERE = [few_trees(task.with_steps(2)) for task in TASKS.values() if not task.fetched]


def trained(task: Task, engine: str, level: str = EXACT) -> Training:
    training = Training(task, engine, level=level)
    while training.advance() is not None:
        pass
    return training


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("task", HERE, ids=lambda task: task.name)
def test_a_task_gives_the_same_numbers_as_on_the_cpu(task: Task, engine: str) -> None:
    """Without any array that comes to the GPU or leaves it unasked: the stand-in refuses those."""
    expected = trained(task, engine)
    with standin.installed() as cupy:
        before = cupy.synchronized
        found = trained(task.on("cuda"), engine)
        assert cupy.synchronized > before + task.steps, "the clock was read before the GPU was done"
    apart = APART.get(task.name, 0.0)
    np.testing.assert_allclose(found.losses, expected.losses, rtol=apart)
    assert found.outcome is not None and expected.outcome is not None
    assert apart or found.outcome.accuracy == expected.outcome.accuracy
    for path, array in expected.outcome.states.items():
        if apart and path.endswith(NOISE):
            continue
        np.testing.assert_allclose(found.outcome.states[path], array, rtol=apart, atol=apart, err_msg=path)


@pytest.mark.skipif(shutil.which("g++") is None, reason="the stand-in's kernels are compiled by g++")
@pytest.mark.parametrize("task", HERE, ids=lambda task: task.name)
def test_at_fast_a_task_stays_as_near_as_on_the_cpu(task: Task) -> None:
    """By the passes that have a place there, and kernels of their own."""
    expected = trained(task, "static", FAST).losses
    with standin.installed():
        on_gpu.kernel_of.cache_clear()
        found = trained(task.on("cuda"), "static", FAST).losses
    on_gpu.kernel_of.cache_clear()
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_engines_agree_on_the_gpu_to_the_bit() -> None:
    with standin.installed():
        one, other = (trained(TASKS["cnn_digits"].with_steps(2).on("cuda"), engine) for engine in ENGINES)
    assert one.losses == other.losses


def test_the_script_that_is_shown_says_where_it_trains() -> None:
    for task in TASKS.values():
        for engine in ENGINES:
            assert "cuda" not in script(task, engine).train.__code__.co_consts
            module: Any = script(task.on("cuda"), engine)
            assert "cuda" in module.train.__code__.co_consts
    both = script(TASKS["mlp_digits"].on("cuda"), "static", FAST)
    assert {FAST, "cuda"} <= set(both.train.__code__.co_consts)


def run(*arguments: str, gpus: str | None = "1") -> subprocess.CompletedProcess[str]:
    path = [str(HOME), *([str(standin.FOLDER)] if gpus is not None else [])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path), "STANDIN_GPUS": gpus or ""}
    command = [sys.executable, "-m", "comparisons", "run", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_a_run_on_the_gpu_from_end_to_end(tmp_path: Path) -> None:
    done = run("mlp_digits", "--device", "cuda", "--steps", "3", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["device"] == "cuda" and report["host"]["gpu"]["name"] == "Stand-in"
    assert "--device cuda" in report["command"] and not report["experiments"]
    task = report["tasks"]["mlp_digits"]
    assert task["verify"]["equal"]
    peaks = [side["memory"]["peak"]["bytes"] for side in task["measure"]["engines"].values()]
    assert all(10_000 < peak < 10_000_000 for peak in peaks)
    index, page = ((tmp_path / f"{name}.html").read_text() for name in ("index", "mlp_digits"))
    assert "Stand-in, by CuPy" in index and "The experiments were left out" in index
    assert "CuPy kernels, on the GPU" in page and "NumPy kernels, on the CPU" not in page
    assert "of the GPU" in page and "tracemalloc" not in page
    other = run("mlp_digits", "--resume", "--steps", "3", "--out", str(tmp_path))
    assert other.returncode == 1 and "the device: cuda there, cpu here" in other.stderr


@pytest.mark.parametrize("gpus", ["0", *([None] if find_spec("cupy") is None else [])])
def test_without_a_gpu_nothing_is_run(tmp_path: Path, gpus: str | None) -> None:
    done = run("mlp_digits", "--device", "cuda", "--out", str(tmp_path / "out"), gpus=gpus)
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert "diptych[cuda12] or diptych[cuda13]" in done.stderr


@pytest.mark.parametrize("wrong", [["parallel"], ["stepper"], ["mlp_digits", "--peers", "torch"]])
def test_what_runs_on_the_cpu_alone_says_so(tmp_path: Path, wrong: list[str]) -> None:
    done = run(*wrong, "--device", "cuda", "--out", str(tmp_path / "out"))
    assert done.returncode == 2 and "on the CPU" in done.stderr
    assert not (tmp_path / "out").exists()
