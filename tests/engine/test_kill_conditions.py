"""The exit bot's kill conditions: each halts while its switch is on, and only alarms while it is
off. How long a halt lasts at least is the longer of two cool-offs.
"""

from decimal import Decimal
from typing import Any

import pytest

from actors.guardian_terms import TakeTerms
from actors.risk_guardian import RiskGuardian
from hydra.actor import MINUTE, SECOND
from hydra.ops.reload_tree import guardian_terms_in
from hydra.ports import Conditions
from hydra.trading.causes import API_FAILURES
from hydra.trading.clearing import ClearingPolicy, earliest_clearing
from hydra.trading.sessions import SessionTable
from hydra.trading.trading_state import TradingState
from supervisors import paths
from tests.engine.harness import (
    ENTRY_AT,
    OPEN_AT,
    Life,
    World,
    bars_of,
    begun,
    market_of,
    quiet,
    settings_with,
)
from tests.engine.judge import require_agreement, require_sound

CLOSE_ONLY, HALTED = TradingState.CLOSE_ONLY, TradingState.HALTED
LOST = market_of(bars_of([100.0] * 9 + [93.0] * 20))
"""240 shares are bought at 100 in minute 6; at 93 they have lost 1,680 of 100,000 USD."""
SLOW_TO_JUMP: dict[str, Any] = {
    "guards.equity.max_session_drawdown_pct": Decimal(50),
    "guards.equity.max_nav_jump_pct": Decimal(50),
}
ALL_TO_ONE: dict[str, Any] = {
    "portfoliobot.guardrails.per_bot_max_pct_of_daily_risk": Decimal(100),
    "portfoliobot.buckets.momentum_bucket_pct_of_daily_risk": Decimal(100),
    "portfoliobot.buckets.options_bucket_pct_of_daily_risk": Decimal(0),
    "portfoliobot.buckets.crypto_bucket_pct_of_daily_risk": Decimal(0),
}
SILENT = market_of(bars_of([100.0] * 8))
"""No bar comes after minute 8, though the exchange is open."""


def off(condition: str) -> str:
    return f"exitbot.kill_conditions.{condition}"


def alarms(life: Life) -> list[str]:
    """The codes of what sounds now."""
    return list(life.view(paths.RISK_GUARDIAN)["alarms"])


def holding(world: World, **how: Any) -> Life:
    life = world.begin(with_bots=False, **how)
    life.run_to(ENTRY_AT)
    life.enter(240, protective_stop="99.9")
    life.run_to(OPEN_AT + 8 * MINUTE)
    return life


def test_a_lost_day_is_close_only_at_once_closed_by_the_exit_bot_and_halted_when_flat_i37() -> None:
    # 108 USD are lost, of 100 allowed, and the position is not yet at its stop.
    settings = settings_with(
        {**SLOW_TO_JUMP, **ALL_TO_ONE, "risk.global_max_daily_loss_pct": Decimal("0.1")}
    )
    world = World(market_of(bars_of([100.0] * 9 + [99.55] * 20)), settings=settings)
    life = holding(world, with_exit_bot=True)
    life.run_to(OPEN_AT + 13 * MINUTE)

    latched = [line["cause"] for line in life.journal.events("halt_latched")]
    states = [cause.state for cause in latched if cause.code == "daily_loss"]
    assert (states[0], set(states[1:])) == (CLOSE_ONLY, {HALTED})
    assert (life.causes["daily_loss"], life.positions, world.positions) == (HALTED, {}, {})
    (_, closing) = life.ledger.orders()
    assert closing.intent.reason == "exit bot: daily_loss"
    assert closing.intent.decision.bot == "mom_AAPL"
    require_sound(world)
    require_agreement(world)


