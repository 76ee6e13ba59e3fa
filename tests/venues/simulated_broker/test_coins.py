"""Coins: they trade round the clock, and the fee comes out of what is received."""

from decimal import Decimal

from msgspec import structs

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.activities import FillActivity, OtherActivity
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.queries import ActivityQuery
from hydra.venues.simulated.brokerage.requests import ClosePosition, PlaceOrder
from hydra.venues.simulated.brokerage.words import AssetClass, TimeInForce
from tests.venues.simulated_broker.stage import BTC, CLOSE, HOUR, OPEN, Stage, order

BUY, SELL = Side.BUY, Side.SELL
LIVE = ["pending_new", "new"]


def coins(
    side: Side = BUY,
    quantity: str = "0.0125",
    *,
    limit: str | None = None,
    stop: str | None = None,
    tif: TimeInForce = TimeInForce.GTC,
) -> PlaceOrder:
    return order(side, quantity, symbol="BTC/USD", limit=limit, stop=stop, tif=tif)


def test_what_is_bought_is_filled_gross_and_held_net_of_the_takers_fee() -> None:
    stage = Stage(at=CLOSE + 5 * HOUR)
    stage.into(61249.1, symbol="BTC/USD")

    placed = stage.place(coins())

    assert stage.story(placed) == [*LIVE, "fill 0.0125 at 61249.10"]
    assert stage.told[-1].position_quantity == Decimal("0.01246875")
    position = stage.broker.position("BTCUSD")
    assert position is not None
    assert (position.symbol, position.quantity) == ("BTC/USD", Decimal("0.01246875"))
    assert position.average_entry_price == Decimal("61249.1")
    assert stage.broker.account().cash == 100_000 - Decimal("0.0125") * Decimal("61249.1")


def test_the_fee_is_an_activity_of_its_own() -> None:
    stage = Stage()
    stage.into(61249.1, symbol="BTC/USD")
    stage.place(coins())

    fee, fill = stage.broker.activities(ActivityQuery())

    assert isinstance(fee, OtherActivity) and isinstance(fill, FillActivity)
    assert (fee.kind, fee.symbol, fee.quantity, fee.net_amount) == (
        "CFEE",
        "BTC/USD",
        Decimal("-0.00003125"),
        Decimal(0),
    )
    assert fill.quantity == Decimal("0.0125")


def test_a_sale_pays_its_fee_in_dollars() -> None:
    stage = Stage()
    bar = stage.into(60000.0, symbol="BTC/USD")
    stage.place(coins(quantity="1"))
    stage.end(bar)
    before = stage.broker.account().cash
    stage.into(60000.0, symbol="BTC/USD")

    stage.place(coins(SELL, "0.5"))

    assert stage.broker.account().cash == before + 30_000 - Decimal(75)
    assert stage.held("BTC/USD") == "0.4975"


def test_what_rested_pays_the_makers_fee() -> None:
    stage = Stage()
    stage.bar(60000.0, symbol="BTC/USD")
    stage.place(coins(quantity="1", limit="59000"))

    stage.bar(60000.0, 60000.0, 58900.0, 59500.0, symbol="BTC/USD")

    assert stage.held("BTC/USD") == "0.9985"


def test_selling_all_that_was_bought_is_more_than_there_is() -> None:
    stage = Stage()
    stage.into(60000.0, symbol="BTC/USD")
    stage.place(coins(quantity="1"))

    refusal = stage.refused(coins(SELL, "1"))

    assert refusal.message == "insufficient balance for BTC (requested: 1, available: 0.9975)"
    closing = stage.ask(ClosePosition(asset="BTCUSD"))
    assert isinstance(closing, BrokerOrder) and closing.time_in_force is TimeInForce.GTC
    assert stage.broker.positions() == ()


def test_coins_by_value_are_bought_in_billionths() -> None:
    stage = Stage()
    stage.into(61249.1, symbol="BTC/USD")

    placed = stage.place(structs.replace(coins(), quantity=None, notional=Decimal("500.75")))

    assert stage.now_of(placed).quantity == Decimal("0.008175630")


def test_coin_orders_are_good_at_any_hour_and_know_no_close() -> None:
    stage = Stage(at=CLOSE - HOUR)
    stage.bar(60000.0, symbol="BTC/USD")
    resting = stage.place(coins(limit="50000"))
    stop_limit = stage.place(coins(stop="61000", limit="61100"))

    stage.come_to(CLOSE + HOUR)
    stage.bar(61050.0, symbol="BTC/USD")

    assert stage.story(resting) == LIVE
    assert stage.story(stop_limit) == [*LIVE, "fill 0.0125 at 61050.00"]
    assert (resting.asset_class, resting.asset_id) == (AssetClass.CRYPTO, BTC.id)


def test_an_immediate_order_in_coins_is_over_at_once() -> None:
    stage = Stage(at=OPEN - HOUR)
    stage.into(60000.0, symbol="BTC/USD")

    placed = stage.place(coins(limit="59000", tif=TimeInForce.IOC))

    assert stage.story(placed) == [*LIVE, "canceled"]
    assert placed.expires_at is None
