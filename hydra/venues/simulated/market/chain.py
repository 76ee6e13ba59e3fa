"""A generated option chain: GENERATED prices by Black and Scholes around a share of the market.

What is listed follows from `listing`, the volatility from `smile`, and prices from those by
`modelled_chain`. Open interest is drawn by hashing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import product
from math import exp, log, sqrt

from msgspec import structs

from hydra.trading.exact import plain
from hydra.trading.local_time import NEW_YORK, new_york_date
from hydra.trading.option_symbols import root_of
from hydra.trading.sessions import SessionTable
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.fill_model import as_written
from hydra.venues.simulated.market import black_scholes
from hydra.venues.simulated.market.hashing import id_of, share_of
from hydra.venues.simulated.market.listing import (
    expirations_of,
    strike_range,
    strike_step,
    strikes_between,
)
from hydra.venues.simulated.market.modelled_chain import ChainTerms, ModelledChain
from hydra.venues.simulated.market.occ import NotAnOption, OccSymbol, parse
from hydra.venues.simulated.market.series import Series
from hydra.venues.simulated.market.timeframes import DAY

OPEN_INTEREST_MAX = 5_000


class GeneratedChain(ModelledChain):
    """The options of one share, as a pure function of its bars, the calendar and the terms.

    `sessions` reaches over a year beyond the last bar.
    """

    def __init__(self, underlying: Series, sessions: SessionTable, terms: ChainTerms) -> None:
        self._root = root_of(underlying.symbol)
        self._step = strike_step(underlying.bar(0).open)
        self._days, self._ranges = _ranges_by_day(underlying)
        # Many days list the same expiration; it closes when its session does.
        listed = {
            expiration
            for midnight in self._days
            for expiration in expirations_of(new_york_date(midnight), sessions)
        }
        closes = {day: _close_of(day, sessions) for day in listed}
        super().__init__(underlying, sessions, terms, closes)

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

    def _volatility_of(
        self, contract: OptionContract, terms: black_scholes.Terms, at: int
    ) -> float:
        return self._terms.smile.volatility(terms.spot, terms.strike, terms.years)


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
