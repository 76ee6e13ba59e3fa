"""The account's loss of a day: valued at every fill, every bar and every five seconds (I37).

The account begins with 100,000 USD and may lose 1 %, which is 1,000 USD.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from actors.risk_guardian import RiskGuardian
from hydra.actor import MILLISECOND, MINUTE, SECOND
from hydra.settings.section import ResumePolicy
from hydra.trading.durations import DAY, HOUR
from hydra.trading.orders import DecisionKey, OrderType, Role, Side, TimeInForce
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import HideEquity
from messages.orders import OrderIntent
from supervisors import paths
from tests.engine.harness import (
    CLOSE_AT,
    NEXT_OPEN_AT,
    OPEN_AT,
    Life,
    World,
    bars_of,
    begun,
    market_of,
    plan_of,
    settings_with,
    struck,
    two_days,
)
from tests.engine.judge import require_agreement, require_sound

ACTIVE, CLOSE_ONLY, HALTED = TradingState.ACTIVE, TradingState.CLOSE_ONLY, TradingState.HALTED
GAP = [100.0] * 9 + [93.0] * 20
"""240 shares are bought at 100 in minute 6; at 93 they have lost 1,680 USD."""
DRIFT = [100.0] * 9 + [round(100.0 - 0.25 * n, 2) for n in range(1, 30)]
"""The same shares lose 60 USD a minute: 1,020 USD after 17 minutes."""
SLOW_TO_JUMP = {
    "guards.equity.max_session_drawdown_pct": Decimal(50),
    "guards.equity.max_nav_jump_pct": Decimal(50),
}
"""So that the daily loss is what is broken, and nothing beside it."""


def holding(world: World) -> Life:
    """240 shares, bought at 100; the stop that it tells of is near, and nobody acts on it."""
    life = begun(world)
    name = life.enter(240, protective_stop="99.9")
    life.run_to(OPEN_AT + 8 * MINUTE)
    assert life.status_of(name) == "filled"
    return life


def resting_stop(quantity: int, price: str, *, decided_at: int) -> OrderIntent:
    """It sells what is held below this price, on whatever day that is."""
    decision = DecisionKey("mom_AAPL", "AAPL", "2016-04-15", 1, Role.PROTECT)
    return OrderIntent(
        decision=decision,
        side=Side.SELL,
        quantity=Decimal(quantity),
        reason="a test",
        decided_at=decided_at,
        reference_price=Decimal(100),
        order_type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_price=Decimal(price),
    )


def test_a_gap_through_the_limit_is_close_only_at_once_and_halted_when_all_is_sold_i37() -> None:
    world = World(market_of(bars_of(GAP)), settings=settings_with(SLOW_TO_JUMP))
    life = holding(world)
    life.run_to(OPEN_AT + 9 * MINUTE)
    before = life.causes

    life.run_to(OPEN_AT + 10 * MINUTE)
    at_once = life.causes
    life.enter(1, reference="93", bot="mom_AAPL_cross")
    life.exit(240)
    life.run_to(OPEN_AT + 12 * MINUTE)

    assert before == {}
    assert at_once == {"daily_loss": CLOSE_ONLY}
    assert life.denials == ["trading_is_open"]
    assert (life.positions, life.causes) == ({}, {"daily_loss": HALTED})
    require_sound(world)
    require_agreement(world)


def test_a_slow_fall_trips_at_the_first_price_at_which_the_limit_is_reached_i37() -> None:
    world = World(market_of(bars_of(DRIFT)), settings=settings_with(SLOW_TO_JUMP))
    life = holding(world)

    tripped_at = None
    for minute in range(9, 38):
        life.run_to(OPEN_AT + minute * MINUTE)
        if life.causes and tripped_at is None:
            tripped_at = minute

    assert tripped_at == 9 + 17
    assert life.causes == {"daily_loss": CLOSE_ONLY}
    (cause,) = life.report.causes
    assert cause.detail == (
        "lost 1020.00 of 100000 USD since the day 2016-04-15 began,"
        " less than 1000.000 (1.0 %) allowed"
    )
    require_sound(world)


def test_the_bots_close_what_they_hold_and_enter_nothing_more_on_a_day_that_is_lost_i09_i37() -> (
    None
):
    closes = [100.0] * 10 + [round(100 + 0.05 * n, 2) for n in range(10)] + [70.0] * 30
    settings = settings_with({**SLOW_TO_JUMP, "risk.global_max_daily_loss_pct": Decimal("0.2")})
    world = World(market_of(bars_of(closes)), settings=settings)
    life = world.begin()

    life.run_to(OPEN_AT + 49 * MINUTE)

    assert life.causes == {"daily_loss": HALTED}
    assert life.positions == {}
    assert [each.intent.decision.role.value for each in life.ledger.orders()] == [
        "entry",
        "protect",
    ]
    require_sound(world)
    require_agreement(world)


def test_a_lost_day_stays_lost_over_restarts_with_its_start_and_its_peak_i04_i37_i38(
    tmp_path: Path,
) -> None:
    world = World(
        market_of(bars_of(GAP)),
        settings=settings_with(SLOW_TO_JUMP),
        ledger_path=tmp_path / "ledger.db",
    )
    life = holding(world)
    life.run_to(OPEN_AT + 10 * MINUTE)
    lost = life.report.causes
    life.die()

    for minute in (12, 14, 16):
        world.pass_by(OPEN_AT + minute * MINUTE)
        life = world.begin(with_bots=False)
        life.run_to(OPEN_AT + (minute + 1) * MINUTE)
        view = life.view(paths.RISK_GUARDIAN)
        assert life.report.causes == lost
        assert (view["day_start"], view["peak"]) == ("100000", "100000")
        life.enter(1, reference="93")
        assert life.denials == ["trading_is_open"]
        life.die()


def test_a_limit_that_is_reached_while_the_engine_is_down_trips_when_it_is_back_i37_i38(
    tmp_path: Path,
) -> None:
    world = World(
        market_of(bars_of(GAP)),
        settings=settings_with(SLOW_TO_JUMP),
        ledger_path=tmp_path / "ledger.db",
    )
    holding(world).die()
    world.pass_by(OPEN_AT + 20 * MINUTE)

    life = world.begin(with_bots=False)
    at_the_start = life.causes  # from the venue's own figures, before any price has come
    life.run_for(1 * MINUTE)

    assert at_the_start == life.causes == {"daily_loss": CLOSE_ONLY}
    require_sound(world)
    require_agreement(world)


def test_what_the_bots_may_lose_in_a_day_is_used_up_over_restarts_i33_i37_i38(
    tmp_path: Path,
) -> None:
    # Each time 240 USD are lost. Of the day's 1,000 USD each of the two bots was granted a half.
    saw = [100.0] * 7 + [99.0, 99.0, 100.0, 100.0] * 8
    settings = settings_with(
        {
            **SLOW_TO_JUMP,
            "guards.pace.max_notional_per_window_usd": Decimal(1_000_000),
            "guards.pace.max_notional_per_day_usd": Decimal(1_000_000),
            "portfoliobot.guardrails.per_bot_max_pct_of_daily_risk": Decimal(100),
            "portfoliobot.buckets.momentum_bucket_pct_of_daily_risk": Decimal(100),
            "portfoliobot.buckets.options_bucket_pct_of_daily_risk": Decimal(0),
            "portfoliobot.buckets.crypto_bucket_pct_of_daily_risk": Decimal(0),
        }
    )
    world = World(market_of(bars_of(saw)), settings=settings, ledger_path=tmp_path / "ledger.db")
    denied: list[str] = []
    for trip in range(6):
        bot = ("mom_AAPL", "mom_AAPL_cross")[trip % 2]
        life = world.begin(with_bots=False)
        life.run_to(OPEN_AT + (6 + 4 * trip) * MINUTE + 5 * SECOND)
        name = life.enter(240, protective_stop="99.9", bot=bot)
        life.run_to(OPEN_AT + (8 + 4 * trip) * MINUTE)
        if life.status_of(name) == "filled":
            life.exit(240, bot=bot)
        life.run_to(OPEN_AT + (9 + 4 * trip) * MINUTE + 30 * SECOND)
        denied += life.denials
        life.die()

    life = world.begin(with_bots=False)
    assert denied == ["bot_budget_covers_loss"] * 2
    assert world.exchange.engine.account.cash == 100_000 - 4 * 240
    assert life.causes == {}
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("resume", list(ResumePolicy))
def test_a_lost_day_ends_with_the_next_session_and_a_clean_pass_or_with_a_word_after_it_i04_i37(
    tmp_path: Path, resume: ResumePolicy
) -> None:
    settings = settings_with({**SLOW_TO_JUMP, "safety.resume": resume})
    world = World(two_days(GAP, [93.0] * 30), settings=settings, ledger_path=tmp_path / "ledger.db")
    life = holding(world)
    life.run_to(OPEN_AT + 10 * MINUTE)
    life.exit(240)
    life.run_to(OPEN_AT + 15 * MINUTE)
    lost = life.causes
    early = life.resume("daily_loss")
    life.die()
    world.pass_by(NEXT_OPEN_AT - 1 * MINUTE)  # the cool-off has passed, the weekend too

    life = world.begin(with_bots=False)
    before_the_bell = life.causes
    life.run_to(NEXT_OPEN_AT + 2 * MINUTE)
    after_the_bell = life.causes
    word = life.resume("daily_loss") if resume is ResumePolicy.OPERATOR else None

    assert lost == before_the_bell == {"daily_loss": HALTED}
    assert (early.noted, len(early.refused)) == ((), 1)
    assert after_the_bell == ({} if resume is ResumePolicy.PREFLIGHT else lost)
    assert word is None or word.noted == ("daily_loss",)
    assert life.causes == {}
    view = life.view(paths.RISK_GUARDIAN)
    assert (view["day_start"], view["peak"]) == ("98320.00", "98320.00")
    require_sound(world)
    require_agreement(world)


def test_midnight_and_a_weekend_begin_no_new_day_and_a_gap_over_it_is_a_loss_i37(
    tmp_path: Path,
) -> None:
    world = World(
        two_days([100.0] * 20, [92.0] * 20),
        settings=settings_with(SLOW_TO_JUMP),
        ledger_path=tmp_path / "ledger.db",
    )
    life = holding(world)
    life.run_to(OPEN_AT + 20 * MINUTE)
    life.die()
    world.pass_by(CLOSE_AT + DAY)
    life = world.begin(with_bots=False)
    saturday = (life.view(paths.RISK_GUARDIAN)["day_start"], life.causes)
    life.die()
    world.pass_by(NEXT_OPEN_AT - 10 * MINUTE)
    life = world.begin(with_bots=False)
    life.run_to(NEXT_OPEN_AT - 1 * MINUTE)  # it has looked at the account until the bell
    life.run_to(NEXT_OPEN_AT + 1 * MINUTE)
    monday = life.view(paths.RISK_GUARDIAN)["day_start"]

    assert saturday == ("100000", {})
    assert monday == "100000.00"
    assert life.causes == {"daily_loss": CLOSE_ONLY}


@pytest.mark.parametrize("is_there_at_the_bell", [True, False])
def test_what_a_stop_of_the_day_before_loses_at_the_bell_is_used_up_of_this_days_budget_i33_i38(
    is_there_at_the_bell: bool, tmp_path: Path
) -> None:
    # 80 shares at 100 are stopped out at 98: of the 125 USD that its bot may lose, 160 are gone.
    world = World(
        two_days([100.0] * 30, [98.0] * 60),
        settings=settings_with(SLOW_TO_JUMP),
        ledger_path=tmp_path / "ledger.db",
    )
    life = begun(world)
    life.enter(80, protective_stop="99")
    life.run_for(1 * MINUTE)
    life.tell(paths.RISK_GUARDIAN, resting_stop(80, "99", decided_at=life.now))
    life.run_for(1 * MINUTE)
    if not is_there_at_the_bell:
        life.die()
        world.pass_by(NEXT_OPEN_AT + 6 * MINUTE)
        life = begun(world)
    life.run_to(NEXT_OPEN_AT + 10 * MINUTE)
    sold = life.positions
    life.enter(1, reference="98")
    life.run_for(1 * MINUTE)
    at_once = life.denials
    life.die()
    life = begun(world)
    life.run_for(1 * MINUTE)
    life.enter(2, reference="98")
    life.run_for(1 * MINUTE)

    assert sold == {}
    assert (at_once, life.denials) == (["bot_budget_covers_loss"], ["bot_budget_covers_loss"])
    require_sound(world)


@pytest.mark.parametrize(
    "friday",
    [
        [100.0] * 9 + [97.5] * 20,
        [100.0] * 9 + [96.5] * 5 + [97.5] * 15,  # through a drawdown, which is a record of its own
    ],
)
def test_a_day_whose_opening_nobody_saw_begins_with_what_was_known_last_i37_i38(
    friday: list[float], tmp_path: Path
) -> None:
    # On Friday 600 USD are lost: they are no loss of Monday, and Monday has not 240 more to lose.
    world = World(
        two_days(friday, [97.5] * 4 + [93.4, 93.3] + [93.3] * 9),
        settings=settings_with(SLOW_TO_JUMP),
        ledger_path=tmp_path / "ledger.db",
    )
    life = holding(world)
    life.run_to(OPEN_AT + 28 * MINUTE)
    life.die()
    world.pass_by(NEXT_OPEN_AT + 2 * MINUTE)
    life = world.begin(with_bots=False)
    life.run_for(1 * MINUTE)
    view = life.view(paths.RISK_GUARDIAN)
    life.run_to(NEXT_OPEN_AT + 5 * MINUTE)
    less_than_allowed = life.causes  # 984 USD, of 994
    life.run_for(1 * MINUTE)

    assert (view["day_start"], view["equity"]) == ("99400.00", "99400.00")
    assert (less_than_allowed, life.causes) == ({}, {"daily_loss": CLOSE_ONLY})
    require_sound(world)


MIDNIGHT_NEW_YORK = CLOSE_AT + 8 * HOUR
MIDNIGHT_UTC = CLOSE_AT + 4 * HOUR


@pytest.mark.parametrize(
    ("begins_at", "counted"),
    [
        (OPEN_AT + 29 * MINUTE, 1),
        (CLOSE_AT - 1, 1),
        (CLOSE_AT, 1),
        (MIDNIGHT_UTC, 1),
        (MIDNIGHT_NEW_YORK - 1, 1),
        (MIDNIGHT_NEW_YORK, 1),
        (NEXT_OPEN_AT - 100 * MILLISECOND, 0),  # a minute later it is the next
        (NEXT_OPEN_AT, 0),
        (NEXT_OPEN_AT + 1, 0),
    ],
)
def test_whenever_a_process_begins_an_order_counts_in_its_own_day_and_once_i37_i38(
    begins_at: int, counted: int, tmp_path: Path
) -> None:
    data = two_days([100.0] * 30, [100.0] * 30)
    world = World(data, settings=settings_with(SLOW_TO_JUMP), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)
    life.die()
    world.pass_by(begins_at - 5 * SECOND)  # a start takes five seconds

    life = world.begin(with_bots=False)
    life.run_for(MINUTE)
    found = life.view(paths.RISK_GUARDIAN)["orders_today"]
    life.die()
    world.pass_by(NEXT_OPEN_AT + 6 * MINUTE)
    life = world.begin(with_bots=False)
    life.run_for(MINUTE)
    life.enter(2, bot="mom_AAPL_cross")

    assert found == counted
    assert life.view(paths.RISK_GUARDIAN)["orders_today"] == 1
    require_agreement(world)


def test_equity_that_nobody_knows_is_a_breach_once_it_is_too_old_i37(tmp_path: Path) -> None:
    # After the restart neither prices come nor does the venue say what the account is worth.
    plan = plan_of(struck(HideEquity(), times=None, from_event=8))
    world = World(
        market_of(bars_of([100.0] * 8), close_at=OPEN_AT + 8 * MINUTE),
        plan,
        ledger_path=tmp_path / "ledger.db",
    )
    holding(world).die()

    life = world.begin(with_bots=False)
    life.advance(4 * MINUTE)
    before = life.causes
    life.advance(2 * MINUTE)

    assert (before, life.causes) == ({}, {"equity_missing": CLOSE_ONLY})
    require_sound(world)


def test_the_account_is_valued_every_five_seconds_also_when_no_price_comes_i37() -> None:
    world = World(market_of(bars_of(GAP)), settings=settings_with(SLOW_TO_JUMP))
    life = holding(world)
    at = life.now

    life.advance(12 * SECOND)

    guardian = life.runtime.cells[paths.RISK_GUARDIAN.path].actor
    assert isinstance(guardian, RiskGuardian)
    assert guardian._desk.day.at >= at + 10 * SECOND
