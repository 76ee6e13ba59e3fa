"""The drills' own bot: some drills need an order at a moment of their choosing.

It is the signal bot of the product, beside the bots of the configuration and under all of its
limits, in shares that none of them trades. Everything else stays as it was configured.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from hydra.settings import Settings
from hydra.terms import traded_symbols
from hydra.trading.durations import MINUTE, SECOND

BOT_ID = "drill_bot"
CANDIDATES = ("NVDA", "MSFT", "AMD", "INTC", "IBM", "CSCO", "ORCL", "QCOM")
NOTIONAL_USD = Decimal(1000)
"""Of one order, where the configuration's own limits are not lower."""
TRADES_UNTIL_NS = 60 * MINUTE
MANAGES_UNTIL_NS = 10 * MINUTE
"""Before the close."""

_SECTION = re.compile(r"^signalbot:.*\n(?:[ \t#-].*\n|\n)*", re.MULTILINE)


def ticker_of(settings: Settings) -> str:
    """A share that none of the configured bots trades. Raises LookupError if there is none."""
    taken = set(traded_symbols(settings))
    for ticker in CANDIDATES:
        if ticker not in taken:
            return ticker
    raise LookupError(f"found every one of {', '.join(CANDIDATES)} traded; wanted one left")


def notional_of(settings: Settings) -> Decimal:
    """What an order of a drill is worth, in USD: within every limit on a single one."""
    exposure = settings.guards.exposure
    return min(
        NOTIONAL_USD,
        settings.risk.max_order_notional_usd,
        exposure.max_symbol_usd,
        exposure.max_bot_usd,
        settings.guards.pace.max_notional_per_window_usd,
        settings.guards.pace.max_notional_per_day_usd,
    )


def with_own_bot(bots_yaml: str, section: str) -> str:
    """The content of bots.yaml with this signal bot, in place of the one that it may have."""
    without = _SECTION.sub("", bots_yaml if bots_yaml.endswith("\n") else f"{bots_yaml}\n")
    return f"{without}\n{section}"


def section_of(ticker: str, timezone: str, signals: Path, open_at: int, close_at: int) -> str:
    """Its section of bots.yaml; it may enter from the open on (UTC ns)."""

    def local(at: int) -> str:
        return (
            datetime.fromtimestamp(at / SECOND, UTC)
            .astimezone(ZoneInfo(timezone))
            .strftime("%H:%M")
        )

    return f"""\
signalbot:
  enabled: true
  bot_id: {BOT_ID}
  signals_file: {signals}
  symbols: [{ticker}]
  session:
    trade_start: "{local(open_at)}"
    trade_end: "{local(close_at - TRADES_UNTIL_NS)}"
    manage_until: "{local(close_at - MANAGES_UNTIL_NS)}"
  limits:
    max_orders_per_day: 100
    max_notional_per_day_usd: 100000
    max_signal_age_seconds: 600
  exits:
    stop_loss_pct: 2
    take_profit_pct: 4
    time_stop_minutes: 300
"""


def signal_line(number: int, ticker: str, notional: Decimal, at: int) -> bytes:
    """A line of its signals file: buy for so much, decided at market time `at`."""
    seconds = datetime.fromtimestamp(at // SECOND, UTC).isoformat().replace("+00:00", "Z")
    signal = {
        "id": f"drill-{number}",
        "symbol": ticker,
        "action": "buy",
        "at": seconds,
        "notional_usd": f"{notional:f}",
    }
    return msgspec.json.encode(signal) + b"\n"
