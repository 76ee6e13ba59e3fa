"""Actors that do all that an actor can, drawn from their seeded rng, and remember what they saw."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from hydra.actor import (
    MILLISECOND,
    MINUTE,
    SECOND,
    Actor,
    Backoff,
    ChildSpec,
    Context,
    MailboxSpec,
    Ref,
)
from hydra.ports import GateRefused
from hydra.runtime.clock import MarketClock
from hydra.runtime.recorded_order import hangs_in
from hydra.runtime.recorder import MEBIBYTE, FlightRecorder
from hydra.runtime.recording import Event, events_in
from hydra.runtime.replay_outcome import Replayed
from hydra.runtime.replay_runtime import ReplayRuntime
from hydra.runtime.thread_runtime import ThreadRuntime
from messages.lifecycle import ChildQuarantined, ReceiveTimeout, Replied, Terminated
from messages.message import ControlMessage, Message
from supervisors.strategies import Intensity, OnExceeded, Strategy, Supervision
from supervisors.supervisor import AddChild, Supervisor

ROOT: Ref[Any] = Ref("/root")
TOPIC = "walks"
MARK = "no ledger"


class Walk(Message, frozen=True, kw_only=True):
    """Do something drawn, and send others on, `steps` further."""

    steps: int
    word: str = ""


class Urgent(ControlMessage, frozen=True, kw_only=True):
    """The same, ahead of the user lane."""

    steps: int


class Tick(Message, frozen=True, kw_only=True):
    """A timer's."""


class Question(Message, frozen=True, kw_only=True):
    """Is answered, refused, or not at all."""

    number: int


class Answer(Message, frozen=True, kw_only=True):
    """What it was answered."""

    number: int


class Crash(Message, frozen=True, kw_only=True):
    """Fail on this."""


class Hang(Message, frozen=True, kw_only=True):
    """Do not return from the port for a while."""


class Dice(Protocol):
    """A port: what is outside decides."""

    @property
    def sides(self) -> int:
        """How many."""

    def thrown(self, name: str) -> int:
        """A number that no replay could guess. Raises `GateRefused` now and then."""

    def stuck(self) -> None:
        """Takes long."""


Seen: TypeAlias = list[tuple[object, ...]]


class Walker(Actor[Message]):
    """Everything that it sees and draws goes into its state."""

    def __init__(self, peers: tuple[Ref[Any], ...], dice: Dice) -> None:
        self._peers = peers
        self._dice = dice
        self._seen: Seen = []
        self._waits = 0

    def start(self, ctx: Context) -> None:
        self._saw(ctx, "start")
        ctx.subscribe(TOPIC)
        ctx.every(2 * MILLISECOND, Tick(), key="pulse")

    def receive(self, message: Message, ctx: Context) -> None:
        self._saw(ctx, str(message))
        match message:
            case Walk() | Urgent():
                self._step(message.steps, ctx)
            case Question():
                self._answer(message, ctx)
            case Crash():
                raise ArithmeticError(f"told to, having seen {len(self._seen)}")
            case Hang():
                self._dice.stuck()
            case Tick():
                if self._waits and ctx.rng.random() < 0.5:
                    self._waits = 0
                    ctx.unstash()
            case Replied() | ReceiveTimeout() | Terminated() | ChildQuarantined():
                pass
            case _:
                raise AssertionError(message)

    def stop(self, ctx: Context, reason: str) -> None:
        self._saw(ctx, f"stop {reason}")

    def state_view(self) -> Mapping[str, object]:
        return {"seen": self._seen, "waits": self._waits}

    def _saw(self, ctx: Context, what: str) -> None:
        self._seen.append((what, ctx.now(), ctx.market_time(), ctx.incarnation, str(ctx.sender)))

    def _step(self, steps: int, ctx: Context) -> None:
        rng = ctx.rng
        peer = rng.choice(self._peers)
        match rng.randrange(12):
            case 0:
                ctx.tell(peer, Walk(steps=steps - 1)) if steps else None
            case 1:
                ctx.publish(TOPIC, Walk(steps=0, word=ctx.new_id()))
            case 2:
                ctx.ask(peer, Question(number=steps), within=3 * MILLISECOND, tag=f"q{steps % 3}")
            case 3:
                ctx.after(rng.randrange(3) * MILLISECOND, Walk(steps=max(0, steps - 1)), key="soon")
            case 4:
                ctx.cancel("soon")
            case 5:
                self._waits += 1
                ctx.stash()
            case 6:
                ctx.tell(peer, Urgent(steps=max(0, steps - 1)))
            case 7:
                ctx.watch(peer)
            case 8:
                ctx.log("walker.walked", steps=steps)
            case 9:
                ctx.set_receive_timeout(rng.choice((None, 2 * MILLISECOND)))
            case 10:
                try:
                    self._seen.append((self._dice.thrown(ctx.me.name), self._dice.sides))
                except GateRefused as refused:
                    self._seen.append((str(refused),))
            case _:
                if rng.random() < 0.3:
                    raise LookupError(f"at {steps} {object()}")
        if steps:
            ctx.tell(peer, Walk(steps=steps - 1))

    def _answer(self, question: Question, ctx: Context) -> None:
        match ctx.rng.randrange(3):
            case 0:
                ctx.reply(Answer(number=question.number))
            case 1:
                raise LookupError("no answer")
            case _:
                pass


