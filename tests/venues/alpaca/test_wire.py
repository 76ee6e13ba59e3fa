"""The broker's JSON in the engine's terms: exact, lenient where that is safe, never silent."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.trading.echo import echo_mismatch
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenuePosition
from hydra.venues.alpaca import payloads, wire
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.payloads import OrderPayload
from hydra.venues.alpaca.times import nanoseconds
from tests.venues.alpaca.samples import (
    ID,
    NAME,
    SUBMITTED,
    account_json,
    fill_json,
    order,
    order_json,
    position_json,
)
from tests.venues.alpaca.vectors import PAYLOADS, payload

AT = nanoseconds(SUBMITTED)


def nobody(_: str) -> str | None:
    return None


def read(**changes: Any) -> OrderPayload:
    return payloads.read_order(json.dumps(order_json(**changes)).encode())


def as_venue_has_it(**changes: Any) -> VenueOrder:
    return wire.venue_order(read(**changes), {"other-id": "hy1-other"}.get)


FINE = VenueOrder(
    order=order(),
    venue_order_id=ID,
    status=OrderStatus.ACCEPTED,
    filled_quantity=Decimal(0),
    at=AT,
)


def test_an_order_is_read_whole_and_is_its_own_echo_i27() -> None:
    assert as_venue_has_it() == FINE
    assert echo_mismatch(order(), as_venue_has_it().order) is None


@pytest.mark.parametrize(
    ("wire_field", "value", "altered"),
    [
        ("client_order_id", "hy1-other", "client order id"),
        ("symbol", "NOVA", "symbol"),
        ("side", "sell", "side"),
        ("qty", "11.999999999", "quantity"),
        ("type", "market", "order type"),
        ("time_in_force", "gtc", "time in force"),
        ("limit_price", "41.270000001", "limit price"),
        ("limit_price", None, "limit price"),
        ("stop_price", "1", "stop price"),
        ("replaces", "other-id", "replaces"),
    ],
)
def test_each_field_that_comes_back_otherwise_is_seen_in_the_echo_i27(
    wire_field: str, value: str | None, altered: str
) -> None:
    mismatch = echo_mismatch(order(), as_venue_has_it(**{wire_field: value}).order)

    assert mismatch is not None
    assert mismatch.startswith(f"{altered} is ")


STATUSES = {
    "pending_new": OrderStatus.ACCEPTED,
    "accepted": OrderStatus.ACCEPTED,
    "accepted_for_bidding": OrderStatus.ACCEPTED,
    "pending_review": OrderStatus.ACCEPTED,
    "new": OrderStatus.ACCEPTED,
    "held": OrderStatus.ACCEPTED,
    "pending_cancel": OrderStatus.ACCEPTED,
    "pending_replace": OrderStatus.ACCEPTED,
    "stopped": OrderStatus.ACCEPTED,
    "suspended": OrderStatus.ACCEPTED,
    "calculated": OrderStatus.ACCEPTED,
    "done_for_day": OrderStatus.ACCEPTED,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
    "replaced": OrderStatus.REPLACED,
}


@pytest.mark.parametrize("status", STATUSES)
def test_only_what_the_market_does_not_have_yet_is_queued(status: str) -> None:
    queued = {"pending_new", "accepted", "accepted_for_bidding", "pending_review"}

    assert as_venue_has_it(status=status).is_queued is (status in queued)


@pytest.mark.parametrize("status", STATUSES)
def test_what_is_suspended_or_done_for_the_day_is_idle_so_that_it_protects_nothing_i30(
    status: str,
) -> None:
    assert as_venue_has_it(status=status).is_idle is (status in {"suspended", "done_for_day"})


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_the_broker_is_one_of_ours(status: str) -> None:
    filled = "5" if status == "partially_filled" else "0"

    listing = as_venue_has_it(status=status, filled_qty=filled)

    assert (listing.status, listing.unread) == (STATUSES[status], "")


@pytest.mark.parametrize(
    ("changes", "unread"),
    [
        ({"status": "frozen"}, "status is frozen"),
        ({"status": None}, "status is none"),
        ({"type": "stop_limit"}, "type is stop_limit"),
        ({"type": "trailing_stop"}, "type is trailing_stop"),
        ({"time_in_force": "opg"}, "time in force is opg"),
        ({"side": "sell_short"}, "side is sell_short"),
        ({"order_class": "bracket"}, "class is bracket"),
        ({"extended_hours": True}, "it works in extended hours"),
        (
            {"qty": None, "notional": "500.75"},
            "no quantity, but a notional of 500.75",
        ),
        ({"replaces": "lost"}, "replaces lost, which is no order that we know"),
        ({"replaced_by": "lost"}, "replaced by lost, which is no order that we know"),
        (
            {"symbol": "", "side": "", "type": "", "order_class": "mleg"},
            "side is ''; type is ''; class is mleg",
        ),
    ],
)
def test_what_we_have_no_word_for_counts_as_open_and_says_so(
    changes: dict[str, Any], unread: str
) -> None:
    listing = as_venue_has_it(**changes)

    assert (listing.status, listing.unread) == (OrderStatus.ACCEPTED, unread)


def test_an_unknown_status_of_a_part_that_traded_keeps_what_traded() -> None:
    listing = as_venue_has_it(status="frozen", filled_qty="5")

    assert listing.status is OrderStatus.PARTIALLY_FILLED
    assert listing.filled_quantity == Decimal(5)


def test_absent_and_null_mean_the_same_and_unknown_fields_are_left_alone() -> None:
    lean = {name: value for name, value in order_json().items() if value is not None}
    rich = order_json(new_field={"nested": [1, {"x": None}]}, ratio_qty="1")

    for each in (lean, rich):
        read = payloads.read_order(json.dumps(each).encode())
        assert wire.venue_order(read, nobody) == FINE


@given(st.decimals(min_value=0, max_value=10**12, places=13, allow_nan=False))
def test_amounts_are_exact_as_strings_and_as_numbers(quantity: Decimal) -> None:
    digits = f"{quantity:f}"
    as_string = json.dumps(order_json(qty=digits)).encode()
    as_number = as_string.replace(f'"qty": "{digits}"'.encode(), f'"qty": {digits}'.encode())

    assert as_number != as_string
    for body in (as_string, as_number):
        assert wire.venue_order(payloads.read_order(body), nobody).order.quantity == quantity


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1e-400", "1e999999999"])
@pytest.mark.parametrize("name", ["qty", "filled_qty", "limit_price"])
def test_what_is_no_amount_is_a_bad_answer(name: str, number: str) -> None:
    with pytest.raises(BadAnswer):
        as_venue_has_it(**{name: number})


def test_of_two_answers_the_one_that_knows_more_counts() -> None:
    states = [
        read(status="accepted"),
        read(status="new"),
        read(status="pending_cancel"),
        read(status="canceled"),
        read(status="partially_filled", filled_qty="5"),
        read(status="pending_cancel", filled_qty="5"),
        read(status="canceled", filled_qty="5"),
        read(status="filled", filled_qty="12"),
    ]
    for place, less in enumerate(states):
        for more in states[place:]:
            assert wire.newer(less, more) is more
            assert wire.newer(more, less) is (more if more is not less else less)


def test_an_execution_is_of_its_order_under_the_name_that_the_stream_uses() -> None:
    (execution,) = payloads.read_fills(json.dumps([fill_json()]).encode())

    assert wire.fill(execution, FINE) == Fill(
        execution_id="2dd83c45-96b7-4d44-ba74-ff30a10b5795",
        client_order_id=NAME,
        symbol="HYDR",
        side=Side.BUY,
        quantity=Decimal(5),
        price=Decimal("41.262"),
        at=nanoseconds("2026-11-23T14:31:09.001144Z"),
    )


@pytest.mark.parametrize("side", ["sell", "sell_short", "other"])
def test_an_execution_that_trades_the_other_way_is_a_bad_answer(side: str) -> None:
    (execution,) = payloads.read_fills(json.dumps([fill_json(side=side)]).encode())

    with pytest.raises(BadAnswer):
        wire.fill(execution, FINE)


def test_a_short_sale_is_a_sale() -> None:
    (execution,) = payloads.read_fills(json.dumps([fill_json(side="sell_short")]).encode())
    sold = as_venue_has_it(side="sell")

    assert wire.fill(execution, sold).side is Side.SELL


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({}, VenuePosition(symbol="HYDR", quantity=Decimal(5))),
        ({"qty": "-8", "side": "short"}, VenuePosition(symbol="HYDR", quantity=Decimal(-8))),
        (
            {"asset_id": "coin", "symbol": "BTCUSD", "qty": "0.01246875"},
            VenuePosition(symbol="BTC/USD", quantity=Decimal("0.01246875")),
        ),
    ],
)
def test_a_position_is_signed_and_spelled_as_in_orders(
    changes: dict[str, Any], held: VenuePosition
) -> None:
    (row,) = payloads.read_positions(json.dumps([position_json(**changes)]).encode())

    assert wire.position(row, {"coin": "BTC/USD"}) == held


@pytest.mark.parametrize("changes", [{"side": "short"}, {"qty": "-5"}, {"qty": "NaN"}])
def test_a_position_that_contradicts_itself_is_a_bad_answer(changes: dict[str, Any]) -> None:
    (row,) = payloads.read_positions(json.dumps([position_json(**changes)]).encode())

    with pytest.raises(BadAnswer):
        wire.position(row, {})


@pytest.mark.parametrize(
    ("changes", "blocked"),
    [
        ({}, ""),
        ({"status": "ACCOUNT_UPDATED"}, "status is ACCOUNT_UPDATED"),
        ({"status": None}, "status is none"),
        ({"trading_blocked": True}, "trading_blocked"),
        ({"account_blocked": True}, "account_blocked"),
        ({"trade_suspended_by_user": True}, "trade_suspended_by_user"),
        ({"trading_blocked": None}, "trading_blocked is missing"),
        ({"crypto_status": "INACTIVE"}, "crypto status is INACTIVE"),
        ({"currency": "EUR"}, "its currency is EUR"),
        (
            {"status": "", "account_blocked": True, "trading_blocked": True},
            "status is ''; trading_blocked; account_blocked",
        ),
    ],
)
def test_an_account_says_what_keeps_it_from_trading_i44(
    changes: dict[str, Any], blocked: str
) -> None:
    row = payloads.read_account(json.dumps(account_json(**changes)).encode())

    assert wire.account(row, trades_crypto=True) == VenueAccount(
        account="PA3HYDRA0001",
        cash=Decimal("61874.33"),
        equity=Decimal("98412.71"),
        blocked=blocked,
    )


def test_who_trades_no_coins_may_trade_without_them() -> None:
    row = payloads.read_account(json.dumps(account_json(crypto_status="INACTIVE")).encode())

    assert wire.account(row, trades_crypto=False).blocked == ""


def venue_orders(body: bytes) -> list[VenueOrder]:
    orders = wire.with_legs([payloads.read_order(body)])
    return [wire.venue_order(each, nobody) for each in orders]


def many_venue_orders(body: bytes) -> list[VenueOrder]:
    orders = wire.with_legs(payloads.read_orders(body))
    return [wire.venue_order(each, nobody) for each in orders]


def accounts(body: bytes) -> VenueAccount:
    return wire.account(payloads.read_account(body), trades_crypto=True)


def positions(body: bytes) -> list[VenuePosition]:
    return [wire.position(each, {}) for each in payloads.read_positions(body)]


def fills(body: bytes) -> list[Fill]:
    return [wire.fill(each, FINE) for each in payloads.read_fills(body)]


READERS: list[Callable[[bytes], object]] = [
    venue_orders,
    many_venue_orders,
    accounts,
    positions,
    fills,
    payloads.read_asset,
    payloads.read_assets,
    payloads.read_clock,
    payloads.read_sessions,
    payloads.read_canceled,
]
SAMPLES = [order_json(), fill_json(), account_json(), position_json()]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["", "NaN", "1e999999999", "-1", "buy", "short", "filled", "9" * 400]),
)
JSON = st.recursive(
    LEAVES,
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=4,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The broker's JSON with some of its fields gone, or something else; or cut; or noise."""
    sample = dict(draw(st.sampled_from(SAMPLES)))
    for name in draw(st.lists(st.sampled_from(sorted(sample)), max_size=4)):
        sample[name] = draw(JSON)
    for name in draw(st.lists(st.sampled_from(sorted(sample)), max_size=2)):
        sample.pop(name, None)
    body = json.dumps(draw(st.sampled_from([sample, [sample], [sample, sample]]))).encode()
    cut = draw(st.integers(0, len(body)))
    return draw(st.sampled_from([body, body[:cut], body[:cut] + b"\xff" + body[cut:]]))


