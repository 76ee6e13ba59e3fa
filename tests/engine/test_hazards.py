"""What a venue does to honest orders: what the engine does about each, with nothing else wrong."""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.trading.differences import DifferenceKind
from hydra.trading.durations import HOUR
from hydra.trading.never_live import NEVER_LIVE_AFTER
from hydra.trading.orders import (
    OUR_PREFIX,
    DecisionKey,
    Order,
    OrderType,
    Role,
    Side,
    TimeInForce,
    client_order_id,
)
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import HoldCancel, Lose, PlantOrder
from hydra.venues.simulated.requests import Cancel, TakeSnapshot
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from messages.orders import CancelIntent
from messages.reconciliation import DifferencesReported, Reconciled, ReportDifferences
from supervisors import paths
from tests.engine.harness import (
    CLOSE_AT,
    OPEN_AT,
    WIDE,
    Life,
    World,
    bars_of,
    begun,
    market_of,
    plan_of,
    quiet,
    settings_with,
    struck,
)
from tests.engine.judge import require_agreement, require_sound

CLOSE_ONLY, HALTED = TradingState.CLOSE_ONLY, TradingState.HALTED
UNTIL_THE_MORNING = 16 * HOUR
"""From the close to 08:00 in New York: what was exercised over night is known by then."""
PENDING = "cancel_pending:AAPL"


def held_cancel(events: int | None = None) -> World:
    """Every cancel is pending for so many bars."""
    data = market_of(bars_of([100.0] * 40))
    plan = plan_of(struck(HoldCancel(events=events), times=None))
    return World(data, plan, settings=settings_with(WIDE))


def stuck(world: World) -> tuple[Life, str]:
    """An entry that stood in an exit's way, and whose cancel is not answered for half a minute."""
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)
    name = life.enter(1, bot="mom_AAPL_cross", limit="98")
    life.exit(3)
    assert life.denials == ["no_order_opposes"]
    assert world.asked(Cancel) == [Cancel(name)]
    life.run_closely(29 * SECOND)
    assert life.journal.events("cancel_pending") == []
    life.run_closely(2 * SECOND)
    return life, name


def test_a_cancel_that_is_pending_for_30_s_is_told_and_shuts_its_symbol_i10_i25() -> None:
    world = held_cancel()
    life, name = stuck(world)
    sent = len(world.submitted)

    life.enter(2, limit="98")

    (alarm,) = life.journal.events("cancel_pending")
    assert (alarm["client_order_id"], alarm["symbol"]) == (name, "AAPL")
    assert life.causes == {PENDING: CLOSE_ONLY}
    assert life.denials[1:] == ["trading_is_open"]
    assert len(world.submitted) == sent
    assert life.status_of(name) == "accepted"
    require_sound(world)


def test_while_a_cancel_is_pending_the_venue_is_read_every_10_s_and_the_alarm_told_once_i10() -> (
    None
):
    world = held_cancel()
    life, _ = stuck(world)
    since = life.now

    life.run_closely(60 * SECOND)

    looks = world.came_at(TakeSnapshot, since)
    assert len(looks) >= 6
    assert max(later - earlier for earlier, later in pairwise([since, *looks])) <= 10 * SECOND
    assert len(life.journal.events("cancel_pending")) == 1
    require_agreement(world)


def test_a_symbol_whose_cancel_was_pending_is_entered_again_when_the_order_is_over_i10_i25() -> (
    None
):
    world = held_cancel(events=2)
    life, name = stuck(world)
    assert life.causes == {PENDING: CLOSE_ONLY}

    life.run_closely(3 * MINUTE)

    assert (life.status_of(name), life.causes) == ("canceled", {})
    assert life.status_of(life.enter(2, limit="98")) == "accepted"
    require_sound(world)
    require_agreement(world)


def stop_of(signal: int) -> DecisionKey:
    return DecisionKey("mom_AAPL", "AAPL", "2016-04-15", signal, Role.PROTECT)


def held_under_stops(world: World, quantities: dict[int, int]) -> tuple[Life, list[str]]:
    """Of three shares so many are under a stop each, by its signal."""
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)
    names = [
        life.intend(role=Role.PROTECT, side=Side.SELL, quantity=each, stop="97", signal=signal)
        for signal, each in quantities.items()
    ]
    life.run_for(MINUTE)
    return life, names


