"""Whether all ranks make the same call: what they say to each other about it, and the errors that follow.

Before a collective begins, every rank tells every other which one it is about to make: a message of some
hundred bytes. Afterwards, and where that is left out, a rank that has waited for too long posts a note of
what it waits for, and reads the others'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.errors import CollectiveError, CollectiveTimeoutError, LostRankError
from shared.ranks.transfer import Call, Transfer

RECORD = 768
"""Bytes of what a rank tells in a handshake."""

ADVICE = "every rank must make the same calls, in the same order, on arrays of the same shape and dtype"


@dataclass(frozen=True)
class Note:
    """What a rank has posted: that it `waits` in a call, has `ended`, or has `raised` an error; and, as
    `number`, how many collectives it had begun."""

    kind: str
    number: int
    text: str
    at: str = ""

    def packed(self) -> bytes:
        """As bytes."""
        return json.dumps([self.kind, self.number, self.text, self.at]).encode()

    @classmethod
    def unpacked(cls, packed: bytes) -> Note:
        """From bytes."""
        return cls(*json.loads(packed))

    def told(self, rank: int) -> str:
        """What the rank does, in words."""
        if self.kind == "waits":
            return f"rank {rank} waits in {Call(self.text, self.at)}, its collective number {self.number}"
        if self.kind == "ended":
            return f"rank {rank} has ended, after {self.number} collectives"
        return f"rank {rank} raised {self.text}, after {self.number} collectives"


def record(number: int, call: Call) -> Any:
    """A call as an array of RECORD bytes."""
    text = json.dumps([number, call.what, call.at], ensure_ascii=True).encode()
    if len(text) > RECORD:  # what is compared stays whole, where there is room for it
        text = json.dumps([number, call.what[:400], call.at[:200]]).encode()[:RECORD]
    return np.frombuffer(text.ljust(RECORD), np.uint8)


def check_same(call: Call, records: Any) -> None:
    """CollectiveError unless all ranks, whose records these are by rank, make one call."""
    told = [json.loads(bytes(one)) for one in records]
    if all([one[:2] == told[0][:2] for one in told]):
        return
    groups: dict[tuple[int, str, str], list[int]] = {}
    for rank, (number, what, at) in enumerate(told):
        groups.setdefault((number, what, at), []).append(rank)
    sides = [
        f"{_ranks(who)} call{'s' if len(who) == 1 else ''} {Call(what, at)}"
        for (_, what, at), who in groups.items()
    ]
    raise CollectiveError(f"{_name(call)}: the ranks do not do the same: {', and '.join(sides)}; {ADVICE}")


def _ranks(who: list[int]) -> str:
    many = "rank" if len(who) == 1 else "ranks"
    return f"{many} {', '.join(map(str, who[:8]))}{', ...' if len(who) > 8 else ''}"


def _name(call: Call) -> str:
    return call.what.partition("(")[0]


def check_notes(of: Transfer, notes: Mapping[int, Note]) -> None:
    """An error where what others posted says that they will not come to this one."""
    call = of.call
    for rank, note in notes.items():
        if note.kind == "ended" and note.number < of.number:
            raise LostRankError(
                f"{_name(call)}: {note.told(rank)}, while this one waits for it in {call}; {ADVICE}"
            )
        if note.kind == "raised":
            raise LostRankError(f"{_name(call)}: {note.told(rank)}, while this one waits for it in {call}")
        if note.kind == "waits" and (note.number, note.text) != (of.number, call.what):
            raise CollectiveError(
                f"{_name(call)}: the ranks do not do the same: this one waits in {call}, its collective "
                f"number {of.number}, and {note.told(rank)}; {ADVICE}"
            )


def late(of: Transfer, limit: float, missing: list[int]) -> CollectiveError:
    """The error for a call in which others did not come within the limit, and posted nothing that says
    why."""
    return CollectiveTimeoutError(
        f"{_name(of.call)}: {_ranks(missing)} did not come within {limit:g} s to {of.call}, the "
        f"collective number {of.number} of this one; does it go another way than this one, or compute for "
        f"longer than that? {ADVICE}; world(limit=...) sets the time"
    )
