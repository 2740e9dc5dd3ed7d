"""What the passes of the optimiser did: `session.explain(fetches)` prints it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Change:
    """One thing that a pass did.

    what   what stood there, and what stands there now
    why    why that is allowed, and what it saves
    where  the user's line that made it; "" where there is none
    """

    what: str
    why: str
    where: str = ""


@dataclass
class Record:
    """What one pass did to a block: its steps before and after, and the changes."""

    name: str
    before: int
    after: int
    changes: list[Change] = field(default_factory=list)


@dataclass
class Log:
    """What the passes did, in their order. `session.explain(fetches)` prints it."""

    records: list[Record] = field(default_factory=list)

    def note(self, what: str, why: str, where: object = None) -> None:
        """For the pass at work: one more change."""
        self.records[-1].changes.append(Change(what, why, "" if where is None else str(where)))

    def __str__(self) -> str:
        lines = []
        for record in self.records:
            steps = f"{record.before} steps" if record.before == record.after else (
                f"{record.before} steps become {record.after}"
            )
            lines.append(f"{record.name}: {steps}" + ("" if record.changes else ", nothing to do"))
            for change, count in Counter(record.changes).items():
                times = f" ({count} times)" if count > 1 else ""
                where = f"  {change.where}" if change.where else ""
                lines.append(f"    {change.what}{times}: {change.why}{where}")
        return "\n".join(lines)
