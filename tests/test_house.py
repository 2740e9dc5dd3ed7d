"""Law: imports point one way, names do not collide, heavy parts load late, and `shared` never
asks which engine it works for."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import networkx
import pytest

from tests import HOME
from tests.rooms import EXCEPTIONS, ROOMS

MAY_IMPORT = {
    "shared": {"shared"},
    "dynamic": {"dynamic", "shared"},
    "static": {"static", "shared"},
    "comparisons": {"comparisons", "dynamic", "static", "shared"},
}
HEAVY = {
    "click", "comparisons", "cupy", "graphviz", "jinja2", "llvmlite", "matplotlib", "mpi4py", "networkx",
    "onnx", "onnxruntime", "pygraphviz", "rich", "scipy", "sklearn", "torch",
}  # fmt: skip
PEERS = (HOME / "comparisons" / "bench", HOME / "comparisons" / "pitfalls")
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
FILES = sorted(path for package in MAY_IMPORT for path in (HOME / package).rglob("*.py"))
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOME).as_posix())


# --- imports -------------------------------------------------------------------------------


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every top-level package that a file imports, wherever in the file, and the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0], node.lineno
        elif isinstance(node, ast.Call) and node.args and _called(node) in ("import_module", "__import__"):
            if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                yield node.args[0].value.partition(".")[0], node.lineno


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _requirements(*extras: str) -> set[str]:
    """The import names of what the project says that it needs."""
    project = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    names = {re.split(r"[\[<>=~! ]", line)[0] for line in lines}
    return {{"scikit-learn": "sklearn", "cupy-cuda12x": "cupy"}.get(name, name) for name in names}


@each_file
def test_imports_point_one_way(path: Path) -> None:
    """Within functions and for type checkers too."""
    package = path.relative_to(HOME).parts[0]
    for name, line in imported(ast.parse(path.read_text())):
        if name in MAY_IMPORT or name == "tests":
            assert name in MAY_IMPORT[package], f"{path}:{line}: {package} imports {name}"


def module_of(path: Path) -> str:
    """The name that a file is imported by."""
    return ".".join(path.relative_to(HOME).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


def known(name: str) -> str | None:
    """The module of ours that a dotted name is, or is something in."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or None


