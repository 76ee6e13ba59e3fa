"""A stop order rests at the venue for what a bot holds, whatever becomes of the engine."""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from actors.risk_guardian import RiskGuardian
from hydra.actor import MINUTE, SECOND, Context, Ref
from hydra.trading.causes import OPERATOR_CLOSE_ONLY
from hydra.trading.never_live import NEVER_LIVE_AFTER
from hydra.trading.orders import Order, OrderType, Role, Side, TimeInForce
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import FillPart, Hide, HoldCancel, Ignore, Lose, RejectLater
from hydra.venues.simulated.requests import Cancel
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import OrderIntent
from supervisors import paths
from tests.engine.harness import (
    CLOSE_AT,
    NEXT_OPEN_AT,
    OPEN_AT,
    Life,
    World,
    bars_of,
    market_of,
    plan_of,
    rising,
    struck,
    two_days,
)
from tests.engine.judge import require_agreement, require_never_oversold, require_sound
from tests.engine.test_hazards import told_as_queued
from tests.thinned import thinned

BOT: Ref[Any] = Ref("/hydra/bots/mom_AAPL")
# Bought at 100.35 in minute 11, with a stop at 99.84825; it falls through that in minute 16.
BEFORE = [100.0] * 3 + rising(12)
FALL = market_of(bars_of(BEFORE + [99.6] * 20))
FLAT = market_of(bars_of(BEFORE + [100.5] * 40))
HELD_AT = OPEN_AT + 13 * MINUTE
STOP = Decimal("99.85")
T_PROTECT = 10 * SECOND


def legs(world: World) -> list[str]:
    """The orders that came to the venue, by what they were for."""
    return [name[-1] for name in world.submitted]


def resting(world: World) -> list[Order]:
    return [each.order for each in world.exchange.engine.open_orders]


def holding(world: World) -> Life:
    life = world.begin()
    life.run_to(HELD_AT)
    assert life.positions == {"mom_AAPL AAPL": 9}
    return life


def ended(life: Life, world: World, trades: list[str]) -> None:
    """Flat, sold once, by these orders and no others, and everything agrees."""
    assert (life.positions, world.positions, resting(world)) == ({}, {}, [])
    assert legs(world) == trades
    assert sum(fill.quantity for fill in world.fills if fill.side is Side.SELL) == 9
    require_never_oversold(world)
    require_sound(world)
    require_agreement(world)


def test_a_position_is_under_a_stop_that_rests_at_the_venue_and_is_executed_there_i30() -> None:
    world = World(FALL)
    life = holding(world)
    (stop,) = resting(world)

    life.run_to(OPEN_AT + 20 * MINUTE)

    assert structs.replace(stop, client_order_id="") == Order(
        client_order_id="",
        symbol="AAPL",
        side=Side.SELL,
        quantity=Decimal(9),
        order_type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_price=STOP,
    )
    assert [(fill.price, fill.at) for fill in world.fills if fill.side is Side.SELL] == [
        (STOP, OPEN_AT + 16 * MINUTE)
    ]
    ended(life, world, ["e", "p"])


def test_one_that_an_entry_of_another_bot_kept_out_comes_as_soon_as_that_is_gone_i30() -> None:
    world = World(FLAT)
    life = world.begin()
    life.run_to(OPEN_AT + 5 * MINUTE)
    entry = life.enter(1, bot="mom_AAPL_cross", limit="97.00", reference="100")

    bought_at = OPEN_AT + 11 * MINUTE
    life.run_to(bought_at + T_PROTECT)

    assert life.denials == ["no_order_opposes"]
    assert life.status_of(entry) == "canceled"
    assert [(each.order_type, each.quantity) for each in resting(world)] == [
        (OrderType.STOP, Decimal(9))
    ]
    require_sound(world)


