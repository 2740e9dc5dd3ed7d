"""Law 12: whole programs agree with themselves, on either engine, and with those who know better.

Programs are written at random, by seed (`tests/programs`); here runs a short search, always the same one.
The long one is `python -m tests.programs --minutes 60`.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import ops
from tests.mutation.__main__ import ROOT
from tests.programs import agree, grammar, words
from tests.programs.choices import Choices, numbers_of, shrunk
from tests.programs.composed import normal, whole
from tests.programs.families import FAMILIES, program_of
from tests.programs.grammar import Template
from tests.programs.known import KNOWN
from tests.programs.program import Fault, Program
from tests.programs.reverted.fixes import FIXES, Reverted
from tests.programs.search import kind_of, search, smallest
from tests.programs.writer import Writer

CORPUS = Path(agree.__file__).parent / "corpus"
SHORT = {
    "composed": 28,
    "trained": 12,
    "effects": 30,
    "protocols": 20,
    "sessions": 4,
    "eager": 30,
    "edge": 15,
    "stable": 8,
    "long": 3,
    "promoted": 30,
}
"""How many programs of each family belong to the suite: some 20 seconds on one core."""


@pytest.mark.parametrize("family", FAMILIES)
def test_programs_agree(family: str) -> None:
    for seed in range(SHORT[family]):
        error = program_of(family, seed, KNOWN).run()
        if error is not None:
            program = smallest(family, seed, error, frozenset(KNOWN), tries=60)
            pytest.fail(
                f"{family}, seed {seed}:\n\n{program.source}\n{program.run() or error}", pytrace=False
            )


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None,
    reason="TensorFlow is not installed: programs of effects are held against a model of the rule alone",
)
def test_chains_of_effects_agree_with_tensorflows_graph_mode() -> None:
    programs = [program_of("effects", seed, KNOWN) for seed in range(100, 160)]
    chains = [program for program in programs if "chain=True" in program.source]
    assert len(chains) > 20
    for program in chains:
        assert (error := program.run()) is None, f"{program.source}\n{error}"


def _kept() -> list[Any]:
    """The programs of the corpus: those of a known fault must fail for as long as it is known."""
    found = []
    for path in sorted(CORPUS.glob("*.py")):
        item = path.stem.split("_")[0].upper()
        marks = (
            [pytest.mark.xfail(reason=KNOWN[item], strict=True, raises=AssertionError)]
            if item in KNOWN
            else []
        )
        found.append(pytest.param(path, id=path.stem, marks=marks))
    return found


@pytest.mark.parametrize("path", _kept())
def test_a_program_that_was_wrong_once_is_right(path: Path) -> None:
    error = Program("corpus", path.read_text("utf-8")).run()
    assert error is None, error


def test_each_known_fault_has_a_program_that_shows_it() -> None:
    assert set(KNOWN) <= {path.stem.split("_")[0].upper() for path in CORPUS.glob("*.py")}


# --- the law can fail ----------------------------------------------------------------------

PLANTED: dict[str, tuple[int, Any]] = {
    "square": (0, lambda x: ops.square(x) * (1 + 1e-6)),
    "sum": (55, lambda x, **more: ops.sum(x, **more) + (1e-5 if more else 0.0)),
    "cond": (30, lambda pred, yes, no: ops.cond(pred, yes, yes)),
}
"""Wrong words, and the seed from which on they are looked for: not far before the first that shows it."""


@pytest.mark.parametrize("word", PLANTED)
def test_a_wrong_word_on_one_engine_is_found(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    start, planted = PLANTED[word]
    monkeypatch.setattr(words.STATIC, word, planted)
    found = search(10, start, ["composed"], KNOWN, say=lambda text: None, most=250, stop=True, tries=0)
    (finding,) = found.findings.values()
    assert f"ops.{word}(" in finding.program.source


def test_a_finding_is_printed_as_a_program_that_fails_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words.STATIC, "square", PLANTED["square"][1])
    told: list[str] = []
    found = search(10, 0, ["composed"], KNOWN, say=told.append, most=250, stop=True, tries=60)
    (finding,) = found.findings.values()
    with pytest.raises(Fault):
        exec(compile(told[0], "told", "exec"), {})
    assert finding.program.source.count("\n") < 20  # it was made small


@pytest.mark.parametrize("one", FIXES, ids=lambda one: f"{one.item} {one.fault}")
def test_each_fix_can_be_taken_back(one: Reverted, tmp_path: Path) -> None:
    """What `python -m tests.programs.reverted` plants stands where it says, and is Python."""
    for mutation in one.mutations():
        file = tmp_path / mutation.file
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / mutation.file, file)
        before = mutation.read(tmp_path)
        file.write_text(mutation.planted(before), "utf-8")
        assert mutation.read(tmp_path) != before
        compile(mutation.read(tmp_path), mutation.file, "exec")


def test_each_fix_that_can_be_taken_back_has_a_program_that_shows_it() -> None:
    assert {one.item for one in FIXES} <= {path.stem.split("_")[0].upper() for path in CORPUS.glob("*.py")}


def test_numbers_are_shrunk_to_what_the_fault_needs() -> None:
    assert shrunk(numbers_of(3), lambda n: sum(x > 1000 for x in n) >= 2).count(0) == 0
    assert len(shrunk(numbers_of(3), lambda n: len(n) > 4)) == 5


def test_a_seed_always_writes_the_same_program() -> None:
    for family in FAMILIES:
        assert program_of(family, 7).source == program_of(family, 7).source


def test_kinds_of_error_forget_numbers_and_names() -> None:
    assert kind_of("f", "Fault: v3 is 1.25, and [1 2]") == kind_of("f", "Fault: v14 is -2e-9, and [7 8 9]")


ELSEWHERE = {
    # draw, or come last in a training
    "accuracy", "bernoulli", "dropout", "generator_state", "normal", "uniform",
    # complex numbers, of which the laws have cases alone
    "angle", "complex", "conj", "imag", "real", "view_as_complex", "view_as_real",
    # the bits of a number, of which the last ones are rounding's
    "bitcast",
    # parts of other ops, and their twins
    "im2col", "col2im", "scatter_sum", "getitem", "lstm_cell_composed", "gru_cell_composed",
    "rnn_cell_composed",
    # of arguments that no value of a program fits, or with sizes that values say: their cases hold them
    "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool3d", "affine_grid", "alpha_dropout",
    "argwhere", "bincount", "channel_shuffle", "conv_transpose3d", "ctc_loss", "custom_gradient",
    "dropout1d", "dropout2d", "dropout3d", "embedding_bag", "gather_nd", "glu", "grid_sample",
    "gumbel_softmax", "histogram", "index_add", "index_copy", "index_fill", "index_put", "lp_pool2d",
    "lp_pool3d", "masked_scatter", "masked_select", "max_unpool1d", "max_unpool2d", "max_unpool3d",
    "mode", "multilabel_margin_loss", "nonzero", "permutation", "pixel_shuffle", "pixel_unshuffle",
    "roi_align", "rrelu", "scatter_nd", "tril_indices", "triplet_margin_with_distance_loss",
    "triu_indices", "truncated_normal", "unflatten", "unique", "unique_all", "unique_counts",
    "unique_inverse", "unique_values",
    # what several ranks do together: tests/ranks
    "all_gather", "all_reduce", "broadcast", "reduce_scatter",
    # operators
    "add", "sub", "mul", "div", "neg", "pow", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal",
}  # fmt: skip
"""Ops that the grammar does not name, for programs reach them in another way."""


def test_the_grammar_has_every_op() -> None:
    text = " ".join(t.text for t in _templates()) + " ops.cond( ops.scan( ops.while_loop("
    named = set(re.findall(r"ops\.(\w+)", text))
    assert set(ops.__all__) - named - ELSEWHERE == set()


def _templates() -> list[Template]:
    return [t for table in vars(grammar).values() if isinstance(table, list) for t in table]


def test_each_line_of_the_grammar_is_taken_for_some_values() -> None:
    """A line that `dynamic` always refuses would be tested by nobody, and never be missed."""
    values = {
        "o": 2, "s": normal(6), "z": normal(3, 3), "u": normal(5, 3), "w": normal(4, 3, 3),
        "x": normal(1, 3, 3), "b": normal(1, 3, 3) > 0, "i": whole(7, 3),
    }  # fmt: skip
    given = {name: dynamic.tensor(np.asarray(value)) for name, value in values.items()}

    def taken(template: Template, seed: int) -> bool:
        writer = Writer(Choices(numbers_of(seed)), dict(given))
        text = writer.fill(template.text)
        return text is not None and writer.give(text) is not None

    assert [t.text for t in _templates() if not any(taken(t, seed) for seed in range(60))] == []
