"""Reading: what a page says of an experiment's evidence, as data that a template lays out.

`read(found)` makes one and formats every figure in it; nothing here measures or draws.
Sentences are plain text, in which `backquotes` mark code and [a link](page.html) leads to another page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comparisons.lab.blocks import Block
from comparisons.lab.verdict import Verdict


@dataclass(frozen=True)
class Reading:
    """What the page of an experiment says.

    answer     the answer to the question in one or two sentences, at the top of the page
    verdicts   rows of the first page's table, one to three
    evidence   what is shown, in order: at least one Pair
    happened   what happened, each a sentence or two, where the rows and the evidence do not say it
    means      what it means for who chooses a design
    otherwise  where the side that came off worse here is nevertheless right
    threats    what could make this misleading, beyond `EVERYWHERE` (report/page.py)
    """

    answer: str
    verdicts: Sequence[Verdict]
    evidence: Sequence[Block]
    means: Sequence[str]
    otherwise: Sequence[str]
    threats: Sequence[str]
    happened: Sequence[str] = ()
