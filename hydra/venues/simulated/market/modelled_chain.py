"""Options priced by Black and Scholes around a share of the market, whatever is listed on it.

What they are worth comes from `black_scholes`, bid and ask from `option_prices`; the sizes of
quotes are drawn by hashing. An option trades now and then while its underlying does, at its worth.
Greeks and volatility are absent where the real feed has none: where nobody bids, deep in or far out
of the money, on the day of the expiration, and while the underlying does not trade.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date
from math import exp, log, sqrt

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.local_time import NEW_YORK, new_york_date
from hydra.trading.sessions import SessionTable
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.market import black_scholes
from hydra.venues.simulated.market.derived import path_of, quarter_at, quarter_begins
from hydra.venues.simulated.market.events import QuoteChanged
from hydra.venues.simulated.market.hashing import number_of, share_of
from hydra.venues.simulated.market.option_prices import on_step, prices_around_worth
from hydra.venues.simulated.market.rows import Greeks
from hydra.venues.simulated.market.series import Series
from hydra.venues.simulated.market.smile import Smile
from hydra.venues.simulated.market.timeframes import DAY

GREEKS_DELTA_MIN = 0.02
GREEKS_DELTA_MAX = 0.98
"""Outside of these (without sign) an option has no greeks."""
QUOTE_SIZE_MAX = 50
TRADED_BARS = 0.10
"""The share of the underlying's bars in which an option at the money trades."""


class ChainTerms(msgspec.Struct, frozen=True, kw_only=True):
    """On what modelled options depend besides their underlying. `rate` is a year's. Of a chain with
    volatilities of its own, `smile` and `in_penny_program` say nothing.
    """

    seed: int = 0
    smile: Smile = Smile()
    rate: float = 0.04
    dividend_yield: float = 0.0
    in_penny_program: bool = True


class ModelledChain(ABC):
    """What the options of one share show, as a pure function of its bars, the calendar, the terms.

    Which are listed, and their volatility, is for a chain to say that is one of these.
    """

    def __init__(
        self,
        underlying: Series,
        sessions: SessionTable,
        terms: ChainTerms,
        closes: Mapping[date, int],
    ) -> None:
        """`closes` has the end (UTC ns) of every expiration that is ever listed."""
        self._underlying = underlying
        self._sessions = sessions
        self._terms = terms
        self._closes = closes

    @abstractmethod
    def _volatility_of(
        self, contract: OptionContract, terms: black_scholes.Terms, at: int
    ) -> float:
        """A year's, of the contract at `at`; before it is listed, the one that it begins with."""

    def _listed_at(self, contract: OptionContract) -> int:
        """Since when (UTC ns) the contract is there; nothing is shown of it before."""
        return 0

    def quote(self, contract: OptionContract, at: int) -> QuoteChanged | None:
        """The newest; None: there has been none."""
        spot = self._spot(min(at, self._closes[contract.expiration] - 1))
        if spot is None or spot[0] < self._listed_at(contract):
            return None
        quoted_at, price = spot
        terms = self._terms_of(contract, price, quoted_at)
        volatility = self._volatility_of(contract, terms, quoted_at)
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
        volatility = self._volatility_of(contract, terms, spot[0])
        greeks = black_scholes.greeks(terms, volatility)
        if not GREEKS_DELTA_MIN <= abs(greeks.delta) <= GREEKS_DELTA_MAX:
            return None
        return greeks, volatility

    def is_trading(self, contract: OptionContract, at: int) -> bool:
        """Whether the contract can be traded at this very moment."""
        return (
            self._listed_at(contract) <= at < self._closes[contract.expiration]
            and self._underlying.in_progress(at) is not None
            and self._sessions.at(at) is not None
        )

    def series(self, contract: OptionContract) -> Series:
        """The contract's own bars. Without volume where it has not traded, which is mostly."""

        def bar(index: int) -> Bar:
            return self._bar(contract, self._underlying.bar(index))

        return self._underlying.in_step(contract.symbol, bar, self._closes[contract.expiration])

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
        if underlying.start_at < self._listed_at(contract):
            return 0.0
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
        volatility = self._volatility_of(contract, terms, at)
        return on_step(black_scholes.american_price(terms, volatility), contract)

    def _terms_of(self, contract: OptionContract, price: float, at: int) -> black_scholes.Terms:
        left = max(self._closes[contract.expiration] - at, MINUTE)
        return black_scholes.Terms(
            contract.right, price, float(contract.strike), left / black_scholes.YEAR_NS,
            self._terms.rate, self._terms.dividend_yield,
        )  # fmt: skip

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


_CHANCE_MIN = 1e-9
