"""Fine situations: each test shows only what is odd about its own."""

from decimal import Decimal
from typing import Any

from msgspec import structs

from hydra.testkit.situations import PARTS, changed, entry
from hydra.trading.orders import OrderType, Role, Side
from hydra.trading.situation import Situation
from hydra.trading.trading_state import TradingState

__all__ = ["PARTS", "changed"]

MS = 10**6
SECOND = 10**9
MINUTE = 60 * SECOND
NOW = 1_704_294_000 * SECOND
"""2024-01-03 10:00 in New York."""

D = Decimal

LIMITS = structs.replace(
    entry().limits,
    symbols=frozenset({("mom_AAPL", "AAPL"), ("mom_AAPL", "MSFT"), ("mom_TSLA", "TSLA")}),
    bot_exposure_usd_max=D(12_000),
)

ENTRY = changed(
    entry(bot="mom_AAPL", price="112.10", stop="111.50", at=NOW, limits=LIMITS),
    decided_at=NOW - SECOND,
    price=D("112.13"),
    price_at=NOW - SECOND,
    symbol_exposure_after=D("1121.30"),
    bot_exposure_after=D("1121.30"),
    gross_exposure_after=D("1121.30"),
    buying_after=D("1121.30"),
    heat_after=D("9.45"),
    loss_at_stop=D("9.45"),
    number=7,
)
"""A bot would like to buy 10 AAPL at the market, and may."""


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
