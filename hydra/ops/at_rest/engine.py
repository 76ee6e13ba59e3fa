"""An engine that nobody else runs, without bots: for what an operator wants done all the same.

It is the engine itself, on its record and its account, on threads and over the adapter as in every
run, so that there is one way to flatten and one to decide about a difference. Two parts are left
out: the bots, who want things, and the health monitor, on whose word alone trading is opened. So
the gate, which starts shut, stays shut, and nothing passes it but cancels and what an operator's
flatten closes.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import structs

from hydra.actor import SECOND, ChildSpec
from hydra.assembly import Tree
from hydra.ops.at_rest.account import AccountAtRest, Reached
from hydra.ops.broker_account import NoAccount
from hydra.ops.control.asking import answered
from hydra.ops.control.commands import ANSWER_WITHIN, control_table
from hydra.ops.debug.asking import Caller
from hydra.ops.debug.client import CommandFailed
from hydra.ops.debug.describing import Refused
from hydra.ops.ending import LastResort
from hydra.ops.session import RunOptions, Session, close_gate
from hydra.ops.watching import halt_for_good
from hydra.plugins import at_rest
from hydra.runtime.clock import machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.settings import Settings
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord
from hydra.terms import clearing_policy
from hydra.trading.orders import Fill, Role
from messages.positions import BookRecovered, RecoverBook
from messages.reconciliation import DifferencesReported, ReportDifferences
from supervisors import paths
from supervisors.bots import bots

START_WITHIN_S = 10.0
COMPARED_WITHIN = 15 * SECOND
"""What differs is read three times, a second apart, once the account can be heard."""
LOOK_EVERY_S = 0.02
DRAIN_WITHIN_S = 0.2
STOP_WITHIN_S = 4.5
MARKET_CLOSES_WITHIN_S = 1.0


class FailedClosed(Exception):
    """The engine could not go on and shut itself: what it was asked to do is not done."""


@contextmanager
def engine_at_rest(
    files: EngineFiles, settings: Settings, account: AccountAtRest, by: str, command: str
) -> Iterator["EngineAtRest"]:
    """The engine of these files, under its lock, for as long as the block lasts.

    `by` is who asks, for the record, and `command` the verb that he said. When the block begins,
    record and account have been compared, if the account could be read, and the market goes on.

    Raises what `EngineRecord.open` and `AccountAtRest.reach` raise, and `FailedClosed`. Whatever
    ends the block in any other way than in order, or by a `CommandFailed`, is on record as an
    unclean end.
    """
    record = EngineRecord.open(
        files, account.owner, account.redactor, goes_on=lambda _: True, command=command
    )
    try:
        with account.reach(record) as reached:
            engine = EngineAtRest(files, settings, record, reached, by)
            try:
                engine.start()
                try:
                    yield engine
                except CommandFailed:
                    engine.stop()
                    raise
                engine.stop()
            finally:
                engine.close()
    except NoAccount as refused:  # nothing was started; but what was wrong before still is
        if not record.ended_unclean:
            record.end(str(refused), account.owner.at)
        raise
    finally:
        record.close()


class EngineAtRest:
    """Answers what a running one answers over its control socket. Use `engine_at_rest`."""

    def __init__(
        self,
        files: EngineFiles,
        settings: Settings,
        record: EngineRecord,
        reached: Reached,
        by: str,
    ) -> None:
        self._record = record
        self._market = reached.market
        self._executed_before = _executions_in(record.ledger.book(None))
        self._over = threading.Event()
        self._runtime = ThreadRuntime(
            journal=paths.JOURNAL_WRITER, market_clock=reached.market.clock
        )
        self._caller = Caller(by)
        self._session = Session(
            at_rest(settings),
            files,
            RunOptions(seed=0, speed=None, dry_run=False),
            record,
            reached.run,
            io.StringIO(),  # the command says what is to be said
            LastResort(),
        )
        self._commands = control_table(self._session.facts, record.halt_marker.halt)

    def start(self) -> None:
        """Have it run, and the market go on. Raises `FailedClosed`."""
        record, runtime = self._record, self._runtime
        tree = self._market.assemble(self._session, runtime, {})
        needs_person = clearing_policy(self._session.settings).operator_only
        unclean = record.after_unclean_end(needs_person=needs_person, at=self.at)
        if unclean is not None:
            runtime.gate.trip(unclean)
        for cause in (each for each in record.standing if each.is_global and each != unclean):
            runtime.gate.trip(cause)
        runtime.on_fail_closed(lambda reason: halt_for_good(record, runtime, "fail-closed", reason))
        runtime.start_watch()
        if not runtime.start_and_wait(_halted_by_construction(tree), within=START_WITHIN_S):
            self._require_going()
            raise FailedClosed(f"the actors did not start within {START_WITHIN_S:g} s")
        self._market.connect()
        until = machine_time() + COMPARED_WITHIN
        while not self._has_compared() and machine_time() < until:
            self.wait(LOOK_EVERY_S)
        self._market.open(self._finished)

    @property
    def at(self) -> int:
        """Market time now."""
        return self._runtime.market_time_at(self._runtime.now())

    @property
    def heading(self) -> str:
        """What has to be known of its account and market, for people."""
        return "; ".join(self._session.market.said_first)

    @property
    def is_market_over(self) -> bool:
        """Something is held, and nothing trades any more, so it cannot be closed."""
        return self._over.is_set() and bool(self.call("flatten-progress")["positions"])

    @property
    def closed(self) -> tuple[tuple[str, Fill], ...]:
        """What was executed since the start to close positions, each with whose it was."""
        book = self._book()
        of_a_flatten = {
            each.order.client_order_id: each.decision.bot
            for each in book.orders
            if each.decision.role is Role.FLATTEN
        }
        return tuple(
            (of_a_flatten[fill.client_order_id], fill)
            for fill in book.fills
            if fill.client_order_id in of_a_flatten
            if (fill.client_order_id, fill.execution_id) not in self._executed_before
        )

    def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """As `EngineClient.call`. Raises `CommandFailed` and `FailedClosed`."""
        with self._answering():
            told: dict[str, Any] = self._commands.execute(
                self._runtime, command, arguments, self._caller
            )
        return told

    def wait(self, seconds: float) -> None:
        """Let machine time pass, and with it the market's. Raises `FailedClosed`."""
        self._runtime.wait(seconds)
        self._require_going()

    def stop(self) -> None:
        """End it in order, and have that on record. Raises `FailedClosed`."""
        close_gate(self._runtime, "the command is done")
        drained = threading.Event()
        self._runtime.gate.when_drained(lambda _epoch: drained.set())
        drained.wait(DRAIN_WITHIN_S)
        self._market.close(MARKET_CLOSES_WITHIN_S)
        self._runtime.settle(within=1.0)
        stopped = self._runtime.stop_tree("the command is done", within=STOP_WITHIN_S)
        self._require_going()
        if not stopped:
            raise FailedClosed("the actors did not stop")
        by = self._caller.name
        self._record.end(f"it ran without bots, for one command of {by}", self.at)

    def close(self) -> None:
        """Give back what it has, however it ended. After `stop` there is little left to do."""
        self._market.close(MARKET_CLOSES_WITHIN_S)
        self._runtime.stop_tree("the command has ended", within=STOP_WITHIN_S)
        self._runtime.close()

    def _finished(self, failure: str | None) -> None:
        if failure is None:
            self._over.set()
        else:
            self._runtime.fail_closed(failure)

    def _has_compared(self) -> bool:
        """A comparison with the venue has ended, so that there is something to decide about."""
        # No answer: it is being started anew.
        report = self._runtime.answer_to(paths.BROKER_GATEWAY, ReportDifferences(), within=1.0)
        return isinstance(report, DifferencesReported) and report.at > 0

    def _book(self) -> BookRecovered:
        """Asked of the ledger's owner: nobody else may use it while the engine runs."""
        with self._answering():
            return answered(
                self._runtime,
                paths.STATE_PERSISTER,
                RecoverBook(),
                BookRecovered,
                ANSWER_WITHIN,
                self._caller,
            )

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """An engine that fails closed refuses as well; then that is what is to be told."""
        try:
            yield
        except Refused as refused:
            self._require_going()
            raise CommandFailed(str(refused)) from refused
        self._require_going()

    def _require_going(self) -> None:
        if self._runtime.failed_closed is not None:
            raise FailedClosed(self._runtime.failed_closed)


def _executions_in(book: BookRecovered) -> frozenset[tuple[str, str]]:
    return frozenset((fill.client_order_id, fill.execution_id) for fill in book.fills)


def _halted_by_construction(engine: Tree) -> ChildSpec:
    """The whole tree, but nobody who wants a trade, and nobody who says that one may be made."""
    core, _, ops = engine.tree.args["children"]
    children = tuple(
        child for child in core.args["children"] if child.name != paths.HEALTH_MONITOR.name
    )
    core = structs.replace(core, args={**core.args, "children": children})
    args = {**engine.tree.args, "children": (core, bots(()), ops)}
    return structs.replace(engine.tree, args=args)
