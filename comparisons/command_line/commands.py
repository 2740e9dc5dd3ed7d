"""What `python -m comparisons` can be told to do."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comparisons.command_line.chosen import (
    check_device,
    chosen,
    experiments_take_part,
    given_model,
    installed_families,
    on_ranks,
    peers_named,
    pythons_named,
    tasks_named,
)
from comparisons.running.recordings import RECORDINGS

if TYPE_CHECKING:
    from comparisons.running.watch import Watch

OUT = click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("reports"),
    show_default=True, help="Folder for report.json and the pages.",
)  # fmt: skip


class _Group(click.Group):
    """What the disk refuses is said in a line, as what the user mistook is."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            from shared.errors import DiskError

            if not isinstance(error, DiskError):
                raise
            raise click.ClickException(error.message) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The same models on a define-by-run and a define-and-run engine, measured and written up."""


@main.command()
@click.argument("names", nargs=-1, metavar="[TASK|EXPERIMENT]...")
@click.option("--engine", type=click.Choice(["both", "dynamic", "static"]), default="both", show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
              help="What the tasks are trained on; cuda is a GPU, by CuPy.")  # fmt: skip
@click.option("--full", is_flag=True, help="Train for long, and repeat what is timed more often.")
@click.option("--seed", default=0, show_default=True, help="Decides initial values, masks and order.")
@click.option("--steps", type=click.IntRange(min=1), help="Training steps, instead of what each task says.")
@click.option("--peers", metavar="PEER,...",
              help="Other systems to race beside ours: torch, jax, tensorflow, paddle, dezero; or none.  "
              "[default: with --full those that are installed, else none]")  # fmt: skip
@click.option("--python", multiple=True, metavar="PEER=PATH", help="Run one of them in another Python.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json when done; progress goes to stderr.")
@click.option("--resume", is_flag=True, help="Go on with the report in the folder: what is done is kept.")
@click.option("--onnx", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="Compare the model in an ONNX file, on both engines and in onnxruntime.")  # fmt: skip
@click.option("--size", multiple=True, metavar="NAME=N",
              help="With --onnx: for a size that the file leaves open.")  # fmt: skip
@click.option("--ranks", type=click.IntRange(min=1), metavar="N",
              help="Train on N processes, by MPI, and write the page on that.")  # fmt: skip
@OUT
def run(
    names: tuple[str, ...], engine: str, device: str, full: bool, seed: int, steps: int | None, as_json: bool,
    resume: bool, peers: str | None, python: tuple[str, ...], onnx: Path | None, size: tuple[str, ...],
    ranks: int | None, out: Path,
) -> None:  # fmt: skip
    """Train, compare, measure, and write the report.

    If none is named: all experiments and the quickest tasks, with --full all tasks; and `stepper`
    and `book`, which record one training step, and sixty short programs, for pages that play them. An
    experiment compares the engines, and so do these two: with one engine alone there are tasks only.
    So it is with --device cuda: experiments, recordings and other systems run on the CPU. With --onnx,
    the model in that file, and what is named.

    The exit status is 1 if the engines differ or something failed, 130 after Ctrl-C or SIGTERM (what
    was found by then is in the report).
    """
    from comparisons.report import draw
    from comparisons.running import results
    from comparisons.running.plan import Plan, unlike
    from comparisons.running.run import engines_differ, failures, run as run_plan
    from comparisons.training.drive import ENGINES
    from shared.durable.files import check_writable

    given = [] if onnx is None else [given_model(onnx, size)]
    given += [] if ranks is None else [on_ranks(ranks)]
    tasks, experiments = ([], given) if given and not names else chosen(names, full, engine, device)
    if experiments is not given:
        named = {experiment.name for experiment in given}
        experiments = [*(one for one in experiments if one.name not in named), *given]
    check_device(device)
    engines = ENGINES if engine == "both" else (engine,)
    whole = not names and not given and experiments_take_part(engine, device)
    recorded = [name for name in RECORDINGS if whole or name in names]
    command = "python -m comparisons " + _typed()
    pythons = pythons_named(python)
    raced = full and experiments_take_part(engine, device) and any(task.kin for task in tasks)
    unasked = installed_families(pythons) if raced else []
    wanted = unasked if peers is None else peers_named(peers, engine, device)
    plan = Plan(tasks, experiments, engines, seed, steps, full, recorded, command, wanted, pythons, device)
    before = None
    if resume:
        try:
            before = results.load(out)
        except results.ResultsError as error:
            raise click.ClickException(str(error)) from error
        if difference := unlike(plan, before):
            raise click.ClickException(
                f"the report in {out} is of another run ({difference}); give its settings, or no --resume"
            )
    check_writable(out, "--out")  # now, and not after the first hour
    terminated = signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: see run_plan
    try:
        report = run_plan(plan, out, _watch(as_json), before)
    finally:
        signal.signal(signal.SIGTERM, terminated)
    page = draw(report, out)
    if as_json:
        click.echo((out / results.NAME).read_text(encoding="utf-8"), nl=False)
    click.echo(f"The report: {page.resolve().as_uri()}", err=as_json)
    for name in failures(report):
        click.echo(f"failed: {name}", err=True)
    if report["status"] == "interrupted":
        sys.exit(130)
    if engines_differ(report):
        click.echo("The engines differ.", err=True)
    if engines_differ(report) or failures(report):
        sys.exit(1)


@main.command()
@OUT
def report(out: Path) -> None:
    """Draw the pages again from report.json; nothing is run."""
    from comparisons.report import draw
    from comparisons.running import results

    try:
        found = results.load(out)
    except results.ResultsError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The report: {draw(found, out).resolve().as_uri()}")


@main.command()
@click.argument("workloads", nargs=-1, metavar="[WORKLOAD]...")
@click.option("--peers", default="torch,jax,tensorflow,paddle,dezero", show_default=True,
              help="Systems beside ours, or single variants such as torch-fused.")  # fmt: skip
@click.option("--python", multiple=True, metavar="PEER=PATH", help="Run a system in another Python.")
@click.option("--rounds", type=click.IntRange(min=1), help="How often each one's turn comes.  [default: 7]")
@click.option("--steps", type=click.IntRange(min=1), help="Steps in a turn, instead of the workload's own.")
@click.option("--threads", type=click.IntRange(min=1), help="Of every pool of threads.  [default: all cores]")
@click.option("--quick", is_flag=True, help="Few rounds and steps; without what compiles for minutes.")
@click.option("--json", "json_file", metavar="FILE", help="Write the numbers to a file, too; - for stdout.")
def bench(workloads: tuple[str, ...], **options: Any) -> None:
    """Time training steps, ours beside other systems', in turns and in separate processes.

    The workloads are mlp, cnn, rnn, lstm, tiny, overhead (one-element ops) and graph (static's
    stages), and, which run only when named, resnet18, resnet18-64, strided, depthwise, resnet50, gpt,
    gpt-long and gpt-wide, and, on several ranks, ranks-mlp, ranks-cnn, ranks-lstm, ranks-gpt and wires
    (what messages cost): all of these together are ranks.
    The exit status is 1 if something failed, 130 after Ctrl-C.
    """
    from comparisons.bench.command import main as run_bench

    sys.exit(run_bench(workloads, **options))


@main.command("onnx-suite")
@click.argument("kinds", nargs=-1, metavar="[KIND]...")
@click.option("--way", "ways", multiple=True, type=click.Choice(["dynamic", "known", "unknown"]),
              help="On dynamic; on static with known sizes, or with unknown ones.  [default: all three]")
@click.option("--only", default="", metavar="TEXT", help="Only tests that have this in their name.")
@click.option("--write", "keep", is_flag=True, help="Keep it in comparisons/bench/onnx_suite.json.")
def onnx_suite(kinds: tuple[str, ...], ways: tuple[str, ...], only: str, keep: bool) -> None:
    """Run ONNX's own tests, which the package onnx carries, on models that come in.

    The kinds are node, simple, pytorch-operator, pytorch-converted and real; all, if none is named.
    """
    from comparisons.bench import onnx_suite as suite

    if unknown := set(kinds) - set(suite.KINDS):
        raise click.BadParameter(f"{sorted(unknown)[0]!r} is no kind; there are {', '.join(suite.KINDS)}")
    table = suite.found(kinds or suite.KINDS, ways or suite.WAYS, only, click.echo)
    if keep:
        suite.write(table)


@main.command()
@click.argument("name", metavar="TASK")
@click.option("--engine", type=click.Choice(["dynamic", "static"]), default="dynamic", show_default=True)
@click.option("--generated", is_flag=True, help="On static: the Python that a training step runs.")
@click.option("--draw", "path", type=click.Path(dir_okay=False, path_type=Path),
              help="Draw it instead, to a file that ends in .svg, .png, .pdf or .dot.")  # fmt: skip
@click.option("--seed", default=0, show_default=True)
def show(name: str, engine: str, generated: bool, path: Path | None, seed: int) -> None:
    """Print the program of a task's first training step: dynamic's record of it, or static's graph."""
    from comparisons.training import inside

    (task,) = tasks_named((name,))
    if generated and engine == "dynamic":
        raise click.BadParameter("dynamic generates none; use --engine static", param_hint="--generated")
    if path is not None:
        click.echo(f"The drawing: {Path(inside.picture(task, engine, path, seed)).resolve().as_uri()}")
    elif generated:
        click.echo(inside.look_inside(task, engine, seed)["program"], nl=False)
    else:
        click.echo(inside.program(task, engine, seed))


