"""In which steps options are priced, and an order's price on them (PROTOCOL 8.2).

Classes of the penny programme have the finer steps. Which class a contract is of, its listing says;
where that is not known the coarse steps are right in both.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from hydra.trading.exact import add, multiply
from hydra.trading.exposure import is_price
from hydra.trading.option_rules import printed
from hydra.trading.quotes import Quote
from hydra.trading.situation import PriceStep

PENNY_STEPS = (PriceStep(Decimal(0), Decimal("0.01")), PriceStep(Decimal(3), Decimal("0.05")))
"""The finest there are: a cent below 3 USD, then five."""
COARSE_STEPS = (PriceStep(Decimal(0), Decimal("0.05")), PriceStep(Decimal(3), Decimal("0.10")))
_UP = Context(prec=60, rounding=ROUND_CEILING)
_DOWN = Context(prec=60, rounding=ROUND_FLOOR)


def steps_of(in_penny_program: bool) -> tuple[PriceStep, ...]:
    """Those of a contract, by what its listing says."""
    return PENNY_STEPS if in_penny_program else COARSE_STEPS


def price_above(price: Decimal, steps: tuple[PriceStep, ...]) -> Decimal | None:
    """The lowest price on a step that is not below this one; None if this is no price."""
    return _on_step(price, steps, _UP)


def price_below(price: Decimal, steps: tuple[PriceStep, ...]) -> Decimal | None:
    """The highest price on a step that is not above this one; None if there is none over zero."""
    return _on_step(price, steps, _DOWN)


def middle_of(quote: Quote) -> Decimal:
    """Half way from bid to ask, exactly: what a contract is valued at."""
    return multiply(add(printed(quote.bid), printed(quote.ask)), Decimal("0.5"))


def _on_step(price: Decimal, steps: tuple[PriceStep, ...], context: Context) -> Decimal | None:
    if not is_price(price):
        return None
    step = next(each.step for each in reversed(steps) if each.from_price <= price)
    number = context.to_integral_value(context.divide(price, step))
    return multiply(number, step) if number > 0 else None
