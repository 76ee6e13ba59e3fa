"""Every key of `portfoliobot`, `runner`, `safety`, `risk` and `health` does something.

`SHOWN_BY` names the test that shows it, for each key: the tables below change one value and look at
what the engine does; what only shows on threads or at a broker is shown elsewhere.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.ops.broker_market import venue_terms
from hydra.settings import Settings
from hydra.settings.section import ResumePolicy
from hydra.trading.budgets import BudgetDay, proposed
from hydra.trading.causes import DRAWDOWN
from hydra.trading.trading_state import TradingState
from messages.budgets import BudgetDayReported, ReportBudgetDay
from supervisors import paths
from tests.engine.harness import Life, World, begun, quiet, settings_with

D = Decimal
TESTS = Path(__file__).resolve().parents[1]

HERE = "engine/test_settings_keys.py"
BY_A_DENIAL = f"{HERE}::test_a_limit_denies_what_passed_without_it"
BY_THE_GRANTS = f"{HERE}::test_what_bots_are_granted_follows_from_the_settings"
BY_A_COOL_OFF = f"{HERE}::test_how_a_limit_halt_ends_follows_from_the_settings"
SHOWN_BY = {
    "portfoliobot.enabled": "engine/test_budgets.py::test_without_the_portfolio_bot_positions_are_"
    "left_and_nothing_is_entered_a7",
    "portfoliobot.cash_reserve_pct": BY_A_DENIAL,
    "portfoliobot.buckets.momentum_bucket_pct_of_daily_risk": BY_THE_GRANTS,
    "portfoliobot.buckets.options_bucket_pct_of_daily_risk": BY_THE_GRANTS,
    "portfoliobot.buckets.crypto_bucket_pct_of_daily_risk": BY_THE_GRANTS,
    "portfoliobot.guardrails.per_bot_min_pct_of_daily_risk": BY_THE_GRANTS,
    "portfoliobot.guardrails.per_bot_max_pct_of_daily_risk": BY_THE_GRANTS,
    "runner.loop_interval_seconds": "engine/test_loops.py::test_how_long_a_loop_takes_is_as_the_"
    "settings_say",
    "safety.fail_closed": "settings/test_refusals.py::test_all_errors_of_both_files_are_told_at_"
    "once_in_the_order_of_their_lines_i78",
    "safety.allow_budget_fallback": "engine/test_budgets.py::test_a_fallback_grants_the_least_until"
    "_more_is_proposed",
    "safety.global_cooldown_minutes": BY_A_COOL_OFF,
    "safety.resume": BY_A_COOL_OFF,
    "risk.global_max_daily_loss_pct": BY_THE_GRANTS,
    "risk.max_orders_per_minute": BY_A_DENIAL,
    "risk.max_order_notional_usd": BY_A_DENIAL,
    "health.max_price_staleness_seconds": "engine/test_live_prices.py::test_bars_alone_are_too_old_"
    "between_two_of_them_i45",
    "health.max_api_failures_in_window": f"{HERE}::test_when_a_broker_counts_as_failing_is_as_the_"
    "settings_say",
    "health.api_failure_window_seconds": f"{HERE}::test_when_a_broker_counts_as_failing_is_as_the_"
    "settings_say",
}


def keys_of(settings: Settings) -> set[str]:
    found: set[str] = set()
    for section in ("portfoliobot", "runner", "safety", "risk", "health"):
        for key, value in getattr(settings, section):
            inner = getattr(type(value), "model_fields", None)
            found |= (
                {f"{section}.{key}.{name}" for name in inner} if inner else {f"{section}.{key}"}
            )
    return found


def test_for_every_key_there_is_a_test_that_shows_what_it_does() -> None:
    assert SHOWN_BY.keys() == keys_of(settings_with({}))
    for where in set(SHOWN_BY.values()):
        file, _, name = where.partition("::")
        assert re.search(rf"^def {name}\(", (TESTS / file).read_text(), re.MULTILINE), where


def two_entries(life: Life) -> None:
    life.enter(quantity=1)
    life.run_for(2 * SECOND)
    life.enter(bot="mom_AAPL_cross", quantity=2)


@pytest.mark.parametrize(
    ("key", "value", "check"),
    [
        ("portfoliobot.cash_reserve_pct", D("99.85"), "cash_reserve_is_kept"),
        ("risk.max_orders_per_minute", 1, "entry_rate_is_within_limit"),
        ("risk.max_order_notional_usd", D(150), "order_value_is_within_limit"),
    ],
)
def test_a_limit_denies_what_passed_without_it(key: str, value: object, check: str) -> None:
    free, bound = begun(World(quiet())), begun(World(quiet(), settings=settings_with({key: value})))

    two_entries(free)
    two_entries(bound)

    assert (free.denials, bound.denials) == ([], [check])


def granted(settings: Settings) -> dict[str, Decimal]:
    """What three kinds of bots would be granted by the terms that the guardian has from them."""
    life = begun(World(quiet(), settings=settings))
    report = life.ask(paths.RISK_GUARDIAN, ReportBudgetDay())
    assert isinstance(report, BudgetDayReported) and report.day is not None
    assert dict(report.day.granted) == grants_of(report.day)
    # The other kinds have no market here: what they would get is the same rule's.
    return {kind: sum(of_kind.values(), D(0)) for kind, of_kind in by_kind(report.day).items()}


def grants_of(day: BudgetDay) -> dict[str, Decimal]:
    proposal = proposed(day, set())
    assert proposal is not None
    return dict(proposal.grants)


def by_kind(day: BudgetDay) -> dict[str, dict[str, Decimal]]:
    bots = {"momentum": ("a", "b"), "options": ("o",), "crypto": ("c",)}
    terms = structs.replace(day.terms, bots=bots)
    grants = grants_of(structs.replace(day, terms=terms, granted={}))
    return {
        kind: {name: grants[name] for name in names if name in grants}
        for kind, names in bots.items()
    }


@pytest.mark.parametrize(
    ("key", "value", "shares"),
    [
        ("risk.global_max_daily_loss_pct", D("1.0"), (250, 250, 250)),
        ("risk.global_max_daily_loss_pct", D("0.5"), (125, 125, 125)),
        ("portfoliobot.buckets.momentum_bucket_pct_of_daily_risk", D(20), (200, 250, 250)),
        ("portfoliobot.buckets.options_bucket_pct_of_daily_risk", D(20), (250, 200, 250)),
        ("portfoliobot.buckets.crypto_bucket_pct_of_daily_risk", D(20), (250, 250, 200)),
        ("portfoliobot.guardrails.per_bot_max_pct_of_daily_risk", D(10), (200, 100, 100)),
        # Too little for two bots of a quarter, so that one of them has all of it.
        ("portfoliobot.guardrails.per_bot_min_pct_of_daily_risk", D(13), (250, 250, 250)),
        ("portfoliobot.guardrails.per_bot_min_pct_of_daily_risk", D(25), (250, 250, 250)),
    ],
)
def test_what_bots_are_granted_follows_from_the_settings(
    key: str, value: Decimal, shares: tuple[int, int, int]
) -> None:
    settings = settings_with({key: value})

    assert granted(settings) == dict(zip(("momentum", "options", "crypto"), shares, strict=True))
    life = begun(World(quiet(), settings=settings))
    alone = key.endswith("min_pct_of_daily_risk")
    assert len(life.ledger.budgets("2016-04-15")) == (1 if alone else 2)


def drawn_down(settings: Settings) -> Callable[[int], TradingState]:
    """The state so many minutes after a drawdown was latched."""
    life = begun(World(quiet(), settings=settings))
    life.halt(DRAWDOWN.cause(since=life.now, detail="a test"))

    def after(minutes: int) -> TradingState:
        life.run_for(minutes * MINUTE)
        return life.state

    return after


def test_how_a_limit_halt_ends_follows_from_the_settings() -> None:
    soon = {"safety.global_cooldown_minutes": 2}
    by_person = {**soon, "safety.resume": ResumePolicy.OPERATOR}

    assert drawn_down(settings_with({}))(4) is TradingState.CLOSE_ONLY
    assert drawn_down(settings_with(soon))(1) is TradingState.CLOSE_ONLY
    assert drawn_down(settings_with(soon))(4) is TradingState.ACTIVE
    assert drawn_down(settings_with(by_person))(4) is TradingState.CLOSE_ONLY


def test_when_a_broker_counts_as_failing_is_as_the_settings_say() -> None:
    changes = {"health.max_api_failures_in_window": 7, "health.api_failure_window_seconds": 33}

    terms = venue_terms(settings_with(changes))

    assert (terms.failures_max, terms.failures_window_s) == (7, 33)
