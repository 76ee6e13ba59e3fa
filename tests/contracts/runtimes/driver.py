"""Drives either runtime the same way, so that one suite says what both must do."""

import threading
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from hydra.actor import MILLISECOND, MINUTE, SECOND, ChildSpec, Context, Ref
from hydra.runtime.cell import Cell
from hydra.runtime.dead_letters import Dead, DeadLetters
from hydra.runtime.envelope import DeadLetterReason
from hydra.runtime.life import Status
from hydra.runtime.runtime import Runtime
from hydra.runtime.sim_runtime import SimRuntime, SimulatedHang
from hydra.runtime.system import Resume, Suspend
from hydra.runtime.thread_runtime import ThreadRuntime
from messages.lifecycle import Children
from messages.message import Message
from supervisors.strategies import Intensity, OnExceeded, Strategy, Supervision
from supervisors.supervisor import Supervisor

ROOT: Ref[Any] = Ref("/root")
LENIENT = Supervision(strategy=Strategy.ONE_FOR_ONE, intensity=(Intensity(1_000, MINUTE),))


def child(name: str) -> Ref[Any]:
    """The address of the root's child of that name."""
    return Ref(f"/root/{name}")


def supervision(
    strategy: Strategy = Strategy.ONE_FOR_ONE,
    restarts: int = 1_000,
    period: int = MINUTE,
    on_exceeded: OnExceeded = OnExceeded.ESCALATE,
) -> Supervision:
    return Supervision(
        strategy=strategy, intensity=(Intensity(restarts, period),), on_exceeded=on_exceeded
    )


def supervisor(name: str, *children: ChildSpec, policy: Supervision = LENIENT) -> ChildSpec:
    return ChildSpec(name=name, actor=Supervisor, args={"children": children, "policy": policy})


class Driver(ABC):
    """One runtime. `pause` is long against everything that happens without one (ns)."""

    pause: int
    runtime: Runtime

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.dead: list[Dead] = []
        published = runtime._publish_dead_letter

        def note_and_publish(dead: Dead) -> None:
            self.dead.append(dead)
            published(dead)

        runtime.dead_letters = DeadLetters(note_and_publish)

    def start(self, *children: ChildSpec, policy: Supervision = LENIENT) -> None:
        """Start a root with these children and wait until it runs."""
        self.begin(*children, policy=policy)
        self.until(lambda: self.cell(ROOT).status is Status.RUNNING)

    def begin(self, *children: ChildSpec, policy: Supervision = LENIENT) -> None:
        """Start a root with these children."""
        self.runtime.start_root(supervisor("root", *children, policy=policy))

    def tell(self, ref: Ref[Any], *messages: Message) -> None:
        for message in messages:
            self.runtime.tell(ref, message)

    def ask(self, ref: Ref[Any], message: Message, *, within: float = 5.0) -> Any:
        return self.runtime.ask(ref, message, within=within)

    def obeyed(self, command: Message) -> None:
        """The root does as told: while it is in the middle of something else, it refuses."""
        answers = deque[object](maxlen=1)

        def is_done() -> bool:
            answers.append(self.ask(ROOT, command))
            return isinstance(answers[0], Children)

        self.until(is_done, lambda: f"{command} was obeyed; the root says {answers}")

    def cell(self, ref: Ref[Any]) -> Cell:
        return self.runtime.cells[ref.path]

    def is_gone(self, ref: Ref[Any]) -> bool:
        return ref.path not in self.runtime.cells

    def suspend(self, ref: Ref[Any]) -> None:
        """From now on the user lane waits."""
        cell = self.cell(ref)
        cell.tell_system(Suspend())
        self.until(lambda: cell.suspended)

    def resume(self, ref: Ref[Any]) -> None:
        self.cell(ref).tell_system(Resume())

    def waiting(self, ref: Ref[Any]) -> int:
        """How many user messages wait."""
        return len(self.cell(ref).mailbox.user)

    def cells_shown(self) -> str:
        """How every cell is, for a test that has waited in vain."""
        return "; ".join(
            f"{cell} {cell.shown_status}, {len(cell.mailbox.control)} + {len(cell.mailbox.user)}"
            f" wait, last failure: {cell.last_failure() or 'none'}"
            for cell in list(self.runtime.cells.values())
        )

    def dead_for(self, reason: DeadLetterReason) -> list[Message]:
        return [dead.envelope.message for dead in self.dead if dead.reason is reason]

    def dead_reasons(self) -> Counter[str]:
        return Counter(dead.reason.value for dead in self.dead)

    def until_logged(self, log: list[str], line: str) -> None:
        self.until(lambda: line in log, lambda: f"{line!r} in {log}")

    def pass_time(self, duration: int) -> None:
        """Wait until the runtime's own clock has moved on by this much."""
        end = self.runtime.now() + duration
        self.until(lambda: self.runtime.now() >= end)

    @abstractmethod
    def until(
        self, holds: Callable[[], bool], what: Callable[[], str] = lambda: "the condition"
    ) -> None:
        """Let the system work until this holds; fails if it does not in good time."""

    def hang(self, _ctx: Context) -> None:
        """To be called in a handler: it does not return in the time of the test."""
        self.hang_here()

    @abstractmethod
    def hang_here(self) -> None:
        """The same where there is no context yet."""

    @abstractmethod
    def close(self) -> None:
        """Stop the tree and end the runtime."""


class SimDriver(Driver):
    """Virtual time."""

    pause = MINUTE
    runtime: SimRuntime

    def until(
        self, holds: Callable[[], bool], what: Callable[[], str] = lambda: "the condition"
    ) -> None:
        assert self.runtime.run_until(holds, within=10 * self.pause), f"never: {what()}"

    def pass_time(self, duration: int) -> None:
        self.runtime.advance(duration)

    def hang_here(self) -> None:
        raise SimulatedHang

    def close(self) -> None:
        root = self.runtime.root
        if root is not None:
            self.runtime.stop_cell(root, "the test is over")
            assert self.runtime.run_until(
                lambda: root.status is Status.STOPPED, within=10 * self.pause
            )


class ThreadDriver(Driver):
    """Real threads and real time, hence small times; it looks again and again, and gives up."""

    pause = 150 * MILLISECOND
    patience_s = 10.0
    runtime: ThreadRuntime

    def __init__(self, runtime: ThreadRuntime) -> None:
        super().__init__(runtime)
        self._released = threading.Event()
        runtime.start_watch()

    def until(
        self, holds: Callable[[], bool], what: Callable[[], str] = lambda: "the condition"
    ) -> None:
        deadline = self.runtime.now() + int(self.patience_s * SECOND)
        between_looks = threading.Event()
        while not holds():
            assert self.runtime.now() < deadline, f"never: {what()}"
            between_looks.wait(0.001)

    def hang_here(self) -> None:
        self._released.wait(30.0)

    def close(self) -> None:
        self._released.set()
        assert self.runtime.stop_tree("the test is over", within=self.patience_s)
        self.runtime.close()