def test_a_lost_day_only_alarms_while_its_switch_is_off_and_nothing_is_entered_i37() -> None:
    wide = {"guards.exposure.max_open_risk_pct": Decimal(50)}
    settings = settings_with({**SLOW_TO_JUMP, **wide, off("max_daily_loss_halt"): False})
    world = World(LOST, settings=settings)
    life = holding(world)

    life.run_to(OPEN_AT + 12 * MINUTE)
    life.enter(1, reference="93", bot="mom_AAPL_cross")

    assert (life.causes, alarms(life)) == ({}, ["daily_loss"])
    assert [line["code"] for line in life.journal.events("alarm_raised")] == ["daily_loss"]
    assert life.denials == ["daily_loss_is_within_limit"]
    assert life.positions == {"mom_AAPL AAPL": 240}


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_prices_that_stay_away_halt_or_only_alarm_while_entries_are_denied(is_on: bool) -> None:
    world = World(SILENT, settings=settings_with({off("data_stale_halt"): is_on}))
    life = begun(world)
    life.run_closely(5 * MINUTE)

    life.enter(1)

    assert life.causes == ({"stale_feed": HALTED} if is_on else {})
    assert alarms(life) == ([] if is_on else ["stale_feed"])
    assert life.denials == ["trading_is_open" if is_on else "loop_has_passed"]


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_a_jump_of_the_equity_is_an_anomaly_that_halts_or_only_alarms(is_on: bool) -> None:
    changes = {
        **SLOW_TO_JUMP,
        "guards.equity.max_nav_jump_pct": Decimal(1),
        "risk.global_max_daily_loss_pct": Decimal(50),
        off("anomaly_halt"): is_on,
    }
    world = World(LOST, settings=settings_with(changes))
    life = holding(world)

    life.run_to(OPEN_AT + 10 * MINUTE)

    assert life.causes == ({"nav_jump": HALTED} if is_on else {})
    told = [line["code"] for line in life.journal.events("alarm_raised")]
    assert told == ([] if is_on else ["nav_jump"])


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_failures_of_the_venues_interface_halt_or_only_alarm(is_on: bool) -> None:
    world = World(quiet(), settings=settings_with({off("api_failure_halt"): is_on}))
    life = begun(world)

    life.halt(API_FAILURES.cause(since=life.now, detail="6 calls failed within 60 s"))

    assert life.causes == ({"api_failures": HALTED} if is_on else {})
    assert alarms(life) == ([] if is_on else ["api_failures"])


def test_an_alarm_ends_when_what_it_is_about_does() -> None:
    world = World(quiet(), settings=settings_with({off("api_failure_halt"): False}))
    life = begun(world)
    life.halt(API_FAILURES.cause(since=life.now, detail="6 calls failed within 60 s"))

    life.run_closely(10 * SECOND)

    assert alarms(life) == []
    assert [line["code"] for line in life.journal.events("alarm_ended")] == ["api_failures"]


class Failing(Conditions):
    """The broker's interface fails, and goes on to."""

    def present(self) -> frozenset[str]:
        return frozenset({API_FAILURES.code})


def test_a_switch_that_a_reload_puts_on_halts_for_what_is_still_so_i41_i44() -> None:
    world = World(quiet(), settings=settings_with({off("api_failure_halt"): False}))
    life = begun(world, conditions=Failing())
    life.run_closely(10 * SECOND)
    before = (life.causes, alarms(life))

    terms = guardian_terms_in(life.parts.rebuilt(settings_with({})).tree)
    life.ask(paths.RISK_GUARDIAN, TakeTerms(terms=terms))
    life.run_closely(10 * SECOND)

    assert before == ({}, ["api_failures"])
    assert life.causes == {"api_failures": HALTED}


@pytest.mark.parametrize(("everybodys", "exit_bots"), [(30, 45), (45, 30)])
def test_a_halt_of_a_kill_condition_lasts_for_the_longer_cool_off_i04(
    everybodys: int, exit_bots: int
) -> None:
    changes = {
        "safety.global_cooldown_minutes": everybodys,
        "exitbot.cooloff_minutes": exit_bots,
    }
    world = World(quiet(60), settings=settings_with(changes))
    life = begun(world)
    life.halt(API_FAILURES.cause(since=life.now, detail="6 calls failed within 60 s"))
    (cause,) = life.report.causes

    life.run_for(44 * MINUTE)
    before = life.causes
    life.run_for(2 * MINUTE)

    assert earliest_clearing(cause, *_policy(life)) == cause.since + 45 * MINUTE
    assert (before, life.causes) == ({"api_failures": HALTED}, {})


def _policy(life: Life) -> tuple[ClearingPolicy, SessionTable]:
    guardian = life.runtime.cells[paths.RISK_GUARDIAN.path].actor
    assert isinstance(guardian, RiskGuardian)
    return guardian._terms.clearing, life.world.data.sessions
