"""Files that are no archives, or not honestly made: refused, with the member, the node and the
reason; whatever bytes come, nothing of them is run."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import static
from shared import nn, ops
from shared.errors import ArchiveError, DiptychError

PROGRAM, WEIGHTS, CONSTANTS = "program.json", "weights.safetensors", "constants.safetensors"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The members of an archive with something of everything."""
    path = tmp_path_factory.mktemp("good") / "m.diptych"
    with static.Graph().as_default() as g:
        x = static.placeholder("float32", ("n", 3), name="x")
        weight = static.Variable(np.eye(3, dtype=np.float32), name="weight")
        h = nn.Linear(3, 3)(ops.getitem(x, (slice(None, None, -1), np.array([2, 0, 1]))))
        h, ys = static.scan(lambda h, row: (ops.tanh(h @ weight + row), h[0]), h, ops.reshape(x, (-1, 1, 3)))
        _, h = static.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, h * 2), (np.int32(0), h), maximum=9)
        h = static.cond(ops.sum(h) > 0, lambda: h + weight[0], lambda: h - 1.5)
        noise = static.random_uniform((x.shape[0], 3), seed=3)
        g.save(
            path,
            {"y": ops.concatenate([h, noise], axis=1) / x.size, "sum": ops.sum(ops.maximum(ys, -np.inf), 1)},
        )
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def packed(
    path: Path, members: dict[str, bytes] | list[tuple[str, bytes]], kind: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(path, "w", kind) as file:
        for name, content in members.items() if isinstance(members, dict) else members:
            file.writestr(name, content)
    return path


def load_error(path: Path) -> str:
    with pytest.raises(ArchiveError) as caught:
        static.load(path)
    assert str(path) in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    "name", ["../weights.safetensors", "/etc/passwd", "C:\\boot.ini", "x/", "program.json/../y"]
)
def test_members_that_have_no_place_are_refused(name: str, good: dict[str, bytes], tmp_path: Path) -> None:
    message = load_error(packed(tmp_path / "m", {**good, name: b"x"}))
    assert repr(name) in message and "do not trust" in message
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_missing_and_doubled_members_are_refused(good: dict[str, bytes], tmp_path: Path) -> None:
    for name in good:
        others = {key: content for key, content in good.items() if key != name}
        assert f"{name} is in it 0 times" in load_error(packed(tmp_path / "m", others))
    with pytest.warns(UserWarning, match="Duplicate name"):
        packed(tmp_path / "m", [*good.items(), (WEIGHTS, good[WEIGHTS])])
    assert f"{WEIGHTS} is in it 2 times" in load_error(tmp_path / "m")


def test_a_file_that_was_cut_off_anywhere_is_refused(good: dict[str, bytes], tmp_path: Path) -> None:
    whole = packed(tmp_path / "m", good).read_bytes()
    for size in [0, 1, 30, *range(40, len(whole) - 1, 397), len(whole) - 1]:
        (tmp_path / "m").write_bytes(whole[:size])
        assert "it is damaged" in load_error(tmp_path / "m")


def test_swollen_members_are_refused_before_they_are_read(good: dict[str, bytes], tmp_path: Path) -> None:
    bomb = b" " * 30_000_000
    path = packed(tmp_path / "m", {**good, PROGRAM: good[PROGRAM] + bomb}, zipfile.ZIP_DEFLATED)
    assert f"{PROGRAM} would swell from" in load_error(path)
    path = packed(path, {**good, WEIGHTS: bomb}, zipfile.ZIP_DEFLATED)
    assert f"{WEIGHTS} is encrypted, or packed as archives are not" in load_error(path)
    content = bytearray(packed(path, good).read_bytes())
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 20 : entry + 28] = (2**31).to_bytes(4, "little") * 2  # its sizes, packed and not
    path.write_bytes(content)
    assert f"{CONSTANTS} is cut off: it takes 2147483648 bytes" in load_error(path)


