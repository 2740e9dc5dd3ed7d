"""Making the next batches in a background thread while training uses this one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from contextvars import copy_context
from typing import Any

_END: Any = object()


class _Box:
    """Up to `depth` items on their way from one thread to another.

    It ends from either side: `finish` when there is nothing more to come, `stop` when nothing
    more is wanted; whoever waits on the other side then wakes up.
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.items: deque[Any] = deque()
        self.error: BaseException | None = None
        self.finished = self.stopped = False
        self.changed = threading.Condition()

    def put(self, item: Any) -> bool:
        """Hand an item over; False if nobody wants it any more."""
        with self.changed:
            self.changed.wait_for(lambda: self.stopped or len(self.items) < self.depth)
            if not self.stopped:
                self.items.append(item)
                self.changed.notify_all()
            return not self.stopped

    def finish(self, error: BaseException | None) -> None:
        with self.changed:
            self.error, self.finished = error, True
            self.changed.notify_all()

    def stop(self) -> None:
        with self.changed:
            self.stopped = True
            self.items.clear()
            self.changed.notify_all()

    def take(self) -> Any:
        """The next item, or _END; what the other side raised is raised here, after the items
        that came before it, with the traceback of where it happened."""
        with self.changed:
            self.changed.wait_for(lambda: self.stopped or self.finished or self.items)
            if self.items:
                item = self.items.popleft()
                self.changed.notify_all()
                return item
            error, self.error = self.error, None
        if error is not None:
            raise error
        return _END


def _work(source: Generator[Any, None, None], box: _Box) -> None:
    error = None
    try:
        for item in source:
            if not box.put(item):
                break
    except BaseException as raised:
        error = raised
    finally:
        source.close()
        box.finish(error)
        del error


def prefetched(source: Generator[Any, None, None], depth: int) -> Generator[Any, None, None]:
    """The items of `source`, made up to `depth` ahead by a thread of their own.

    The thread sees the context variables of this call. It ends with the source, with an error
    (which is raised here), or when this iterator is closed or let go of: between two items, so
    closing waits for the one in the making.
    """
    box = _Box(depth)
    # a daemon, because a loop left half done must not keep the interpreter from ending
    worker = threading.Thread(
        target=copy_context().run, args=(_work, source, box), name="prefetch", daemon=True
    )
    worker.start()
    try:
        while (item := box.take()) is not _END:
            yield item
    finally:
        box.stop()
        if worker is not threading.current_thread():  # the collector may close us from any thread
            worker.join()
