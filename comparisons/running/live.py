"""The live display: both engines next to each other while they train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from comparisons.running.pace import Pace
from comparisons.running.watch import Watch, summary
from comparisons.training.drive import Event
from comparisons.training.task import Task

COLOUR = {"dynamic": "bright_red", "static": "bright_blue"}
SAID = {"dynamic": "define-by-run", "static": "define-and-run"}


class Panels(Watch):
    """Two panels on one hinge: each engine's loss curve grows step by step beside the other's."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self.task: Task | None = None
        self.pace: Pace | None = None
        self.engines: list[str] = []
        self.losses: dict[str, list[float]] = {}
        self.seconds: dict[str, float] = {}
        self.before: dict[str, list[str]] = {}
        self.said = ""
        self.live = Live(
            console=self.console, refresh_per_second=8, transient=True, get_renderable=self.picture
        )

    def __enter__(self) -> Panels:
        self.live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.__exit__(None, None, None)

    def piece(self, name: str, pace: Pace) -> None:
        self.task, self.pace, self.said = None, pace, name

    def start(self, task: Task, engines: Sequence[str]) -> None:
        self.losses = {engine: [] for engine in engines}
        self.seconds = dict.fromkeys(engines, 0.0)
        self.before = {engine: [] for engine in engines}
        self.task, self.engines = task, list(engines)
        self.said = "training, in step"

    def event(self, event: Event) -> None:
        if event.phase == "step" and event.loss is not None:
            self.losses[event.engine].append(event.loss)
            self.seconds[event.engine] += event.seconds
        elif event.phase in ("build", "compile"):
            self.before[event.engine].append(f"{event.phase} {event.seconds * 1e3:.1f} ms")

    def finish(self, entry: dict[str, Any]) -> None:
        equal = entry["verify"] is None or entry["verify"]["equal"]
        style = "green" if equal else "bold red"
        self.console.print(Text(f"{entry['title']}: ", "bold").append(summary(entry), style))

    def note(self, text: str) -> None:
        self.said = text

    def picture(self) -> Any:
        """What the terminal shows now."""
        if self.task is None:
            return Group(Text(self.said), *self._pace())
        width = max(self.console.width // max(len(self.engines), 1) - 6, 20)
        table = Table.grid(expand=True, padding=(0, 1))
        for _ in self.engines:
            table.add_column(ratio=1)
        table.add_row(*[self._panel(engine, width) for engine in self.engines])
        return Group(Text(self.task.title, "bold", justify="center"), table, self._hinge(), *self._pace())

    def _pace(self) -> list[Any]:
        """How far the whole run has come, and the time left."""
        if self.pace is None:
            return []
        line = Table.grid(expand=True, padding=(0, 1))
        line.add_column(ratio=1)
        line.add_column(justify="right", no_wrap=True)
        bar = ProgressBar(1.0, self.pace.share(), complete_style="yellow")
        line.add_row(bar, Text(self.pace.said(), "dim"))
        return [line]

    def _panel(self, engine: str, width: int) -> Panel:
        losses, colour = self.losses[engine], COLOUR[engine]
        steps = self.task.steps if self.task else 1
        everything = [loss for found in self.losses.values() for loss in found]
        top = max(everything, default=1.0)
        lines = braille(losses, steps, top, width, 8)
        mean = self.seconds[engine] / len(losses) * 1e3 if losses else 0.0
        state = f"step {len(losses)}/{steps}   loss {losses[-1]:.6f}   {mean:.2f} ms a step" if losses else ""
        inner = Table.grid(expand=True)
        inner.add_row(Text("\n".join(lines), colour))
        inner.add_row(ProgressBar(steps, len(losses), complete_style=colour, finished_style=colour))
        inner.add_row(Text(state))
        inner.add_row(Text("   ".join(self.before[engine]), "dim"))
        return Panel(inner, title=f"{engine}: {SAID[engine]}", border_style=colour)

    def _hinge(self) -> Text:
        """How far the two are equal, and what is being done."""
        text = Text(justify="center")
        if len(self.engines) == 2:
            pairs = list(zip(*self.losses.values(), strict=False))
            same = sum(a == b for a, b in pairs)
            text.append(f"{same} of {len(pairs)} losses equal", "green" if same == len(pairs) else "bold red")
            text.append("   ")
        return text.append(self.said, "dim")


_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def braille(values: Sequence[float], count: int, top: float, width: int, height: int) -> list[str]:
    """A curve of up to `count` values from 0 to `top`, in `height` lines of braille."""
    cells = [[0] * width for _ in range(height)]
    for i, value in enumerate(values):
        x = min(i * 2 * width // max(count, 1), 2 * width - 1)
        level = value / top if top > 0 else 0.0
        y = min(max(int((1 - level) * (4 * height - 1) + 0.5), 0), 4 * height - 1) if level == level else 0
        cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return ["".join(chr(0x2800 + cell) for cell in row) for row in cells]