def test_it_gives_way_to_an_exit_i30() -> None:
    world = World(FLAT)
    life = holding(world)
    (stop,) = resting(world)

    life.run_to(OPEN_AT + 40 * MINUTE)  # 25 minutes are up

    assert world.asked(Cancel) == [Cancel(stop.client_order_id)]
    ended(life, world, ["e", "p", "x"])


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.CLOSE_ONLY])
def test_a_halt_leaves_it_resting_and_it_is_executed_i11(state: TradingState) -> None:
    world = World(FALL)
    life = holding(world)
    if state is TradingState.HALTED:
        life.halt_by_operator()
    else:
        life.halt(OPERATOR_CLOSE_ONLY.cause(since=life.now, detail="careful"))

    life.run_to(OPEN_AT + 20 * MINUTE)

    assert (life.state, world.asked(Cancel)) == (state, [])
    ended(life, world, ["e", "p"])


def test_a_flatten_out_of_hours_leaves_it_resting_and_takes_it_out_at_the_opening_i11_i43() -> None:
    world = World(two_days(BEFORE + [100.5] * 375, [100.5] * 20))
    life = holding(world)
    (stop,) = resting(world)
    life.halt_by_operator()  # so that its bot does not sell before the close
    life.enter(1, limit="90")
    life.run_to(CLOSE_AT + 5 * MINUTE)

    life.flatten()
    life.run_closely(10 * SECOND)
    waiting, still, canceled = life.flatten_report, resting(world), world.asked(Cancel)
    life.run_to(NEXT_OPEN_AT + 3 * MINUTE)

    assert waiting.phase == "waiting"
    assert waiting.detail == (
        "the exchange is closed, so that AAPL cannot be closed before it opens; what protects it"
        f" stays: {stop.client_order_id}; positions: 9 AAPL"
    )
    assert (still, canceled) == ([stop], [])
    assert world.asked(Cancel) == [Cancel(stop.client_order_id)]
    assert life.flatten_report.phase == "flat"
    ended(life, world, ["e", "p", "f"])


def test_while_halted_it_is_not_taken_out_for_an_exit_that_could_not_pass_i11() -> None:
    world = World(FLAT)
    life = holding(world)
    (stop,) = resting(world)
    life.halt_by_operator()

    life.run_to(OPEN_AT + 45 * MINUTE)  # its time is up long since

    assert resting(world) == [stop]
    assert life.journal.events("cancel_refused")[0]["state"] == "HALTED"
    life.resume()
    life.run_for(3 * MINUTE)
    ended(life, world, ["e", "p", "x"])


@pytest.mark.parametrize("is_halted", [True, False])
def test_while_halted_it_is_not_taken_out_for_having_waited_for_the_market_i11(
    is_halted: bool,
) -> None:
    """No other one could take its place; and it may come to the market yet."""
    world = World(FLAT)
    life = holding(world)
    (stop,) = resting(world)
    if is_halted:
        life.halt_by_operator()

    told_as_queued(life, at=life.now - NEVER_LIVE_AFTER - 1)
    life.run_for(SECOND)

    assert (resting(world) == [stop]) is is_halted
    assert world.asked(Cancel) == ([] if is_halted else [Cancel(stop.client_order_id)])


def test_a_flatten_takes_it_out_and_none_comes_beside_its_own_orders_i10_i11() -> None:
    world = World(FLAT)
    life = holding(world)

    life.flatten()
    life.run_closely(4 * MINUTE)

    assert life.flatten_report.phase == "flat"
    ended(life, world, ["e", "p", "f"])


def test_the_engine_dies_and_it_is_executed_meanwhile_i11_i30(tmp_path: Path) -> None:
    world = World(FALL, ledger_path=tmp_path / "ledger.db")
    holding(world).die()
    world.pass_by(OPEN_AT + 20 * MINUTE)
    at_venue = dict(world.positions)

    life = world.begin()
    life.run_for(MINUTE)

    assert at_venue == {}
    assert life.causes == {}
    ended(life, world, ["e", "p"])


def test_the_engine_dies_and_finds_it_resting_i16_i38(tmp_path: Path) -> None:
    world = World(FLAT, ledger_path=tmp_path / "ledger.db")
    holding(world).die()
    world.pass_by(OPEN_AT + 20 * MINUTE)
    (stop,) = resting(world)

    life = world.begin()
    life.run_to(OPEN_AT + 30 * MINUTE)
    still = resting(world)
    life.run_to(OPEN_AT + 40 * MINUTE)

    assert still == [stop]
    ended(life, world, ["e", "p", "x"])


