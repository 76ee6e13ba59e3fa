"""What no honest broker does: each act has a test."""

from decimal import Decimal

import msgspec
import pytest
from msgspec import structs

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.activities import OtherActivity
from hydra.venues.simulated.brokerage.acts import (
    Act,
    AssignOption,
    BustExecution,
    ChangeCash,
    CloseEarly,
    CorrectExecution,
    DriftPosition,
    FillAfterCancel,
    FillInParts,
    FillOrder,
    ForeignOrder,
    HaltSymbol,
    HoldCancels,
    RejectCancels,
    RejectLate,
    RejectReplacements,
    ReleaseCancels,
    RestrictAccount,
    ResumeSymbol,
    SplitSymbol,
)
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.queries import ActivityQuery
from hydra.venues.simulated.brokerage.requests import ReplaceOrder
from hydra.venues.simulated.brokerage.words import AssetClass, Status, TimeInForce, UpdateEvent
from tests.venues.simulated_broker.stage import EXPIRATION, MINUTE, Stage, order

BUY, SELL = Side.BUY, Side.SELL
LIVE = ["pending_new", "new"]
FILLED = [*LIVE, "fill 10 at 100.00"]


@pytest.fixture
def stage() -> Stage:
    """In session, HYDR at 100, inside a long bar."""
    stage = Stage()
    stage.begin(100.0, minutes=60)
    return stage


def test_nothing_executes_in_a_halted_symbol_and_stops_do_not_fire(stage: Stage) -> None:
    stage.place(order(quantity="20"))
    stop = stage.place(order(SELL, stop="98"))
    stage.act(HaltSymbol("HYDR"))
    arriving = stage.place(order(SELL, limit="99"))
    stage.end(stage.market.last_bar("HYDR"))

    stage.bar(95.0)

    assert stage.story(arriving) == LIVE
    assert stage.story(stop) == LIVE


def test_a_resumed_symbol_executes_what_waited_at_the_next_open(stage: Stage) -> None:
    stage.act(HaltSymbol("HYDR"))
    waiting = stage.place(order())
    immediate = stage.place(order(tif=TimeInForce.IOC))
    stage.end(stage.market.last_bar("HYDR"))
    halted = stage.begin(90.0, 91.0, 80.0, 90.0)
    stage.act(ResumeSymbol("HYDR"))
    stage.end(halted)
    not_yet = stage.story(waiting)

    stage.bar(103.0)

    assert stage.story(immediate) == [*LIVE, "canceled"]
    assert not_yet == LIVE
    assert stage.story(waiting) == [*LIVE, "fill 10 at 103.00"]


def test_what_a_bar_did_around_a_halt_is_known_when_it_is_resumed(stage: Stage) -> None:
    stage.end(stage.market.last_bar("HYDR"))
    resting = stage.place(order(limit="99"))
    bar = stage.begin(100.0, 100.0, 98.0, 100.0)
    stage.act(HaltSymbol("HYDR"))
    stage.act(ResumeSymbol("HYDR"))

    stage.end(bar)

    assert stage.story(resting) == LIVE


def test_an_order_is_rejected_after_it_was_taken(stage: Stage) -> None:
    stage.act(RejectLate(symbol="HYDR", reason="price too far away"))

    rejected, next_one = stage.place(order()), stage.place(order())

    assert rejected.status is Status.PENDING_NEW
    assert stage.story(rejected) == ["pending_new", "rejected"]
    after = stage.now_of(rejected)
    assert (after.failed_at, after.reason) == (stage.now, "price too far away")
    assert stage.story(next_one) == FILLED


def test_an_open_order_is_rejected_by_name_unless_it_has_filled(stage: Stage) -> None:
    resting, filled = stage.place(order(limit="99")), stage.place(order())

    stage.act(RejectLate(order_id=resting.id))

    assert stage.story(resting) == [*LIVE, "rejected"]
    with pytest.raises(ValueError, match="only what is open"):
        stage.act(RejectLate(order_id=filled.id))


def test_a_held_cancel_is_stuck_until_it_is_released_and_the_order_works_on(stage: Stage) -> None:
    stage.act(HoldCancels(times=2))
    stuck, filling = stage.place(order(limit="97")), stage.place(order(limit="99"))
    stage.cancel(stuck)
    stage.cancel(filling)
    stage.end(stage.market.last_bar("HYDR"))

    stage.bar(100.0, 100.0, 98.5, 99.0)
    stage.act(ReleaseCancels())

    assert stage.story(stuck) == [*LIVE, "pending_cancel", "canceled"]
    assert stage.story(filling) == [*LIVE, "pending_cancel", "fill 10 at 99.00"]


def test_what_fills_in_part_while_its_cancel_is_held_stays_pending(stage: Stage) -> None:
    stage.act(HoldCancels())
    stage.act(FillInParts(shares=(Decimal("0.4"),)))
    placed = stage.place(order(limit="99"))
    stage.cancel(placed)
    stage.end(stage.market.last_bar("HYDR"))

    stage.bar(98.0)

    after = stage.now_of(placed)
    assert (after.status, after.filled_quantity) == (Status.PENDING_CANCEL, Decimal(4))


