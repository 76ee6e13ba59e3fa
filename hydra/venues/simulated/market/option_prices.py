"""In which steps options are quoted, and how far apart their bid and ask are."""

from math import ceil, floor

from hydra.venues.simulated.brokerage.contracts import OptionContract

WIDTH_AT_THE_MONEY = 0.01
WIDTH_PER_MONEYNESS = 0.04
WIDTH_MAX = 0.50
"""Of a quote, as shares of the option's worth."""


def step_at(price: float, in_penny_program: bool) -> float:
    """The smallest difference between two prices of an option at this height, in USD."""
    if in_penny_program:
        return 0.01 if price < 3.0 else 0.05
    return 0.05 if price < 3.0 else 0.10


def on_step(price: float, contract: OptionContract) -> float:
    """The nearest price that can be quoted, at least one step."""
    step = step_at(price, contract.in_penny_program)
    return round(max(1, round(price / step)) * step, 2)


def prices_around_worth(
    worth: float, moneyness: float, contract: OptionContract
) -> tuple[float, float]:
    """Bid and ask around what the option is worth; the further from the money, the wider.

    A bid of 0 is none. `moneyness` is the distance from the money in standard terms, as in `smile`.
    """
    width = min(WIDTH_AT_THE_MONEY + WIDTH_PER_MONEYNESS * abs(moneyness), WIDTH_MAX)
    low, high = worth * (1.0 - width / 2.0), worth * (1.0 + width / 2.0)
    step = step_at(low, contract.in_penny_program)
    bid = round(floor(low / step + _ON_STEP) * step, 2)
    step = step_at(high, contract.in_penny_program)
    ask = round(ceil(high / step - _ON_STEP) * step, 2)
    if ask <= bid:
        ask = round(bid + step_at(bid, contract.in_penny_program), 2)
    return bid, ask


_ON_STEP = 1e-9
