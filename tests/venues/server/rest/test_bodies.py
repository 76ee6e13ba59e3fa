import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.refusals import Refusal
from hydra.venues.simulated.brokerage.requests import (
    Configure,
    Leg,
    PlaceOrder,
    ReplaceOrder,
    StopLoss,
    TakeProfit,
)
from hydra.venues.simulated.brokerage.words import (
    OrderClass,
    OrderType,
    PositionIntent,
    TimeInForce,
)
from hydra.venues.simulated.server.rest.bodies import read_fields
from hydra.venues.simulated.server.rest.errors import Refused
from hydra.venues.simulated.server.rest.trading.account import configuration_of
from hydra.venues.simulated.server.rest.trading.order_bodies import place_order, replace_order
from tests.venues.server.rest.vectors import needs_vectors, vector

LIMIT = PlaceOrder(
    symbol="HYDR",
    quantity=Decimal(12),
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    limit_price=Decimal("41.27"),
    time_in_force=TimeInForce.DAY,
    client_order_id="hy1-20261123-mom-000017-e",
)


def sent(name: str) -> PlaceOrder:
    return place_order(read_fields(json.dumps(vector(name)["request"]["body"]).encode()))


def refusal_of(body: bytes) -> Refusal:
    with pytest.raises(Refused) as refused:
        place_order(read_fields(body))
    return refused.value.refusal


@needs_vectors
def test_an_order_in_strings_and_the_same_in_numbers_are_one_order() -> None:
    assert sent("order_create_limit") == LIMIT
    assert sent("order_create_from_alpaca_py") == LIMIT


@needs_vectors
def test_every_field_of_a_bracket_is_read() -> None:
    assert sent("order_create_bracket") == PlaceOrder(
        symbol="HYDR",
        quantity=Decimal(12),
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        limit_price=Decimal("41.27"),
        time_in_force=TimeInForce.GTC,
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfit(Decimal("43.50")),
        stop_loss=StopLoss(Decimal("40.10")),
        client_order_id="hy1-20261123-mom-000019-e",
    )


@needs_vectors
def test_every_field_of_a_spread_is_read() -> None:
    assert sent("order_create_mleg") == PlaceOrder(
        quantity=Decimal(2),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("0.85"),
        time_in_force=TimeInForce.DAY,
        order_class=OrderClass.MLEG,
        client_order_id="hy1-20261123-spr-000001-e",
        legs=(
            Leg("HYDR261218C00042500", Decimal(1), Side.BUY, PositionIntent.BUY_TO_OPEN),
            Leg("HYDR261218C00045000", Decimal(1), Side.SELL, PositionIntent.SELL_TO_OPEN),
        ),
    )


def test_a_number_is_read_by_its_text_and_not_as_a_float() -> None:
    order = place_order(read_fields(b'{"qty": 0.30000000000000004, "notional": 1e-05}'))

    assert order == PlaceOrder(quantity=Decimal("0.30000000000000004"), notional=Decimal("0.00001"))


def test_null_and_empty_are_absent_and_unknown_fields_are_ignored() -> None:
    body = b'{"symbol": "HYDR", "qty": null, "limit_price": "", "legs": null, "colour": [1, {}]}'

    assert place_order(read_fields(body)) == PlaceOrder(symbol="HYDR")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"qty": NaN}', b"[" * 100_000],
)
def test_what_is_no_json_object_is_a_bad_request(body: bytes) -> None:
    assert refusal_of(body) == Refusal(400, 40010000, "request body format is invalid")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"time_in_force": "forever"}', "invalid time_in_force"),
        (b'{"side": "BUY"}', "invalid side"),
        (b'{"type": 7}', "invalid type"),
        (b'{"qty": "12 shares"}', "invalid qty: wanted a number"),
        (b'{"qty": true}', "invalid qty: wanted a number"),
        (b'{"qty": "1_000"}', "invalid qty: wanted a number"),
        (b'{"qty": "Infinity"}', "invalid qty: wanted a number"),
        (b'{"qty": 1e999999999}', "invalid qty: wanted a number"),
        (b'{"symbol": 12}', "invalid symbol: wanted a string"),
        (b'{"extended_hours": "perhaps"}', "invalid extended_hours: wanted true or false"),
        (b'{"take_profit": 43}', "invalid take_profit: wanted an object"),
        (b'{"take_profit": {}}', "take_profit.limit_price is required"),
        (b'{"stop_loss": {"stop_price": "x"}}', "invalid stop_loss.stop_price: wanted a number"),
        (b'{"legs": [1]}', "invalid legs: wanted a list of objects"),
        (b'{"legs": [{"symbol": "A"}]}', "legs[0].ratio_qty is required"),
        (b'{"legs": [{"symbol": "A", "ratio_qty": 1}]}', "legs[0].side is required"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(body: bytes, message: str) -> None:
    assert refusal_of(body) == Refusal(422, 40010001, message)


def test_a_replacement_names_its_order_and_leaves_out_what_stays() -> None:
    body = read_fields(b'{"limit_price": 41.31, "qty": "5", "trail": null}')

    assert replace_order("an-id", body) == ReplaceOrder(
        order_id="an-id", quantity=Decimal(5), limit_price=Decimal("41.31")
    )


def test_a_configuration_is_changed_key_by_key() -> None:
    body = read_fields(b'{"suspend_trade": true, "max_options_trading_level": 2, "dtbp_check": ""}')

    assert configuration_of(body) == Configure(suspend_trade=True, max_options_trading_level=2)


@pytest.mark.parametrize(
    "body",
    [
        b'{"max_options_trading_level": 4}',
        b'{"max_options_trading_level": 1.5}',
        b'{"max_margin_multiplier": "3"}',
        b'{"trade_confirm_email": "some"}',
        b'{"suspend_trade": 1}',
    ],
)
def test_a_setting_that_does_not_exist_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        configuration_of(read_fields(body))
    assert (refused.value.refusal.status, refused.value.refusal.code) == (422, 40010001)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
FIELDS = (*PlaceOrder.__struct_fields__, "qty", "type", "trail", "stop_loss", "take_profit")


@given(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8) | json_values)
def test_any_json_is_an_order_or_refused(body: object) -> None:
    sent_body = json.dumps(body).encode()

    for parse in (place_order, lambda fields: replace_order("id", fields), configuration_of):
        with suppress(Refused):
            parse(read_fields(sent_body))


@given(st.binary(max_size=60))
def test_any_bytes_are_an_order_or_refused(body: bytes) -> None:
    with suppress(Refused):
        place_order(read_fields(body))
