"""Of a coin a little may be left that no order can be for: it is named, and holds nothing back."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE
from hydra.trading.causes import DAILY_LOSS
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.terms import VenueTerms
from messages.lifecycle import ChildQuarantined
from messages.positions import PositionsReported, ReportPositions
from supervisors import paths
from tests.engine.harness import Life, World, bars_of, begun, market_of
from tests.engine.judge import require_agreement, require_sound
from tests.engine.scenery import settings_with

BTC = "BTC/USD"
BOT = "crypto_core"
PRICE = "100"
KEPT = Decimal("1.995")
"""Of two coins, after the fee."""
DUST = Decimal("0.05")
"""Five dollars' worth: an order has to be worth ten."""


def world(**changes: Any) -> World:
    bars = [*bars_of([100.0] * 40), *bars_of([100.0] * 40, symbol=BTC)]
    data = market_of(tuple(sorted(bars, key=lambda bar: (bar.end_at, bar.symbol))))
    return World(data, terms=VenueTerms(), **changes)


def left_over(world: World) -> Life:
    """Two coins were bought, and all but the dust is sold."""
    life = begun(world)
    life.enter(bot=BOT, symbol=BTC, quantity=2, reference=PRICE)
    life.run_for(2 * MINUTE)
    life.exit(bot=BOT, symbol=BTC, quantity=KEPT - DUST, reference=PRICE)
    life.run_for(2 * MINUTE)
    assert life.positions == {f"{BOT} {BTC}": DUST}
    return life


@pytest.fixture
def life() -> Life:
    return left_over(world())


def test_what_cannot_be_sold_is_named_and_still_ours_i61(life: Life) -> None:
    told = life.ask(paths.RISK_GUARDIAN, ReportPositions())

    assert isinstance(told, PositionsReported)
    assert (told.positions, told.dust) == (((BOT, BTC, DUST),), ((BOT, BTC, DUST),))
    assert not told.is_anything_to_sell
    assert life.view(paths.RISK_GUARDIAN)["dust"] == {f"{BOT} {BTC}": "0.050000000"}


def test_a_lost_day_is_closed_with_dust_alone_as_with_nothing(life: Life) -> None:
    lost = DAILY_LOSS.cause(since=life.now, detail="a test")

    life.halt(lost)
    life.run_for(MINUTE)

    assert life.causes["daily_loss"] is TradingState.HALTED


def test_a_bot_that_is_quarantined_with_dust_alone_is_nobodys_worry_i69(life: Life) -> None:
    path = paths.bot(BOT).path

    life.tell(paths.RISK_GUARDIAN, ChildQuarantined(path=path, reason="a test"))

    assert life.causes == {}


def test_a_flatten_ends_flat_beside_dust_i01(life: Life) -> None:
    life.flatten()
    life.run_closely(MINUTE)

    assert (life.flatten_report.phase, life.flatten_report.positions) == ("flat", ())
    assert life.world.positions == {BTC: DUST}
    require_sound(life.world)
    require_agreement(life.world)


def test_round_trips_that_leave_dust_count_also_after_a_restart_i38_i39(tmp_path: Path) -> None:
    settings = settings_with({"guards.pace.max_round_trips_per_bot_per_day": 3})
    there = world(settings=settings, ledger_path=tmp_path / "ledger.db")
    life = left_over(there)
    stood = [life.causes]
    for _ in range(2):
        life.die()
        life = begun(there)
        life.run_for(MINUTE)
        life.enter(bot=BOT, symbol=BTC, quantity=2, reference=PRICE)
        life.run_for(2 * MINUTE)
        life.exit(bot=BOT, symbol=BTC, quantity=KEPT, reference=PRICE)
        life.run_for(2 * MINUTE)
        assert life.positions == {f"{BOT} {BTC}": DUST}
        stood.append(life.causes)
    life.enter(bot=BOT, symbol=BTC, quantity=2, reference=PRICE)

    assert stood == [{}, {}, {f"throttle:{BOT}": TradingState.CLOSE_ONLY}]
    assert life.denials == ["trading_is_open"]
    require_sound(there)
    require_agreement(there)


def test_as_soon_as_it_is_worth_an_order_it_is_a_position_again_i30() -> None:
    bars = [*bars_of([100.0] * 60), *bars_of([100.0] * 12 + [250.0] * 48, symbol=BTC)]
    data = market_of(tuple(sorted(bars, key=lambda bar: (bar.end_at, bar.symbol))))
    life = left_over(World(data, terms=VenueTerms()))
    before = life.ask(paths.RISK_GUARDIAN, ReportPositions())

    life.run_for(10 * MINUTE)

    assert isinstance(before, PositionsReported)
    assert not before.is_anything_to_sell
    told = life.ask(paths.RISK_GUARDIAN, ReportPositions())
    assert isinstance(told, PositionsReported)
    assert (told.dust, told.is_anything_to_sell) == ((), True)
