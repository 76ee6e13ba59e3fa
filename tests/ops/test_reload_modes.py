"""Strategy modes of a running engine: what is safer at once, the rest by a restart, on record."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.trading.causes import DAILY_LOSS
from hydra.trading.strategy_modes import NotAllowed, StrategyMode
from hydra.trading.trading_state import TradingState
from tests.ops.reloading import CONFIG, Followed

NONE, PRIMARY, FALLBACK, CONSERVATIVE, FLAT = StrategyMode
CLOSE_ONLY = TradingState.CLOSE_ONLY
ONE_MINUTE = """
modes:
  selected: primary
  step_down: true
  primary:
    bar_minutes: 1
    entry_minutes: 1
    notional_pct: 100
    max_trades_per_day: 6
    bots_off: []
  fallback:
    bar_minutes: 1
    entry_minutes: 1
    notional_pct: 50
    max_trades_per_day: 2
    bots_off: []
  conservative:
    bar_minutes: 60
    entry_minutes: 15
    notional_pct: 25
    max_trades_per_day: 2
    bots_off: [mom_AAPL]
"""


def with_modes(folder: Path, text: str = ONE_MINUTE, **how: object) -> Followed:
    """An engine on the shipped files, with a ladder whose first step needs no restart."""
    shutil.copytree(CONFIG, folder / "config")
    file = folder / "config" / "bots.yaml"
    before, _, after = file.read_text().partition("\nmodes:")
    _, _, after = after.partition("\ncryptobot:")
    file.write_text(f"{before}{text}cryptobot:{after}")
    return Followed(folder, **how).begun()  # type: ignore[arg-type]


def choose(engine: Followed, mode: StrategyMode, reason: str = "a test") -> None:
    engine.reload.choose_mode(mode, reason, "ada")
    engine.life.runtime.settle()


def test_flat_is_in_force_at_once_closes_entries_and_leaves_exits(tmp_path: Path) -> None:
    engine = with_modes(tmp_path)
    engine.life.enter(quantity=2)
    engine.life.run_for(90 * SECOND)
    choose(engine, FLAT)
    engine.life.enter(bot="mom_AAPL_cross")
    engine.life.exit(quantity=2)
    engine.life.run_for(90 * SECOND)

    bots = {"mom_AAPL", "mom_AAPL_cross"}
    assert {f"bot_closed:{bot}" for bot in bots} <= set(engine.life.causes)
    assert engine.denials == ["trading_is_open"]
    assert engine.world.positions == {}
    assert engine.reload.told()["mode"] == "flat"
    assert engine.restarts == []


def test_an_operators_choice_is_on_record_with_its_reason_and_outlives_the_process(
    tmp_path: Path,
) -> None:
    engine = with_modes(tmp_path)
    choose(engine, FLAT, "vacation")
    engine.life.die()
    engine.start()
    engine.begun()
    engine.life.enter()

    told = engine.reload.told()
    assert (told["mode"], told["mode_why"], told["mode_by"]) == ("flat", "vacation", "ada")
    assert engine.denials == ["trading_is_open"]
    assert "bot_closed:mom_AAPL" in engine.life.causes


def test_each_kill_event_steps_down_once_and_the_cool_offs_end_changes_nothing(
    tmp_path: Path,
) -> None:
    engine = with_modes(tmp_path)
    engine.life.halt(DAILY_LOSS.cause(since=engine.life.now, detail="a test"))
    engine.look(times=3)

    assert engine.reload.told()["mode"] == "fallback"
    assert engine.reload.told()["mode_why"] == "step down after daily_loss"
    bots = {bot.bot_id: bot for bot in engine.reload.in_force.momentum_bots}
    assert bots["mom_AAPL"].execution.default_notional_usd == Decimal(500)
    assert bots["mom_AAPL"].risk.max_trades_per_day == 2
    (event,) = engine.events("strategy_mode")
    assert (event["mode"], event["before"], event["by"]) == ("fallback", "primary", "engine")

    engine.life.die()
    engine.start()
    engine.look(times=3)
    assert engine.reload.told()["mode"] == "fallback"


def test_a_mode_with_other_bars_closes_all_entries_until_the_restart_that_it_asks_for(
    tmp_path: Path,
) -> None:
    engine = with_modes(tmp_path)
    choose(engine, CONSERVATIVE)
    engine.look()

    told = engine.reload.told()
    assert (told["mode"], told["mode_wanted"]) == ("primary", "conservative")
    assert engine.life.causes["bot_closed:mom_AAPL_cross"] is CLOSE_ONLY
    (reason,) = engine.restarts
    assert reason == "strategy mode conservative (a test) comes with a restart"
    assert any("signal.bar_minutes: 1 -> 60" in why for why in told["pending_why"])

    engine.life.die()
    engine.start()
    engine.begun()
    assert engine.reload.told()["mode"] == "conservative"
    assert engine.reload.told()["pending"] is None
    assert engine.life.causes == {}


def test_a_step_up_is_an_operators_and_comes_with_a_restart_k12(tmp_path: Path) -> None:
    engine = with_modes(tmp_path)
    choose(engine, FLAT)
    choose(engine, PRIMARY, "looked into")
    engine.look()

    assert engine.reload.told()["mode"] == "flat"
    (reason,) = engine.restarts
    assert reason == "strategy mode primary (looked into) comes with a restart"
    with pytest.raises(NotAllowed):
        engine.reload.choose_mode(NONE, "bold", "ada")

    engine.life.die()
    engine.start()
    assert engine.reload.told()["mode"] == "primary"


def test_the_environment_goes_before_the_files_and_a_step_down_before_both(
    tmp_path: Path,
) -> None:
    engine = with_modes(tmp_path, named=FALLBACK)
    told = engine.reload.told()
    assert (told["mode"], told["mode_why"]) == ("fallback", "as it is configured")

    choose(engine, FLAT)
    engine.life.die()
    engine.start()

    assert engine.reload.told()["mode"] == "flat"


def test_without_the_switch_no_kill_event_changes_the_mode(tmp_path: Path) -> None:
    engine = with_modes(tmp_path, ONE_MINUTE.replace("step_down: true", "step_down: false"))
    engine.life.halt(DAILY_LOSS.cause(since=engine.life.now, detail="a test"))
    engine.look(times=3)

    assert engine.reload.told()["mode"] == "primary"


def test_a_mode_in_the_files_is_followed_like_an_operators_choice(tmp_path: Path) -> None:
    engine = with_modes(tmp_path)
    engine.reloads("selected: primary", "selected: flat", "bots.yaml")
    engine.life.run_for(MINUTE)
    engine.life.enter()

    assert engine.reload.told()["mode"] == "flat"
    assert engine.denials == ["trading_is_open"]


def test_a_mode_that_is_not_wanted_any_more_leaves_entries_closed_until_a_restart_k12(
    tmp_path: Path,
) -> None:
    engine = with_modes(tmp_path)
    engine.life.enter(quantity=1)
    engine.life.run_for(90 * SECOND)
    choose(engine, CONSERVATIVE)
    choose(engine, PRIMARY, "never mind")
    engine.look()
    engine.life.enter(bot="mom_AAPL_cross")

    assert engine.denials == ["trading_is_open"]
    assert engine.restarts == []  # something is held
    assert engine.reload.wants_restart == (
        "entries are closed because strategy mode conservative needs a restart, which nobody wants"
        " any more; a restart opens them"
    )

    engine.life.die()
    engine.start()
    assert engine.reload.told()["pending"] is None
    assert engine.life.causes == {}


def test_how_long_a_bot_is_closed_is_told_from_the_first_time_on(tmp_path: Path) -> None:
    engine = with_modes(tmp_path)
    choose(engine, CONSERVATIVE)
    at = engine.life.now
    engine.life.run_for(MINUTE)
    choose(engine, FLAT)

    (since,) = {cause.since for cause in engine.life.report.causes}
    assert since == at
