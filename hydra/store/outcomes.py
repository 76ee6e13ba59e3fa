"""What a report of an order adds to the record: how the order stands now, other words, or nothing.

Its caller has found the order, and commits.
"""

from hydra.ports import ReportRecorded
from hydra.store.event_log import EventLog
from hydra.store.events import FeeAccrued
from hydra.store.tables import FILLS, OrderRecord
from hydra.trading.fees import Fee, FeeSchedule, expected_fee
from hydra.trading.order_life import OrderState, after, is_rewording
from hydra.trading.orders import DecisionKey
from messages.order_events import event_of
from messages.orders import OrderFilled, Outcome


def record(
    events: EventLog, order: OrderRecord, report: Outcome, at: int, schedule: FeeSchedule
) -> ReportRecorded:
    """Append the report, if anything in it is not on record; with an execution goes its fee.

    Raises ImpossibleReport, and appends nothing, for what contradicts what is on record.
    """
    decision, before = order.intent.decision, order.state
    now = _state_after(events, before, report)
    if now == before:
        return ReportRecorded(decision=decision, duplicate=True)
    fee = _append(events, report, decision, at, schedule)
    return ReportRecorded(
        decision=decision, duplicate=False, fee=fee, is_rewording=is_rewording(before, now)
    )


def _state_after(events: EventLog, state: OrderState, report: Outcome) -> OrderState:
    counted = None
    if isinstance(report, OrderFilled):
        fill = report.fill
        counted = events.get(FILLS, fill.client_order_id, fill.execution_id)
    stored = None if counted is None else counted.fill
    return after(state, event_of(report), stored)


def _append(
    events: EventLog, report: Outcome, decision: DecisionKey, at: int, schedule: FeeSchedule
) -> Fee | None:
    """The report, and what an execution is taken to cost."""
    fee = None
    if isinstance(report, OrderFilled):
        fee = expected_fee(report.fill, decision.bot, schedule)
    events.append(report, at)
    if fee is not None:
        events.append(FeeAccrued(fee=fee), at)
    return fee
