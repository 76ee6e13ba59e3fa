"""What an operator decides about the record: with a reason and a name, and never as a trade."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hydra.store.connection import IN_MEMORY
from hydra.store.ledger import ContentChanged, Ledger, OpenedOtherwise
from hydra.store.operator_acts import ActRefused
from hydra.store.verification import verify_file
from hydra.trading.differences import DifferenceKind
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.order_life import OrderState, OrderStatus
from hydra.trading.orders import Side
from hydra.trading.sub_ledgers import UNATTRIBUTED, BotInventory, SessionCounters, SubLedger
from messages.orders import OrderApproved
from messages.positions import Exclusion
from tests.store.orders import AT, approved, decision, filled, opened

BY = {"reason": "seen at the venue", "operator": "pat"}
POSITION, FOREIGN = DifferenceKind.POSITION, DifferenceKind.FOREIGN_ORDER
APPROVED = approved()
BOUGHT_10 = filled(APPROVED.order, "10", price=Decimal("187.30"))


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
    yield ledger
    ledger.close()


def holding_10(ledger: Ledger) -> Ledger:
    ledger.record_intent(APPROVED, AT)
    ledger.record_report(BOUGHT_10, AT)
    return ledger


def assign(ledger: Ledger, quantity: str, price: str = "190", bot: str = "momentum") -> None:
    ledger.assign_position(bot, "AAPL", Decimal(quantity), price=Decimal(price), **BY, at=AT + 1)
    ledger.commit()


def lot(quantity: str, price: str, execution_id: str, at: int, side: Side = Side.BUY) -> Lot:
    return Lot(
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        opened_at=at,
        execution_id=execution_id,
    )


def test_the_account_opens_once_i60(ledger: Ledger) -> None:
    assert ledger.opening_cash is None

    ledger.open_account(Decimal("100000.00"), AT)
    mark = ledger.commit()
    ledger.open_account(Decimal(100_000), AT)

    assert ledger.opening_cash == Decimal("100000.00")
    assert ledger.commit() == mark
    with pytest.raises(OpenedOtherwise, match=r"opened with 100000\.00, .* opened with 99999;"):
        ledger.open_account(Decimal(99_999), AT)
    assert ledger.commit() == mark


@pytest.mark.parametrize("cash", ["NaN", "Infinity"])
def test_what_is_no_amount_opens_no_account(ledger: Ledger, cash: str) -> None:
    with pytest.raises(OpenedOtherwise):
        ledger.open_account(Decimal(cash), AT)

    assert ledger.opening_cash is None


def test_cash_that_is_accepted_belongs_to_no_bot_i61(ledger: Ledger) -> None:
    holding_10(ledger)

    ledger.adjust_cash(Decimal("-1.25"), **BY, at=AT)
    ledger.adjust_cash(Decimal("500.00"), **BY, at=AT)
    ledger.commit()

    assert ledger.sub_ledgers() == (
        SubLedger(bot="momentum", cash=Decimal("-1873.00")),
        SubLedger(bot=UNATTRIBUTED, cash=Decimal("498.75")),
    )
    assert ledger.fills() == (BOUGHT_10.fill,)


def test_an_assigned_position_is_held_and_paid_for_and_is_no_fill_i61(ledger: Ledger) -> None:
    holding_10(ledger)

    assign(ledger, "2.5")

    lots = (lot("10", "187.30", "execution-1", AT), lot("2.5", "190", "assigned:5", AT + 1))
    assert ledger.inventories() == (BotInventory("momentum", FifoInventory("AAPL", lots)),)
    assert ledger.sub_ledgers() == (
        SubLedger(bot="momentum", cash=Decimal("-2348.0")),
        SubLedger(bot=UNATTRIBUTED, cash=Decimal("475.0")),
    )
    assert ledger.fills() == (BOUGHT_10.fill,)
    assert ledger.counters("2024-01-02") == (
        SessionCounters(bot="momentum", session="2024-01-02", entries=1, fills=1),
    )


def test_an_assignment_against_the_position_closes_its_oldest_lots_i61(ledger: Ledger) -> None:
    holding_10(ledger)

    assign(ledger, "-12", "188.30")

    short = lot("2", "188.30", "assigned:5", AT + 1, Side.SELL)
    assert ledger.inventories() == (BotInventory("momentum", FifoInventory("AAPL", (short,))),)
    assert ledger.sub_ledgers() == (
        SubLedger(bot="momentum", cash=Decimal("386.60"), realised=Decimal("10.00")),
        SubLedger(bot=UNATTRIBUTED, cash=Decimal("-2259.60")),
    )


def test_what_a_bot_holds_by_assignment_it_sells_like_everything_else_i61(ledger: Ledger) -> None:
    assign(ledger, "10", "180")
    sold = approved(side=Side.SELL)
    ledger.record_intent(sold, AT)
    ledger.record_report(filled(sold.order, "10", price=Decimal(190)), AT)
    ledger.commit()

    assert ledger.inventories() == (BotInventory("momentum", FifoInventory("AAPL")),)
    assert ledger.sub_ledgers()[0] == SubLedger(
        bot="momentum", cash=Decimal(100), realised=Decimal(100)
    )
    assert ledger.counters("2024-01-02")[0].round_trips == 1


def test_what_was_given_to_the_account_may_have_cost_nothing(ledger: Ledger) -> None:
    assign(ledger, "3", "0")

    assert ledger.inventories()[0].inventory.position == Decimal(3)
    assert [each.cash for each in ledger.sub_ledgers()] == [Decimal(0), Decimal(0)]


def test_an_assignment_is_exact_to_the_last_digit(ledger: Ledger) -> None:
    quantity = "-12345678901234567890.123456789012345678"

    assign(ledger, quantity, "1")

    assert ledger.inventories()[0].inventory.position == Decimal(quantity)
    assert ledger.sub_ledgers()[1].cash == Decimal(quantity)


def exclude(ledger: Ledger, kind: DifferenceKind, subject: str, quantity: str | None) -> None:
    exact = None if quantity is None else Decimal(quantity)
    ledger.exclude_difference(kind, subject, exact, **BY, at=AT)
    ledger.commit()


def excluded(kind: DifferenceKind, subject: str, quantity: str | None = None) -> Exclusion:
    exact = None if quantity is None else Decimal(quantity)
    return Exclusion(kind=kind, subject=subject, quantity=exact, **BY)


def test_the_newest_word_on_what_is_left_alone_stands_i29(ledger: Ledger) -> None:
    for kind, subject, quantity in [
        (POSITION, "MSFT", "2"),
        (POSITION, "AAPL", "-5"),
        (FOREIGN, "venue-7", None),
        (POSITION, "MSFT", "-2.50"),
        (FOREIGN, "venue-8", None),
    ]:
        exclude(ledger, kind, subject, quantity)
    assert ledger.exclusions() == (
        excluded(FOREIGN, "venue-7"),
        excluded(FOREIGN, "venue-8"),
        excluded(POSITION, "AAPL", "-5"),
        excluded(POSITION, "MSFT", "-2.50"),
    )

    exclude(ledger, POSITION, "AAPL", None)
    exclude(ledger, POSITION, "MSFT", "0.00")
    exclude(ledger, FOREIGN, "venue-7", "0")
    exclude(ledger, POSITION, "TSLA", "0")

    assert ledger.exclusions() == (excluded(FOREIGN, "venue-8"),)


def test_an_adopted_order_is_the_bot_s_from_then_on_i29_i61(ledger: Ledger) -> None:
    mine = approved(client_order_id="by hand", quantity=Decimal(4))

    ledger.adopt_order(mine.intent, mine.order, **BY, at=AT)
    ledger.record_report(filled(mine.order, "4"), AT)
    ledger.commit()

    (order,) = ledger.orders()
    assert (order.intent, order.attempted_at) == (mine.intent, AT)
    assert order.state == OrderState(
        order=mine.order, status=OrderStatus.FILLED, filled_quantity=Decimal(4)
    )
    assert ledger.inventories()[0].inventory.position == Decimal(4)
    assert ledger.counters("2024-01-02") == (
        SessionCounters(bot="momentum", session="2024-01-02", entries=1, fills=1),
    )


def renamed(one: OrderApproved, name: str) -> OrderApproved:
    return structs.replace(one, order=structs.replace(one.order, client_order_id=name))


@pytest.mark.parametrize(
    "taken",
    [
        APPROVED,
        renamed(APPROVED, "by hand"),
        renamed(approved(decision(signal=2)), APPROVED.order.client_order_id),
        renamed(approved(decision(session="2024-01-03")), APPROVED.order.client_order_id),
    ],
    ids=["again", "decision", "name", "name of another session"],
)
def test_what_is_on_record_is_not_adopted_i15_i16(ledger: Ledger, taken: OrderApproved) -> None:
    ledger.record_intent(APPROVED, AT)
    mark = ledger.commit()

    with pytest.raises(ContentChanged, match="is on record; nothing was written"):
        ledger.adopt_order(taken.intent, taken.order, **BY, at=AT)

    assert ledger.commit() == mark


def test_the_decision_of_an_adopted_order_is_never_sent_as_another_i15_i16(ledger: Ledger) -> None:
    adopted = renamed(APPROVED, "by hand")
    ledger.adopt_order(adopted.intent, adopted.order, **BY, at=AT)

    with pytest.raises(ContentChanged, match="on record with other content, as by hand"):
        ledger.record_intent(APPROVED, AT)
    assert ledger.record_intent(adopted, AT).duplicate


Act = Callable[[Ledger, dict[str, str]], None]
ACTS: dict[str, Act] = {
    "adjust": lambda ledger, by: ledger.adjust_cash(Decimal(1), **by, at=AT),
    "assign": lambda ledger, by: ledger.assign_position(
        "momentum", "AAPL", Decimal(1), price=Decimal(1), **by, at=AT
    ),
    "exclude": lambda ledger, by: ledger.exclude_difference(FOREIGN, "venue-7", None, **by, at=AT),
    "adopt": lambda ledger, by: ledger.adopt_order(APPROVED.intent, APPROVED.order, **by, at=AT),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("changes", "missing"),
    [({"reason": ""}, "reason"), ({"reason": " \t"}, "reason"), ({"operator": ""}, "operator")],
)
def test_nothing_is_decided_without_a_reason_and_a_name_i61(
    ledger: Ledger, act: str, changes: dict[str, str], missing: str
) -> None:
    mark = ledger.commit()

    with pytest.raises(ActRefused, match=f"without any {missing}; wanted one; nothing was record"):
        ACTS[act](ledger, BY | changes)

    assert ledger.commit() == mark
    ACTS[act](ledger, BY)
    assert ledger.commit().seq == mark.seq + 1


def assigned(**changes: Any) -> Act:
    fine: dict[str, Any] = {
        "bot": "momentum",
        "symbol": "AAPL",
        "quantity": Decimal(1),
        "price": Decimal(0),
    }
    return lambda ledger, by: ledger.assign_position(**(fine | changes | by), at=AT)


def exclusion_of(kind: DifferenceKind, subject: str, quantity: str | None) -> Act:
    return lambda ledger, by: exclude(ledger, kind, subject, quantity)


def adoption_of(one: OrderApproved) -> Act:
    return lambda ledger, by: ledger.adopt_order(one.intent, one.order, **by, at=AT)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda ledger, by: ledger.adjust_cash(Decimal(0), **by, at=AT), "cash by 0; wanted a num"),
        (lambda ledger, by: ledger.adjust_cash(Decimal("NaN"), **by, at=AT), "cash by NaN; wanted"),
        (assigned(bot=""), "without any bot"),
        (assigned(symbol=""), "without any symbol"),
        (assigned(bot=UNATTRIBUTED), "to unattributed; wanted a bot"),
        (assigned(quantity=Decimal(0)), "assigning 0 AAPL at 0 to momentum; wanted a quantity oth"),
        (assigned(quantity=Decimal("Infinity")), "wanted a quantity other than zero"),
        (assigned(price=Decimal(-1)), "wanted a price of zero or more"),
        (assigned(price=Decimal("NaN")), "wanted a price of zero or more"),
        (exclusion_of(DifferenceKind.CASH, "cash", None), "excluding cash cash; wanted find out"),
        (exclusion_of(FOREIGN, " ", None), "without any subject"),
        (exclusion_of(FOREIGN, "venue-7", "3"), "wanted no quantity, or zero to take it back"),
        (exclusion_of(POSITION, "AAPL", "NaN"), "wanted a signed quantity, or none to take it"),
        (adoption_of(renamed(APPROVED, "")), "without any order"),
        (adoption_of(approved(decision(bot=""))), "without any bot"),
        (adoption_of(approved(decision(bot=UNATTRIBUTED))), "for unattributed; wanted a bot"),
        (
            adoption_of(approved(symbol="MSFT")),
            "buy 10 MSFT, as buy 10 AAPL; wanted the same side, quantity and symbol",
        ),
        (
            adoption_of(
                structs.replace(APPROVED, intent=structs.replace(APPROVED.intent, side=Side.SELL))
            ),
            "buy 10 AAPL, as sell 10 AAPL; wanted",
        ),
        (
            adoption_of(
                structs.replace(
                    APPROVED, intent=structs.replace(APPROVED.intent, quantity=Decimal(9))
                )
            ),
            "buy 10 AAPL, as buy 9 AAPL; wanted",
        ),
    ],
)
def test_an_act_that_means_nothing_is_refused_and_not_recorded_i61(
    ledger: Ledger, act: Act, says: str
) -> None:
    mark = ledger.commit()

    with pytest.raises(ActRefused, match=says):
        act(ledger, BY)

    assert ledger.commit() == mark


def test_all_of_it_is_there_after_a_restart_and_follows_from_the_events_i55(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = opened(path)
    ledger.open_account(Decimal(100_000), AT)
    holding_10(ledger)
    adopted = renamed(approved(decision(signal=2)), "by hand")
    ledger.adopt_order(adopted.intent, adopted.order, **BY, at=AT)
    ledger.adjust_cash(Decimal(-1), **BY, at=AT)
    assign(ledger, "-3")
    exclude(ledger, FOREIGN, "venue-7", None)
    exclude(ledger, POSITION, "AAPL", "7")
    exclude(ledger, POSITION, "AAPL", None)
    before = (ledger.state_hash(), ledger.orders(), ledger.sub_ledgers(), ledger.exclusions())
    ledger.close()

    ledger = opened(path)

    assert (
        ledger.state_hash(),
        ledger.orders(),
        ledger.sub_ledgers(),
        ledger.exclusions(),
    ) == before
    assert ledger.opening_cash == Decimal(100_000)
    ledger.close()
    found = verify_file(path, lambda _name, _done, _of: None)
    assert found.is_well
    assert found.ledger is not None
    assert (found.ledger.counts.orders, found.ledger.counts.bots) == (2, 1)
