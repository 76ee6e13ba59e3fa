"""The market's past, as the historical REST endpoints show it. Nothing is later than `at`.

Bars are told when they are over, with one exception: the daily bar of today, and the week's and
month's, of the minutes that are over. A minute of a share without a trade has no bar; a coin's has,
with a volume of zero. Of options there are bars and trades, and of quotes only the newest.
"""

from collections.abc import Callable, Iterator, Sequence

from hydra.trading.instruments import is_crypto
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.market.aggregation import as_it_is, bars_of, is_shown
from hydra.venues.simulated.market.contract_query import ContractQuery
from hydra.venues.simulated.market.day_bars import DayBars
from hydra.venues.simulated.market.derived import (
    QUARTERS,
    prices_around,
    quarter_at,
    quarter_begins,
    quote_in,
    trade_in,
)
from hydra.venues.simulated.market.events import QuoteChanged, TradePrinted
from hydra.venues.simulated.market.options import Chain, OptionBoard
from hydra.venues.simulated.market.pages import page_of, read_token, token_of
from hydra.venues.simulated.market.rows import (
    Adjustment,
    BadQuery,
    HistoryBar,
    OptionSnapshot,
    OrderBook,
    Page,
    PageQuery,
    Snapshot,
)
from hydra.venues.simulated.market.series import Series
from hydra.venues.simulated.market.splits import Split, adjusted
from hydra.venues.simulated.market.timeframes import Timeframe

BOOK_LEVELS = 5
BOOK_STEP = 0.0001
"""How far a level of a coin's book lies behind the one before it, as a share of the price."""


