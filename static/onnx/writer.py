"""Writes the nodes of a graph as ONNX nodes; `static.onnx.table` says for each op which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, Size
from shared.errors import ExportError
from shared.op import TABLE, Op
from shared.ops.custom import CustomOp
from shared.sizes.atoms import Atom, Symbol
from shared.spec import Spec
from static.control.body import Body, BodyOp
from static.graph.graph import ASSIGN, CONSTANT, PLACEHOLDER, READ, Graph, Node, Tensor
from static.graph.select import Selection, axis_of
from static.graph.variables import Variable
from static.onnx.sizes import WRITTEN

Row = Callable[..., Any]
"""How an op is said in ONNX's words: see `static.onnx.table`, which has them all."""

SAME_VALUE = ("assigned", "identity", "placeholder_with_default")
"""Nodes that give on what they are given, and are no ops of the table."""

_NO_COMPLEX = "ONNX's runtimes have no complex numbers; export what is real"
_OTHERWISE = "ONNX has no words for it here; build it of the ops that docs/onnx.md lists"


class Model:
    """What all scopes of a model share: the rows by which ops are said (and what to say of ops that
    have none), names that are taken, constants, names of sizes."""

    def __init__(
        self, rows: Mapping[str, Row], no_words: Mapping[str, str], values: Mapping[Variable, Any],
        reserved: Iterable[str],
    ) -> None:  # fmt: skip
        self.rows, self.no_words, self.values = rows, no_words, values
        self.taken = set(reserved)
        self.counts: dict[str, int] = {}
        self.initializers: list[Any] = []
        self.bytes = 0
        self.constants: dict[Any, str] = {}  # by dtype, shape and a digest of the bytes
        self.variables: dict[Variable, str] = {}
        self.dims: dict[Symbol, str] = {}

    def fresh(self, wish: str) -> str:
        """A name that no other value has."""
        name, count = wish, self.counts.get(wish, 0)
        while name in self.taken:
            count += 1
            name = f"{wish}_{count}"
        self.counts[wish] = count
        self.taken.add(name)
        return name

    def hold(self, name: str, array: Any) -> None:
        """Put an array into the file."""
        from onnx import numpy_helper

        self.bytes += array.nbytes
        self.initializers.append(numpy_helper.from_array(array, name))

    def dim(self, symbol: Symbol) -> str:
        """The name of an unknown size; two sizes that are called the same get different ones."""
        if symbol not in self.dims:
            names = set(self.dims.values())
            tried = (f"{symbol.name}_{i}" if i else symbol.name for i in range(len(names) + 1))
            self.dims[symbol] = next(name for name in tried if name not in names)
        return self.dims[symbol]


