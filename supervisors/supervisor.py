"""The generic supervisor. It decides who restarts and when, and does nothing else."""

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from itertools import islice
from typing import Any, ClassVar, TypeAlias

from hydra.actor import Actor, ChildSpec, Context, Ref, Restart, unhandled
from messages.lifecycle import (
    IS_QUARANTINED,
    SUPERVISION_TOPIC,
    ChildFailed,
    ChildInfo,
    ChildQuarantined,
    ChildRefused,
    Children,
    ChildStarted,
    ChildStopped,
    DeleteChild,
    RestartChild,
    RestartDue,
    StartChild,
    StopChild,
    WhichChildren,
)
from messages.message import Message
from supervisors.strategies import OnExceeded, Strategy, Supervision, affected_by


class AddChild(Message, frozen=True, kw_only=True):
    """Ask a supervisor to take on another child, last in its start order, and start it."""

    spec: Any
    """A `ChildSpec`; not typed as one because a message is data and a recipe is not."""


class ReplaceChild(Message, frozen=True, kw_only=True):
    """Give a child another recipe under its name: every later incarnation is made by it.

    `at_once`: one that runs is stopped and started by the new one, outside its restart budget.
    """

    spec: Any
    at_once: bool


Wish: TypeAlias = AddChild | ReplaceChild | StartChild | StopChild | RestartChild | DeleteChild
Command: TypeAlias = Wish | WhichChildren
Inbox: TypeAlias = ChildStarted | ChildFailed | ChildStopped | RestartDue | Command


class RestartIntensityExceeded(Exception):
    """Restarting does not help; the supervisor above has to decide."""


class ChildState(Enum):
    """Where a child is, as its supervisor sees it."""

    WAITING = "waiting"
    """To be started as soon as it is its turn."""
    STARTING = "starting"
    RUNNING = "running"
    TO_STOP = "to stop"
    """Goes down with a sibling, as soon as it is its turn."""
    STOPPING = "stopping"
    BACKOFF = "backoff"
    """Failed; to be started when the pause is over."""
    QUARANTINED = IS_QUARANTINED
    """Failed too often; stays down until somebody starts it."""
    ENDED = "ended"
    """Down, and nothing is to be done about it."""


_UP = (ChildState.STARTING, ChildState.RUNNING)
_GOING_DOWN = (ChildState.TO_STOP, ChildState.STOPPING)
_DOWN = (ChildState.QUARANTINED, ChildState.ENDED)


