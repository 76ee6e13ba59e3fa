"""A small engine with a control socket: real threads and sockets, and actors that say what they are
told to say in the place of the guardian and the others.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from hydra.actor import SECOND, Actor, ChildSpec, Context
from hydra.ops.control.account import ReadAccount
from hydra.ops.control.facts import EngineFacts
from hydra.ops.control.halting import MarkHalt
from hydra.ops.control.server import ControlServer
from hydra.ops.debug.server import CommandServer, DebugServer
from hydra.ops.debug.session import Limits
from hydra.runtime.runtime import Runtime
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.engine_files import EngineFiles
from hydra.trading.clearing import ClearingPolicy
from hydra.trading.differences import Difference
from hydra.trading.sessions import SessionTable
from hydra.trading.trading_state import Cause
from messages.control import (
    Flatten,
    FlattenReported,
    GateTripped,
    ReportFlatten,
    ReportTradingState,
    Resume,
    ResumeNoted,
    TradingStateReported,
    WithdrawFlatten,
)
from messages.journal import WriteEntry
from messages.message import Message
from messages.reconciliation import (
    DifferenceSettled,
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SettleDifference,
    SettlementRefused,
)
from supervisors import paths
from supervisors.strategies import Intensity, OnExceeded, Strategy, Supervision
from supervisors.supervisor import Supervisor

UNHURRIED = Limits(cpu_share=1.0)
"""For tests that ask more in a second than anybody should."""

FACTS = EngineFacts(
    mode="embedded",
    venue="embedded",
    account="PA-TEST",
    sessions=SessionTable(()),
    clearing=ClearingPolicy(
        operator_only=False,
        limit_resumes_itself=True,
        cool_off_ns=600 * SECOND,
        exit_bot_cool_off_ns=300 * SECOND,
    ),
    configuration="digest",
)


class Hang(Message, frozen=True, kw_only=True):
    """Do not return from the handler before the engine's `release` is set."""


class Told:
    """What the actors of an engine have been told, and what they are to answer."""

    def __init__(self) -> None:
        self.lines: list[WriteEntry] = []
        self.resumes: list[Resume] = []
        self.flattens: list[Flatten] = []
        self.withdrawals: list[WithdrawFlatten] = []
        self.steps: list[FlattenReported] = []
        """What is reported of a flatten, one after the other; the last one stays."""
        self.records_halts = True
        self.scoped: tuple[Cause, ...] = ()
        """Causes that the guardian holds against a bot or a symbol only."""
        self.refused: tuple[str, ...] = ()
        self.clears_what_is_noted = True
        self.differences = DifferencesReported(at=0, differences=(), checked=True)
        self.compares = True
        self.compared: list[ReconcileNow] = []
        self.settled: list[SettleDifference] = []
        self.settlement: DifferenceSettled | SettlementRefused | None = None
        self.shown: dict[str, Mapping[str, Any]] = {}
        """What each actor shows of itself, by its name."""
        self.hanging = threading.Semaphore(0)
        self.release = threading.Event()

    def hang(self) -> None:
        self.hanging.release()
        self.release.wait()


class Scripted(Actor[Any]):
    """Shows what it is to show, and hangs when told to."""

    def __init__(self, told: Told, name: str) -> None:
        self.told = told
        self._name = name

    def receive(self, message: Any, ctx: Context) -> None:
        if isinstance(message, Hang):
            self.told.hang()
        else:
            self.heard(message, ctx)

    def heard(self, message: Any, ctx: Context) -> None:
        """Any other message."""

    def state_view(self) -> Mapping[str, object]:
        return self.told.shown.get(self._name, {})


class Journal(Scripted):
    def heard(self, message: WriteEntry, ctx: Context) -> None:
        self.told.lines.append(message)


class Guardian(Scripted):
    """Takes every trip for one that is on record, if it is to."""

    def __init__(self, told: Told, name: str, runtime: Runtime) -> None:
        super().__init__(told, name)
        self._gate = runtime.gate
        self._durable: list[str] = []
        self._noted: tuple[str, ...] = ()

    def heard(self, message: Any, ctx: Context) -> None:
        match message:
            case GateTripped():
                if self.told.records_halts and message.cause.code not in self._durable:
                    self._durable.append(message.cause.code)
            case ReportTradingState():
                ctx.reply(self._report())
            case Resume():
                self.told.resumes.append(message)
                self._noted = tuple(
                    cause.code
                    for cause in self._gate.standing()
                    if not message.codes or cause.code in message.codes
                )
                ctx.reply(ResumeNoted(noted=self._noted, refused=self.told.refused))
                if self.told.clears_what_is_noted:
                    left = [c for c in self._gate.standing() if c.code not in self._noted]
                    self._gate.arm(tuple(left), "a test", self._gate.epoch)
                    self._noted = ()
            case _:
                raise AssertionError(f"not for the guardian: {message}")

    def _report(self) -> TradingStateReported:
        return TradingStateReported(
            state=self._gate.state,
            causes=(*self._gate.standing(), *self.told.scoped),
            durable=tuple(self._durable),
            noted=self._noted,
            epoch=self._gate.epoch,
        )


