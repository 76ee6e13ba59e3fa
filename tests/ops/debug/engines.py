"""Small engines to look into: on threads and simulated, with one actor that can be made to hang."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.actor import MINUTE, SECOND, Actor, ChildSpec, Context, MailboxSpec, Ref
from hydra.ops.debug.server import DebugServer
from hydra.ops.debug.session import Limits
from hydra.runtime.sim_runtime import SimRuntime, SimulatedHang
from hydra.runtime.thread_runtime import ThreadRuntime
from messages.journal import WriteEntry
from messages.lifecycle import Replied
from messages.message import Message
from supervisors.strategies import Intensity, OnExceeded, Strategy, Supervision
from supervisors.supervisor import Supervisor

ROOT = Ref[Any]("/root")
KEEPER = Ref[Any]("/root/core/keeper")
SENDER = Ref[Any]("/root/core/sender")
STUCK = Ref[Any]("/root/bots/stuck")
FRAIL = Ref[Any]("/root/bots/frail")
JOURNAL = Ref[WriteEntry]("/root/core/journal")
PATHS = ["/root", "/root/core", *(f"/root/core/{name}" for name in ("journal", "keeper", "sender"))]
PATHS += ["/root/bots", "/root/bots/stuck", "/root/bots/frail"]

STUCK_BOUND = 50

UNHURRIED = Limits(cpu_share=1.0)
"""For tests that ask more in a second than anybody should."""


class Note(Message, frozen=True, kw_only=True):
    """Something to remember."""

    text: str = ""


class Pass(Message, frozen=True, kw_only=True):
    """To be passed on as a note, under the name of an order."""

    order: str


class Question(Message, frozen=True, kw_only=True):
    """To be asked of the one that is stuck."""


class Hang(Message, frozen=True, kw_only=True):
    """Do not return from the handler before the engine's `release` is set."""


class Crash(Message, frozen=True, kw_only=True):
    """Raise."""


class Keeper(Actor[Note | Question]):
    """Keeps what it is told, and answers questions."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    def receive(self, message: Note | Question, ctx: Context) -> None:
        if isinstance(message, Question):
            ctx.reply(Note(text=f"{len(self._notes)} notes"))
        else:
            self._notes.append(message.text)

    def state_view(self) -> Mapping[str, object]:
        return {"notes": tuple(self._notes)}


class Sender(Actor[Pass | Question | Replied]):
    """Passes on, asks, watches, and has a timer."""

    def start(self, ctx: Context) -> None:
        ctx.every(10 * MINUTE, Question(), key="every ten minutes")
        ctx.watch(KEEPER)
        ctx.subscribe("prices")

    def receive(self, message: Pass | Question | Replied, ctx: Context) -> None:
        match message:
            case Pass():
                ctx.tell(KEEPER, Note(text=message.order), corr=message.order)
            case Question():
                ctx.ask(STUCK, Note(), within=MINUTE, tag="are you there")
            case Replied():
                pass


class Stuck(Actor[Hang | Note]):
    """Hangs when told to. `shown` is called whenever its state is shown."""

    def __init__(self, hang: Callable[[], None], shown: Callable[[], None]) -> None:
        self._hang = hang
        self._shown = shown
        self._notes = 0

    def receive(self, message: Hang | Note, ctx: Context) -> None:
        if isinstance(message, Hang):
            self._hang()
        else:
            self._notes += 1

    def state_view(self) -> Mapping[str, object]:
        self._shown()
        return {"notes": self._notes}


class Frail(Actor[Crash]):
    """Raises when told to."""

    def receive(self, message: Crash, ctx: Context) -> None:
        raise ValueError("told to crash")


class Journal(Actor[WriteEntry]):
    """Keeps what is written."""

    def __init__(self, entries: list[WriteEntry]) -> None:
        self._entries = entries

    def receive(self, message: WriteEntry, ctx: Context) -> None:
        self._entries.append(message)


def tree(
    hang: Callable[[], None], shown: Callable[[], None], entries: list[WriteEntry]
) -> ChildSpec:
    policy = Supervision(
        strategy=Strategy.ONE_FOR_ONE,
        intensity=(Intensity(3, MINUTE),),
        on_exceeded=OnExceeded.QUARANTINE,
    )

    def supervisor(name: str, *children: ChildSpec) -> ChildSpec:
        return ChildSpec(name=name, actor=Supervisor, args={"children": children, "policy": policy})

    return supervisor(
        "root",
        supervisor(
            "core",
            ChildSpec(name="journal", actor=Journal, args={"entries": entries}),
            ChildSpec(name="keeper", actor=Keeper),
            ChildSpec(name="sender", actor=Sender),
        ),
        supervisor(
            "bots",
            ChildSpec(
                name="stuck",
                actor=Stuck,
                args={"hang": hang, "shown": shown},
                mailbox=MailboxSpec(bound=STUCK_BOUND),
                hang_after=100 * SECOND,
            ),
            ChildSpec(name="frail", actor=Frail),
        ),
    )


class Sim:
    """The small engine, simulated. What its journal got is in `entries`."""

    def __init__(self, *, trace: bool = True) -> None:
        self.entries: list[WriteEntry] = []
        self.runtime = SimRuntime(journal=JOURNAL, trace=trace)
        self.runtime.start_root(tree(_hang_simulated, lambda: None, self.entries))
        self.runtime.settle()

    def tell(self, ref: Ref[Any], *messages: Message) -> None:
        for message in messages:
            self.runtime.tell(ref, message)
        self.runtime.settle()


def _hang_simulated() -> None:
    raise SimulatedHang


class Live:
    """The small engine on threads, with a debug server."""

    def __init__(self, runtime: ThreadRuntime, server: DebugServer, path: Path) -> None:
        self.runtime = runtime
        self.server = server
        self.path = path
        self.hangs = threading.Event()
        self.release = threading.Event()
        self.entries: list[WriteEntry] = []
        self.times_shown = 0
        self.hangs_when_shown = False

    def hang(self) -> None:
        self.hangs.set()
        self.release.wait()

    def shown(self) -> None:
        self.times_shown += 1
        if self.hangs_when_shown:
            self.hang()

    def make_it_hang(self) -> None:
        """One actor hangs and its mailbox is full."""
        self.runtime.tell(STUCK, Hang())
        assert self.hangs.wait(3)
        for number in range(STUCK_BOUND + 5):
            self.runtime.tell(STUCK, Note(text=str(number)))


@contextmanager
def live(folder: Path, limits: Limits = UNHURRIED, user: int | None = None) -> Iterator[Live]:
    path = folder / "debug.sock"
    runtime = ThreadRuntime(journal=JOURNAL)
    server = DebugServer(runtime, path, limits=limits, user=user)
    engine = Live(runtime, server, path)
    try:
        assert runtime.start_and_wait(tree(engine.hang, engine.shown, engine.entries), within=3)
        server.open()
        yield engine
    finally:
        engine.release.set()
        server.close()
        runtime.stop_tree("the test is over", within=3)
        runtime.close()


def rows_by_path(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["path"]: row for row in data["rows"]}
