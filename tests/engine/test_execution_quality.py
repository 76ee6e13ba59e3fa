"""Execution quality and regimes in the whole engine: what of them halts, and what they scale."""

from decimal import Decimal
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.trading.orders import Role, Side
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import Ignore
from messages.lifecycle import StartChild, StopChild
from supervisors import paths
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

D = Decimal
CLOSE_ONLY = TradingState.CLOSE_ONLY
EAGER: dict[str, Any] = {
    **WIDE,
    "monitoring.quality.min_orders": 2,
    "monitoring.quality.idle_seconds": 10,
    "guards.pace.max_consecutive_rejects": 100,
    "guards.order.similar_order_seconds": 1,
}


def quality_of(life: Life) -> Any:
    return life.view(paths.EXECUTION_MONITOR)


def slipping(life: Life) -> None:
    """Three entries that cost 100 each, decided on at 98: some 204 bps more."""
    for quantity in (1, 2, 3):
        life.enter(quantity, reference="98")
        life.run_for(2 * SECOND)
    life.run_for(MINUTE)


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_a_degraded_router_stops_entries_or_only_alarms_and_exits_pass(is_on: bool) -> None:
    settings = settings_with({**EAGER, "monitoring.anomaly_halt.router_degraded": is_on})
    world = World(quiet(), settings=settings)
    life = begun(world)

    slipping(life)
    life.run_for(MINUTE)
    found = (quality_of(life)["router"], list(life.view(paths.RISK_GUARDIAN)["alarms"]))
    causes = life.causes
    sold = life.exit(6)
    life.run_for(MINUTE)
    life.enter(4)

    assert found == ("degraded", [] if is_on else ["router_degraded"])
    assert causes == ({"router_degraded": CLOSE_ONLY} if is_on else {})
    assert life.status_of(sold) == "filled"
    assert life.denials == (["trading_is_open"] if is_on else [])


def test_a_stop_that_does_what_it_is_for_is_no_bad_execution_however_far_it_was() -> None:
    world = World(market_of(bars_of([100.0] * 9 + [97.0] * 9)), settings=settings_with(EAGER))
    life = begun(world)
    life.enter(3, protective_stop="97")
    life.run_for(MINUTE)
    stop = life.intend(role=Role.PROTECT, side=Side.SELL, quantity=3, stop="97.00")
    life.run_for(5 * MINUTE)

    measured = quality_of(life)["symbols"]["AAPL"]
    assert life.status_of(stop) == "filled"
    assert (measured["slippage_bps"], measured["score"]) == (D("0.00"), D("1.0000"))
    assert life.causes == {}


def test_a_degraded_router_is_over_once_its_orders_are_forgotten_and_the_cool_off_is_i05() -> None:
    changes = {
        **EAGER,
        "monitoring.quality.minutes_remembered": 5,
        "safety.global_cooldown_minutes": 1,
        "exitbot.cooloff_minutes": 1,
    }
    life = begun(World(quiet(60), settings=settings_with(changes)))
    slipping(life)
    life.run_for(2 * MINUTE)
    before = life.causes

    life.run_for(6 * MINUTE)

    assert (before, life.causes) == ({"router_degraded": CLOSE_ONLY}, {})
    latched = [line["cause"].code for line in life.journal.events("halt_latched")]
    assert latched.count("router_degraded") == 1  # it was never let go while it was so


def test_a_degraded_router_that_a_person_has_looked_into_is_measured_anew_i05() -> None:
    changes = {**EAGER, "safety.global_cooldown_minutes": 1, "exitbot.cooloff_minutes": 1}
    life = begun(World(quiet(60), settings=settings_with(changes)))
    slipping(life)
    life.run_for(5 * MINUTE)
    before = life.causes  # what was sent is remembered for an hour, and nothing new is sent

    noted = life.ask_to_resume("router_degraded")
    life.run_for(MINUTE)
    after, router = life.causes, quality_of(life)["router"]
    slipping(life)
    life.run_for(MINUTE)

    assert (before, after) == ({"router_degraded": CLOSE_ONLY}, {})
    assert (noted.noted, noted.refused) == (("router_degraded",), ())
    assert router == "untried"
    assert life.causes == {"router_degraded": CLOSE_ONLY}