class WordsOfOutside:
    """A port whose answers nobody can foresee."""

    def __init__(self, stuck_s: float = 0.0) -> None:
        self._thrown = 0
        self._stuck_s = stuck_s

    @property
    def sides(self) -> int:
        self._thrown += 1
        return self._thrown

    def thrown(self, name: str) -> int:
        self._thrown += 7
        if self._thrown % 3 == 0:
            raise GateRefused(f"{name} threw {self._thrown}")
        return id(self) % 1_000_003 + self._thrown

    def stuck(self) -> None:
        time.sleep(self._stuck_s)


def tree(dice: Dice, names: str = "abcd", hang_after: int = 2 * SECOND) -> ChildSpec:
    """A root with two supervisors of walkers: one quarantines, the other restarts the rest."""
    refs = tuple(Ref[Any](f"/root/{where}/{name}") for where in ("one", "all") for name in names)

    def walker(name: str, **more: Any) -> ChildSpec:
        return ChildSpec(
            name=name,
            actor=Walker,
            args={"peers": refs, "dice": dice},
            backoff=Backoff(base=MILLISECOND, cap=2 * MILLISECOND),
            hang_after=hang_after,
            **more,
        )

    quarantines = Supervision(
        strategy=Strategy.ONE_FOR_ONE,
        intensity=(Intensity(2, MINUTE),),
        on_exceeded=OnExceeded.QUARANTINE,
    )
    restarts = Supervision(strategy=Strategy.REST_FOR_ONE, intensity=(Intensity(1_000, MINUTE),))
    first, others = names[0], tuple(names[1:])
    one = (
        walker(first, drain_on_stop=True),
        *(walker(name, mailbox=MailboxSpec(bound=50)) for name in others),
    )
    alls = (walker(first, max_deliveries=2), *(walker(name) for name in others))
    return ChildSpec(
        name="root",
        actor=Supervisor,
        args={
            "children": (
                supervised("one", one, quarantines),
                supervised("all", alls, restarts),
            ),
            "policy": Supervision(strategy=Strategy.ONE_FOR_ALL, intensity=(Intensity(0, SECOND),)),
        },
    )


def supervised(name: str, children: tuple[ChildSpec, ...], policy: Supervision) -> ChildSpec:
    return ChildSpec(name=name, actor=Supervisor, args={"children": children, "policy": policy})


def add_nobody() -> Message:
    """A message that holds a recipe."""
    return AddChild(spec=ChildSpec(name="nobody", actor=Actor))


class Recorded:
    """A thread runtime that is recorded into a folder."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 0,
        clock: MarketClock | None = None,
        bytes_max: int = 64 * MEBIBYTE,
        clean: Callable[[str], str] = str,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.runtime = ThreadRuntime(seed=seed, pool_threads=3, market_clock=clock)
        self.told: list[str] = []
        self.recorder = FlightRecorder(
            folder,
            market_at=self.runtime.market_time_at,
            bytes_max=bytes_max,
            tell=self.told.append,
            clean=clean,
        )
        self.runtime.record_flight(self.recorder)
        self.recorder.start()

    def end(self) -> str | None:
        """Stop the tree and the recording; gives the hash of the end."""
        assert self.runtime.stop_tree("it is over", within=5.0)
        self.runtime.close()
        return self.recorder.close(MARK, within_s=20.0)  # the machine may have much else to do


def replayed(
    source: Path | list[Event], *, seed: int = 0, until: int | None = None, **how: Any
) -> Replayed:
    """The same tree once more, by the recording."""
    events = list(events_in(source)) if isinstance(source, Path) else source
    runtime = ReplayRuntime(events, {"dice": Dice}, seed=seed, hangs=hangs_in(events))
    runtime.start_root(tree(runtime.port("dice", WordsOfOutside()), **how))
    return runtime.run(lambda: MARK, until=until)
