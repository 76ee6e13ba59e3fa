"""What the ledger has and the journal has not told comes into the story, and nothing twice."""

from decimal import Decimal

from hydra.ops.artefacts.story import Line, as_line, of_events, said
from hydra.store.events import (
    AccountOpened,
    CashAdjusted,
    HaltCleared,
    HaltLatched,
    JournalMarked,
    LedgerEvent,
    OrderAttempted,
    OrderIntended,
    PositionAssigned,
)
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from tests.store.orders import AT, approved, filled

CAUSE = Cause(
    code="feed_silent",
    cause_class=CauseClass.LIMIT,
    state=TradingState.HALTED,
    since=AT,
    detail="17 s",
)
LATCHED, CLEARED = HaltLatched(cause=CAUSE), HaltCleared(code="feed_silent", reason="back")


def told(*events: LedgerEvent, known: tuple[Line, ...] = ()) -> list[str]:
    """Which events come into a story of which these lines are known."""
    dated = [(seq, AT, event) for seq, event in enumerate(events, 5)]
    return [line["event"] for line in of_events(dated, known)]


def test_an_order_that_nobody_told_of_is_told_whole() -> None:
    order = approved()
    events: list[LedgerEvent] = [
        OrderIntended(intent=order.intent, order=order.order),
        OrderAttempted(client_order_id=order.order.client_order_id),
        filled(order.order, "10"),
    ]

    dated = [(seq, AT, event) for seq, event in enumerate(events)]
    approval, stored, report = of_events(dated, ())

    assert (approval["event"], approval["client_order_id"]) == (
        "order_approved",
        order.order.client_order_id,
    )
    assert stored["order"]["quantity"] == "10"
    assert report["decision"]["bot"] == "momentum"
    assert {line["source"] for line in (approval, stored, report)} == {"ledger"}
    assert list(of_events(dated, (approval, stored, report))) == []


def test_a_halt_that_came_twice_and_was_told_once_is_told_once_more() -> None:
    line = as_line(AT, said("halt_latched", cause=CAUSE))
    cleared = as_line(AT + 1, said("halt_cleared", code="feed_silent", reason="back"))

    assert told(LATCHED, CLEARED, known=(line, cleared)) == []
    assert told(LATCHED, CLEARED, LATCHED, known=(line, cleared)) == ["halt_latched"]
    assert told(LATCHED, CLEARED, known=(line,)) == ["halt_cleared"]


def test_what_only_the_ledger_knows_is_told() -> None:
    adjusted = CashAdjusted(amount=Decimal(-3), reason="fee", operator="me")
    assigned = PositionAssigned(
        bot="momentum",
        symbol="AAPL",
        quantity=Decimal(2),
        price=Decimal(100),
        reason="mine",
        operator="me",
    )

    events = told(AccountOpened(cash=Decimal(9)), adjusted, adjusted, assigned)

    assert events == ["account_opened", "cash_adjusted", "cash_adjusted", "position_assigned"]


def test_what_is_no_part_of_the_story_is_not_told() -> None:
    assert told(JournalMarked(seq=1)) == []
