"""Fine situations, and any change to them: each test shows only what is odd about its own."""

from decimal import Decimal
from typing import Any

from msgspec import structs

from hydra.trading.orders import OrderType, Role, Side
from hydra.trading.situation import (
    US_EQUITY_PRICE_STEPS,
    BookView,
    BudgetView,
    CoverageView,
    EquityView,
    Limits,
    LoopView,
    MarketView,
    Proposal,
    RatesView,
    Situation,
)
from hydra.trading.trading_state import TradingState

MS = 10**6
SECOND = 10**9
MINUTE = 60 * SECOND
NOW = 1_704_294_000 * SECOND
"""2024-01-03 10:00 in New York."""

D = Decimal

LIMITS = Limits(
    symbols=frozenset({"AAPL", "MSFT"}),
    order_notional_usd_max=D(5_000),
    order_quantity_max=D(100),
    price_collar_pct=D(5),
    symbol_exposure_usd_max=D(10_000),
    bot_exposure_usd_max=D(12_000),
    gross_exposure_pct_max=D(70),
    heat_pct_max=D("0.5"),
    gap_factor=D("1.5"),
    daily_loss_pct_max=D(1),
    drawdown_pct_max=D("1.5"),
    cash_reserve_pct=D(30),
    entries_per_minute_max=10,
    entries_per_minute_symbol_max=6,
    exits_per_minute_max=120,
    cancels_per_minute_max=120,
    entry_gap_ns_min=SECOND,
    notional_window_ns=15 * MINUTE,
    notional_per_window_usd_max=D(20_000),
    entries_per_day_max=50,
    notional_per_day_usd_max=D(50_000),
    rejections_in_a_row_max=3,
    round_trips_per_day_max=20,
    decision_age_ns_max=30 * SECOND,
    price_age_ns_max=15 * SECOND,
    protection_confirm_ns=10 * SECOND,
    similar_order_ns=5 * SECOND,
)

ENTRY = Situation(
    at=NOW,
    state=TradingState.ACTIVE,
    cause_codes=(),
    proposal=Proposal(
        bot="mom_AAPL",
        symbol="AAPL",
        role=Role.ENTRY,
        side=Side.BUY,
        quantity=D(10),
        order_type=OrderType.MARKET,
        reference_price=D("112.10"),
        decided_at=NOW - SECOND,
        protective_stop=D("111.50"),
    ),
    limits=LIMITS,
    market=MarketView(
        price=D("112.13"),
        price_at=NOW - SECOND,
        session_open=True,
        window_open=True,
        price_steps=US_EQUITY_PRICE_STEPS,
    ),
    book=BookView(
        bot_position=D(0),
        account_position=D(0),
        bot_reducing_live=D(0),
        account_reducing_live=D(0),
        symbol_exposure_after=D("1121.30"),
        bot_exposure_after=D("1121.30"),
        gross_exposure_after=D("1121.30"),
        buying_after=D("1121.30"),
        heat_after=D("9.45"),
        loss_at_stop=D("9.45"),
        opposing=(),
        unknown=(),
    ),
    budget=BudgetView(bot_left=D(100), bucket_left=D(200), day_left=D(1_000)),
    rates=RatesView(
        entries_last_minute=0,
        entries_last_minute_symbol=0,
        exits_last_minute=0,
        notional_in_window=D(0),
        entries_today=0,
        notional_today=D(0),
        last_entry_at=None,
        last_similar_at=None,
        rejections_in_a_row=0,
        round_trips_today=0,
    ),
    equity=EquityView(equity=D(100_000), day_start=D(100_000), peak=D(100_000), cash=D(100_000)),
    loop=LoopView(number=7, passed=True, missed=0),
    coverage=CoverageView(
        is_heard=True, is_known=True, pct=D(100), silent=0, uncovered=(), uncovered_ns=0
    ),
)
"""A bot would like to buy 10 AAPL at the market, and may."""

PARTS = ("proposal", "limits", "market", "book", "budget", "rates", "equity", "loop", "coverage")
_PLACES = {field.name: part for part in PARTS for field in structs.fields(getattr(ENTRY, part))}


def changed(fine: Situation, **changes: Any) -> Situation:
    """The situation with these fields of its own or of its parts set to something else.

    No two fields have the same name, but `equity`: here it is the number.
    """
    by_part: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        by_part.setdefault(_PLACES.get(name, ""), {})[name] = value
    whole = by_part.pop("", {})
    for part, fields in by_part.items():
        whole[part] = structs.replace(getattr(fine, part), **fields)
    return structs.replace(fine, **whole)


def situation(**changes: Any) -> Situation:
    """`ENTRY`, with these fields set to something else."""
    return changed(ENTRY, **changes)


LIMIT_ENTRY = situation(order_type=OrderType.LIMIT, limit_price=D("112.00"))
STOP_ENTRY = situation(order_type=OrderType.STOP, stop_price=D("113.00"))
SHORT_ENTRY = situation(side=Side.SELL, protective_stop=D("112.70"))

EXIT = situation(
    role=Role.EXIT,
    side=Side.SELL,
    protective_stop=None,
    bot_position=D(10),
    account_position=D(10),
    loss_at_stop=D(0),
)
"""The bot would like to sell the 10 AAPL that it has, and may."""

SHORT_EXIT = changed(EXIT, side=Side.BUY, bot_position=D(-10), account_position=D(-10))
STOP_EXIT = changed(EXIT, order_type=OrderType.STOP, stop_price=D("111.50"))
FLATTEN = changed(EXIT, role=Role.FLATTEN, state=TradingState.HALTED, cause_codes=("operator",))
"""An operator's close of the same position, while trading is halted."""