class Writer:
    """Writes the nodes of one scope: the model, or what a loop or branch in it repeats.

    Values are known by their names. `w("Add", a, b)` adds a node and gives the name of its
    output, or, with `outputs=`, their names.
    """

    node: Node

    def __init__(self, graph: Graph, model: Model, outer: Writer | None = None) -> None:
        self.graph, self.model, self.outer = graph, model, outer
        self.nodes: list[Any] = []
        self.names: dict[Tensor, str] = {}
        self.used: set[Tensor] = set()
        self._sizes: dict[Any, str] = {}
        self._given: list[Tensor] = []

    def write(self, selection: Selection, results: Iterable[Tensor], given: Iterable[Tensor]) -> None:
        """Write the nodes of a run."""
        self._given = list(given)
        self.used = {x for node in selection.nodes for x in node.inputs if isinstance(x, Tensor)}
        self.used.update(results, selection.seen.values())
        for node in selection.nodes:
            self.node = node
            made = self._values(node, selection)
            for tensor, name in zip(node.outputs, [made] if isinstance(made, str) else made, strict=False):
                if name is not None:
                    self.names.setdefault(tensor, name)

    def _values(self, node: Node, selection: Selection) -> Any:
        """The names of what a node gives."""
        op = node.op
        if op is READ:
            seen = selection.seen.get(node)
            return self._variable(node.settings["variable"]) if seen is None else self.name(seen)
        if op is ASSIGN:
            return self.name(node.inputs[0])
        if op is CONSTANT:
            return self.constant(node.settings["value"], node.name)
        if op is PLACEHOLDER:
            if node.outputs[0] not in self.names:
                raise self.refusal("it is needed, but is not among the inputs; add it there")
            return self.names[node.outputs[0]]
        if not isinstance(op, Op):
            raise self.refusal("only values can be exported; name the Tensors that are to come out")
        of_table = TABLE.get(op.name) is op
        if not of_table and op.pure and op.name in SAME_VALUE:
            return self.name(node.inputs[0])
        if isinstance(op, CustomOp):
            return [self.name(x) for x in node.inputs[: len(node.outputs)]]
        if any(x.dtype.kind == "c" for x in (*node.inputs, *node.outputs) if isinstance(x, Tensor)):
            raise self.refusal(_NO_COMPLEX)
        row = self.model.rows.get(op.name) if of_table or isinstance(op, BodyOp) else None
        if row is None:
            raise self.refusal(self.model.no_words.get(op.name, _OTHERWISE))
        return row(self, *node.inputs, **node.settings)

    def refusal(self, reason: str, node: Node | None = None) -> ExportError:
        """The error for a node; the one that is being written, if None."""
        node = node or self.node
        return ExportError(f"export_onnx: node {node.name!r} ({node.op.name}): {reason}", node.line)

    def inside(self, body: Body) -> Writer:
        """A writer for a body in this scope; it may use all names that are known here."""
        return Writer(body, self.model, self)

    def __call__(self, op_type: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        from onnx import helper

        base = self.model.fresh(f"{self.node.name}/{op_type}")
        names = [base, *(self.model.fresh(f"{base}:{i}") for i in range(1, outputs))][:outputs]
        made = helper.make_node(op_type, inputs, names, base, **attributes)
        if self.node.line is not None:
            made.doc_string = str(self.node.line)
        self.nodes.append(made)
        return names[0] if outputs == 1 else names

    # what nodes take

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that the node being written gives."""
        return self.node.outputs[0].dtype

    def name(self, tensor: Tensor) -> str:
        """The name of a Tensor's value."""
        if tensor not in self.names:
            if self.outer is not None and tensor.graph is not self.graph:
                return self.outer.name(tensor)
            raise self.refusal(
                f"its output {tensor.index} serves gradients alone; export what a forward pass gives",
                tensor.node,
            )
        return self.names[tensor]

    def given(self, *xs: Any, dtype: Any = None) -> list[str]:
        """The names of arguments in one dtype, which is that of the result unless told."""
        kind = self.dtype if dtype is None else np.dtype(dtype)
        return [self._in_dtype(x, kind) for x in xs]

    def one(self, x: Any, dtype: Any = None) -> str:
        """The name of one argument; see `given`."""
        return self.given(x, dtype=dtype)[0]

    def _in_dtype(self, x: Any, dtype: np.dtype[Any]) -> str:
        if isinstance(x, Tensor):
            return self.name(x) if x.dtype == dtype else self.cast(self.name(x), dtype)
        if isinstance(x, Dim):
            return self.cast(self.scalar(x), dtype)
        try:
            return self.constant(np.asarray(x, dtype))
        except OverflowError:
            raise self.refusal(f"{dtype.name} does not hold {x!r}; cast the array beside it first") from None

    def cast(self, name: str, dtype: Any) -> str:
        """A value in another dtype."""
        return self("Cast", name, to=_element_type(self, np.dtype(dtype)))

    def constant(self, value: Any, wish: str = "constant") -> str:
        """The name of an array that the file holds, once, however often it is used."""
        array = np.asarray(value, order="C")
        _element_type(self, array.dtype)
        key = (array.dtype, array.shape, blake2b(array.tobytes()).digest())
        if key not in self.model.constants:
            self.model.constants[key] = self.model.fresh(wish)
            self.model.hold(self.model.constants[key], array)
        return self.model.constants[key]

    def integers(self, values: Iterable[int]) -> str:
        """Axes and the like: int64, 1-d."""
        return self.constant(np.array(list(values), np.int64))

    def _variable(self, variable: Variable) -> str:
        names = self.model.variables
        if variable not in names:
            names[variable] = self.model.fresh(variable.name)
            self.model.hold(names[variable], np.asarray(self.model.values[variable], order="C"))
        return names[variable]

    # sizes

    def shape(self, sizes: Iterable[Size]) -> str:
        """Sizes as an int64 vector; nodes compute those that are not known."""
        runs: list[str] = []
        known: list[int] = []
        for size in sizes:
            if not isinstance(size, Dim):
                known.append(size)
                continue
            if known:
                runs.append(self.integers(known))
                known = []
            runs.append(self.size(size))
        if known or not runs:
            runs.append(self.integers(known))
        return runs[0] if len(runs) == 1 else self("Concat", *runs, axis=0)

    def scalar(self, size: Size) -> str:
        """A size as an int64 scalar."""
        return self("Squeeze", self.size(size)) if isinstance(size, Dim) else self.constant(np.int64(size))

    def size(self, size: Size) -> str:
        """A size as an int64 vector of one."""
        if not isinstance(size, Dim):
            return self.integers([size])
        if size.key not in self._sizes:
            atom = size.atom()
            self._sizes[size.key] = self._polynomial(size) if atom is None else self._atom(atom)
        return self._sizes[size.key]

    def _atom(self, atom: Atom) -> str:
        return self._measured(atom) if isinstance(atom, Symbol) else WRITTEN[atom.function](self, *atom.parts)

    def _measured(self, symbol: Symbol) -> str:
        """The size of an axis of an input, if one has it, else of the Tensor that was first to."""
        for tensor in (*self._given, self.graph.source_of(symbol)):
            if tensor is not None and (axis := axis_of(tensor, symbol)) is not None:
                return self("Shape", self.name(tensor), start=axis, end=axis + 1)
        raise self.refusal(f"no Tensor of the graph has the size {symbol}; take it from one's shape")

    def _polynomial(self, size: Dim) -> str:
        total = ""
        for atoms, count in size.terms.items():
            term = ""
            for atom in atoms:
                factor = self.size(Dim(atom))
                term = self("Mul", term, factor) if term else factor
            if count != 1 or not term:
                term = self("Mul", term, self.integers([count])) if term else self.integers([count])
            total = self("Add", total, term) if total else term
        return total

    def described(self, name: str, spec: Spec) -> Any:
        """The name, dtype and shape of an input or output."""
        from onnx import helper

        sizes = None
        if spec.shape is not UNKNOWN_RANK:
            sizes = [n.source(self.model.dim) if isinstance(n, Dim) else n for n in spec.shape]
        return helper.make_tensor_value_info(name, _element_type(self, spec.dtype), sizes)


def _element_type(w: Writer, dtype: np.dtype[Any]) -> int:
    """ONNX's number for a dtype."""
    from onnx import helper

    try:
        return int(helper.np_dtype_to_tensor_dtype(dtype))
    except (KeyError, ValueError):
        raise w.refusal(f"ONNX has no {dtype}; cast it first") from None
