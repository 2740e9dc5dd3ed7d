"""What a page says about pieces of code: the scripts, and the mistakes."""

from __future__ import annotations

from comparisons.report.quantities import PAIR, Json, count, number


def scripts(counts: tuple[int, int, int]) -> str:
    """How much of two scripts is the same; the counts are of lines that both have, that only
    dynamic has, that only static has."""
    same, dynamic, static = counts
    return (
        f"{count(same, 'line is', 'lines are')} the same on both sides; {number(dynamic)} belong to dynamic "
        f"alone, {number(static)} to static alone. Dynamic's own lines compute: each is done when Python has "
        "passed it. Static's describe: what they make has a shape and a dtype, but no value, until "
        "the session runs it with arrays in the place of its placeholders."
    )


def mistake(case: Json) -> str:
    """When each engine found a mistake, and where its message leads."""
    errors = [case[engine]["error"] for engine in PAIR]
    if all(errors) and len({error["type"] for error in errors}) == 1:
        when = "; ".join(f"{engine} {_by_then(case[engine])}" for engine in PAIR)
        said = [f"Both stop with {_a(errors[0]['type'])}: {when}."]
        leads = [_leads(error) for error in errors]
        if leads[0] == leads[1]:
            return f"{said[0]} Each {leads[0]}."
        return " ".join([*said, *(f"{e.capitalize()} {lead}." for e, lead in zip(PAIR, leads, strict=True))])
    said = []
    for engine, error in zip(PAIR, errors, strict=True):
        if error is None:
            said.append(f"On {engine} this is no mistake: the code runs to its end.")
        else:
            when = f"stops with {_a(error['type'])} {_by_then(case[engine])}"
            said.append(f"{engine.capitalize()} {when}; it {_leads(error)}.")
    if errors[0] is None and errors[1] is not None:
        said.append("What is plain Python on the one is an error on the other.")
    return " ".join(said)


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _by_then(found: Json) -> str:
    return f"once {found['reached'][-1]}" if found["reached"] else "at once"


def _leads(error: Json) -> str:
    if error["named"] is None:
        return "names no line of the script in its message"
    if error["named"] == error["stopped"]:
        return "stands at the line to mend, and its message names that line"
    return (
        "stands at the line that runs the graph, which is not the one to mend, but its message leads back to "
        "the line that described the op"
    )


def found_when(found: Json) -> str:
    """The same in a few words."""
    if found["error"] is None:
        return "no mistake here"
    return f"found {_by_then(found)}"
