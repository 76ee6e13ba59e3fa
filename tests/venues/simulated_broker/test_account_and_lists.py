"""What the broker shows: account, positions, orders, activities, and the course of equity."""

from decimal import Decimal

import pytest

from hydra.trading.bars import Bar
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.activities import Activity, FillActivity
from hydra.venues.simulated.brokerage.acts import SplitSymbol
from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.positions import Position
from hydra.venues.simulated.brokerage.queries import ActivityQuery, OrderQuery, WhichOrders
from hydra.venues.simulated.brokerage.refusals import Refusal
from hydra.venues.simulated.brokerage.requests import Configure, ReplaceOrder
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import AssetClass, Status, TimeInForce
from tests.venues.simulated_broker.stage import (
    CLOSE,
    HYDR,
    MINUTE,
    OPEN,
    TUESDAY_OPEN,
    Stage,
    order,
)
from tests.venues.simulated_broker.test_groups import bracket, entered

BUY, SELL = Side.BUY, Side.SELL


def test_a_position_has_its_cost_its_value_and_what_is_free_of_it() -> None:
    stage = Stage()
    bar = stage.begin(100.0)
    stage.place(order())
    stage.end(bar)
    bar = stage.begin(103.0)
    stage.place(order(quantity="5"))
    stage.place(order(SELL, "4", limit="110"))

    assert stage.broker.positions() == (
        Position(
            asset_id=HYDR.id,
            symbol="HYDR",
            exchange="NASDAQ",
            asset_class=AssetClass.EQUITY,
            marginable=True,
            quantity=Decimal(15),
            quantity_available=Decimal(11),
            average_entry_price=Decimal(101),
            cost_basis=Decimal("1515.00"),
            market_value=Decimal("1545.0"),
            unrealized_pl=Decimal("30.00"),
            unrealized_intraday_pl=Decimal("30.00"),
            intraday_cost_basis=Decimal("1515.00"),
            current_price=Decimal("103.0"),
            lastday_price=None,
        ),
    )


def test_the_close_sets_what_tomorrow_is_measured_by() -> None:
    stage = Stage(at=CLOSE - MINUTE)
    bar = stage.begin(100.0, 104.0, 100.0, 104.0)
    stage.place(order())
    late = Bar("HYDR", CLOSE, CLOSE + MINUTE, 90.0, 90.0, 90.0, 90.0, 100.0)
    stage.market.add(late)  # what trades after hours is not the day's close
    stage.end(bar)
    after_the_close = stage.broker.account()
    stage.come_to(TUESDAY_OPEN)
    stage.begin(101.0)

    position = stage.broker.position(HYDR.id)

    assert (after_the_close.last_equity, after_the_close.balance_asof) == (
        Decimal("100040.00"),
        "2026-11-23",
    )
    assert after_the_close.last_maintenance_margin == Decimal("312.00")
    assert position is not None
    assert (position.lastday_price, position.intraday_cost_basis) == (Decimal(104), Decimal(1040))
    assert position.unrealized_intraday_pl == -30
    assert position.unrealized_pl == 10


def test_yesterdays_price_is_told_in_todays_shares() -> None:
    stage = Stage(at=CLOSE - MINUTE)
    stage.end(_bought(stage))
    stage.come_to(TUESDAY_OPEN)

    stage.act(SplitSymbol(symbol="HYDR", new=4, old=1))

    position = stage.broker.position("HYDR")
    assert position is not None and position.lastday_price == 25


def _bought(stage: Stage) -> Bar:
    bar = stage.begin(100.0)
    stage.place(order())
    return bar


def test_a_new_account_begins_with_its_cash() -> None:
    sheet = Stage(BrokerageTerms(starting_cash=Decimal(25_000))).broker.account()

    assert (sheet.cash, sheet.equity, sheet.last_equity) == (Decimal(25_000),) * 3
    assert (sheet.status, sheet.multiplier, sheet.balance_asof) == ("ACTIVE", 2, "2026-11-20")
    assert sheet.account_number.startswith("PA") and "HYDRA" in sheet.account_number


