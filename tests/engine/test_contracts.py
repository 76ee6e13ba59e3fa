"""A contract is a hundred shares wherever the engine counts USD: guards, record, venue, `why`."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.actor import MINUTE, SECOND
from hydra.settings import Settings
from hydra.trading.sub_ledgers import UNATTRIBUTED, SubLedger
from hydra.venues.simulated.faults import DriftPosition
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.terms import VenueTerms
from messages.reconciliation import DifferenceSettled, ReconcileNow
from supervisors import paths
from tests.engine.harness import (
    OPEN_AT,
    Life,
    World,
    bars_of,
    begun,
    market_of,
    plan_of,
    settings_with,
    struck,
)
from tests.engine.judge import require_agreement, require_sound
from tests.engine.test_settling import settle
from tests.ops.why_worlds import explained, on_disk, world_ledger

CALL = "HYDR160617C00100000"
BOT = "mom_calls"
LOSS = Decimal("226.32")
"""Half a dollar to the stop and half as far again, for 300 shares; fees to open and to close."""
PRICES = [2.0] * 12 + [2.5] * 48


def on_calls() -> Settings:
    """One bot, in whose name the test trades contracts."""
    settings = settings_with({"guards.deadlines.reconcile_every_seconds": 3600})
    bot = settings.momentum_bots[0].model_copy(update={"bot_id": BOT, "ticker": CALL})
    return settings.model_copy(update={"momentum_bots": (bot,)})


def market() -> MarketData:
    """Six dollars for three shares of it would be a mistake by a factor of a hundred."""
    return market_of(bars_of(PRICES, symbol=CALL))


def world_at(folder: Path, *faults: Any) -> World:
    plan = plan_of(*faults) if faults else None
    return World(
        market(),
        plan,
        ledger_path=world_ledger(folder),
        settings=on_calls(),
        terms=VenueTerms(crypto_fee_bps=Decimal(25)),  # so the engine counts with fees
    )


def buy(life: Life, quantity: int = 3) -> str:
    name = life.enter(
        quantity, bot=BOT, symbol=CALL, reference="2", protective_stop="1.50", limit="2.00"
    )
    life.run_for(2 * MINUTE)
    return name


def compare(life: Life) -> None:
    """A comparison that found a difference would halt."""
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.advance(10 * SECOND)
    assert life.causes == {}


def money_of(life: Life) -> dict[str, SubLedger]:
    return {each.bot: each for each in life.ledger.sub_ledgers()}


def figures_of(life: Life) -> dict[str, Decimal]:
    view = life.view(paths.RISK_GUARDIAN)
    return {name: Decimal(view[name]) for name in ("heat", "exposure", "equity")}


def numbers(told: dict[str, Any], check: str) -> dict[str, Any]:
    (found,) = [each for each in told["judged"]["checks"] if each["check"] == check]
    return {each["name"]: each["value"] for each in found["numbers"]}


def test_a_round_trip_is_the_same_money_at_the_venue_and_on_record_i29_i60(tmp_path: Path) -> None:
    world = world_at(tmp_path)
    life = begun(world)
    before = world.exchange.engine.account.cash

    buy(life)
    assert world.exchange.engine.account.cash == before - 600
    compare(life)
    life.run_to(OPEN_AT + 15 * MINUTE)
    life.exit(3, bot=BOT, symbol=CALL, reference="2.5")
    life.run_for(2 * MINUTE)
    compare(life)

    assert world.exchange.engine.account.cash == before + 150
    assert money_of(life) == {BOT: SubLedger(bot=BOT, cash=Decimal(150), realised=Decimal(150))}
    require_sound(world)
    require_agreement(world)


def test_the_guardian_values_them_in_usd_also_after_a_restart_i31_i38(tmp_path: Path) -> None:
    world = world_at(tmp_path)
    life = begun(world)
    buy(life)
    life.run_to(OPEN_AT + 10 * MINUTE)
    before = figures_of(life)
    # Half a dollar to the stop, one and a half times, for 300 shares; and fees for closing.
    assert (before["heat"], before["exposure"]) == (Decimal("225.66"), Decimal(600))
    life.die()

    again = world.begin(with_bots=False)
    again.run_to(OPEN_AT + 12 * MINUTE)

    assert figures_of(again) == before
    again.enter(1, bot=BOT, symbol=CALL, reference="2", protective_stop="1.50")
    (judged,) = [each for each in again.journal.records if "situation" in each]
    assert judged["situation"].rates.notional_today == 600
    require_agreement(world)


def test_an_order_beyond_a_limit_in_usd_is_denied_i31(tmp_path: Path) -> None:
    life = begun(world_at(tmp_path))

    buy(life, 200)  # 400 USD of shares, and 40,000 USD of contracts

    assert life.denials == ["order_value_is_within_limit"]


def test_why_tells_an_order_of_contracts_in_usd_i90(tmp_path: Path) -> None:
    life = begun(world_at(tmp_path))
    name = buy(life)
    life.die()

    told = explained(on_disk(tmp_path, life), name)

    assert Decimal(numbers(told, "order_value_is_within_limit")["order value"]) == 600
    exposure = numbers(told, "symbol_exposure_is_within_limit")
    assert Decimal(exposure["exposure in the symbol after it"]) == 600
    assert Decimal(numbers(told, "heat_is_within_limit")["open risk after it"]) == LOSS
    assert Decimal(numbers(told, "day_budget_covers_loss")["loss at its stop"]) == LOSS
    (execution,) = told["order"]["executions"]
    assert (Decimal(execution["price"]), Decimal(execution["cash"])) == (Decimal(2), Decimal(-600))


def test_contracts_that_an_operator_assigns_cost_nobody_cash_i29(tmp_path: Path) -> None:
    world = world_at(
        tmp_path, struck(DriftPosition(symbol=CALL, quantity=Decimal(2)), from_event=8)
    )
    life = begun(world)
    life.run_to(OPEN_AT + 10 * MINUTE + 5 * SECOND)
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.advance(30 * SECOND)
    assert life.causes.keys() == {"reconciliation"}

    settled = settle(life, decision="assign", bot=BOT, price=Decimal("1.80"))

    assert isinstance(settled, DifferenceSettled)
    assert {bot: each.cash for bot, each in money_of(life).items()} == {
        BOT: Decimal(-360),
        UNATTRIBUTED: Decimal(360),
    }
    life.resume()
    compare(life)