def test_a_bot_that_dies_without_its_stop_places_it_before_the_next_bar_i30_i69() -> None:
    world = World(FLAT, plan_of(struck(RejectLater(), leg="-p")))
    life = world.begin()
    life.run_to(OPEN_AT + 12 * MINUTE + SECOND)
    lost = life.positions, resting(world), legs(world)

    life.crash(BOT)
    life.run_closely(T_PROTECT)

    assert lost == ({"mom_AAPL AAPL": 9}, [], ["e", "p"])
    (stop,) = resting(world)
    assert (stop.quantity, stop.stop_price, legs(world)) == (Decimal(9), STOP, ["e", "p", "p"])
    require_never_oversold(world)
    require_sound(world)
    require_agreement(world)


def test_killed_between_a_fill_and_its_stop_nothing_is_entered_until_the_next_bar_places_it_i30(
    tmp_path: Path,
) -> None:
    # The fill is told to nobody: whether it was on its way or not read makes no difference.
    lost = struck(Lose(), what="OrderFilled", leg="-e")
    world = World(FALL, plan_of(lost), ledger_path=tmp_path / "ledger.db")
    life = world.begin()
    life.run_to(OPEN_AT + 11 * MINUTE + SECOND)
    held = world.positions, life.positions, resting(world)
    life.die()

    life = world.begin()
    life.run_closely(20 * SECOND)
    life.enter(1, bot="mom_AAPL_cross", reference="100.4")
    life.run_to(OPEN_AT + 12 * MINUTE)

    assert held == ({"AAPL": 9}, {}, [])
    # Without a price nothing can be judged; where prices come at once, so does the stop.
    assert set(life.denials) == {"price_is_known", "positions_are_protected"}
    (stop,) = resting(world)
    assert (stop.side, stop.quantity, stop.stop_price) == (Side.SELL, Decimal(9), STOP)
    life.run_to(OPEN_AT + 20 * MINUTE)
    ended(life, world, ["e", "p"])


