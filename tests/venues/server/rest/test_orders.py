"""Lists of orders, and the two ways to one."""

from typing import Any

import pytest

from tests.venues.server.rest.stage import CALL, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def listed(stage: Stage, **query: str) -> list[str]:
    answer = stage.ask("GET", "/v2/orders", query)
    assert answer.status == 200, answer.content
    return [order["client_order_id"] for order in answer.json]


def with_orders(stage: Stage) -> Stage:
    """a to d, a second apart: a canceled, b open, c filled, d open in another symbol."""
    canceled = stage.rest(client_order_id="a")
    stage.ask("DELETE", f"/v2/orders/{canceled['id']}")
    stage.come_to("2026-11-23T14:31:08.5Z")
    stage.rest(client_order_id="b")
    stage.come_to("2026-11-23T14:31:09.5Z")
    stage.buy("BTC/USD", "0.0125", client_order_id="c")
    stage.come_to("2026-11-23T14:31:10.5Z")
    stage.place(symbol="NOVA", side="sell", limit_price="25", client_order_id="d")
    return stage


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, "db"),
        ({"status": "open"}, "db"),
        ({"status": "closed"}, "ca"),
        ({"status": "all"}, "dcba"),
        ({"status": "all", "direction": "asc"}, "abcd"),
        ({"status": "all", "direction": "asc", "limit": "2"}, "ab"),
        ({"status": "all", "limit": "1"}, "d"),
        ({"status": "all", "limit": "2"}, "dc"),
        ({"status": "all", "after": "2026-11-23T14:31:08.5Z"}, "dc"),
        ({"status": "all", "until": "2026-11-23T14:31:09.5Z"}, "ba"),
        (
            {
                "status": "all",
                "after": "2026-11-23T09:31:08-05:00",
                "until": "2026-11-23T14:31:10Z",
            },
            "cb",
        ),
        ({"status": "all", "symbols": "HYDR,NOVA"}, "dba"),
        ({"status": "all", "symbols": "BTC/USD"}, "c"),
        ({"status": "all", "side": "sell"}, "d"),
        ({"status": "all", "asset_class": "crypto"}, "c"),
        ({"status": "all", "nested": "True"}, "dcba"),
        ({"status": "all", "symbols": "", "limit": ""}, "dcba"),
    ],
)
def test_orders_are_listed_as_asked(stage: Stage, query: dict[str, str], names: str) -> None:
    with_orders(stage)

    assert listed(stage, **query) == list(names)


def test_the_id_cursors_leave_their_order_out(stage: Stage) -> None:
    with_orders(stage)
    ids = {
        order["client_order_id"]: order["id"]
        for order in stage.ask("GET", "/v2/orders", {"status": "all"}).json
    }

    assert listed(stage, status="all", before_order_id=ids["c"]) == ["b", "a"]
    assert listed(stage, status="all", after_order_id=ids["b"], direction="asc") == ["c", "d"]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "some"},
        {"limit": "501"},
        {"limit": "0"},
        {"limit": "many"},
        {"direction": "up"},
        {"nested": "perhaps"},
        {"after": "yesterday"},
        {"side": "long"},
        {"asset_class": "bond"},
        {"before_order_id": "a", "after_order_id": "b"},
        {"before_order_id": "a", "after": "2026-11-23"},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(stage: Stage, query: dict[str, str]) -> None:
    answer = stage.ask("GET", "/v2/orders", query)

    assert (answer.status, answer.json["code"]) == (422, 40010001)


def test_fifty_are_listed_unless_more_are_asked_for(stage: Stage) -> None:
    for number in range(60):
        stage.ask("POST", "/v2/orders", body={**PENNY, "client_order_id": str(number)})

    assert len(listed(stage)) == 50
    assert len(listed(stage, limit="500")) == 60
    assert listed(stage)[0] == "59"


