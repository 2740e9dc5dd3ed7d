"""FileWriter: writes an event file into a directory that TensorBoard is shown."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from typing import Any

import numpy as np

from shared.durable import files
from shared.errors import SettingError, StateError
from static.events.messages import event, graph_def
from static.events.records import record
from static.graph.graph import Graph

_numbers = itertools.count()


class FileWriter:
    """Writes what summaries give to a new file in `logdir`, which is made.

    graph: what `add_graph` would be given. What is added is on disk after `flush` or `close`, or once
    `max_queue` events or `flush_secs` seconds have come together. A `with` closes it.
    """

    def __init__(
        self, logdir: files.PathLike, graph: Graph | None = None, max_queue: int = 10,
        flush_secs: float = 120, filename_suffix: str = "",
    ) -> None:  # fmt: skip
        directory = files.as_path(logdir, "FileWriter")
        os.makedirs(directory, exist_ok=True)
        stamp = f"{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
        self.path = os.path.join(directory, f"events.out.tfevents.{stamp}{filename_suffix}")
        self._logdir, self._most, self._seconds = directory, max_queue, flush_secs
        self._lock, self._waiting, self._closed = threading.Lock(), list[bytes](), False
        self._written = time.monotonic()
        self._add(event(time.time(), version="brain.Event:2"))
        self.flush()
        if graph is not None:
            self.add_graph(graph)

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Write what a run of a summary gave; global_step: the number of the step, shown as its place."""
        data = summary.tobytes() if isinstance(summary, np.ndarray) else summary
        if not isinstance(data, bytes):
            raise SettingError(
                f"add_summary: takes what session.run(summary) gives, not {type(summary).__name__}"
            )
        step = 0 if global_step is None else int(global_step)
        self._add(event(time.time(), step, summary=data))

    def add_graph(self, graph: Graph, global_step: Any = None) -> None:
        """Write a graph, for TensorBoard to draw."""
        step = 0 if global_step is None else int(global_step)
        self._add(event(time.time(), step, graph=graph_def(graph)))

    def _add(self, data: bytes) -> None:
        if self._closed:
            raise StateError("FileWriter: it is closed; make another one")
        with self._lock:
            self._waiting.append(record(data))
            due = time.monotonic() - self._written > self._seconds
        if due or len(self._waiting) >= self._most:
            self.flush()

    def get_logdir(self) -> str:
        """The directory."""
        return self._logdir

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._written = time.monotonic()
            if waiting:
                with open(self.path, "ab") as file:
                    file.write(b"".join(waiting))

    def close(self) -> None:
        """Write what waits, and nothing more."""
        self.flush()
        self._closed = True

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