def test_encrypted_and_oddly_packed_members_are_refused(good: dict[str, bytes], tmp_path: Path) -> None:
    path = packed(tmp_path / "m", good, zipfile.ZIP_LZMA)
    assert "packed as archives are not" in load_error(path)
    content = bytearray(packed(path, good).read_bytes())
    content[content.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert f"{PROGRAM} is encrypted" in load_error(path)


def test_a_file_that_is_not_there_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        static.load(tmp_path / "none")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[" * 100_000, "nested too deep"),
        (b"[1, 2", "JSONDecodeError"),
        (b"\xff\xfe", "Decode"),
        (b"[]", "does not say"),
        (b'{"format": "diptych", "version": 2}', "its schema has version 2, and this Diptych reads 1"),
        (b'{"format": "diptych", "version": true}', "version True"),
        (b'{"format": "diptych", "version": 1, "version": 1}', "a key stands twice"),
        (b'{"format": "diptych", "version": NaN}', "NaN is no number of JSON"),
        (b'{"format": "diptych", "version": 1' + b"0" * 5000 + b"}", "ValueError"),
        (b'{"format": "diptych", "version": 1}', "the program lacks 'inputs'"),
    ],
)
def test_programs_that_are_none_are_refused(
    content: bytes, words: str, good: dict[str, bytes], tmp_path: Path
) -> None:
    message = load_error(packed(tmp_path / "m", {**good, PROGRAM: content}))
    assert f": {PROGRAM}: " in message and words in message


def test_weights_that_do_not_fit_are_refused(good: dict[str, bytes], tmp_path: Path) -> None:
    from safetensors.numpy import load, save

    weights, constants = load(good[WEIGHTS]), load(good[CONSTANTS])

    def message(weights: dict[str, Any], constants: dict[str, Any] = constants) -> str:
        members = {**good, WEIGHTS: save(weights), CONSTANTS: save(constants)}
        return load_error(packed(tmp_path / "m", members))

    lacking = {name: value for name, value in weights.items() if name != "weight"}
    assert "the variable 'weight' is f32[3,3] in the program, and not among the weights" in message(lacking)
    assert "and float64[3, 3] among the weights" in message({**weights, "weight": np.zeros((3, 3))})
    assert "and float32[9] among the weights" in message({**weights, "weight": np.zeros(9, np.float32)})
    assert "no variable has the weights ['other']" in message({**weights, "other": np.zeros(2)})
    assert "no node has the constants" in message(weights, {**constants, "99": np.zeros(2)})
    assert "its array is not among the constants" in message(weights, {})
    assert "gives i32[3], and not what is written" in message(
        weights, {**constants, "0": np.zeros(3, np.int32)}
    )
    for name in (WEIGHTS, CONSTANTS):
        assert f": {name}: " in load_error(packed(tmp_path / "m", {**good, name: good[name][:-1]}))
    bools = save({"0": np.array([True, False])}).replace(b"\x01\x00", b"\x07\x00")
    assert "bytes that are no bools" in load_error(packed(tmp_path / "m", {**good, CONSTANTS: bools}))


EVIL = "x=__import__('os').system('touch ran')"

Change = Callable[[dict[str, Any]], Any]


def node(program: dict[str, Any], op: str) -> Any:
    """The first node of an op, in bodies too."""
    stack = list(program["nodes"])
    while stack:
        entry = stack.pop(0)
        if entry["op"] == op:
            return entry
        for body in entry.get("bodies", {}).values():
            stack = body["nodes"] + stack
    raise AssertionError(op)


def change(op: str, key: str, value: Any) -> Change:
    return lambda program: node(program, op).update({key: value})


def setting(op: str, key: str, value: Any) -> Change:
    return lambda program: node(program, op)["settings"].update({key: value})


def body(op: str, name: str, key: str, value: Any) -> Change:
    return lambda program: node(program, op)["bodies"][name].update({key: value})


