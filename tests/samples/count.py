"""python -m tests.samples.count FOLDER...: which of PyTorch's ops the code in each folder calls, how often.

A folder is one library's source, an unpacked wheel for instance. Its files that import torch are read as
syntax trees, and counted are calls of `torch`'s functions and those of its drawers (`torch.nn.functional`,
`linalg`, `fft`, `special`), however they were imported, and of methods that Python's own types have not, of
anything but modules and `self`, whose methods are layers. `x.add_(y)` counts as `add`. Operators, indexing
among them, look alike on all types and are not counted.

An op's share is the part of a library's files that call it, averaged over the libraries, so that a large one
counts as much as a small one. Printed are the names with share (in percent) and number of calls, by share.
"""

from __future__ import annotations

import ast
import collections
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path, PurePath
from queue import Queue

DRAWERS = {
    "torch": "", "torch.nn.functional": "", "torch.special": "", "torch.Tensor": "",
    "torch.linalg": "linalg.", "torch.fft": "fft.",
}  # fmt: skip
NO_OPS = """
compile device dtype Generator Size no_grad inference_mode enable_grad set_grad_enabled is_grad_enabled
manual_seed seed load save is_tensor is_floating_point is_complex finfo iinfo autocast get_default_dtype
set_default_dtype is_nonzero result_type promote_types can_cast broadcast_shapes

size dim ndimension numel nelement stride storage_offset item tolist numpy is_contiguous is_cuda is_pinned
data_ptr element_size get_device is_leaf is_signed sym_size backward requires_grad_ register_hook
retain_grad storage untyped_storage set_ is_same_size is_inference

cpu cuda to pin_memory share_memory_ record_stream detach_ from_numpy as_tensor from_dlpack frombuffer
contiguous set_data data resolve_conj resolve_neg to_sparse to_dense coalesce is_coalesced indices values
crow_indices col_indices sparse_coo_tensor resize resize_as as_strided dequantize
"""
"""Names that compute nothing of numbers: what is no op, what is asked of a Tensor, where it lies."""
EXCLUDED = set(NO_OPS.split())


def ops_of_torch() -> set[str]:
    """The names that the dispatcher of PyTorch knows, or that stand in its functional drawers."""
    import torch

    found = {name.removeprefix("aten::").partition(".")[0] for name in torch._C._dispatch_get_all_op_names()
             if name.startswith("aten::")}  # fmt: skip
    found |= {name for name, value in vars(torch.nn.functional).items() if callable(value) and name.islower()}
    found |= {f"linalg.{name}" for name in dir(torch.linalg)} | {f"fft.{name}" for name in dir(torch.fft)}
    found |= {"tensor", "einsum", "float", "double", "half", "long", "int", "bool", "type"}
    return {name for name in found if not name.startswith("_")} - EXCLUDED


def methods_of_a_tensor() -> set[str]:
    """Those that a Python text, list, dict, set, path, number or queue has not."""
    import torch

    common = {name for kind in (str, bytes, list, dict, set, PurePath, int, Queue) for name in dir(kind)}
    return {name for name in dir(torch.Tensor) if not name.startswith("_")} - common


class Calls(ast.NodeVisitor):
    """The ops that one file calls, by name."""

    def __init__(self, known: set[str], methods: set[str]) -> None:
        self.known, self.methods = known, methods
        self.modules: dict[str, str] = {}
        self.found: collections.Counter[str] = collections.Counter()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            first = alias.name.partition(".")[0]
            self.modules[alias.asname or first] = alias.name if alias.asname else first

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.modules[alias.asname or alias.name] = f"{'.' * node.level}{node.module or ''}.{alias.name}"

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        path = self._path(node.func)
        if path is not None:
            drawer, _, name = path.rpartition(".")
            if drawer in DRAWERS:
                self._note(DRAWERS[drawer] + name)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in self.methods:
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "self"):
                self._note(node.func.attr)

    def _path(self, func: ast.expr) -> str | None:
        """The full name of a function that is reached from an imported module; None of any other."""
        parts = []
        while isinstance(func, ast.Attribute):
            parts.append(func.attr)
            func = func.value
        if not isinstance(func, ast.Name) or func.id not in self.modules:
            return None
        return ".".join([self.modules[func.id], *reversed(parts)])

    def _note(self, name: str) -> None:
        bare = name.rstrip("_")
        name = bare if bare in self.known else name
        if name in self.known:
            self.found[name] += 1


def files_of(folder: Path) -> Iterator[collections.Counter[str]]:
    """The calls in each file of a library that imports torch."""
    known, methods = ops_of_torch(), methods_of_a_tensor()
    for file in sorted(folder.rglob("*.py")):
        text = file.read_text(encoding="utf-8", errors="replace")
        if "torch" not in text:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text)
        except SyntaxError:
            continue
        calls = Calls(known, methods)
        calls.visit(tree)
        if any(module.lstrip(".").partition(".")[0] == "torch" for module in calls.modules.values()):
            yield calls.found


def counted(folders: list[Path]) -> list[tuple[str, float, int]]:
    """Names, shares in percent and numbers of calls, by share."""
    shares: collections.Counter[str] = collections.Counter()
    total: collections.Counter[str] = collections.Counter()
    for folder in folders:
        files = list(files_of(folder))
        for found in files:
            total += found
            for name in found:
                shares[name] += 100 / len(files) / len(folders)
        print(f"# {folder.name}: {len(files)} files", file=sys.stderr)
    return sorted(((n, round(s, 2), total[n]) for n, s in shares.items()), key=lambda row: (-row[1], row[0]))


if __name__ == "__main__":
    for row in counted([Path(word) for word in sys.argv[1:]]):
        print("{} {} {}".format(*row))
