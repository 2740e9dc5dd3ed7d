"""What all optimisers share: parameters, slots, the step count, and two ways to run a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from shared import ops
from shared.dispatch import engine_of, tensor_engine
from shared.durable import interrupts
from shared.errors import DTypeError, EngineError, GradientError, NoGradientError, SettingError
from shared.nn.averaging import average
from shared.nn.module import check_forgotten
from shared.nn.utils.clipping import clip_by_global_norm, clip_by_value
from shared.optim import chunks
from shared.optim.groups import (
    GroupWords,
    ParameterGroup,
    Schedule,
    Settings,
    as_groups,
    named,
    told,
    unique,
)
from shared.optim.kept import Kept
from shared.optim.raw import as_array, beside, filled, raw
from shared.optim.schedules import rate_after
from shared.optim.sweeps import update_of, worth_sweeping
from shared.picture.notebook import as_text
from shared.spec import in_short
from shared.state import Parameter, Rate, Slot, State
from shared.usage import late
from shared.usage.absent import OPTIMIZER, Answers
from shared.usage.door import methods, refused
from shared.usage.numbers import number

Slots = dict[str, Any]
Rates = tuple[Any, ...]

STEP = "step"
"""The slot that counts a parameter's own steps, for optimisers whose rule depends on them."""


