"""What the engine has to know of the broker's market before the first price comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import quote

import msgspec

from hydra.ops.broker_account import ask_until_answered, got
from hydra.settings.section import VenueName
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.instruments import is_crypto
from hydra.trading.sessions import SessionTable
from hydra.trading.situation import PriceStep
from hydra.venues.alpaca.access import Access
from hydra.venues.alpaca.payloads import AssetPayload, read_asset
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

    @property
    def option_calendar(self) -> SessionTable:
        """See `MarketFacts.option_calendar`."""
        return self.sessions

    coin_terms: Mapping[str, CoinTerms] = {}


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

    assets: dict[str, AssetPayload | None] = {}

    def ask() -> bool:
        """Only of those that it has not answered yet: the broker counts requests."""
        for symbol in symbols:
            if symbol not in assets:
                path = f"/v2/assets/{quote(symbol, safe='')}"
                assets[symbol] = got(access, mode, path, read_asset, market_time)
        return True

    if ask_until_answered(ask, mode, say, stopping) is None:
        return None
    why_not = {symbol: _why_not(symbol, asset) for symbol, asset in assets.items()}
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
        coin_terms={
            symbol: terms
            for symbol, asset in assets.items()
            if asset is not None and (terms := coin_terms_of(asset)) is not None
        },
    )


def coin_terms_of(asset: AssetPayload) -> CoinTerms | None:
    """In which steps the broker trades the coin; None: it is none, or that cannot be read."""
    quantity, price = _step(asset.min_trade_increment), _step(asset.price_increment)
    if not is_crypto(asset.symbol) or quantity is None or price is None:
        return None
    return CoinTerms(quantity_step=quantity, price_steps=(PriceStep(Decimal(0), price),))


def _why_not(symbol: str, asset: AssetPayload | None) -> str:
    """Why the broker does not let it be traded; "": it does."""
    if asset is None:
        return "Alpaca does not know it; correct its name in bots.yaml"
    if asset.status != "active" or asset.tradable is not True:
        return f"Alpaca does not trade it now (status {asset.status}); disable its bot in bots.yaml"
    if is_crypto(symbol) and coin_terms_of(asset) is None:
        steps = f"{asset.min_trade_increment} and {asset.price_increment}"
        return f"found steps of {steps}, wanted numbers above 0; take the pair out of bots.yaml"
    return ""


def _step(text: str | None) -> Decimal | None:
    try:
        step = Decimal(text or "")
    except InvalidOperation:
        return None
    return step if step.is_finite() and step > 0 else None
