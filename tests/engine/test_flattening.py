"""An operator's flatten, in every state the engine can be in, at an honest and at a bad venue."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.trading.causes import OPERATOR_CLOSE_ONLY
from hydra.trading.exact import total
from hydra.trading.flatten_record import RecordedFlatten
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import (
    DriftPosition,
    FillPart,
    HoldCancel,
    Ignore,
    Lose,
    RejectLater,
)
from messages.control import FLATTEN_STATE, FlattenReported, RecordValue
from supervisors import paths
from tests.engine.harness import (
    OPEN_AT,
    Gibberish,
    Life,
    World,
    bars_of,
    begun,
    market_of,
    plan_of,
    quiet,
    rising,
    struck,
    two_days,
)
from tests.engine.judge import require_agreement, require_sound

ACTIVE, CLOSE_ONLY, HALTED = TradingState.ACTIVE, TradingState.CLOSE_ONLY, TradingState.HALTED


def holding(world: World) -> Life:
    """Two bots hold something, an entry rests, and so does an exit."""
    life = begun(world)
    life.enter(3)
    life.enter(2, bot="mom_AAPL_cross")
    life.run_for(2 * MINUTE)
    life.enter(1, limit="97")
    life.exit(1, bot="mom_AAPL_cross", limit="103")
    assert life.positions == {"mom_AAPL AAPL": 3, "mom_AAPL_cross AAPL": 2}
    return life


def followed_to_its_end(life: Life, within: int = 5 * MINUTE) -> str:
    """The phase in which it ended."""
    until = life.now + within
    while life.flatten_report.phase not in ("flat", "failed") and life.now < until:
        life.run_closely(5 * SECOND)
    return life.flatten_report.phase


@pytest.mark.parametrize("state", list(TradingState))
def test_a_flatten_closes_everything_in_every_trading_state_and_leaves_the_pause_i01_i04(
    state: TradingState,
) -> None:
    world = World(quiet())
    life = holding(world)
    if state is HALTED:
        life.halt_by_operator()
    elif state is CLOSE_ONLY:
        life.halt(OPERATOR_CLOSE_ONLY.cause(since=life.now, detail="careful"))

    life.flatten()
    phase = followed_to_its_end(life)

    assert phase == "flat"
    assert world.positions == life.positions == {}
    assert world.exchange.engine.open_orders == ()
    assert life.causes["flatten"] is CLOSE_ONLY
    assert life.state is max(state, CLOSE_ONLY, key=lambda each: each.severity)
    assert life.runtime.gate.flatten_reason is None
    life.enter(1)
    assert life.denials == ["trading_is_open"]
    require_sound(world)
    require_agreement(world)


def test_one_asked_for_while_the_record_of_earlier_ones_is_read_is_carried_out_i42_i74() -> None:
    world = World(quiet())
    life = holding(world)

    life.crash(paths.STATE_PERSISTER)  # the flattener is restarted with it, and asks what there is
    life.flatten()
    phase = followed_to_its_end(life)

    assert phase == "flat"
    assert world.positions == life.positions == {}
    require_sound(world)
    require_agreement(world)


def test_with_halt_all_it_leaves_the_engine_halted_until_a_person_resumes_i04() -> None:
    world = World(quiet())
    life = holding(world)

    life.flatten(pause=HALTED)
    phase = followed_to_its_end(life)
    left = life.causes
    life.resume("flatten")

    assert (phase, left, life.causes) == ("flat", {"flatten": HALTED}, {})
    require_agreement(world)


def test_the_pause_cannot_be_ended_while_it_is_under_way_i04() -> None:
    world = World(quiet())
    life = holding(world)

    life.flatten()
    life.advance(2 * SECOND)
    noted = life.ask_to_resume("flatten")

    assert (noted.noted, len(noted.refused)) == ((), 1)
    assert noted.refused[0].startswith("flatten: it is still so; ")


def test_with_nothing_to_close_it_is_flat_after_two_looks_i01() -> None:
    world = World(quiet())
    life = begun(world)

    life.flatten()
    phase = followed_to_its_end(life)

    assert (phase, world.submitted) == ("flat", [])
    assert life.causes == {"flatten": CLOSE_ONLY}


def test_the_positions_of_a_bot_that_is_quarantined_are_closed_too_i69() -> None:
    data = market_of(bars_of([100.0] * 10 + rising(30)))
    world = World(data)
    life = world.begin()
    life.run_to(OPEN_AT + 20 * MINUTE)
    for _ in range(6):
        life.crash(Ref("/hydra/bots/mom_AAPL"))
        life.advance(SECOND)
    assert "unmanaged:mom_AAPL" in life.causes

    life.flatten()
    phase = followed_to_its_end(life)

    assert phase == "flat"
    assert world.positions == life.positions == {}
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("after_s", [0, 1, 2, 3, 5, 8, 20, 61])
def test_a_flatten_goes_on_after_a_kill_wherever_it_was_and_closes_nothing_twice_i02_i17_i59(
    tmp_path: Path, after_s: int
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = holding(world)
    life.flatten()
    life.run_closely(after_s * SECOND)
    life.die()
    world.pass_by(world.now + 20 * SECOND)

    life = world.begin(with_bots=False)
    phase = followed_to_its_end(life)

    assert phase == "flat"
    assert world.positions == life.positions == {}
    assert life.causes["flatten"] is CLOSE_ONLY
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize(
    "ref",
    [paths.FLATTENER, paths.RISK_GUARDIAN, paths.BROKER_GATEWAY, paths.STATE_PERSISTER],
    ids=lambda ref: ref.name,
)
@pytest.mark.parametrize("after_s", [1, 4])
def test_a_flatten_goes_on_when_a_part_of_the_engine_dies_under_it_i68_i74(
    ref: Any, after_s: int
) -> None:
    world = World(quiet())
    life = holding(world)
    life.flatten()
    life.run_closely(after_s * SECOND)

    life.crash(ref)
    phase = followed_to_its_end(life)

    assert phase == "flat"
    assert world.positions == life.positions == {}
    assert life.causes["flatten"] is CLOSE_ONLY
    require_sound(world)
    require_agreement(world)


def crashing_as_it_ends(life: Life, ref: Any) -> None:
    """This actor fails when the flatten's end is told to the record, before anything follows it."""
    left = [ref]

    def at_the_end(_cell: Any, envelope: Any) -> None:
        match envelope.message:
            case RecordValue(key=key, value=value) if key == FLATTEN_STATE and left:
                if not RecordedFlatten.from_record(value).is_under_way:
                    life.runtime.tell(left.pop(), Gibberish())
            case _:
                pass

    life.runtime.add_filter(at_the_end)