PENNY: dict[str, Any] = {
    "symbol": "HYDR",
    "qty": 1,
    "side": "buy",
    "type": "limit",
    "limit_price": 1.01,
    "time_in_force": "day",
}
BRACKET: dict[str, Any] = {
    "order_class": "bracket",
    "take_profit": {"limit_price": "43.50"},
    "stop_loss": {"stop_price": "30"},
}


def test_legs_are_below_their_order_or_beside_it_but_not_both(stage: Stage) -> None:
    placed = stage.ask("POST", "/v2/orders", body={**PENNY, **BRACKET, "limit_price": "35"}).json

    (nested,) = stage.ask("GET", "/v2/orders", {"nested": "true"}).json
    flat = stage.ask("GET", "/v2/orders").json
    one = stage.ask("GET", f"/v2/orders/{placed['id']}", {"nested": "true"}).json
    by_name = stage.ask(
        "GET",
        "/v2/orders:by_client_order_id",
        {"client_order_id": placed["client_order_id"], "nested": "true"},
    ).json

    assert [leg["order_type"] for leg in nested["legs"]] == ["limit", "stop"]
    assert {order["id"] for order in flat} == {
        nested["id"],
        *(leg["id"] for leg in nested["legs"]),
    }
    assert all(order["legs"] is None for order in flat)
    assert one == by_name == nested


def test_an_order_is_echoed_without_exponent_or_float_noise(stage: Stage) -> None:
    body = b'{"symbol":"BTC/USD","qty":1e-3,"side":"buy","type":"limit","limit_price":50000.10,'
    answer = stage.ask("POST", "/v2/orders", content=body + b'"time_in_force":"gtc","x":[{}]}')

    assert (answer.json["qty"], answer.json["limit_price"]) == ("0.001", "50000.1")


def test_only_a_uuid_names_an_order(stage: Stage) -> None:
    order = stage.rest()
    unknown = "00000000-0000-4000-8000-000000000000"

    assert stage.ask("GET", f"/v2/orders/{order['id'].upper()}").json["id"] == order["id"]
    for method in ("GET", "DELETE"):
        found = stage.ask(method, f"/v2/orders/{unknown}")
        assert found.json == {"code": 40410000, "message": f"order not found for {unknown}"}
        assert stage.ask(method, "/v2/orders/7").json["code"] == 40010001
    assert stage.ask("PATCH", f"/v2/orders/{unknown}", body={"qty": "1"}).status == 404
    assert stage.ask("GET", "/v2/orders:by_client_order_id").status == 422


def test_a_closed_position_is_closed_in_part_by_quantity_or_percentage(stage: Stage) -> None:
    stage.buy(qty="10")

    both = stage.ask("DELETE", "/v2/positions/HYDR", {"qty": "1", "percentage": "10"})
    part = stage.ask("DELETE", "/v2/positions/HYDR", {"qty": "4"})
    half = stage.ask("DELETE", "/v2/positions/HYDR", {"percentage": "50"})
    left = stage.ask("GET", "/v2/positions/HYDR").json["qty"]

    assert (both.status, part.json["qty"], half.json["qty"], left) == (422, "4", "3", "3")


def test_an_option_is_told_not_to_be_exercised(stage: Stage) -> None:
    stage.buy(CALL, "1")

    answer = stage.ask("POST", f"/v2/positions/{CALL}/do-not-exercise")

    assert (answer.status, answer.content) == (200, b"")


def test_activities_come_in_pages(stage: Stage) -> None:
    order = stage.rest(qty="10")
    for _ in range(10):
        stage.fill(order, "1", "34.99")
    path, query = "/v2/account/activities", {"page_size": "4", "direction": "asc"}

    pages = [stage.ask("GET", path, query).json]
    while pages[-1]:
        pages.append(stage.ask("GET", path, {**query, "page_token": pages[-1][-1]["id"]}).json)

    assert [[row["cum_qty"] for row in page] for page in pages] == [
        ["1", "2", "3", "4"],
        ["5", "6", "7", "8"],
        ["9", "10"],
        [],
    ]
