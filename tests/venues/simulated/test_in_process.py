"""The in-process face: through the gate at the last instant, or not at all."""

from decimal import Decimal

import pytest

from hydra.ports import GateKey, GateRefused
from hydra.runtime.gate import UNLIMITED_LEASE, Gate
from hydra.trading.bars import Bar
from hydra.trading.orders import DecisionKey, Order, OrderType, Role, Side, TimeInForce
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.venues.simulated.in_process import DryRunVenue, InProcessVenue
from hydra.venues.simulated.matching import MatchingEngine
from messages.orders import (
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderFilled,
    OrderIntent,
    VenueReport,
)

KEY = GateKey("/gateway", 1)


def approved(role: Role = Role.ENTRY, epoch: int = 2) -> OrderApproved:
    decision = DecisionKey("bot", "AAPL", "2016-04-15", 1, role)
    side = Side.BUY if role is Role.ENTRY else Side.SELL
    return OrderApproved(
        intent=OrderIntent(
            decision=decision,
            side=side,
            quantity=Decimal(5),
            reason="a test",
            decided_at=100,
            reference_price=Decimal(10),
        ),
        order=Order(
            client_order_id=f"hy1-{role.value}",
            symbol="AAPL",
            side=side,
            quantity=Decimal(5),
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
        ),
        epoch=epoch,
        expires_at=0,
    )


def venue_with(*causes: Cause) -> tuple[InProcessVenue, Gate, list[VenueReport]]:
    gate = Gate(lambda: 0)
    gate.register(KEY)
    gate.renew_lease(UNLIMITED_LEASE)
    gate.arm(causes, "a test", gate.epoch)
    reports: list[VenueReport] = []
    return InProcessVenue(MatchingEngine(), gate, lambda: 100, reports.append), gate, reports


CLOSE_ONLY = Cause(
    code="test", cause_class=CauseClass.LIMIT, state=TradingState.CLOSE_ONLY, since=0, detail=""
)


def test_an_order_is_accepted_and_filled_by_the_next_bar() -> None:
    venue, gate, reports = venue_with()

    venue.submit(approved(), KEY)
    venue.on_bar(Bar("AAPL", 100, 160, 10.0, 10.0, 10.0, 10.0, 1000.0))

    assert [type(report) for report in reports] == [OrderAccepted, OrderFilled]
    assert gate.in_flight() == ()


def test_in_close_only_an_exit_passes_and_an_entry_does_not() -> None:
    venue, _, reports = venue_with(CLOSE_ONLY)

    venue.submit(approved(Role.EXIT), KEY)
    with pytest.raises(GateRefused, match="CLOSE_ONLY"):
        venue.submit(approved(Role.ENTRY), KEY)

    assert [type(report) for report in reports] == [OrderAccepted]


def test_an_approval_of_an_older_epoch_is_not_sent() -> None:
    venue, gate, reports = venue_with()
    old = approved(epoch=gate.epoch - 1)

    with pytest.raises(GateRefused, match="epoch"):
        venue.submit(old, KEY)

    assert reports == []


def test_a_cancel_passes_while_halted() -> None:
    venue, gate, reports = venue_with()
    venue.submit(approved(), KEY)
    gate.trip(
        Cause(
            code="halt",
            cause_class=CauseClass.INTEGRITY,
            state=TradingState.HALTED,
            since=0,
            detail="",
        )
    )

    venue.cancel("hy1-entry", KEY)

    assert [type(report) for report in reports] == [OrderAccepted, OrderCanceled]


def test_a_dry_run_refuses_at_the_wire() -> None:
    with pytest.raises(GateRefused, match="dry run: hy1-entry was not sent"):
        DryRunVenue().submit(approved(), KEY)
