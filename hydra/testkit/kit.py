"""The kit: actors in virtual time under a supervisor, and all that a test wants to do to them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from hydra.actor import MINUTE, SECOND, Actor, ChildSpec, Ref
from hydra.runtime.cell import Cell
from hydra.runtime.dead_letters import Dead
from hydra.runtime.explore import ExploreOptions
from hydra.runtime.life import Status
from hydra.runtime.sim_runtime import EPOCH, SimRuntime, SimulatedHang
from hydra.testkit.faults import DEFAULT_DELAY, Edge, disturbing, doubled, late, lost, shuffled
from hydra.testkit.probe import Answer, Heard, Probe, ProbeActor
from messages.message import Message
from supervisors.strategies import Intensity, OnExceeded, Strategy, Supervision
from supervisors.supervisor import AddChild, Supervisor

POLICY = Supervision(
    strategy=Strategy.ONE_FOR_ONE,
    intensity=(Intensity(3, MINUTE),),
    on_exceeded=OnExceeded.QUARANTINE,
)
"""As the engine supervises bots."""


class Killed(Exception):
    """The test killed this incarnation."""


class Kit:
    """A simulation with a supervisor at `/kit`, ready for actors.

    `explore`: a seed for drawn delays and order instead of the canonical schedule. `strict`: actors
    that use real time, randomness or threads fail. The same arguments give the same run, always:
    `trace_hash` proves it.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        explore: ExploreOptions | int | None = None,
        strict: bool = True,
        start_at: int = EPOCH,
    ) -> None:
        self.runtime = SimRuntime(
            seed=seed, explore=explore, trace=True, strict=strict, start_at=start_at
        )
        self._dice = random.Random(f"faults|{seed}")
        self._supervisor = self.runtime.start_root(
            ChildSpec(name="kit", actor=Supervisor, args={"children": (), "policy": POLICY})
        )
        self._until_running(self._supervisor)

    def start(
        self, actor: type[Actor[Any]], *, name: str | None = None, **args: object
    ) -> Ref[Any]:
        """Start an actor with these constructor arguments; gives its address, `/kit/<name>`."""
        return self.start_child(ChildSpec(name=name or actor.__name__, actor=actor, args=args))

    def start_child(self, spec: ChildSpec) -> Ref[Any]:
        """Start an actor with a specification of one's own. Raises if it does not start."""
        answer = self.runtime.ask(self._supervisor.ref, AddChild(spec=spec), within=10.0)
        ref: Ref[Any] = Ref(f"{self._supervisor.path}/{spec.name}")
        cell = self.runtime.cells.get(ref.path)
        if cell is None:
            raise ValueError(f"{spec.name} was not started: {answer!r}")
        self._until_running(cell)
        return ref

    def probe(self, name: str = "probe") -> Probe:
        """A stand-in that keeps what it is told."""
        heard: list[Heard] = []
        answers: list[Answer] = []
        ref = self.start(ProbeActor, name=name, heard=heard, answers=answers)
        return Probe(self.runtime, ref, heard, answers)

    def listen(self, topic: str, name: str = "listener") -> Probe:
        """A stand-in that keeps what is published on the topic from now on."""
        heard: list[Heard] = []
        answers: list[Answer] = []
        ref = self.start(ProbeActor, name=name, heard=heard, answers=answers, topics=(topic,))
        return Probe(self.runtime, ref, heard, answers)

    def tell(self, ref: Ref[Any], message: Message) -> None:
        """Tell an actor something, from outside, and let what follows at once happen."""
        self.runtime.tell(ref, message)
        self.runtime.settle()

    def publish(self, topic: str, message: Message) -> None:
        """Tell everyone who subscribed to the topic, and let what follows at once happen."""
        for cell in self.runtime.bus.subscribers(topic):
            self.runtime.tell(cell.ref, message)
        self.runtime.settle()

    def ask(self, ref: Ref[Any], message: Message, *, within: int = SECOND) -> Any:
        """Ask an actor and give its answer; raises its error, or that none came in time."""
        return self.runtime.ask(ref, message, within=within / SECOND)

    def settle(self) -> None:
        """Handle everything that can be handled without time moving on."""
        self.runtime.settle()

    def advance(self, duration: int | timedelta) -> None:
        """Let virtual time pass (ns, or a timedelta), with everything that happens in it."""
        if isinstance(duration, timedelta):
            duration = int(duration / timedelta(microseconds=1)) * 1_000
        self.runtime.advance(duration)

    @property
    def now(self) -> int:
        """Virtual time (ns): machine time and market time are the same here."""
        return self.runtime.now()

    @property
    def trace_hash(self) -> str:
        """Names everything handled so far, in its order; equal for equal runs."""
        trace = self.runtime.trace
        assert trace is not None
        return trace.hash

    @property
    def dead_letters(self) -> list[Dead]:
        """Every message that reached nobody, oldest first."""
        return list(self.runtime.dead_letters.ring)

    def drop(
        self, edge: Edge, *, count: int | None = None, probability: float = 1.0
    ) -> Callable[[], None]:
        """Lose messages of this edge. Gives the function that ends it, as all of these do."""
        return self._disturb(edge, lost, count, probability)

    def delay(
        self,
        edge: Edge,
        *,
        by: int = DEFAULT_DELAY,
        count: int | None = None,
        probability: float = 1.0,
    ) -> Callable[[], None]:
        """Have messages of this edge come `by` ns late."""
        return self._disturb(edge, late(by), count, probability)

    def duplicate(
        self,
        edge: Edge,
        *,
        after: int = DEFAULT_DELAY,
        count: int | None = None,
        probability: float = 1.0,
    ) -> Callable[[], None]:
        """Have messages of this edge come twice."""
        return self._disturb(edge, doubled(after), count, probability)

    def reorder(
        self, edge: Edge, *, spread: int = DEFAULT_DELAY, probability: float = 1.0
    ) -> Callable[[], None]:
        """Have messages of this edge come at drawn times within `spread` ns, in any order."""
        return self._disturb(edge, shuffled(spread, self._dice), None, probability)

    def kill(self, ref: Ref[Any]) -> None:
        """This incarnation fails now, between two messages."""
        self._cell(ref).fail(Killed("by the test"), "receive", None)
        self.runtime.settle()

    def crash_next(self, ref: Ref[Any], error: Exception | None = None) -> None:
        """The next message crashes the actor instead of being handled."""
        self._at_next_message(ref, error or Killed("at the next message, by the test"))

    def hang(self, ref: Ref[Any]) -> None:
        """The handler of the next message does not return; the watch finds it in time."""
        self._at_next_message(ref, SimulatedHang())

    def state(self, ref: Ref[Any]) -> Mapping[str, object]:
        """What the actor shows of itself (`state_view`)."""
        return self._cell(ref).view()

    def incarnation(self, ref: Ref[Any]) -> int:
        """1 at first, one more after each restart."""
        return self._cell(ref).incarnation

    def restarts(self, ref: Ref[Any]) -> int:
        """How often it was restarted."""
        return self._cell(ref).restarts

    def status(self, ref: Ref[Any]) -> str:
        """running, failed, backoff, quarantined, …; "gone" if nobody lives there any more."""
        cell = self.runtime.cells.get(ref.path)
        return "gone" if cell is None else cell.shown_status

    def _disturb(
        self,
        edge: Edge,
        delays: Callable[[], tuple[int, ...] | None],
        count: int | None,
        probability: float,
    ) -> Callable[[], None]:
        return self.runtime.add_filter(
            disturbing(edge, delays, count=count, probability=probability, dice=self._dice)
        )

    def _at_next_message(self, ref: Ref[Any], error: BaseException) -> None:
        cell = self._cell(ref)
        if cell.receive is None:
            raise ValueError(f"{ref.path} takes no messages now: it is {cell.shown_status}")

        def instead(_message: Message, _context: object) -> None:
            raise error

        cell.receive = instead

    def _cell(self, ref: Ref[Any]) -> Cell:
        cell = self.runtime.cells.get(ref.path)
        if cell is None:
            raise ValueError(f"nobody lives at {ref.path}")
        return cell

    def _until_running(self, cell: Cell) -> None:
        runs = self.runtime.run_until(lambda: cell.status is Status.RUNNING, within=10 * SECOND)
        if not runs:
            raise ValueError(f"{cell.path} did not start: {cell.last_failure() or cell.status}")