@pytest.mark.parametrize(
    "ref",
    [paths.FLATTENER, paths.RISK_GUARDIAN, paths.BROKER_GATEWAY, paths.STATE_PERSISTER],
    ids=lambda ref: ref.name,
)
@pytest.mark.parametrize(("withdrawn", "ended"), [(False, "flat"), (True, "failed")])
def test_when_a_part_of_the_engine_dies_at_its_last_step_its_permits_end_all_the_same_i04_i74(
    ref: Any, withdrawn: bool, ended: str
) -> None:
    world = World(quiet())
    life = holding(world)
    crashing_as_it_ends(life, ref)

    life.flatten()
    if withdrawn:
        life.withdraw_flatten()
    phase = followed_to_its_end(life)
    life.run_closely(30 * SECOND)
    permitted = life.runtime.gate.flatten_reason
    life.resume()

    assert (phase, permitted) == (ended, None)
    assert life.causes == {}
    (said,) = life.journal.events("flatten_ended")
    assert said["phase"] == ended
    require_agreement(world)


def test_what_belongs_to_nobody_is_not_sold_and_it_fails_and_says_so_i29_i61() -> None:
    world = World(
        quiet(), plan_of(struck(DriftPosition(symbol="AAPL", quantity=Decimal(4)), from_event=8))
    )
    life = holding(world)
    life.run_to(OPEN_AT + 9 * MINUTE)

    life.flatten()
    phase = followed_to_its_end(life)

    report = life.flatten_report
    assert phase == "failed"
    assert report.positions == (("AAPL", "4"),)
    assert report.detail.startswith("what is left belongs to no bot: ")
    assert (life.positions, world.positions) == ({}, {"AAPL": 4})
    assert life.runtime.gate.flatten_reason is None
    assert life.causes.keys() == {"flatten", "reconciliation"}
    require_sound(world)