ANYTHING = st.one_of(damaged(), st.binary(), st.sampled_from([b"[" * 50_000, b'{"a":' * 50_000]))


@given(st.sampled_from(READERS), ANYTHING)
def test_whatever_the_broker_sends_is_read_or_is_a_bad_answer(
    read: Callable[[bytes], object], body: bytes
) -> None:
    require_read_or_bad(read, body)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=5_000, deadline=None)
@given(st.sampled_from(READERS), ANYTHING)
def test_much_of_whatever_the_broker_sends_is_read_or_is_a_bad_answer(
    read: Callable[[bytes], object], body: bytes
) -> None:
    require_read_or_bad(read, body)


def require_read_or_bad(read: Callable[[bytes], object], body: bytes) -> None:
    try:
        read(body)
    except BadAnswer:
        return


ORDERS_IN_VECTORS = [
    "order_create_limit",
    "order_create_from_alpaca_py",
    "order_create_after_hours",
    "order_create_notional",
    "order_create_crypto",
    "order_create_option",
    "order_create_mleg",
    "order_create_bracket",
    "order_create_trailing_stop",
    "order_get_by_id",
    "order_get_by_client_order_id",
    "order_replace",
    "order_get_replaced",
    "position_close",
]


@pytest.mark.parametrize("name", ORDERS_IN_VECTORS)
def test_every_recorded_order_is_read(name: str) -> None:
    body = payload(name)["response"]["body"]

    listings = venue_orders(json.dumps(body).encode())

    assert [each.venue_order_id for each in listings] == [
        each["id"] for each in [body, *(body["legs"] or [])]
    ]
    assert listings[0].filled_quantity == Decimal(body["filled_qty"])
    assert listings[0].order.quantity == Decimal(body["qty"] or 0)


