"""What the words on the command line mean: tasks, experiments, devices, other systems."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from comparisons.running.recordings import RECORDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from comparisons.training.task import Task

def experiments_take_part(engine: str, device: str) -> bool:
    """Whether a run is one that experiments are part of."""
    return engine == "both" and device == "cpu"


def check_device(device: str) -> None:
    """An error, before anything is run, if the device is not there."""
    from shared.device import cuda
    from shared.errors import EngineError

    try:
        cuda.check_device("run", device)
    except EngineError as error:
        raise click.BadParameter(error.message, param_hint="--device") from error


def chosen(
    names: tuple[str, ...], full: bool, engine: str = "both", device: str = "cpu"
) -> tuple[list[Any], list[Any]]:
    """The tasks and experiments that go by these names. If there are no names, all experiments, and
    the tasks that are quick, or all in a full run whose data is here."""
    from comparisons.experiments import EXPERIMENTS
    from comparisons.tasks import TASKS

    for name in names:
        if name not in TASKS and name not in EXPERIMENTS and name not in RECORDINGS:
            known = (*TASKS, *EXPERIMENTS, *RECORDINGS)
            raise click.BadParameter(f"{name!r} is neither a task nor an experiment; {_meant(name, known)}")
        if name not in TASKS and engine != "both":
            raise click.BadParameter(f"{name} compares the engines; run it without --engine {engine}")
        if name not in TASKS and device != "cpu":
            raise click.BadParameter(
                f"{name} runs on the CPU, whose threads or memory it may count; leave out --device {device}"
            )
    unasked = [name for name, task in TASKS.items() if task.quick or (full and _is_here(task))]
    tasks = tasks_named([name for name in TASKS if name in (names or unasked)])
    wanted = names or (EXPERIMENTS if experiments_take_part(engine, device) else ())
    return tasks, [e for name, e in EXPERIMENTS.items() if name in wanted]


def given_model(file: Any, sizes: Iterable[str]) -> Any:
    """The experiment on the model in a file, with `NAME=N` for sizes that it leaves open."""
    from comparisons.experiments import given_model as given

    found: dict[str, int] = {}
    for text in sizes:
        name, _, number = text.partition("=")
        if not number.isdecimal():
            raise click.BadParameter(f"{text!r} is not of the form NAME=N", param_hint="--size")
        found[name] = int(number)
    return given.of(file, found)


def on_ranks(ranks: int) -> Any:
    """The experiment on so many ranks; an error with what to install where none can be started."""
    from comparisons.experiments import many_ranks
    from shared.ranks.mpi import INSTALL

    if why := many_ranks.missing():
        raise click.ClickException(f"--ranks: {why}; {INSTALL}")
    return many_ranks.on(ranks)


def _meant(name: str, known: Iterable[str]) -> str:
    """The known names that are nearest to one that is not known, and where all of them stand."""
    near = get_close_matches(name, known, cutoff=0.75)
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{guess}`python -m comparisons list` says what there is"


def tasks_named(names: Sequence[str]) -> list[Task]:
    """The tasks of these names, or an error that says how to get what one of them needs."""
    from comparisons.tasks import TASKS

    for name in names:
        if name not in TASKS:
            raise click.BadParameter(f"{name!r} is no task; {_meant(name, TASKS)}")
        if not _is_here(TASKS[name]):
            data = TASKS[name].fetched
            raise click.BadParameter(
                f"{name} needs the data set {data}, which is not here; `python -m comparisons fetch {data}` "
                "downloads it"
            )
    return [TASKS[name] for name in names]


def peers_named(text: str, engine: str, device: str = "cpu") -> list[str]:
    """The names in `--peers`, each known."""
    if text in ("", "none"):
        return []
    from comparisons.bench.peers import FAMILIES, PEERS

    if engine != "both":
        raise click.BadParameter(f"peers are raced beside both engines; leave out --engine {engine}")
    if device != "cpu":
        raise click.BadParameter(f"peers are raced on the CPU; leave out --device {device}")
    wanted = [name.strip() for name in text.split(",")]
    for name in wanted:
        if name not in FAMILIES and name not in PEERS:
            known = ", ".join((*FAMILIES, *PEERS))
            raise click.BadParameter(f"{name!r} is none of {known}", param_hint="--peers")
    return wanted


def installed_families(pythons: Mapping[str, str]) -> list[str]:
    """The families of which something can run here."""
    from comparisons.bench.peers import FAMILIES, PEERS, installed

    first = {family: next(p for p in PEERS.values() if p.family == family) for family in FAMILIES}
    return [family for family, peer in first.items() if installed(peer, pythons)]


def pythons_named(given: Sequence[str]) -> dict[str, str]:
    """The `PEER=PATH` options by family."""
    if not given:
        return {}
    from comparisons.bench.command import pythons

    try:
        return pythons(given)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--python") from error


def _is_here(task: Task) -> bool:
    from shared.data.images import is_here

    return not task.fetched or is_here(task.fetched)
