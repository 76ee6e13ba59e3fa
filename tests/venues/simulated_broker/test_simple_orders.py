"""The life of one order by itself, of each type and time in force."""

from decimal import Decimal

import pytest
from msgspec import structs

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import OrderType, Status, TimeInForce
from tests.venues.simulated_broker.stage import CLOSE, MINUTE, SECOND, Stage, order

BUY, SELL = Side.BUY, Side.SELL
FILLED = ["pending_new", "new"]


def test_a_market_order_in_session_answers_pending_new_and_is_filled_at_once() -> None:
    stage = Stage()
    stage.into(100.0, 101.0, 99.0, 100.5)

    placed = stage.place(order())

    assert (placed.status, placed.filled_quantity) == (Status.PENDING_NEW, Decimal(0))
    assert stage.story(placed) == ["pending_new", "new", "fill 10 at 100.00"]
    filled = stage.now_of(placed)
    assert filled == structs.replace(
        placed,
        status=Status.FILLED,
        filled_quantity=Decimal(10),
        filled_value=Decimal("1000.00"),
        filled_at=stage.now,
        updated_at=stage.now,
    )
    assert stage.held() == "10"


def test_the_price_is_the_one_that_is_shown_in_that_quarter_of_the_bar() -> None:
    stage = Stage()
    stage.begin(100.0, 101.0, 99.0, 100.5)
    prices = []

    for quarter in range(4):
        stage.come_to(stage.now + (0 if quarter == 0 else 15 * SECOND))
        placed = stage.place(order())
        prices.append(stage.now_of(placed).filled_value / 10)

    assert prices == [Decimal(100), Decimal(99), Decimal(101), Decimal("100.5")]


@pytest.mark.parametrize(
    ("side", "limit", "stop", "price"),
    [
        (BUY, "100.20", None, "100.00"),
        (SELL, "99.80", None, "100.00"),
        (BUY, None, "99.90", "100.00"),
        (SELL, None, "100.10", "100.00"),
        (BUY, "101", "99.90", "100.00"),
        (SELL, "99", "100.10", "100.00"),
    ],
)
def test_what_is_marketable_when_it_arrives_gets_the_market_price(
    side: Side, limit: str | None, stop: str | None, price: str
) -> None:
    stage = Stage()
    stage.into(100.0, 100.0, 100.0, 100.0)

    placed = stage.place(order(side, limit=limit, stop=stop))

    assert stage.story(placed) == [*FILLED, f"fill 10 at {price}"]


@pytest.mark.parametrize(
    ("side", "limit", "stop", "told"),
    [
        (BUY, "99.50", None, ["fill 10 at 99.50"]),
        (SELL, "100.50", None, ["fill 10 at 100.50"]),
        (BUY, None, "100.50", ["fill 10 at 100.50"]),
        (SELL, None, "99.50", ["fill 10 at 99.50"]),
        (BUY, "100.60", "100.50", ["fill 10 at 100.50"]),
        (SELL, "99.40", "99.50", ["fill 10 at 99.50"]),
        (BUY, "98", None, []),
        (SELL, None, "98", []),
    ],
)
def test_what_rests_is_touched_by_the_rest_of_the_next_bar(
    side: Side, limit: str | None, stop: str | None, told: list[str]
) -> None:
    stage = Stage()
    stage.bar(100.0)
    placed = stage.place(order(side, limit=limit, stop=stop))

    bar = stage.begin(100.0, 101.0, 99.0, 100.0)
    before = stage.story(placed)
    stage.end(bar)

    assert before == FILLED
    assert stage.story(placed) == FILLED + told


def test_an_order_that_comes_inside_a_bar_is_not_touched_by_its_end() -> None:
    stage = Stage()
    bar = stage.into(100.0, 101.0, 99.0, 100.0)
    placed = stage.place(order(limit="99.50"))
    stage.end(bar)
    untouched = stage.story(placed)

    stage.bar(100.0, 100.0, 99.0, 100.0)

    assert untouched == FILLED
    assert stage.story(placed) == [*FILLED, "fill 10 at 99.50"]


