from decimal import Decimal

import msgspec
import pytest

from hydra.trading.orders import Order, Side, TimeInForce
from hydra.venues.simulated.fill_model import (
    Execution,
    Moment,
    execution_of,
    quantity_on_offer,
    triggered,
)
from tests.venues.simulated.orders import bar_of, limit, market, stop

BUY, SELL = Side.BUY, Side.SELL
OPEN, STOP_TOUCHED, LIMIT_TOUCHED = Moment.OPEN, Moment.STOP_TOUCHED, Moment.LIMIT_TOUCHED
BAR = bar_of(1, (100.0, 101.5, 98.5, 101.0))


@pytest.mark.parametrize(
    ("order", "moment", "price"),
    [
        (market("a", BUY), OPEN, "100.00"),
        (market("a", SELL), OPEN, "100.00"),
        (limit("a", BUY, "100.01"), OPEN, "100.00"),
        (limit("a", BUY, "100"), OPEN, "100.00"),
        (limit("a", BUY, "99.99"), LIMIT_TOUCHED, "99.99"),
        (limit("a", BUY, "98.50"), LIMIT_TOUCHED, "98.50"),
        (limit("a", SELL, "99.99"), OPEN, "100.00"),
        (limit("a", SELL, "100"), OPEN, "100.00"),
        (limit("a", SELL, "100.01"), LIMIT_TOUCHED, "100.01"),
        (limit("a", SELL, "101.50"), LIMIT_TOUCHED, "101.50"),
        (stop("a", BUY, "99.99"), OPEN, "100.00"),
        (stop("a", BUY, "100"), OPEN, "100.00"),
        (stop("a", BUY, "100.01"), STOP_TOUCHED, "100.01"),
        (stop("a", BUY, "101.50"), STOP_TOUCHED, "101.50"),
        (stop("a", SELL, "100.01"), OPEN, "100.00"),
        (stop("a", SELL, "100"), OPEN, "100.00"),
        (stop("a", SELL, "99.99"), STOP_TOUCHED, "99.99"),
        (stop("a", SELL, "98.50"), STOP_TOUCHED, "98.50"),
    ],
)
def test_an_order_gets_the_open_or_else_its_own_price_if_the_bar_reaches_it(
    order: Order, moment: Moment, price: str
) -> None:
    assert execution_of(order, BAR, Decimal(0)) == Execution(moment, Decimal(price))


@pytest.mark.parametrize(
    "order",
    [
        limit("a", BUY, "98.49"),
        limit("a", SELL, "101.51"),
        stop("a", BUY, "101.51"),
        stop("a", SELL, "98.49"),
    ],
)
def test_a_bar_that_does_not_reach_the_price_does_nothing(order: Order) -> None:
    assert execution_of(order, BAR, Decimal(0)) is None


@pytest.mark.parametrize(
    ("order", "price"),
    [
        (market("a", BUY), "100.10"),
        (market("a", SELL), "99.90"),
        (stop("a", BUY, "101.00"), "101.11"),
        (stop("a", SELL, "99.00"), "98.90"),
        (stop("a", BUY, "99.00"), "100.10"),
        (limit("a", BUY, "100.05"), "100.00"),
        (limit("a", BUY, "99.00"), "99.00"),
        (limit("a", SELL, "99.95"), "100.00"),
    ],
)
def test_slippage_goes_against_market_and_stop_orders_and_never_against_a_limit(
    order: Order, price: str
) -> None:
    execution = execution_of(order, BAR, Decimal(10))

    assert execution is not None
    assert execution.price == Decimal(price)