HOSTILE: dict[str, tuple[Change, str]] = {
    "unknown op": (change("linear", "op", "linearr"), "node .*no op 'linearr' here; import the module"),
    "an op's private name": (change("linear", "op", "__class__"), "no op '__class__'"),
    "static's own op that is none": (change("linear", "op", "static.exec"), "no op 'static.exec'"),
    "op that is no name": (change("linear", "op", ["linear"]), "op is .*JSON str"),
    "forward reference": (change("linear", "inputs", [[99, 0], [1, 0], [2, 0]]), "99 is no node before this"),
    "reference to itself": (lambda p: p["nodes"][4].update(inputs=[[4, 0]]), "4 is no node before this"),
    "negative reference": (change("linear", "inputs", [[-1, 0], [1, 0], [2, 0]]), "-1 is no node before"),
    "bool for a reference": (change("linear", "inputs", [[True, 0], [1, 0], [2, 0]]), "True is no node"),
    "output that is not there": (change("linear", "inputs", [[0, 3], [1, 0], [2, 0]]), "3 is no output"),
    "wrong shape": (
        change("linear", "outputs", [["float32", ["n", 4]]]),
        r"gives f32\[n,3\], .* 3 is written as 4",
    ),
    "wrong rank": (change("linear", "outputs", [["float32", ["n"]]]), r"gives f32\[n,3\], and not what is"),
    "wrong dtype": (
        change("linear", "outputs", [["float64", ["n", 3]]]),
        r"gives f32\[n,3\], and not what is",
    ),
    "unknown dtype": (change("linear", "outputs", [["object", ["n", 3]]]), "'object' is none of the dtypes"),
    "unknown size": (change("linear", "outputs", [["float32", ["m", 3]]]), "size 'm' comes before"),
    "wrong unknown size": (
        change("linear", "outputs", [["float32", [["*", 2, "n"], 3]]]),
        "n is written as 2",
    ),
    "too many outputs": (change("linear", "outputs", [["float32", ["n", 3]]] * 2), "gives 1 outputs, and 2"),
    "too many axes": (change("static.placeholder", "outputs", [["float32", [1] * 65]]), "65 axes"),
    "size below zero": (change("static.placeholder", "outputs", [["float32", [-2]]]), "size below zero"),
    "deep size": (
        change(
            "static.placeholder", "outputs", [["float32", [json.loads('["//",' * 40 + "1" + ",2]" * 40)]]]
        ),
        "is no size",
    ),
    "sizes that explode": (
        change("static.placeholder", "outputs", [["float32", [["*", *[["+", "a", "b"]] * 40]]]]),
        "is no size",
    ),
    "division by zero": (change("static.placeholder", "outputs", [["float32", [["//", "n", 0]]]]), "by zero"),
    "missing argument": (change("linear", "inputs", []), "does not take 0 arguments"),
    "number for a Tensor": (change("static.scan", "inputs", [1, 2, 3]), "what is no Tensor"),
    "unknown key": (change("linear", "code", "print()"), "has 'code', which means nothing"),
    "unknown setting": (change("linear", "settings", {"out": 3}), "no setting 'out' that archives know"),
    "setting of another op": (
        change("linear", "settings", {"axis": 0}),
        r"does not take 3 arguments .*\['axis'\]",
    ),
    "code for a setting": (change("linear", "settings", {EVIL: 1}), "is no name of a setting"),
    "keyword for a setting": (change("linear", "settings", {"lambda": 1}), "'lambda' is no name"),
    "wrong type of setting": (setting("sum", "keepdims", 1), "keepdims must be true or false, not 1"),
    "negative axis": (setting("sum", "axis", [-1]), "axis must be an axis from 0 up"),
    "axis outside": (setting("concatenate", "axis", 7), "node .*concatenate"),
    "huge int": (setting("concatenate", "axis", 2**70), "is no value of an archive"),
    "object for a setting": (setting("sum", "axis", {"object": "os"}), "is no value of an archive"),
    "deep setting": (setting("sum", "axis", json.loads("[" * 30 + "]" * 30)), "is no value of an archive"),
    "slice of text": (setting("getitem", "index", [{"slice": ["a", None, None]}]), "bounds are neither"),
    "mark that is none": (setting("getitem", "index", [{"mark": "os"}]), "'os' is none of"),
    "name with code": (change("linear", "name", f"\n{EVIL}"), "printable characters on one line"),
    "name without an end": (change("linear", "name", "x" * 2000), "1 to 1000 printable"),
    "name that stands twice": (change("linear", "name", "x"), "same name"),
    "line with code": (change("linear", "line", f"a.py:1\n{EVIL}"), "printable characters on one line"),
    "size with code": (
        change("static.placeholder", "outputs", [["float32", [f"n\n{EVIL}", 3]]]),
        "printable characters",
    ),
    "unknown variable": (change("static.read", "variable", "os"), "none of the program's"),
    "array of another node": (
        lambda p: [n for n in p["nodes"] if n["op"] == "static.constant"][1].update(array="0"),
        "or another node's",
    ),
    "assignment that does not fit": (
        change("static.assign", "inputs", [[0, 0]]),
        r"is f32\[n,3\], and should be u64\[2\]",
    ),
    "owner to come": (change("static.assign", "owner", 999), "999 is no node before this"),
    "control to come": (change("linear", "after", [999]), "999 is no node before this"),
    "unknown scope": (change("linear", "scope", 77), "77 is no scope before this"),
    "scope in itself": (lambda p: p.update(scopes=[["a", 0, True]]), "0 is no scope before this"),
    "input that is no placeholder": (lambda p: p["inputs"].update(x=[1, 0]), "is no placeholder"),
    "placeholder that is no input": (lambda p: p.update(inputs={}), "'x' is no input"),
    "inputs that are one": (lambda p: p["inputs"].update(z=[0, 0]), "two inputs are one"),
    "no output": (lambda p: p.update(outputs={}), "no output"),
    "output to nowhere": (lambda p: p["outputs"].update(y=[999, 0]), "999 is no node"),
    "name of an output": (lambda p: p["outputs"].update({"\0": [0, 0]}), "the name of an output"),
    "no bodies": (change("static.scan", "bodies", {}), r"its bodies are \[\], and should be \['body'\]"),
    "scan that carries another dtype": (body("static.scan", "body", "carried", 2), "node"),
    "negative count": (body("static.scan", "body", "columns", -1), "does not take what is written"),
    "body's inputs": (body("static.scan", "body", "inputs", [0, 0, 1]), "are not its placeholders"),
    "body's arguments": (body("static.scan", "body", "arguments", [1, 0, 2]), "out of order"),
    "body that gives too little": (body("static.scan", "body", "results", []), "does not take or give"),
    "condition that is no bool": (
        body("static.while_loop", "cond", "results", [[0, 0]]),
        "should be one bool",
    ),
    "variable in a body": (
        lambda p: node(p, "static.scan")["bodies"]["body"]["nodes"].append(
            {"name": "r", "op": "static.read", "variable": "weight", "outputs": [["float32", [3, 3]]]}
        ),
        "stands inside a loop or branch",
    ),
    "placeholder in a body": (
        lambda p: node(p, "static.cond")["bodies"]["true"]["nodes"].append(
            {"name": "q", "op": "static.placeholder", "outputs": [["float32", []]]}
        ),
        "are not its placeholders",
    ),
    "length of a scan": (setting("static.scan", "length", -3), "length must be a size"),
    "settings of a loop": (change("static.while_loop", "settings", {}), r"its settings are \[\]"),
    "node that is none": (lambda p: p["nodes"].append(7), r"node \d+ \(7\): "),
    "nodes that are none": (lambda p: p.update(nodes={}), "should be a JSON list"),
    "variable that is none": (lambda p: p["variables"].update(weight=3), "and no object"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_is_refused_with_the_node_and_the_reason(
    name: str, good: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = json.loads(good[PROGRAM])
    HOSTILE[name][0](program)
    message = load_error(packed(tmp_path / "m", {**good, PROGRAM: json.dumps(program).encode()}))
    assert f": {PROGRAM}: " in message and re.search(HOSTILE[name][1], message), message
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_branches_in_branches_may_be_only_so_deep(tmp_path: Path) -> None:
    def nested(x: Any, depth: int) -> Any:
        return static.cond(ops.sum(x) > 0, lambda: nested(x, depth - 1), lambda: x) if depth else x * 2

    with static.Graph().as_default() as g:
        x = static.placeholder("float32", (2,), name="x")
        g.save(tmp_path / "m", {"y": nested(x, 12)})
        assert static.load(tmp_path / "m")(x=[1, 1])["y"].tolist() == [2, 2]
        with pytest.raises(ArchiveError, match="loops and branches more than 16 deep"):
            g.save(tmp_path / "m", {"y": nested(x, 20)})


# --- fuzzing -------------------------------------------------------------------------------

FEED = {"x": np.float32([[1, 2, 3], [4, 5, 6]])}
WRONG: list[Any] = [
    None, True, 0, -1, 3, 2**63, 1e308, 0.5, "", "x", "n", "static.read", "../x", "\n", [], [0, 0], [99, 0],
    {}, {"slice": [0, 0, 0]}, {"size": ["//", "n", 0]}, {"dtype": "float64"}, {"float": "nan"},
    ["float64", ["n"]],
]  # fmt: skip


def attempt(path: Path) -> dict[str, Any] | None:
    """What a file gives: an ArchiveError (None), or a graph whose run gives values or our errors."""
    try:
        loaded = static.load(path)
    except ArchiveError:
        return None
    try:
        return loaded.run(FEED)
    except DiptychError:
        return None


@pytest.fixture(scope="module")
def wanted(good: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the archive gives as it is."""
    found = attempt(packed(tmp_path_factory.mktemp("wanted") / "m", good))
    assert found is not None
    return found


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value inside a JSON value."""
    for key, part in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield (*path, key)
        yield from spots(part, (*path, key))


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_changed_program_is_refused_or_runs_by_the_rules(
    data: Any, good: dict[str, bytes], tmp_path: Path
) -> None:
    program = json.loads(good[PROGRAM])
    paths = list(spots(program))
    for path in data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=2)):
        inside: Any = program
        try:
            for key in path[:-1]:
                inside = inside[key]
            old = inside[path[-1]]
        except (KeyError, IndexError, TypeError):  # an earlier change has taken it away
            continue
        kind = data.draw(st.sampled_from(["wrong", "other", "gone", "moved"]))
        if kind == "wrong":
            inside[path[-1]] = data.draw(st.sampled_from(WRONG))
        elif kind == "other":
            source: Any = json.loads(good[PROGRAM])
            for key in data.draw(st.sampled_from(paths)):
                source = source[key]
            inside[path[-1]] = source
        elif kind == "gone":
            del inside[path[-1]]
        elif isinstance(inside, dict):
            inside[data.draw(st.sampled_from(["name", "op", "axis", "", "zz"]))] = old
        else:
            inside.insert(0, old)
    attempt(packed(tmp_path / "m", {**good, PROGRAM: json.dumps(program).encode()}))


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_file_with_changed_bytes_is_refused_or_gives_the_same(
    data: Any, good: dict[str, bytes], wanted: dict[str, Any], tmp_path: Path
) -> None:
    path = packed(tmp_path / "m", good)
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.sampled_from([len(content)] * 4 + [len(content) // 2]))
    path.write_bytes(bytes(content[:cut]))
    found = attempt(path)
    if found is not None:
        assert all(found[name].tobytes() == wanted[name].tobytes() for name in wanted)
