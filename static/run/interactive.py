"""The session of notebooks: the default one from the moment it is made."""

from __future__ import annotations

from collections.abc import Iterable

from static.graph.default_session import innermost_session
from static.graph.graph import Graph
from static.run.config import ConfigProto
from static.run.session import Session


class InteractiveSession(Session):
    """A Session that is the default from the moment it is made until it is closed."""

    def __init__(
        self,
        graph: Graph | None = None,
        optimize: str = "fast",
        without: Iterable[str] = (),
        device: str = "cpu",
        memory_limit: int | None = None,
        config: ConfigProto | None = None,
    ) -> None:
        super().__init__(graph, optimize, without, device, memory_limit, config)
        self._token = innermost_session.set(self)

    def close(self) -> None:
        if not self.closed and innermost_session.get() is self:
            innermost_session.reset(self._token)
        super().close()