def want_out(life: Life, signal: int) -> None:
    life.tell(paths.RISK_GUARDIAN, CancelIntent(decision=stop_of(signal), reason="a test"))


@pytest.mark.parametrize("events", [None, 12])
def test_a_stop_whose_cancel_is_pending_shuts_its_symbol_until_it_is_over_i10_i25(
    events: int | None,
) -> None:
    world = held_cancel(events)
    life, (stop,) = held_under_stops(world, {77: 3})
    want_out(life, 77)

    life.run_closely(35 * SECOND)
    told = life.causes
    life.run_closely(5 * MINUTE)  # with a preflight that passes every few seconds
    later, status = life.causes, life.status_of(stop)
    life.run_closely(10 * MINUTE)

    assert told == later == {PENDING: CLOSE_ONLY}
    assert status == "accepted"
    assert (life.status_of(stop), life.causes) == (
        ("accepted", {PENDING: CLOSE_ONLY}) if events is None else ("canceled", {})
    )
    assert len(life.journal.events("cancel_pending")) == 1
    require_sound(world)


def test_a_second_stop_whose_cancel_is_pending_shuts_its_symbol_behind_the_first_i10_i25() -> None:
    first, second = (client_order_id(EMBEDDED_ACCOUNT, stop_of(signal)) for signal in (77, 78))
    plan = plan_of(
        struck(HoldCancel(events=2), client_order_id=first),
        struck(HoldCancel(events=None), client_order_id=second, times=None),
    )
    world = World(market_of(bars_of([100.0] * 40)), plan, settings=settings_with(WIDE))
    life, names = held_under_stops(world, {77: 1, 78: 2})
    want_out(life, 77)
    life.run_closely(20 * SECOND)
    want_out(life, 78)

    life.run_closely(5 * MINUTE)

    assert names == [first, second]
    assert (life.status_of(first), life.status_of(second)) == ("canceled", "accepted")
    assert life.causes == {PENDING: CLOSE_ONLY}
    require_sound(world)


def test_a_stop_whose_cancel_was_pending_shuts_its_symbol_after_a_restart_too_i10_i25_i38(
    tmp_path: Path,
) -> None:
    plan = plan_of(struck(HoldCancel(), times=None))
    data, settings = market_of(bars_of([100.0] * 40)), settings_with(WIDE)
    world = World(data, plan, settings=settings, ledger_path=tmp_path / "ledger.db")
    life, _ = held_under_stops(world, {77: 3})
    want_out(life, 77)
    life.run_closely(35 * SECOND)
    life.die()

    life = begun(world)
    life.run_closely(2 * MINUTE)

    assert life.causes == {PENDING: CLOSE_ONLY}
    require_sound(world)


def test_a_fill_while_the_cancel_is_pending_is_booked_and_ends_the_waiting_i25() -> None:
    data = market_of(bars_of([100.0] * 9 + [97.0] * 20))
    plan = plan_of(struck(HoldCancel(events=None), times=None))
    world = World(data, plan, settings=settings_with(WIDE))
    life, name = stuck(world)

    life.run_closely(2 * MINUTE)

    assert life.status_of(name) == "filled"
    assert life.positions["mom_AAPL_cross AAPL"] == 1
    assert PENDING not in life.causes
    require_agreement(world)


def test_what_an_exercise_takes_is_found_outside_of_a_session_too_i29_i60() -> None:
    world = World(quiet(390))
    life = begun(world)
    life.enter(3)
    life.run_to(CLOSE_AT)
    life.advance(MINUTE)
    before, positions = life.causes, dict(world.positions)
    since = life.now

    world.exchange.engine.account.adjust("AAPL", Decimal(-1))
    life.run_closely(MINUTE)

    assert positions == {"AAPL": 3}
    assert before == {}
    assert life.causes == {"reconciliation": HALTED}
    report = life.ask(paths.BROKER_GATEWAY, ReportDifferences())
    assert isinstance(report, DifferencesReported)
    assert [(each.kind, each.subject) for each in report.differences] == [
        (DifferenceKind.POSITION, "AAPL")
    ]
    assert world.came_at(TakeSnapshot, since)[0] <= since + 30 * SECOND


