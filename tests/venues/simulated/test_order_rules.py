from decimal import Decimal
from typing import Any

import msgspec
import pytest

from hydra.trading.coin_orders import COIN_PRICE_STEPS
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.venues.simulated.order_rules import first_refusal
from hydra.venues.simulated.symbols import price_step

MARKET: dict[str, Any] = {"order_type": OrderType.MARKET, "limit_price": None}
STOP: dict[str, Any] = {
    "order_type": OrderType.STOP,
    "limit_price": None,
    "stop_price": Decimal("112.50"),
}
COIN: dict[str, Any] = {
    "symbol": "BTC/USD",
    "time_in_force": TimeInForce.GTC,
    "quantity": Decimal("0.012345678"),
}
SUB_PENNY = "sub-penny increment does not fulfill minimum pricing criteria"
FINE = Order(
    client_order_id="hy1-20160415-0123456789abcdef-e",
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(10),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=Decimal("112.11"),
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        MARKET,
        STOP,
        {"side": Side.SELL},
        {"time_in_force": TimeInForce.GTC},
        {"time_in_force": TimeInForce.IOC},
        MARKET | {"time_in_force": TimeInForce.IOC},
        {"client_order_id": "x" * 128},
        {"quantity": Decimal("0.000000001")},
        {"quantity": Decimal("1.00000000000000000")},
        {"quantity": Decimal(10**12)},
        {"limit_price": Decimal("0.9999")},
        {"limit_price": Decimal("1.10000")},
        {"limit_price": Decimal(10**9)},
        {"quantity": Decimal("0.5")},
        STOP | {"quantity": Decimal("0.5")},
        COIN,
        COIN | {"time_in_force": TimeInForce.IOC},
        COIN | MARKET,
        COIN | MARKET | {"time_in_force": TimeInForce.IOC},
    ],
)
def test_a_fine_order_is_not_refused(changes: dict[str, Any]) -> None:
    assert first_refusal(msgspec.structs.replace(FINE, **changes)) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_order_id": ""}, "client_order_id is required"),
        ({"client_order_id": "x" * 129}, "client_order_id must be no more than 128 characters"),
        ({"symbol": ""}, "symbol is required"),
        ({"quantity": Decimal(0)}, "qty must be > 0"),
        ({"quantity": Decimal(-1)}, "qty must be > 0"),
        ({"quantity": Decimal("NaN")}, "qty must be a number, found NaN"),
        ({"quantity": Decimal("sNaN")}, "qty must be a number, found sNaN"),
        ({"quantity": Decimal("Infinity")}, "qty must be a number, found Infinity"),
        ({"quantity": Decimal("1e999")}, "qty must be <= 1000000000000, found 1E+999"),
        (
            {"quantity": Decimal("0.0000000001")},
            "qty must be limited to 9 decimal places, found 1E-10",
        ),
        ({"limit_price": None}, "limit orders require a limit price"),
        ({"stop_price": Decimal(1)}, "limit orders require no stop price"),
        ({"limit_price": Decimal(0)}, "limit_price must be > 0"),
        ({"limit_price": Decimal("-1.5")}, "limit_price must be > 0"),
        ({"limit_price": Decimal("NaN")}, "limit_price must be a number, found NaN"),
        ({"limit_price": Decimal("-Infinity")}, "limit_price must be a number, found -Infinity"),
        ({"limit_price": Decimal("1e99")}, "limit_price must be <= 1000000000, found 1E+99"),
        (
            {"limit_price": Decimal("41.273")},
            f"invalid limit_price 41.273. {SUB_PENNY}",
        ),
        (
            {"limit_price": Decimal("0.12345")},
            f"invalid limit_price 0.12345. {SUB_PENNY}",
        ),
        (MARKET | {"limit_price": Decimal(1)}, "market orders require no stop or limit price"),
        (MARKET | {"stop_price": Decimal(1)}, "market orders require no stop or limit price"),
        (STOP | {"stop_price": None}, "stop orders require a stop price"),
        (STOP | {"limit_price": Decimal(1)}, "stop orders require no limit price"),
        (
            STOP | {"stop_price": Decimal("1.005")},
            f"invalid stop_price 1.005. {SUB_PENNY}",
        ),
        (
            STOP | {"time_in_force": TimeInForce.IOC},
            "invalid time_in_force: a stop order must be day or gtc",
        ),
        (
            {"quantity": Decimal("0.5"), "time_in_force": TimeInForce.GTC},
            "fractional orders must be DAY orders",
        ),
        (
            {"quantity": Decimal("10.000000001"), "time_in_force": TimeInForce.IOC},
            "fractional orders must be DAY orders",
        ),
        (COIN | {"time_in_force": TimeInForce.DAY}, "invalid crypto time_in_force"),
        (COIN | STOP, "invalid order type for crypto order"),
        (
            COIN | {"quantity": Decimal("0.0123456789")},
            "qty must be limited to 9 decimal places, found 0.0123456789",
        ),
    ],
)
def test_each_rule_refuses_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert first_refusal(msgspec.structs.replace(FINE, **changes)) == reason


def test_prices_are_quoted_in_cents_from_one_dollar_and_in_hundredths_of_cents_below() -> None:
    assert price_step(Decimal(1)) == Decimal("0.01")
    assert price_step(Decimal("0.9999")) == Decimal("0.0001")
    assert price_step(Decimal("0.01")) == Decimal("0.0001")


@pytest.mark.parametrize("price", ["0.00999", "0.00001234", "1E-12"])
def test_a_coin_of_less_than_a_cent_is_quoted_to_five_digits(price: str) -> None:
    step, cheap = price_step(Decimal(price)), Decimal(price)

    assert cheap / 100_000 < step <= cheap / 10_000
    assert (
        next(each for each in reversed(COIN_PRICE_STEPS) if each.from_price <= cheap).step == step
    )