def test_a_rejected_cancel_leaves_the_order_as_it_was(stage: Stage) -> None:
    stage.act(RejectCancels(reason="TOO_LATE"))
    placed = stage.place(order(limit="99"))

    stage.cancel(placed)

    assert stage.story(placed) == [*LIVE, "pending_cancel", "order_cancel_rejected"]
    assert (stage.told[-1].reason, stage.now_of(placed).status) == ("TOO_LATE", Status.NEW)


def test_a_rejected_replacement_leaves_the_old_order_and_kills_the_new(stage: Stage) -> None:
    stage.act(RejectReplacements())
    old = stage.place(order(limit="99"))

    new = stage.ask(ReplaceOrder(order_id=old.id, limit_price=Decimal(98)))

    assert isinstance(new, BrokerOrder) and new.status is Status.PENDING_NEW
    assert stage.story(old) == [*LIVE, "pending_replace", "order_replace_rejected"]
    assert stage.story(new) == ["rejected"]
    assert stage.now_of(old).status is Status.NEW
    assert stage.told[-2].reason == "TOO_LATE_TO_CANCEL"


@pytest.mark.parametrize(
    ("quantity", "told"),
    [
        (None, ["fill 10 at 99", "order_cancel_rejected"]),
        (Decimal(4), ["partial_fill 4 at 99", "canceled"]),
    ],
)
def test_a_fill_beats_the_cancel(stage: Stage, quantity: Decimal | None, told: list[str]) -> None:
    stage.act(FillAfterCancel(quantity=quantity))
    placed = stage.place(order(limit="99"))

    stage.cancel(placed)

    assert stage.story(placed) == [*LIVE, "pending_cancel", *told]


def test_an_execution_out_of_thin_air_of_an_order_that_is_over(stage: Stage) -> None:
    placed = stage.place(order(limit="99"))
    stage.cancel(placed)

    stage.act(FillOrder(order_id=placed.id, quantity=Decimal(3), price=Decimal("98.5")))

    after = stage.now_of(placed)
    assert (after.status, after.filled_quantity) == (Status.CANCELED, Decimal(3))
    assert stage.story(placed)[-1] == "partial_fill 3 at 98.5"
    assert stage.held() == "3"


def test_an_order_fills_in_the_pieces_that_were_set_for_it(stage: Stage) -> None:
    stage.act(FillInParts(shares=(Decimal("0.3"), Decimal("0.5")), symbol="HYDR"))
    placed = stage.place(order())
    stage.end(stage.market.last_bar("HYDR"))

    stage.bar(101.0)
    stage.bar(102.0)

    assert stage.story(placed) == [
        *LIVE,
        "partial_fill 3 at 100.00",
        "partial_fill 5 at 101.00",
        "fill 2 at 102.00",
    ]


def test_a_bust_takes_an_execution_back(stage: Stage) -> None:
    placed = stage.place(order())
    execution = stage.told[-1].execution_id
    assert execution is not None

    stage.act(BustExecution(execution))

    update = stage.told[-1]
    assert update.event is UpdateEvent.TRADE_BUST
    assert (update.quantity, update.price, update.position_quantity) == (
        Decimal(-10),
        Decimal(100),
        Decimal(0),
    )
    assert update.previous_execution_id == execution != update.execution_id
    assert stage.now_of(placed).filled_quantity == 10
    assert stage.broker.account().cash == 100_000
    assert (stage.broker.positions(), stage.broker.executions) == ((), 0)
    with pytest.raises(ValueError, match="no execution"):
        stage.act(BustExecution(execution))


def test_a_correction_changes_price_and_quantity_of_an_execution(stage: Stage) -> None:
    stage.place(order())
    execution = stage.told[-1].execution_id
    assert execution is not None

    stage.act(CorrectExecution(execution_id=execution, price=Decimal("99.5"), quantity=Decimal(8)))

    update = stage.told[-1]
    assert (update.event, update.quantity) == (UpdateEvent.TRADE_CORRECT, Decimal(8))
    assert stage.broker.account().cash == 100_000 - 8 * Decimal("99.5")
    assert stage.held() == "8"
    assert update.execution_id is not None
    stage.act(BustExecution(update.execution_id))
    assert stage.held() == "0"


def test_a_corrected_purchase_of_coins_keeps_its_fee_and_a_busted_one_gives_it_back() -> None:
    stage = Stage()
    stage.begin(60_000.0, symbol="BTC/USD")
    stage.place(order(quantity="1", symbol="BTC/USD", tif=TimeInForce.GTC))
    first = stage.told[-1].execution_id
    assert first is not None

    stage.act(CorrectExecution(execution_id=first, price=Decimal(59_000)))
    corrected = stage.held("BTC/USD")
    second = stage.told[-1].execution_id
    assert second is not None
    stage.act(BustExecution(second))

    assert corrected == "0.9975"
    assert stage.broker.positions() == ()
    assert stage.broker.account().cash == 100_000


