"""Orders and the situations that they meet: one fine case of each kind, to be made worse."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hydra.trading.orders import Side
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.brokerage.hours import hours_at
from hydra.venues.simulated.brokerage.money import AccountFigures, Stake, account_figures
from hydra.venues.simulated.brokerage.option_book import OptionBook, OptionLot
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.quotes import Quote
from hydra.venues.simulated.brokerage.requests import Leg, PlaceOrder
from hydra.venues.simulated.brokerage.view import AccountStanding, OrderView, SymbolView
from hydra.venues.simulated.brokerage.words import (
    AssetClass,
    OrderClass,
    OrderType,
    Status,
    TimeInForce,
)

BUY, SELL = Side.BUY, Side.SELL
WORKING_ID = "125f2817-4bb0-4e9a-ba0a-a241ee5daa68"


def usd(amount: str) -> Decimal:
    return Decimal(amount)


def instant(stamp: str) -> int:
    """UTC ns of a wall-clock time in New York."""
    local = datetime.fromisoformat(stamp).replace(tzinfo=ZoneInfo("America/New_York"))
    return int(local.timestamp()) * 1_000_000_000


def session(day: str, closes: str = "16:00") -> ExchangeSession:
    return ExchangeSession(
        day, instant(f"{day}T09:30"), instant(f"{day}T{closes}"), closes != "16:00"
    )


SESSIONS = SessionTable(
    (
        session("2026-11-23"),
        session("2026-11-24"),
        session("2026-11-25"),
        session("2026-11-27", closes="13:00"),
        session("2026-11-30"),
        session("2026-12-17"),
        session("2026-12-18"),
        session("2026-12-21"),
    )
)
IN_SESSION = instant("2026-11-23T11:00")
AT_NIGHT = instant("2026-11-23T20:30")

HYDR = Asset(
    id="067a5cce-b76a-434f-8771-67a771da3a4f",
    asset_class=AssetClass.EQUITY,
    exchange="NASDAQ",
    symbol="HYDR",
    name="Hydra Example Corp. Common Stock",
    attributes=("has_options", "fractional_eh_enabled"),
)
BTC = Asset(
    id="cc0c9564-3765-4aed-aa49-63414c4e39dd",
    asset_class=AssetClass.CRYPTO,
    exchange="CRYPTO",
    symbol="BTC/USD",
    name="Bitcoin / US Dollar",
    marginable=False,
    shortable=False,
    easy_to_borrow=False,
    margin_pct=100,
    min_order_size=usd("0.000011743"),
    min_trade_increment=usd("0.000000001"),
    price_increment=usd("0.01"),
)


def contract(strike: str, right: Right = Right.CALL, expiration: str = "2026-12-18") -> Any:
    day = date.fromisoformat(expiration)
    letter = "C" if right is Right.CALL else "P"
    thousandths = int(Decimal(strike) * 1000)
    symbol = f"HYDR{day:%y%m%d}{letter}{thousandths:08d}"
    return OptionContract(
        id=f"id of {symbol}",
        symbol=symbol,
        underlying="HYDR",
        expiration=day,
        right=right,
        strike=Decimal(strike),
    )


CALL: OptionContract = contract("42.5")
HIGHER_CALL: OptionContract = contract("45")
PUT: OptionContract = contract("40", Right.PUT)


def quote(symbol: str, bid: str, ask: str) -> Quote:
    middle = (Decimal(bid) + Decimal(ask)) / 2
    return Quote(symbol, Decimal(bid), Decimal(ask), Decimal(100), Decimal(100), middle, IN_SESSION)


def figures(cash: str = "61874.33", shares: str = "36538.38", multiplier: int = 2) -> Any:
    """Those of the documented account, whose buying power is 160287.04."""
    return account_figures(
        cash=Decimal(cash), multiplier=multiplier, stakes=(Stake(Decimal(shares), 30),)
    )


FIGURES: AccountFigures = figures()

STOCK = SymbolView(symbol="HYDR", asset=HYDR, quote=quote("HYDR", "41.26", "41.28"))
COIN = SymbolView(symbol="BTC/USD", asset=BTC, quote=quote("BTC/USD", "61280.39", "61280.41"))
OPTION = SymbolView(symbol=CALL.symbol, contract=CALL, quote=quote(CALL.symbol, "1.30", "1.35"))
HIGHER_OPTION = SymbolView(
    symbol=HIGHER_CALL.symbol,
    contract=HIGHER_CALL,
    quote=quote(HIGHER_CALL.symbol, "0.50", "0.55"),
)
PUT_OPTION = SymbolView(symbol=PUT.symbol, contract=PUT, quote=quote(PUT.symbol, "0.90", "0.95"))


def view(subject: SymbolView = STOCK, at: int = IN_SESSION, **changes: Any) -> OrderView:
    known: dict[str, Any] = {
        "standing": AccountStanding(),
        "configuration": AccountConfiguration(),
        "figures": FIGURES,
        "underlying": None if subject is COIN else STOCK,
    }
    return OrderView(at=at, hours=hours_at(SESSIONS, at), subject=subject, **(known | changes))


def having(seen: SymbolView, position: str, *working: BrokerOrder) -> SymbolView:
    return SymbolView(
        symbol=seen.symbol,
        asset=seen.asset,
        contract=seen.contract,
        quote=seen.quote,
        position=Decimal(position),
        working=working,
    )


def holding(*lots: tuple[OptionContract, str], shares: str = "0") -> OptionBook:
    return OptionBook(
        held=tuple(OptionLot(held, Decimal(quantity)) for held, quantity in lots),
        shares=Decimal(shares),
    )


def stock_order(**changes: Any) -> PlaceOrder:
    known: dict[str, Any] = {
        "symbol": "HYDR",
        "quantity": usd("12"),
        "side": BUY,
        "order_type": OrderType.LIMIT,
        "limit_price": usd("41.27"),
        "time_in_force": TimeInForce.DAY,
        "client_order_id": "hy1-20261123-mom-000017-e",
    }
    return PlaceOrder(**(known | changes))


def market_order(**changes: Any) -> PlaceOrder:
    return stock_order(order_type=OrderType.MARKET, limit_price=None, **changes)


def coin_order(**changes: Any) -> PlaceOrder:
    known: dict[str, Any] = {
        "symbol": "BTC/USD",
        "quantity": usd("0.0125"),
        "limit_price": usd("61250.55"),
        "time_in_force": TimeInForce.GTC,
    }
    return stock_order(**(known | changes))


def option_order(**changes: Any) -> PlaceOrder:
    known: dict[str, Any] = {
        "symbol": CALL.symbol,
        "quantity": usd("2"),
        "limit_price": usd("1.35"),
    }
    return stock_order(**(known | changes))


LEGS = (Leg(CALL.symbol, usd("1"), BUY), Leg(HIGHER_CALL.symbol, usd("1"), SELL))


def spread_order(**changes: Any) -> PlaceOrder:
    known: dict[str, Any] = {
        "symbol": "",
        "side": None,
        "quantity": usd("2"),
        "limit_price": usd("0.85"),
        "order_class": OrderClass.MLEG,
        "legs": LEGS,
    }
    return stock_order(**(known | changes))


def spread_view(*legs: SymbolView, **changes: Any) -> OrderView:
    return view(SymbolView(symbol=""), legs=legs or (OPTION, HIGHER_OPTION), **changes)


def working_order(**changes: Any) -> BrokerOrder:
    known: dict[str, Any] = {
        "id": WORKING_ID,
        "client_order_id": "hy1-20261123-mom-000016-e",
        "symbol": "HYDR",
        "asset_id": HYDR.id,
        "asset_class": AssetClass.EQUITY,
        "side": BUY,
        "position_intent": None,
        "quantity": usd("12"),
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.DAY,
        "limit_price": usd("41.27"),
        "status": Status.NEW,
        "created_at": IN_SESSION,
        "submitted_at": IN_SESSION,
        "updated_at": IN_SESSION,
    }
    return BrokerOrder(**(known | changes))
