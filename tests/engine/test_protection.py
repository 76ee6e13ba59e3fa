"""What guards an open position, and what goes on guarding it when things break.

The second line is the bot that holds the position: it leaves at its stop, and at the close of every
bar it decides anew. Here it is the only one: no stop rests at the venue (see
`test_resting_protection`). A halt or a death takes that guard away, so both stop entries, and an
order that already rests at the venue stays in force.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND, Ref
from hydra.settings.bot_parts import ProtectiveOrder
from hydra.trading.causes import OPERATOR_CLOSE_ONLY
from hydra.trading.orders import Role
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import FillPart, Ignore, Lose, RejectLater
from hydra.venues.simulated.requests import Cancel
from hydra.venues.simulated.terms import VenueTerms
from messages.lifecycle import Children, StartChild
from supervisors import paths
from tests.engine.harness import (
    OPEN_AT,
    Life,
    World,
    bars_of,
    begun,
    market_of,
    plan_of,
    quiet,
    rising,
    struck,
)
from tests.engine.judge import require_agreement, require_sound
from tests.engine.scenery import protected_by

GUARDED = protected_by(ProtectiveOrder.ENGINE)
BOT: Ref[Any] = Ref("/hydra/bots/mom_AAPL")
# Bought at 100.35 in minute 11, with a stop at 99.84; it falls through that in minute 16.
FALL = market_of(bars_of([100.0] * 3 + rising(12) + [99.6] * 20))
# The same, and then nothing happens.
HOLD = market_of(bars_of([100.0] * 3 + rising(12) + [100.5] * 15))
HELD_AT = OPEN_AT + 13 * MINUTE


def exits(life: Life) -> list[tuple[str, str]]:
    """Every exit: what became of it, and why it was wanted."""
    return [
        (each.state.status.value, each.intent.reason)
        for each in life.ledger.orders()
        if each.intent.decision.role is Role.EXIT
    ]


def holding(world: World) -> Life:
    life = world.begin()
    life.run_to(HELD_AT)
    assert life.positions == {"mom_AAPL AAPL": 9}
    return life


def test_the_bot_leaves_at_its_stop_also_while_only_closing_is_allowed_i09_i30() -> None:
    world = World(FALL, settings=GUARDED)
    life = holding(world)
    life.halt(OPERATOR_CLOSE_ONLY.cause(since=life.now, detail="careful"))

    life.run_to(OPEN_AT + 20 * MINUTE)

    assert (exits(life), life.positions) == ([("filled", "stop_loss")], {})
    require_sound(world)
    require_agreement(world)


def test_a_bot_that_is_restarted_while_it_holds_goes_on_guarding_it_i30_i69() -> None:
    world = World(FALL, settings=GUARDED)
    life = holding(world)

    life.crash(BOT)
    life.run_to(OPEN_AT + 20 * MINUTE)

    assert life.runtime.cells[BOT.path].incarnation == 2
    assert (exits(life), life.positions) == ([("filled", "stop_loss")], {})
    require_sound(world)
    require_agreement(world)


def test_a_process_that_is_restarted_goes_on_guarding_what_it_finds_i30(tmp_path: Path) -> None:
    world = World(FALL, ledger_path=tmp_path / "ledger.db", settings=GUARDED)
    holding(world).die()
    world.pass_by(HELD_AT + 30 * SECOND)

    life = world.begin()
    life.run_to(OPEN_AT + 20 * MINUTE)

    assert life.causes == {}
    assert (exits(life), life.positions) == ([("filled", "stop_loss")], {})
    require_sound(world)
    require_agreement(world)


def test_a_stop_that_was_passed_while_the_engine_was_down_is_left_at_once_i30(
    tmp_path: Path,
) -> None:
    world = World(FALL, ledger_path=tmp_path / "ledger.db", settings=GUARDED)
    holding(world).die()
    world.pass_by(OPEN_AT + 22 * MINUTE)

    life = world.begin()
    life.run_to(OPEN_AT + 24 * MINUTE)

    assert (exits(life), life.positions) == ([("filled", "stop_loss")], {})
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize(
    "fault",
    [
        struck(RejectLater(), leg="-x"),
        struck(Ignore(), what="submit", leg="-x"),
        struck(Lose(), what="OrderAccepted", leg="-x"),
        struck(Lose(), what="OrderFilled", leg="-x"),
        struck(FillPart(), leg="-x", times=2),
    ],
    ids=["rejected late", "never arrived", "not answered", "its fill is lost", "filled in parts"],
)
def test_an_exit_that_comes_to_nothing_is_decided_anew_and_none_is_made_twice_i17_i30(
    fault: Any,
) -> None:
    world = World(FALL, plan_of(fault), settings=GUARDED)
    life = holding(world)

    life.run_to(OPEN_AT + 22 * MINUTE)

    assert life.positions == world.positions == {}
    assert sum(fill.quantity for fill in life.ledger.fills() if fill.side.sign < 0) == 9
    assert life.causes == {}
    require_sound(world)
    require_agreement(world)


def test_an_entry_of_another_bot_that_stands_in_the_way_is_taken_out_for_an_exit_i30_i42() -> None:
    world = World(FALL, settings=GUARDED)
    life = holding(world)
    entry = life.enter(2, bot="mom_AAPL_cross", limit="97", reference="100.4")
    assert life.status_of(entry) == "accepted"

    life.run_to(OPEN_AT + 20 * MINUTE)

    assert life.status_of(entry) == "canceled"
    assert world.asked(Cancel) == [Cancel(entry)]
    assert life.denials == ["no_order_opposes"]
    assert (exits(life), life.positions) == ([("filled", "stop_loss")], {})
    require_sound(world)
    require_agreement(world)


def test_what_is_filled_of_an_entry_is_guarded_while_the_rest_of_it_works_i30() -> None:
    # Only three of the nine shares are to be had, and then none for eight minutes.
    volumes = [1000.0] * 11 + [3.0] + [0.0] * 8 + [1000.0] * 20
    bars = tuple(
        structs.replace(bar, volume=volume) for bar, volume in zip(FALL.bars, volumes, strict=False)
    )
    terms = VenueTerms(max_participation=Decimal(1))
    world = World(market_of(bars), terms=terms, settings=GUARDED)
    life = world.begin()
    life.run_to(OPEN_AT + 14 * MINUTE)
    held = life.positions

    life.run_to(OPEN_AT + 19 * MINUTE)
    wanted = exits(life)
    life.run_to(OPEN_AT + 23 * MINUTE)

    assert held == {"mom_AAPL AAPL": 3}
    assert wanted == [("accepted", "stop_loss")]
    assert (life.positions, world.positions) == ({}, {})
    assert [order.state.status.value for order in life.ledger.orders()] == ["canceled", "filled"]
    require_sound(world)
    require_agreement(world)


def test_a_position_whose_bot_is_gone_stops_all_entries_until_a_person_has_looked_i30_i69() -> None:
    world = World(FALL, settings=GUARDED)
    life = holding(world)
    for _ in range(6):
        life.crash(BOT)
        life.advance(SECOND)

    life.enter(1, bot="mom_AAPL_cross", reference="100.4")
    gone = life.ask_to_resume("unmanaged:mom_AAPL")

    assert life.causes == {"unmanaged:mom_AAPL": TradingState.CLOSE_ONLY}
    assert life.denials == ["trading_is_open"]
    assert (gone.noted, len(gone.refused)) == ((), 1)
    life.flatten()
    life.run_closely(3 * MINUTE)
    assert life.positions == {}
    assert life.resume().noted == ("unmanaged:mom_AAPL", "flatten")
    assert life.causes == {}
    require_sound(world)
    require_agreement(world)


def test_an_exit_that_an_entry_of_another_bot_kept_in_goes_as_soon_as_that_is_out_i30() -> None:
    world = World(FALL, settings=GUARDED)
    life = holding(world)
    entry = life.enter(1, bot="mom_AAPL_cross", limit="97.00", reference="100")

    life.run_to(OPEN_AT + 17 * MINUTE + 30 * SECOND)

    wished = [
        event["ts"]
        for event in life.journal.events("order_intended")
        if event["intent"].decision.role is Role.EXIT
    ]
    assert life.denials == ["no_order_opposes"]
    assert life.status_of(entry) == "canceled"
    assert [(at - OPEN_AT) // SECOND for at in wished] == [16 * 60, 16 * 60]
    assert (exits(life), life.positions) == ([("filled", "stop_loss")], {})
    require_sound(world)


def quarantined(world: World) -> Life:
    life = holding(world)
    for _ in range(6):
        life.crash(BOT)
        life.advance(SECOND)
    assert life.causes == {"unmanaged:mom_AAPL": TradingState.CLOSE_ONLY}
    return life


def test_a_bot_that_a_new_process_runs_again_looks_after_what_it_holds_i05_i30_i69(
    tmp_path: Path,
) -> None:
    world = World(HOLD, settings=GUARDED, ledger_path=tmp_path / "ledger.db")
    quarantined(world).die()

    life = world.begin()
    life.run_for(2 * MINUTE)
    before = life.causes
    noted = life.resume("unmanaged:mom_AAPL")

    assert before == {"unmanaged:mom_AAPL": TradingState.CLOSE_ONLY}
    assert noted.noted == ("unmanaged:mom_AAPL",)
    assert (life.causes, life.positions) == ({}, {"mom_AAPL AAPL": 9})


def test_a_bot_that_a_person_started_again_looks_after_what_it_holds_i05_i30_i69() -> None:
    life = quarantined(World(HOLD, settings=GUARDED))
    too_early = life.ask_to_resume("unmanaged:mom_AAPL")

    assert isinstance(life.ask(paths.BOTS, StartChild(name="mom_AAPL")), Children)
    life.run_for(2 * MINUTE)
    noted = life.resume("unmanaged:mom_AAPL")

    assert (too_early.noted, noted.noted) == ((), ("unmanaged:mom_AAPL",))
    assert (life.causes, life.positions) == ({}, {"mom_AAPL AAPL": 9})


def test_while_the_exit_bot_does_not_speak_nobody_knows_who_looks_after_it_i05_i69() -> None:
    life = quarantined(World(HOLD, settings=GUARDED))
    assert isinstance(life.ask(paths.BOTS, StartChild(name="mom_AAPL")), Children)
    life.run_for(2 * MINUTE)
    for _ in range(6):
        life.crash(paths.EXIT_BOT)
        life.advance(SECOND)

    noted = life.ask_to_resume("unmanaged:mom_AAPL")

    assert (noted.noted, len(noted.refused)) == ((), 1)


def test_that_a_bot_is_gone_is_not_forgotten_when_the_guardian_dies_too_i30_i68_i69() -> None:
    world = World(FALL, settings=GUARDED)
    life = holding(world)
    for _ in range(6):
        life.crash(BOT)
        life.advance(SECOND)
    life.crash(paths.RISK_GUARDIAN)
    life.advance(5 * SECOND)

    noted = life.resume()

    assert noted.noted == (f"failed:{paths.RISK_GUARDIAN.path}",)
    assert life.causes == {"unmanaged:mom_AAPL": TradingState.CLOSE_ONLY}
    assert life.positions == {"mom_AAPL AAPL": 9}
    require_sound(world)


@pytest.mark.parametrize("is_halted", [False, True], ids=["by a death", "by a halt and a death"])
def test_an_exit_that_rests_at_the_venue_stays_in_force_when_the_engine_is_gone_i11(
    tmp_path: Path, is_halted: bool
) -> None:
    data = market_of(bars_of([100.0] * 12 + [104.0] * 20))
    world = World(data, ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)
    resting = life.exit(3, limit="103")
    if is_halted:
        life.halt_by_operator()
    life.run_closely(5 * SECOND)
    life.die()
    world.pass_by(OPEN_AT + 15 * MINUTE)
    at_venue = dict(world.positions)

    life = world.begin(with_bots=False)

    assert at_venue == {}
    assert (life.status_of(resting), life.positions) == ("filled", {})
    assert world.asked(Cancel) == []
    assert set(life.causes) == ({"operator-halt"} if is_halted else set())
    require_sound(world)
    require_agreement(world)


def test_a_halt_leaves_several_resting_exits_of_several_bots_alone_i11() -> None:
    world = World(quiet())
    life = begun(world)
    life.enter(3)
    life.enter(2, bot="mom_AAPL_cross")
    life.run_for(2 * MINUTE)
    resting = [
        life.exit(2, limit="103"),
        life.exit(1, limit="104"),
        life.exit(2, bot="mom_AAPL_cross", limit="105"),
    ]

    life.halt_by_operator()
    life.run_closely(2 * MINUTE)

    working = [each.order.client_order_id for each in world.exchange.engine.open_orders]
    assert sorted(working) == sorted(resting)
    assert world.asked(Cancel) == []
    require_sound(world)
