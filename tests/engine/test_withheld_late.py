"""A venue on threads of its own, whose last look at the gate comes after `submit` has returned."""

from decimal import Decimal

import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.ports import GateKey
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.trading.trading_state import TradingState
from hydra.trading.venue_view import VenueOrder
from hydra.venues.simulated.faults import PlantOrder
from hydra.venues.simulated.in_process import InProcessVenue
from hydra.venues.simulated.matching import MatchingEngine
from messages.orders import OrderApproved, OrderWithheld
from messages.reconciliation import (
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SettleDifference,
    SettlementRefused,
)
from supervisors import paths
from tests.engine.harness import OPEN_AT, World, begun, plan_of, quiet, struck


def test_what_is_withheld_late_is_over_and_is_never_looked_for_i01_i14(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken_on: list[str] = []

    def submit(venue: InProcessVenue, approved: OrderApproved, key: GateKey) -> None:
        taken_on.append(approved.order.client_order_id)

    monkeypatch.setattr(InProcessVenue, "submit", submit)
    life = begun(World(quiet()))
    name = life.enter(1)
    before = life.view(paths.BROKER_GATEWAY)

    withheld = OrderWithheld(client_order_id=name, reason="the gate shut", at=life.now)
    life.tell(paths.BROKER_GATEWAY, withheld)
    life.run_for(60 * SECOND)

    assert taken_on == [name]
    assert (before["sent"], before["withheld"], before["unanswered"]) == (1, 0, [name])
    after = life.view(paths.BROKER_GATEWAY)
    assert (after["sent"], after["withheld"], after["unanswered"]) == (0, 1, [])
    assert life.status_of(name) == "withheld"
    assert life.state is TradingState.ACTIVE


def test_an_order_that_could_not_be_read_whole_is_not_adopted_i29(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_hand = Order(
        client_order_id="by-hand-1",
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(1),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=Decimal(97),
    )
    honest = MatchingEngine.snapshot

    def in_other_words(engine: MatchingEngine, at: int, since: int) -> object:
        snapshot = honest(engine, at, since)
        orders: tuple[VenueOrder, ...] = tuple(
            structs.replace(each, unread="type is trailing_stop") for each in snapshot.orders
        )
        return structs.replace(snapshot, orders=orders)

    monkeypatch.setattr(MatchingEngine, "snapshot", in_other_words)
    life = begun(World(quiet(40), plan_of(struck(PlantOrder(order=by_hand), from_event=8))))
    life.run_to(OPEN_AT + 10 * MINUTE)
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.run_closely(10 * SECOND)
    report = life.ask(paths.BROKER_GATEWAY, ReportDifferences())
    assert isinstance(report, DifferencesReported)
    (difference,) = report.differences

    refused = life.ask(
        paths.STATE_PERSISTER,
        SettleDifference(
            kind=difference.kind,
            subject=difference.subject,
            decision="adopt",
            reason="I have asked",
            operator="ada",
            bot="mom_AAPL_cross",
        ),
    )

    assert difference.found.endswith("named by-hand-1 (type is trailing_stop)")
    assert isinstance(refused, SettlementRefused)
    assert "cannot be kept on record (type is trailing_stop)" in refused.reason
