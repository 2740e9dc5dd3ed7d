"""What a moment means, in a sentence or two of HTML, chosen by what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from comparisons.statistics.quantities import count, listed, number, size

Moment = Mapping[str, Any]
Titles = Mapping[str, str]


def titles_of(graph: Mapping[str, Any]) -> dict[str, str]:
    """What sentences call each box of a graph."""
    return {
        node["id"]: node["op"] if node["kind"] == "op"
        else f"assign {node['name']}" if node["kind"] == "assign"
        else node["id"]
        for node in graph["nodes"]
    }  # fmt: skip


def kind(spec: str) -> str:
    """A type as one says it: `f32[32,10]` by its sizes, with the dtype in front if it is not float32."""
    name, _, sizes = spec.rstrip("]").partition("[")
    said = sizes.replace(",", "\N{MULTIPLICATION SIGN}") or "scalar"
    return said if name == "f32" else f"{name} {said}"


def held(many: float) -> str:
    """Bytes, as kilobytes where there are a thousand."""
    return size(many) if many >= 1000 else f"{number(many)} bytes"


def freed(before: Moment | None, moment: Moment) -> list[Moment]:
    """The arrays that were held at the moment before, and are not any more."""
    held = {value["id"] for value in moment["values"]}
    return [] if before is None else [value for value in before["values"] if value["id"] not in held]


def dynamic(before: Moment | None, moment: Moment, titles: Titles) -> str:
    """Of a moment in define-by-run."""
    title, gave = _code([titles.get(moment["node"], "")]), _gave(moment)
    gone = _code(value["name"] for value in freed(before, moment) if value["bytes"])
    if before is None or moment["phase"] == "prepare":
        return _prepared(before, moment)
    if moment["what"] == "op":
        said = f"{title} runs at once and gives {gave}; the tape remembers how."
        return f"{said} No gradient will read {gone}: freed." if gone else said
    if moment["what"] == "rule":
        said = f"The gradient of {title} runs and gives {gave}."
        used = len(before["standing"]) - len(moment["standing"])
        return f"{said} The node before it is used up{_and_freed(gone)}." if used > 0 else said
    if moment["phase"] == "forward":
        return "The loss is a number already. Behind it the tape holds whatever its gradients will read."
    if moment["phase"] == "backward":
        if moment["standing"]:
            return f"<code>backward()</code> is over; {count(len(moment['standing']), 'node')} still stand."
        return "<code>backward()</code> is over: the tape is used up, each parameter has its gradient."
    if moment["gave"]:
        return f"<code>step()</code> gives {_code(_assigned(moment))} new arrays, down their gradients."
    if gone:
        return f"The gradients are gone, and so is the graph. Arrays still hold {held(moment['bytes'])}."
    return "The step is over. The next one starts from an empty tape, and makes its graph anew."


def static(before: Moment | None, moment: Moment, titles: Titles) -> str:
    """Of a moment in define-and-run."""
    title, gave = _code([titles.get(moment["node"], "")]), _gave(moment)
    gone = _code(value["name"] for value in freed(before, moment) if value["bytes"])
    if before is None or moment["phase"] == "prepare":
        return _prepared(before, moment)
    if moment["what"] == "op":
        said = f"{title} runs and gives {gave}."
        return f"{said} Freed after its last use: {gone}." if gone else said
    if moment["what"] == "node":
        made = [titles[box] for box in moment["standing"] if box not in before["standing"]]
        verb = "is" if len(made) == 1 else "are"
        return f"{_code(made)} {verb} described: a place in the graph and a shape, and no value yet."
    if moment["phase"] == "describe":
        said = f"{count(moment['count'], 'node')} stand, and nothing has been computed."
        more = moment["count"] - len(moment["standing"])
        apart = f" {more} of them, which set first values or group others, are not drawn."
        return said + apart if more > 1 else said
    if moment["phase"] == "compile":
        grown = moment["bytes"] - before["bytes"]
        if grown > 0:
            return f"The variables get their first values, {held(grown)}; the Parameters keep their own."
        return f"Line {moment['line']} has run. The graph stands whole; no input has been fed to it yet."
    if gone:
        return f"The run is over. The variables hold new values; {held(moment['bytes'])} stay."
    return f"The step is over. The graph stands as before, {count(moment['count'], 'node')}, to be run again."


def _prepared(before: Moment | None, moment: Moment) -> str:
    """Before the engines part."""
    if before is None:
        return "The data set is loaded; its arrays are not counted here."
    return f"Line {moment['line']} has run: {held(moment['bytes'] - before['bytes'])} more are held."


def waiting(said: str, moment: Moment) -> str:
    """Of a side that stays where it is while the other goes on; `said` is what it said before."""
    if moment["phase"] == "prepare":
        return "Waits. Python has not reached an op yet: nothing is computed, and there is no graph."
    return said


def same(arrays: int) -> str:
    """Of a frame in which both sides gave arrays with the same bits."""
    if not arrays:
        return ""
    return "both sides gave the same bits" if arrays == 1 else f"{arrays} arrays, the same bits on both sides"


def _assigned(moment: Moment) -> list[str]:
    """The parameters, which are what an update gives new arrays."""
    return [v["name"] for v in moment["values"] if v["node"] == v["name"] and v["spec"] in moment["gave"]]


def _gave(moment: Moment) -> str:
    """What came out; several arrays of one shape are said once. A size alone would pass for a value."""
    said = dict.fromkeys(
        "a single number" if "[]" in spec
        else f"<code>{escape(kind(spec))}</code>{'' if ',' in spec else ' numbers'}"
        for spec in moment["gave"]
    )  # fmt: skip
    return listed(list(said)) if said else ""


def _and_freed(gone: str) -> str:
    return f", {gone} freed" if gone else ""


def _code(words: Iterable[str]) -> str:
    said = [f"<code>{escape(word)}</code>" for word in dict.fromkeys(words)]
    return listed(said) if said else ""
