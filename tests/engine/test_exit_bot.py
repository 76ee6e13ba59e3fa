"""The exit bot in the whole engine: coverage at every check, and exits of what nobody looks after.

Each key of `exitbot` in `bots.yaml` shows its effect here or in `test_kill_conditions`.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.settings import Settings
from hydra.settings.bot_parts import ProtectiveOrder
from hydra.trading.causes import OPERATOR_HALT
from hydra.trading.orders import Role, Side
from hydra.trading.protection import Guard
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import RejectLater
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.requests import Cancel
from messages.lifecycle import Children, StartChild
from messages.protection import GuardReported
from messages.summary import SessionSummary, Summarize
from supervisors import paths
from tests.engine.harness import (
    CLOSE_AT,
    ENTRY_AT,
    NEXT_OPEN_AT,
    OPEN_AT,
    Life,
    World,
    bars_of,
    market_of,
    plan_of,
    play,
    quiet,
    rising,
    settings_with,
    struck,
    two_days,
)
from tests.engine.judge import require_agreement, require_sound
from tests.engine.scenery import protected_by
from tests.thinned import thinned

ACTIVE, CLOSE_ONLY, HALTED = TradingState.ACTIVE, TradingState.CLOSE_ONLY, TradingState.HALTED
BOT = paths.bot("mom_AAPL")
# Bought at 100.35 in minute 11, with a stop at 99.84; it falls through that in minute 16.
FALL = market_of(bars_of([100.0] * 3 + rising(12) + [99.6] * 20))
# The same, and then it rises above its target of 1 %.
RISE = market_of(bars_of([100.0] * 3 + rising(12) + [100.5] * 3 + [101.8] * 20))
HELD_AT = OPEN_AT + 13 * MINUTE


def orders(life: Life) -> list[tuple[str, str, int]]:
    """Every order: its role, what became of it, and the number of the decision."""
    return [
        (each.intent.decision.role.value, each.state.status.value, each.intent.decision.signal)
        for each in life.ledger.orders()
    ]


def coverages(life: Life) -> list[int]:
    """The percent that was told at each change, once the account was known."""
    lines = life.journal.events("coverage_changed")
    return [int(line["pct"]) for line in lines if line["is_known"]]


def taken_over(life: Life) -> list[tuple[str, str]]:
    lines = life.journal.events("position_taken_over")
    return [(str(line["bot"]), str(line["reason"])) for line in lines]


def holding(world: World) -> Life:
    life = world.begin()
    life.run_to(HELD_AT)
    assert life.positions == {"mom_AAPL AAPL": 9}
    return life


def by_hand(world: World, quantity: int = 3, **how: Any) -> Life:
    """A position in the name of a bot that never says anything."""
    life = world.begin(with_bots=False, with_exit_bot=True, **how)
    life.run_to(max(ENTRY_AT, world.now))
    name = life.enter(quantity)
    life.run_for(MINUTE)
    assert life.status_of(name) == "filled"
    return life


def quarantine(life: Life, ref: Any = BOT) -> None:
    for _ in range(6):
        life.crash(ref)
        life.advance(SECOND)


def switched_off(world: World) -> Settings:
    """What holds the shares, and it alone, does not run any more."""
    bots = tuple(
        bot.model_copy(update={"enabled": bot.bot_id != "mom_AAPL"})
        for bot in world.settings.momentum_bots
        if bot.ticker == "AAPL"
    )
    return world.settings.model_copy(update={"momentum_bots": bots})


# Coverage


@pytest.mark.parametrize("data", [FALL, RISE], ids=["falls", "rises"])
def test_in_a_normal_run_all_that_is_held_is_covered_at_every_check_i30(data: MarketData) -> None:
    world = World(data)
    life = world.begin()

    life.run_out()

    assert len(life.ledger.orders()) > 1
    assert coverages(life) == [100]
    assert (taken_over(life), life.denials) == ([], [])
    require_sound(world)


def test_what_status_shows_is_what_the_exit_bot_told_last_i30() -> None:
    life = holding(World(FALL))

    view = life.view(paths.RISK_GUARDIAN)

    assert (view["coverage_pct"], view["coverage_known"], view["mismatches"]) == ("100", True, [])


def test_a_position_that_nothing_protects_stops_entries_after_the_time_it_may_take_i30() -> None:
    world = World(quiet())
    life = by_hand(world)
    life.run_for(5 * SECOND)
    early = life.enter(1, bot="mom_AAPL_cross")
    life.run_closely(6 * SECOND)
    life.enter(1, bot="mom_AAPL_cross")

    assert life.status_of(early) == "accepted"
    assert life.denials == ["positions_are_protected"]
    assert coverages(life) == [100, 0]
    require_sound(world)


def test_a_guard_of_its_bot_or_a_stop_at_the_venue_lets_entries_pass_again_i30() -> None:
    world = World(quiet())
    life = by_hand(world)
    life.run_closely(11 * SECOND)
    life.enter(1, bot="mom_AAPL_cross")
    stop = life.intend(role=Role.PROTECT, side=Side.SELL, quantity=3, stop="99")
    life.run_closely(2 * SECOND)

    life.enter(1, bot="mom_AAPL_cross", limit="99.5")

    assert life.denials == ["positions_are_protected", "no_order_opposes"]
    assert life.status_of(stop) == "accepted"
    assert coverages(life) == [100, 0, 100]


def test_a_stop_that_the_venue_has_lost_protects_nothing_i30() -> None:
    world = World(quiet())
    life = by_hand(world)
    life.intend(role=Role.PROTECT, side=Side.SELL, quantity=3, stop="99")
    life.run_closely(2 * SECOND)
    (stop,) = world.exchange.engine.open_orders
    world.exchange.receive(Cancel(stop.order.client_order_id), life.now)

    life.run_closely(50 * SECOND)

    assert coverages(life)[-1] == 0
    require_sound(world)


def test_while_the_exit_bot_is_switched_off_nobody_enters_anything() -> None:
    world = World(FALL, settings=settings_with({"exitbot.enabled": False}))
    life = world.begin()

    life.run_out()

    assert life.ledger.orders() == ()
    assert set(life.denials) == {"positions_are_protected"}
    assert life.view(paths.RISK_GUARDIAN)["coverage_pct"] is None


def test_an_exit_bot_that_is_quarantined_closes_for_entries_until_a_person_looks_i69() -> None:
    world = World(FALL)
    life = holding(world)

    quarantine(life, paths.EXIT_BOT)
    life.resume("bot_down:exit_bot")
    life.run_to(OPEN_AT + 20 * MINUTE)

    assert life.causes == {"bot_down:exit_bot": CLOSE_ONLY}
    assert life.positions == {}, "its own bot closes it all the same"
    require_sound(world)


def test_an_exit_bot_that_dies_knows_after_its_restart_and_takes_over_nothing_i30_i38() -> None:
    world = World(FALL)
    life = holding(world)

    life.crash(paths.EXIT_BOT)
    life.run_to(OPEN_AT + 15 * MINUTE + 30 * SECOND)

    assert life.runtime.cells[paths.EXIT_BOT.path].incarnation == 2
    assert life.view(paths.EXIT_BOT)["coverage_pct"] == "100"
    assert (taken_over(life), life.positions) == ([], {"mom_AAPL AAPL": 9})
    require_sound(world)


def test_an_exit_bot_that_dies_asks_who_is_quarantined_and_looks_after_them_i30_i69() -> None:
    world = World(RISE)
    life = holding(world)
    quarantine(life)

    life.crash(paths.EXIT_BOT)
    life.advance(5 * SECOND)  # no bar, by which it could find that the bot is silent

    taken = life.view(paths.EXIT_BOT)["taken_over"]
    assert taken == {"mom_AAPL AAPL": "its bot is quarantined"}
    assert life.view(paths.RISK_GUARDIAN)["taken_over"] == taken
    assert life.view(paths.EXIT_BOT)["coverage_pct"] == "100"


def test_an_exit_bot_that_dies_leaves_alone_what_a_person_started_again_i69() -> None:
    world = World(RISE)
    life = holding(world)
    quarantine(life)
    assert isinstance(life.ask(paths.BOTS, StartChild(name="mom_AAPL")), Children)
    life.advance(SECOND)

    life.crash(paths.EXIT_BOT)
    life.advance(5 * SECOND)

    assert life.view(paths.EXIT_BOT)["taken_over"] == {}


# Exits


def test_a_quarantined_bots_position_is_closed_by_the_bots_own_rules_i30_i69() -> None:
    world = World(RISE)
    life = holding(world)

    quarantine(life)
    life.run_to(OPEN_AT + 25 * MINUTE)

    assert life.causes == {"unmanaged:mom_AAPL": CLOSE_ONLY}
    assert taken_over(life) == [("mom_AAPL", "its bot is quarantined")]
    assert (life.positions, world.positions) == ({}, {})
    assert orders(life) == [
        ("entry", "filled", 1),
        ("protect", "canceled", 2),
        ("exit", "filled", -1),
    ]
    (exit_order,) = [each for each in life.ledger.orders() if each.intent.decision.signal < 0]
    assert exit_order.intent.reason == "exit bot: take_profit"
    assert life.resume().noted == ("unmanaged:mom_AAPL",)
    require_sound(world)
    require_agreement(world)


def trailing(**where: Any) -> World:
    """It rises to 100.9 and falls to 100.6; then to 100.45, which is 0.4 % below the highest."""
    rise, lower, low = [100.9] * 2, [100.6] * 4, [100.45] * 6
    rose = market_of(bars_of([100.0] * 3 + rising(12) + rise + lower + low))
    bots = tuple(
        bot.model_copy(
            update={"exits": bot.exits.model_copy(update={"trailing_stop_pct": Decimal("0.4")})}
        )
        for bot in protected_by(ProtectiveOrder.ENGINE).momentum_bots
    )
    return World(rose, settings=settings_with({"momentum_bots": bots}), **where)


FALLEN_AT = OPEN_AT + 18 * MINUTE + 30 * SECOND


def require_closed_by_trailing_stop(world: World, life: Life) -> None:
    life.run_to(OPEN_AT + 20 * MINUTE)
    assert life.positions == {"mom_AAPL AAPL": 9}
    life.run_to(OPEN_AT + 25 * MINUTE)
    assert (life.positions, world.positions) == ({}, {})
    (exit_order,) = [each for each in life.ledger.orders() if each.intent.decision.signal < 0]
    assert exit_order.intent.reason == "exit bot: stop of its bot"
    require_sound(world)


@pytest.mark.parametrize("crashes", [0, 1], ids=["", "the exit bot begins anew"])
def test_a_quarantined_bots_trailing_stop_goes_on_where_it_was_i30_i69(crashes: int) -> None:
    world = trailing()
    life = holding(world)
    life.run_to(FALLEN_AT)

    quarantine(life)
    for _ in range(crashes):
        life.crash(paths.EXIT_BOT)

    require_closed_by_trailing_stop(world, life)


def test_what_a_trailing_stop_rose_by_since_it_was_taken_over_is_not_forgotten_i30_i38() -> None:
    world = trailing()
    life = holding(world)
    quarantine(life)  # at 100.50, before the rise
    life.run_to(FALLEN_AT)

    life.crash(paths.EXIT_BOT)

    require_closed_by_trailing_stop(world, life)


def test_the_trailing_stop_of_a_bot_that_is_switched_off_goes_on_where_it_was_i30(
    tmp_path: Path,
) -> None:
    world = trailing(ledger_path=tmp_path / "ledger.db")
    life = holding(world)
    life.run_to(FALLEN_AT)
    life.die()

    life = world.begin(settings=switched_off(world))

    require_closed_by_trailing_stop(world, life)


def test_until_then_the_exit_bot_guards_what_it_has_taken_over_i30() -> None:
    world = World(RISE)
    life = by_hand(world)
    life.run_for(3 * MINUTE + 30 * SECOND)

    assert taken_over(life) == [("mom_AAPL", "its bot is silent")]
    assert (coverages(life), life.positions) == ([100, 0, 100], {"mom_AAPL AAPL": 3})
    assert life.causes == {}


def test_a_silent_bots_position_is_closed_by_the_bots_own_rules_i30() -> None:
    world = World(market_of(bars_of([100.0] * 12 + [99.0] * 10)))
    life = by_hand(world)

    life.run_to(OPEN_AT + 16 * MINUTE)

    assert taken_over(life) == [("mom_AAPL", "its bot is silent")]
    assert orders(life) == [("entry", "filled", 1_000), ("exit", "filled", -1)]
    assert world.positions == {}
    require_sound(world)
    require_agreement(world)


def test_a_bot_that_speaks_again_has_its_position_back_i30() -> None:
    world = World(market_of(bars_of([100.0] * 14 + [99.0] * 10)))
    life = by_hand(world)
    life.run_to(OPEN_AT + 12 * MINUTE)
    for minute in range(13, 20):
        life.run_to(OPEN_AT + minute * MINUTE)
        guard = Guard(
            name="exits",
            bot="mom_AAPL",
            symbol="AAPL",
            quantity=life.ledger.inventories()[0].inventory.position,
            since=ENTRY_AT,
            until=CLOSE_AT,
            looked_at=life.now,
            price_at=life.now,
        )
        life.tell(paths.EXIT_BOT, GuardReported(guard=guard))

    assert len(taken_over(life)) == 1
    assert life.positions == {"mom_AAPL AAPL": 3}, "it is its bot that looks, and it does not sell"


def test_a_position_of_a_bot_that_is_gone_from_the_configuration_is_closed_at_once_i30(
    tmp_path: Path,
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = by_hand(world)
    life.die()
    gone = world.settings.model_copy(
        update={
            "momentum_bots": tuple(
                bot for bot in world.settings.momentum_bots if bot.bot_id != "mom_AAPL"
            )
        }
    )

    life = world.begin(settings=gone)
    life.run_for(2 * MINUTE)

    assert taken_over(life) == [("mom_AAPL", "its bot does not run")]
    assert orders(life) == [("entry", "filled", 1_000), ("exit", "filled", -1)]
    assert world.positions == {}
    require_sound(world)
    require_agreement(world)


def test_a_position_of_a_bot_that_is_switched_off_is_closed_by_its_rules_i30(
    tmp_path: Path,
) -> None:
    data = market_of(bars_of([100.0] * 12 + [99.0] * 10))
    world = World(data, ledger_path=tmp_path / "ledger.db")
    by_hand(world).die()

    life = world.begin(settings=switched_off(world))
    life.run_to(OPEN_AT + 11 * MINUTE)
    before = life.positions
    life.run_to(OPEN_AT + 15 * MINUTE)

    assert (before, life.positions) == ({"mom_AAPL AAPL": 3}, {})
    (_, closing) = life.ledger.orders()
    assert closing.intent.reason == "exit bot: stop_loss"
    require_sound(world)


def test_the_summary_after_a_restart_counts_what_was_held_before_it_as_closed_i38(
    tmp_path: Path,
) -> None:
    world = World(market_of(bars_of([100.0] * 12 + [99.0] * 10)), ledger_path=tmp_path / "l.db")
    by_hand(world).die()

    life = world.begin(with_bots=False, with_exit_bot=True)
    life.run_to(OPEN_AT + 20 * MINUTE)
    summary = life.ask(paths.REPORTER, Summarize())

    assert isinstance(summary, SessionSummary)
    assert summary.held == ()
    assert [(each.bot, each.quantity, each.realised) for each in summary.trades] == [
        ("mom_AAPL", Decimal(3), Decimal(-3))
    ]


def test_an_exit_bot_that_dies_while_it_closes_closes_once_i17_i30() -> None:
    world = World(market_of(bars_of([100.0] * 12 + [99.0] * 10)))
    life = by_hand(world)
    life.run_to(OPEN_AT + 13 * MINUTE + SECOND)
    wanted = len(life.ledger.orders())

    life.crash(paths.EXIT_BOT)
    life.run_to(OPEN_AT + 20 * MINUTE)

    assert wanted == 2
    assert (world.positions, len(world.submitted)) == ({}, 2)
    require_sound(world)
    require_agreement(world)


def test_out_of_session_it_waits_for_the_opening_and_says_so_i30() -> None:
    close_at = OPEN_AT + 8 * MINUTE
    data = two_days([100.0] * 8, [99.0] * 8, close_at=close_at)
    world = World(data, settings=settings_with({"guards.equity.max_nav_jump_pct": Decimal(50)}))
    life = by_hand(world)
    quarantine(life)
    life.run_to(OPEN_AT + 40 * MINUTE)  # it has been held for too long by now
    closed = (len(life.ledger.orders()), [e["reason"] for e in life.journal.events("exit_waits")])

    life.run_to(NEXT_OPEN_AT + 3 * MINUTE)

    assert closed == (1, ["its market is closed; it is closed at the next opening"])
    assert world.positions == {}
    require_sound(world)


def test_while_trading_is_halted_it_waits_and_closes_afterwards_i30() -> None:
    world = World(market_of(bars_of([100.0] * 9 + [99.0] * 20)))
    life = by_hand(world)
    life.halt(OPERATOR_HALT.cause(since=life.now, detail="looks wrong"))
    life.run_to(OPEN_AT + 14 * MINUTE)
    waits = life.view(paths.EXIT_BOT)["waits"]
    held = life.positions

    life.resume()
    life.run_for(3 * MINUTE)

    assert waits == {"mom_AAPL AAPL": "trading is halted, so no order passes"}
    assert held == {"mom_AAPL AAPL": 3}
    assert (life.positions, life.denials) == ({}, [])
    require_sound(world)


def test_while_an_operator_flattens_it_stands_back_i30() -> None:
    world = World(quiet())
    life = by_hand(world)
    quarantine(life)

    life.flatten()
    life.run_closely(3 * MINUTE)

    assert [role for role, _, _ in orders(life)] == ["entry", "flatten"]
    assert life.positions == {}
    require_sound(world)


def test_what_a_failed_flatten_left_it_closes_i30() -> None:
    falls = market_of(bars_of([100.0] * 10 + [99.0] * 40))
    world = World(falls, plan_of(struck(RejectLater(), leg="-f", times=None)))
    life = by_hand(world)
    quarantine(life)

    life.flatten()
    while life.flatten_report.phase != "failed":
        life.run_closely(10 * SECOND)
        assert [role for role, _, _ in orders(life) if role == "exit"] == []
    life.run_closely(3 * MINUTE)

    assert life.causes["flatten"] is CLOSE_ONLY
    assert orders(life)[-1] == ("exit", "filled", -1)
    assert world.positions == life.positions == {}
    require_sound(world)


def test_what_is_not_protected_within_the_time_of_a_repair_is_latched_until_it_is_i30() -> None:
    # Nothing is traded any more, and no bar comes: nobody can close it.
    world = World(market_of(bars_of([100.0] * 8)))
    life = by_hand(world)
    life.run_closely(11 * MINUTE)

    assert life.causes["unprotected:AAPL"] is CLOSE_ONLY
    assert "unprotected:AAPL" in life.ask_to_resume("unprotected:AAPL").refused[0]


def test_while_nobody_says_what_is_protected_that_it_was_not_cannot_be_resumed_i04_i30() -> None:
    world = World(market_of(bars_of([100.0] * 8)))
    life = by_hand(world)
    life.run_closely(11 * MINUTE)
    quarantine(life, paths.EXIT_BOT)

    life.crash(paths.RISK_GUARDIAN)
    life.advance(10 * SECOND)

    (refused,) = life.ask_to_resume("unprotected:AAPL").refused
    assert refused.startswith("unprotected:AAPL: it is still so")


@pytest.mark.parametrize("seed", thinned(range(20), 20))
def test_whatever_the_delays_and_the_order_nothing_is_taken_over_from_a_living_bot_i30(
    seed: int,
) -> None:
    # The session ends with its bars: every tick of every timer is run.
    played = play(market_of(RISE.bars, close_at=RISE.bars[-1].end_at), explore=seed)

    assert played.summary.trades
    assert played.journal.events("position_taken_over") == []
    denied = [str(each["check"]) for each in played.journal.events("order_denied")]
    assert "positions_are_protected" not in denied
    known = [each for each in played.journal.events("coverage_changed") if each["is_known"]]
    assert {int(each["pct"]) for each in known} == {100}


def test_a_bot_that_was_started_again_behind_its_quarantine_has_what_it_buys_i30() -> None:
    world = World(FALL)
    life = world.begin()
    life.run_to(OPEN_AT + 5 * MINUTE)
    quarantine(life)
    assert isinstance(life.ask(paths.BOTS, StartChild(name="mom_AAPL")), Children)

    life.run_to(HELD_AT)

    assert (taken_over(life), life.positions) == ([], {"mom_AAPL AAPL": 9})
