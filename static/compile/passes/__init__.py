"""The optimiser: passes over blocks, in one order, each of which can be left out by name.

A pass takes a block and gives a better one that does the same. At `exact` it must give every bit
that the steps one by one would give; passes that may not stand here for `fast` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from shared.device.cuda import check_device
from shared.errors import SettingError
from shared.slices import Slices
from static.compile.block import Block
from static.compile.device import CPU, DEVICES
from static.compile.log import Log, Record
from static.compile.options import LEVELS, Options
from static.compile.passes.columns import merge_columns
from static.compile.passes.convolve import fuse_epilogues
from static.compile.passes.cse import merge_same
from static.compile.passes.fold import fold_constants
from static.compile.passes.fuse import fuse_elementwise, fuse_on_gpu, fuse_plain
from static.compile.passes.hoist import hoist_from_scans
from static.compile.passes.messages import place_messages
from static.compile.passes.normalize import follow_normalized
from static.compile.passes.pack import pack_weights
from static.compile.passes.prune import drop_unused
from static.compile.passes.recompute import keep_within
from static.compile.passes.rows import merge_rows
from static.compile.passes.scan_weight_gradients import gather_scans
from static.compile.passes.simplify import simplify_algebra
from static.compile.passes.stabilize import stabilize_numbers
from static.compile.passes.weight_gradients import gather_products
from static.compile.passes.winograd import take_winograd

Given = Block | Slices[Block]
"""What a pass gives: one that takes long can be done in slices."""


@dataclass(frozen=True)
class Pass:
    """One rewriting of blocks.

    level  the first level at which it runs
    about  what it does, in a sentence
    plainly  what runs in its place at `exact`, told whether what is fed is in C order
    """

    name: str
    run: Callable[[Block, Log], Given]
    level: str
    about: str
    plainly: Callable[[Block, Log, bool], Given] | None = None


PASSES = (
    Pass("stabilize", stabilize_numbers, "fast", "takes the form that floating point does not lose"),
    Pass("fold", fold_constants, "fast", "computes what depends on constants alone, once"),
    Pass("simplify", simplify_algebra, "fast", "takes out steps that do nothing or undo each other"),
    Pass("hoist", hoist_from_scans, "fast", "computes outside of a loop what needs no step of it"),
    Pass("gather_scans", gather_scans, "fast", "weight gradients of a loop as one product behind it"),
    Pass("prune", drop_unused, "exact", "drops steps whose values nothing needs"),
    Pass("cse", merge_same, "exact", "merges steps that compute the same from the same"),
    Pass("convolve", fuse_epilogues, "fast", "relu and pooling in one step with their convolution"),
    Pass("winograd", take_winograd, "fast", "3x3 convolutions with a quarter of the multiplications"),
    Pass("normalize", follow_normalized, "fast", "addition and relu in one step with their batch norm"),
    Pass("columns", merge_columns, "fast", "products of the same input as one product"),
    Pass("rows", merge_rows, "fast", "products by one weight as one product, losses of a loop as one"),
    Pass("gather", gather_products, "fast", "a sum of weight gradients as one product"),
    Pass("pack", pack_weights, "fast", "lays a weight out once for all products of few rows with it"),
    Pass(
        "fuse",
        fuse_elementwise,
        "exact",
        "makes one kernel of elementwise steps that stand together; at exact, of plain arithmetic alone",
        fuse_plain,
    ),
    Pass("messages", place_messages, "exact", "sums over ranks in few messages, begun early, awaited late"),
)
"""In the order in which they run."""

INSTEAD: dict[str, dict[str, Callable[[Block, Log], Given]]] = {"cpu": {}, "cuda": {"fuse": fuse_on_gpu}}
"""By device, what runs in the place of a pass."""


CHECKS: list[Callable[[str, Block], None]] = []
"""Called with a pass's name and the block that it gave: for tests, and for who writes a pass."""


def options_for(
    optimize: str,
    without: Iterable[str],
    device: str = "cpu",
    memory_limit: int | None = None,
    capture: bool = False,
) -> Options:
    """The options that a Session is given; SettingError for a level, pass or limit that does not exist,
    EngineError for a device that is not there."""
    if optimize not in LEVELS:
        raise SettingError(f"Session: optimize={optimize!r} is not a level; use one of {LEVELS}")
    left_out, names = frozenset(without), [*(p.name for p in PASSES), "plan"]
    if unknown := sorted(left_out.difference(names)):
        raise SettingError(f"Session: without={unknown[0]!r} is not a pass; there are {', '.join(names)}")
    if memory_limit is not None and (type(memory_limit) is not int or memory_limit <= 0):
        raise SettingError(f"Session: memory_limit={memory_limit!r} must be an int above 0, bytes")
    place = DEVICES[check_device("Session", device)]
    if capture and place is CPU:
        raise SettingError(
            "Session: capture=True records calls on a GPU, and device='cpu' makes none there; say "
            "device='cuda', or leave it out"
        )
    without = left_out | place.left_out
    return Options(optimize, without, device=place, memory_limit=memory_limit, capture=bool(capture))


def optimize(block: Block, options: Options, log: Log, orderly: bool = True) -> Slices[Block]:
    """The block after all passes that the options ask for. orderly: whether what is fed is in C order."""
    passes = [one for one in PASSES if _is_wanted(one, options)]
    if options.memory_limit is not None and not (options.watched or block.missing):
        # A block that lacks feeds never runs; who watches may keep what he is shown.
        run = partial(keep_within, orderly=orderly, options=options)
        passes.append(Pass("recompute", run, "exact", "computes again what there is no memory to keep"))
    for one in passes:
        record = Record(one.name, len(block.steps), 0)
        log.records.append(record)
        if options.level == "exact" and one.plainly is not None:
            made = one.plainly(block, log, orderly)
        else:
            made = INSTEAD[options.device.name].get(one.name, one.run)(block, log)
        block = made if isinstance(made, Block) else (yield from made)
        yield
        for check in CHECKS:
            check(one.name, block)
        record.after = len(block.steps)
    return block


def _is_wanted(one: Pass, options: Options) -> bool:
    if one.name in options.without or LEVELS.index(one.level) > LEVELS.index(options.level):
        return False
    return options.plainly or one.plainly is None or options.level != "exact"
