"""A broker that is late by seconds or minutes, down for hours, or does everything at once later."""

from decimal import Decimal
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.trading.durations import HOUR
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import Delay, FailLook, Hide, Ignore
from hydra.venues.simulated.misbehaviour import Rule
from hydra.venues.simulated.requests import Cancel
from tests.engine.harness import (
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
from tests.engine.judge import exposures, require_agreement, require_sound

HALTED = TradingState.HALTED


def answered_after(seconds: int) -> tuple[Life, str, str]:
    """An entry that is accepted at once, and whose acceptance is told so much later: neither looks
    nor comparisons find it before. Gives the life, the order's name and the heat with it.
    """
    events, before_the_bar = divmod(seconds * SECOND, MINUTE)
    late = struck(Delay(events=events + (before_the_bar > 0)), what="OrderAccepted")
    world = World(quiet(), plan_of(late, Hide(for_ns=seconds * SECOND - 1)))
    life = begun(world)
    life.run_to(OPEN_AT + 9 * MINUTE - before_the_bar)
    name = life.enter(3, limit="97")
    return life, name, life.heat


@pytest.mark.parametrize(
    ("seconds", "waiting_as", "halts"),
    [(14, "attempted", False), (16, "unknown", False), (120, "absent", True)],
)
def test_an_answer_counts_whenever_it_comes_and_makes_no_second_order_i19_i20_i21_i33(
    seconds: int, waiting_as: str, halts: bool
) -> None:
    life, name, reserved = answered_after(seconds)

    life.run_closely(seconds * SECOND - 1)
    before = life.status_of(name), life.heat
    life.run_closely(10 * SECOND)

    assert before == (waiting_as, reserved)
    assert len(life.told("OrderAccepted")) == 1
    world = life.world
    assert world.submitted == [name]
    if halts:  # it was given up, and lives: a person looks, and it is taken out
        assert life.causes == {"absent_order_lives": HALTED}
        assert (life.status_of(name), world.asked(Cancel)) == ("canceled", [Cancel(name)])
    else:
        assert life.causes == {}
        assert (life.status_of(name), life.heat) == ("accepted", reserved)
    require_sound(world)
    require_agreement(world)


OUTAGE_BEGINS, OUTAGE_ENDS = OPEN_AT + HOUR, OPEN_AT + 3 * HOUR
DOWN: tuple[dict[str, Any], ...] = (
    {"fault": FailLook(reason="503"), "what": "snapshot"},
    {"fault": FailLook(reason="503"), "what": "look_up"},
    *({"fault": Ignore(), "what": what} for what in ("submit", "replace", "cancel")),
)


def down(from_event: int, until_event: int) -> list[Rule]:
    """The broker does nothing that it is asked, and shows nothing, between these market events."""
    return [
        struck(**each, times=None, from_event=from_event, until_event=until_event) for each in DOWN
    ]


@pytest.mark.slow
def test_a_broker_that_is_down_for_two_hours_halts_and_a_person_goes_on_i04_i60() -> None:
    operator = settings_with({"safety.resume": "operator", "safety.global_cooldown_minutes": 30})
    world = World(quiet(390), plan_of(*down(60, 180)), settings=operator)
    life = begun(world)
    life.enter(3)
    life.run_to(OUTAGE_BEGINS - MINUTE)
    before = life.causes
    resting = life.enter(2, limit="97")

    life.run_to(OUTAGE_BEGINS + 3 * MINUTE)
    life.enter(1)
    at_first, sent = life.state, len(world.submitted)
    life.run_to(OUTAGE_ENDS - MINUTE)
    life.enter(1)
    at_last = life.state
    life.run_to(OUTAGE_ENDS + HOUR)
    afterwards = life.state
    life.resume()

    assert before == {}
    assert (at_first, at_last, afterwards) == (HALTED, HALTED, HALTED)
    assert life.denials == ["trading_is_open"] * 2
    assert len(world.submitted) == sent
    assert life.status_of(resting) == "canceled"  # asked for until the broker heard it
    assert life.causes == {}
    assert life.positions == {"mom_AAPL AAPL": 3}
    require_sound(world)
    require_agreement(world)


def test_orders_that_all_fill_at_once_half_an_hour_later_were_counted_all_along_i23_i31() -> None:
    limit = Decimal(10_000)
    data = market_of(bars_of([100.0] * 40 + [96.0] * 5))
    settings = settings_with({**WIDE, "guards.exposure.max_symbol_usd": limit})
    world = World(data, settings=settings)
    life = begun(world)

    names = []
    for number in range(40):
        bot = ("mom_AAPL", "mom_AAPL_cross")[number % 2]
        name = life.enter(7 + number % 3, bot=bot, limit="97", protective_stop="95")
        names += [name] if life.status_of(name) else []
        life.run_for(30 * SECOND)
    before = dict(world.positions)
    life.run_to(OPEN_AT + 42 * MINUTE)

    assert before == {}
    assert "symbol_exposure_is_within_limit" in life.denials
    assert world.submitted == names
    assert {life.status_of(name) for name in names} == {"filled"}
    assert len(world.fills) == len(names) > 5
    assert limit * Decimal("0.9") < max(exposures(world)) <= limit
    require_sound(world)
    require_agreement(world)
