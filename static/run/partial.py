"""A computation that is run in parts: what was given, what is known so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import FeedError
from static.graph.graph import Tensor


class PartialRun:
    """The handle that `Session.partial_run_setup` gives.

    fetches, feeds   what was named there and is still to come
    values           the fed and computed values so far
    """

    def __init__(self, fetches: Sequence[Any], feeds: Sequence[Tensor]) -> None:
        self.fetches = dict.fromkeys(fetches)
        self.feeds = dict.fromkeys(feeds)
        self.values: dict[Tensor, Any] = {}
        self._over: set[Any] = set()

    def take(self, fetches: Sequence[Any], fed: Mapping[Tensor, Any]) -> dict[Tensor, Any]:
        """Check one part against the set-up; gives all that is known with it."""
        for kind, asked, open_ in (("fetch", fetches, self.fetches), ("feed", fed, self.feeds)):
            for tensor in asked:
                if tensor in self._over:
                    past = {"fetch": "fetched", "feed": "fed"}[kind]
                    raise FeedError(
                        f"partial_run: {tensor.name!r} has already been {past} in this run; begin another "
                        "with partial_run_setup"
                    )
                if tensor not in open_:
                    raise FeedError(
                        f"partial_run: {tensor.name!r} was not specified as a {kind} in partial_run_setup; "
                        "name it there"
                    )
        return {**self.values, **fed}

    def keep(self, fetches: Sequence[Any], values: Mapping[Tensor, Any]) -> None:
        """Remember a part that is done: what it fetched, and all that is fed or computed by now."""
        self._over.update(fetches, (tensor for tensor in values if tensor in self.feeds))
        self.values.update(values)
