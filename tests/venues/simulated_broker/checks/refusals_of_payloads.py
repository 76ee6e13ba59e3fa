"""The situation behind each documented refusal, and the nearest one in which there is none."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.requests import PlaceOrder, ReplaceOrder, StopLoss, TakeProfit
from hydra.venues.simulated.brokerage.rulebook import NEWEST, RULEBOOKS
from hydra.venues.simulated.brokerage.view import AccountStanding, OrderView, SymbolView
from hydra.venues.simulated.brokerage.words import (
    OrderClass,
    OrderType,
    PositionIntent,
    Status,
    TimeInForce,
)
from tests.venues.simulated_broker.checks.situations import (
    AT_NIGHT,
    BTC,
    CALL,
    COIN,
    HYDR,
    LEGS,
    OPTION,
    SELL,
    STOCK,
    coin_order,
    figures,
    having,
    holding,
    instant,
    market_order,
    option_order,
    spread_order,
    spread_view,
    stock_order,
    usd,
    view,
    working_order,
)


@dataclass(frozen=True)
class Case:
    """An order that is refused, and one that is not, for the want of the cause alone."""

    order: PlaceOrder
    seen: OrderView
    cured_order: PlaceOrder
    cured_view: OrderView


@dataclass(frozen=True)
class Change:
    """The same for a change of an order."""

    change: ReplaceOrder
    seen: OrderView
    cured_change: ReplaceOrder
    cured_view: OrderView


def order(bad: PlaceOrder, good: PlaceOrder, seen: OrderView | None = None) -> Case:
    """The fault is the order's."""
    seen = seen or view()
    return Case(bad, seen, good, seen)


def situation(placed: PlaceOrder, bad: OrderView, good: OrderView | None = None) -> Case:
    """The fault is the situation's."""
    return Case(placed, bad, placed, good or view())


def named(symbol: str, **changes: Any) -> SymbolView:
    asset_changes = {field: getattr(HYDR, field) for field in HYDR.__struct_fields__}
    asset = type(HYDR)(**(asset_changes | {"symbol": symbol} | changes))
    return SymbolView(symbol=symbol, asset=asset, quote=STOCK.quote)


BRACKET: dict[str, Any] = {
    "order_class": OrderClass.BRACKET,
    "take_profit": TakeProfit(usd("43.50")),
    "stop_loss": StopLoss(usd("40.04")),
    "limit_price": usd("40.05"),
}
OCO: dict[str, Any] = BRACKET | {"order_class": OrderClass.OCO, "side": SELL, "limit_price": None}
SOLD_OUT = having(STOCK, "12", working_order(side=SELL, limit_price=usd("43.50")))
LONG_BUY = having(STOCK, "0", working_order())
OPPOSITE = having(STOCK, "12", working_order(order_type=OrderType.STOP, limit_price=None))
COINS = having(COIN, "0.01246875")
ON_EXPIRATION_DAY = instant("2026-12-18T15:00")
SPENT: Any = figures(cash="7267.84")
SUSPENDED = view(configuration=AccountConfiguration(suspend_trade=True))