def test_a_silent_venue_makes_the_router_idle() -> None:
    plan = plan_of(struck(Ignore(), what="submit", times=None))
    life = begun(World(quiet(), plan, settings=settings_with(EAGER)))
    life.enter()

    life.run_closely(50 * SECOND)

    assert quality_of(life)["router"] == "idle"
    assert life.causes["router_idle"] is CLOSE_ONLY


def test_a_monitor_that_fails_starts_anew_and_nothing_halts() -> None:
    life = begun(World(quiet(), settings=settings_with(EAGER)))
    life.enter()
    life.run_for(MINUTE)
    before = quality_of(life)

    life.crash(paths.EXECUTION_MONITOR)
    life.run_for(MINUTE)

    after = quality_of(life)
    assert list(before["symbols"]) == ["AAPL"] and not after["symbols"]
    assert after["since"] > before["since"]
    assert life.causes == {}


def test_a_monitor_that_is_gone_is_an_anomaly_and_one_that_speaks_again_ends_it_i05() -> None:
    changes = {**EAGER, "safety.global_cooldown_minutes": 1, "exitbot.cooloff_minutes": 1}
    life = begun(World(quiet(60), settings=settings_with(changes)))
    life.ask(paths.OPS, StopChild(name=paths.EXECUTION_MONITOR.name))

    life.run_closely(50 * SECOND)
    first = life.causes
    life.run_closely(30 * SECOND)
    gone = life.causes
    life.ask(paths.OPS, StartChild(name=paths.EXECUTION_MONITOR.name))
    life.run_closely(90 * SECOND)

    assert (first, gone, life.causes) == ({}, {"monitor_missing": CLOSE_ONLY}, {})


def test_while_the_monitor_is_silent_an_entry_may_risk_the_least_of_any_regime() -> None:
    # 125 USD may be lost by the bot, of which an entry of 166 shares would lose 124.5 at its stop.
    life = begun(World(quiet(), settings=settings_with({})))
    life.ask(paths.OPS, StopChild(name=paths.EXECUTION_MONITOR.name))
    life.run_closely(20 * SECOND)
    assert life.causes == {}

    life.enter(166)
    life.run_for(2 * SECOND)
    life.enter(80)

    assert life.denials == ["bot_budget_covers_loss"]
    (denied,) = life.journal.events("order_denied")
    assert denied["situation"].budget.bot_left == D("62.5")


CALM = [100.0, 100.1] * 30
WILD = [*CALM, 101.0, 100.0, 101.0, 100.0, 101.0]


@pytest.mark.parametrize(
    ("closes", "regime", "left"), [(CALM, "normal", "125"), (WILD, "high", "62.5")]
)
def test_a_wild_market_leaves_an_entry_less_to_lose_and_a_calm_one_no_more_i41(
    closes: list[float], regime: str, left: str
) -> None:
    changes = {
        "monitoring.regimes.window_bars": 4,
        "monitoring.regimes.min_history_bars": 10,
        "monitoring.regimes.calm_bars": 3,
    }
    world = World(market_of(bars_of(closes)), settings=settings_with(changes))
    life = world.begin(with_bots=False)
    life.run_to(OPEN_AT + len(closes) * MINUTE + 5 * SECOND)
    assert quality_of(life)["regimes"] == {"AAPL": regime}

    life.enter(166, reference=str(closes[-1]), protective_stop=str(closes[-1] - 0.5))

    events = ("order_approved", "order_denied")
    judged = [line for event in events for line in life.journal.events(event)]
    (entry,) = [line["situation"] for line in judged if not line["situation"].proposal.reduces]
    assert entry.budget.bot_left == D(left)
