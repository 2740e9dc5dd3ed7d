"""A model that the main thread made, used in a worker thread: what does the worker see?"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Pair
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import Verdict, by_design
from comparisons.statistics.quantities import OTHER, PAIR, count, listed

ROWS = np.array([[1.0, 2.0, 3.0]], np.float32)


# A worker asks the model for a prediction, as a web server's does.


def ask_dynamic() -> int:
    """A prediction, made in another thread."""
    from concurrent.futures import ThreadPoolExecutor

    import dynamic
    from shared import nn, ops

    model = nn.Linear(3, 2)

    def predict(rows):
        logits = model(dynamic.tensor(rows))
        return ops.softmax(logits).numpy()

    with ThreadPoolExecutor(max_workers=1) as pool:
        answer = pool.submit(predict, ROWS).result()
    return int(answer.size)


def ask_static() -> int:
    """A prediction, made in another thread."""
    from concurrent.futures import ThreadPoolExecutor

    import static
    from shared import nn, ops

    model = nn.Linear(3, 2)
    x = static.placeholder("float32", ("N", 3), name="x")
    answers = ops.softmax(model(x))

    def predict(rows):
        return answers.eval({x: rows})

    with static.Session() as session:
        session.run(static.global_variables_initializer())
        with ThreadPoolExecutor(max_workers=1) as pool:
            answer = pool.submit(predict, ROWS).result()
    return int(answer.size)


# A worker makes something new of the model: the answers to another input.


def extend_dynamic() -> int:
    """What the worker writes uses the layer that the main thread made."""
    from concurrent.futures import ThreadPoolExecutor

    import dynamic
    from shared import nn, ops

    model = nn.Linear(3, 2)

    def doubled(rows):
        x = dynamic.tensor(rows)
        return ops.softmax(model(x * 2)).numpy()

    with ThreadPoolExecutor(max_workers=1) as pool:
        answer = pool.submit(doubled, ROWS).result()
    return int(answer.size)


def extend_static() -> int:
    """What the worker writes uses the layer that the main thread made."""
    from concurrent.futures import ThreadPoolExecutor

    import static
    from shared import nn, ops

    model = nn.Linear(3, 2)
    with static.Graph().as_default() as graph:
        model(static.placeholder("float32", ("N", 3), name="x"))
        init = static.global_variables_initializer()
    session = static.Session(graph=graph)
    session.run(init)

    def doubled(rows):
        x = static.placeholder("float32", ("N", 3), name="twice")
        return session.run(ops.softmax(model(x * 2)), {x: rows})

    with graph.as_default(), ThreadPoolExecutor(max_workers=1) as pool:
        answer = pool.submit(doubled, ROWS).result()
    return int(answer.size)


# The main thread says that nothing need be recorded, and lets a worker compute.


def mode_dynamic() -> bool:
    """Is anything recorded by what the worker does?"""
    from concurrent.futures import ThreadPoolExecutor

    import dynamic
    from shared import nn

    model = nn.Linear(3, 2)

    def predict(rows):
        return model(dynamic.tensor(rows))

    with dynamic.no_grad(), ThreadPoolExecutor(max_workers=1) as pool:
        answer = pool.submit(predict, ROWS).result()
    return bool(answer.requires_grad)


def mode_static() -> bool:
    """Is anything recorded by what the worker does?"""
    from concurrent.futures import ThreadPoolExecutor

    import static
    from shared import nn

    model = nn.Linear(3, 2)
    x = static.placeholder("float32", ("N", 3), name="x")
    answers = model(x)

    def predict(rows):
        return session.run(answers, {x: rows})

    with static.Session() as session:
        session.run(static.global_variables_initializer())
        nodes = len(session.graph.nodes)
        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(predict, ROWS).result()
    return len(session.graph.nodes) > nodes


# Two workers add 1 to a State that they share. The barrier is bad luck that can be repeated.


def update_dynamic() -> int:
    """What two additions of 1, made at one time, come to."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    from shared import nn

    count = nn.Buffer(np.zeros(1))
    both = Barrier(2)

    def add(_):
        more = count.value() + 1
        both.wait(timeout=5)
        count.assign(more)

    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(add, range(2)))
    return int(count.value()[0])


def update_static() -> int:
    """What two additions of 1, made at one time, come to."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    import static

    count = static.Variable(np.zeros(1))
    more = count.assign_add([1.0])
    both = Barrier(2)

    def add(_):
        both.wait(timeout=5)
        session.run(more)

    with static.Session() as session:
        session.run(static.global_variables_initializer())
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(add, range(2)))
        total = session.run(count)
    return int(total[0])


# The same two questions, by one who knows what a thread has of its own.


def cured_dynamic() -> int:
    """Nothing needs to be told to a worker that computes."""
    from concurrent.futures import ThreadPoolExecutor

    import dynamic
    from shared import nn, ops

    model = nn.Linear(3, 2)

    def predict(rows):
        with dynamic.no_grad():
            x = dynamic.tensor(rows)
            return ops.softmax(model(x * 2)).numpy()

    with ThreadPoolExecutor(max_workers=1) as pool:
        answer = pool.submit(predict, ROWS).result()
    return int(answer.size)


def cured_static() -> int:
    """Graph and session are passed on by name, and nothing is left to a default."""
    from concurrent.futures import ThreadPoolExecutor

    import static
    from shared import nn, ops

    model = nn.Linear(3, 2)
    graph = static.Graph()
    with graph.as_default():
        x = static.placeholder("float32", ("N", 3), name="x")
        answers = ops.softmax(model(x * 2))
        init = static.global_variables_initializer()
    session = static.Session(graph=graph)
    session.run(init)

    def predict(rows):
        return session.run(answers, {x: rows})

    with ThreadPoolExecutor(max_workers=1) as pool:
        answer = pool.submit(predict, ROWS).result()
    return int(answer.size)


CASES = (
    ("ask", "a worker thread asks a model, default session", ask_dynamic, ask_static),
    ("extend", "a worker thread adds ops, default graph", extend_dynamic, extend_static),
    ("mode", "main thread's no_grad: a call in a worker thread", mode_dynamic, mode_static),
    ("update", "two threads add 1 to one State at once", update_dynamic, update_static),
)
MEANT = {"mode": False, "update": 2}
"""What comes of a case if it comes out as meant, where that is not said by its ending at all."""
SAYS = {
    "ask": "Static's prediction is an `eval`, which runs in the default session; dynamic's is a call.",
    "extend": "Static's main thread has made a graph of its own the default.",
    "mode": "Dynamic's main thread has switched recording off.",
    "update": "On dynamic the barrier makes both read before either writes; a run of a session is whole.",
}


def run(context: Context) -> dict[str, Any]:
    return {
        "cases": [
            {"name": name, "title": title, "dynamic": attempt(dynamic), "static": attempt(static)}
            for name, title, dynamic, static in CASES
        ],
        "cured": {"dynamic": attempt(cured_dynamic), "static": attempt(cured_static)},
    }


def doctored(found: Json) -> Json:
    """Evidence in which a worker of static's found a session."""
    found = copy.deepcopy(found)
    found["cases"][0]["static"] |= {"error": None, "value": 2}
    return found