def test_a_stop_limit_beyond_its_limit_wakes_and_waits_as_a_limit_order() -> None:
    stage = Stage()
    stage.bar(100.0)
    placed = stage.place(order(BUY, limit="101", stop="100.50"))

    stage.bar(102.0, 103.0, 101.5, 102.0)
    after_the_gap = stage.story(placed)
    stage.bar(101.5, 101.6, 100.9, 101.2)

    assert after_the_gap == FILLED
    assert stage.story(placed) == [*FILLED, "fill 10 at 101.00"]


def test_a_stop_limit_triggered_inside_a_bar_knows_nothing_of_what_came_after() -> None:
    stage = Stage()
    stage.bar(100.0)
    placed = stage.place(order(SELL, limit="100.20", stop="99.50"))

    stage.bar(100.0, 100.5, 99.0, 100.0)
    triggered = stage.story(placed)
    stage.bar(100.0, 100.3, 99.9, 100.0)

    assert triggered == FILLED
    assert stage.story(placed) == [*FILLED, "fill 10 at 100.20"]


def test_slippage_moves_market_and_stop_orders_and_no_limit() -> None:
    stage = Stage(BrokerageTerms(slippage_bps=Decimal(10)))
    stage.into(100.0)

    market = stage.place(order())
    stop = stage.place(order(SELL, "5", stop="100"))
    limit = stage.place(order(SELL, "5", limit="100"))

    assert stage.story(market)[-1] == "fill 10 at 100.10"
    assert stage.story(stop)[-1] == "fill 5 at 99.90"
    assert stage.story(limit)[-1] == "fill 5 at 100.00"


def _trailing(side: Side, **trail: str) -> PlaceOrder:
    amounts = {name: Decimal(value) for name, value in trail.items()}
    return structs.replace(order(side), order_type=OrderType.TRAILING_STOP, **amounts)


def test_a_trailing_stop_follows_its_high_water_mark_along_the_path_of_the_bar() -> None:
    stage = Stage()
    stage.into(100.0)
    placed = stage.place(_trailing(SELL, trail_price="1"))
    stage.end(stage.market.last_bar("HYDR"))

    stage.bar(100.2, 101.0, 99.5, 100.8)
    moved = stage.now_of(placed)
    stage.bar(100.8, 103.0, 100.5, 101.0)

    assert (placed.high_water_mark, placed.stop_price) == (Decimal("100.0"), Decimal("99.00"))
    assert (moved.high_water_mark, moved.stop_price) == (Decimal("101.0"), Decimal("100.00"))
    # Low 100.50 first, then up to 103, and from there down through 102.
    assert stage.story(placed) == [*FILLED, "fill 10 at 102.00"]


def test_a_trailing_purchase_by_percent_has_its_stop_over_the_lowest_price() -> None:
    stage = Stage()
    stage.into(41.61)

    placed = stage.place(_trailing(BUY, trail_percent="1.5"))
    stage.end(stage.market.last_bar("HYDR"))
    stage.bar(41.61, 41.61, 40.0, 40.1)
    moved = stage.now_of(placed)
    stage.bar(40.1, 40.7, 40.0, 40.6)

    assert placed.stop_price == Decimal("42.23")
    assert (moved.high_water_mark, moved.stop_price) == (Decimal("40.0"), Decimal("40.60"))
    assert stage.story(placed) == [*FILLED, "fill 10 at 40.60"]


def test_a_trailing_stop_that_opens_beyond_its_stop_gets_the_open() -> None:
    stage = Stage()
    stage.into(100.0)
    placed = stage.place(_trailing(SELL, trail_price="1"))
    stage.end(stage.market.last_bar("HYDR"))

    stage.bar(97.0, 99.0, 96.0, 98.0)

    assert stage.story(placed) == [*FILLED, "fill 10 at 97.00"]


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_an_immediate_order_sees_one_price_and_is_over(tif: TimeInForce) -> None:
    stage = Stage()
    stage.into(100.0, 100.0, 98.0, 99.0)

    good = stage.place(order(limit="100", tif=tif))
    bad = stage.place(order(limit="99.50", tif=tif))

    assert stage.story(good) == [*FILLED, "fill 10 at 100.00"]
    assert stage.story(bad) == [*FILLED, "canceled"]


