"""A stage's page: one file that needs nothing else, from the recording alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparisons.book.recorder import whole
from comparisons.report.book.drawing import picture
from comparisons.report.look import listing
from comparisons.report.look.prose import prose
from comparisons.report.stepper.frames import frames
from comparisons.report.stepper.layout import Edge, lay_out
from comparisons.statistics.quantities import PAIR

if TYPE_CHECKING:
    from jinja2 import Environment

Json = Mapping[str, Any]

_TEMPLATES = Path(__file__).parents[1] / "templates"
_SIDES = {"gradient": "backward", "assign": "update"}
_KINDS = {"leaf": "input"}


def draw_book(found: Json) -> dict[str, str]:
    """The pages as text by file name, from what `record` gave. RuntimeError where there is no Graphviz."""
    stages = [*found.items()]
    contents = [(f"{name}.html", stage) for name, stage in stages]
    return {f"{name}.html": _page(stage, contents) for name, stage in stages}


def _page(stage: Json, contents: Sequence[tuple[str, Json]]) -> str:
    steps = [_Step(step, stage["first"] + i) for i, step in enumerate(stage["steps"])]
    data = {f"step-{step.number}": [take.data() for take in step.takes] for step in steps}
    place = [other["number"] for _, other in contents].index(stage["number"])
    return _environment().get_template("book.html").render(
        stage=stage, steps=steps, contents=contents, place=place,
        data=json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c"),
        same=sum(step.same for step in steps),
    )  # fmt: skip


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["prose"] = prose
    made.globals |= {
        "style": _text("style.css") + _text("book.css"), "script": _text("book.js"),
        "PAIR": PAIR, "SAID": {"dynamic": "define-by-run", "static": "define-and-run"},
    }  # fmt: skip
    return made


def _text(template: str) -> str:
    return (_TEMPLATES / template).read_text(encoding="utf-8")


class _Step:
    """One step of the page."""

    def __init__(self, step: Json, number: int) -> None:
        self.number = number
        self.title, self.says, self.argument = step["title"], step["says"], step["argument"]
        self.common = listing.highlighted(step["common"]) if step["common"] else []
        self.takes = [_Take(take, f"{number}-{i}") for i, take in enumerate(step["takes"])]
        self.same = all(take.same for take in self.takes)


class _Take:
    """One recording of a step: both sides, and how their moments stand beside each other."""

    def __init__(self, take: Json, name: str) -> None:
        self.name, self.choice = name, take["choice"]
        self.sides = {engine: _Side(engine, take[engine]) for engine in PAIR}
        self.frames = frames(*(side.found["moments"] for side in self.sides.values()))
        self.same = _outcome(take["dynamic"]) == _outcome(take["static"])

    def data(self) -> Json:
        return {
            "frames": [[frame.dynamic, frame.static, frame.same] for frame in self.frames],
            **{engine: side.moments() for engine, side in self.sides.items()},
        }


def _outcome(side: Json) -> Any:
    return side["printed"], side["pictures"]


class _Side:
    """One engine's half of it."""

    def __init__(self, engine: str, found: Json) -> None:
        found = {**found, "moments": whole(found["moments"])}
        self.found, self.engine = found, engine
        self.code = listing.highlighted(found["code"])
        self.printed = found["printed"].rstrip()
        self.pictures = [picture(one) for one in found["pictures"]]
        self.last = dict(pair for moment in found["moments"] for pair in moment["values"] if pair[1])
        for number, box in enumerate(found["boxes"]):
            if box["value"]:
                self.last.setdefault(number, box["value"])
        nodes = [
            {**box, "id": str(i), "kind": _KINDS.get(box["kind"], box["kind"]), "op": box["title"],
             "spec": self._widest(i)}
            for i, box in enumerate(found["boxes"])
        ]  # fmt: skip
        sides = {node["id"]: _SIDES.get(node["kind"], "forward") for node in nodes}
        edges = [[*edge.split(" "), True] for edge in found["edges"]]
        self.layout = lay_out({"nodes": nodes, "edges": edges}, sides)
        self.boxes = sorted(self.layout.boxes, key=lambda box: int(box.id))

    def spec(self, number: int) -> str:
        """What stands in a box before it has a value: its type, as one says it."""
        kind, _, sizes = self.found["boxes"][number]["spec"].rstrip("]").partition("[")
        said = sizes.replace(",", "\N{MULTIPLICATION SIGN}")
        return said if kind == "f32" and said else f"{kind} {said}".rstrip()

    def _widest(self, number: int) -> str:
        """The longest of what stands in a box at one time or another."""
        moments = self.found["moments"]
        values = [value for moment in moments for box, value in moment["values"] if box == number]
        grads = [f" \N{NABLA} {g}" for moment in moments for box, g in moment["grads"] if box == number]
        value = max([*values, self.last.get(number, ""), self.spec(number)], key=len)
        return value + max([*grads, ""], key=len)

    def path(self, edge: Edge) -> str:
        (x, y), *rest = [(round(x), round(y)) for x, y in edge.points]
        return f"M{x} {y}C" + " ".join(f"{a} {b}" for a, b in rest)

    def moments(self) -> list[Any]:
        """Each as [line, box, back, stands, printed, drawn, unseen, values, gradients, gone], `gone` None
        where it is what it was."""
        shown, gone = [], None
        for moment in self.found["moments"]:
            shown.append([
                moment["line"], moment["box"], int(moment["back"]), moment["stands"], moment["printed"],
                moment["drawn"], moment["unseen"], [pair for pair in moment["values"] if pair[1]],
                moment["grads"], moment["gone"] if moment["gone"] != gone else None,
            ])  # fmt: skip
            gone = moment["gone"]
        return shown
