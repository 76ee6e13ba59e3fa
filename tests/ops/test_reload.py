"""A running engine follows the files of its settings, and nothing in them makes it looser."""

import os
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.trading.trading_state import TradingState
from messages.lifecycle import RestartChild
from supervisors import paths
from tests.ops.reloading import Followed

DENIED = "order_denied"
ORDER_LIMIT = "max_order_notional_usd: 25000"


def pipe(file: Path) -> None:
    """Nobody writes to it."""
    file.unlink()
    os.mkfifo(file)


@pytest.fixture
def engine(tmp_path: Path) -> Followed:
    return Followed(tmp_path).begun()


def test_a_limit_made_tighter_is_in_force_before_the_next_order_i41_i81(engine: Followed) -> None:
    before = engine.reload.in_force.digest
    engine.life.enter(quantity=11)
    engine.reloads(ORDER_LIMIT, "max_order_notional_usd: 1000")
    engine.life.advance(6 * SECOND)
    engine.life.enter(quantity=11, bot="mom_AAPL_cross")

    (approved,) = engine.events("order_approved")
    (denied,) = engine.events("order_denied")
    after = engine.reload.in_force.digest
    assert engine.reload.in_force.risk.max_order_notional_usd == Decimal(1000)
    assert (approved["configuration"], denied["configuration"]) == (before, after)
    assert denied["check"] == "order_value_is_within_limit"
    assert engine.events("config_reloaded")[0]["changes"] == [
        "risk.max_order_notional_usd: 25000 -> 1000 (tighter)",
    ]


def test_a_limit_made_looser_waits_for_a_restart_and_is_told_i41(engine: Followed) -> None:
    before = engine.reload.in_force
    engine.reloads(ORDER_LIMIT, "max_order_notional_usd: 50000")

    told = engine.reload.told()
    assert engine.reload.in_force is before
    assert told["pending"] == ["risk.max_order_notional_usd: 25000 -> 50000 (looser)"]
    assert told["pending_since"] == engine.life.now
    assert told["wants_restart"] is None  # a person has to want it
    assert engine.restarts == []
    assert engine.life.causes == {}
    assert len(engine.events("config_pending")) == 1


def test_of_a_mixed_change_nothing_is_taken_and_back_again_nothing_waits_i79(
    engine: Followed,
) -> None:
    before = engine.reload.in_force.digest
    engine.edit(ORDER_LIMIT, "max_order_notional_usd: 50000")
    engine.reloads("max_orders_per_minute: 10", "max_orders_per_minute: 5")
    assert engine.reload.in_force.digest == before
    assert len(engine.reload.told()["pending"]) == 2

    engine.edit("max_order_notional_usd: 50000", ORDER_LIMIT)
    engine.reloads("max_orders_per_minute: 5", "max_orders_per_minute: 10")

    assert engine.reload.told()["pending"] is None
    assert engine.reload.in_force.digest == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.unlink(),
        lambda file: file.write_text(""),
        lambda file: file.write_bytes(b"\xff\x00"),
        lambda file: file.write_text(file.read_text()[:-40]),
        lambda file: file.write_text(file.read_text().replace("risk:", "rsik:")),
        lambda file: (file.unlink(), file.mkdir()),
        pipe,
        lambda file: (file.unlink(), file.symlink_to(file)),
    ],
    ids=["gone", "empty", "binary", "by half", "misspelt", "folder", "pipe", "loop"],
)
def test_a_bad_file_changes_nothing_and_closes_entries_until_it_is_mended_i79(
    engine: Followed, spoil: object
) -> None:
    assert callable(spoil)
    file = engine.config / "settings.yaml"
    fine, before = file.read_text(), engine.reload.in_force.digest
    spoil(file)
    engine.look()
    engine.life.runtime.settle()

    assert engine.life.causes == {"bad_reload": TradingState.CLOSE_ONLY}
    assert engine.reload.in_force.digest == before
    assert engine.reload.told()["refused"] is not None
    engine.life.enter()
    assert engine.denials == ["trading_is_open"]
    engine.life.advance(30 * SECOND)  # and no time ends it (I04)
    assert "bad_reload" in engine.life.causes

    if file.is_symlink() or not file.is_dir():
        file.unlink(missing_ok=True)
    else:
        file.rmdir()
    file.write_text(fine)
    engine.look()
    engine.life.advance(11 * SECOND)

    assert engine.life.causes == {}
    assert engine.reload.told()["refused"] is None


def test_an_operator_cannot_wave_a_bad_file_through_i79(engine: Followed) -> None:
    engine.reloads("risk:", "rsik:")
    engine.life.runtime.settle()

    noted = engine.life.resume("bad_reload")

    assert noted.noted == ()
    assert noted.refused[0].startswith("bad_reload: it is still so")


def test_a_halt_in_the_middle_of_a_reload_stands_and_the_reload_is_taken_i01_i04(
    engine: Followed,
) -> None:
    engine.edit(ORDER_LIMIT, "max_order_notional_usd: 1000")
    engine.look(times=1)
    engine.life.halt_by_operator()
    engine.look()
    engine.life.advance(30 * SECOND)
    engine.life.enter()

    assert engine.reload.in_force.risk.max_order_notional_usd == Decimal(1000)
    assert engine.life.causes == {"operator-halt": TradingState.HALTED}
    assert engine.denials == ["trading_is_open"]
    assert engine.world.submitted == []


