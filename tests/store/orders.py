"""Orders and reports for the ledger's tests: one fine case each, of which a test changes a part."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from hydra.ports import IntentRecorded, ReportRecorded
from hydra.store.connection import IN_MEMORY
from hydra.store.ledger import Ledger
from hydra.trading.fees import NO_FEES, FeeSchedule
from hydra.trading.orders import (
    DecisionKey,
    Fill,
    Order,
    OrderType,
    Role,
    Side,
    TimeInForce,
    client_order_id,
)
from messages.orders import OrderApproved, OrderFilled, OrderIntent, Outcome

AT = 1_704_205_800_000_000_000
"""2024-01-02 14:30:00 UTC, in nanoseconds."""


def decision(signal: int = 1, **changes: Any) -> DecisionKey:
    key = DecisionKey(
        bot="momentum", symbol="AAPL", session="2024-01-02", signal=signal, role=Role.ENTRY
    )
    return msgspec.structs.replace(key, **changes)


def approved(key: DecisionKey | None = None, **order_changes: Any) -> OrderApproved:
    """Ten shares bought at the market, approved."""
    key = decision() if key is None else key
    order = Order(
        client_order_id=client_order_id("account-1", key),
        symbol=key.symbol,
        side=Side.BUY,
        quantity=Decimal(10),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
    )
    order = msgspec.structs.replace(order, **order_changes)
    intent = OrderIntent(
        decision=key,
        side=order.side,
        quantity=order.quantity,
        reason="crossed up",
        decided_at=AT,
        reference_price=Decimal("187.25"),
    )
    return OrderApproved(intent=intent, order=order, epoch=7, expires_at=5_000_000_000)


def filled(
    order: Order, quantity: str | Decimal, execution_id: str = "execution-1", **changes: Any
) -> OrderFilled:
    fill = Fill(
        execution_id=execution_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=Decimal(quantity),
        price=Decimal("187.30"),
        at=AT,
    )
    return OrderFilled(fill=msgspec.structs.replace(fill, **changes))


class EachCommitted(Ledger):
    """Commits after each record, for tests that are about what is recorded and not about when."""

    def record_intent(self, approved: OrderApproved, at: int) -> IntentRecorded:
        recorded = super().record_intent(approved, at)
        self.commit()
        return recorded

    def record_report(
        self, report: Outcome, at: int, schedule: FeeSchedule = NO_FEES
    ) -> ReportRecorded:
        recorded = super().record_report(report, at, schedule)
        self.commit()
        return recorded

    def put(self, key: str, value: str, at: int) -> None:
        super().put(key, value, at)
        self.commit()


def opened(path: Path | str = IN_MEMORY, venue: str = "paper") -> EachCommitted:
    ledger = EachCommitted.open(path, venue=venue, at=AT)
    assert isinstance(ledger, EachCommitted)
    return ledger
