"""Names in scopes are those that TensorFlow 1 gives (2.21's compat.v1 was asked)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import static
from shared.errors import DTypeError, GraphError, SettingError


def names(*made: Any) -> list[str]:
    return [one.name if isinstance(one, static.Variable) else one.node.name for one in made]


def v() -> Any:
    return static.Variable(1.0, name="w")


def c() -> Any:
    return static.constant(1, name="c")


def test_a_variable_is_called_after_the_name_scope_and_get_variable_is_not() -> None:
    with static.name_scope("s"):
        assert names(v(), static.get_variable("g", [1]), c()) == ["s/w", "g", "s/c"]
    with static.name_scope("s"):
        assert names(v(), c()) == ["s_1/w", "s_1/c"]


def test_a_name_scope_that_ends_in_a_slash_is_entered_once_more() -> None:
    with static.name_scope("s") as scope:
        with static.name_scope("s/"):
            assert names(c()) == ["s/c"]
        with static.name_scope("t/"):
            assert names(c()) == ["t/c"]
        with static.name_scope("t/"), static.name_scope("u"):
            assert names(c(), v()) == ["t/u/c", "t/u/w"]
        with static.name_scope(""):
            assert names(c()) == ["c"]
    with static.name_scope(f"{scope.name}/"):
        assert names(c()) == ["s/c_1"]
    with pytest.raises(SettingError, match="name_scope: 3 is no name"), static.name_scope(3):  # type: ignore[arg-type]
        pass


def test_variable_scopes_open_name_scopes_and_keep_their_own_path() -> None:
    with static.variable_scope("enc") as enc:
        assert names(v(), static.get_variable("q", [1]), c(), v()) == ["enc/w", "enc/q", "enc/c", "enc/w_1"]
        with static.variable_scope("in") as inner:
            assert names(v(), static.get_variable("q", [1])) == ["enc/in/w", "enc/in/q"]
    assert (inner.name, inner.original_name_scope) == ("enc/in", "enc/in/")
    with static.variable_scope("enc"):
        assert names(v(), static.get_variable("q2", [1]), c()) == ["enc_1/w", "enc/q2", "enc_1/c"]
    with static.variable_scope("dec"):
        assert names(v()) == ["dec/w"]
    with static.variable_scope("outer"):
        with static.variable_scope(enc):
            assert names(v(), static.get_variable("q3", [1]), c()) == ["outer/enc/w", "enc/q3", "outer/enc/c"]
        with static.variable_scope(inner, reuse=True):
            assert names(v(), static.get_variable("q", [1])) == ["outer/in/w", "enc/in/q"]
    with static.variable_scope("a/b/"):
        assert names(static.get_variable("x", [1]), v()) == ["a/b/x", "a/b/w"]
    with static.variable_scope(static.get_variable_scope(), reuse=static.AUTO_REUSE) as root:
        assert names(static.get_variable("top", [1])) == ["top"] and root.name == ""
    for wrong in (3, None):
        with pytest.raises(SettingError, match="is neither a name nor a scope"), static.variable_scope(wrong):
            pass


def test_reuse_is_inherited_and_goes_with_a_scope() -> None:
    with static.variable_scope("r", reuse=True) as r:
        pass
    with static.variable_scope(r) as again:
        assert again.reuse is True
    with static.variable_scope("auto", reuse=static.AUTO_REUSE), static.variable_scope("x", reuse=False) as x:
        assert x.reuse == static.AUTO_REUSE


def test_what_is_shared_has_the_shape_and_dtype_that_are_asked_for() -> None:
    with static.variable_scope("r", reuse=static.AUTO_REUSE):
        a = static.get_variable("a", [2], "int32")
        assert a.dtype == np.int32 and static.get_variable("a") is static.get_variable("a", [2], "int32") is a
        with pytest.raises(GraphError, match="'r/a' is int32, and float32 was asked for"):
            static.get_variable("a", [2], "float32")
        with pytest.raises(GraphError, match=r"'r/a' has shape \(2,\)"):
            static.get_variable("a", [3], "int32")
        assert static.get_variable("b", initializer=np.arange(3)).dtype == np.int64
        with pytest.raises(DTypeError, match="'r/c' is int32, which does not hold"):
            static.get_variable("c", dtype="int32", initializer=[0.5])


def test_a_checkpoint_restores_each_scopes_own_values(tmp_path: Path) -> None:
    """Whichever of two scopes with a `w` each was built first."""

    def built(order: list[str]) -> dict[str, Any]:
        made = {}
        for scope in order:
            with static.variable_scope(scope):
                made[scope] = static.Variable({"enc": 1.0, "dec": 2.0}[scope], name="w")
        return made

    with static.Graph().as_default():
        built(["enc", "dec"])
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            path = static.Saver().save(session, tmp_path / "saved")
    with static.Graph().as_default():
        made = built(["dec", "enc"])
        with static.Session() as session:
            static.Saver().restore(session, path)
            assert session.run(made) == {"enc": 1.0, "dec": 2.0}


def test_archives_keep_scopes_that_are_paths_from_the_top(tmp_path: Path) -> None:
    x = static.placeholder("float32", (), name="x")
    with static.name_scope("a"), static.name_scope("t/"), static.name_scope("u"):
        y = static.identity(x * 2, name="y")
        with static.name_scope(""):
            z = static.identity(y + 1, name="z")
    static.get_default_graph().save(tmp_path / "kept", {"y": y, "z": z})
    loaded = static.load(tmp_path / "kept")
    assert {"t/u/y", "z"} <= {node.name for node in loaded.graph.nodes}
    assert {"t/u", ""} <= {node.call.name for node in loaded.graph.nodes if node.call is not None}
    assert loaded(x=3.0) == {"y": 6, "z": 7}