@main.command()
@click.argument("dataset", type=click.Choice(["mnist", "fashion-mnist", "cifar-10", "cifar-100"]))
def fetch(dataset: str) -> None:
    """Download a data set to where Diptych keeps them (DIPTYCH_DATA sets another folder), checked."""
    from shared.data.images import fetch_data_set
    from shared.errors import DataError

    try:
        click.echo(f"{dataset}: {fetch_data_set(dataset)}")
    except DataError as error:
        raise click.ClickException(str(error)) from error


@main.command("list")
def list_all() -> None:
    """Say what there is to run."""
    from comparisons.experiments import EXPERIMENTS
    from comparisons.tasks import TASKS

    click.echo("tasks")
    width = max(map(len, (*TASKS, *EXPERIMENTS))) + 2
    for name, task in TASKS.items():
        needs = f" (needs the data set {task.fetched})" if task.fetched else ""
        click.echo(f"  {name:<{width}}{task.title}, {task.steps} steps{needs}")
    click.echo("experiments")
    for name, experiment in EXPERIMENTS.items():
        click.echo(f"  {name:<{width}}{experiment.question}")
    click.echo("and")
    for name, recording in RECORDINGS.items():
        click.echo(f"  {name:<{width}}{recording.about}")


def _watch(as_json: bool) -> Watch:
    """Panels on a terminal, lines elsewhere."""
    from comparisons.running.watch import Lines

    if as_json or not sys.stdout.isatty():
        return Lines(lambda text: click.echo(text, err=as_json))
    from comparisons.running.live import Panels

    return Panels()


def _typed() -> str:
    """The arguments as the user gave them, apart from the folder."""
    context = click.get_current_context()
    words = [context.info_name or "run", *context.params["names"]]
    if context.params["engine"] != "both":
        words += ["--engine", context.params["engine"]]
    if context.params["device"] != "cpu":
        words += ["--device", context.params["device"]]
    words += ["--full"] * context.params["full"]
    for option in ("seed", "steps"):
        if context.params[option]:
            words += [f"--{option}", str(context.params[option])]
    if context.params["peers"]:
        words += ["--peers", context.params["peers"]]
    words += [word for pair in context.params["python"] for word in ("--python", pair)]
    return shlex.join(words)

