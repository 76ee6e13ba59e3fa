"""Some sessions in the life of a ledger, and what a later one must find of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path

import apsw
import pytest

from hydra.ports import LedgerMark
from hydra.store.ledger import Ledger, LedgerFailed
from hydra.testkit.disk.failing import Disk, Fault, disk_in_use
from hydra.testkit.disk.log import Acknowledged, DiskLog
from hydra.trading.differences import DifferenceKind
from hydra.trading.orders import OrderType, TimeInForce
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.orders import OrderAccepted
from tests.store.orders import AT, approved, decision, filled

LEDGER = "ledger.db"
CHECKPOINT_PAGES = 32
"""So few that SQLite moves its log into the database within every session."""
NEVER = 0
"""Only at the end of a session."""


@dataclass
class Life:
    """What was durable when: for each commit its chain and the state after it."""

    marks: list[LedgerMark] = field(default_factory=list)
    states: dict[int, str] = field(default_factory=dict)

    def remember(self, ledger: Ledger) -> LedgerMark:
        """A commit has returned: from here on it must survive."""
        mark = ledger.mark
        self.marks.append(mark)
        self.states[mark.seq] = ledger.state_hash()
        return mark

    def require_part_of_it(self, ledger: Ledger, acknowledged: int) -> None:
        """The ledger holds whole commits of this life, and all that were acknowledged."""
        mark = ledger.mark
        assert mark in self.marks, "what is there was never durable at any one time"
        assert mark.seq >= acknowledged, f"{acknowledged - mark.seq} acknowledged events are lost"
        assert ledger.state_hash() == self.states[mark.seq]


def work(ledger: Ledger, day: int, rounds: int, committed: Callable[[], object]) -> None:
    """Trade for some rounds: orders, fills, halts, budgets, values, each in commits of its own.

    `day` makes it different from the other sessions' work.
    """
    session = f"2024-01-{day:02}"
    ledger.grant_budget("momentum", session, Decimal(10_000), AT)
    committed_after(ledger, committed)
    for number in range(1, rounds + 1):
        one = approved(decision(signal=number, session=session))
        limit = approved(
            decision(signal=number, session=session, bot="reversal", symbol="MSFT"),
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            limit_price=Decimal("410.05"),
        )
        name = one.order.client_order_id
        ledger.record_intent(one, AT)
        committed_after(ledger, committed)

        accepted = OrderAccepted(client_order_id=name, venue_order_id=f"venue-{name}", at=AT)
        ledger.record_report(accepted, AT)
        ledger.record_intent(limit, AT)
        committed_after(ledger, committed)

        ledger.record_report(filled(one.order, "4", f"{name}-1"), AT)
        ledger.record_report(filled(one.order, "6", f"{name}-2"), AT)
        ledger.record_report(filled(limit.order, "2", f"{name}-3"), AT)
        committed_after(ledger, committed)

        ledger.latch_halt(_silence(number), AT)
        ledger.put("watermark", f"{session} {number}", AT)
        ledger.mark_journal(day * 1_000 + number, AT)
        committed_after(ledger, committed)

        ledger.clear_halt("feed_silent", "the feed speaks again", AT)
        _decide(ledger, f"{session} {number}")
        committed_after(ledger, committed)


def committed_after(ledger: Ledger, committed: Callable[[], object]) -> None:
    """Commit, and tell so."""
    ledger.commit()
    committed()


def live(
    folder: Path,
    *,
    sessions: int,
    rounds: int,
    committed: Callable[[Ledger], object],
    first_day: int = 1,
    checkpoint_pages: int = CHECKPOINT_PAGES,
    prepare: Callable[[apsw.Connection], object] = lambda _: None,
) -> None:
    """Open, work, close, so many times; `committed` is told whenever a commit has returned.

    What fails is raised, after everything was closed as the end of a process closes it.
    """
    with opened_connections() as connections:
        try:
            for day in range(first_day, first_day + sessions):
                ledger = Ledger.open(folder / LEDGER, venue="paper", at=AT)
                connections[-1].wal_autocheckpoint(checkpoint_pages)
                prepare(connections[-1])
                committed(ledger)
                try:
                    work(ledger, day, rounds, partial(committed, ledger))
                except LedgerFailed:
                    require_final(ledger)
                    raise
                ledger.close()
        finally:
            for connection in connections:
                connection.close(True)


def recorded_life(
    root: Path,
    *,
    sessions: int = 2,
    rounds: int = 3,
    first_day: int = 1,
    checkpoint_pages: int = CHECKPOINT_PAGES,
    prepare: Callable[[apsw.Connection], object] = lambda _: None,
) -> tuple[Life, DiskLog]:
    """Live it: what was durable when, and all that the disk was asked to do for it.

    The log ends with the last acknowledgement: nobody closed the last session.
    """
    life = Life()
    log = DiskLog(root)

    def committed(ledger: Ledger) -> None:
        log.acknowledge(life.remember(ledger).seq)

    with disk_in_use(log):
        live(
            log.root,
            sessions=sessions,
            rounds=rounds,
            committed=committed,
            first_day=first_day,
            checkpoint_pages=checkpoint_pages,
            prepare=prepare,
        )
    while not isinstance(log.entries[-1], Acknowledged):
        del log.entries[-1]
    return life, log


def require_final(ledger: Ledger) -> None:
    """After a failure it answers nothing but that it failed."""
    for use in _USES:
        with pytest.raises(LedgerFailed, match="failed before"):
            use(ledger)


def all_it_says(ledger: Ledger) -> tuple[object, ...]:
    """Whatever the engine could ask it."""
    orders = ledger.orders()
    return (
        ledger.mark,
        ledger.state_hash(),
        orders,
        ledger.open_orders(),
        ledger.fills(),
        ledger.book(None),
        ledger.inventories(),
        ledger.sub_ledgers(),
        ledger.halts(),
        ledger.exclusions(),
        ledger.get("watermark"),
        ledger.journal_seq,
        [ledger.chain_at(seq) for seq in range(ledger.mark.seq + 2)],
        [ledger.decision_of(record.state.order.client_order_id) for record in orders],
        [
            ledger.guardian_record(session)
            for session in sorted({record.intent.decision.session for record in orders})
        ],
    )


@contextmanager
def opened_connections() -> Iterator[list[apsw.Connection]]:
    """Every connection that is opened from here on."""
    opened: list[apsw.Connection] = []
    apsw.connection_hooks.append(opened.append)
    try:
        yield opened
    finally:
        apsw.connection_hooks.remove(opened.append)


def reopened(disk: Disk, folder: Path, fault: Fault | None = None) -> Ledger:
    """Go on with what lies in the folder, on a disk that is healthy but, while it is opened, for
    the fault. The disk's log begins anew.
    """
    disk.log = DiskLog.of(folder)
    disk.fail(fault)
    ledger = Ledger.open(disk.log.root / LEDGER, venue="paper", at=AT)
    disk.heal()
    assert disk.calls["xOpen"], "the ledger was opened on another disk"
    return ledger


_USES: tuple[Callable[[Ledger], object], ...] = (
    lambda ledger: ledger.put("key", "value", AT),
    lambda ledger: ledger.commit(),
    lambda ledger: ledger.orders(),
    lambda ledger: ledger.state_hash(),
    lambda ledger: ledger.chain_at(1),
)


def _decide(ledger: Ledger, subject: str) -> None:
    """An operator's acts, each of another table's rows."""
    by = {"reason": "seen at the venue", "operator": "pat"}
    ledger.assign_position("reversal", "MSFT", Decimal(-2), price=Decimal("410.05"), **by, at=AT)
    ledger.adjust_cash(Decimal("-0.01"), **by, at=AT)
    ledger.exclude_difference(DifferenceKind.FOREIGN_ORDER, subject, None, **by, at=AT)


def _silence(number: int) -> Cause:
    return Cause(
        code="feed_silent",
        cause_class=CauseClass.INTEGRITY,
        state=TradingState.CLOSE_ONLY,
        since=AT + number,
        detail="no quote for 17 s",
    )