class Optimizer(Kept, Answers):
    """Changes Parameters by their gradients. Subclasses write `check`, `starts`, `rates`, `rule`.

    parameters  Parameters, `(name, Parameter)` pairs, or a list of groups: dicts with the
                parameters under `params` and settings of the group's own beside it, such as
                `{"params": model.head.parameters(), "lr": 0.01}`
    lr          the learning rate: a number; a schedule, which is called with the number of
                steps made so far and gives the rate of the next; or a Tensor of one number
    clip_norm   scale the gradients of a step down together if their common norm exceeds this
    clip_value  bring every element of the gradients into [-clip_value, clip_value] first
    maximize    go up the gradients, not down; a group may have its own

    A parameter whose `requires_grad` is False, or that has no gradient, is left as it is.

    opt.lr      a 0-d float64 State that the rule reads: `opt.lr = x` and `opt.lr.assign(x)` change the
                rate, of the steps that sessions run too, and nothing is built again. Under a schedule
                it is not read: it tells the rate that the last step was made with
    opt.steps   how many steps were made: a 0-d float64 State
    opt.groups  the parameter groups; groups without an `lr` of their own share `opt.lr`
    """

    _absent = OPTIMIZER

    elementwise = False
    """Whether `rule` treats each element by itself, so that it may be compiled, and arrays be cut."""

    linear = False
    """Whether `rule` is linear in gradients and parameters, and so right for complex ones too."""

    numbers: tuple[str, ...] = (STEP,)
    """The slots, of those in `starts`, that are one number for a parameter: 0-d float64."""

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        maximize: bool = False,
        **settings: Any,
    ) -> None:
        self._kind = type(self).__name__
        for name, limit in (("clip_norm", clip_norm), ("clip_value", clip_value)):
            if limit is not None:
                number(self._kind, name, limit, above=True)
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self.steps = State(np.float64(0), "steps")
        self.defaults = self._settings({**settings, "maximize": maximize})
        super().__init__(*self._rate_state("lr", lr))
        self.groups: list[ParameterGroup] = []
        self.minimized = False
        self._names: dict[Any, str] = {}
        self._wishes: dict[Any, str] = {}  # of those that were given no name
        self._group_of: dict[Any, ParameterGroup] = {}
        self._slots: dict[Any, dict[str, State]] = {}
        for group in as_groups(self._kind, parameters):
            self.add_param_group(group)

    def __repr__(self) -> str:
        return "\n".join([f"{self._kind}, {int(self.steps.value())} steps made", *map(told, self.groups)])

    def _repr_html_(self) -> str:
        return as_text(self)

    # --- what an optimiser says of itself ---

    def check(self, h: Settings) -> None:
        """Normalise a group's settings where they are; SettingError if one is out of its range."""

    def starts(self, h: Settings) -> dict[str, float]:
        """The slots that the rule keeps for each parameter, and the number each starts from.

        They have the parameter's shape and dtype, but for those in `numbers`. One of these is called
        `step`: it counts the steps of that parameter alone.
        """
        return {}

    def tally(self, numbers: Slots, h: Settings) -> Slots:
        """The slots in `numbers` as they are in this step, from what they were in the last, in ops."""
        return {STEP: numbers[STEP] + 1}

    def rates(self, lr: Any, now: Slots, h: Settings) -> Rates:
        """The numbers, 0-d float64, that the rule needs in a step, in ops: from the rate, and from the slots
        in `numbers` as they are in this step (`now["step"]` is 1 in the first). They are cast to the
        parameter's dtype for the rule."""
        return (lr,)

    def rule(self, p: Any, g: Any, slots: Slots, rates: Rates, h: Settings) -> tuple[Any, Slots]:
        """The new parameter and slots, from the old ones and the gradient: pure, in ops."""
        raise NotImplementedError(f"{self._kind} has no rule(); write one")

    # --- what it holds ---

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Train more parameters: a dict as in the constructor's list of groups. If it does not fit, nothing
        has changed."""
        group, index = as_groups(self._kind, [group])[0], len(self.groups)
        own = {key: value for key, value in group.items() if key not in ("params", "lr")}
        if unknown := [key for key in own if key not in vars(self.defaults)]:
            known = ", ".join(["params", "lr", *vars(self.defaults)])
            raise SettingError(
                f"{self._kind}: parameter group {index} has the key {unknown[0]!r}; it can have {known}"
            )
        lr, schedule = self.lr, self.schedule
        if "lr" in group:
            lr, schedule = self._rate_state(f"groups.{index}.lr", group["lr"])
        added = ParameterGroup(lr, schedule, self._settings({**vars(self.defaults), **own}))
        given, taken = named(self._kind, group["params"]), set(self._group_of)
        for name, parameter in given:
            if parameter in taken:
                called = self._names.get(parameter, name or parameter.name or "one")
                raise SettingError(f"{self._kind}: {called} stands in the parameters twice")
            if parameter.dtype.kind == "c" and not self.linear:
                raise DTypeError(
                    f"{self._kind}: {name or parameter.name or 'a parameter'} is {parameter.dtype}, and the "
                    "rule is for real numbers; keep pairs, ops.view_as_complex(p) in the model, or use SGD"
                )
            taken.add(parameter)
        for name, parameter in given:
            wish = name or parameter.name
            if not name:
                self._wishes[parameter] = wish
            self._names[parameter] = unique(wish, self._names.values(), len(self._names))
            self._group_of[parameter] = added
            added.parameters.append(parameter)
        before = [*self.groups]
        self.groups.append(added)
        late.note(self, "groups", before, [*self.groups])

    @property
    def param_groups(self) -> list[GroupWords]:
        """The groups as PyTorch shows them: `opt.param_groups[0]["lr"] = 0.1`."""
        return [GroupWords(group) for group in self.groups]

    @property
    def parameters(self) -> list[Any]:
        """All that is trained, group after group."""
        return [parameter for group in self.groups for parameter in group.parameters]

    def slots(self, parameter: Any) -> dict[str, State]:
        """What the rule remembers of a parameter."""
        if not hasattr(parameter, "assign"):
            raise SettingError(f"slots: takes a Parameter, not {in_short(parameter)}")
        found = self._slots.get(parameter)
        if found is None:
            name = self._names.get(parameter, parameter.name)
            found = self._slots[parameter] = {
                slot: Slot(
                    np.float64(start) if slot in self.numbers else filled(parameter, start),
                    parameter, slot, f"{name}/{slot}",
                )
                for slot, start in self.starts(self._group(parameter).settings).items()
            }  # fmt: skip
        return found

    def named_states(self, path: Callable[[Any], str] | None = None) -> Iterator[tuple[str, State]]:
        """The learning rates, the step count and all slots, with names; `path` gives a parameter's, if it
        is not to be the one that it had when the optimiser was given it."""
        for state in self.learning_rates():
            yield state.name, state
        yield "steps", self.steps
        for parameter in self.parameters:
            for slot, state in self.slots(parameter).items():
                yield (state.name if path is None else f"{path(parameter)}/{slot}"), state

    # --- training ---

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the last step."""
        check_forgotten(set_to_none)
        for parameter in self.parameters:
            parameter.grad = None

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a `.grad`, now (define-by-run).

        closure  called first, if given: it computes the loss and its gradients, and the loss is given back
        No array is written to that a tape or a caller may hold: parameters get new ones. Ctrl-C waits until
        the step is made: no parameter is a step ahead of another.
        """
        loss = None if closure is None else closure()
        ready = [p for p in self.parameters if p.requires_grad and p.grad is not None]
        if not ready:
            raise GradientError(
                "step: no parameter has a gradient; call loss.backward() first (in a static graph, the "
                "operation that opt.minimize(loss) gives makes the step)"
            )
        try:
            engine_of(*[p.grad for p in ready]).step(self, ready)
        except Exception as error:
            refused("step", error, of=self)
            raise
        return loss

    def update(self, ready: Sequence[Any]) -> None:
        """Change these parameters, each of which has a gradient: all of them, or none."""
        with interrupts.deferred():
            self._update(ready)

    def guard(self) -> Any:
        """What a step depends on beside States and gradients: the same step has an equal one."""
        told: list[Any] = [self.clip_norm, self.clip_value]
        for group in self.groups:
            told += id(group.lr), id(group.schedule)
            told += group.settings.told().items()
        return told

    def _update(self, ready: Sequence[Any]) -> None:
        schedules = self.learning_rates()
        steps = self.steps.data
        rates = {lr: raw(rate_after(self._kind, steps, schedules[lr], lr.data)) for lr in schedules}
        t = np.asarray(self.steps.data + 1)
        known: dict[Any, chunks.Update] = {}
        worth = self.elementwise and worth_sweeping([p.data for p in ready])
        for parameter, g in zip(ready, self._clipped([raw(p.grad) for p in ready]), strict=True):
            group, states = self._group_of[parameter], self.slots(parameter)
            arrays = {name: state.data for name, state in states.items()}
            numbers = self._tallied(group, arrays)
            p = parameter.data
            key = group, *map(float, numbers.values()), p.dtype, type(p)
            if key not in known:
                given = beside(p, self._rates(group, rates[group.lr], numbers, p.dtype))
                bound = partial(self._bound, group)
                known[key] = update_of(bound, given, p, arrays, worth) if self.elementwise else bound(given)
            new, moved = known[key](p, g, arrays)
            parameter.data = as_array(new)
            for name, value in moved.items():
                states[name].data = as_array(value)
            for name, value in numbers.items():
                states[name].data = np.asarray(value)
        self.steps.data = t
        for lr in schedules:
            lr.data = np.asarray(rates[lr])

    def minimize(self, loss: Any, var_list: Sequence[Any] | None = None, global_step: Any = None) -> Any:
        """The operation that makes one step on a static `loss`, and the state updates (running
        statistics, dropout's generator) that the loss depends on (define-and-run).

        var_list     what to train, if not all that the optimiser was given
        global_step  a variable that each step adds one to, beside the optimiser's own `steps`
        """
        pairs = self.compute_gradients(loss, var_list)
        return self._train(loss, [(g, p) for g, p in pairs if g is not None], global_step)

    def compute_gradients(self, loss: Any, var_list: Sequence[Any] | None = None) -> list[tuple[Any, Any]]:
        """The first half of `minimize`: (gradient, parameter) pairs, None where a parameter does
        not reach the loss. Change the gradients as you like, then `apply_gradients`."""
        engine = tensor_engine((loss,))
        if engine is None:
            raise EngineError(f"minimize: the loss must be a Tensor, not {loss!r}")
        asked = self.parameters if var_list is None else list(var_list)
        trained = [p for p in asked if getattr(p, "requires_grad", True)]
        return list(zip(average(engine.gradients(loss, trained), trained, loss), trained, strict=True))

    def apply_gradients(self, pairs: Iterable[tuple[Any, Any]], global_step: Any = None) -> Any:
        """The second half: the operation that makes one step with these gradients. It runs no
        state updates, as in TensorFlow 1: `minimize` does."""
        return self._train(None, [(g, p) for g, p in pairs if g is not None], global_step)

    def _train(self, loss: Any, pairs: list[tuple[Any, Any]], global_step: Any) -> Any:
        if not pairs:
            raise NoGradientError(
                "no gradients provided for any variable: the loss does not depend on any "
                "parameter of this optimiser; was the model called to make it?"
            )
        value = loss if loss is not None else pairs[0][0]
        engine = tensor_engine((value,))
        if engine is None:
            raise EngineError(f"apply_gradients: the gradients must be Tensors, not {value!r}")
        self.minimized = True
        with engine.scope(value):
            done = self.assignments(pairs)
            if global_step is not None:
                done.append(global_step.assign(global_step + 1))
            return engine.train(loss, done, self._read())

    def _read(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """What a step is made with, and whose it is."""
        own = {"clip_norm": self.clip_norm, "clip_value": self.clip_value, "schedule": self.schedule}
        yield self, {**own, "groups": [*self.groups]}
        for group in self.groups:
            yield group, {"schedule": group.schedule}
            yield group.settings, group.settings.told()
        for parameter in self.parameters:
            if isinstance(parameter, Parameter):  # a static.Variable can not be frozen
                yield parameter, {"requires_grad": parameter.requires_grad}

    def assignments(self, pairs: Sequence[tuple[Any, Any]]) -> list[Any]:
        """The assignments of one step with these (gradient, parameter) pairs, by the type of the
        gradients."""
        schedules = self.learning_rates()
        rates = {lr: rate_after(self._kind, self.steps, schedules[lr], lr) for lr in schedules}
        t: Any = self.steps + 1
        known: dict[Any, Rates] = {}
        done = []
        for g, (_, parameter) in zip(self._clipped([g for g, _ in pairs]), pairs, strict=True):
            group, states = self._group(parameter), self.slots(parameter)
            slots: Slots = dict(states)
            numbers = self._tallied(group, slots)
            key = group, *numbers.values(), parameter.dtype
            if key not in known:
                known[key] = self._rates(group, rates[group.lr], numbers, parameter.dtype)
            new, moved = self._bound(group, known[key])(parameter, g, slots)
            done.append(parameter.assign(new))
            done.extend(states[name].assign(value) for name, value in {**moved, **numbers}.items())
        done.append(self.steps.assign(t))
        done.extend(lr.assign(rates[lr]) for lr in schedules if schedules[lr] is not None)
        return done

    # --- the parts of a step ---

    def _settings(self, given: dict[str, Any]) -> Settings:
        h = Settings(**given)
        self.check(h)
        return h

    def _group(self, parameter: Any) -> ParameterGroup:
        """The group of a parameter; the first for one that came with a gradient of its own."""
        return self._group_of.get(parameter, self.groups[0])

    def _clipped(self, gradients: list[Any]) -> list[Any]:
        if self.clip_value is not None:
            gradients = clip_by_value(gradients, self.clip_value)
        if self.clip_norm is not None:
            gradients, _ = clip_by_global_norm(gradients, self.clip_norm)
        return gradients

    def _tallied(self, group: ParameterGroup, slots: Slots) -> Slots:
        """The numbers among a parameter's slots, taken out of them, as they are in this step."""
        before = {name: slots.pop(name) for name in self.numbers if name in slots}
        return self.tally(before, group.settings) if before else before

    def _rates(self, group: ParameterGroup, lr: Any, now: Slots, dtype: Any) -> Rates:
        return tuple(ops.cast(rate, dtype) for rate in self.rates(lr, now, group.settings))

    def _bound(self, group: ParameterGroup, rates: Rates) -> chunks.Update:
        """The rule with all but its arrays filled in."""
        h = group.settings
        if h.maximize:
            return lambda p, g, slots: self.rule(p, ops.neg(g), slots, rates, h)
        return lambda p, g, slots: self.rule(p, g, slots, rates, h)

    # --- learning rates ---

    def _rate_state(self, name: str, lr: float | Schedule) -> tuple[State, Schedule | None]:
        """The State that holds a learning rate, and the schedule that decides it, if any."""
        if tensor_engine((lr,)) is not None:  # not known before a step is made with it
            return Rate(np.float64(np.nan), name), lambda step: lr
        if not callable(lr):
            return Rate(np.float64(number(self._kind, name, lr)), name), None
        first = number(self._kind, f"{name}(0)", raw(rate_after(self._kind, np.float64(0), lr, None)))
        return Rate(np.float64(first), name), lr

    def learning_rates(self) -> dict[State, Schedule | None]:
        """Every learning rate, with its schedule."""
        return {self.lr: self.schedule} | {group.lr: group.schedule for group in self.groups}


methods(Optimizer, "add_param_group", "minimize", "compute_gradients", "apply_gradients")
