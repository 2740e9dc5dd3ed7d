"""Each collective, on both engines, against NumPy's sums of what all ranks hold; then ranks that disagree."""

import numpy as np

import dynamic
import static
from shared import ops, ranks
from shared.errors import CollectiveError
from shared.op import TABLE
from tests.ranks.launched import say

comm = ranks.world()
me, n = comm.rank, comm.size


def held(rank, shape, dtype):
    return np.random.default_rng(rank).standard_normal(shape).astype(dtype)


def folded(parts):
    total = parts[0].copy()
    for part in parts[1:]:
        total = total + part
    return total


def expected(name, shape, dtype):
    """What comes out here, and the derivative of sum over ranks of sum(c y) by this rank's x, in float64."""
    xs = [held(r, shape, dtype) for r in range(n)]
    wide = [x.astype(np.float64) for x in xs]
    w = np.arange(1, n + 1) * 3.0
    if name == "sum":
        return folded(xs), lambda cs: sum(cs)
    if name == "mean":
        return folded(xs) / xs[0].dtype.type(n), lambda cs: sum(cs) / n
    if name == "weighted":
        y = sum(v * x for v, x in zip(w, wide, strict=True)) / w.sum()
        return y, lambda cs: sum(cs) * w[me] / w.sum()
    if name in ("max", "min"):
        y = getattr(np, f"a{name}")(np.stack(xs), 0)
        return y, lambda cs: sum(cs) * (xs[me] == y) / sum(x == y for x in xs)  # who has it shares it
    if name == "broadcast":
        return xs[n - 1], lambda cs: sum(cs) * (me == n - 1)
    if name == "reduce":
        return folded(xs) * (me == n - 1), lambda cs: cs[n - 1]
    if name == "all_gather":
        return np.concatenate(xs), lambda cs: sum(cs)[me * shape[0] : (me + 1) * shape[0]]
    rows = shape[0] // n
    return folded(xs)[me * rows : (me + 1) * rows], lambda cs: np.concatenate(cs)


CALLS = {
    "sum": lambda x: ops.all_reduce(x),
    "mean": lambda x: ops.all_reduce(x, op="mean"),
    "weighted": lambda x: ops.all_reduce(x, 3.0 * (me + 1), op="mean"),
    "max": lambda x: ops.all_reduce(x, op="max"),
    "min": lambda x: ops.all_reduce(x, op="min"),
    "broadcast": lambda x: ops.broadcast(x, root=n - 1),
    "reduce": lambda x: TABLE["reduce"](x, comm="world", root=n - 1, at=""),
    "all_gather": lambda x: ops.all_gather(x),
    "reduce_scatter": lambda x: ops.reduce_scatter(x),
}


def on_dynamic(call, array, c):
    x = dynamic.tensor(array, requires_grad=True)
    y = call(x)
    (y * dynamic.tensor(c)).sum().backward()
    return y.numpy(), x.grad.numpy()


def on_static(call, array, c, known):
    with static.Graph().as_default():
        x = static.placeholder(array.dtype, array.shape if known else (None, *array.shape[1:]))
        cotangent = static.placeholder(c.dtype, c.shape)
        y = call(x)
        (g,) = static.gradients((y * cotangent).sum(), [x])
        with static.Session(optimize="exact") as session:
            return session.run([y, g], {x: array, cotangent: c})


for name, call in CALLS.items():
    wrong = []
    for shape in ((4 * n, 3), (4096 * n, 5)):
        for dtype in ("float32", "float64", "float16"):
            y, slope = expected(name, shape, dtype)
            cs = [np.random.default_rng(100 + r).standard_normal(y.shape).astype(dtype) for r in range(n)]
            c = cs[me]
            if name == "reduce_scatter":
                wanted = slope(cs)
            else:
                wanted = slope([one.astype(np.float64) for one in cs])
            got = on_dynamic(call, held(me, shape, dtype), c)
            tolerance = {"float16": 4e-3, "float32": 1e-6, "float64": 1e-14}[dtype]
            exact = name != "weighted" and dtype != "float16"  # half precision is added in single
            same = np.array_equal(got[0], y) if exact else np.allclose(got[0], y, tolerance, tolerance)
            if got[0].dtype != dtype or not same:
                wrong.append(f"{shape} {dtype} value")
            if not np.allclose(got[1], wanted, 4 * tolerance, 4 * tolerance):
                wrong.append(f"{shape} {dtype} gradient")
            if shape[0] == 4 * n:
                for known in (True, False):
                    there = on_static(call, held(me, shape, dtype), c, known)
                    if [a.tobytes() for a in got] != [a.tobytes() for a in there]:
                        wrong.append(f"{shape} {dtype} static, sizes known: {known}")
    say(me, **{name: wrong})


def refusal(call):
    try:
        call()
    except CollectiveError as error:
        return [type(error).__name__, str(error)]
    return ["nothing", ""]


x = dynamic.tensor(np.ones((2, 3), "float32"))


def other_call():
    return ops.all_reduce(x) if me == 0 else ops.broadcast(x)  # line of both


def other_shape():
    if me == 0:
        return ops.all_gather(x)
    return ops.all_gather(dynamic.tensor(np.ones((2, 4), "float32")))


def other_dtype():
    return ops.all_reduce(dynamic.tensor(np.ones(2, "float32" if me else "float64")))


say(me, other_call=refusal(other_call), other_shape=refusal(other_shape), other_dtype=refusal(other_dtype))
comm.barrier()
say(me, steps=[comm.checks, comm.steps])
for _ in range(10):
    comm.step()
say(me, later=comm.checks)
comm.check, comm.limit = False, 0.5
say(me, unchecked=refusal(lambda: ops.all_reduce(x) if me == 0 else ops.reduce_scatter(x)))
