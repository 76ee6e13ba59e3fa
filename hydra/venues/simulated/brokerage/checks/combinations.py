"""What goes together whatever is traded."""

from hydra.venues.simulated.brokerage.option_rules import inferred_intent
from hydra.venues.simulated.brokerage.refusals import Refusal, unprocessable
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import PositionIntent


def intent_is_what_it_does(order: PlaceOrder, view: OrderView) -> Refusal | None:
    """An order that says what it is for is refused rather than do the opposite."""
    assert order.side is not None, "syntax comes first"
    inferred = inferred_intent(order.side, view.subject.position)
    return intent_mismatch(inferred, order.position_intent)


def intent_mismatch(inferred: PositionIntent, specified: PositionIntent | None) -> Refusal | None:
    """The refusal, if one was specified and it is another."""
    if specified is None or specified is inferred:
        return None
    return unprocessable(
        f"position intent mismatch, inferred: {inferred.value}, specified: {specified.value}"
    )
