"""A computation that is run in parts: what was given, what is known so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.errors import FeedError, SessionError
from static.graph.graph import Tensor
from static.graph.select import Selection
from static.graph.variables import Variable


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
        self._seen: dict[Variable, Any] = {}  # the value with which each variable was read

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

    def check_current(self, stores: Iterable[Variable], values: Mapping[Variable, Any]) -> None:
        """An error where a part is to store what it made of a value that is no longer the variable's."""
        for variable in stores:
            if variable in self._seen and self._seen[variable] is not values.get(variable):
                raise SessionError(
                    f"partial_run: another run has changed {variable.name!r} since a part read it, and this "
                    "part would store over that; begin another with partial_run_setup"
                )

    def values_seen(self, selection: Selection, values: Mapping[Variable, Any]) -> None:
        """Remember what a part has read, or stored."""
        for variable in selection.reads():
            self._seen.setdefault(variable, values.get(variable))
        for variable in selection.stores:
            self._seen[variable] = values.get(variable)

    def keep(self, fetches: Sequence[Any], values: Mapping[Tensor, Any]) -> None:
        """Remember a part that is done: what it fetched, and all that is fed or computed by now."""
        self._over.update(fetches, (tensor for tensor in values if tensor in self.feeds))
        self.values.update(values)
