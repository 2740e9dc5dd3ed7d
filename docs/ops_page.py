"""Writes docs/ops.md from the ops themselves: `python -m docs.ops_page`, in the project's root."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from shared import ops
from shared.op import ZERO, Op, Rule
from shared.pullback import read_by

PAGE = Path(__file__).with_name("ops.md")

INTRODUCTION = """\
# The ops

Every op of `shared.ops`, by module; linear algebra and Fourier transforms have namespaces of their own,
`ops.linalg` and `ops.fft`. This page is written by `python -m docs.ops_page`; a test
checks that it is up to date.

An op is said once and works on raw arrays, on `dynamic` Tensors and on `static` Tensors. Under each
signature stands what the op promises; then

- **Gradient**: for each argument, the values that its gradient reads. These, and no others, are
  kept from the forward pass until backward; of the rest only shape and dtype are known then. `y` is
  the output. `0`: the derivative is zero by mathematics. `-`: none is written, asking for it is an
  error. Gradients are written in ops, so they have gradients of their own.
- **Outputs**, where there is not just one: what a gradient needs beside the result. In brackets those
  that carry no gradient themselves. A public function may hand out only some of them.
- **Memory**: the arguments whose memory the result may share. Elsewhere it is fresh.
- **Element**: the expression of one element, for ops that work on each element alone; such ops can be
  fused. `{0}` is the first argument.
- **Made of**: the ops that a function without an op of its own calls.

Arrays and Tensors are arguments, positional; settings have names. Unless an entry says otherwise,
arguments broadcast and dtypes are promoted as in NumPy 2, Python numbers take the dtype of the array
beside them, and float32 stays float32. Any size may be unknown until a static graph runs.
"""


@dataclass
class Entry:
    """What is under one heading: a public name, an op, or both."""

    name: str
    public: Any
    op: Op | None
    module: ModuleType


def page() -> str:
    """The text of docs/ops.md."""
    found = [(module, entries) for module in _modules() if (entries := list(_entries(module)))]
    contents = "\n".join(_contents(module, entries) for module, entries in found)
    sections = [_section(module, entries) for module, entries in found]
    return "\n\n".join([INTRODUCTION.rstrip(), contents, *sections]) + "\n"


NAMESPACES: dict[str, Any] = {"": ops, "linalg.": ops.linalg, "fft.": ops.fft}
"""What has public names, by what stands before them."""


def _modules() -> Iterator[ModuleType]:
    found = pkgutil.walk_packages(ops.__path__, f"{ops.__name__}.")
    for info in sorted(found, key=lambda info: info.name):
        if not info.ispkg:
            yield importlib.import_module(info.name)


def _namespace(module: str) -> str:
    """What stands before the public names of a module."""
    inside = module.removeprefix(f"{ops.__name__}.")
    return next((name for name in NAMESPACES if name and f"{inside}.".startswith(name)), "")


def _public_name(name: str, module: str) -> str | None:
    """By what name users call what a module calls so; None if they do not."""
    space = _namespace(module)
    return space + name if name in NAMESPACES[space].__all__ else None


def _entries(module: ModuleType) -> Iterator[Entry]:
    """What a module defines, in the order of its source: public names, then ops behind them."""
    own = {name: getattr(module, name) for name in _defined(module)}
    behind = {op.name: op for value in own.values() if (op := _op_of(value)) is not None}
    for name, value in own.items():
        if (public := _public_name(name, module.__name__)) is not None:
            yield Entry(public, value, behind.pop(name, None), module)
    for name, op in behind.items():
        yield Entry(name, None, op, module)


def _defined(module: ModuleType) -> Iterator[str]:
    """The names that a module's own source binds at its top level."""
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.FunctionDef):
            yield statement.name
        for target in getattr(statement, "targets", [getattr(statement, "target", None)]):
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(part, ast.Name):
                    yield part.id


def _op_of(value: Any) -> Op | None:
    """The op that a module's name stands for, by itself or inside a wrapper."""
    op = value if isinstance(value, Op) else getattr(value, "op", None)
    return op if isinstance(op, Op) else None


# --- text ----------------------------------------------------------------------------------


def _title(module: ModuleType) -> str:
    return module.__name__.removeprefix(f"{ops.__name__}.")


