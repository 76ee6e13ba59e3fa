"""Whether it is the time of day at which the broker takes orders for an auction."""

from hydra.venues.simulated.brokerage.checks.check import Check
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import TimeInForce


def opening_auction_takes_orders(order: PlaceOrder, view: OrderView) -> Refusal | None:
    if order.time_in_force is not TimeInForce.OPG or view.hours.takes_opg:
        return None
    return forbidden("opg orders must be submitted after 7:00pm and before 9:28am")


def closing_auction_takes_orders(order: PlaceOrder, view: OrderView) -> Refusal | None:
    """The broker's sentence names a later minute than the one from which it refuses."""
    if order.time_in_force is not TimeInForce.CLS or view.hours.takes_cls:
        return None
    return forbidden("cls orders must be submitted after 7:00pm and before 3:55pm")


WINDOW: tuple[Check, ...] = (opening_auction_takes_orders, closing_auction_takes_orders)
