"""Our orders as the broker's requests: every digit, no exponent, nothing put in another's place."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.orders import Order, OrderType, Role, Side, TimeInForce
from hydra.venues.alpaca.order_matrix import AssetKind
from hydra.venues.alpaca.payloads import OrderPayload
from hydra.venues.alpaca.sending import (
    Unsendable,
    kind_of,
    order_body,
    replacement_body,
    unsendable,
)
from tests.venues.alpaca.samples import NAME, market_order, order, order_json, stop_order

LIMIT = {
    "symbol": "HYDR",
    "qty": "12",
    "side": "buy",
    "type": "limit",
    "time_in_force": "day",
    "client_order_id": NAME,
    "limit_price": "41.27",
}
OPTION = "HYDR261218C00042500"


@pytest.mark.parametrize(
    ("sent", "role", "body"),
    [
        (order(), Role.ENTRY, LIMIT),
        (
            stop_order(side=Side.SELL, time_in_force=TimeInForce.GTC),
            Role.EXIT,
            {
                "symbol": "HYDR",
                "qty": "12",
                "side": "sell",
                "type": "stop",
                "time_in_force": "gtc",
                "client_order_id": NAME,
                "stop_price": "40.5",
                "position_intent": "sell_to_close",
            },
        ),
        (
            market_order(side=Side.BUY, quantity=Decimal("1E+2")),
            Role.FLATTEN,
            {
                "symbol": "HYDR",
                "qty": "100",
                "side": "buy",
                "type": "market",
                "time_in_force": "day",
                "client_order_id": NAME,
                "position_intent": "buy_to_close",
            },
        ),
        (
            order(
                symbol="BTC/USD",
                side=Side.SELL,
                quantity=Decimal("1.2E-8"),
                time_in_force=TimeInForce.GTC,
                limit_price=Decimal("61250.123456789"),
            ),
            Role.EXIT,
            {
                "symbol": "BTC/USD",
                "qty": "0.000000012",
                "side": "sell",
                "type": "limit",
                "time_in_force": "gtc",
                "client_order_id": NAME,
                "limit_price": "61250.123456789",
            },
        ),
        (
            order(symbol=OPTION, limit_price=Decimal("1.40")),
            Role.ENTRY,
            {**LIMIT, "symbol": OPTION, "limit_price": "1.40", "position_intent": "buy_to_open"},
        ),
        (
            order(symbol=OPTION, side=Side.SELL, limit_price=Decimal("1.40")),
            Role.EXIT,
            {
                **LIMIT,
                "symbol": OPTION,
                "side": "sell",
                "limit_price": "1.40",
                "position_intent": "sell_to_close",
            },
        ),
    ],
)
def test_an_order_goes_out_with_every_digit_and_what_it_is_to_do_where_that_protects(
    sent: Order, role: Role, body: dict[str, str]
) -> None:
    assert json.loads(order_body(sent, role)) == body


NUMBERS = st.decimals(min_value=0, max_value=10**9, places=9, allow_nan=False)


@given(NUMBERS, NUMBERS)
def test_whatever_is_sent_says_the_same_numbers_without_an_exponent(
    quantity: Decimal, price: Decimal
) -> None:
    sent = order(
        symbol="BTC/USD", quantity=quantity, limit_price=price, time_in_force=TimeInForce.IOC
    )
    if unsendable(sent):
        assert 0 in (quantity, price)
        return

    body = json.loads(order_body(sent, Role.ENTRY))

    assert (Decimal(body["qty"]), Decimal(body["limit_price"])) == (quantity, price)
    assert "e" not in (body["qty"] + body["limit_price"]).lower()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (order(symbol="hydr"), "symbol hydr names no stock, option or coin pair"),
        (order(symbol="BTC-USD"), "symbol BTC-USD names no stock, option or coin pair"),
        (order(symbol=""), "symbol '' names no stock, option or coin pair"),
        (
            order(client_order_id=""),
            "its name has to be 1 to 128 letters, digits or any of . _ : -",
        ),
        (
            order(client_order_id="x" * 129),
            "its name has to be 1 to 128 letters, digits or any of . _ : -",
        ),
        (order(quantity=Decimal(0)), "quantity is 0, wanted a number over zero"),
        (order(quantity=Decimal(-1)), "quantity is -1, wanted a number over zero"),
        (order(quantity=Decimal("NaN")), "quantity is NaN, wanted a number over zero"),
        (order(quantity=Decimal("Infinity")), "quantity is Infinity, wanted a number over zero"),
        (
            order(quantity=Decimal("0.1234567891")),
            "quantity is 0.1234567891, wanted at most 9 decimals",
        ),
        (
            order(symbol=OPTION, quantity=Decimal("1.5")),
            "quantity is 1.5, wanted at most 0 decimals",
        ),
        (order(limit_price=None), "a limit order with no limit price"),
        (market_order(limit_price=Decimal(1)), "a market order with a limit price"),
        (order(stop_price=Decimal(1)), "a limit order with a stop price"),
        (stop_order(stop_price=None), "a stop order with no stop price"),
        (order(limit_price=Decimal(0)), "limit price is 0, wanted a number over zero"),
        (order(limit_price=Decimal("41.273")), "limit price is 41.273, wanted at most 2 decimals"),
        (
            order(limit_price=Decimal("0.41273")),
            "limit price is 0.41273, wanted at most 4 decimals",
        ),
        (
            stop_order(symbol="BTC/USD", time_in_force=TimeInForce.GTC),
            "the broker has no stop orders for coins",
        ),
        (
            order(symbol="BTC/USD"),
            "time in force is day, for this order wanted gtc or ioc",
        ),
        (
            order(symbol=OPTION, time_in_force=TimeInForce.GTC),
            "time in force is gtc, for this order wanted day",
        ),
        (
            order(quantity=Decimal("1.5"), time_in_force=TimeInForce.GTC),
            "time in force is gtc, for this order wanted day",
        ),
        (
            stop_order(time_in_force=TimeInForce.IOC),
            "time in force is ioc, for this order wanted day or gtc",
        ),
    ],
)
def test_what_the_broker_would_not_take_as_it_stands_is_not_sent(sent: Order, why: str) -> None:
    with pytest.raises(Unsendable) as refused:
        order_body(sent, Role.ENTRY)

    assert str(refused.value) == f"{sent.client_order_id}: {why}"


@pytest.mark.parametrize(
    "sent",
    [
        order(limit_price=Decimal("41.2700")),
        order(limit_price=Decimal("0.4127")),
        order(time_in_force=TimeInForce.IOC),
        order(quantity=Decimal("0.5")),
        stop_order(quantity=Decimal("0.5")),
        market_order(symbol="BRK.B"),
    ],
)
def test_what_the_broker_takes_is_sent(sent: Order) -> None:
    assert unsendable(sent) is None


@pytest.mark.parametrize(
    ("symbol", "kind"),
    [
        ("AAPL", AssetKind.EQUITY),
        ("BRK.B", AssetKind.EQUITY),
        (OPTION, AssetKind.OPTION),
        ("BTC/USD", AssetKind.CRYPTO),
        ("1INCH/USDT", AssetKind.CRYPTO),
        ("aapl", None),
        ("../account", None),
        ("A" * 11, None),
    ],
)
def test_a_symbol_shows_what_it_names(symbol: str, kind: AssetKind | None) -> None:
    assert kind_of(symbol) is kind


def old(**changes: Any) -> OrderPayload:
    return msgspec.convert(order_json(**changes), OrderPayload, strict=False)


@pytest.mark.parametrize(
    ("new", "body"),
    [
        ({"limit_price": Decimal("41.31")}, {"limit_price": "41.31"}),
        (
            {"quantity": Decimal(10), "time_in_force": TimeInForce.GTC},
            {"qty": "10", "time_in_force": "gtc"},
        ),
    ],
)
def test_a_replacement_says_what_changes_and_its_own_name(
    new: dict[str, Any], body: dict[str, str]
) -> None:
    sent = order(client_order_id="hy1-new", replaces=NAME, **new)

    assert json.loads(replacement_body(sent, old())) == {**body, "client_order_id": "hy1-new"}


CHANGED = order(client_order_id="hy1-new", replaces=NAME, limit_price=Decimal("41.31"))


@pytest.mark.parametrize(
    ("sent", "what_was", "why"),
    [
        (CHANGED, {"filled_qty": "5"}, "has 5 filled; cancel it and decide anew"),
        (CHANGED, {"filled_qty": None}, "has none filled; cancel it and decide anew"),
        (CHANGED, {"symbol": "NOVA"}, "its symbol is HYDR, that of what it replaces NOVA"),
        (CHANGED, {"side": "sell"}, "its side is buy, that of what it replaces sell"),
        (CHANGED, {"type": "stop_limit"}, "its type is limit, that of what it replaces stop_limit"),
        (CHANGED, {"order_class": "bracket"}, "what it replaces is of class bracket"),
        (
            CHANGED,
            {"filled_qty": "sNaN"},
            "what it replaces has sNaN filled; cancel it and decide anew",
        ),
        (CHANGED, {"limit_price": "sNaN"}, "what it replaces has a price of sNaN, which is none"),
        (CHANGED, {"stop_price": "Infinity"}, "a price of Infinity, which is none"),
        (CHANGED, {"qty": None}, "only orders of whole quantities can be replaced"),
        (CHANGED, {"qty": "1.5"}, "only orders of whole quantities can be replaced"),
        (
            order(client_order_id="hy1-new", replaces=NAME),
            {},
            "it changes nothing of what it replaces",
        ),
    ],
)
def test_what_cannot_be_replaced_safely_is_not(
    sent: Order, what_was: dict[str, Any], why: str
) -> None:
    with pytest.raises(Unsendable) as refused:
        replacement_body(sent, old(**what_was))

    assert str(refused.value).endswith(why)


def test_every_type_of_order_has_its_rule() -> None:
    assert {kind: unsendable(market_order(order_type=kind)) for kind in OrderType} == {
        OrderType.MARKET: None,
        OrderType.LIMIT: "a limit order with no limit price",
        OrderType.STOP: "a stop order with no stop price",
    }
