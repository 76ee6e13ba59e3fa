"""The broker gateway: the only way to the venue, and the only way back."""

from collections.abc import Mapping
from typing import TypeAlias

from hydra.actor import Actor, Context, Ref, unhandled
from hydra.ports import GateKey, GateRefused, OrderGate, Venue
from messages.health import HealthReported, ReportHealth
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderStored,
    OrderUnknown,
    OrderWithheld,
    Outcome,
    VenueReport,
)

Inbox: TypeAlias = OrderStored | VenueReport | ReportHealth


class BrokerGateway(Actor[Inbox]):
    """Sends what is on record and approved now; passes on what the venue says, to be recorded.

    It takes an `OrderStored` and has no way to take an intent. An order that the gate refuses or
    that has expired is *withheld*: it was never sent, and that is recorded too.
    """

    def __init__(self, venue: Venue, gate: OrderGate, persister: Ref[Outcome]) -> None:
        self._venue = venue
        self._gate = gate
        self._persister = persister
        self._key: GateKey | None = None
        self._sent = 0
        self._withheld = 0

    def start(self, ctx: Context) -> None:
        self._key = GateKey(path=ctx.me.path, incarnation=ctx.incarnation)
        self._gate.register(self._key)

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case OrderStored():
                self._send(message, ctx)
            case (
                OrderAccepted()
                | OrderRejected()
                | OrderFilled()
                | OrderCanceled()
                | OrderExpired()
                | OrderUnknown()
            ):
                ctx.tell(self._persister, message)
            case ReportHealth():
                detail = f"{self._sent} orders sent, {self._withheld} withheld"
                ctx.reply(HealthReported(component="gateway", is_well=True, detail=detail))
            case _:
                unhandled(message)

    def _send(self, stored: OrderStored, ctx: Context) -> None:
        approved = stored.approved
        assert self._key is not None, "start registers the key before any message comes"
        late = ctx.now() - approved.expires_at
        if late > 0:
            self._withhold(stored, f"the approval expired {late // 1_000_000} ms ago", ctx)
            return
        try:
            self._venue.submit(approved, self._key)
        except GateRefused as refused:
            self._withhold(stored, str(refused), ctx)
            return
        self._sent += 1

    def _withhold(self, stored: OrderStored, reason: str, ctx: Context) -> None:
        self._withheld += 1
        ctx.tell(
            self._persister,
            OrderWithheld(
                client_order_id=stored.approved.order.client_order_id,
                reason=reason,
                at=ctx.market_time(),
            ),
        )

    def state_view(self) -> Mapping[str, object]:
        """What went out and what did not."""
        return {"sent": self._sent, "withheld": self._withheld}
