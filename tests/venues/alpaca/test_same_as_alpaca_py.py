"""The vendor's own client, given the same order, puts the same request on the wire.

Apart from amounts, which it sends as floats and we as strings with every digit.
"""

from decimal import Decimal
from typing import Any

import pytest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, PositionIntent
from alpaca.trading.enums import TimeInForce as TheirTime
from alpaca.trading.requests import (
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopOrderRequest,
)

from hydra.settings.secret import Secret
from hydra.trading.orders import Order, Role, Side, TimeInForce
from hydra.venues.alpaca.http import HttpClient, Keys, Request
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.payloads import read_order
from hydra.venues.alpaca.reads import get, order_path
from hydra.venues.alpaca.sending import order_body, replacement_body
from tests.venues.alpaca.fake_alpaca import FakeAlpaca, Received, Reply, fake_alpaca
from tests.venues.alpaca.samples import ID, NAME, market_order, order, order_json, stop_order

KEY, SECRET = "HYDRA-a-key", "a-secret"
AMOUNTS = {"qty", "limit_price", "stop_price"}
OUR_OWN = {"User-Agent", "Accept-Encoding", "Accept", "Connection"}
"""How each client speaks of itself and of the connection; the broker asks for none of it."""


def theirs(broker: FakeAlpaca) -> TradingClient:
    client = TradingClient(KEY, SECRET, paper=True, raw_data=True, url_override=broker.url)
    client._session.trust_env = False
    return client


def ours(broker: FakeAlpaca) -> HttpClient:
    keys = Keys(Secret(KEY), Secret(SECRET))
    return HttpClient(broker.url, keys, Network(loopback_only=True))


def content(received: Received) -> tuple[object, ...]:
    """All that the broker goes by: method, path, query, headers, body."""
    headers = {name: text for name, text in received.headers.items() if name not in OUR_OWN}
    headers.pop("Content-Length", None)
    body = received.json if received.body else None
    if isinstance(body, dict):
        body = {name: _as_amount(name, value) for name, value in body.items()}
    return received.method, received.path, received.query, headers, body


def _as_amount(name: str, value: Any) -> Any:
    return Decimal(str(value)) if name in AMOUNTS else value


COMMON: dict[str, Any] = {"client_order_id": NAME, "symbol": "HYDR", "side": OrderSide.BUY}
CASES: list[tuple[Order, Role, Any]] = [
    (
        order(),
        Role.ENTRY,
        LimitOrderRequest(**COMMON, qty=12, time_in_force=TheirTime.DAY, limit_price=41.27),
    ),
    (
        market_order(quantity=Decimal("0.5")),
        Role.ENTRY,
        MarketOrderRequest(**COMMON, qty=0.5, time_in_force=TheirTime.DAY),
    ),
    (
        stop_order(side=Side.SELL, time_in_force=TimeInForce.GTC),
        Role.EXIT,
        StopOrderRequest(
            **(COMMON | {"side": OrderSide.SELL}),
            qty=12,
            time_in_force=TheirTime.GTC,
            stop_price=40.5,
            position_intent=PositionIntent.SELL_TO_CLOSE,
        ),
    ),
    (
        order(symbol="BTC/USD", quantity=Decimal("0.0125"), time_in_force=TimeInForce.IOC),
        Role.EXIT,
        LimitOrderRequest(
            **(COMMON | {"symbol": "BTC/USD"}),
            qty=0.0125,
            time_in_force=TheirTime.IOC,
            limit_price=41.27,
        ),
    ),
    (
        order(symbol="HYDR261218C00042500"),
        Role.ENTRY,
        LimitOrderRequest(
            **(COMMON | {"symbol": "HYDR261218C00042500"}),
            qty=12,
            time_in_force=TheirTime.DAY,
            limit_price=41.27,
            position_intent=PositionIntent.BUY_TO_OPEN,
        ),
    ),
]


@pytest.mark.parametrize(("mine", "role", "request_of_theirs"), CASES)
def test_an_order_is_the_request_that_alpaca_py_would_send(
    mine: Order, role: Role, request_of_theirs: Any
) -> None:
    with fake_alpaca(lambda _: Reply(200, order_json())) as broker:
        theirs(broker).submit_order(request_of_theirs)
        client = ours(broker)
        client.call(Request(method="POST", target="/v2/orders", body=order_body(mine, role)))
        client.close()

    sent_by_them, sent_by_us = map(content, broker.received)
    assert sent_by_us == sent_by_them


def test_reading_replacing_and_canceling_are_the_requests_that_alpaca_py_would_send() -> None:
    new = order(client_order_id="hy1-new", limit_price=Decimal("41.31"), replaces=NAME)
    with fake_alpaca(lambda _: Reply(200, order_json())) as broker:
        client = theirs(broker)
        client.get_order_by_client_id(NAME)
        client.get_orders(GetOrdersRequest(limit=500))
        client.get_account()
        client.get_all_positions()
        client.replace_order_by_id(
            ID, ReplaceOrderRequest(limit_price=41.31, client_order_id="hy1-new")
        )
        client.cancel_order_by_id(ID)
        client.cancel_orders()
        by_them = [content(each) for each in broker.received]
        broker.received.clear()
        mine = ours(broker)
        body = replacement_body(new, read_order(Reply(200, order_json()).raw.split(b"\r\n\r\n")[1]))
        for request in (
            get("/v2/orders:by_client_order_id", {"client_order_id": NAME}),
            get("/v2/orders", {"limit": "500"}),
            get("/v2/account", {}),
            get("/v2/positions", {}),
            Request(method="PATCH", target=order_path(ID), body=body),
            Request(method="DELETE", target=order_path(ID)),
            Request(method="DELETE", target="/v2/orders"),
        ):
            mine.call(request)
        mine.close()

    assert [content(each) for each in broker.received] == by_them
