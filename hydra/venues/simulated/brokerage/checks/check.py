"""What a check is: a claim about an order, and the broker's words where it is false."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from hydra.venues.simulated.brokerage.refusals import Refusal
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView

Check: TypeAlias = Callable[[PlaceOrder, OrderView], Refusal | None]


def first_of(checks: Iterable[Check], order: PlaceOrder, view: OrderView) -> Refusal | None:
    """Ask every check in turn; the first refusal stands."""
    for check in checks:
        refusal = check(order, view)
        if refusal is not None:
            return refusal
    return None