def test_open_orders_take_their_part_of_the_buying_power_until_they_are_over() -> None:
    stage = Stage()
    stage.begin(100.0, minutes=60)
    resting = stage.place(order(limit="90"))
    reserved = stage.broker.account().buying_power
    stage.cancel(resting)

    assert (reserved, stage.broker.account().buying_power) == (
        Decimal(199_100),
        Decimal(200_000),
    )


def test_the_configuration_is_changed_key_by_key_and_bad_values_are_refused() -> None:
    stage = Stage()

    changed = stage.ask(Configure(suspend_trade=True))
    answers = [
        stage.ask(Configure(max_margin_multiplier="3")),
        stage.ask(Configure(max_options_trading_level=9)),
    ]

    assert changed == AccountConfiguration(suspend_trade=True)
    assert stage.broker.configuration() == changed
    assert stage.refused(order()).status == 403
    assert [a.status for a in answers if isinstance(a, Refusal)] == [422, 422]


def test_equity_is_noted_once_a_minute() -> None:
    stage = Stage()
    stage.end(_bought(stage))
    bar = stage.begin(101.0)
    stage.come_to(stage.now + 1)
    stage.end(bar)

    history = stage.broker.equity_history()

    assert history == (
        (OPEN, Decimal(100_000)),
        (OPEN + MINUTE, Decimal("100000.00")),
        (OPEN + 2 * MINUTE, Decimal("100010.00")),
    )


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (OrderQuery(), [3, 1]),
        (OrderQuery(ascending=True), [1, 3]),
        (OrderQuery(which=WhichOrders.CLOSED), [2, 0]),
        (OrderQuery(which=WhichOrders.ALL), [3, 2, 1, 0]),
        (OrderQuery(which=WhichOrders.ALL, limit=2), [3, 2]),
        (OrderQuery(which=WhichOrders.ALL, side=SELL), [3]),
        (OrderQuery(which=WhichOrders.ALL, symbols=frozenset({"BTCUSD"})), [2]),
        (OrderQuery(which=WhichOrders.ALL, asset_class=AssetClass.CRYPTO), [2]),
        (OrderQuery(which=WhichOrders.ALL, after=OPEN), [3, 2, 1]),
        (OrderQuery(which=WhichOrders.ALL, until=OPEN + 3), [2, 1, 0]),
        (OrderQuery(which=WhichOrders.ALL, after=OPEN, until=OPEN + 2), [1]),
    ],
)
def test_orders_are_listed_as_they_are_asked_for(query: OrderQuery, wanted: list[int]) -> None:
    stage = Stage()
    stage.begin(100.0)
    stage.begin(60_000.0, symbol="BTC/USD")
    requests = (
        order(),
        order(limit="90"),
        order(quantity="0.01", symbol="BTC/USD", tif=TimeInForce.GTC),
        order(SELL, limit="110"),
    )
    placed = []
    for number, request in enumerate(requests):
        stage.come_to(OPEN + number)
        placed.append(stage.place(request))

    found = stage.broker.orders(query)

    assert [one.id for one in found] == [placed[number].id for number in wanted]


def test_the_id_cursors_are_exclusive_and_know_orders_of_one_instant() -> None:
    stage = Stage()
    placed = [stage.place(order(limit=f"{90 - n}")) for n in range(5)]

    before = stage.broker.orders(OrderQuery(before_order_id=placed[3].id, limit=2))
    after = stage.broker.orders(OrderQuery(after_order_id=placed[3].id, ascending=True))

    assert [one.id for one in before] == [placed[2].id, placed[1].id]
    assert [one.id for one in after] == [placed[4].id]