def test_a_file_that_is_only_half_saved_at_one_look_is_no_news_i79(engine: Followed) -> None:
    file = engine.config / "settings.yaml"
    fine = file.read_text()
    file.write_text(fine[: len(fine) // 2])
    engine.look(times=1)
    file.write_text(fine)
    engine.look()

    assert engine.life.causes == {}
    assert engine.events("config_refused") == []


def test_content_decides_and_not_the_time_or_size_of_a_file_i81(engine: Followed) -> None:
    file = engine.config / "settings.yaml"
    facts = file.stat()
    engine.edit(ORDER_LIMIT, "max_order_notional_usd: 15000")
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    engine.look()

    assert engine.reload.in_force.risk.max_order_notional_usd == Decimal(15_000)


def test_a_comment_is_no_change_and_is_kept_all_the_same(engine: Followed) -> None:
    before = engine.reload.in_force.digest
    engine.reloads(ORDER_LIMIT, f"{ORDER_LIMIT} # enough")

    assert engine.reload.in_force.digest == before
    assert engine.events("config_reloaded") == []
    assert [how for _, how in engine.kept] == ["start", "reload"]


def test_a_guardian_that_is_restarted_is_held_to_what_was_reloaded_i41(tmp_path: Path) -> None:
    engine = Followed(tmp_path).begun()
    engine.reloads(ORDER_LIMIT, "max_order_notional_usd: 1000")
    engine.life.runtime.settle()
    spec = engine.life.runtime.cells[paths.CORE.path].children["risk_guardian"]
    engine.life.ask(paths.CORE, RestartChild(name="risk_guardian"))
    engine.life.advance(8 * SECOND)
    engine.life.resume()
    engine.life.run_for(MINUTE)
    engine.life.enter(quantity=11)

    assert spec.incarnation == 2
    assert engine.denials[-1] == "order_value_is_within_limit"


def test_a_bot_that_is_switched_off_enters_nothing_and_keeps_its_exits_i30_i79(
    engine: Followed,
) -> None:
    engine.life.enter(quantity=2)
    engine.life.run_for(90 * SECOND)
    engine.reloads(
        "enabled: true\n    ticker: AAPL", "enabled: false\n    ticker: AAPL", "bots.yaml"
    )
    engine.life.runtime.settle()
    engine.life.enter(quantity=1)
    engine.life.enter(quantity=1, bot="mom_AAPL_cross")
    engine.life.run_for(MINUTE)
    engine.life.exit(quantity=2)
    engine.life.run_for(90 * SECOND)

    assert engine.life.causes == {"bot_closed:mom_AAPL": TradingState.CLOSE_ONLY}
    denied = [(event["intent"].decision.bot, event["check"]) for event in engine.events(DENIED)]
    assert denied == [("mom_AAPL", "trading_is_open")]
    assert paths.bot("mom_AAPL").path in engine.life.runtime.cells
    assert engine.world.positions == {"AAPL": Decimal(1)}


def test_a_bot_that_is_off_is_in_nobodys_way_when_more_is_made_tighter_i41(
    engine: Followed,
) -> None:
    engine.reloads(
        "enabled: true\n    ticker: AAPL", "enabled: false\n    ticker: AAPL", "bots.yaml"
    )
    engine.reloads(ORDER_LIMIT, "max_order_notional_usd: 2000")
    engine.life.runtime.settle()

    assert engine.reload.in_force.risk.max_order_notional_usd == Decimal(2000)
    assert engine.reload.told()["pending"] is None
    assert engine.life.causes == {"bot_closed:mom_AAPL": TradingState.CLOSE_ONLY}

    engine.reloads(
        "enabled: false\n    ticker: AAPL", "enabled: true\n    ticker: AAPL", "bots.yaml"
    )
    assert engine.reload.told()["pending"] == [
        "momentum_bots[mom_AAPL].enabled: false -> true (looser)"
    ]
    assert engine.life.causes == {"bot_closed:mom_AAPL": TradingState.CLOSE_ONLY}


def test_a_bots_own_limits_come_to_it_by_a_new_life(tmp_path: Path) -> None:
    engine = Followed(tmp_path, with_bots=True).begun()
    cells = engine.life.runtime.cells
    engine.reloads("max_trades_per_day: 3", "max_trades_per_day: 2", "bots.yaml")
    engine.life.advance(2 * SECOND)

    assert cells[paths.bot("mom_AAPL").path].incarnation == 2
    assert cells[paths.bot("mom_AAPL_cross").path].incarnation == 1
    assert cells[paths.bot("mom_AAPL").path].spec.args["plan"].max_trades_per_day == 2
    assert engine.life.causes == {}


def test_what_no_running_engine_takes_asks_for_a_restart_once_nothing_is_held(
    engine: Followed,
) -> None:
    engine.life.enter(quantity=1)
    engine.life.run_for(90 * SECOND)
    engine.reloads("timezone: America/Los_Angeles", "timezone: America/New_York")
    engine.reloads("timezone: America/New_York", "timezone: America/Denver")
    engine.look(times=3)
    assert engine.restarts == []

    engine.life.exit(quantity=1)
    engine.life.run_for(90 * SECOND)
    engine.look(times=3)

    (reason,) = engine.restarts
    assert reason.startswith("system.timezone: America/Los_Angeles -> America/Denver (other)")
    assert len(engine.events("restart_asked")) == 1


def test_what_waits_is_in_force_after_a_restart(engine: Followed) -> None:
    engine.reloads(ORDER_LIMIT, "max_order_notional_usd: 5000")
    engine.reloads("timezone: America/Los_Angeles", "timezone: America/New_York")
    engine.life.die()
    engine.start()

    assert engine.reload.in_force.risk.max_order_notional_usd == Decimal(5000)
    assert engine.reload.in_force.system.timezone == "America/New_York"
    assert engine.reload.told()["pending"] is None
