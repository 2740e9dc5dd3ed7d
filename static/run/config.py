"""TensorFlow 1's configuration of a session: taken, and told what does here what it asks for."""

from __future__ import annotations

from typing import Any

from shared.errors import SettingError
from static.graph.unused import changes_nothing

_THREADS = "OMP_NUM_THREADS in the environment says on how many threads kernels run"
_PLACES = "Session(device=...) says where a whole run computes"
_MEMORY = "memory is taken as it is needed, and Session(memory_limit=bytes) bounds a run's"

WHY = {
    "allow_soft_placement": _PLACES, "device_count": _PLACES,
    "log_device_placement": f"{_PLACES}; session.program(fetches) prints what a run executes",
    "intra_op_parallelism_threads": _THREADS, "inter_op_parallelism_threads": _THREADS,
    "use_per_session_threads": _THREADS, "operation_timeout_in_ms": "Ctrl-C ends a run",
    "graph_options": "Session(optimize=...) and Session(without=[...]) say which passes run",
    "gpu_options.allow_growth": _MEMORY, "gpu_options.per_process_gpu_memory_fraction": _MEMORY,
    "gpu_options.visible_device_list": "CUDA_VISIBLE_DEVICES in the environment says which GPUs there are",
    "gpu_options.allocator_type": _MEMORY,
}  # fmt: skip
"""What each option would set, and what to write for it."""


class _Options:
    """Attributes that are options of a table, by the part of its names that follows `prefix`."""

    _prefix = ""

    def __init__(self, **options: Any) -> None:
        for name, value in options.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._prefix + name not in WHY and name != "gpu_options":
            known = [key.removeprefix(self._prefix) for key in WHY if key.startswith(self._prefix)]
            kind = type(self).__name__
            raise SettingError(f"{kind}: there is no option {name!r}; it has {', '.join(known)}")
        super().__setattr__(name, value)


class GPUOptions(_Options):
    """The part of a ConfigProto that is about GPUs."""

    _prefix = "gpu_options."


class ConfigProto(_Options):
    """How TensorFlow 1's Session is configured, `gpu_options` among it."""

    gpu_options: GPUOptions

    def __init__(self, gpu_options: GPUOptions | None = None, **options: Any) -> None:
        super().__init__(gpu_options=gpu_options or GPUOptions(), **options)


def tell(config: ConfigProto) -> None:
    """Say of each option that was set, once, what does here what it asks for."""
    if not isinstance(config, ConfigProto):
        raise SettingError(f"Session: config is a ConfigProto, not {config!r}")
    for part in (config, config.gpu_options):
        for name, value in vars(part).items():
            if name != "gpu_options":
                changes_nothing("ConfigProto", WHY[part._prefix + name], **{name: value})
