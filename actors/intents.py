"""What a bot wants, as the checks see it and as the venue would get it: one content, two forms."""

from hydra.trading.orders import Order
from hydra.trading.situation import Proposal
from messages.orders import OrderIntent


def proposal_of(intent: OrderIntent) -> Proposal:
    """What the checks judge: exactly what would be sent."""
    decision = intent.decision
    return Proposal(
        bot=decision.bot,
        symbol=decision.symbol,
        role=decision.role,
        side=intent.side,
        quantity=intent.quantity,
        order_type=intent.order_type,
        reference_price=intent.reference_price,
        decided_at=intent.decided_at,
        limit_price=intent.limit_price,
        stop_price=intent.stop_price,
        protective_stop=intent.protective_stop,
        replaces=intent.replaces,
    )


def order_of(intent: OrderIntent, client_order_id: str) -> Order:
    """The order that is sent if it is approved, under the name that its decision leads to."""
    return Order(
        client_order_id=client_order_id,
        symbol=intent.decision.symbol,
        side=intent.side,
        quantity=intent.quantity,
        order_type=intent.order_type,
        time_in_force=intent.time_in_force,
        limit_price=intent.limit_price,
        stop_price=intent.stop_price,
        replaces=intent.replaces,
    )
