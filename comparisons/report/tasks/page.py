"""The page of one task: its scripts, its model and its figures laid out as an experiment's page is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from comparisons.lab.blocks import Block, Drawing, Figure, Listing, Nodes, Pair, Table
from comparisons.lab.dimensions import Dimension
from comparisons.lab.experiment import LEVELS
from comparisons.lab.reading import Reading
from comparisons.lab.verdict import MEASURED, Verdict, sized, timed as timed_row
from comparisons.measuring.memory import METERS
from comparisons.report.look import figures
from comparisons.report.look.listing import shared_lines
from comparisons.report.look.shown import shown
from comparisons.report.page import Page, command, recounted, scatter
from comparisons.report.peers.in_task import in_other_systems
from comparisons.report.peers.page import options
from comparisons.report.tasks import happened, lesson
from comparisons.report.tasks.measured import both
from comparisons.statistics.effect import ahead
from comparisons.statistics.quantities import PAIR, Json, count, number, percent, seconds, size, spread_of

TASKS = Dimension("tasks", "Trained on both", "Are they the same numbers, and what do they cost?")
"""What stands in the place of a dimension on the pages of tasks."""

PHASES = (
    ("build", "build", "making the model; on static also describing the computation and its gradients"),
    ("compile", "compile", "static turns the part of the graph that a step needs into a Python program"),
    ("first_step", "first step", "the first step, which also fills caches"),
    ("step", "later steps", "every step after that"),
)
FRESH = (
    ("first loss, cold", ("build", "compile", "first_step"), "in a fresh process, once, imports apart"),
    ("its import", ("import_engine",), "of the engine, once, with NumPy already there"),
)
"""What a fresh process takes: a title, the phases, and what they are."""


def pages_of_tasks(report: Json) -> list[Page]:
    """The tasks of a report, in its order."""
    return [_page(name, task, report) for name, task in report["tasks"].items()]


def _page(name: str, task: Json, report: Json) -> Page:
    trouble = ""
    if task["status"] == "failed":
        trouble = f"This task failed. {task['error']['type']}: {task['error']['message']}"
    elif task["status"] != "done":
        trouble = "This task was interrupted before it was finished."
    said = reading(name, task, report)
    again = command(name, report)
    if task.get("kin") and report.get("peers"):
        again += f" {options(report['peers'])}"
    return Page(name, task["title"], task["about"], TASKS, said, trouble, _method(task), again)


def _method(task: Json) -> list[str]:
    said = [
        *_sizes(task),
        LEVELS["exact"],
    ]
    if task["measure"]:
        found = task["measure"]
        said.append(
            f"Costs are of {count(found['runs'], 'run')} of {count(found['steps'], 'step')} in turns, each "
            f"of them one sample; memory is counted by {METERS[task.get('device', 'cpu')].by}, the examples "
            "apart."
        )
    return [*said, *scatter(task["measure"]), *recounted(task["measure"])]


def met(task: Json) -> tuple[str, str]:
    """What the rows of the training data are, and what a batch holds of them."""
    return ("character", "window") if task["loop"] == "text" else ("example", "example")


def _sizes(task: Json) -> list[str]:
    """How large the model and its data are."""
    examples = task.get("examples")
    if not examples or "parameters" not in task:
        return []
    row, batched = met(task)
    data = f"on {count(examples['train'], row)}"
    data += _shape(examples["shape"], padded=not happened.same_encoding(task))
    data += f" in batches of {number(task['batch_size'])}" + (f" {batched}s" if batched != row else "")
    asked = f", and asked about {number(examples['test'])} {task['counted']}" if task["counted"] else ""
    return [
        f"The model holds {number(task['parameters'])} numbers. It was trained for "
        f"{count(task['steps'], 'step')}{f' {data}' if task['batch_size'] else ''}{asked}."
    ]


def _shape(sizes: Sequence[int], padded: bool) -> str:
    """How large an example is, or, where one engine alone takes them padded to one length, is at most."""
    if not sizes:
        return ""
    numbers = " numbers" if len(sizes) == 1 else ""
    return f" of {'up to ' if padded else ''}{'x'.join(map(str, sizes))}{numbers}"


def reading(name: str, task: Json, report: Json) -> Reading:
    """What the page of a task says and shows; of an unfinished one, what is there."""
    scripts, peers = report["loops"].get(task["loop"], {}), report.get("peers")
    said = [happened.parity(task), happened.accuracy(task)]
    if task["measure"]:
        said += [happened.start_time(task), happened.step_time(task), happened.memory(task)]
    return Reading(
        answer=lesson.answer(task),
        verdicts=[*numbers_rows(task), *cost_rows(task)],
        evidence=[
            *_code(name, task, scripts), *_training(name, task), *_costs(name, task),
            *in_other_systems(name, task, peers), *_inside(task),
        ],
        happened=[sentence for sentence in said if sentence],
        means=lesson.means(task),
        otherwise=lesson.otherwise(task),
        threats=lesson.threats(task),
    )


# --- rows of the first page's table ----------------------------------------------------------


def numbers_rows(task: Json) -> Iterator[Verdict]:
    """Whether the losses are equal, and how well the model does."""
    found = task["verify"]
    if found is None:
        return
    equal = found["steps"] - found["unequal_steps"]
    how = "bit for bit" if found["tolerance"] is None else f"within {found['tolerance']:g}"
    said = f"{number(equal)} of {number(found['steps'])}, {how}"
    yield Verdict("losses that are equal", "", "", together=said)
    if all("accuracy" in task["engines"][engine] for engine in PAIR):
        right = [percent(task["engines"][engine]["accuracy"]) for engine in PAIR]
        yield Verdict(f"{task['counted']} read correctly", *right, basis=MEASURED)


def cost_rows(task: Json) -> list[Verdict]:
    """The time of a step, the time to the first result, the memory."""
    if not both(task):
        return []
    dynamic, static = (task["measure"]["engines"][engine] for engine in PAIR)
    return [
        timed_row("a step, once running", dynamic["warm"]["step"], static["warm"]["step"]),
        timed_row("from nothing to the first result", dynamic["warm"]["start"], static["warm"]["start"]),
        sized("most memory held in a step", dynamic["memory"]["peak"], static["memory"]["peak"]),
    ]


# --- what is shown ---------------------------------------------------------------------------


def _code(name: str, task: Json, scripts: Json) -> Iterator[Block]:
    title = "The training scripts, as they ran"
    note = "A `yield` hands a loss, or a phase that is over, to whoever watches."
    if len(scripts) == 2:
        counts = shared_lines(scripts["dynamic"], scripts["static"])
        sides = ({"code": scripts[engine]} for engine in PAIR)
        yield Pair(title, *sides, says=f"{_scripts(counts)} {note}")
    for engine in scripts if len(scripts) == 1 else ():
        yield Listing(title, scripts[engine], engine, says=note)
    batch = (
        f", and both meet the same {count(task['batch_size'], met(task)[1])} in each of "
        f"{number(task['steps'])} steps"
        if task["batch_size"]
        else ""
    )
    yield Listing(
        "The model, written once", task["model"],
        says=f"Made from the same seed for each engine{batch}.",
    )  # fmt: skip


def _scripts(counts: tuple[int, int, int]) -> str:
    """How much of two scripts is the same; the counts are of lines that both have, that only
    dynamic has, that only static has."""
    same, dynamic, static = counts
    return (
        f"{count(same, 'line is', 'lines are')} the same on both sides; {number(dynamic)} more are "
        f"dynamic's, {number(static)} static's. Dynamic's compute when Python passes them; static's "
        "describe, up to the session."
    )


def _training(name: str, task: Json) -> Iterator[Block]:
    losses = [entry["losses"] for entry in task["engines"].values()]
    if losses and min(map(len, losses)) > 0:
        says = "The loss at every step."
        if task["verify"]:
            says = "Dynamic is the broad line, static the fine one over it; below, the one minus the other."
        yield Figure(
            "Are they the same numbers?", partial(figures.losses, name, task["engines"]), says=says,
            alt=happened.parity(task),
        )  # fmt: skip
    looks = {engine: entry["shown"] for engine, entry in task["engines"].items() if "shown" in entry}
    if len(looks) == 2 and looks["dynamic"] != looks["static"]:
        for engine, look in looks.items():
            yield Figure(f"What came of it, on {engine}", partial(shown, name, look), says=look["says"])
    elif looks:
        look = next(iter(looks.values()))
        says = f"{look['says']} It is the same on both engines." if len(looks) == 2 else look["says"]
        yield Figure("What came of it", partial(shown, name, look), says=says)


def _costs(name: str, task: Json) -> Iterator[Block]:
    if not task["measure"]:
        return
    found = task["measure"]
    measured = found["engines"]
    yield Figure(
        "What does it cost in time?", partial(figures.phases, name, measured),
        says="The median of each phase, and as a bar the middle half.", alt=happened.step_time(task),
    )  # fmt: skip
    yield _phases(measured)
    yield Figure(
        "Time gone by, step after step", partial(figures.catching_up, name, measured),
        says="From the start of the script on, by the medians.", alt=happened.start_time(task),
    )  # fmt: skip
    if found.get("fast"):
        yield _levels(task)
    yield Figure(
        "What does it cost in memory?", partial(figures.memory, name, measured),
        says="Full colour: between steps. Pale: the highest point within one.", alt=happened.memory(task),
    )  # fmt: skip


def _phases(measured: Json) -> Table:
    rows = []
    for phase, title, says in PHASES:
        found = [one["warm"].get(phase) for one in measured.values()]
        rows.append((title, *(spread_of(spread) if spread else "nothing" for spread in found), says))
    for title, phases, says in FRESH:
        found = [sum(one["cold"].get(phase, 0.0) for phase in phases) for one in measured.values()]
        rows.append((title, *map(seconds, found), says))
    says = "The median, and in brackets the middle half."
    return Table("Time by phase", ("phase", *measured, "what happens"), rows, says=says)


def _levels(task: Json) -> Table:
    """Static's two levels beside dynamic."""
    fast, measured = task["measure"]["fast"], task["measure"]["engines"]
    sides = {engine: measured[engine] for engine in PAIR if engine in measured} | {"fast": fast}
    columns = {"dynamic": "dynamic", "static": "static", "fast": "static, fast"}
    rows, leaders = [], []
    for title, part in (("a step, once running", "step"), ("to the first result", "start")):
        rows.append((title, *(spread_of(one["warm"][part]) for one in sides.values())))
        leaders.append(_first({columns[side]: one["warm"][part] for side, one in sides.items()}))
    peaks = (one["memory"]["peak"]["bytes"] for one in sides.values())
    rows.append(("most memory held in a step", *map(size, peaks)))
    named = ("", *(columns[side] for side in sides))
    return Table("At static's default level", named, rows, [*leaders, None], says=lesson.levels(task))


def _first(found: dict[str, Json]) -> str | None:
    """The one that is ahead of every other by more than the spread."""
    best = min(found, key=lambda side: found[side]["median"])
    others = [spread for side, spread in found.items() if side != best]
    return best if all(ahead(found[best], spread) == "dynamic" for spread in others) else None


def _inside(task: Json) -> Iterator[Block]:
    inside = task["inside"]
    if not inside:
        return
    if "static" in inside:
        nodes = inside["dynamic"]["nodes"] if "dynamic" in inside else None
        yield Nodes("The two graphs", nodes, inside["static"]["parts"], says=happened.graphs(task))
    yield Drawing("What leads to the loss", {engine: found["picture"] for engine, found in inside.items()})
    if "static" in inside:
        program = inside["static"]["program"]
        yield Listing("What static made of it", program, "static", says=happened.program(task), folded=True)
