"""Every update of an order as the broker's examples have it."""

from __future__ import annotations

from typing import Any

import pytest

from hydra.venues.simulated.brokerage.orders import LegFill, TradeUpdate
from hydra.venues.simulated.brokerage.words import UpdateEvent
from hydra.venues.simulated.server.streams.update_messages import update_message
from tests.venues.server.rest.vectors import PAYLOADS, needs_vectors, vector
from tests.venues.server.rest.wire_values import amount, instant, order_of


def examples() -> list[Any]:
    """Each message of the trading stream's examples."""
    return [
        pytest.param(frame["msg"], id=f"{path.stem}-{number}")
        for path in sorted(PAYLOADS.glob("ws_tu_*.json"))
        for number, frame in enumerate(vector(path.stem)["frames"])
    ]


@needs_vectors
@pytest.mark.parametrize("message", examples())
def test_an_update_is_written_as_in_the_example(message: dict[str, Any]) -> None:
    data = message["data"]
    legs = {leg["id"]: leg for leg in data["order"]["legs"] or ()}

    written = update_message(
        update_of(data), lambda name: order_of(whole(legs[name]), data["order"]["type"])
    )

    assert normal(written) == normal(message)


def update_of(data: dict[str, Any]) -> TradeUpdate:
    """The brokerage's own value that says the same."""
    at = instant(data["timestamp"])
    assert at is not None
    return TradeUpdate(
        event=UpdateEvent(data["event"]),
        order=order_of(whole(data["order"])),
        at=at,
        execution_id=data.get("execution_id"),
        price=amount(data.get("price")),
        quantity=amount(data.get("qty")),
        position_quantity=amount(data.get("position_qty")),
        legs=tuple(leg_of(leg) for leg in data.get("legs") or ()),
        previous_execution_id=data.get("previous_execution_id"),
        reason=data.get("reason", ""),
    )


def leg_of(leg: dict[str, Any]) -> LegFill:
    price, quantity = amount(leg["price"]), amount(leg["qty"])
    assert price is not None and quantity is not None
    return LegFill(
        order_id=leg["order_id"],
        symbol=leg["symbol"],
        execution_id=leg["execution_id"],
        price=price,
        quantity=quantity,
        position_quantity=quantity,
    )


def whole(order: dict[str, Any]) -> dict[str, Any]:
    """With the field that the stream leaves out."""
    return {"position_intent": "", **order}


def normal(message: dict[str, Any]) -> dict[str, Any]:
    """Without what may differ: the order of fields, and digits that say nothing."""
    return {
        **message,
        "data": {
            name: _normal_order(value) if name == "order" else _normal_amounts(value)
            for name, value in sorted(message["data"].items())
        },
    }


def _normal_order(order: dict[str, Any]) -> dict[str, Any]:
    legs = order["legs"] and [_normal_order(leg) for leg in order["legs"]]
    return {name: _normal_amounts(value) for name, value in order.items()} | {"legs": legs}


def _normal_amounts(value: Any) -> Any:
    if isinstance(value, str) and value.replace(".", "", 1).lstrip("-").isdigit():
        return amount(value)
    if isinstance(value, str) and instant_or_none(value) is not None:
        return instant(value)
    return value


def instant_or_none(text: str) -> int | None:
    return instant(text) if text[4:5] == "-" and text.endswith("Z") else None
