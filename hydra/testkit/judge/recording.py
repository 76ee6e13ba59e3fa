"""What the record says that is not so, and what it has lost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from hydra.store.engine_files import EngineFiles
from hydra.store.events import HaltLatched
from hydra.testkit.judge.case import Case, Violation, Violations
from hydra.testkit.judge.evidence import Life, carried_in
from hydra.trading.causes import (
    ABSENT_ORDER_LIVES,
    IMPOSSIBLE_ORDER,
    RECONCILIATION,
    UNKNOWN_OUTCOME,
)
from hydra.trading.exact import add
from hydra.trading.order_life import OrderStatus
from hydra.trading.trading_state import CauseClass


def no_invented_execution(case: Case) -> Violations:
    """Every fill on record is one of the venue's, and counts once."""
    counted = Counter((fill.client_order_id, fill.execution_id) for fill in case.life.fills)
    for (name, execution_id), count in counted.items():
        if count > 1:
            yield Violation("I23", f"execution {execution_id} of {name} is counted {count} times")
    executions = set() if case.at_venue is None else set(case.at_venue.fills)
    for fill in case.life.fills:
        if fill not in executions:
            yield Violation("I61", f"the venue has no such execution as on record: {fill}")


def no_missing_execution(case: Case) -> Violations:
    """What the venue had executed when they were last compared is on record.

    But for what is beyond an order's quantity, or of an order that was rejected: that is no fill,
    but a halt, and for a person (I23).
    """
    if case.played is None or not case.life.runs:
        return
    compared = [line for line in case.life.runs[-1].lines or () if line.event == "reconciled"]
    at = max((line.at for line in compared if line.fields["is_clean"] is True), default=0)
    on_record = set(case.life.fills)
    impossible = _impossible(case) if _says_that_it_differs(case.life) else frozenset()
    for fill, told_at in zip(case.played.snapshot.fills, case.played.told_at, strict=True):
        is_ours = fill.client_order_id in case.life.orders
        if fill in on_record or fill.client_order_id in impossible:
            continue
        if is_ours and (case.is_settled or told_at < at):
            yield Violation("I23 I52", f"an execution is not on record: {fill}")


def the_same_account(case: Case) -> Violations:
    """At the end, what is held, the cash, and what became of each order, are the venue's own."""
    if not case.is_settled or case.at_venue is None or _says_that_it_differs(case.life):
        return
    venue = case.at_venue
    held = {position.symbol: position.quantity for position in venue.positions}
    if case.life.positions != held:
        yield Violation("I23 I60", f"positions are {held}, on record {case.life.positions}")
    if case.life.cash != venue.account.cash:
        yield Violation("I60", f"cash is {venue.account.cash}, on record {case.life.cash}")
    at_venue = {each.order.client_order_id: each.status for each in venue.orders}
    for name, known in case.life.orders.items():
        there = at_venue.get(name)
        if there is not None and there is not known.status:
            yield Violation("I19 I22", f"{name} is {there.words}, on record {known.status.words}")
        was_refused = known.status is OrderStatus.REJECTED and name in case.refused
        if there is None and known.status not in _NOT_AT_THE_VENUE and not was_refused:
            yield Violation(
                "I14 I19", f"{name} never came to the venue, and on record is {known.status.words}"
            )


def no_acknowledged_halt_lost(case: Case) -> Violations:
    """A halt that was said to be on record is in the ledger."""
    latched = {r.event.cause.code for r in case.life.events if isinstance(r.event, HaltLatched)}
    for run in case.life.runs:
        for line in run.lines or ():
            code = line.fields.get("code")
            if line.event == "halt_recorded" and code not in latched:
                yield Violation("I02", f"{code} was said to be on record, and is not")


def no_unclean_end_unnoticed(case: Case) -> Violations:
    """Each start knows how the run before it ended."""
    for before, run in pairwise(case.life.runs):
        if run.after_unclean_end is before.ended_in_order:
            found = "as if it had not" if before.ended_in_order else "as if it had"
            yield Violation("I03", f"run {run.number} began {found} followed an orderly end")


def journal_is_whole(case: Case) -> Violations:
    """Else there is less to go by than it seems."""
    for finding in case.life.findings:
        yield Violation("I63", finding)


def lost_halts(lives: Sequence[Life], files: EngineFiles) -> Violations:
    """What stood when a life was over stands in the next one from its first run on.

    But for limits and cooldowns, which are about that account and last by its market's time.
    """
    pending: set[str] = set()
    for life in lives:
        if life.runs:
            began = life.runs[0].started.seq
            latched = {
                recorded.event.cause.code
                for recorded in life.events
                if recorded.seq < began and isinstance(recorded.event, HaltLatched)
            }
            for code in sorted(pending - latched):
                yield Violation("I02 I04", f"{code} stood before, and does not in {life.name}")
            pending.clear()
        pending.update(
            cause.code for cause in (*life.halts, *life.marked) if cause.cause_class not in _ITS_OWN
        )
    if lives and lives[-1].runs:
        return
    here = {cause.code for cause in carried_in(files)}
    here.update(cause.code for life in lives[-1:] for cause in (*life.halts, *life.marked))
    for code in sorted(pending - here):
        yield Violation("I02 I04", f"{code} stood before, and is nowhere now")


def _impossible(case: Case) -> frozenset[str]:
    """The orders of which the venue executed more than was ordered, or that it had rejected."""
    assert case.played is not None, "who asks has it"
    executed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in case.played.snapshot.fills:
        executed[fill.client_order_id] = add(executed[fill.client_order_id], fill.quantity)
    return frozenset(
        name
        for name, known in case.life.orders.items()
        if known.status is OrderStatus.REJECTED or executed.get(name, 0) > known.order.quantity
    )


def _says_that_it_differs(life: Life) -> bool:
    """It was found out and is for a person; the record is not made to agree by itself (I61)."""
    return any(cause.code in _DIFFERENCES for cause in life.halts)


_ITS_OWN = (CauseClass.LIMIT, CauseClass.COOLDOWN)
_NOT_AT_THE_VENUE = (
    OrderStatus.INTENDED,
    OrderStatus.WITHHELD,
    OrderStatus.UNKNOWN,
    OrderStatus.ABSENT,
)
_DIFFERENCES = tuple(
    kind.code for kind in (RECONCILIATION, IMPOSSIBLE_ORDER, ABSENT_ORDER_LIVES, UNKNOWN_OUTCOME)
)
