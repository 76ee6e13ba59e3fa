"""The broker's own examples, read back into the brokerage's values to test the writing of them."""

from datetime import UTC, date
from decimal import Decimal
from typing import Any

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.account_sheet import AccountSheet
from hydra.venues.simulated.brokerage.activities import FillActivity, OtherActivity
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.positions import Position
from hydra.venues.simulated.brokerage.words import (
    AssetClass,
    OrderClass,
    OrderType,
    PositionIntent,
    Status,
    TimeInForce,
)
from hydra.venues.simulated.server.rest.timestamps import instant_of


def amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def instant(text: str | None) -> int | None:
    return None if text is None else instant_of(text, UTC)


def order_of(body: dict[str, Any], type_of_whole: str = "") -> BrokerOrder:
    """An order as it must be to be written so; a leg has the type of the whole order."""
    filled = Decimal(body["filled_qty"])
    average = Decimal(body["filled_avg_price"] or 0)
    created, submitted = instant(body["created_at"]), instant(body["submitted_at"])
    updated = instant(body["updated_at"])
    assert created is not None and submitted is not None and updated is not None
    return BrokerOrder(
        id=body["id"],
        client_order_id=body["client_order_id"],
        symbol=body["symbol"],
        asset_id=body["asset_id"],
        asset_class=AssetClass(body["asset_class"]) if body["asset_class"] else None,
        side=Side(body["side"]) if body["side"] else None,
        position_intent=PositionIntent(body["position_intent"])
        if body["position_intent"]
        else None,
        quantity=amount(body["qty"]),
        notional=amount(body["notional"]),
        order_type=OrderType(body["type"] or type_of_whole),
        time_in_force=TimeInForce(body["time_in_force"]),
        limit_price=amount(body["limit_price"]),
        stop_price=amount(body["stop_price"]),
        trail_price=amount(body["trail_price"]),
        trail_percent=amount(body["trail_percent"]),
        high_water_mark=amount(body["hwm"]),
        extended_hours=body["extended_hours"],
        order_class=OrderClass(body["order_class"] or "simple"),
        legs=tuple(leg["id"] for leg in body["legs"] or ()),
        ratio_quantity=amount(body.get("ratio_qty")),
        status=Status(body["status"]),
        filled_quantity=filled,
        filled_value=filled * average,
        created_at=created,
        submitted_at=submitted,
        updated_at=updated,
        expires_at=instant(body["expires_at"]),
        filled_at=instant(body["filled_at"]),
        expired_at=instant(body["expired_at"]),
        canceled_at=instant(body["canceled_at"]),
        failed_at=instant(body["failed_at"]),
        replaced_at=instant(body["replaced_at"]),
        replaced_by=body["replaced_by"],
        replaces=body["replaces"],
    )


def position_of(body: dict[str, Any], symbol: str) -> Position:
    """`symbol` as on an order."""
    cost_basis = Decimal(body["cost_basis"])
    return Position(
        asset_id=body["asset_id"],
        symbol=symbol,
        exchange=body["exchange"],
        asset_class=AssetClass(body["asset_class"]),
        marginable=body["asset_marginable"],
        quantity=Decimal(body["qty"]),
        quantity_available=Decimal(body["qty_available"]),
        average_entry_price=Decimal(body["avg_entry_price"]),
        cost_basis=cost_basis,
        market_value=amount(body["market_value"]),
        unrealized_pl=amount(body["unrealized_pl"]),
        unrealized_intraday_pl=amount(body["unrealized_intraday_pl"]),
        intraday_cost_basis=cost_basis,
        current_price=amount(body["current_price"]),
        lastday_price=amount(body["lastday_price"]),
    )


def sheet_of(body: dict[str, Any]) -> AccountSheet:
    created = instant(body["created_at"])
    assert created is not None
    figures: dict[str, Any] = {
        name: Decimal(value)
        for name, value in body.items()
        if name in AccountSheet.__struct_fields__ and name in _FIGURES
    }
    same = {name: body[name] for name in AccountSheet.__struct_fields__ if name not in figures}
    return AccountSheet(**{**same, **figures, "created_at": created, "multiplier": 2})


_FIGURES = frozenset(name for name, kind in AccountSheet.__annotations__.items() if kind is Decimal)


def asset_of(body: dict[str, Any]) -> Asset:
    return Asset(
        id=body["id"],
        asset_class=AssetClass(body["class"]),
        exchange=body["exchange"],
        symbol=body["symbol"],
        name=body["name"],
        is_active=body["status"] == "active",
        tradable=body["tradable"],
        marginable=body["marginable"],
        shortable=body["shortable"],
        easy_to_borrow=body["easy_to_borrow"],
        fractionable=body["fractionable"],
        margin_pct=body["maintenance_margin_requirement"],
        attributes=tuple(body["attributes"]),
        min_order_size=amount(body.get("min_order_size")),
        min_trade_increment=amount(body.get("min_trade_increment")),
        price_increment=amount(body.get("price_increment")),
    )


def contract_of(body: dict[str, Any]) -> OptionContract:
    return OptionContract(
        id=body["id"],
        symbol=body["symbol"],
        underlying=body["underlying_symbol"],
        expiration=date.fromisoformat(body["expiration_date"]),
        right=Right(body["type"]),
        strike=Decimal(body["strike_price"]),
        style=body["style"],
        multiplier=int(body["multiplier"]),
        in_penny_program=body["ppind"],
        open_interest=int(body["open_interest"]),
        open_interest_date=date.fromisoformat(body["open_interest_date"]),
        close_price=amount(body["close_price"]),
        close_price_date=date.fromisoformat(body["close_price_date"]),
    )


def fill_of(body: dict[str, Any]) -> FillActivity:
    at = instant(body["transaction_time"])
    assert at is not None
    return FillActivity(
        id=body["id"],
        at=at,
        order_id=body["order_id"],
        symbol=body["symbol"],
        side=Side(body["side"].removesuffix("_short")),
        is_short=body["side"] == "sell_short",
        quantity=Decimal(body["qty"]),
        price=Decimal(body["price"]),
        cumulative_quantity=Decimal(body["cum_qty"]),
        leaves_quantity=Decimal(body["leaves_qty"]),
        order_status=Status(body["order_status"]),
    )


def other_of(body: dict[str, Any]) -> OtherActivity:
    return OtherActivity(
        id=body["id"],
        kind=body["activity_type"],
        at=0,
        date=body["date"],
        net_amount=Decimal(body["net_amount"]),
        description=body["description"],
        symbol=body.get("symbol"),
        quantity=amount(body.get("qty")),
        price=amount(body.get("price")),
        status=body["status"],
    )
