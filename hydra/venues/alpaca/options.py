"""Option contracts and chains over REST, with greeks where the broker gives them.

Illiquid, deep or expiring contracts have no greeks, and nothing has them out of hours: what is
absent is None, and means no trade. On the free feed quotes are altered and trades late, so no order
is to be priced by them alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum

import msgspec

from hydra.trading.quotes import Quote
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.market_rest import Page, QuoteRow, all_pages, quote_of
from hydra.venues.alpaca.payloads import reader
from hydra.venues.alpaca.reads import ReadFailed

SNAPSHOTS_A_PAGE = 1_000
CONTRACTS_A_PAGE = 10_000


class OptionFeed(Enum):
    """Whose quotes are seen: an altered free feed, or the exchanges'."""

    INDICATIVE = "indicative"
    OPRA = "opra"


class Right(Enum):
    """What the holder may do at the strike: buy (call) or sell (put)."""

    CALL = "call"
    PUT = "put"


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """How the price of a contract moves: with the underlying, itself, time, volatility, rates."""

    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float


class ChainEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One contract of a chain, by its OCC symbol, as the feed shows it now."""

    symbol: str
    quote: Quote | None
    greeks: Greeks | None
    implied_volatility: float | None


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """One listed contract. `multiplier` shares are delivered for one of it, 100 unless adjusted."""

    symbol: str
    underlying: str
    expiration: date
    right: Right
    strike: Decimal
    multiplier: Decimal
    tradable: bool
    open_interest: Decimal | None
    close_price: Decimal | None


class OptionReads:
    """Reads chains from the data host and contracts from the trading host. Each call waits.

    Raises `ReadFailed` where something could not be read whole. Deadlines: monotonic, in seconds.
    """

    def __init__(self, data: Calls, trading: Calls, feed: OptionFeed) -> None:
        self._data = data
        self._trading = trading
        self._feed = feed

    def chain(
        self, underlying: str, first: date, last: date, deadline: float
    ) -> tuple[ChainEntry, ...]:
        """Every contract that expires from `first` to `last`, in the order of symbols."""
        query = {
            "feed": self._feed.value,
            "expiration_date_gte": first.isoformat(),
            "expiration_date_lte": last.isoformat(),
            "limit": str(SNAPSHOTS_A_PAGE),
        }
        path = f"/v1beta1/options/snapshots/{underlying}"
        found: dict[str, ChainEntry] = {}
        for page in all_pages(self._data, path, query, read_chain_page, deadline):
            found.update(_entries(page.snapshots))
        return tuple(found[symbol] for symbol in sorted(found))

    def contracts(
        self, underlying: str, first: date, last: date, deadline: float
    ) -> tuple[Contract, ...]:
        """The listed contracts that expire from `first` to `last`, in the order of symbols.

        Both dates are always sent: without them the broker shows this week's only.
        """
        query = {
            "underlying_symbols": underlying,
            "status": "active",
            "expiration_date_gte": first.isoformat(),
            "expiration_date_lte": last.isoformat(),
            "limit": str(CONTRACTS_A_PAGE),
        }
        found: dict[str, Contract] = {}
        path = "/v2/options/contracts"
        for page in all_pages(self._trading, path, query, read_contracts_page, deadline):
            for row in page.option_contracts:
                found[row.symbol] = _contract(row)
        return tuple(found[symbol] for symbol in sorted(found))


class GreeksRow(msgspec.Struct, kw_only=True):
    """Greeks as the broker writes them; some or all may be missing."""

    delta: float | None = None
    gamma: float | None = None
    theta: float | None = None
    vega: float | None = None
    rho: float | None = None


class SnapshotRow(msgspec.Struct, kw_only=True, rename="camel"):
    """One contract of a chain as the broker writes it."""

    latest_quote: QuoteRow | None = None
    greeks: GreeksRow | None = None
    implied_volatility: float | None = None


class ChainPage(Page, kw_only=True):
    """Some contracts of a chain."""

    snapshots: dict[str, SnapshotRow]


class ContractRow(msgspec.Struct, kw_only=True):
    """A listed contract as the broker writes it: numbers are strings."""

    symbol: str
    underlying_symbol: str
    expiration_date: date
    type: str
    strike_price: Decimal
    multiplier: Decimal | None = None
    tradable: bool = False
    open_interest: Decimal | None = None
    close_price: Decimal | None = None


class ContractsPage(Page, kw_only=True):
    """Some listed contracts."""

    option_contracts: list[ContractRow]


read_chain_page = reader(ChainPage)
read_contracts_page = reader(ContractsPage)


def _entries(rows: Mapping[str, SnapshotRow]) -> dict[str, ChainEntry]:
    try:
        return {
            symbol: ChainEntry(
                symbol=symbol,
                quote=None if row.latest_quote is None else quote_of(symbol, row.latest_quote),
                greeks=None if row.greeks is None else _greeks(row.greeks),
                implied_volatility=_finite(row.implied_volatility),
            )
            for symbol, row in rows.items()
        }
    except BadAnswer as bad:
        raise ReadFailed(str(bad)) from bad


def _greeks(row: GreeksRow) -> Greeks | None:
    """All of them, or none: half an answer prices nothing."""
    delta, gamma, theta = _finite(row.delta), _finite(row.gamma), _finite(row.theta)
    vega, rho = _finite(row.vega), _finite(row.rho)
    if delta is None or gamma is None or theta is None or vega is None or rho is None:
        return None
    return Greeks(delta=delta, gamma=gamma, theta=theta, vega=vega, rho=rho)


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _contract(row: ContractRow) -> Contract:
    try:
        right = Right(row.type)
    except ValueError as error:
        raise ReadFailed(f"contract {row.symbol} is a {row.type!r}, wanted call or put") from error
    if row.multiplier is None:
        raise ReadFailed(f"contract {row.symbol} has no multiplier")
    return Contract(
        symbol=row.symbol,
        underlying=row.underlying_symbol,
        expiration=row.expiration_date,
        right=right,
        strike=row.strike_price,
        multiplier=row.multiplier,
        tradable=row.tradable,
        open_interest=row.open_interest,
        close_price=row.close_price,
    )
