"""A generated option chain: GENERATED prices by Black and Scholes around a share of the market.

What is listed follows from `listing`, the volatility from `smile`, the worth from `black_scholes`,
bid and ask from `option_prices`. Open interest and the sizes of quotes are drawn by hashing. An
option trades now and then while its underlying does, at its worth. Greeks and volatility are absent
where the real feed has none: where nobody bids, deep in or far out of the money, on the day of the
expiration, and while the underlying does not trade.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import product
from math import exp, log, sqrt

import msgspec
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.exact import plain
from hydra.trading.local_time import NEW_YORK, new_york_date
from hydra.trading.option_symbols import root_of
from hydra.trading.sessions import SessionTable
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.fill_model import as_written
from hydra.venues.simulated.market import black_scholes
from hydra.venues.simulated.market.derived import path_of, quarter_at, quarter_begins
from hydra.venues.simulated.market.events import QuoteChanged
from hydra.venues.simulated.market.hashing import id_of, number_of, share_of
from hydra.venues.simulated.market.listing import (
    expirations_of,
    strike_range,
    strike_step,
    strikes_between,
)
from hydra.venues.simulated.market.occ import NotAnOption, OccSymbol, parse
from hydra.venues.simulated.market.option_prices import on_step, prices_around_worth
from hydra.venues.simulated.market.rows import Greeks
from hydra.venues.simulated.market.series import Series
from hydra.venues.simulated.market.smile import Smile
from hydra.venues.simulated.market.timeframes import DAY

GREEKS_DELTA_MIN = 0.02
GREEKS_DELTA_MAX = 0.98
"""Outside of these (without sign) an option has no greeks."""
OPEN_INTEREST_MAX = 5_000
QUOTE_SIZE_MAX = 50
TRADED_BARS = 0.10
"""The share of the underlying's bars in which an option at the money trades."""


class ChainTerms(msgspec.Struct, frozen=True, kw_only=True):
    """On what the generated options depend besides their underlying. `rate` is a year's."""

    seed: int = 0
    smile: Smile = Smile()
    rate: float = 0.04
    dividend_yield: float = 0.0
    in_penny_program: bool = True