# What is said of it.


def read(found: Json) -> Reading:
    cases, cured = found["cases"], found["cured"]
    works = {engine: [case for case in cases if _fine(case, engine)] for engine in PAIR}
    return Reading(
        answer=_answer(cases, works),
        verdicts=[
            by_design(Verdict(case["title"], _cell(case, "dynamic"), _cell(case, "static"), _leader(case)))
            for case in cases if case["name"] != "extend"  # it is the same missing default once more
        ],
        evidence=[
            *(
                Pair(_titled(case), case["dynamic"], case["static"], says=SAYS[case["name"]])
                for case in cases
            ),
            Pair("Written for threads", cured["dynamic"], cured["static"], says=_cured(cured)),
        ],
        means=_means(cases),
        otherwise=_otherwise(cases, works),
        threats=[
            "TensorFlow 1 gave every thread a default graph of its own (`is not an element of this graph`); "
            "here only what `as_default` or `with Session()` has set is a thread's own.",
        ],
    )


def _titled(case: Json) -> str:
    return f"{case['title'][0].upper()}{case['title'][1:]}"


def _fine(case: Json, engine: str) -> bool:
    """Whether it came out as the author meant."""
    side = case[engine]
    return side["error"] is None and side["value"] == MEANT.get(case["name"], side["value"])


def _leader(case: Json) -> str | None:
    good = [engine for engine in PAIR if _fine(case, engine)]
    return good[0] if len(good) == 1 else None


def _cell(case: Json, engine: str) -> str:
    error, value = case[engine]["error"], case[engine]["value"]
    if error is not None:
        return str(error["type"])
    if case["name"] == "update":
        return f"{value} of 2 is kept" if value == 1 else f"{value} of 2 are kept"
    return "is recorded all the same" if value is True else "is not recorded" if value is False else "works"


def _answer(cases: Json, works: dict[str, Any]) -> str:
    said = [f"{engine} in {len(works[engine])} of {len(cases)} cases" for engine in PAIR]
    if all(_leader(case) is None for case in cases):
        return f"A worker thread sees as much on one engine as on the other: {' and '.join(said)}."
    return f"It sees the objects, but not every default: it does what was meant on {' and on '.join(said)}."


def _cured(cured: Json) -> str:
    works = [engine for engine in PAIR if cured[engine]["error"] is None]
    if not works:
        return "Even so it works on neither engine."
    return (
        f"So written, it works on {listed(works)}: what a thread has of its own is set in that thread."
    )


def _means(cases: Json) -> list[str]:
    said = []
    for engine in PAIR:
        stopped = [case for case in cases if case[engine]["error"] is not None]
        kept = [case for case in cases if case[engine]["error"] is None and case[engine]["value"] is True]
        if stopped:
            said.append(
                f"On {engine} a program leans on a default graph and session, and a thread starts without "
                f"them: {count(len(stopped), 'case')} of {len(cases)} stopped for that."
            )
        if kept:
            said.append(
                f"On {engine} a mode belongs to its thread, and nothing stops when it is missing."
            )
        if lost := [c for c in cases if c["name"] == "update" and not _fine(c, engine)]:
            said.append(f"On {engine} nothing keeps another thread out of an update but a lock of one's own.")
        if not stopped and not kept and not lost:
            said.append(f"On {engine} these programs lean on nothing that a thread has of its own.")
    return said


def _otherwise(cases: Json, works: dict[str, Any]) -> list[str]:
    reasons = {
        "static": "A session is made for threads: one object, and a run sees all of another run's "
        "assignments or none.",
        "dynamic": "Where a worker computes at once with objects that it was given, there is no graph and no "
        "session to hand over: it needs the model and the numbers.",
    }
    fewer = [engine for engine in PAIR if len(works[engine]) < len(works[OTHER[engine]])]
    if fewer:
        return [reasons[engine] for engine in fewer]
    if any(_leader(case) for case in cases):
        return list(reasons.values())
    return ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="worker_thread",
    title="The same model in a worker thread",
    question="The main thread made the model. What does a worker thread see of it?",
    dimension="concurrency",
    run=run,
    read=read,
    sizes=lambda found: "One dense layer, one row of three numbers.",
    level="",
    doctor=doctored,
)
