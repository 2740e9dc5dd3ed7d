"""The stepper's page: one file that needs nothing else, from the recording alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparisons.report.look import listing
from comparisons.report.stepper import words
from comparisons.report.stepper.frames import Frame, frames, told
from comparisons.report.stepper.layout import Edge, Layout, lay_out
from comparisons.statistics.quantities import count

Json = Mapping[str, Any]

ENGINES = ("dynamic", "static")
_TEMPLATES = Path(__file__).parents[1] / "templates"
_SENTENCES = {"dynamic": words.dynamic, "static": words.static}
_EMPTY = {"dynamic": "the tape is empty", "static": "no graph yet"}


def draw_stepper(evidence: Json) -> str:
    """The page as text, from what `record` gave. Raises RuntimeError where there is no Graphviz."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    sides = {engine: _Side(engine, evidence[engine]) for engine in ENGINES}
    shown = frames(sides["dynamic"].moments, sides["static"].moments)
    for engine, side in sides.items():
        side.place([getattr(frame, engine) for frame in shown])
    story = [_frame(sides, now, before) for now, before in zip(shown, [None, *shown], strict=False)]
    top = max(side.peak for side in sides.values())
    return environment.get_template("stepper.html").render(
        sides=sides,
        top=top,
        stages=_stages(story),
        story=story,
        data=_inline({
            "frames": story, "moments": {e: side.data() for e, side in sides.items()},
            "opens": first_op(story, sides), "strip": strip(story, sides),
        }),
        curve=_curve,
        held=words.held,
        equal=evidence["dynamic"]["printed"] == evidence["static"]["printed"],
        printed={engine: evidence[engine]["printed"].strip() for engine in ENGINES},
        style=_text("style.css") + _text("stepper.css"),
        script=_text("stepper.js"),
    )  # fmt: skip


def _text(template: str) -> str:
    return (_TEMPLATES / template).read_text(encoding="utf-8")


class _Side:
    """One engine's half of the page."""

    def __init__(self, engine: str, found: Json) -> None:
        self.engine = engine
        self.empty = _EMPTY[engine]
        self.moments = told(found["moments"], found.get("phases", {}))
        self.titles = words.titles_of(found["graph"])
        self.layout: Layout = lay_out(found["graph"], found.get("phases", {}))
        self.script = listing.highlighted(found["script"])
        self.program = listing.highlighted(_narrow(found["program"])) if found.get("program") else []
        self.peak = max(moment["bytes"] for moment in self.moments)
        self.said = [
            _SENTENCES[engine](self.moments[i - 1] if i else None, moment, self.titles)
            for i, moment in enumerate(self.moments)
        ]

    def place(self, shown: Sequence[int]) -> None:
        """Which of its moments each frame shows."""
        self.held = [self.moments[i]["bytes"] for i in shown]

    def path(self, edge: Edge) -> str:
        (x, y), *rest = edge.points
        return f"M{x:g} {y:g}C" + " ".join(f"{a:g} {b:g}" for a, b in rest)

    def data(self) -> list[Json]:
        """What the page's script shows of each moment."""
        stood: set[str] = set()
        shown: list[Json] = []
        for i, moment in enumerate(self.moments):
            before = self.moments[i - 1] if i else None
            known = {value["id"] for value in (before or moment)["values"]}
            standing = set(moment["standing"])
            holds = [value["node"] for value in moment["values"] if value["part"] != "gradient"]
            grads = [value["node"] for value in moment["values"] if value["part"] == "gradient"]
            shown.append(
                {
                    "line": moment["line"],
                    "program": moment["program"],
                    "now": moment["node"],
                    "back": moment["what"] == "rule",
                    "stands": moment["standing"],
                    "gone": sorted(stood - standing),
                    "holds": sorted(set(holds) & (standing | stood)),
                    "grads": sorted({box for box in grads if box}),
                    "nodes": count(moment["count"], "node"),
                    "bytes": words.held(moment["bytes"]),
                    "values": [
                        [v["name"], words.kind(v["spec"]), v["id"] not in known] for v in moment["values"]
                    ],
                    "freed": [[v["name"], words.kind(v["spec"])] for v in words.freed(before, moment)],
                }
            )
            stood |= standing
        return shown


def _frame(sides: Mapping[str, _Side], frame: Frame, before: Frame | None) -> Json:
    """What stands side by side, and what each side says there."""
    says = {}
    for engine, side in sides.items():
        at = getattr(frame, engine)
        waits = before is not None and getattr(before, engine) == at
        says[engine] = words.waiting(side.said[at], side.moments[at]) if waits else side.said[at]
    return {"dynamic": frame.dynamic, "static": frame.static, "phase": _phase(sides, frame),
            "same": words.same(frame.same), "says": says}  # fmt: skip


def _phase(sides: Mapping[str, _Side], frame: Frame) -> str:
    """Static's, for dynamic waits while a graph is described and compiled."""
    return sides["static"].moments[frame.static]["phase"]


def _stages(story: Sequence[Json]) -> Sequence[Json]:
    """The phases in order: the frame that each starts with, and how many it has."""
    stages: list[dict[str, Any]] = []
    for number, frame in enumerate(story):
        phase = frame["phase"]
        if not stages or stages[-1]["name"] != phase:
            stages.append({"name": phase, "start": number, "frames": 0})
        stages[-1]["frames"] += 1
    return stages


def first_op(story: Sequence[Json], sides: Mapping[str, _Side]) -> int:
    """The frame in which something is computed for the first time, with which the page opens: before it
    one would look at two empty panels."""
    computes = (
        number for number, frame in enumerate(story)
        if any(side.moments[frame[engine]]["what"] == "op" for engine, side in sides.items())
    )  # fmt: skip
    return next(computes, 0)


def strip(story: Sequence[Json], sides: Mapping[str, _Side]) -> list[int]:
    """The frames that stand on paper: the first op, and the end of each phase that has a graph by then."""
    ends = [stage["start"] + stage["frames"] - 1 for stage in _stages(story)]
    found = {first_op(story, sides), *ends}
    return sorted(
        number for number in found
        if any(side.moments[story[number][engine]]["standing"] for engine, side in sides.items())
    )  # fmt: skip


def _curve(held: Sequence[int], top: int) -> str:
    """A curve in steps over the frames, as an area: each frame is one wide, `top` is 100 high."""
    path, heights = "M0 100", [round(100 - 100 * size / top, 2) for size in held]
    for number, height in enumerate(heights):
        path += f"V{height:g}H{number + 1}"
    return f"{path}V100Z"


def _narrow(program: str) -> str:
    """The generated program without its comments, which repeat what stands beside it."""
    return "\n".join(line.partition("  # ")[0] for line in program.splitlines()) + "\n"


def _inline(data: Any) -> str:
    """JSON that may stand inside a <script> element."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