CASES: dict[str, Case] = {
    "account_not_authorized": situation(stock_order(), SUSPENDED),
    "asset_not_tradable": situation(
        stock_order(symbol="HALT"), view(named("HALT", tradable=False)), view(named("HALT"))
    ),
    "bracket_stop_base_price": order(
        stock_order(**BRACKET | {"stop_loss": StopLoss(usd("40.05"))}), stock_order(**BRACKET)
    ),
    "bracket_tp_sl": order(
        stock_order(**BRACKET | {"take_profit": TakeProfit(usd("40.04"))}), stock_order(**BRACKET)
    ),
    "client_order_id_too_long": order(
        stock_order(client_order_id="x" * 129), stock_order(client_order_id="x" * 128)
    ),
    "cls_window": situation(
        stock_order(time_in_force=TimeInForce.CLS), view(at=instant("2026-11-23T15:50"))
    ),
    "crypto_min_cost": order(
        coin_order(quantity=usd("0.000163")), coin_order(quantity=usd("0.0001633")), view(COIN)
    ),
    "crypto_order_type": order(
        coin_order(order_type=OrderType.STOP, limit_price=None, stop_price=usd("61000")),
        coin_order(order_type=OrderType.STOP_LIMIT, stop_price=usd("61000")),
        view(COIN),
    ),
    "crypto_time_in_force": order(
        coin_order(time_in_force=TimeInForce.DAY), coin_order(), view(COIN)
    ),
    "duplicate_client_order_id": situation(stock_order(), view(client_order_id_used=True)),
    "extended_hours_type": order(
        market_order(extended_hours=True), stock_order(extended_hours=True)
    ),
    "fractional_not_day": order(
        stock_order(quantity=usd("0.5"), time_in_force=TimeInForce.GTC),
        stock_order(quantity=usd("0.5")),
    ),
    "fractional_not_simple": order(
        stock_order(**BRACKET, quantity=usd("1.5")), stock_order(**BRACKET)
    ),
    "fractional_short": order(
        stock_order(side=SELL, quantity=usd("0.5")), stock_order(side=SELL, quantity=usd("1"))
    ),
    "insufficient_buying_power": order(
        market_order(quantity=None, notional=usd("412700.50")),
        market_order(quantity=None, notional=usd("160287.04")),
    ),
    "insufficient_crypto_balance": order(
        coin_order(side=SELL), coin_order(side=SELL, quantity=usd("0.01246875")), view(COINS)
    ),
    "insufficient_qty": situation(
        stock_order(side=SELL), view(SOLD_OUT), view(having(STOCK, "12"))
    ),
    "invalid_time_in_force": order(stock_order(time_in_force=None), stock_order()),
    "limit_price_missing": order(stock_order(limit_price=None), stock_order()),
    "liquidation_only": situation(
        stock_order(),
        view(standing=AccountStanding(liquidation_only=True)),
        view(having(STOCK, "-12"), standing=AccountStanding(liquidation_only=True)),
    ),
    "market_with_price": order(stock_order(order_type=OrderType.MARKET), market_order()),
    "mleg_legs": Case(
        spread_order(legs=LEGS[:1]), spread_view(OPTION), spread_order(), spread_view()
    ),
    "not_allowed_to_short": situation(
        stock_order(side=SELL), view(configuration=AccountConfiguration(no_shorting=True))
    ),
    "not_fractionable": situation(
        stock_order(symbol="PENY", quantity=usd("0.5")),
        view(named("PENY", fractionable=False)),
        view(named("PENY")),
    ),
    "notional_decimals": order(
        market_order(quantity=None, notional=usd("500.755")),
        market_order(quantity=None, notional=usd("500.75")),
    ),
    "notional_too_small": order(
        market_order(quantity=None, notional=usd("0.99")),
        market_order(quantity=None, notional=usd("1")),
    ),
    "oco_not_exit": situation(stock_order(**OCO), view(), view(having(STOCK, "12"))),
    "opg_window": situation(stock_order(time_in_force=TimeInForce.OPG), view(), view(at=AT_NIGHT)),
    "option_buying_power": order(
        option_order(quantity=usd("10"), limit_price=usd("38")),
        option_order(quantity=usd("1"), limit_price=usd("38")),
        view(OPTION, figures=SPENT),
    ),
    "option_complex": order(option_order(**BRACKET), option_order(), view(OPTION)),
    "option_expiring": situation(option_order(), view(OPTION, at=ON_EXPIRATION_DAY), view(OPTION)),
    "option_extended": order(option_order(extended_hours=True), option_order(), view(OPTION)),
    "option_intent": order(
        option_order(side=SELL, position_intent=PositionIntent.SELL_TO_CLOSE),
        option_order(side=SELL, position_intent=PositionIntent.SELL_TO_OPEN),
        view(OPTION, options=holding(shares="200")),
    ),
    "option_level": situation(
        option_order(),
        view(OPTION, standing=AccountStanding(options_level=1)),
        view(OPTION, standing=AccountStanding(options_level=2)),
    ),
    "option_market_closed": situation(
        option_order(order_type=OrderType.MARKET, limit_price=None),
        view(OPTION, at=AT_NIGHT),
        view(OPTION),
    ),
    "option_notional": order(
        option_order(quantity=None, notional=usd("100")), option_order(), view(OPTION)
    ),
    "option_qty": order(option_order(quantity=usd("1.5")), option_order(), view(OPTION)),
    "option_tif": order(option_order(time_in_force=TimeInForce.GTC), option_order(), view(OPTION)),
    "option_uncovered": situation(
        option_order(side=SELL),
        view(OPTION, options=holding(shares="199")),
        view(OPTION, options=holding(shares="200")),
    ),
    "pdt_legacy": situation(
        stock_order(),
        view(standing=AccountStanding(day_trades_denied=True), rules=RULEBOOKS[0]),
        view(standing=AccountStanding(day_trades_denied=True), rules=NEWEST),
    ),
    "qty_and_notional": order(market_order(notional=usd("500")), market_order()),
    "qty_not_positive": order(stock_order(quantity=Decimal(0)), stock_order()),
    "qty_or_notional_missing": order(stock_order(quantity=None), stock_order()),
    "short_while_buy_open": situation(stock_order(side=SELL), view(LONG_BUY)),
    "sub_penny_limit": order(stock_order(limit_price=usd("41.273")), stock_order()),
    "symbol_unknown": situation(
        stock_order(symbol="ZZZZZ"), view(SymbolView(symbol="ZZZZZ")), view(named("ZZZZZ"))
    ),
    "wash_trade": situation(stock_order(side=SELL), view(OPPOSITE), view(having(STOCK, "12"))),
}
"""By the name of the file, without `error_order_`."""

assert CALL.symbol == "HYDR261218C00042500" and BTC.symbol == "BTC/USD", "as in the files"


def changing(**changes: Any) -> OrderView:
    return view(replaced=working_order(**changes))


HIGHER = ReplaceOrder(order_id="any", limit_price=usd("41.31"))

CHANGES: dict[str, Change] = {
    "not_open": Change(HIGHER, changing(status=Status.CANCELED), HIGHER, changing()),
    "not_sent_yet": Change(HIGHER, changing(status=Status.ACCEPTED), HIGHER, changing()),
    "qty_le_filled": Change(
        ReplaceOrder(order_id="any", quantity=usd("5")),
        changing(filled_quantity=usd("5")),
        ReplaceOrder(order_id="any", quantity=usd("6")),
        changing(filled_quantity=usd("5")),
    ),
    "status": Change(HIGHER, changing(status=Status.PENDING_CANCEL), HIGHER, changing()),
    "unchanged": Change(
        HIGHER, changing(limit_price=usd("41.310")), HIGHER, changing(limit_price=usd("41.32"))
    ),
}
"""By the name of the file, without `error_replace_`."""