def test_children_are_rolled_up_under_a_parent_that_is_in_the_list() -> None:
    stage = Stage()
    stage.into(100.0)
    waiting = stage.place(bracket(limit="90", stop="85"))
    flat = stage.broker.orders(OrderQuery())
    nested = stage.broker.orders(OrderQuery(nested=True))

    filled = entered(stage)
    open_nested = stage.broker.orders(OrderQuery(nested=True))

    assert [one.id for one in flat] == [*reversed(waiting.legs), waiting.id]
    assert [one.id for one in nested] == [waiting.id]
    assert {one.id for one in open_nested} == {waiting.id, *filled.legs}


def test_an_exit_that_was_replaced_is_listed_by_itself() -> None:
    stage = Stage()
    parent = entered(stage)
    old = parent.legs[0]
    stage.ask(ReplaceOrder(order_id=old, limit_price=Decimal(105)))

    closed = stage.broker.orders(OrderQuery(which=WhichOrders.CLOSED, nested=True))

    assert [one.id for one in closed] == [old, parent.id]


def test_fill_activities_bear_new_yorks_time_and_the_executions_id() -> None:
    stage = Stage(BrokerageTerms(max_participation=Decimal("0.005")))
    stage.begin(100.0)
    stage.come_to(OPEN + 12_551_144_000)
    placed = stage.place(order(SELL, "8"))

    (activity,) = stage.broker.activities(ActivityQuery())

    execution = stage.told[-1].execution_id
    assert activity == FillActivity(
        id=f"20261123093012551::{execution}",
        at=stage.now,
        order_id=placed.id,
        symbol="HYDR",
        side=SELL,
        is_short=True,
        quantity=Decimal(5),
        price=Decimal("100.00"),
        cumulative_quantity=Decimal(5),
        leaves_quantity=Decimal(3),
        order_status=Status.PARTIALLY_FILLED,
    )
    assert activity.is_partial


def test_activities_are_paged_by_the_last_ones_id() -> None:
    stage = Stage()
    stage.begin(100.0)
    placed = [stage.place(order()) for _ in range(5)]

    first = stage.broker.activities(ActivityQuery(page_size=2))
    second = stage.broker.activities(ActivityQuery(page_size=2, page_token=first[-1].id))
    upwards = stage.broker.activities(ActivityQuery(ascending=True, page_token=second[0].id))

    def orders_of(page: tuple[Activity, ...]) -> list[str]:
        return [activity.order_id for activity in page if isinstance(activity, FillActivity)]

    ids = [one.id for one in placed]
    assert orders_of(first) == [ids[4], ids[3]]
    assert orders_of(second) == [ids[2], ids[1]]
    assert orders_of(upwards) == [ids[3], ids[4]]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        (ActivityQuery(types=frozenset({"FILL"})), ["FILL"]),
        (ActivityQuery(types=frozenset({"CFEE", "OPEXP"})), ["CFEE"]),
        (ActivityQuery(category="trade_activity"), ["FILL"]),
        (ActivityQuery(category="non_trade_activity"), ["CFEE"]),
        (ActivityQuery(date="2026-11-23"), ["CFEE", "FILL"]),
        (ActivityQuery(date="2026-11-24"), []),
        (ActivityQuery(after=OPEN), []),
        (ActivityQuery(until=OPEN), []),
        (ActivityQuery(after=OPEN - 1, until=OPEN + 1), ["CFEE", "FILL"]),
        (ActivityQuery(order_id="none"), []),
    ],
)
def test_activities_are_chosen_by_type_category_day_time_and_order(
    query: ActivityQuery, kinds: list[str]
) -> None:
    stage = Stage()
    stage.begin(60_000.0, symbol="BTC/USD")
    stage.place(order(quantity="0.01", symbol="BTC/USD", tif=TimeInForce.GTC))

    found = stage.broker.activities(query)

    assert ["FILL" if isinstance(a, FillActivity) else a.kind for a in found] == kinds
