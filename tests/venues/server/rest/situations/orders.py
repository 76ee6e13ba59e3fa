"""Orders that are taken, read, replaced and canceled; and why some cannot be."""

from typing import Any

from hydra.venues.simulated.brokerage.acts import HoldCancels
from tests.venues.server.rest.asgi import Answer
from tests.venues.server.rest.situations.registry import example
from tests.venues.server.rest.stage import CALL, HIGHER_CALL, LIMIT, SATURDAY, Stage
from tests.venues.server.rest.vectors import vector

NAME = "hy1-20261123-mom-000017-e"


def sent(name: str, stage: Stage | None = None) -> Answer:
    """The very request of the example."""
    stage = Stage() if stage is None else stage
    return stage.ask("POST", "/v2/orders", body=vector(name)["request"]["body"])


@example
def order_create_limit() -> Answer:
    return sent("order_create_limit")


@example
def order_create_from_alpaca_py() -> Answer:
    return sent("order_create_from_alpaca_py")


@example
def order_create_after_hours() -> Answer:
    return Stage(now=SATURDAY).ask("POST", "/v2/orders", body=LIMIT)


@example
def order_create_notional() -> Answer:
    return sent("order_create_notional")


@example
def order_create_crypto() -> Answer:
    return sent("order_create_crypto")


@example
def order_create_option() -> Answer:
    wanted = vector("order_create_option")["request"]["body"]
    return Stage().ask("POST", "/v2/orders", body={**wanted, "symbol": CALL})


@example
def order_create_mleg() -> Answer:
    wanted = vector("order_create_mleg")["request"]["body"]
    bought, sold = wanted["legs"]
    legs = [{**bought, "symbol": CALL}, {**sold, "symbol": HIGHER_CALL}]
    return Stage().ask("POST", "/v2/orders", body={**wanted, "legs": legs})


@example
def order_create_bracket() -> Answer:
    return sent("order_create_bracket")


@example
def order_create_trailing_stop() -> Answer:
    stage = Stage()
    stage.buy()
    answer = sent("order_create_trailing_stop", stage)
    return stage.ask("GET", f"/v2/orders/{answer.json['id']}")


@example
def orders_list() -> Answer:
    stage = Stage()
    stage.fill(stage.rest(), "5", "34.99")
    stage.place(symbol="BTC/USD", qty="0.0125", limit_price="50000", time_in_force="gtc")
    query = {"status": "open", "limit": "500", "direction": "asc", "nested": "true"}
    return stage.ask("GET", "/v2/orders", query)


@example
def order_get_by_id() -> Answer:
    stage = Stage()
    order = stage.rest()
    stage.fill(order, "5", "34.99")
    return stage.ask("GET", f"/v2/orders/{order['id']}", {"nested": "true"})


@example
def order_get_by_client_order_id() -> Answer:
    stage = Stage()
    stage.fill(stage.rest(client_order_id=NAME), "12", "34.99")
    return stage.ask("GET", "/v2/orders:by_client_order_id", {"client_order_id": NAME})


@example
def error_order_not_found() -> Answer:
    name = "hy1-20261123-mom-000099-e"
    return Stage().ask("GET", "/v2/orders:by_client_order_id", {"client_order_id": name})


@example
def error_order_id_malformed() -> Answer:
    return Stage().ask("GET", "/v2/orders/fake_id")


@example
def order_replace() -> Answer:
    stage = Stage()
    order = stage.rest()
    return replaced(stage, order, limit_price="35.04", client_order_id=f"{NAME}-r1")


@example
def order_get_replaced() -> Answer:
    stage = Stage()
    order = stage.rest()
    replaced(stage, order, limit_price="35.04")
    return stage.ask("GET", f"/v2/orders/{order['id']}")


@example
def error_replace_not_open() -> Answer:
    stage = Stage()
    order = stage.rest()
    stage.ask("DELETE", f"/v2/orders/{order['id']}")
    return replaced(stage, order, limit_price="35.04")


@example
def error_replace_not_sent_yet() -> Answer:
    stage = Stage(now=SATURDAY)
    return replaced(stage, stage.rest(), limit_price="35.04")


@example
def error_replace_unchanged() -> Answer:
    stage = Stage()
    return replaced(stage, stage.rest(), limit_price="35.00")


@example
def error_replace_qty_le_filled() -> Answer:
    stage = Stage()
    order = stage.rest()
    stage.fill(order, "5", "34.99")
    return replaced(stage, order, qty="5")


@example
def error_replace_status() -> Answer:
    stage = Stage()
    stage.act(HoldCancels())
    order = stage.rest()
    stage.ask("DELETE", f"/v2/orders/{order['id']}")
    return replaced(stage, order, limit_price="35.04")


@example
def order_cancel() -> Answer:
    stage = Stage()
    return stage.ask("DELETE", f"/v2/orders/{stage.rest()['id']}")


@example
def error_cancel_filled() -> Answer:
    stage = Stage()
    return stage.ask("DELETE", f"/v2/orders/{stage.buy()['id']}")


@example
def error_cancel_pending() -> Answer:
    stage = Stage()
    stage.act(HoldCancels())
    order = stage.rest()
    stage.ask("DELETE", f"/v2/orders/{order['id']}")
    return stage.ask("DELETE", f"/v2/orders/{order['id']}")


@example
def orders_cancel_all() -> Answer:
    stage = Stage()
    stage.fill(stage.rest(), "5", "34.99")
    return stage.ask("DELETE", "/v2/orders")


@example
def orders_cancel_all_empty() -> Answer:
    return Stage().ask("DELETE", "/v2/orders")


def replaced(stage: Stage, order: dict[str, Any], **changes: str) -> Answer:
    return stage.ask("PATCH", f"/v2/orders/{order['id']}", body=changes)