def test_a_recorded_order_of_ours_is_read_to_the_last_digit() -> None:
    body = payload("order_create_crypto")["response"]["body"]

    (listing,) = venue_orders(json.dumps(body).encode())

    assert listing == VenueOrder(
        order=Order(
            client_order_id="hy1-20261123-btc-000004-e",
            symbol="BTC/USD",
            side=Side.BUY,
            quantity=Decimal("0.0125"),
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            limit_price=Decimal("61250.55"),
        ),
        venue_order_id="8370f346-41df-455f-8ce3-0064735a24d8",
        status=OrderStatus.ACCEPTED,
        filled_quantity=Decimal(0),
        at=nanoseconds("2026-11-23T14:31:07.419914502Z"),
        is_queued=True,
    )


READ_BY: dict[str, Callable[[bytes], object]] = {
    "account": accounts,
    "account_blocked": accounts,
    "account_legacy_pdt_fields": accounts,
    "activities_fill": payloads.read_fills,
    "asset_crypto": payloads.read_asset,
    "asset_equity": payloads.read_asset,
    "asset_equity_without_easy_to_borrow": payloads.read_asset,
    "assets_list_crypto": payloads.read_assets,
    "calendar_thanksgiving_week": payloads.read_sessions,
    "clock_closed_weekend": payloads.read_clock,
    "clock_open": payloads.read_clock,
    "orders_cancel_all": payloads.read_canceled,
    "orders_cancel_all_empty": payloads.read_canceled,
    "orders_list": many_venue_orders,
    "positions_list": positions,
}


@pytest.mark.parametrize("name", READ_BY)
def test_every_other_recorded_answer_is_read(name: str) -> None:
    READ_BY[name](json.dumps(payload(name)["response"]["body"]).encode())


def test_a_recorded_account_that_must_not_trade_says_why() -> None:
    body = json.dumps(payload("account_blocked")["response"]["body"]).encode()

    assert accounts(body).blocked == "trading_blocked; trade_suspended_by_user"


def test_the_recorded_positions_are_what_is_held() -> None:
    body = json.dumps(payload("positions_list")["response"]["body"]).encode()

    assert [(each.symbol, each.quantity) for each in positions(body)] == [
        ("HYDR", Decimal(12)),
        ("NOVA", Decimal(-8)),
        ("BTCUSD", Decimal("0.01246875")),
        ("HYDR261218C00042500", Decimal(2)),
    ]


def test_the_vectors_that_hold_orders_are_all_looked_at() -> None:
    if not PAYLOADS.exists():
        pytest.skip("the collection of recorded payloads is not there")
    names = {path.stem for path in PAYLOADS.glob("order_*.json")} - {"order_cancel"}

    assert names <= set(ORDERS_IN_VECTORS)
