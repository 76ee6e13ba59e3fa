"""What a European option is worth, how that moves, and which volatility a price implies.

The formulas are those of F. Black and M. Scholes, "The Pricing of Options and Corporate
Liabilities" (Journal of Political Economy 81, 1973), with the continuous dividend yield of
R. Merton, "Theory of Rational Option Pricing" (Bell Journal of Economics 4, 1973), as in J. Hull,
"Options, Futures, and Other Derivatives", chapters on the model and on the Greek letters.

Prices and strikes are in USD a share, rates and volatility a year (0.25 is 25 %), time in years.
An American option may be exercised at once, so it is never worth less than that brings; what more
its early exercise may be worth is left out, which is little but for deep puts and large dividends.
"""

from math import erfc, exp, inf, log, pi, sqrt

import msgspec

from hydra.trading.durations import DAY
from hydra.venues.simulated.brokerage.contracts import Right
from hydra.venues.simulated.market.rows import Greeks

DAYS_PER_YEAR = 365.0
YEAR_NS = DAYS_PER_YEAR * DAY
VOLATILITY_MIN = 1e-4
VOLATILITY_MAX = 10.0
"""Beyond these no volatility is looked for."""


class Terms(msgspec.Struct, frozen=True):
    """One option in one market: `years` to its expiration, over 0."""

    right: Right
    spot: float
    strike: float
    years: float
    rate: float = 0.0
    dividend_yield: float = 0.0

    @property
    def sign(self) -> float:
        """1 for a call, −1 for a put."""
        return 1.0 if self.right is Right.CALL else -1.0

    @property
    def discount(self) -> float:
        """What a dollar at expiration is worth now."""
        return exp(-self.rate * self.years)

    @property
    def spot_without_dividends(self) -> float:
        """What a share at expiration costs now."""
        return self.spot * exp(-self.dividend_yield * self.years)

    @property
    def worth_min(self) -> float:
        """What it is worth without any volatility: what the holder is sure of."""
        return max(0.0, self.sign * (self.spot_without_dividends - self.strike * self.discount))

    @property
    def exercised(self) -> float:
        """What it would bring if it could be exercised now."""
        return max(0.0, self.sign * (self.spot - self.strike))

    @property
    def worth_max(self) -> float:
        """What it is worth as volatility grows without end."""
        if self.right is Right.CALL:
            return self.spot_without_dividends
        return self.strike * self.discount


def price(terms: Terms, volatility: float) -> float:
    """What the option is worth, in USD a share."""
    d1, d2 = _d1_d2(terms, volatility)
    sign = terms.sign
    share = terms.spot_without_dividends * _normal(sign * d1)
    return sign * (share - terms.strike * terms.discount * _normal(sign * d2))


def american_price(terms: Terms, volatility: float) -> float:
    """What it is worth, in USD a share, to somebody who may also exercise it now."""
    return max(price(terms, volatility), terms.exercised)


def greeks(terms: Terms, volatility: float) -> Greeks:
    """Theta a calendar day, vega and rho for one point (0.01)."""
    d1, d2 = _d1_d2(terms, volatility)
    sign, root = terms.sign, sqrt(terms.years)
    dividends = exp(-terms.dividend_yield * terms.years)
    share, paid = terms.spot * dividends, terms.strike * terms.discount
    density = exp(-d1 * d1 / 2.0) / sqrt(2.0 * pi)
    decay = -share * density * volatility / (2.0 * root)
    carry = terms.dividend_yield * share * _normal(sign * d1)
    interest = terms.rate * paid * _normal(sign * d2)
    return Greeks(
        delta=sign * dividends * _normal(sign * d1),
        gamma=dividends * density / (terms.spot * volatility * root),
        theta=(decay + sign * (carry - interest)) / DAYS_PER_YEAR,
        vega=share * density * root / 100.0,
        rho=sign * paid * terms.years * _normal(sign * d2) / 100.0,
    )


def implied_volatility(terms: Terms, worth: float) -> float | None:
    """The volatility at which the option is worth so much; None: there is none between the bounds.

    The price rises with the volatility, so halving the interval always ends; Newton's step is taken
    where it stays inside, because it is faster.
    """
    low, high = VOLATILITY_MIN, VOLATILITY_MAX
    if not price(terms, low) <= worth <= price(terms, high) or worth <= terms.worth_min:
        return None
    volatility = 0.3
    for _ in range(_STEPS_MAX):
        difference = price(terms, volatility) - worth
        if abs(difference) <= _WORTH_TOLERANCE * max(1.0, worth):
            return volatility
        if difference > 0.0:
            high = volatility
        else:
            low = volatility
        slope = greeks(terms, volatility).vega * 100.0
        step = difference / slope if slope > 0.0 else inf
        volatility -= step
        if not low < volatility < high:
            volatility = (low + high) / 2.0
        if high - low <= _VOLATILITY_TOLERANCE:
            return volatility
    return volatility


def _d1_d2(terms: Terms, volatility: float) -> tuple[float, float]:
    spread = volatility * sqrt(terms.years)
    drift = (terms.rate - terms.dividend_yield) * terms.years
    d1 = (log(terms.spot / terms.strike) + drift) / spread + spread / 2.0
    return d1, d1 - spread


def _normal(value: float) -> float:
    """The probability that a standard normal number is at most `value`."""
    return 0.5 * erfc(-value / sqrt(2.0))


_STEPS_MAX = 100
_WORTH_TOLERANCE = 1e-10
_VOLATILITY_TOLERANCE = 1e-10