class Child:
    """What a supervisor remembers of one child."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.state = ChildState.WAITING
        self.then = ChildState.WAITING  # where it goes once it has stopped
        self.has_cell = False  # somebody lives at its address, though it may be down
        self.incarnation = 0
        self.restarts = 0
        self.restarts_at: list[int] = []
        self.failures_in_a_row = 0
        self.started_at = 0


class Supervisor(Actor[Inbox]):
    """Starts its children in order, each acknowledged; restarts them as its policy says.

    Stopping it, or its failure, stops the children in reverse order: the runtime sees to that.
    """

    supervises: ClassVar[bool] = True

    def __init__(self, children: tuple[ChildSpec, ...], policy: Supervision) -> None:
        self._children = {spec.name: Child(spec) for spec in children}
        if len(self._children) != len(children):
            names = ", ".join(spec.name for spec in children)
            raise ValueError(f"children's names must differ, found {names}")
        self._policy = policy
        self._count = Counter(child.state for child in self._children.values())
        self._up_to = 0  # before this place in the start order nobody waits or holds up others
        self._leaving: set[str] = set()  # deleted, and still to be gone from their addresses
        self._restarts_at: list[int] = []
        self._starting = True
        # Who holds up the ones after it. With ONE_FOR_ONE a child that failed to start does not.
        self._blocking = (
            (ChildState.STARTING,)
            if policy.strategy is Strategy.ONE_FOR_ONE
            else (ChildState.STARTING, ChildState.BACKOFF)
        )

    def start(self, ctx: Context) -> None:
        ctx.defer_start()
        self._advance(ctx)

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case ChildStarted():
                self._started(message, ctx)
            case ChildFailed():
                self._failed(message, ctx)
            case ChildStopped():
                self._stopped(message, ctx)
            case RestartDue():
                child = self._children.get(message.name)
                if child is not None and child.state is ChildState.BACKOFF:
                    self._move(child, ChildState.WAITING)
            case WhichChildren():
                ctx.reply(self._which())
            case AddChild() | ReplaceChild() | StartChild() | StopChild():
                ctx.reply(self._obey(message, ctx))
            case RestartChild() | DeleteChild():
                ctx.reply(self._obey(message, ctx))
            case _:
                unhandled(message)
        self._advance(ctx)

    def _started(self, message: ChildStarted, ctx: Context) -> None:
        child = self._children[message.name]
        if child.state is ChildState.STARTING:
            self._move(child, ChildState.RUNNING)
            child.incarnation = message.incarnation
            child.started_at = ctx.now()

    def _failed(self, message: ChildFailed, ctx: Context) -> None:
        child = self._children[message.name]
        child.incarnation = message.incarnation
        if child.state in _GOING_DOWN:
            return  # no restart of its own: its stop is still to come, or to be reported
        if child.spec.restart is Restart.TEMPORARY:
            self._move(child, ChildState.TO_STOP, then=ChildState.ENDED)
            self._end_with(child, ctx)
        else:
            self._down(child, f"{message.phase}: {message.error}", ctx)

    def _stopped(self, message: ChildStopped, ctx: Context) -> None:
        if message.name in self._leaving:
            self._leaving.discard(message.name)
            return
        child = self._children[message.name]
        child.has_cell = message.kept
        if child.state in _GOING_DOWN:
            self._move(child, child.then)
        elif child.state in _UP:  # it ended by itself
            if child.spec.restart is Restart.PERMANENT:
                self._down(child, f"ended by itself: {message.reason}", ctx)
            else:
                self._move(child, ChildState.ENDED)
            self._end_with(child, ctx)

    def _end_with(self, child: Child, ctx: Context) -> None:
        """A child has ended; if it is significant, so has this supervisor."""
        if child.spec.significant:
            ctx.log("significant_child_ended", child=child.spec.name)
            ctx.stop(ctx.me, reason=f"significant child {child.spec.name} ended")

    def _down(self, child: Child, reason: str, ctx: Context) -> None:
        """A child went down that should be up: restart it and whom it takes along, or give up."""
        now = ctx.now()
        if child.state is ChildState.RUNNING and now - child.started_at >= (
            child.spec.backoff.stable_after
        ):
            child.failures_in_a_row = 0
        child.failures_in_a_row += 1
        child.restarts += 1
        if self._budget_is_spent(child, now):
            self._give_up(child, reason, ctx)
            return
        names = tuple(self._children)
        for name in affected_by(self._policy.strategy, names, child.spec.name):
            sibling = self._children[name]
            if sibling is not child and sibling.state in _UP:
                stays_down = sibling.spec.restart is Restart.TEMPORARY
                then = ChildState.ENDED if stays_down else ChildState.WAITING
                self._move(sibling, ChildState.TO_STOP, then=then)
        self._move(child, ChildState.BACKOFF)
        pause = child.spec.backoff.delay(child.failures_in_a_row, ctx.rng.random())
        ctx.log(
            "child_restarting",
            child=child.spec.name,
            reason=reason,
            pause_ms=pause // 1_000_000,
            strategy=self._policy.strategy.value,
        )
        ctx.label(self._ref(child, ctx), "backoff")
        ctx.after(pause, RestartDue(name=child.spec.name), key=_restart_timer(child.spec.name))

    def _budget_is_spent(self, child: Child, now: int) -> bool:
        """Count this restart. With QUARANTINE every child has its own budget."""
        own = self._policy.on_exceeded is OnExceeded.QUARANTINE
        restarts_at = child.restarts_at if own else self._restarts_at
        restarts_at.append(now)
        oldest = now - self._policy.longest_period()
        while restarts_at[0] < oldest:
            del restarts_at[0]
        return self._policy.exceeded_by(restarts_at)

    def _give_up(self, child: Child, reason: str, ctx: Context) -> None:
        match self._policy.on_exceeded:
            case OnExceeded.ESCALATE:
                raise RestartIntensityExceeded(f"{child.spec.name}: {reason}")
            case OnExceeded.QUARANTINE:
                self._move(child, ChildState.QUARANTINED)
                path = self._ref(child, ctx).path
                ctx.label(self._ref(child, ctx), IS_QUARANTINED)
                ctx.log("child_quarantined", child=child.spec.name, reason=reason)
                ctx.publish(SUPERVISION_TOPIC, ChildQuarantined(path=path, reason=reason))

    def _advance(self, ctx: Context) -> None:
        """Take the next step: stop in reverse order, one at a time; then start, in order."""
        if self._leaving or self._count[ChildState.STOPPING]:
            return
        if self._count[ChildState.TO_STOP]:
            self._stop_last(ctx)
            return
        one_by_one = self._starting or self._policy.strategy is not Strategy.ONE_FOR_ONE
        for child in islice(self._children.values(), self._up_to, None):
            if child.state is ChildState.WAITING:
                self._move(child, ChildState.STARTING)
                child.has_cell = True
                ctx.spawn(child.spec)
            if one_by_one and child.state in self._blocking:
                return
            self._up_to += 1
        if self._starting and not self._count[ChildState.STARTING]:
            self._starting = False
            ctx.started()

    def _stop_last(self, ctx: Context) -> None:
        """Stop the last, in start order, of those that are to go down."""
        children = reversed(self._children.values())
        child = next(child for child in children if child.state is ChildState.TO_STOP)
        self._move(child, ChildState.STOPPING)
        keep = child.then is ChildState.WAITING
        reason = "its supervisor restarts it" if keep else "its supervisor stops it"
        ctx.stop(self._ref(child, ctx), keep=keep, reason=reason)

    def _move(self, child: Child, state: ChildState, *, then: ChildState | None = None) -> None:
        """The child is in another state. Counting here spares a look at all of them each time."""
        self._count[child.state] -= 1
        self._count[state] += 1
        child.state = state
        if then is not None:
            child.then = then
        if state not in _UP:
            self._up_to = 0

    def _ref(self, child: Child, ctx: Context) -> Ref[Any]:
        return Ref(f"{ctx.me.path}/{child.spec.name}")

    def _obey(self, message: Wish, ctx: Context) -> Message:
        """Do as told and answer with the children, or say why not."""
        if isinstance(message, AddChild | ReplaceChild):
            name = message.spec.name
        else:
            name = message.name
        refused = self._refusal(message, name)
        if refused is not None:
            return ChildRefused(name=name, reason=refused)
        ctx.log("supervisor_command", command=type(message).__name__, child=name)
        if isinstance(message, AddChild):
            self._children[name] = Child(message.spec)
            self._count[ChildState.WAITING] += 1
            return self._which()
        child = self._children[name]
        match message:
            case StartChild():
                self._move(child, ChildState.WAITING)
                child.restarts_at.clear()
                child.failures_in_a_row = 0
            case StopChild():
                ctx.cancel(_restart_timer(name))
                goes = ChildState.TO_STOP if child.has_cell else ChildState.ENDED
                self._move(child, goes, then=ChildState.ENDED)
            case RestartChild():
                self._move(child, ChildState.TO_STOP, then=ChildState.WAITING)
            case ReplaceChild():
                child.spec = message.spec
                if message.at_once and child.state in _UP:
                    self._move(child, ChildState.TO_STOP, then=ChildState.WAITING)
            case DeleteChild():
                del self._children[name]
                self._count[child.state] -= 1
                self._up_to = 0
                if child.has_cell:
                    self._leaving.add(name)
                    ctx.stop(self._ref(child, ctx), reason="its supervisor deletes it")
            case _:
                unhandled(message)
        return self._which()

    def _refusal(self, message: Message, name: str) -> str | None:
        child = self._children.get(name)
        if isinstance(message, AddChild):
            return None if child is None else "there is a child of that name"
        if child is None:
            return "no such child"
        possible: tuple[ChildState, ...]
        if isinstance(message, ReplaceChild):
            possible = tuple(ChildState)
        elif isinstance(message, StartChild | DeleteChild):
            possible = _DOWN
        elif isinstance(message, StopChild):
            possible = (*_UP, ChildState.BACKOFF)
        else:
            possible = _UP
        return None if child.state in possible else f"it is {child.state.value}"

    def _which(self) -> Children:
        children = self._children.values()
        return Children(
            children=tuple(
                ChildInfo(
                    name=child.spec.name,
                    status=child.state.value,
                    incarnation=child.incarnation,
                    restarts=child.restarts,
                )
                for child in children
            ),
            specs=len(children),
            active=sum(child.state in _UP for child in children),
            supervisors=sum(child.spec.actor.supervises for child in children),
        )

    def state_view(self) -> Mapping[str, object]:
        """The policy, and each child's state and restarts."""
        return {
            "strategy": self._policy.strategy.value,
            "on_exceeded": self._policy.on_exceeded.value,
            "children": {
                name: f"{child.state.value}, {child.restarts} restarts"
                for name, child in self._children.items()
            },
        }


def _restart_timer(name: str) -> str:
    """The key of the timer that ends the pause before a child's restart."""
    return f"restart:{name}"
