"""Whether the account can pay for an order, or bear what may come of it."""

from decimal import Decimal

from hydra.trading.exact import add, multiply
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.amounts import plain
from hydra.venues.simulated.brokerage.money import (
    PAID_IN_FULL_PCT,
    AccountFigures,
    Reserve,
    used_buying_power,
)
from hydra.venues.simulated.brokerage.option_book import payout_without
from hydra.venues.simulated.brokerage.option_rules import longs_cover
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.reserves import reserve_of
from hydra.venues.simulated.brokerage.view import OrderView

EXPOSURE_MAX = Decimal(6)
"""Times the equity: the most that all positions and open orders may be worth together."""


def shares_can_be_paid(order: PlaceOrder, view: OrderView) -> Refusal | None:
    reserve, figures = reserve_of(order, view), view.figures
    if reserve.margin_pct == PAID_IN_FULL_PCT:
        # Nothing is lent on it, so it is not the multiplied buying power that counts.
        power, used = figures.non_marginable_buying_power, reserve.value
    else:
        power = figures.buying_power
        used = used_buying_power(reserve, figures.multiplier)
    if used <= power and _exposure_is_bearable(reserve, figures):
        return None
    return forbidden(
        "insufficient buying power", buying_power=plain(power), cost_basis=plain(reserve.value)
    )


def options_can_be_paid(order: PlaceOrder, view: OrderView) -> Refusal | None:
    reserve, power = reserve_of(order, view), view.figures.options_buying_power
    return None if reserve.cash <= power else _beyond_options_buying_power(reserve.cash, power)


def options_stay_paid_for(order: PlaceOrder, view: OrderView) -> Refusal | None:
    """Shares that are sold cover no short call any more; then a long one may, at another strike."""
    if order.side is not Side.SELL or view.subject.position <= 0:
        return None
    sold = view.subject.position if order.quantity is None else order.quantity
    lost = payout_without(view.options, sold, longs_cover(view))
    power = view.figures.options_buying_power
    return None if lost <= power else _beyond_options_buying_power(lost, power)


def _beyond_options_buying_power(cost: Decimal, power: Decimal) -> Refusal:
    return forbidden(
        "insufficient options buying power",
        cost_basis=plain(cost),
        options_buying_power=plain(power),
    )


def _exposure_is_bearable(reserve: Reserve, figures: AccountFigures) -> bool:
    if not reserve.value:
        return True
    most = multiply(EXPOSURE_MAX, figures.equity)
    return add(figures.exposure, reserve.value) <= most
