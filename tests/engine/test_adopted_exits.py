"""An order that closes what is held, and that an operator adopted, keeps no bot from leaving."""

from decimal import Decimal
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.trading.differences import Difference, DifferenceKind
from hydra.trading.orders import Order, OrderType, Role, Side, TimeInForce
from hydra.venues.simulated.faults import DriftPosition, PlantOrder
from hydra.venues.simulated.requests import Cancel
from messages.reconciliation import (
    DifferenceSettled,
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SettleDifference,
)
from supervisors import paths
from tests.engine.harness import OPEN_AT, Life, World, bars_of, market_of, plan_of, struck
from tests.engine.judge import require_never_oversold, require_sound

BOT: Ref[Any] = Ref("/hydra/bots/mom_AAPL")
STOPPED_OUT = market_of(bars_of([100.0] * 20 + [99.4] * 20))
HELD_TOO_LONG = market_of(bars_of([100.0] * 60))
STOP = Order(
    client_order_id="by-hand-1",
    symbol="AAPL",
    side=Side.SELL,
    quantity=Decimal(2),
    order_type=OrderType.STOP,
    time_in_force=TimeInForce.GTC,
    stop_price=Decimal(97),
)
TARGET = Order(
    client_order_id="by-hand-1",
    symbol="AAPL",
    side=Side.SELL,
    quantity=Decimal(2),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.GTC,
    limit_price=Decimal(103),
)


def found_beside_a_position(data: Any, order: Order) -> tuple[World, Life]:
    """Two shares and an order that closes them, both of somebody else: it has halted."""
    drift = struck(DriftPosition(symbol="AAPL", quantity=Decimal(2)), from_event=8)
    world = World(data, plan_of(drift, struck(PlantOrder(order=order), from_event=9)))
    life = world.begin()
    life.run_to(OPEN_AT + 10 * MINUTE + 5 * SECOND)
    return world, life


def differences(life: Life) -> dict[DifferenceKind, Difference]:
    report = life.ask(paths.BROKER_GATEWAY, ReportDifferences())
    assert isinstance(report, DifferencesReported)
    return {each.kind: each for each in report.differences}


def adopt(life: Life) -> None:
    subject = differences(life)[DifferenceKind.FOREIGN_ORDER].subject
    wish = SettleDifference(
        kind=DifferenceKind.FOREIGN_ORDER,
        subject=subject,
        decision="adopt",
        bot="mom_AAPL",
        reason="it is mine",
        operator="ada",
    )
    assert isinstance(life.ask(paths.STATE_PERSISTER, wish), DifferenceSettled)
    compared(life)


def assign(life: Life) -> None:
    wish = SettleDifference(
        kind=DifferenceKind.POSITION,
        subject="AAPL",
        decision="assign",
        bot="mom_AAPL",
        price=Decimal(100),
        amount=Decimal(2),
        reason="it is mine",
        operator="ada",
    )
    assert isinstance(life.ask(paths.STATE_PERSISTER, wish), DifferenceSettled)
    compared(life)


def compared(life: Life) -> None:
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="settled"))
    life.run_closely(5 * SECOND)


def sold(life: Life) -> list[tuple[str, Decimal]]:
    return [
        (each.intent.reason, each.state.filled_quantity)
        for each in life.ledger.orders()
        if each.state.filled_quantity
    ]


@pytest.mark.parametrize("order", [STOP, TARGET], ids=["a stop", "a limit"])
@pytest.mark.parametrize(
    ("data", "reason"), [(STOPPED_OUT, "stop_loss"), (HELD_TOO_LONG, "time_stop")]
)
def test_what_was_adopted_with_its_position_goes_before_the_bots_own_exit_i29_i30(
    data: Any, reason: str, order: Order
) -> None:
    world, life = found_beside_a_position(data, order)
    assign(life)
    adopt(life)
    life.resume()
    assert life.causes == {}

    life.run_out()

    assert sold(life) == [(reason, Decimal(2))]
    assert world.positions == life.positions == {}
    assert [each.order for each in world.exchange.engine.open_orders] == []
    require_never_oversold(world)
    require_sound(world)


def test_a_stop_adopted_before_its_position_is_assigned_rests_through_the_halt_i11_i29() -> None:
    world, life = found_beside_a_position(HELD_TOO_LONG, STOP)

    adopt(life)
    life.run_for(2 * MINUTE)  # the operator looks what the shares have cost
    asked = world.asked(Cancel)
    assign(life)
    life.run_for(2 * MINUTE)

    assert asked == world.asked(Cancel) == []
    assert life.status_of("by-hand-1") == "accepted"
    (adopted,) = life.ledger.orders()
    assert adopted.intent.decision.role is Role.PROTECT
    life.resume()
    assert life.causes == {}
    life.run_out()
    assert world.positions == life.positions == {}
    require_never_oversold(world)
    require_sound(world)


@pytest.mark.parametrize("order", [STOP, TARGET], ids=["a stop", "a limit"])
def test_what_was_excluded_with_its_position_is_not_said_to_be_too_much_i29_i30(
    order: Order,
) -> None:
    """Whoever believed it would take the protection off what they look after themselves."""
    world, life = found_beside_a_position(HELD_TOO_LONG, order)
    for kind, difference in differences(life).items():
        wish = SettleDifference(
            kind=kind,
            subject=difference.subject,
            decision="exclude",
            amount=difference.amount,
            reason="I look after it",
            operator="ada",
        )
        assert isinstance(life.ask(paths.STATE_PERSISTER, wish), DifferenceSettled)
    compared(life)
    life.resume()

    life.run_for(5 * MINUTE)

    view = life.view(paths.bot("exit_bot"))
    assert (view["coverage_pct"], view["mismatches"]) == ("100", [])
    assert [each.order for each in world.exchange.engine.open_orders] == [order]
    require_sound(world)
