"""Orders, and the broker's JSON of them."""

from decimal import Decimal
from typing import Any

from hydra.trading.orders import DecisionKey, Order, OrderType, Role, Side, TimeInForce
from messages.orders import OrderApproved, OrderIntent

NAME = "hy1-20261123-0123456789abcdef-e"
ID = "c2c6748d-88c5-4055-bfcc-ee1196dafb7b"
ASSET = "067a5cce-b76a-434f-8771-67a771da3a4f"
SUBMITTED = "2026-11-23T14:31:07.411870226Z"


def order(**changes: Any) -> Order:
    """A fine order: buy twelve shares at 41.27 or less."""
    fields: dict[str, Any] = {
        "client_order_id": NAME,
        "symbol": "HYDR",
        "side": Side.BUY,
        "quantity": Decimal(12),
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.DAY,
        "limit_price": Decimal("41.27"),
    }
    return Order(**(fields | changes))


def market_order(**changes: Any) -> Order:
    return order(**{"order_type": OrderType.MARKET, "limit_price": None, **changes})


def stop_order(**changes: Any) -> Order:
    fields = {"order_type": OrderType.STOP, "limit_price": None, "stop_price": Decimal("40.5")}
    return order(**(fields | changes))


def approved(order: Order, *, role: Role = Role.ENTRY, epoch: int = 2) -> OrderApproved:
    """The guardian's word for it."""
    return OrderApproved(
        intent=OrderIntent(
            decision=DecisionKey("bot", order.symbol, "2026-11-23", 1, role),
            side=order.side,
            quantity=order.quantity,
            reason="a test",
            decided_at=0,
            reference_price=None,
        ),
        order=order,
        epoch=epoch,
        expires_at=1 << 62,
    )


def order_json(**changes: Any) -> dict[str, Any]:
    """The fine order as the broker answers it."""
    fields: dict[str, Any] = {
        "id": ID,
        "client_order_id": NAME,
        "created_at": SUBMITTED,
        "updated_at": SUBMITTED,
        "submitted_at": SUBMITTED,
        "replaced_by": None,
        "replaces": None,
        "asset_id": ASSET,
        "symbol": "HYDR",
        "asset_class": "us_equity",
        "notional": None,
        "qty": "12",
        "filled_qty": "0",
        "filled_avg_price": None,
        "order_class": "",
        "order_type": "limit",
        "type": "limit",
        "side": "buy",
        "position_intent": "buy_to_open",
        "time_in_force": "day",
        "limit_price": "41.27",
        "stop_price": None,
        "status": "new",
        "extended_hours": False,
        "legs": None,
    }
    return fields | changes


def fill_json(**changes: Any) -> dict[str, Any]:
    """An execution of five of the twelve."""
    fields = {
        "id": "20261123093109001::2dd83c45-96b7-4d44-ba74-ff30a10b5795",
        "activity_type": "FILL",
        "transaction_time": "2026-11-23T14:31:09.001144Z",
        "type": "partial_fill",
        "price": "41.262",
        "qty": "5",
        "side": "buy",
        "symbol": "HYDR",
        "leaves_qty": "7",
        "order_id": ID,
        "cum_qty": "5",
        "order_status": "partially_filled",
    }
    return fields | changes


def account_json(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": "e5a153b5-8dcc-4043-8b44-1982b36a3311",
        "account_number": "PA3HYDRA0001",
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": "USD",
        "cash": "61874.33",
        "equity": "98412.71",
        "trade_suspended_by_user": False,
        "trading_blocked": False,
        "account_blocked": False,
    }
    return fields | changes


def position_json(**changes: Any) -> dict[str, Any]:
    fields = {
        "asset_id": ASSET,
        "symbol": "HYDR",
        "asset_class": "us_equity",
        "qty": "5",
        "qty_available": "5",
        "side": "long",
    }
    return fields | changes