class History:
    """Looks back from market time `at` (UTC ns). Symbols are equities, coins or OCC options."""

    def __init__(
        self,
        series_of: Callable[[str], Series | None],
        options: OptionBoard,
        splits: Sequence[Split],
        spread_share: float,
    ) -> None:
        self._series_of = series_of
        self._options = options
        self._splits = splits
        self._spread_share = spread_share
        self._day_bars = DayBars()

    def bars(
        self,
        query: PageQuery,
        timeframe: Timeframe,
        at: int,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> Page[HistoryBar]:
        """Bars whose start lies in the span. BadQuery: the token is none of ours."""

        def rows(symbol: str, start: int, end: int, descending: bool) -> Iterator[HistoryBar]:
            series = self._any_series(symbol)
            if series is None:
                return iter(())
            if adjustment is Adjustment.SPLIT:
                series = adjusted(series, self._splits, at)
            found = bars_of(series, timeframe, start, end, at)
            return reversed(tuple(found)) if descending else found

        return page_of(query, rows)

    def trades(self, query: PageQuery, at: int) -> Page[TradePrinted]:
        """Trades in the span."""

        def rows(symbol: str, start: int, end: int, descending: bool) -> Iterator[TradePrinted]:
            series = self._any_series(symbol)
            for index, quarter in _quarters(series, start, min(end, at), descending):
                assert series is not None
                trade = trade_in(series.bar(index), quarter)
                if trade is not None:
                    yield trade

        return page_of(query, rows)

    def quotes(self, query: PageQuery, at: int) -> Page[QuoteChanged]:
        """Quotes in the span."""

        def rows(symbol: str, start: int, end: int, descending: bool) -> Iterator[QuoteChanged]:
            series = self._series_of(symbol)
            for index, quarter in _quarters(series, start, min(end, at), descending):
                assert series is not None
                yield quote_in(series.bar(index), quarter, self._spread_share)

        return page_of(query, rows)

    def latest_bar(self, symbol: str, at: int) -> HistoryBar | None:
        """The newest bar of the market's own length that has ended."""
        series = self._any_series(symbol)
        if series is None:
            return None
        ended = (series.bar(index) for index in reversed(range(series.ended(at))))
        return next((as_it_is(bar) for bar in ended if is_shown(bar)), None)

    def latest_trade(self, symbol: str, at: int) -> TradePrinted | None:
        """The newest trade."""
        series = self._any_series(symbol)
        for index, quarter in _quarters(series, 0, at, descending=True):
            assert series is not None
            trade = trade_in(series.bar(index), quarter)
            if trade is not None:
                return trade
        return None

    def latest_quote(self, symbol: str, at: int) -> QuoteChanged | None:
        """The newest quote, of a share, a coin or an option."""
        series = self._series_of(symbol)
        if series is None:
            option = self._options.find(symbol)
            return None if option is None else option[0].quote(option[1], at)
        index = series.begun(at) - 1
        if index < 0:
            return None
        bar = series.bar(index)
        return quote_in(bar, quarter_at(bar, at), self._spread_share)

    def day_so_far(self, symbol: str, at: int) -> HistoryBar | None:
        """The newest daily bar, of the bars that have ended. Cheap to ask for again and again."""
        series = self._series_of(symbol)
        return None if series is None else self._day_bars.newest(series, at)

    def snapshot(self, symbol: str, at: int) -> Snapshot | None:
        """The newest of everything of a share or coin; None: the symbol is not known."""
        series = self._series_of(symbol)
        if series is None:
            return None
        return Snapshot(
            symbol=symbol,
            trade=self.latest_trade(symbol, at),
            quote=self.latest_quote(symbol, at),
            minute_bar=self.latest_bar(symbol, at),
            daily_bar=self._day_bars.newest(series, at),
            previous_daily_bar=self._day_bars.one_before(series, at),
        )

    def order_book(self, symbol: str, at: int) -> OrderBook | None:
        """The book of a coin, derived from its quote: more is offered further away.

        None: it is no coin of this market, or nothing has been shown of it yet.
        """
        quote = self.latest_quote(symbol, at) if is_crypto(symbol) else None
        if quote is None:
            return None
        bids, asks = [], []
        middle = (quote.bid + quote.ask) / 2.0
        width = quote.ask - quote.bid
        for level in range(BOOK_LEVELS):
            share = width / middle + 2.0 * level * BOOK_STEP
            bid, ask = prices_around(middle, share) if level else (quote.bid, quote.ask)
            if bid > 0.0:
                bids.append((bid, quote.bid_size * (level + 1)))
            asks.append((ask, quote.ask_size * (level + 1)))
        return OrderBook(symbol, quote.at, tuple(bids), tuple(asks))

    def option_snapshot(self, symbol: str, at: int) -> OptionSnapshot | None:
        """Quote, greeks and volatility of one contract; None: there is no such contract."""
        option = self._options.find(symbol)
        return None if option is None else _option_snapshot(*option, at)

    def chain(
        self, underlying: str, query: ContractQuery, at: int, limit: int, token: str | None
    ) -> Page[OptionSnapshot]:
        """The contracts of an underlying that are listed at `at`, by symbol. Raises `BadQuery`."""
        if limit < 1:
            raise BadQuery("invalid limit")
        after = "" if token is None else read_token(token)[0]
        chain = self._options.chain(underlying)
        if chain is None:
            return Page((), None)
        found = sorted(
            (one for one in chain.contracts(at) if query.fits(one) and one.symbol > after),
            key=_symbol,
        )
        rows = tuple(_option_snapshot(chain, contract, at) for contract in found[:limit])
        return Page(rows, token_of(rows[-1].symbol, at) if len(found) > limit else None)

    def _any_series(self, symbol: str) -> Series | None:
        series = self._series_of(symbol)
        if series is not None:
            return series
        option = self._options.find(symbol)
        return None if option is None else option[0].series(option[1])


def _option_snapshot(chain: Chain, contract: OptionContract, at: int) -> OptionSnapshot:
    greeks, volatility = chain.valuation(contract, at) or (None, None)
    return OptionSnapshot(
        symbol=contract.symbol,
        quote=chain.quote(contract, at),
        greeks=greeks,
        implied_volatility=volatility,
    )


def _quarters(
    series: Series | None, start: int, end: int, descending: bool
) -> Iterator[tuple[int, int]]:
    """Places of bars and quarters of theirs that begin from `start` to `end`, both included."""
    if series is None:
        return
    indices = range(max(0, series.begun(start) - 1), series.begun(end))
    order = -1 if descending else 1
    for index in indices[::order]:
        bar = series.bar(index)
        for quarter in QUARTERS[::order]:
            if start <= quarter_begins(bar, quarter) <= end:
                yield index, quarter


def _symbol(contract: OptionContract) -> str:
    return contract.symbol
