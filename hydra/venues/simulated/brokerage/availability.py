"""How much of a position is free to be closed, and what the open orders have taken."""

from decimal import Decimal

import msgspec

from hydra.trading.exact import add, subtract
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.amounts import quantity_for
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.words import Status


class Availability(msgspec.Struct, frozen=True):
    """A position without its sign: what is free, what open orders hold, and which orders."""

    free: Decimal
    held: Decimal
    holders: tuple[str, ...]


def availability(
    position: Decimal, working: tuple[BrokerOrder, ...], price: Decimal | None
) -> Availability:
    """What open orders leave of a position; `price` turns what is left of an order in USD into a
    quantity, and without one such an order holds everything.

    A held order takes nothing yet: its parent has not filled, or its partner holds the same shares.
    """
    closing = Side.SELL if position > 0 else Side.BUY
    whole, held, holders = position.copy_abs(), Decimal(0), []
    for order in working:
        if order.side is closing and order.status is not Status.HELD:
            left = remaining(order, price)
            held = add(held, whole if left is None else left)
            holders.append(order.id)
    held = min(held, whole)
    return Availability(subtract(whole, held), held, tuple(holders))


def remaining(order: BrokerOrder, price: Decimal | None) -> Decimal | None:
    """What is still to be executed; None for an order in USD whose quantity nobody can know."""
    if order.quantity is not None:
        return subtract(order.quantity, order.filled_quantity)
    if order.notional is None or price is None:
        return None
    return quantity_for(subtract(order.notional, order.filled_value), price)
