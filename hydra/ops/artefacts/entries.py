"""One order, and one intent that was denied, as they stand in `orders.csv`."""

from collections import Counter
from decimal import ROUND_HALF_EVEN, Context, Decimal

import msgspec

from hydra.ops.artefacts.rows import Row, time_cells
from hydra.trading.exact import multiply, plain, total
from hydra.trading.order_life import OrderState
from hydra.trading.orders import DecisionKey, Fill
from messages.orders import OrderIntent

_AVERAGING = Context(prec=28, rounding=ROUND_HALF_EVEN)
DENIED = "denied"


class OrderEntry:
    """One order as the story knows it by now."""

    def __init__(self, state: OrderState, intent: OrderIntent | None = None) -> None:
        self.intent = intent
        self.state = state
        self.accepted_at: int | None = None
        self.last_at: int | None = None
        self.written = False
        """Its row is out."""
        self._weighed: list[Decimal] = []
        """Quantity times price of each execution, for their average."""

    def took(self, fill: Fill) -> None:
        """An execution of it."""
        self._weighed.append(multiply(fill.quantity, fill.price))

    @property
    def row(self) -> Row:
        """As it stands in `orders.csv`."""
        state, order, intent = self.state, self.state.order, self.intent
        filled = state.filled_quantity
        average = _AVERAGING.divide(total(self._weighed), filled) if self._weighed else None
        return (
            *time_cells(None if intent is None else intent.decided_at),
            order.client_order_id,
            state.venue_order_id,
            *_decision_cells(None if intent is None else intent.decision, order.symbol),
            order.side.value,
            order.quantity,
            order.order_type.value,
            order.time_in_force.value,
            order.limit_price,
            order.stop_price,
            *((None,) * 3 if intent is None else _wish_cells(intent)),
            state.status.value,
            state.reason,
            filled,
            None if average is None else plain(average),
            *time_cells(self.accepted_at),
            *time_cells(None if state.status.is_open else self.last_at),
        )


class Denied(msgspec.Struct, frozen=True):
    """An intent that became no order: which check said no, with its reason, and when (UTC ns)."""

    intent: OrderIntent
    check: str
    reason: str
    at: int

    @property
    def row(self) -> Row:
        """As it stands in `orders.csv`."""
        intent = self.intent
        return (
            *time_cells(intent.decided_at),
            None,
            None,
            *_decision_cells(intent.decision, intent.decision.symbol),
            intent.side.value,
            intent.quantity,
            intent.order_type.value,
            intent.time_in_force.value,
            intent.limit_price,
            intent.stop_price,
            *_wish_cells(intent),
            DENIED,
            f"{self.check}: {self.reason}",
            Decimal(0),
            None,
            None,
            None,
            *time_cells(self.at),
        )


class Denials:
    """How many there were; of each check's, the first is kept."""

    def __init__(self) -> None:
        self.by_check: Counter[str] = Counter()
        self.by_bot: Counter[str] = Counter()
        self.first: dict[str, Denied] = {}

    def count(self, denied: Denied) -> None:
        """One more."""
        self.by_check[denied.check] += 1
        self.by_bot[denied.intent.decision.bot] += 1
        self.first.setdefault(denied.check, denied)


def _decision_cells(decision: DecisionKey | None, symbol: str) -> Row:
    if decision is None:
        return (None, symbol, None, None, None)
    return (
        decision.bot,
        decision.symbol,
        decision.session,
        decision.signal,
        decision.role.value,
    )


def _wish_cells(intent: OrderIntent) -> Row:
    return (intent.protective_stop, intent.reference_price, intent.reason)
