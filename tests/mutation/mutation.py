"""What a mutation is, how it is planted, and which tests are to catch it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NEAR = 2500
"""How far behind its landmark the text of a mutation may stand."""

COMPILE = "tests/static/compile/test_"
OPS = "tests/shared/ops/test_ops_"
LAWS = "tests/laws/test_ops.py::test_"

TESTS: dict[str, tuple[str, ...]] = {
    "pattern": (
        f"{COMPILE}guards.py", f"{COMPILE}patterns.py", f"{COMPILE}passes.py",
        f"{LAWS}fast_gives_what_exact_gives_within_rounding",
    ),
    "logarithm": (f"{COMPILE}guards.py", f"{COMPILE}stabilize.py", f"{COMPILE}patterns.py"),
    "pass": (
        f"{COMPILE}guards.py", f"{COMPILE}passes.py", f"{COMPILE}random_graphs.py",
        "tests/static/control/test_control.py",
    ),
    "message": (f"{COMPILE}messages.py",),
    "plan": (f"{COMPILE}plan.py", f"{COMPILE}recompute.py", f"{COMPILE}random_graphs.py"),
    "form": (f"{COMPILE}guards.py", f"{COMPILE}fuse.py"),
    "rule": (
        f"{LAWS}derivatives_agree_with_finite_differences",
        f"{LAWS}each_derivative_alone_is_what_it_is_among_all",
        f"{LAWS}each_output_alone_sends_back_its_share",
        "tests/shared/ops/test_linalg.py",
    ),
    "memory": (
        f"{LAWS}compute_gives_fresh_arrays_in_c_order",
        f"{LAWS}memory_that_is_given_is_filled_and_changes_no_bit", f"{OPS}values.py",
    ),
    "infer": (
        f"{LAWS}infer_says_what_compute_gives",
        f"{LAWS}static_gives_the_bits_that_dynamic_gives",
    ),
    "setting": (
        f"{OPS}values.py", f"{OPS}errors_basic.py", "tests/shared/ops/test_indexing.py",
        "tests/shared/ops/test_property_basic.py", "tests/shared/ops/test_property_placing.py",
        "tests/shared/ops/test_property_indexing.py", f"{COMPILE}passes.py", f"{COMPILE}fuse.py",
    ),
    "kink": ("tests/kinks/test_kinks.py::test_an_engine_gives_what_was_chosen",),
}  # fmt: skip
"""By kind, the tests that CONTRIBUTING promises will catch it."""


@dataclass(frozen=True)
class Mutation:
    """One wrong line.

    kind   which tests are to catch it (`TESTS`)
    file   where it is planted
    at     a landmark: text that stands in the file once; "" for its beginning
    old    what stands there, the first time behind the landmark
    new    what is planted in its place
    only   the tests of the kind that are tried, as pytest's -k has it: those of the op that is meant
    """

    kind: str
    file: str
    at: str
    old: str
    new: str
    only: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.file}: {' '.join(self.old.split())} -> {' '.join(self.new.split())}"

    def planted(self, text: str) -> str:
        """The file's text with it; ValueError if what it replaces is not there."""
        if text.count(self.at) != 1 and self.at:
            raise ValueError(f"{self}: {self.at!r} stands {text.count(self.at)} times in the file, not once")
        start = text.index(self.at) if self.at else 0
        place = text.find(self.old, start)
        if place < 0 or (self.at and place - start > NEAR):
            raise ValueError(f"{self}: {self.old!r} does not stand behind {self.at!r}")
        return text[:place] + self.new + text[place + len(self.old) :]

    def read(self, tree: Path) -> str:
        """The text of its file."""
        return (tree / self.file).read_text(encoding="utf-8")


Row = tuple[str, ...]
"""at, old, new, only."""


def rows(kind: str, file: str, given: list[Row]) -> list[Mutation]:
    """The mutations of one file."""
    return [Mutation(kind, file, *row) for row in given]