@pytest.mark.parametrize(
    ("fault", "trades"),
    [
        (struck(RejectLater(events=5), leg="-p"), ["e", "p", "x"]),
        (struck(RejectLater(events=1), leg="-p"), ["e", "p", "p"]),
        (struck(Ignore(), what="submit", leg="-p"), ["e", "p", "p"]),
        (struck(Lose(), what="OrderAccepted", leg="-p"), ["e", "p"]),
        (struck(Lose(), what="OrderFilled", leg="-p"), ["e", "p"]),
        (struck(FillPart(), leg="-p", times=2), ["e", "p"]),
    ],
    ids=["rejected", "rejected at once", "never came", "not answered", "fill lost", "in parts"],
)
def test_one_that_comes_to_nothing_leaves_the_engine_to_guard_or_is_placed_anew_i17_i30(
    fault: Any, trades: list[str]
) -> None:
    world = World(FALL, plan_of(fault))
    life = holding(world)

    life.run_closely(15 * MINUTE)

    assert (life.positions, world.positions, resting(world)) == ({}, {}, [])
    assert legs(world)[: len(trades)] == trades
    assert sum(fill.quantity for fill in world.fills if fill.side is Side.SELL) == 9
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize(
    ("role", "trades"),
    [(Role.ENTRY, []), (Role.PROTECT, ["e", "p", "x"]), (Role.EXIT, ["e", "p", "x"])],
)
def test_what_the_guardian_was_judging_when_it_failed_its_bot_does_not_wait_for_i30_i68(
    role: Role, trades: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(FLAT)
    lost: list[OrderIntent] = []
    judge = RiskGuardian._judge

    def fails_once(guardian: RiskGuardian, intent: OrderIntent, ctx: Context) -> None:
        if intent.decision.role is role and not lost:
            lost.append(intent)
            raise RuntimeError("it does not know this")
        judge(guardian, intent, ctx)

    monkeypatch.setattr(RiskGuardian, "_judge", fails_once)
    life = world.begin()
    for minute in range(10, 46):
        life.run_to(OPEN_AT + minute * MINUTE)
        life.resume()

    assert (len(lost), life.view(BOT)["working"]) == (1, [])
    assert (legs(world), world.positions) == (trades, {})
    require_never_oversold(world)
    require_sound(world)


@pytest.mark.parametrize("is_restarted", [False, True], ids=["the same life", "the next one"])
def test_one_that_was_given_up_and_lives_gives_way_to_an_exit_too_i19_i30(
    is_restarted: bool, tmp_path: Path
) -> None:
    unheard = struck(Lose(), what="OrderAccepted", side=Side.SELL)
    unseen = struck(Hide(for_ns=100 * SECOND), side=Side.SELL)
    world = World(FLAT, plan_of(unheard, unseen), ledger_path=tmp_path / "ledger.db")
    life = holding(world)
    (stop,) = resting(world)
    while life.status_of(stop.client_order_id) != "absent":
        life.run_closely(SECOND)
    if is_restarted:
        life.die()
        life = world.begin()
    life.run_closely(2 * MINUTE)
    assert life.causes == {"absent_order_lives": TradingState.HALTED}

    life.resume()
    life.run_to(OPEN_AT + 45 * MINUTE)  # 25 minutes are up

    assert (life.positions, world.positions, resting(world)) == ({}, {}, [])
    assert sum(fill.quantity for fill in world.fills if fill.side is Side.SELL) == 9
    require_never_oversold(world)
    require_agreement(world)


def test_a_cancel_that_the_venue_holds_back_does_not_lead_to_two_sales_i25() -> None:
    world = World(FLAT, plan_of(struck(HoldCancel(), what="cancel")))
    life = holding(world)

    life.run_to(OPEN_AT + 60 * MINUTE)

    assert sum(fill.quantity for fill in world.fills if fill.side is Side.SELL) <= 9
    assert legs(world)[:2] == ["e", "p"]
    require_sound(world)


def test_what_is_filled_of_an_entry_gets_one_and_the_rest_is_taken_out_i30() -> None:
    volumes = [1000.0] * 11 + [3.0] + [0.0] * 30
    bars = tuple(
        structs.replace(bar, volume=volume) for bar, volume in zip(FLAT.bars, volumes, strict=False)
    )
    world = World(market_of(bars), terms=VenueTerms(max_participation=Decimal(1)))
    life = world.begin()

    life.run_to(OPEN_AT + 13 * MINUTE)

    assert life.positions == {"mom_AAPL AAPL": 3}
    assert [order.quantity for order in resting(world)] == [3]
    assert legs(world) == ["e", "p"]
    assert life.denials == []
    require_sound(world)


@pytest.mark.parametrize("seed", thinned(range(60), 60))
def test_parts_of_the_engine_die_at_random_and_nothing_is_sold_twice_i16_i30_i68(
    seed: int,
) -> None:
    dice = random.Random(f"resting|{seed}")
    world = World(dice.choice([FALL, FLAT]))
    life = world.begin(explore=seed)
    victims = (BOT, BOT, paths.RISK_GUARDIAN, paths.BROKER_GATEWAY, paths.STATE_PERSISTER)
    # Far enough from one another that the core is not given up.
    moments = [start + 0.9 + dice.random() for start in sorted(dice.sample(range(10, 44, 2), 3))]
    for minute in moments:
        life.run_to(OPEN_AT + int(minute * MINUTE) + dice.choice((0, 10**5, 10**7)))
        life.crash(dice.choice(victims))
        life.run_for(10 * SECOND)
        life.resume()
    life.run_to(OPEN_AT + 50 * MINUTE)

    require_never_oversold(world)
    require_sound(world)
    require_agreement(world)
    assert len(resting(world)) <= 1
    for order in resting(world):
        assert life.positions == {"mom_AAPL AAPL": order.quantity}