@pytest.mark.parametrize(
    ("order", "prices", "slippage_bps", "execution"),
    [
        # 2.5 % over 100.
        (stop("a", BUY, "100"), (102.5, 103.0, 102.0, 102.6), 0, (OPEN, "102.50")),
        (stop("a", BUY, "100"), (102.5, 103.0, 102.0, 102.6), 10, (OPEN, "102.50")),
        (stop("a", BUY, "100"), (102.51, 103.0, 102.5, 102.6), 0, (LIMIT_TOUCHED, "102.50")),
        (stop("a", BUY, "100"), (102.51, 103.0, 102.51, 102.6), 0, (OPEN, None)),
        (stop("a", BUY, "100"), (99.0, 200.0, 99.0, 199.0), 0, (STOP_TOUCHED, "100.00")),
        (stop("a", BUY, "100"), (99.0, 200.0, 99.0, 199.0), 500, (STOP_TOUCHED, "102.50")),
        # 4 % below 50.
        (stop("a", BUY, "49.99"), (51.98, 52.0, 51.9, 52.0), 0, (OPEN, "51.98")),
        (stop("a", BUY, "49.99"), (51.99, 52.0, 51.99, 52.0), 0, (OPEN, None)),
        (stop("a", BUY, "50"), (51.25, 51.3, 51.2, 51.3), 0, (OPEN, "51.25")),
        (stop("a", BUY, "50"), (51.26, 51.3, 51.26, 51.3), 0, (OPEN, None)),
        # A sale is at the market, whatever that is.
        (stop("a", SELL, "100"), (1.0, 1.0, 1.0, 1.0), 0, (OPEN, "1.00")),
    ],
)
def test_a_purchase_at_a_stop_has_a_limit_a_little_over_it(
    order: Order,
    prices: tuple[float, float, float, float],
    slippage_bps: int,
    execution: tuple[Moment, str | None],
) -> None:
    moment, price = execution

    found = execution_of(order, bar_of(1, prices), Decimal(slippage_bps))

    assert found == Execution(moment, None if price is None else Decimal(price))


def test_what_a_stop_becomes_once_it_is_triggered() -> None:
    bought, sold = triggered(stop("a", BUY, "99.99")), triggered(stop("a", SELL, "99.99"))

    assert bought == limit("a", BUY, "102.48")
    assert sold == market("a", SELL)
    assert triggered(bought) == bought


@pytest.mark.parametrize(
    ("opened", "side", "price"),
    [
        (94.2001, BUY, "94.21"),
        (94.2099, SELL, "94.20"),
        (112.085, BUY, "112.09"),
        (112.085, SELL, "112.08"),
        (0.12341, BUY, "0.1235"),
        (0.12349, SELL, "0.1234"),
        (0.1 + 0.2, BUY, "0.3001"),
        (112.11, BUY, "112.11"),
        (112.11, SELL, "112.11"),
        (1e300, BUY, "1e300"),
    ],
)
def test_a_price_is_rounded_against_the_order_to_the_step_of_the_venue(
    opened: float, side: Side, price: str
) -> None:
    bar = bar_of(1, (opened, opened, opened, opened))

    assert execution_of(market("a", side), bar, Decimal(0)) == Execution(OPEN, Decimal(price))


def test_nobody_buys_below_the_smallest_price_there_is() -> None:
    bar = bar_of(1, (5e-17, 5e-17, 5e-17, 5e-17))

    assert execution_of(market("a", SELL), bar, Decimal(0)) is None
    assert execution_of(market("a", BUY), bar, Decimal(0)) == Execution(OPEN, Decimal("1E-16"))


def test_an_immediate_or_cancel_limit_sees_the_open_and_nothing_else() -> None:
    reached_later = msgspec.structs.replace(limit("a", BUY, "99"), time_in_force=TimeInForce.IOC)
    at_the_open = msgspec.structs.replace(limit("a", BUY, "101"), time_in_force=TimeInForce.IOC)

    assert execution_of(reached_later, BAR, Decimal(0)) is None
    assert execution_of(at_the_open, BAR, Decimal(0)) == Execution(OPEN, Decimal(100))


@pytest.mark.parametrize(
    ("volume", "participation", "step", "on_offer"),
    [
        (1000.0, "0.1", "1", "100"),
        (1009.0, "0.1", "1", "100"),
        (9.0, "0.1", "1", "0"),
        (0.0, "1", "1", "0"),
        (35.9, "1", "1", "35"),
        (35.92724, "0.1", "0.000000001", "3.592724"),
        (0.00000001, "0.05", "0.000000001", "0"),
    ],
)
def test_a_bar_offers_a_share_of_its_volume_in_whole_steps(
    volume: float, participation: str, step: str, on_offer: str
) -> None:
    offered = quantity_on_offer(volume, Decimal(participation), Decimal(step))

    assert offered == Decimal(on_offer)
