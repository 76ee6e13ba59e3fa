"""What the engine has to know of the broker's market before the first price comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec

from hydra.ops.broker_account import ask_until_answered, got
from hydra.settings.section import VenueName
from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.sessions import SessionTable
from hydra.venues.alpaca.access import Access
from hydra.venues.alpaca.payloads import read_asset
from hydra.venues.market_sessions import sessions_of

DAYS_BEFORE = 14
DAYS_AFTER = 365
"""So long a run may last: of a day that is not in its table, nothing is known to be open."""


class BrokerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """See `MarketFacts`. `untraded`: why, of each symbol that was asked for and is not traded."""

    symbols: tuple[str, ...]
    sessions: SessionTable
    origin: str
    untraded: tuple[str, ...]
    bar_interval: int = MINUTE


def broker_facts(
    access: Access,
    mode: VenueName,
    symbols: tuple[str, ...],
    cache_dir: Path,
    *,
    market_time: Callable[[], int],
    say: Callable[[str], None],
    stopping: threading.Event,
) -> BrokerFacts | None:
    """The broker's market of these symbols; None: somebody asked to stop. Raises `NoAccount`."""

    def ask() -> dict[str, str]:
        return {symbol: _why_not(access, mode, symbol, market_time) for symbol in symbols}

    why_not = ask_until_answered(ask, mode, say, stopping)
    if why_not is None:
        return None
    traded = tuple(symbol for symbol in symbols if not why_not[symbol])
    today = datetime.fromtimestamp(market_time() // SECOND, UTC).date()
    span = (
        (today - timedelta(days=DAYS_BEFORE)).isoformat(),
        (today + timedelta(days=DAYS_AFTER)).isoformat(),
    )
    return BrokerFacts(
        symbols=traded,
        sessions=sessions_of(symbols, *span, cache_dir),
        origin=f"Alpaca, {mode.value}, minute bars",
        untraded=tuple(f"{symbol}: {why}" for symbol, why in why_not.items() if why),
    )


def _why_not(access: Access, mode: VenueName, symbol: str, market_time: Callable[[], int]) -> str:
    """Why the broker does not let it be traded; "": it does."""
    asset = got(access, mode, f"/v2/assets/{quote(symbol, safe='')}", read_asset, market_time)
    if asset is None:
        return "Alpaca does not know it; correct its name in bots.yaml"
    if asset.status != "active" or asset.tradable is not True:
        return f"Alpaca does not trade it now (status {asset.status}); disable its bot in bots.yaml"
    return ""
