"""The long search: programs, one after the other, and what is wrong with them."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.programs.agree import SKIPPED
from tests.programs.choices import Choices, numbers_of, shrunk
from tests.programs.families import FAMILIES
from tests.programs.program import Program


@dataclass
class Finding:
    """A program that fails, at its smallest; the first of its kind."""

    program: Program
    seed: int
    error: str
    seconds: float


@dataclass
class Found:
    """What a search has seen: how many programs of each family, the first finding of each kind, and the
    seeds of all."""

    tried: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Finding] = field(default_factory=dict)
    seeds: dict[str, list[int]] = field(default_factory=dict)
    seconds: float = 0.0

    def items(self) -> dict[str, Finding]:
        """The first finding for each named kind of fault that it could be."""
        found: dict[str, Finding] = {}
        for finding in self.findings.values():
            for item in sorted(finding.program.items):
                found.setdefault(item, finding)
        return found

    def report(self) -> str:
        count = sum(self.tried.values())
        rate = count * 3600 / max(self.seconds, 1e-9)
        lines = [f"{count} programs in {self.seconds:.0f} s, {rate:.0f} an hour: "
                 + ", ".join(f"{n} {family}" for family, n in self.tried.most_common())]  # fmt: skip
        lines += [f"{len(self.findings)} kinds of finding"]
        for kind, finding in self.findings.items():
            seeds = self.seeds[kind]
            lines.append(
                f"  {finding.program.family} {finding.seed} ({len(seeds)} programs, first after "
                f"{finding.seconds:.0f} s) {' '.join(sorted(finding.program.items))}: {finding.error[:300]}"
            )
        lines += [f"not compared, {count} times: {why}" for why, count in SKIPPED.most_common(8)]
        return "\n".join(lines)


def kind_of(family: str, error: str) -> str:
    """What two errors of one kind have in common."""
    return family + " " + re.sub(r"[-+]?\d[\d.e+-]*|v\d+|\[[^\]]*\]", "#", error)[:70]


def smallest(
    family: str, seed: int, error: str, closed: frozenset[str] = frozenset(), tries: int = 150
) -> Program:
    """The program of a seed, with what its fault does not need taken away."""
    write, _ = FAMILIES[family]
    kind = kind_of(family, error)

    def fails(numbers: Sequence[int]) -> bool:
        found = write(Choices(numbers), closed).run()
        return found is not None and kind_of(family, found) == kind

    return write(Choices(shrunk(numbers_of(seed), fails, tries)), closed)


def search(
    minutes: float,
    seed: int = 0,
    families: Sequence[str] = (),
    closed: Iterable[str] = (),
    keep: Path | None = None,
    say: Callable[[str], None] = print,
    most: int | None = None,
    stop: bool = False,
    tries: int = 150,
) -> Found:
    """Programs from `seed` on until the time is over, `most` are tried, or, with `stop`, one has failed;
    findings are made small in so many `tries`, said, and kept as files."""
    found, start, shut = Found(), time.monotonic(), frozenset(closed)
    drawn = [
        name
        for name, (_, weight) in FAMILIES.items()
        for _ in range(weight)
        if not families or name in families
    ]
    while found.seconds < minutes * 60 and (most is None or sum(found.tried.values()) < most):
        family = random.Random(seed).choice(drawn)
        program = FAMILIES[family][0](Choices(numbers_of(seed)), shut)
        error = program.run()
        found.tried[family] += 1
        if error is not None:
            kind = kind_of(family, error)
            found.seeds.setdefault(kind, []).append(seed)
            if kind not in found.findings:
                program = smallest(family, seed, error, shut, tries)
                error = program.run() or error
                found.findings[kind] = Finding(program, seed, error, found.seconds)
                items = " ".join(sorted(program.items))
                head = f"# {family}, seed {seed}, after {found.seconds:.0f} s, {items}"
                say(f"{head}\n{program.source}\n# {error}\n")
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{family}_{seed}.py").write_text(f"# {error}\n{program.source}", "utf-8")
            if stop:
                break
        seed += 1
        found.seconds = time.monotonic() - start
    return found
