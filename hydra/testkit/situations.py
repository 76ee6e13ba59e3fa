"""A fine situation for tests of risk checks, and any change to it."""

from decimal import Decimal
from typing import Any

from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.trading.orders import OrderType, Role, Side
from hydra.trading.situation import (
    US_EQUITY_PRICE_STEPS,
    ActionsView,
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

ENTRY_AT = 1_767_625_200 * SECOND
"""2026-01-05 10:00 in New York."""

_D = Decimal

_LIMITS = Limits(
    symbols=frozenset({("bot", "AAPL")}),
    order_notional_usd_max=_D(5_000),
    order_quantity_max=_D(100),
    price_collar_pct=_D(5),
    symbol_exposure_usd_max=_D(10_000),
    bot_exposure_usd_max=_D(10_000),
    gross_exposure_pct_max=_D(70),
    heat_pct_max=_D("0.5"),
    gap_factor=_D("1.5"),
    daily_loss_pct_max=_D(1),
    drawdown_pct_max=_D("1.5"),
    cash_reserve_pct=_D(30),
    entries_per_minute_max=10,
    entries_per_minute_symbol_max=6,
    exits_per_minute_max=120,
    cancels_per_minute_max=120,
    entry_gap_ns_min=SECOND,
    notional_window_ns=15 * MINUTE,
    notional_per_window_usd_max=_D(20_000),
    entries_per_day_max=50,
    notional_per_day_usd_max=_D(50_000),
    rejections_in_a_row_max=3,
    round_trips_per_day_max=20,
    decision_age_ns_max=30 * SECOND,
    price_age_ns_max=15 * SECOND,
    protection_confirm_ns=10 * SECOND,
    similar_order_ns=5 * SECOND,
)


def entry(
    *,
    bot: str = "bot",
    symbol: str = "AAPL",
    quantity: str = "10",
    price: str = "100.00",
    stop: str = "99.50",
    at: int = ENTRY_AT,
    **changes: Any,
) -> Situation:
    """A bot would like to buy at the market, and may. `changes` are other fields of it."""
    value = _D(quantity) * _D(price)
    at_stop = _D(quantity) * (_D(price) - _D(stop)) * _LIMITS.gap_factor
    situation = Situation(
        at=at,
        state=TradingState.ACTIVE,
        cause_codes=(),
        proposal=Proposal(
            bot=bot,
            symbol=symbol,
            role=Role.ENTRY,
            side=Side.BUY,
            quantity=_D(quantity),
            order_type=OrderType.MARKET,
            reference_price=_D(price),
            decided_at=at,
            protective_stop=_D(stop),
        ),
        limits=structs.replace(_LIMITS, symbols=frozenset({(bot, symbol)})),
        market=MarketView(
            price=_D(price),
            price_at=at,
            session_open=True,
            window_open=True,
            price_steps=US_EQUITY_PRICE_STEPS,
        ),
        book=BookView(
            bot_position=_D(0),
            account_position=_D(0),
            bot_reducing_live=_D(0),
            account_reducing_live=_D(0),
            symbol_exposure_after=value,
            bot_exposure_after=value,
            gross_exposure_after=value,
            buying_after=value,
            heat_after=at_stop,
            loss_at_stop=at_stop,
            opposing=(),
            unknown=(),
        ),
        budget=BudgetView(bot_left=_D(100), bucket_left=_D(200), day_left=_D(1_000)),
        rates=RatesView(
            entries_last_minute=0,
            entries_last_minute_symbol=0,
            exits_last_minute=0,
            notional_in_window=_D(0),
            entries_today=0,
            notional_today=_D(0),
            last_entry_at=None,
            last_similar_at=None,
            rejections_in_a_row=0,
            round_trips_today=0,
        ),
        equity=EquityView(
            equity=_D(100_000), day_start=_D(100_000), peak=_D(100_000), cash=_D(100_000)
        ),
        loop=LoopView(number=1, passed=True, missed=0),
        coverage=CoverageView(
            is_heard=True, is_known=True, pct=_D(100), silent=0, uncovered=(), uncovered_ns=0
        ),
        actions=ActionsView(is_asked=True, is_answered=True, near=""),
    )
    return structs.replace(situation, **changes)


PARTS = (
    *("proposal", "limits", "market", "book", "budget", "rates"),
    *("equity", "loop", "coverage", "actions"),
)
_PLACES = {field.name: part for part in PARTS for field in structs.fields(getattr(entry(), part))}


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
