"""Real kills: processes that write without end get SIGKILL at any moment, again and again.

    python -m tests.reliability.kills 500

After each kill the folder holds the last state that the process said was written, or the one that it was
writing; a training that goes on from it has the losses of one that nothing stopped; and once the next process
has written, nothing is left of the dead one. Prints how many kills there were, and exits with 1 at the first
thing that is not so.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

import dynamic
from shared import nn, ops, optim
from shared.durable import files
from tests.reliability.test_crashes import WRITERS, Writer, left

X = np.random.RandomState(0).randn(8, 4).astype("float32")


def _made() -> tuple[nn.Module, optim.Optimizer]:
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 1))
    return model, optim.Adam(model.parameters(), lr=0.01)


def _step(model: nn.Module, opt: optim.Optimizer) -> float:
    loss = ops.mean(ops.square(model(dynamic.tensor(X))))
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


class Training:
    """A training that keeps a checkpoint of each step, with the loss. `losses` are those of one that was
    never stopped, as far as they are known."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.model, self.opt = _made()

    def write(self, folder: Path, number: int) -> None:
        """Go on from what is there, for the step of this number."""
        model, opt = _made()
        if (folder / "run").exists():
            nn.load_checkpoint(folder / "run", model, opt)
        while opt.steps.data < number:
            loss = _step(model, opt)
        nn.save_checkpoint(folder / "run", model, opt, step=number, extra={"loss": loss})

    def read(self, folder: Path) -> int | None:
        """The step that is there; its loss must be that of the run that nothing stopped."""
        if not (folder / "run").exists():
            return None
        model, opt = _made()
        step, extra = nn.load_checkpoint(folder / "run", model, opt)
        assert step == opt.steps.data
        while len(self.losses) < step:
            self.losses.append(_step(self.model, self.opt))
        assert extra["loss"] == self.losses[step - 1], (step, extra, self.losses[step - 1])
        return step


def _in_scratch(folder: Path, number: int) -> None:
    tempfile.tempdir = str(folder)
    with files.scratch() as place:
        (place / "big").write_bytes(bytes(1000))


TRAINING = Training()
VICTIMS = WRITERS | {
    "training": Writer(TRAINING.write, TRAINING.read),
    "folders": Writer(_in_scratch, lambda folder: None),
}


def kill_one(writer: Writer, folder: Path, at: float) -> None:
    """Have a child write state after state, kill it, and look at what it has left."""
    before = writer.read(folder)
    ours, its = os.pipe()
    child = os.fork()
    if not child:
        try:
            number = before or 0
            while True:
                number += 1
                writer.write(folder, number)
                os.write(its, number.to_bytes(4, "little"))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(its)
    time.sleep(at)
    os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == -signal.SIGKILL, f"the child ended by itself, with {status}"
    said = b""
    while chunk := os.read(ours, 1 << 16):
        said += chunk
    os.close(ours)
    done = int.from_bytes(said[-4:], "little") if said else before or 0
    found = writer.read(folder)
    fine = {done, done + 1} | ({None} if writer.write is _fetch or not done else set())
    assert found in fine or writer.write is _in_scratch, f"{done} was written, and {found} is there"


_fetch = WRITERS["download"].write


def main(kills: int, say: Callable[[str], None] = print) -> None:
    """So many kills, the victims in turns."""
    draw = random.Random(int.from_bytes(os.urandom(4), "little"))
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        for number in range(kills):
            name = list(VICTIMS)[number % len(VICTIMS)]
            folder, writer = Path(place, name), VICTIMS[name]
            folder.mkdir(exist_ok=True)
            kill_one(writer, folder, draw.uniform(0.0, 0.05))
            writer.write(folder, (writer.read(folder) or 0) + 1)
            assert not left(folder), f"{name}: {left(folder)} are left after the next write"
    seconds = time.perf_counter() - start
    say(f"{kills} kills of {len(VICTIMS)} writers in {seconds:.0f} s: nothing lost, nothing left behind")


if __name__ == "__main__":
    main(int(sys.argv[1]))
