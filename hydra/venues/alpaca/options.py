"""Option contracts and chains over REST, with greeks where the broker gives them.

Illiquid, deep or expiring contracts have no greeks, and nothing has them out of hours: what is
absent is None, and means no trade. So is what cannot be read of one contract: it costs no other its
place. On the free feed quotes are altered and trades late, so no order is to be priced by them
alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum

import msgspec

from hydra.trading.amounts import is_amount
from hydra.trading.echo import words
from hydra.trading.option_rules import NotEligible
from hydra.trading.option_symbols import Right
from hydra.trading.quotes import Quote
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.market_rest import Page, QuoteRow, all_pages, quote_of
from hydra.venues.alpaca.payloads import reader, rows_reader

SNAPSHOTS_A_PAGE = 1_000
CONTRACTS_A_PAGE = 10_000


class OptionFeed(Enum):
    """Whose quotes are seen: an altered free feed, or the exchanges'."""

    INDICATIVE = "indicative"
    OPRA = "opra"


class ChainBounds(msgspec.Struct, frozen=True, kw_only=True):
    """Which contracts of an underlying: calls or puts (None: both), expirations and strikes from
    the first to the last, both included. Without strikes all of them.
    """

    first: date
    last: date
    right: Right | None = None
    strike_from: Decimal | None = None
    strike_to: Decimal | None = None

    @property
    def query(self) -> dict[str, str]:
        """As the broker wants it. Both dates always: without them it shows this week's only."""
        wanted = {
            "expiration_date_gte": self.first.isoformat(),
            "expiration_date_lte": self.last.isoformat(),
            "type": None if self.right is None else self.right.value,
            "strike_price_gte": None if self.strike_from is None else f"{self.strike_from:f}",
            "strike_price_lte": None if self.strike_to is None else f"{self.strike_to:f}",
        }
        return {name: value for name, value in wanted.items() if value is not None}


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
    in_penny_program: bool
    """Priced in the finer steps; False where the broker does not say."""


class ListedContracts(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of symbols; and those of which nobody can tell what they are."""

    contracts: tuple[Contract, ...]
    unread: tuple[NotEligible, ...]


class OptionReads:
    """Reads chains from the data host and contracts from the trading host. Each call waits.

    Raises `ReadFailed` where a page could not be read. Deadlines: monotonic, in seconds.
    """

    def __init__(self, data: Calls, trading: Calls, feed: OptionFeed) -> None:
        self._data = data
        self._trading = trading
        self._feed = feed

    def chain(
        self, underlying: str, bounds: ChainBounds, deadline: float
    ) -> tuple[ChainEntry, ...]:
        """Every contract within these bounds that is shown readably, in the order of symbols."""
        query = {"feed": self._feed.value, **bounds.query, "limit": str(SNAPSHOTS_A_PAGE)}
        path = f"/v1beta1/options/snapshots/{underlying}"
        found: dict[str, ChainEntry] = {}
        for page in all_pages(self._data, path, query, read_chain_page, deadline):
            found.update(_entries(page.snapshots or {}))
        return tuple(found[symbol] for symbol in sorted(found))

    def contracts(self, underlying: str, bounds: ChainBounds, deadline: float) -> ListedContracts:
        """The listed contracts within these bounds."""
        query = {
            "underlying_symbols": underlying,
            "status": "active",
            **bounds.query,
            "limit": str(CONTRACTS_A_PAGE),
        }
        found: dict[str, Contract] = {}
        unread: list[NotEligible] = []
        path = "/v2/options/contracts"
        for page in all_pages(self._trading, path, query, read_contracts_page, deadline):
            for raw in page.option_contracts or ():
                try:
                    contract = _contract(_read_contract(bytes(raw)))
                except BadAnswer as bad:
                    symbol = _symbol_in(bytes(raw))
                    unread.append(NotEligible(symbol=symbol, rule="is_read", reason=str(bad)))
                    continue
                found[contract.symbol] = contract
        # Of one that is listed twice nobody knows which of the two is true.
        for each in unread:
            found.pop(each.symbol, None)
        return ListedContracts(
            contracts=tuple(found[symbol] for symbol in sorted(found)), unread=tuple(unread)
        )


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

    snapshots: dict[str, msgspec.Raw] | None = None


class ContractRow(msgspec.Struct, kw_only=True):
    """A listed contract as the broker writes it: numbers are strings."""

    symbol: str
    underlying_symbol: str
    expiration_date: date
    type: str
    strike_price: Decimal
    multiplier: Decimal | None = None
    tradable: bool | None = None
    open_interest: Decimal | None = None
    close_price: Decimal | None = None
    ppind: bool | None = None


class _Named(msgspec.Struct):
    symbol: str


class ContractsPage(Page, kw_only=True):
    """Some listed contracts."""

    option_contracts: list[msgspec.Raw] | None = None


read_chain_page = rows_reader(ChainPage, "snapshots")
read_contracts_page = rows_reader(ContractsPage, "option_contracts")
_read_shown = reader(SnapshotRow)
_read_contract = reader(ContractRow)
_read_named = reader(_Named)


def _entries(rows: Mapping[str, msgspec.Raw]) -> dict[str, ChainEntry]:
    found: dict[str, ChainEntry] = {}
    for symbol, raw in rows.items():
        try:
            found[symbol] = _entry(symbol, _read_shown(bytes(raw)))
        except BadAnswer:
            continue  # as if nothing were shown of it: without a delta nobody takes it
    return found


def _entry(symbol: str, row: SnapshotRow) -> ChainEntry:
    return ChainEntry(
        symbol=symbol,
        quote=None if row.latest_quote is None else quote_of(symbol, row.latest_quote),
        greeks=None if row.greeks is None else _greeks(row.greeks),
        implied_volatility=_finite(row.implied_volatility),
    )


def _symbol_in(row: bytes) -> str:
    """Of a contract that cannot be read, if that much can."""
    try:
        return _read_named(row).symbol
    except BadAnswer:
        return "?"


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
    """In the engine's terms. Raises `BadAnswer`."""
    name = words(row.symbol)
    try:
        right = Right(row.type)
    except ValueError as error:
        raise BadAnswer(f"contract {name} is a {words(row.type)}, wanted call or put") from error
    if row.multiplier is None:
        raise BadAnswer(f"contract {name} has no multiplier")
    _require_numbers(row, row.multiplier)
    return Contract(
        symbol=row.symbol,
        underlying=row.underlying_symbol,
        expiration=row.expiration_date,
        right=right,
        strike=row.strike_price,
        multiplier=row.multiplier,
        tradable=row.tradable is True,
        open_interest=row.open_interest,
        close_price=row.close_price,
        in_penny_program=row.ppind is True,
    )


def _require_numbers(row: ContractRow, multiplier: Decimal) -> None:
    """What a contract costs and delivers is reckoned with: a NaN would stop whoever compares it."""
    for what, value in (("strike_price", row.strike_price), ("multiplier", multiplier)):
        if not (is_amount(value) and value > 0):
            found = f"contract {words(row.symbol)} has {what} {words(value)}"
            raise BadAnswer(f"{found}, wanted a number over zero")
    for what, known in (("open_interest", row.open_interest), ("close_price", row.close_price)):
        if known is not None and not (is_amount(known) and known >= 0):
            found = f"contract {words(row.symbol)} has {what} {words(known)}"
            raise BadAnswer(f"{found}, wanted 0 or more")