def test_less_at_the_venue_than_on_record_is_all_that_is_sold_i61() -> None:
    world = World(
        quiet(), plan_of(struck(DriftPosition(symbol="AAPL", quantity=Decimal(-4)), from_event=8))
    )
    life = holding(world)
    life.run_to(OPEN_AT + 9 * MINUTE)

    life.flatten()
    phase = followed_to_its_end(life)

    assert phase == "flat"
    assert world.positions == {}
    assert sold_by_flatten(world) == 1
    assert sum(life.positions.values()) == 4  # on record, for a person to look into
    require_sound(world)


@pytest.mark.parametrize(
    "fault",
    [
        struck(Lose(), what="OrderAccepted", leg="-f", times=None),
        struck(Lose(), what="OrderFilled", leg="-f", times=None),
        struck(Lose(), what="OrderCanceled", times=None),
        struck(Ignore(), what="submit", leg="-f", times=1),
        struck(Ignore(), what="cancel", times=2),
        struck(RejectLater(), leg="-f", times=1),
        struck(HoldCancel(events=1)),
        struck(FillPart(), leg="-f", times=None),
        struck(Ignore(), what="snapshot", times=2, from_event=8),
    ],
    ids=lambda rule: f"{type(rule.fault).__name__} {rule.match.what or ''}",
)
def test_a_venue_that_misbehaves_delays_it_and_does_not_stop_it_or_make_it_sell_twice_i17_i19(
    fault: Any,
) -> None:
    world = World(quiet(), plan_of(fault))
    life = holding(world)

    life.flatten()
    phase = followed_to_its_end(life, within=12 * MINUTE)
    life.run_closely(60 * SECOND)

    assert phase == "flat"
    assert world.positions == {}
    assert min(positions_over_time(world)) >= 0
    require_sound(world)
    require_agreement(world)


def sold_by_flatten(world: World) -> Decimal:
    """What closing orders have executed, ever."""
    return total(fill.quantity for fill in world.fills if fill.client_order_id.endswith("-f"))


def positions_over_time(world: World) -> list[Decimal]:
    """The account's position after each execution: it never goes through zero."""
    held, over_time = Decimal(0), [Decimal(0)]
    for fill in world.fills:
        held += fill.quantity * fill.side.sign
        over_time.append(held)
    return over_time


def test_when_the_market_buys_nothing_it_fails_after_three_rounds_and_says_what_is_left() -> None:
    world = World(quiet(), plan_of(struck(RejectLater(), leg="-f", times=None)))
    life = holding(world)

    life.flatten()
    phase = followed_to_its_end(life, within=15 * MINUTE)

    assert phase == "failed"
    assert life.flatten_report.positions == (("AAPL", "5"),)
    assert life.flatten_report.detail.startswith("3 rounds of closing orders did not close ")
    assert world.exchange.engine.open_orders == ()
    require_sound(world)
    require_agreement(world)


def test_asked_for_twice_it_is_one_flatten_and_its_pause_only_gets_worse_i16() -> None:
    world = World(quiet())
    life = holding(world)

    life.flatten()
    life.flatten(pause=HALTED)
    life.flatten()
    phase = followed_to_its_end(life)

    assert (phase, life.causes) == ("flat", {"flatten": HALTED})
    assert sold_by_flatten(world) == 5
    require_sound(world)
    require_agreement(world)


def test_a_second_flatten_on_another_day_is_another_one_i16(tmp_path: Path) -> None:
    world = World(quiet(40), ledger_path=tmp_path / "ledger.db")
    life = holding(world)
    life.flatten()
    assert followed_to_its_end(life) == "flat"
    life.resume()
    life.die()
    life = begun(world)
    life.run_for(1 * MINUTE)
    life.enter(2)
    life.run_for(2 * MINUTE)

    life.flatten()
    phase = followed_to_its_end(life)

    assert (phase, world.positions) == ("flat", {})
    assert sold_by_flatten(world) == 5 + 2
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("seed", range(12))
def test_at_a_venue_that_refuses_a_third_of_cancels_it_ends_flat_i01_i17(seed: int) -> None:
    refusals = struck(Ignore(), what="cancel", times=None, rate=1 / 3)
    world = World(quiet(), plan_of(refusals, seed=seed))
    life = holding(world)

    life.flatten()
    phase = followed_to_its_end(life, within=12 * MINUTE)

    assert (phase, world.positions, life.positions) == ("flat", {}, {})
    assert world.exchange.engine.open_orders == ()
    require_sound(world)
    require_agreement(world)