def test_somebody_elses_order_is_asked_no_questions(stage: Stage) -> None:
    stage.act(ForeignOrder(order(BUY, "1000000")))

    foreign = stage.told[-1].order
    assert foreign.status is Status.FILLED
    assert stage.broker.account().cash < 0
    assert stage.broker.order_by_client_id(foreign.client_order_id) == foreign


def test_a_position_drifts(stage: Stage) -> None:
    stage.act(DriftPosition(symbol="HYDR", quantity=Decimal(-7)))
    stage.act(DriftPosition(symbol="NOVA", quantity=Decimal(3), price=Decimal(20), activity="JNLS"))

    assert (stage.held(), stage.held("NOVA")) == ("-7", "3")
    assert stage.told == []
    (activity,) = stage.broker.activities(ActivityQuery())
    assert isinstance(activity, OtherActivity) and activity.kind == "JNLS"
    assert stage.broker.account().cash == 100_000


def test_cash_changes(stage: Stage) -> None:
    stage.act(ChangeCash(amount=Decimal("-12.5"), activity="FEE", description="a fee"))

    assert stage.broker.account().cash == Decimal("99987.5")
    (activity,) = stage.broker.activities(ActivityQuery())
    assert isinstance(activity, OtherActivity)
    assert (activity.kind, activity.net_amount) == ("FEE", Decimal("-12.5"))


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (RestrictAccount(trading_blocked=True), "account is not authorized to trade"),
        (RestrictAccount(account_blocked=True), "account is not authorized to trade"),
        (RestrictAccount(status="ACCOUNT_CLOSED"), "account is not authorized to trade"),
        (RestrictAccount(liquidation_only=True), "account is restricted to liquidation only"),
    ],
)
def test_a_restricted_account_is_refused_and_may_still_cancel(
    stage: Stage, act: RestrictAccount, reason: str
) -> None:
    resting = stage.place(order(limit="99"))

    stage.act(act)

    assert stage.refused(order()).message == reason
    stage.cancel(resting)
    assert stage.now_of(resting).status is Status.CANCELED


def test_a_restriction_changes_nothing_else_and_can_be_lifted(stage: Stage) -> None:
    stage.act(RestrictAccount(shorting_enabled=False))
    short = stage.refused(order(SELL))
    stage.act(RestrictAccount(shorting_enabled=True))

    assert short.message == "account is not allowed to short"
    assert stage.story(stage.place(order(SELL))) == FILLED


def test_a_split_changes_holdings_and_cancels_orders(stage: Stage) -> None:
    stage.place(order())
    resting = stage.place(order(SELL, limit="105", tif=TimeInForce.GTC))
    cash = stage.broker.account().cash

    stage.act(SplitSymbol(symbol="HYDR", new=4, old=1))

    position = stage.broker.position("HYDR")
    assert position is not None
    assert (position.quantity, position.average_entry_price) == (Decimal(40), Decimal(25))
    assert stage.broker.account().cash == cash
    assert stage.story(resting) == [*LIVE, "canceled"]
    activity = stage.broker.activities(ActivityQuery())[0]
    assert isinstance(activity, OtherActivity)
    assert (activity.kind, activity.quantity) == ("SPLIT", Decimal(30))


@pytest.mark.parametrize(
    "act",
    [
        HaltSymbol("NONE"),
        RejectLate(order_id="none"),
        FillOrder(order_id="none", quantity=Decimal(1), price=Decimal(1)),
        BustExecution("none"),
        ForeignOrder(order(symbol="NONE")),
        ForeignOrder(structs.replace(order(), side=None)),
        FillInParts(shares=(Decimal("0.6"), Decimal("0.6"))),
        HoldCancels(times=0),
        DriftPosition(symbol="NONE", quantity=Decimal(1)),
        SplitSymbol(symbol="HYDR", new=0, old=1),
        CloseEarly(EXPIRATION, 0),
        AssignOption(contract="NONE", quantity=Decimal(1)),
    ],
)
def test_what_cannot_be_done_says_so_and_changes_nothing(stage: Stage, act: Act) -> None:
    before = (stage.broker.account(), stage.broker.positions(), stage.broker.orders_taken)

    with pytest.raises(ValueError, match=r".+"):
        stage.act(act)

    assert before == (stage.broker.account(), stage.broker.positions(), stage.broker.orders_taken)


def test_acts_and_requests_are_plain_data_that_survives_writing() -> None:
    acts: list[Act] = [
        HaltSymbol("HYDR"),
        RejectLate(symbol="HYDR", times=3),
        FillInParts(shares=(Decimal("0.5"),)),
        ForeignOrder(structs.replace(order(), client_order_id="theirs")),
        CloseEarly(EXPIRATION, MINUTE),
    ]

    written = msgspec.json.encode(acts)

    assert msgspec.json.decode(written, type=list[Act]) == acts


def test_drift_of_coins_is_held_under_the_name_of_the_pair(stage: Stage) -> None:
    stage.act(DriftPosition(symbol="BTCUSD", quantity=Decimal("0.5"), price=Decimal(60_000)))

    position = stage.broker.position("BTC/USD")
    assert position is not None and position.asset_class is AssetClass.CRYPTO
