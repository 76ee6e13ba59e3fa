"""Which volatility the local venue gives a generated option: a term, not a forecast.

With m = ln(strike / spot) / sqrt(years), the distance from the money in standard terms, it is
`at_the_money` + `skew` m + `curvature` m², between 5 % and 300 %. With its defaults options under
the money are dearer than those over it, as they are on shares and indices since 1987, and calls and
puts of a strike have the same. So put-call parity holds in every generated chain.
"""

from math import log, sqrt

import msgspec

VOLATILITY_MIN = 0.05
VOLATILITY_MAX = 3.0
YEARS_MIN = 7.0 / 365.0
"""Nearer to expiration the smile does not get any steeper."""


class Smile(msgspec.Struct, frozen=True, kw_only=True):
    """A curve of volatilities (a year, 0.3 is 30 %)."""

    at_the_money: float = 0.30
    skew: float = -0.05
    curvature: float = 0.04

    def volatility(self, spot: float, strike: float, years: float) -> float:
        """That of one strike and time to expiration."""
        moneyness = log(strike / spot) / sqrt(max(years, YEARS_MIN))
        value = self.at_the_money + self.skew * moneyness + self.curvature * moneyness**2
        return min(max(value, VOLATILITY_MIN), VOLATILITY_MAX)