def test_immediate_or_cancel_takes_what_there_is_and_fill_or_kill_all_or_nothing() -> None:
    stage = Stage(BrokerageTerms(max_participation=Decimal("0.1")))
    stage.into(100.0, volume=1000.0)

    killed = stage.place(order(quantity="101", tif=TimeInForce.FOK))
    cut = stage.place(order(quantity="130", tif=TimeInForce.IOC))

    assert stage.story(killed) == [*FILLED, "canceled"]
    assert stage.story(cut) == [*FILLED, "partial_fill 100 at 100.00", "canceled"]
    assert stage.now_of(cut).filled_quantity == 100


def test_an_immediate_order_between_two_bars_sees_the_open_of_the_next() -> None:
    stage = Stage()
    stage.bar(100.0)

    placed = stage.place(order(limit="99", tif=TimeInForce.IOC))
    waiting = stage.story(placed)
    stage.begin(99.5, 99.6, 98.0, 98.5)

    assert waiting == FILLED
    assert stage.story(placed) == [*FILLED, "canceled"]


def test_participation_shares_a_bar_among_all_its_orders_and_the_rest_waits() -> None:
    stage = Stage(BrokerageTerms(max_participation=Decimal("0.1")))
    stage.bar(100.0)
    first = stage.place(order(quantity="70"))
    second = stage.place(order(quantity="70"))

    stage.bar(100.0, volume=1000.0)
    stage.bar(101.0, volume=1000.0)

    assert stage.story(first) == [*FILLED, "fill 70 at 100.00"]
    assert stage.story(second) == [*FILLED, "partial_fill 30 at 100.00", "fill 40 at 101.00"]
    assert stage.now_of(second).filled_value == Decimal(30 * 100 + 40 * 101)


def test_an_order_by_value_has_no_quantity_until_it_is_filled() -> None:
    stage = Stage()
    stage.into(41.27)

    placed = stage.place(structs.replace(order(), quantity=None, notional=Decimal("500.75")))

    assert (placed.quantity, placed.notional) == (None, Decimal("500.75"))
    filled = stage.now_of(placed)
    assert (filled.status, filled.quantity) == (Status.FILLED, Decimal("12.133511024"))
    assert stage.held() == "12.133511024"


def test_a_sale_by_value_never_sells_more_than_there_is() -> None:
    stage = Stage()
    stage.into(100.0)
    stage.place(order())
    stage.end(stage.market.last_bar("HYDR"))
    stage.come_to(CLOSE)
    stage.place(structs.replace(order(SELL), quantity=None, notional=Decimal(990)))

    stage.come_to(CLOSE + 17 * 60 * MINUTE + 30 * MINUTE)
    stage.bar(80.0)

    assert stage.held() == "0"


def test_a_part_of_the_orders_is_cut_short_by_chance_and_always_the_same() -> None:
    def stories() -> list[list[str]]:
        stage = Stage(BrokerageTerms(partial_fill_rate=Decimal("0.1"), seed=7))
        stage.begin(100.0, minutes=300)
        told = []
        for _ in range(200):
            stage.come_to(stage.now + SECOND)
            told.append(stage.story(stage.place(order(quantity="3"))))
        return told

    first, second = stories(), stories()

    cut = [story for story in first if story[-1].startswith("partial_fill")]
    assert first == second
    assert 8 <= len(cut) <= 35


def test_what_was_cut_short_is_filled_by_the_next_bar() -> None:
    stage = Stage(BrokerageTerms(partial_fill_rate=Decimal(1)))
    stage.into(100.0)
    placed = stage.place(order(quantity="50"))
    stage.end(stage.market.last_bar("HYDR"))

    for _ in range(40):
        stage.bar(100.0)

    assert len(stage.story(placed)) > 3
    assert stage.now_of(placed).status is Status.FILLED


def test_a_sale_below_the_smallest_price_finds_nobody() -> None:
    stage = Stage(BrokerageTerms(slippage_bps=Decimal(9_000)))
    stage.into(5e-16)

    placed = stage.place(order(SELL))

    assert stage.story(placed) == FILLED
