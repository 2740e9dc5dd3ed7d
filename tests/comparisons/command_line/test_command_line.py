"""The command line, called as a user calls it."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from comparisons import experiments, tasks
from comparisons.__main__ import main
from comparisons.measuring.costs import Meter, MeterError
from comparisons.training.drive import Training
from comparisons.training.task import Task
from shared.errors import DataError


@pytest.fixture
def quick(monkeypatch):
    """Costs are not measured, which takes processes of their own: only trained and compared. Of the
    experiments there is one."""
    from contextlib import nullcontext

    one = {"mistakes": experiments.EXPERIMENTS["mistakes"]}
    monkeypatch.setattr(experiments, "EXPERIMENTS", one)
    monkeypatch.setattr("comparisons.running.pieces.meters", lambda *_: nullcontext({}))
    monkeypatch.setattr("comparisons.running.pieces.measure", lambda *_: None)


def call(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_list_names_every_task_and_experiment():
    result = call("list")
    assert result.exit_code == 0
    for name in ("mlp_digits", "cnn_digits", "mistakes"):
        assert name in result.output


def test_run_writes_the_report_and_says_where_it_is(quick, tmp_path):
    result = call("run", "mlp_digits", "--steps", 3, "--out", tmp_path / "new")
    assert result.exit_code == 0, result.output
    page = tmp_path / "new" / "index.html"
    assert f"The report: {page.as_uri()}" in result.output
    assert "equal bit for bit: 3 losses" in result.output
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    found = json.loads((tmp_path / "new" / "report.json").read_text(encoding="utf-8"))
    assert found["status"] == "complete"
    assert found["command"] == "python -m comparisons run mlp_digits --steps 3"
    assert list(found["tasks"]) == ["mlp_digits"]
    assert found["experiments"] == {}


def test_run_on_one_engine_trains_that_one_alone(quick, tmp_path):
    result = call("run", "mlp_digits", "--engine", "static", "--steps", 2, "--seed", 5, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert list(found["tasks"]["mlp_digits"]["engines"]) == ["static"]
    assert found["tasks"]["mlp_digits"]["verify"] is None
    assert found["command"] == "python -m comparisons run mlp_digits --engine static --seed 5 --steps 2"


def test_an_experiment_compares_so_one_engine_alone_runs_none(quick, tmp_path):
    refused = call("run", "mistakes", "--engine", "static", "--out", tmp_path)
    assert refused.exit_code == 2
    assert "mistakes compares the engines; run it without --engine static" in refused.output
    result = call("run", "--engine", "static", "--steps", 2, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["experiments"] == {}


@pytest.mark.parametrize("found", [{"value": float("nan")}, {"cases": []}, {"value": object()}])
def test_evidence_that_is_no_json_or_can_not_be_read_fails_its_experiment_alone(
    quick, tmp_path, monkeypatch, found
):
    broken = replace(experiments.EXPERIMENTS["mistakes"], run=lambda context: found, read=lambda found: 1 / 0)
    monkeypatch.setitem(experiments.EXPERIMENTS, "mistakes", broken)
    result = call("run", "mistakes", "--out", tmp_path)
    assert result.exit_code == 1
    assert "failed: mistakes" in result.output
    assert "This experiment failed." in (tmp_path / "mistakes.html").read_text(encoding="utf-8")


def test_json_goes_to_stdout_alone(quick, tmp_path):
    result = call("run", "mlp_digits", "--steps", 2, "--json", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["tasks"]["mlp_digits"]["verify"]["equal"]
    assert "The report:" in result.stderr


def test_an_unknown_name_is_refused_with_the_nearest_known_ones(tmp_path):
    result = call("run", "mlp_digit", "--out", tmp_path)
    assert result.exit_code == 2
    assert "'mlp_digit' is neither a task nor an experiment; did you mean mlp_digits" in result.output
    assert "`python -m comparisons list` says what there is" in result.output
    assert list(tmp_path.iterdir()) == []
    nothing = call("show", "zzz")
    assert nothing.exit_code == 2
    assert "'zzz' is no task; `python -m comparisons list` says" in nothing.output


def test_report_draws_the_page_again_from_the_json_alone(report, tmp_path, monkeypatch):
    from comparisons.running import results

    results.save(report, tmp_path)
    monkeypatch.setattr(Training, "advance", lambda self: pytest.fail("something was trained"))
    result = call("report", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "index.html").is_file()
    missing = call("report", "--out", tmp_path / "nowhere")
    assert missing.exit_code == 1
    assert "make one with `python -m comparisons run`" in missing.output


def test_engines_that_differ_make_the_exit_status_1(quick, tmp_path, monkeypatch):
    advance = Training.advance

    def slipped(self):
        event = advance(self)
        if event is not None and event.phase == "step" and event.step == 2 and self.engine == "static":
            self.losses[-1] += 1e-9
        return event

    monkeypatch.setattr(Training, "advance", slipped)
    result = call("run", "mlp_digits", "--steps", 3, "--out", tmp_path)
    assert result.exit_code == 1
    assert "THE ENGINES DIFFER: the losses part at step 2" in result.output
    assert "The engines differ." in result.output
    assert (tmp_path / "index.html").is_file()


def test_one_task_that_fails_does_not_stop_the_others(quick, tmp_path, monkeypatch):
    def broken(parameters):
        raise OSError("the disk is full")

    monkeypatch.setitem(tasks.TASKS, "cnn_digits", replace(tasks.TASKS["cnn_digits"], optimizer=broken))
    result = call("run", "--steps", 2, "--out", tmp_path)
    assert result.exit_code == 1
    assert "failed: cnn_digits" in result.output
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert found["status"] == "complete"
    assert found["tasks"]["cnn_digits"]["error"] == {"type": "OSError", "message": "the disk is full"}
    assert found["tasks"]["mlp_digits"]["status"] == "done"
    assert found["experiments"]["mistakes"]["status"] == "done"
    assert "the disk is full" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_ctrl_c_leaves_a_whole_report_of_what_was_known(quick, tmp_path, monkeypatch):
    advance = Training.advance

    def interrupted(self):
        if self.task.name == "mlp_digits" and len(self.losses) == 2:
            raise KeyboardInterrupt
        return advance(self)

    monkeypatch.setattr(Training, "advance", interrupted)
    result = call("run", "--steps", 4, "--out", tmp_path)
    assert result.exit_code == 130
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert found["status"] == "interrupted"
    assert found["tasks"]["cnn_digits"]["verify"]["equal"]
    assert found["tasks"]["mlp_digits"]["status"] == "interrupted"
    assert len(found["tasks"]["mlp_digits"]["engines"]["dynamic"]["losses"]) == 2
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "This run was interrupted." in text
    assert "mlp_digits and mistakes did not finish" in text


def test_sigterm_ends_a_run_as_ctrl_c_does(tmp_path):
    command = [sys.executable, "-m", "comparisons", "run", "mlp_digits", "--steps", "1000000"]
    with subprocess.Popen([*command, "--out", str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.split()[:2] == ["static", "compile"]:
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 130
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert found["status"] == found["tasks"]["mlp_digits"]["status"] == "interrupted"
    assert "This run was interrupted." in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_what_was_done_is_kept_when_a_run_is_resumed(quick, tmp_path, monkeypatch):
    advance = Training.advance

    def interrupted(self):
        if self.task.name == "mlp_digits":
            raise KeyboardInterrupt
        return advance(self)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "advance", interrupted)
        assert call("run", "--steps", 4, "--out", tmp_path).exit_code == 130
    before = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    trained = []
    monkeypatch.setattr(Training, "advance", lambda self: trained.append(self.task.name) or advance(self))
    other = call("run", "--steps", 5, "--resume", "--out", tmp_path)
    assert other.exit_code == 1
    assert "another run (the steps: 4 there, 5 here)" in other.output
    result = call("run", "--steps", 4, "--resume", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(trained) == {"mlp_digits"}
    assert found["status"] == "complete"
    assert found["tasks"]["cnn_digits"] == before["tasks"]["cnn_digits"]
    assert found["seconds"] > before["seconds"]


def test_there_must_be_a_report_to_resume(quick, tmp_path):
    result = call("run", "--resume", "--out", tmp_path)
    assert result.exit_code == 1
    assert "there is no report.json" in result.output


def test_show_prints_the_program_of_a_step_and_draws_it(tmp_path):
    assert "= cross_entropy" in call("show", "mlp_digits").output
    assert "= input x" in call("show", "mlp_digits", "--engine", "static").output
    assert call("show", "mlp_digits", "--engine", "static", "--generated").output.startswith("def program(")
    refused = call("show", "mlp_digits", "--generated")
    assert refused.exit_code == 2
    assert "--engine static" in refused.output
    drawn = call("show", "mlp_digits", "--draw", tmp_path / "step.svg")
    assert drawn.exit_code == 0, drawn.output
    assert "<svg" in (tmp_path / "step.svg").read_text(encoding="utf-8")


def test_a_task_whose_data_is_not_here_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("DIPTYCH_DATA", str(tmp_path))
    result = call("run", "cnn_mnist", "--out", tmp_path)
    assert result.exit_code == 2
    assert "python -m comparisons fetch mnist" in result.output


def test_fetch_downloads_checks_and_says_where(tmp_path, monkeypatch):
    from shared.data import images

    def arrive(remote):
        path = tmp_path / remote.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    monkeypatch.setenv("DIPTYCH_DATA", str(tmp_path))
    monkeypatch.setattr(images, "fetch", arrive)
    assert not images.is_here("mnist")
    result = call("fetch", "mnist")
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "mnist") in result.output
    assert images.is_here("mnist")

    def gone(remote):
        raise DataError(f"{remote.name} could not be downloaded")

    monkeypatch.setattr(images, "fetch", gone)
    failed = call("fetch", "cifar-10")
    assert failed.exit_code == 1
    assert "could not be downloaded" in failed.output


def test_the_panels_show_both_engines_and_how_far_they_are_equal(quick, tmp_path):
    from rich.console import Console

    from comparisons.running.live import Panels
    from comparisons.running.plan import Plan
    from comparisons.running.run import run

    console = Console(file=io.StringIO(), width=100, height=30, force_terminal=True, record=True)
    panels = Panels(console)
    run(Plan([tasks.TASKS["mlp_digits"]], [], steps=20), tmp_path, panels)
    console.print(panels.picture())
    text = console.export_text()
    for words in ("dynamic: define-by-run", "static: define-and-run", "step 20/20", "20 of 20 losses equal"):
        assert words in text
    assert any(0x2800 < ord(letter) <= 0x28FF for letter in text)


def test_a_braille_curve_begins_high_and_ends_low():
    from comparisons.running.live import braille

    lines = braille([1.0, 0.0], 2, 1.0, 4, 3)
    assert [len(line) for line in lines] == [4, 4, 4]
    assert lines[0][0] != "\u2800"
    assert lines[-1][2] != "\u2800"
    assert braille([], 5, 1.0, 2, 1) == ["\u2800\u2800"]


def test_a_meter_times_a_fresh_process_and_counts_its_memory():
    with_meter: Task = tasks.TASKS["mlp_digits"]
    meter = Meter(with_meter, "static")
    try:
        assert meter.imported["engine"] > 0
        timed = meter.ask("time", 3, 0)
        assert list(timed["phases"]) == ["build", "compile"]
        assert len(timed["steps"]) == 3
        held = meter.ask("memory", 2, 0)
        parameters = 4 * (64 * 128 + 128 + 128 * 10 + 10)
        assert len(held["peaks"]) == 2
        for peak, between in zip(held["peaks"], held["between"], strict=True):
            assert peak > between > parameters
    finally:
        meter.close()


def test_a_meter_that_dies_says_its_last_words():
    missing = replace(tasks.TASKS["mlp_digits"], name="nothing")
    with pytest.raises(MeterError, match="KeyError: 'nothing'"):
        Meter(missing, "dynamic")


def test_thread_settings_stand_before_numpy_is_imported():
    code = (
        "import sys, os\n"
        "import comparisons.__main__\n"
        "assert not {'numpy', 'rich', 'matplotlib', 'jinja2'} & set(sys.modules)\n"
        "print(os.environ['OPENBLAS_THREAD_TIMEOUT'], os.environ['OMP_WAIT_POLICY'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["10", "passive"]
