"""Whatever writes a file, and wherever it is stopped: the old state is there or the new one, nothing else;
and after the next write nothing is left of the one that was stopped."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from comparisons.running import results
from shared import nn, ops, optim
from shared.data import download
from shared.durable import files
from shared.errors import DataError, DiskError
from shared.kernels import store
from tests.reliability.disks import Counting, Failing, Stopping, on

CONTENT = bytes(range(256)) * 40


@dataclass(frozen=True)
class Writer:
    """Something that writes.

    write   makes the state of a number in a folder
    read    what state the folder is in: a number; None if there is nothing yet
    lasting whether it promises to outlast a power cut
    """

    write: Callable[[Path, int], Any]
    read: Callable[[Path], int | None]
    lasting: bool = True


def _model(number: int) -> tuple[nn.Module, optim.Optimizer]:
    model = nn.Linear(2, 2)
    model.load_state_dict({name: np.full_like(a, number) for name, a in model.state_dict().items()})
    opt = optim.Adam(model.parameters(), lr=0.1)
    opt.steps.assign(number)
    return model, opt


def _save_checkpoint(folder: Path, number: int) -> None:
    model, opt = _model(number)
    nn.save_checkpoint(folder / "model.ckpt", model, opt, step=number)


def _load_checkpoint(folder: Path) -> int | None:
    model, opt = _model(0)
    if not (folder / "model.ckpt").exists():
        return None
    found = nn.load_checkpoint(folder / "model.ckpt", model, opt).step
    assert found is not None
    assert (model.weight.data == found).all() and opt.steps.data == found
    return found


def _save_by_saver(folder: Path, number: int) -> None:
    with static.Graph().as_default() as graph:
        static.Variable(np.full(3, number, np.float32), name="v")
        with static.Session(graph) as session:
            session.run(static.global_variables_initializer())
            static.Saver(max_to_keep=1).save(session, folder / "run", global_step=number)


def _load_by_saver(folder: Path) -> int | None:
    path = static.latest_checkpoint(folder)
    if path is None:
        return None
    listed = json.loads((folder / "checkpoint.json").read_text())
    assert {p.name for p in folder.glob("run-*")} <= set(listed)  # none is forgotten
    with static.Graph().as_default() as graph:
        v = static.Variable(np.zeros(3, np.float32), name="v")
        with static.Session(graph) as session:
            static.Saver().restore(session, path)
            (number,) = set(session.run(v).tolist())
    assert path.endswith(f"-{number:.0f}")
    return int(number)


def _save_graph(folder: Path, number: int) -> None:
    with static.Graph().as_default() as graph:
        y = static.constant(np.float32(number)) + 0
        graph.save(folder / "model.diptych", {"y": y})


def _load_graph(folder: Path) -> int | None:
    path = folder / "model.diptych"
    return int(static.load(path)()["y"]) if path.exists() else None


def _number(body: bytes) -> int:
    assert body[:-4] == CONTENT
    return int.from_bytes(body[-4:], "little")


def _remote(number: int, folder: Path) -> download.Remote:
    body = CONTENT + number.to_bytes(4, "little")
    (folder / "served").write_bytes(gzip.compress(body, mtime=0))
    address = (folder / "served").as_uri()
    return download.Remote("set/part.gz", (address,), hashlib.sha256(body).hexdigest(), len(body), gzip.open)


def _fetch(folder: Path, number: int) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "set" / "part.gz").unlink(missing_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIPTYCH_DATA", str(folder / "data"))
        download.fetch(_remote(number, folder))


def _fetched(folder: Path) -> int | None:
    path = folder / "data" / "set" / "part.gz"
    return _number(gzip.decompress(path.read_bytes())) if path.exists() else None


def _keep_kernel(folder: Path, number: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIPTYCH_CACHE", str(folder))
        store.write("kernel", "this machine", CONTENT + number.to_bytes(4, "little"))


def _kept_kernel(folder: Path) -> int | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIPTYCH_CACHE", str(folder))
        body = store.read("kernel", "this machine")
    return None if body is None else _number(body)


def _report(folder: Path, number: int) -> None:
    results.save({"format": results.FORMAT, "seed": number}, folder)


def _reported(folder: Path) -> int | None:
    return results.load(folder)["seed"] if (folder / results.NAME).exists() else None


WRITERS = {
    "checkpoint": Writer(_save_checkpoint, _load_checkpoint),
    "Saver": Writer(_save_by_saver, _load_by_saver),
    "archive": Writer(_save_graph, _load_graph),
    "download": Writer(_fetch, _fetched),
    "kernels": Writer(_keep_kernel, _kept_kernel, lasting=False),
    "report": Writer(_report, _reported),
}
each = pytest.mark.parametrize("writer", WRITERS.values(), ids=list(WRITERS))


def calls(writer: Writer, folder: Path) -> int:
    """How much the second write asks of the disk."""
    folder.mkdir()
    quickly(writer, folder, 1)
    counting = Counting()
    with on(counting):
        writer.write(folder, 2)
    assert {"create", "write", "rename"} <= set(counting.said)
    assert ("sync" in counting.said) == writer.lasting
    return counting.calls


def quickly(writer: Writer, folder: Path, number: int) -> None:
    """Write as a new process does, without waiting for the disk."""
    with on(Counting()):
        writer.write(folder, number)


def left(folder: Path) -> list[Path]:
    """What was being written, and is not any more."""
    return [path for path in folder.rglob("*") if files.OURS.fullmatch(path.name)]


@each
def test_a_write_that_is_stopped_leaves_the_old_or_the_new_and_the_next_one_tidies_up(
    writer: Writer, tmp_path: Path
) -> None:
    old = None if writer.write is _fetch else 1  # a download is of what was not there
    for n in range(1, calls(writer, tmp_path / "counted") + 1):
        folder = tmp_path / f"stopped-{n}"
        folder.mkdir()
        quickly(writer, folder, 1)
        with on(Stopping(n)):
            writer.write(folder, 2)
        assert writer.read(folder) in (old, 2), n
        quickly(writer, folder, 3)
        assert writer.read(folder) == 3
        assert not left(folder), n


@each
def test_a_power_cut_leaves_the_old_or_the_new(writer: Writer, tmp_path: Path) -> None:
    """And what was told to be written is: once the call has returned it is the new."""
    if not writer.lasting:
        return
    old = None if writer.write is _fetch else 1
    most = calls(writer, tmp_path / "counted") + 1
    for n in range(1, most + 1):
        folder = tmp_path / f"cut-{n}"
        folder.mkdir()
        quickly(writer, folder, 1)
        disk = Stopping(n)
        with on(disk):
            writer.write(folder, 2)
        disk.power_cut(folder)
        assert writer.read(folder) in ((old, 2) if n < most else (2,)), n
        quickly(writer, folder, 3)
        assert writer.read(folder) == 3


@each
def test_a_write_that_fails_says_so_and_leaves_the_old_or_the_new_and_nothing_else(
    writer: Writer, tmp_path: Path
) -> None:
    old = None if writer.write is _fetch else 1
    for n in range(1, calls(writer, tmp_path / "counted") + 1):
        folder = tmp_path / f"failed-{n}"
        folder.mkdir()
        quickly(writer, folder, 1)
        disk = Failing(n)
        with on(disk):
            if not writer.lasting:
                writer.write(folder, 2)  # a cache that can not be written to is none
            else:
                with pytest.raises((DiskError, DataError), match=r"disk is full|No space left"):
                    writer.write(folder, 2)
        assert writer.read(folder) in (old, 2), n
        assert not left(folder), n


def test_a_full_disk_is_the_projects_own_error_for_everything_that_writes(tmp_path: Path) -> None:
    """Those that are not in the list above, too."""
    x = dynamic.tensor([1.0], requires_grad=True)
    model, opt = _model(1)
    y = ops.exp(x)
    cases: dict[str, Callable[[], Any]] = {
        "save": lambda: model.save(tmp_path / "model"),
        "Adam.save": lambda: opt.save(tmp_path / "adam"),
        "draw": lambda: dynamic.draw(y, str(tmp_path / "y.svg")),
    }
    for call, write in cases.items():
        with on(Failing(2)), pytest.raises(DiskError, match=rf"{call}: .*{tmp_path}.*the disk is full; make"):
            write()
    assert list(tmp_path.iterdir()) == []
