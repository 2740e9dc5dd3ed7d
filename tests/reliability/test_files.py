"""What the disk refuses, what others have left, and where caches lie."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import dynamic
import static
from comparisons.command_line.commands import main
from shared import nn, ops, optim
from shared.data import data_directory
from shared.durable import files
from shared.errors import DataError, DiptychError, DiskError, SettingError
from shared.kernels import machine, store

HOME = Path(__file__).resolve().parents[2]
compiles = pytest.mark.skipif(bool(machine.available()), reason=f"no kernels here: {machine.available()}")


def saves() -> dict[str, Callable[[Any], Any]]:
    """Everything that writes to a path that the user gives, by the name in its errors."""
    model = nn.Linear(2, 2)
    x = dynamic.tensor([1.0], requires_grad=True)
    y = ops.exp(x)

    def by_saver(path: Any) -> Any:
        with static.Graph().as_default() as graph:
            static.Variable(1.0, name="v")
            with static.Session(graph) as session:
                session.run(static.global_variables_initializer())
                return static.Saver().save(session, path)

    def graph(path: Any) -> Any:
        with static.Graph().as_default() as g:
            g.save(path, {"y": static.constant(1.0) + 0})

    return {
        "save": model.save,
        "SGD.save": optim.SGD(model.parameters(), 0.1).save,
        "save_checkpoint": lambda path: nn.save_checkpoint(path, model),
        "Saver.save": by_saver,
        "save:": graph,
        "draw": lambda path: dynamic.draw(y, f"{path}.svg" if path and type(path) is str else path),
    }


# --- what the disk refuses -----------------------------------------------------------------


@pytest.mark.parametrize("call", saves())
def test_a_missing_folder_is_named_with_the_cure_and_no_path_is_no_path(call: str, tmp_path: Path) -> None:
    path = tmp_path / "no" / "such"
    with pytest.raises(FileNotFoundError, match=rf"{call}.*/no/.*there is no folder {path.parent}; make it"):
        saves()[call](str(path))
    for wrong in (None, 3, b"bytes", "", "a\0b"):
        with pytest.raises(SettingError, match=r"takes a path, a str or a Path|is no path"):
            saves()[call](wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("call", saves())
def test_the_kinds_of_refusal_have_their_own_words_and_classes(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, kind, words in (
        (errno.ENOSPC, OSError, "the disk is full; make room"),
        (errno.EACCES, PermissionError, "permission is denied; take another folder"),
        (errno.EROFS, PermissionError, "the disk can only be read; take a folder on another one"),
        (errno.EDQUOT, OSError, "your share of the disk is used up"),
        (errno.EBADMSG, OSError, "take another folder"),
    ):
        class Refusing(files.Disk):
            def create(self, path: str, number: int = number) -> Any:
                raise OSError(number, os.strerror(number))

        monkeypatch.setattr(files, "disk", Refusing())
        with pytest.raises(kind, match=words) as caught:
            saves()[call](str(tmp_path / "file"))
        assert isinstance(caught.value, DiskError) and caught.value.errno == number


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(DiskError, match="it is a folder; give the path of a file"):
        nn.Linear(2, 2).save(tmp_path / "folder")
    with pytest.raises(SettingError, match="/dev/null is a device or pipe"):
        nn.Linear(2, 2).save("/dev/null")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    nn.Linear(2, 2).save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").is_file()


def test_what_is_to_be_read_and_is_not_there_is_named(tmp_path: Path) -> None:
    model = nn.Linear(2, 2)
    path = tmp_path / "model"
    for load in (model.load, optim.Adam(model.parameters()).load, nn.load_checkpoint, static.load):
        with pytest.raises(FileNotFoundError, match=f"{path} can not be read: there is no such") as caught:
            load(path)
        assert isinstance(caught.value, DiskError)
        with pytest.raises(DiskError, match="it is a folder"):
            load(tmp_path)
        with pytest.raises(SettingError, match="/dev/zero is a device or pipe"):
            load("/dev/zero")


def test_a_step_or_a_name_that_can_not_be_written_spoils_nothing_for_the_next_save(tmp_path: Path) -> None:
    v = static.Variable(1.0, name="v")
    with static.Session() as session:
        session.run(v.initializer)
        saver = static.Saver([v])
        with pytest.raises(DiskError, match=r"the name is too long"):
            saver.save(session, tmp_path / ("long" * 99), 1)
        for wrong in (-1, 2.5, "3", True, float("inf")):
            with pytest.raises(SettingError, match=r"Saver.save"):
                saver.save(session, tmp_path / "model", wrong)  # type: ignore[arg-type]
        saver.save(session, tmp_path / "model", np.float64(3))  # as an optimiser counts
        assert static.latest_checkpoint(tmp_path) == str(tmp_path / "model-3")


@pytest.mark.parametrize(
    "nonsense", ['{"a": 1}', "3", '["run-1", 2]', "[", '["../run-1"]', "null", "\xff\xfe"]
)
def test_a_list_of_checkpoints_that_is_none_is_named_before_anything_is_written(
    nonsense: str, tmp_path: Path
) -> None:
    (tmp_path / "checkpoint.json").write_text(nonsense, encoding="latin-1")
    with pytest.raises(DataError, match=r"checkpoint.json should be a list of the files .* delete it"):
        static.latest_checkpoint(tmp_path)
    with pytest.raises(DataError, match=r"Saver.save: .*checkpoint.json should be a list"):
        saves()["Saver.save"](tmp_path / "run")
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.json"]


def test_where_there_is_no_home_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("DIPTYCH_DATA", "DIPTYCH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(DiskError, match=r"there is no home directory .*; set DIPTYCH_DATA to a folder"):
        data_directory()
    found = CliRunner().invoke(main, ["fetch", "mnist"])
    assert found.exit_code == 1 and "set DIPTYCH_DATA" in found.output and "Traceback" not in found.output
    assert CliRunner().invoke(main, ["list"]).exit_code == 0
    assert store.read("name", "machine") is None
    store.write("name", "machine", b"code")  # nowhere, and without a word


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, found in (("DIPTYCH_CACHE", store.directory), ("DIPTYCH_DATA", data_directory)):
        monkeypatch.setenv(name, "~/kept")
        assert found().is_relative_to(tmp_path / "kept")


@pytest.mark.parametrize("command", [["run", "ablation", "--out"], ["bench", "tiny", "--json"]])
def test_a_report_that_can_not_be_written_is_said_before_the_first_work(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: Any) -> Any:
        raise AssertionError("this is work")

    monkeypatch.setattr("comparisons.running.run.run", work)
    monkeypatch.setattr("comparisons.bench.command.bench", work)
    (tmp_path / "file").write_text("")
    found = CliRunner().invoke(main, [*command, str(tmp_path / "file" / "inside" / "out")])
    assert found.exit_code == 1
    assert "a part of the path is a file" in found.output and "Traceback" not in found.output


# --- what others have left -----------------------------------------------------------------


def a_dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_next_writer_removes_what_a_dead_one_left_and_nothing_else(tmp_path: Path) -> None:
    host, dead, living = files._host(), a_dead_process(), os.getppid()
    names = {
        f".diptych-{host}-{dead}-00000001.partial": False,
        f".diptych-{host}-{os.getpid()}-00000002.partial": False,  # of one that had our number before us
        f".diptych-{host}-{living}-00000003.partial": True,
        f".diptych-00000000-{dead}-00000004.partial": True,  # of another machine: it may live there
        ".diptych-00000000-1-00000005.partial": False,  # but not for days
        f"diptych-{host}-{dead}-1.partial": True,
        "model.partial": True,
    }
    for name in names:
        (tmp_path / name).write_text("")
    long_ago = time.time() - 2 * files.DAY
    os.utime(tmp_path / ".diptych-00000000-1-00000005.partial", (long_ago, long_ago))
    nn.Linear(2, 2).save(tmp_path / "model")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {name for name, stays in names.items() if stays} | {"model"}


def test_a_folder_that_a_dead_process_worked_in_goes_when_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", f"{tmp_path}//")
    stale = tmp_path / f"diptych-{files._host()}-{a_dead_process()}-0000000a"
    (stale / "kernels").mkdir(parents=True)
    (stale / "kernels" / "one").write_text("code")
    with files.scratch() as outer, files.scratch() as folder:
        assert not stale.exists() and outer.is_dir() and folder.is_dir()
    assert not list(tmp_path.iterdir())


def test_two_writers_at_once_leave_each_others_work_alone(tmp_path: Path) -> None:
    with files.replacing(tmp_path / "a", "save") as first:
        first.write(b"first")
        with files.replacing(tmp_path / "b", "save") as second:
            second.write(b"second")
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"first", b"second")
    assert len(list(tmp_path.iterdir())) == 2


def test_what_goes_wrong_while_a_file_is_written_leaves_the_old_one(tmp_path: Path) -> None:
    files.write(tmp_path / "file", "old", "save")
    with pytest.raises(ZeroDivisionError), files.replacing(tmp_path / "file", "save") as file:
        file.write(b"n" * (1 // 0))
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "old")]


# --- kernels on disk -----------------------------------------------------------------------


def test_a_kernel_under_anothers_name_or_of_another_machine_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path))
    store.write("one", "machine", b"code of one")
    store.write("two", "machine", b"code of two")
    assert store.read("one", "machine") == b"code of one"
    assert store.read("one", "another machine") is None
    place = store.directory()
    (place / "one").write_bytes((place / "two").read_bytes())
    assert store.read("one", "machine") is None
    content = (place / "two").read_bytes()
    for byte in range(len(content)):
        (place / "two").write_bytes(content[:byte] + bytes([content[byte] ^ 1]) + content[byte + 1 :])
        assert store.read("two", "machine") is None, byte


COPY_OVER = """
import os, shutil, sys
from shared.kernels import store
def each(f):
    names = sorted(os.listdir(store.directory()))
    for a, b in zip(names, names[1:] + names[:1]):
        f(str(store.directory() / a), str(store.directory() / b))