SHUT_AT = OPEN_AT + 10 * MINUTE
OPEN_AGAIN_AT = OPEN_AT + 70 * MINUTE
OVER_NIGHT = two_days([100.0] * 10, [100.0] * 30, close_at=SHUT_AT, next_open_at=OPEN_AGAIN_AT)
"""A short night, since the engine looks every second whether it is over."""


def out_of_hours(world: World) -> Life:
    """Three shares are held, and a flatten was asked for after the close."""
    life = begun(world)
    life.enter(3)
    life.run_to(SHUT_AT + 5 * MINUTE)
    assert life.positions == {"mom_AAPL AAPL": 3}
    life.flatten()
    life.run_closely(MINUTE)
    return life


def test_out_of_hours_it_says_for_what_it_waits_and_closes_it_at_the_opening_i09_i43() -> None:
    world = World(OVER_NIGHT)
    life = out_of_hours(world)
    waiting, causes = life.flatten_report, life.causes

    life.run_to(OPEN_AGAIN_AT - SECOND)
    before, legs = life.positions, [name[-1] for name in world.submitted]
    life.run_to(OPEN_AGAIN_AT)
    phase = followed_to_its_end(life)

    assert waiting == FlattenReported(
        phase="waiting",
        detail="the exchange is closed, so that AAPL cannot be closed before it opens;"
        " positions: 3 AAPL",
        positions=(("AAPL", "3"),),
        opens_at=OPEN_AGAIN_AT,
    )
    assert causes == {"flatten": CLOSE_ONLY}
    assert (before, legs) == ({"mom_AAPL AAPL": 3}, ["e"])
    assert (phase, life.positions, world.positions) == ("flat", {}, {})
    assert sold_by_flatten(world) == 3
    assert len(life.journal.events("flatten_waits")) == 1
    require_sound(world)
    require_agreement(world)


def test_it_waits_for_the_opening_in_the_next_life_too_i59(tmp_path: Path) -> None:
    world = World(OVER_NIGHT, ledger_path=tmp_path / "ledger.db")
    life = out_of_hours(world)
    life.die()
    world.pass_by(OPEN_AGAIN_AT - 10 * MINUTE)

    life = world.begin(with_bots=False)
    life.run_to(OPEN_AGAIN_AT - SECOND)
    waiting = life.flatten_report.phase
    life.run_to(OPEN_AGAIN_AT)
    phase = followed_to_its_end(life)

    assert (waiting, phase, life.positions, world.positions) == ("waiting", "flat", {}, {})
    assert sold_by_flatten(world) == 3
    require_sound(world)
    require_agreement(world)


def test_withdrawn_while_it_waits_it_closes_nothing_and_the_pause_can_be_ended_i04() -> None:
    world = World(OVER_NIGHT)
    life = out_of_hours(world)

    told = life.withdraw_flatten()
    life.run_to(OPEN_AGAIN_AT + 3 * MINUTE)
    withdrawn, causes = life.flatten_report, life.causes
    life.resume("flatten")

    assert (withdrawn.phase, withdrawn.detail) == (
        "failed",
        "withdrawn by ada: changed our mind; positions: 3 AAPL",
    )
    assert (told.phase, told.is_recorded, withdrawn.is_recorded) == ("failed", False, True)
    assert causes == {"flatten": CLOSE_ONLY}
    assert life.causes == {}
    assert world.positions == {"AAPL": 3}
    assert life.runtime.gate.flatten_reason is None
    require_sound(world)
    require_agreement(world)


def test_withdrawn_while_it_closes_it_sends_no_more_i04() -> None:
    world = World(quiet())
    life = holding(world)
    life.flatten()

    life.withdraw_flatten()
    life.run_for(5 * MINUTE)

    assert life.flatten_report.detail.startswith("withdrawn by ada: changed our mind")
    assert sold_by_flatten(world) == 0
    assert life.causes["flatten"] is CLOSE_ONLY
    assert life.runtime.gate.flatten_reason is None
    require_sound(world)


def test_withdrawn_where_none_is_under_way_nothing_happens() -> None:
    life = holding(World(quiet()))

    life.withdraw_flatten()
    life.run_for(MINUTE)

    assert (life.flatten_report, life.causes) == (FlattenReported(phase="none", detail=""), {})
