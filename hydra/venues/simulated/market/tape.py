"""The market of the local venue: everything that it shows at an instant, and what happens next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from pathlib import Path

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.exact import add, multiply
from hydra.trading.instruments import is_crypto
from hydra.trading.option_symbols import root_of
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.brokerage.quotes import Quote
from hydra.venues.simulated.fill_model import as_written
from hydra.venues.simulated.market.asset_list import AssetList, asset_of
from hydra.venues.simulated.market.chain import GeneratedChain
from hydra.venues.simulated.market.contract_query import ContractQuery
from hydra.venues.simulated.market.derived import path_of, quarter_at
from hydra.venues.simulated.market.events import QuoteChanged
from hydra.venues.simulated.market.events import TapeEvent as TapeEvent
from hydra.venues.simulated.market.flow import Flow
from hydra.venues.simulated.market.history import History
from hydra.venues.simulated.market.implied_chain import ImpliedChain
from hydra.venues.simulated.market.modelled_chain import ChainTerms
from hydra.venues.simulated.market.occ import is_root
from hydra.venues.simulated.market.options import Chain, OptionBoard
from hydra.venues.simulated.market.series import Series
from hydra.venues.simulated.market.splits import Split
from hydra.venues.simulated.market_data import MarketData, calendar_around


class MarketTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change in the life of a market besides its data.

    `spread_bps` (at least 0, under 10,000) is the least width of a quote, in basis points of the
    price. `options` is about chains whose prices are modelled. Anything else is a ValueError.
    """

    spread_bps: Decimal = Decimal(0)
    splits: tuple[Split, ...] = ()
    options: ChainTerms = ChainTerms()

    def __post_init__(self) -> None:
        if not (self.spread_bps.is_finite() and 0 <= self.spread_bps < 10_000):
            raise ValueError(f"spread_bps is {self.spread_bps}, wanted at least 0 and under 10000")

    @property
    def spread_share(self) -> float:
        """The least width of a quote, as a share of the price."""
        return float(self.spread_bps) / 10_000.0


class Tape:
    """A pure function of data, terms and time. It is the brokerage's `MarketView`.

    `calendar` has the exchange's sessions from before the data to over a year after them. `chains`
    go before those of the data and generated ones; an underlying of theirs need not have bars here.
    """

    def __init__(
        self,
        data: MarketData,
        calendar: SessionTable,
        terms: MarketTerms | None = None,
        chains: Mapping[str, Chain] | None = None,
    ) -> None:
        terms = MarketTerms() if terms is None else terms
        self._spread_share = terms.spread_share
        self._series = _series_of(data)
        self.sessions = calendar
        self.assets = AssetList(
            asset_of(series.symbol, series.bar(0).open, _highest(series))
            for series in self._series.values()
        )
        generated: dict[str, Chain] = {
            symbol: GeneratedChain(series, calendar, terms.options)
            for symbol, series in self._series.items()
            if not is_crypto(symbol) and is_root(root_of(symbol))
        }
        implied: dict[str, Chain] = {
            each.underlying: ImpliedChain(
                self._series[each.underlying], calendar, terms.options, each
            )
            for each in data.moved_options
        }
        self._options = OptionBoard({**generated, **implied, **(chains or {})})
        self.history = History(self._series.get, self._options, terms.splits, self._spread_share)
        self._ends_at = _end_of(data)
        self._flow = Flow(data.bars, self._sessions_played(), self._ends_at, self._spread_share)
        self._newest: dict[str, tuple[int, Quote]] = {}

    @property
    def begins_at(self) -> int:
        """Market time (UTC ns) of the first bar's start."""
        return min(series.start_at(0) for series in self._series.values())

    @property
    def ends_at(self) -> int:
        """Market time of the last event, `MarketEnded`."""
        return self._ends_at

    def asset(self, name: str) -> Asset | None:
        """The equity or coin of this symbol (BTC/USD or BTCUSD) or id; None: there is none."""
        return self.assets.find(name)

    def contract(self, name: str, at: int | None = None) -> OptionContract | None:
        """The option contract of this OCC symbol or id, listed at any time of this market.

        With `at` it has the open interest and the close of the day before that time. None: there is
        none.
        """
        option = self._options.find(name, at)
        return None if option is None else option[1]

    def contracts(self, query: ContractQuery, at: int) -> tuple[OptionContract, ...]:
        """Those that are asked for, listed and not expired at `at`, by symbol."""
        return self._options.contracts(query, at)

    def quote(self, symbol: str, at: int) -> Quote | None:
        """What the market shows at `at`; None: it has not shown anything yet.

        Its own time is the one from which on it stands. `last` is, of options, the middle.
        """
        series = self._series.get(symbol)
        if series is None:
            return self._option_quote(symbol, at)
        shown = self.history.latest_quote(symbol, at)
        if shown is None:
            return None
        newest = self._newest.get(symbol)
        if newest is not None and newest[0] == shown.at:
            return newest[1]
        bar = series.bar(series.begun(at) - 1)
        quote = _exact(shown, as_written(path_of(bar)[quarter_at(bar, at)]))
        self._newest[symbol] = (shown.at, quote)
        return quote

    def is_trading(self, symbol: str, at: int) -> bool:
        """Whether a bar of the symbol (of an option's underlying) is in progress."""
        series = self._series.get(symbol)
        if series is not None:
            return series.in_progress(at) is not None
        option = self._options.find(symbol)
        return option is not None and option[0].is_trading(option[1], at)

    def events(self, after: int) -> Iterator[TapeEvent]:
        """All events later than `after` (UTC ns), in the order of time."""
        return self._flow.events(after)

    def _option_quote(self, symbol: str, at: int) -> Quote | None:
        shown = self.history.latest_quote(symbol, at)
        if shown is None:
            return None
        middle = multiply(add(as_written(shown.bid), as_written(shown.ask)), Decimal("0.5"))
        return _exact(shown, middle)

    def _sessions_played(self) -> Sequence[ExchangeSession]:
        begins_at, ends_at = self.begins_at, self._ends_at
        return [
            session
            for session in self.sessions.sessions
            if session.close_at > begins_at and session.open_at < ends_at
        ]


def open_tape(
    data: MarketData,
    terms: MarketTerms,
    cache_dir: Path | None,
    chains: Mapping[str, Chain] | None = None,
) -> Tape:
    """The market of these data, with the exchange's calendar around them."""
    return Tape(data, calendar_around(data.bars, cache_dir), terms, chains)


def _series_of(data: MarketData) -> dict[str, Series]:
    bars: dict[str, list[Bar]] = {symbol: [] for symbol in data.symbols}
    for bar in data.bars:
        bars[bar.symbol].append(bar)
    return {symbol: Series.of(symbol, tuple(found)) for symbol, found in bars.items() if found}


def _highest(series: Series) -> float:
    return max(series.bar(index).high for index in range(len(series)))


def _end_of(data: MarketData) -> int:
    """The last bar's end, or the close of the session in which it lies."""
    last = max(data.bars, key=attrgetter("end_at"))
    session = data.sessions.at(last.start_at)
    return last.end_at if session is None else max(last.end_at, session.close_at)


def _exact(shown: QuoteChanged, last: Decimal) -> Quote:
    return Quote(
        symbol=shown.symbol,
        bid=as_written(shown.bid),
        ask=as_written(shown.ask),
        bid_size=_size(shown.bid_size),
        ask_size=_size(shown.ask_size),
        last=last,
        at=shown.at,
    )


def _size(value: float) -> Decimal:
    return Decimal(int(value)) if value.is_integer() else as_written(value)