if sys.argv[1] == "turned round":
    contents = {n: (store.directory() / n).read_bytes() for n in os.listdir(store.directory())}
    names = sorted(contents)
    for a, b in zip(names, names[1:] + names[:1]):
        (store.directory() / a).write_bytes(contents[b])
import numpy as np, static
from shared import ops
x = static.placeholder("float32", (None,))
y, z = ops.exp(x) * 2 + x, ops.tanh(x) - x * 3
s = static.Session()
print(s.run([y, z], {x: np.linspace(-1, 1, 20000, dtype="f")})[1].sum())
from shared.kernels.machine import COSTS
print(COSTS.compiled, COSTS.read)
"""


@compiles
def test_kernels_that_are_copied_over_each_other_are_compiled_anew(tmp_path: Path) -> None:
    def printed(how: str) -> tuple[str, str]:
        first, second = subprocess.run(
            [sys.executable, "-c", COPY_OVER, how], env=os.environ | {"DIPTYCH_CACHE": str(tmp_path)},
            cwd=HOME, check=True, capture_output=True, text=True, timeout=60,
        ).stdout.splitlines()  # fmt: skip
        return first, second

    value, costs = printed("as it is")
    compiled = int(costs.split()[0])
    assert compiled >= 2
    assert printed("as it is") == (value, f"0 {compiled}")
    assert printed("turned round") == (value, f"{compiled} 0")


@compiles
def test_code_without_the_name_that_is_to_be_called_is_never_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path))
    with pytest.raises(RuntimeError, match="LLVM has made code without 'there_is_none'"):
        machine._loaded("define void @something_else_alone() { ret void }", ["there_is_none"])
    assert not any(tmp_path.rglob("kernels/*"))  # nor kept


def test_the_cache_has_a_limit_and_forgets_what_was_not_used_for_longest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path))
    monkeypatch.setattr(store, "LIMIT", 10_000)
    monkeypatch.setattr(store, "LOOK", 1)
    for number in range(40):
        store.write(f"kernel{number}", "machine", bytes(1000))
        path = store.directory() / f"kernel{number}"
        if path.exists():
            os.utime(path, (number, number))
        assert sum(p.stat().st_size for p in store.directory().iterdir()) <= 10_000
        assert store.read("kernel0", "machine") is not None or number > 9
        if number < 9:
            os.utime(store.directory() / "kernel0")  # used again and again
    kept = {path.name for path in store.directory().iterdir()}
    assert "kernel39" in kept and "kernel1" not in kept


def test_not_every_write_looks_at_all_that_the_cache_holds_but_some_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path))
    looks: list[Path] = []
    monkeypatch.setattr(store, "_forget", looks.append)
    for number in range(640):
        store.write(f"kernel{number}", "machine", b"")
    assert 3 <= len(looks) <= 30 and {*looks} == {store.directory()}


def test_everything_the_disk_refuses_is_of_the_projects_tree() -> None:
    for number in [*errno.errorcode, None, 10**6]:
        error = OSError(number, "said") if number is not None else OSError("said")
        found = files.disk_error("call", "path", error)
        assert isinstance(found, DiptychError) and str(found).startswith("call: path can not be written: ")
        assert "; " in found.message