class Flattener(Scripted):
    def heard(self, message: Flatten | WithdrawFlatten | ReportFlatten, ctx: Context) -> None:
        if isinstance(message, Flatten):
            self.told.flattens.append(message)
        elif isinstance(message, WithdrawFlatten):
            self.told.withdrawals.append(message)
        steps = self.told.steps
        ctx.reply(steps.pop(0) if len(steps) > 1 else steps[0])


class Gateway(Scripted):
    def heard(self, message: Any, ctx: Context) -> None:
        match message:
            case ReportDifferences():
                ctx.reply(self.told.differences)
            case ReconcileNow():
                self.told.compared.append(message)
                at = self.told.differences.at + self.told.compares
                self.told.differences = msgspec.structs.replace(self.told.differences, at=at)
            case _:
                raise AssertionError(f"not for the gateway: {message}")


class Persister(Scripted):
    def heard(self, message: SettleDifference, ctx: Context) -> None:
        self.told.settled.append(message)
        assert self.told.settlement is not None
        ctx.reply(self.told.settlement)


def tree(told: Told, runtime: Runtime, bots: tuple[str, ...]) -> ChildSpec:
    """Everybody at the addresses of the real ones."""
    policy = Supervision(
        strategy=Strategy.ONE_FOR_ONE,
        intensity=(Intensity(3, 60 * SECOND),),
        on_exceeded=OnExceeded.QUARANTINE,
    )

    def supervisor(name: str, *children: ChildSpec) -> ChildSpec:
        return ChildSpec(name=name, actor=Supervisor, args={"children": children, "policy": policy})

    def actor(kind: type[Scripted], name: str, **more: Any) -> ChildSpec:
        args = {"told": told, "name": name, **more}
        return ChildSpec(name=name, actor=kind, args=args, hang_after=100 * SECOND)

    return supervisor(
        paths.ROOT.name,
        supervisor(
            paths.CORE.name,
            actor(Persister, paths.STATE_PERSISTER.name),
            actor(Journal, paths.JOURNAL_WRITER.name),
            actor(Guardian, paths.RISK_GUARDIAN.name, runtime=runtime),
            actor(Gateway, paths.BROKER_GATEWAY.name),
            actor(Flattener, paths.FLATTENER.name),
            actor(Scripted, paths.DATA_FEED.name),
            actor(Scripted, paths.HEALTH_MONITOR.name),
        ),
        supervisor(paths.BOTS.name, *(actor(Scripted, bot) for bot in bots)),
        supervisor(
            paths.OPS.name,
            actor(Scripted, paths.EXECUTION_MONITOR.name),
            actor(Scripted, paths.ACTION_WATCH.name),
        ),
    )


class ControlledEngine:
    """The engine, with both of its sockets open."""

    def __init__(self, runtime: ThreadRuntime, files: EngineFiles, told: Told) -> None:
        self.runtime = runtime
        self.gate = runtime.gate
        self.files = files
        self.told = told

    def open_gate(self) -> None:
        self.gate.arm((), "a test", self.gate.epoch)

    def make_everybody_hang(self) -> None:
        """But for the journal writer, which keeps what is asserted."""
        hanging = [
            cell
            for cell in self.runtime.cells.values()
            if isinstance(cell.actor, Scripted) and not isinstance(cell.actor, Journal)
        ]
        for cell in hanging:
            self.runtime.tell(cell.ref, Hang())
        assert all(self.told.hanging.acquire(timeout=3) for _ in hanging)

    def lines(self, event: str) -> list[Mapping[str, object]]:
        """The fields of what the journal was told under this name."""
        assert self.runtime.settle(within=3)
        return [line.fields for line in self.told.lines if line.event == event]


def files_in(folder: Path) -> EngineFiles:
    """As `--state-dir FOLDER/state --log-dir FOLDER/logs` means them."""
    return EngineFiles.under(folder / "state", folder / "logs", "trading_state.db", "app.jsonl")


@contextmanager
def controlled(
    folder: Path,
    *,
    bots: tuple[str, ...] = (),
    differences: tuple[Difference, ...] = (),
    limits: Limits = UNHURRIED,
    user: int | None = None,
    mark_halt: MarkHalt | None = None,
    control: bool = True,
    read_account: ReadAccount | None = None,
) -> Iterator[ControlledEngine]:
    """Such an engine, for as long as the block lasts. `control`: whether that socket is open."""
    told = Told()
    told.differences = DifferencesReported(at=1, differences=differences, checked=True)
    files = files_in(folder)
    runtime = ThreadRuntime(journal=paths.JOURNAL_WRITER, pool_threads=12)
    voice = runtime.outside("gate")

    def tripped(cause: Cause, epoch: int) -> None:
        voice.tell(paths.RISK_GUARDIAN, GateTripped(cause=cause, epoch=epoch))

    runtime.gate.on_trip(tripped)
    servers: list[CommandServer] = [
        DebugServer(runtime, files.debug_socket, limits=limits, user=user)
    ]
    if control:
        servers.append(
            ControlServer(
                runtime,
                files.control_socket,
                FACTS,
                mark_halt=mark_halt,
                read_account=read_account,
                limits=limits,
                user=user,
            )
        )
    try:
        assert runtime.start_and_wait(tree(told, runtime, bots), within=3)
        for server in servers:
            server.open()
        yield ControlledEngine(runtime, files, told)
    finally:
        told.release.set()
        for server in servers:
            server.close()
        runtime.stop_tree("the test is over", within=3)
        runtime.close()