class GeneratedChain:
    """The options of one share, as a pure function of its bars, the calendar and the terms.

    `sessions` reaches over a year beyond the last bar.
    """

    def __init__(self, underlying: Series, sessions: SessionTable, terms: ChainTerms) -> None:
        self._underlying = underlying
        self._sessions = sessions
        self._terms = terms
        self._root = root_of(underlying.symbol)
        self._step = strike_step(underlying.bar(0).open)
        self._days, self._ranges = _ranges_by_day(underlying)
        # Many days list the same expiration; it closes when its session does.
        listed = {
            expiration
            for midnight in self._days
            for expiration in expirations_of(new_york_date(midnight), sessions)
        }
        self._closes = {day: _close_of(day, sessions) for day in listed}

    @property
    def roots(self) -> frozenset[str]:
        """What the symbols of the contracts begin with."""
        return frozenset((self._root,))

    def contract(self, symbol: str, at: int | None = None) -> OptionContract | None:
        """The contract as it is described at `at`; None: it is never listed in this market."""
        try:
            occ = parse(symbol)
        except NotAnOption:
            return None
        number, rest = divmod(occ.strike, self._step)
        first, last = strike_range(*self._ranges[-1], self._step)
        if occ.root != self._root or rest or not first <= number <= last:
            return None
        if occ.expiration not in self._closes:
            return None
        contract = self._bare(symbol, occ)
        return contract if at is None else self._described(contract, at)

    def contracts(self, at: int) -> Iterator[OptionContract]:
        """What is listed at `at` and has not expired, without what changes from day to day."""
        day = bisect_right(self._days, at) - 1
        if day < 0:
            return
        listed = expirations_of(new_york_date(at), self._sessions)
        alive = [expiration for expiration in listed if self._closes.get(expiration, 0) > at]
        for occ in self._grid(alive, self._ranges[day]):
            yield self._bare(str(occ), occ)

    def all_contracts(self) -> Iterator[OptionContract]:
        """What is listed at any time of this market."""
        for occ in self._grid(sorted(self._closes), self._ranges[-1]):
            yield self._bare(str(occ), occ)

    def quote(self, contract: OptionContract, at: int) -> QuoteChanged | None:
        """The newest; None: there has been none."""
        spot = self._spot(min(at, self._closes[contract.expiration] - 1))
        if spot is None:
            return None
        quoted_at, price = spot
        terms = self._terms_of(contract, price, quoted_at)
        volatility = self._volatility_of(terms)
        moneyness = log(terms.strike / price) / sqrt(terms.years)
        worth = black_scholes.american_price(terms, volatility)
        bid, ask = prices_around_worth(worth, moneyness, contract)
        size = float(1 + number_of(f"{self._terms.seed}|size|{contract.symbol}") % QUOTE_SIZE_MAX)
        return QuoteChanged(contract.symbol, quoted_at, bid, ask, size if bid else 0.0, size)

    def valuation(self, contract: OptionContract, at: int) -> tuple[Greeks, float] | None:
        """Greeks and implied volatility; None where the real feed has none either."""
        quote = self.quote(contract, at)
        spot = self._spot(at)
        if (
            quote is None
            or spot is None
            or quote.bid == 0.0
            or not self.is_trading(contract, at)
            or new_york_date(at) == contract.expiration
        ):
            return None
        terms = self._terms_of(contract, spot[1], spot[0])
        volatility = self._volatility_of(terms)
        greeks = black_scholes.greeks(terms, volatility)
        if not GREEKS_DELTA_MIN <= abs(greeks.delta) <= GREEKS_DELTA_MAX:
            return None
        return greeks, volatility

    def is_trading(self, contract: OptionContract, at: int) -> bool:
        """Whether the contract can be traded at this very moment."""
        return (
            at < self._closes[contract.expiration]
            and self._underlying.in_progress(at) is not None
            and self._sessions.at(at) is not None
        )

    def series(self, contract: OptionContract) -> Series:
        """The contract's own bars. Without volume where it has not traded, which is mostly."""

        def bar(index: int) -> Bar:
            return self._bar(contract, self._underlying.bar(index))

        return self._underlying.in_step(contract.symbol, bar, self._closes[contract.expiration])

    def _grid(
        self, expirations: Iterable[date], closed_between: tuple[float, float]
    ) -> Iterator[OccSymbol]:
        strikes = [plain(strike) for strike in strikes_between(*closed_between, self._step)]
        for expiration, right, strike in product(expirations, Right, strikes):
            yield OccSymbol(self._root, expiration, right, strike)

    def _bare(self, symbol: str, occ: OccSymbol) -> OptionContract:
        return OptionContract(
            id=id_of("option", symbol),
            symbol=symbol,
            underlying=self._underlying.symbol,
            expiration=occ.expiration,
            right=occ.right,
            strike=occ.strike,
            in_penny_program=self._terms.in_penny_program,
        )

    def _described(self, contract: OptionContract, at: int) -> OptionContract:
        """With the open interest and the close of the day before.

        Before the first day there is none. The open interest is then by the first price: a market
        whose contracts nobody held yet would be one that nobody trades in.
        """
        before = self._day_before(at)
        first = self._underlying.bar(0)
        closed_at, price = (first.start_at, first.open) if before is None else before
        terms = self._terms_of(contract, price, closed_at)
        share = share_of(f"{self._terms.seed}|open interest|{contract.symbol}")
        distance = log(terms.strike / price) / sqrt(terms.years)
        interest = int(OPEN_INTEREST_MAX * share * exp(-2.0 * distance**2))
        if before is None:
            return structs.replace(contract, open_interest=interest)
        return structs.replace(
            contract,
            open_interest=interest,
            open_interest_date=new_york_date(closed_at),
            close_price=as_written(self._worth(contract, price, closed_at)),
            close_price_date=new_york_date(closed_at),
        )

    def _bar(self, contract: OptionContract, underlying: Bar) -> Bar:
        volume = self._volume(contract, underlying)
        path = path_of(underlying) if volume else (underlying.open,)  # most bars have none
        prices = [
            self._worth(contract, price, quarter_begins(underlying, quarter))
            for quarter, price in enumerate(path)
        ]
        return Bar(
            contract.symbol, underlying.start_at, underlying.end_at,
            prices[0], max(prices), min(prices), prices[-1], volume,
        )  # fmt: skip

    def _volume(self, contract: OptionContract, underlying: Bar) -> float:
        """Drawn: the nearer to the money, the more often there is one."""
        terms = self._terms_of(contract, underlying.open, underlying.start_at)
        moneyness = log(terms.strike / terms.spot) / sqrt(terms.years)
        chance = TRADED_BARS * exp(-2.0 * moneyness**2)
        if chance < _CHANCE_MIN:
            return 0.0
        draw = share_of(f"{self._terms.seed}|volume|{contract.symbol}|{underlying.start_at}")
        return float(4 + int(16 * draw / chance)) if draw < chance else 0.0

    def _worth(self, contract: OptionContract, price: float, at: int) -> float:
        """What the option is worth with the underlying at this price, on a step."""
        terms = self._terms_of(contract, price, at)
        worth = black_scholes.american_price(terms, self._volatility_of(terms))
        return on_step(worth, contract)

    def _terms_of(self, contract: OptionContract, price: float, at: int) -> black_scholes.Terms:
        left = max(self._closes[contract.expiration] - at, MINUTE)
        return black_scholes.Terms(
            contract.right, price, float(contract.strike), left / black_scholes.YEAR_NS,
            self._terms.rate, self._terms.dividend_yield,
        )  # fmt: skip

    def _volatility_of(self, terms: black_scholes.Terms) -> float:
        return self._terms.smile.volatility(terms.spot, terms.strike, terms.years)

    def _spot(self, at: int) -> tuple[int, float] | None:
        """The underlying's price at `at`, behind the time since when it stands there."""
        index = self._underlying.begun(at) - 1
        if index < 0:
            return None
        bar = self._underlying.bar(index)
        quarter = quarter_at(bar, at)
        return quarter_begins(bar, quarter), path_of(bar)[quarter]

    def _day_before(self, at: int) -> tuple[int, float] | None:
        """End and close of the last bar of an earlier day."""
        index = self._underlying.first_from(DAY.around(at, NEW_YORK)[0]) - 1
        if index < 0:
            return None
        bar = self._underlying.bar(index)
        return bar.end_at, bar.close


def _ranges_by_day(underlying: Series) -> tuple[list[int], list[tuple[float, float]]]:
    """The midnights (UTC ns) of all days with bars, and what the share had closed between by then.

    On its first day that is its first price.
    """
    days: list[int] = []
    ranges: list[tuple[float, float]] = []
    low = high = underlying.bar(0).open
    index = 0
    while index < len(underlying):
        midnight, next_midnight = DAY.around(underlying.start_at(index), NEW_YORK)
        days.append(midnight)
        ranges.append((low, high))
        index = underlying.first_from(next_midnight)
        close = underlying.bar(index - 1).close
        low, high = min(low, close), max(high, close)
    return days, ranges


def _close_of(day: date, sessions: SessionTable) -> int:
    session = sessions.of_date(day.isoformat())
    assert session is not None, day
    return session.close_at


_CHANCE_MIN = 1e-9