def imported_modules(module: str, tree: ast.AST) -> set[str]:
    """The modules of ours that a module imports, wherever in the file: within functions, for type
    checkers, and by name (`import_module`, and tables whose values are names of modules)."""
    found: set[str | None] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(known(name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module}: write imports in full"
            found.update(known(f"{node.module}.{name.name}") for name in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in MODULES:
            if "." in node.value:
                found.add(node.value)
    return {name for name in found if name is not None and name != module}


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, each module in one group at most."""
    graph = networkx.DiGraph((a, b) for a, bs in edges.items() for b in bs)
    return [sorted(group) for group in networkx.strongly_connected_components(graph) if len(group) > 1]


EDGES = {name: imported_modules(name, ast.parse(path.read_text())) for name, path in MODULES.items()}


def test_no_modules_import_each_other() -> None:
    """Within functions, for type checkers and by name counted; but for the edges of `EXCEPTIONS`."""
    assert len(EXCEPTIONS) <= 8
    edges = {a: {b for b in bs if (a, b) not in EXCEPTIONS} for a, bs in EDGES.items()}
    assert circles(edges) == []


@pytest.mark.parametrize("edge", EXCEPTIONS, ids=" -> ".join)
def test_every_exception_is_needed(edge: tuple[str, str]) -> None:
    edges = {a: {b for b in bs if (a, b) == edge or (a, b) not in EXCEPTIONS} for a, bs in EDGES.items()}
    assert circles(edges) != []


def test_the_law_of_circles_sees() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    source = "def f():\n    from static.run import session\nLATE = {'x': 'static.archive.load'}"
    assert imported_modules("m", ast.parse(source)) == {"static.run.session", "static.archive.load"}


@pytest.mark.parametrize("package", ROOMS)
def test_every_file_stands_in_a_room(package: str) -> None:
    rooms = {name.split(".")[1] for name in MODULES if name.startswith(package + ".")}
    assert rooms == set(ROOMS[package])


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_are_walked_in_one_direction(package: str) -> None:
    floor = {f"{package}.{room}": number for number, room in enumerate(ROOMS[package])}

    def room(module: str) -> str:
        return ".".join(module.split(".")[:2])

    for name, others in EDGES.items():
        for other in others:
            if room(name) in floor and room(other) in floor and (name, other) not in EXCEPTIONS:
                assert floor[room(other)] <= floor[room(name)], f"{name} imports {other}, which is above it"


@each_file
def test_every_import_is_something_that_the_installation_brings(path: Path) -> None:
    """The engines need the core alone; what an extra brings they import where they use it."""
    tree = ast.parse(path.read_text())
    inner = {line for node in ast.walk(tree) if isinstance(node, FUNCTION) for _, line in imported(node)}
    core = set(sys.stdlib_module_names) | set(MAY_IMPORT) | _requirements()
    with_extras = core | _requirements("compare", "cuda12", "onnx", "mpi")
    for name, line in imported(tree):
        known = with_extras if line in inner or path.is_relative_to(HOME / "comparisons") else core
        if path.parent in PEERS and path.stem.startswith("on_"):
            known = known | {path.stem.removeprefix("on_")}  # run where somebody has it installed
        assert name in known, f"{path}:{line}: {name} is not among the dependencies in pyproject.toml"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import dynamic.tape as tape", "dynamic"),
        ("def f():\n    from static.graph.graph import Graph", "static"),
        ("if TYPE_CHECKING:\n    from comparisons import task", "comparisons"),
        ("importlib.import_module('static.run.session')", "static"),
    ],
)
def test_the_law_of_imports_sees(source: str, name: str) -> None:
    assert [found for found, _ in imported(ast.parse(source))] == [name]


@pytest.mark.parametrize(("engine", "other"), [("dynamic", "static"), ("static", "dynamic")])
def test_an_engine_loads_alone_and_light(engine: str, other: str, tmp_path: Path) -> None:
    """Neither the other engine nor anything that is slow to import."""
    code = f"import sys; sys.path.insert(0, {str(HOME)!r}); import {engine}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert engine in loaded
    assert not loaded & (HEAVY | {other})


@pytest.mark.parametrize("engine", ["dynamic", "static"])
def test_a_folder_of_the_users_that_hides_ours_is_named(engine: str, tmp_path: Path) -> None:
    """Theirs comes first on the path; the file of it is in the words."""

    def words(folder: str, command: str) -> str:
        home = tmp_path / folder
        (home / folder).mkdir(parents=True)
        (home / folder / "__init__.py").write_text("")
        path = f"import sys; sys.path.insert(0, {str(HOME)!r}); sys.path.insert(0, {str(home)!r}); "
        return subprocess.run([sys.executable, "-c", path + command], capture_output=True, text=True).stderr

    told = words("shared", f"import {engine}")
    assert f"{engine} needs Diptych's package `shared`" in told
    assert str(tmp_path / "shared" / "shared" / "__init__.py") in told
    assert "rename that folder" in told
    told = words(engine, "import shared")
    assert f"`import {engine}` gives {tmp_path / engine / engine / '__init__.py'}" in told


# --- names ---------------------------------------------------------------------------------


def packages() -> list[str]:
    """Every package of the project, found on disk."""
    files = (path for path in FILES if path.name == "__init__.py")
    return [".".join(path.relative_to(HOME).parent.parts) for path in files]


@pytest.mark.parametrize("name", packages())
def test_no_submodule_shares_a_public_name(name: str) -> None:
    """`import a.b` must not put a module where users expect the function `a.b`."""
    package = importlib.import_module(name)
    submodules = {info.name for info in pkgutil.iter_modules(package.__path__)}
    public = getattr(package, "__all__", [key for key in vars(package) if not key.startswith("_")])
    taken = {key for key in public if not isinstance(getattr(package, key), ModuleType)}
    assert not submodules & taken


@pytest.mark.parametrize("name", [name for name in packages() if name.split(".")[0] != "comparisons"])
def test_every_public_name_exists(name: str) -> None:
    package = importlib.import_module(name)
    for key in getattr(package, "__all__", ()):
        assert hasattr(package, key), f"{name}.__all__ names {key!r}, which is not there"


# --- no `if` on the engine in shared -------------------------------------------------------

ENGINE_WORD = re.compile(r"(?<![a-z])(dynamic|static|symbolic)(?![a-z])|in_(graph|static|dynamic)_mode", re.I)
MARKS = {"edge", "graph", "node", "session"}
"""Attributes that only one engine's Tensors have: to ask for one is to ask for the engine."""


def conditions(tree: ast.AST) -> Iterator[ast.AST]:
    """Everything that decides which way a program goes."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Assert)):
            yield node.test
        elif isinstance(node, (ast.BoolOp, ast.Compare)):
            yield node
        elif isinstance(node, ast.comprehension):
            yield from node.ifs
        elif isinstance(node, ast.Match):
            yield node.subject
            for case in node.cases:
                yield case.pattern


def _names(tree: ast.AST) -> set[str]:
    return {getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(tree)}


def asks_for_engine(condition: ast.AST) -> bool:
    """Whether a condition tells one engine from the other."""
    for node in ast.walk(condition):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ENGINE_WORD.search(node.value):
            return True
        if isinstance(node, ast.Name) and ENGINE_WORD.search(node.id):
            return True
        if isinstance(node, ast.Attribute):
            of_engine = "engine" in getattr(node.value, "id", getattr(node.value, "attr", "")).lower()
            if ENGINE_WORD.search(node.attr) or (of_engine and node.attr == "name"):
                return True
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        call, second = _called(node), node.args[1]
        if call in ("hasattr", "getattr") and isinstance(second, ast.Constant) and second.value in MARKS:
            return True
        if call in ("isinstance", "issubclass") and "Tensor" in _names(second):
            return True
    return False


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.is_relative_to(HOME / "shared")],
    ids=lambda path: path.relative_to(HOME).as_posix(),
)  # fmt: skip
def test_shared_never_asks_which_engine(path: Path) -> None:
    for condition in conditions(ast.parse(path.read_text())):
        assert not asks_for_engine(condition), (
            f"{path}:{condition.lineno}: `{ast.unparse(condition)}` tells the engines apart; "  # type: ignore[attr-defined]
            "let dispatch do it"
        )


@pytest.mark.parametrize(
    "source",
    [
        "if engine.name == 'static': pass",
        "y = a if in_dynamic_mode() else b",
        "z = [x for x in xs if isinstance(x, Tensor)]",
        "while hasattr(x, 'graph'): pass",
        "match current_engine().name:\n    case 'dynamic': pass",
        "ok = static and x",
        "if x.is_symbolic(): pass",
    ],
)
def test_the_law_of_engines_sees(source: str) -> None:
    assert any(asks_for_engine(condition) for condition in conditions(ast.parse(source)))


@pytest.mark.parametrize(
    "source", ["if engine is None: pass", "ok = x.shape == y.shape", "if isinstance(x, State): pass"]
)
def test_the_law_of_engines_leaves_alone(source: str) -> None:
    assert not any(asks_for_engine(condition) for condition in conditions(ast.parse(source)))