def test_record_and_venue_are_compared_after_the_session_and_all_night_i60() -> None:
    world = World(quiet())
    life = begun(world)
    life.run_to(CLOSE_AT)

    life.advance(UNTIL_THE_MORNING)

    looks = [CLOSE_AT, *world.came_at(TakeSnapshot, CLOSE_AT), life.now]
    assert max(later - earlier for earlier, later in pairwise(looks)) <= 30 * SECOND


def test_an_order_by_hand_is_left_alone_and_halts_also_when_it_trades_i29_i60() -> None:
    by_hand = Order(
        client_order_id="from-the-dashboard",
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(4),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
    )
    world = World(quiet(), plan_of(struck(PlantOrder(order=by_hand), from_event=9)))
    life = begun(world)
    life.enter(3)

    life.run_to(OPEN_AT + 12 * MINUTE)
    life.enter(1)

    assert world.positions == {"AAPL": 7}
    assert life.positions == {"mom_AAPL AAPL": 3}
    assert life.causes["reconciliation"] is HALTED
    assert life.denials == ["trading_is_open"]
    assert world.asked(Cancel) == []
    assert len(world.submitted) == 1


@pytest.mark.parametrize("order_type", [OrderType.MARKET, OrderType.LIMIT])
@pytest.mark.parametrize("is_told", [True, False], ids=["told", "in silence"])
def test_an_order_under_a_name_of_ours_that_is_not_on_record_is_another_engines_and_halts_i29_i57(
    is_told: bool, order_type: OrderType
) -> None:
    other = Order(
        client_order_id=f"{OUR_PREFIX}20160415-0123456789abcdef-e",
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(4),
        order_type=order_type,
        time_in_force=TimeInForce.DAY,
        limit_price=Decimal(97) if order_type is OrderType.LIMIT else None,
    )
    silence = struck(Lose(), client_order_id=other.client_order_id, times=None)
    planted = struck(PlantOrder(order=other), from_event=9)
    world = World(quiet(), plan_of(planted, *([] if is_told else [silence])))
    life = begun(world)
    ours = life.enter(3)

    life.run_to(OPEN_AT + 12 * MINUTE)
    life.enter(1)
    waved_through = life.resume("reconciliation").noted

    assert life.state is HALTED
    assert "reconciliation" in life.causes
    assert life.denials == ["trading_is_open"]
    assert waved_through == ()
    assert life.positions == {"mom_AAPL AAPL": 3}
    assert world.asked(Cancel) == []
    assert world.submitted == [ours]


def told_as_queued(life: Life, *, at: int) -> None:
    """The gateway's word on a comparison, by which the market never came to have what is open."""
    snapshot = life.world.exchange.engine.snapshot(life.now, 0)
    orders = tuple(structs.replace(each, is_queued=True, at=at) for each in snapshot.orders)
    word = Reconciled(
        at=life.now,
        reasons=("a test",),
        differences=(),
        failure="",
        snapshot=structs.replace(snapshot, orders=orders),
    )
    life.tell(paths.RISK_GUARDIAN, word)


def test_an_order_that_the_market_does_not_come_to_have_is_taken_out_i25() -> None:
    world = World(quiet())
    life = begun(world)
    name = life.enter(3, limit="98")
    sent_at = life.now
    life.run_to(sent_at + NEVER_LIVE_AFTER)
    told_as_queued(life, at=sent_at)
    in_time = world.asked(Cancel)

    life.advance(1)
    told_as_queued(life, at=sent_at)

    assert in_time == []
    assert world.asked(Cancel) == [Cancel(name)]
    assert life.status_of(name) == "canceled"
    (asked,) = life.journal.events("cancel_requested")
    assert asked["reason"] == "the market does not come to have it"
    require_agreement(world)


def test_what_waits_for_the_opening_and_what_is_not_ours_is_left_alone_i29() -> None:
    by_hand = Order(
        client_order_id="from-the-dashboard",
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(4),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        limit_price=Decimal(90),
    )
    world = World(quiet(), plan_of(struck(PlantOrder(order=by_hand), from_event=3)))
    life = begun(world)
    told_as_queued(life, at=OPEN_AT)
    life.run_to(CLOSE_AT + MINUTE)
    told_as_queued(life, at=OPEN_AT)

    assert world.asked(Cancel) == []