def _link(title: str) -> str:
    return f"[{title}](#{title.replace('.', '')})"


def _contents(module: ModuleType, entries: list[Entry]) -> str:
    title, names = _title(module), [entry.name for entry in entries if entry.public is not None]
    return f"- {_link(title)}: {', '.join(map(_link, names))}"


def _section(module: ModuleType, entries: list[Entry]) -> str:
    head = f"## {_title(module)}\n\n{inspect.getdoc(module)}"
    return "\n\n".join([head, *(_text(entry) for entry in entries)])


def _text(entry: Entry) -> str:
    public, op = entry.public, entry.op
    if public is None:
        heading = f"### {entry.name} (behind the scenes)"
        parts = [heading, _signature(entry), inspect.getdoc(op) if op.__doc__ else ""]
    else:
        parts = [f"### {entry.name}", _signature(entry), inspect.getdoc(public) or ""]
    if op is not None:
        facts = _facts(op)
    else:
        facts = [f"**Made of**: {_listed(made)}"] if (made := _made_of(entry)) else []
    parts.append("\n".join(f"- {fact}" for fact in facts))
    return "\n\n".join(part for part in parts if part)


def _signature(entry: Entry) -> str:
    """The call without annotations. An op behind the scenes takes what its infer takes."""
    said = entry.public if entry.op is None or inspect.isfunction(entry.public) else entry.op.infer
    if entry.public is entry.op:  # elementwise: settings and arguments have no names but the rules'
        return f"`{entry.name}({', '.join(entry.op.inputs if entry.op else ())})`"
    signature = inspect.signature(said)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return f"`{entry.name}{signature.replace(parameters=bare, return_annotation=signature.empty)}`"


def _facts(op: Op) -> list[str]:
    facts = []
    if op.inputs or _is_variadic(op):
        facts.append(f"**Gradient**: {'; '.join(_gradients(op))}")
    if op.outputs is None:
        facts.append("**Outputs**: as many as the settings say")
    elif op.outputs != ("y",):
        names = [f"({name})" if name in op.constant else name for name in op.outputs]
        facts.append(f"**Outputs**: {', '.join(names)}")
    if op.alias:
        facts.append(f"**Memory**: may be that of {_listed(op.argument(i) for i in op.alias)}")
    if op.scalar is not None:
        facts.append(f"**Element**: `{op.scalar}`")
    return facts


def _gradients(op: Op) -> Iterator[str]:
    """For each argument what its gradient reads."""
    if op.joint is not None and isinstance(op.joint.reads, str):
        yield f"all at once, reading {_listed(op.joint.reads.split())}"
        return
    count = 3 if _is_variadic(op) else len(op.inputs)
    for i in range(count):
        rule = op.rules[i] if i < len(op.rules) else None
        if op.joint is not None or isinstance(rule, Rule):
            read = read_by(op, tuple(k == i for k in range(count)))
            names = (_name(op, int(name)) if name.isdigit() else name for name in sorted(read))
            yield f"for `{_name(op, i)}` reads {_listed(names)}"
        else:
            yield f"for `{_name(op, i)}` {'0' if rule is ZERO else '-'}"


def _name(op: Op, position: int) -> str:
    """How the page calls an argument: by its name or, if it has none, as the nth."""
    name = op.argument(position)
    return ("first", "second", "third")[position] if name.isdigit() else name


def _is_variadic(op: Op) -> bool:
    return op.joint is not None and bool(op.joint.fn.__code__.co_flags & inspect.CO_VARARGS)


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"


def _made_of(entry: Entry) -> list[str]:
    """The ops and public functions that a function calls, directly or through its helpers."""
    found: dict[str, None] = {}
    seen: set[int] = set()
    stack = [entry.public]
    while stack:
        function = inspect.unwrap(stack.pop())
        for name in _names(function.__code__):
            value = function.__globals__.get(name)
            op = _op_of(value)
            if op is not None:
                found[op.name] = None
            elif inspect.isfunction(value) and value.__module__.startswith(ops.__name__):
                if (public := _public_name(value.__name__, value.__module__)) is not None:
                    found[public] = None
                elif id(value) not in seen:
                    seen.add(id(value))
                    stack.append(value)
    return sorted(found)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE} is up to date")
