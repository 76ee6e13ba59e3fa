"""What `why` tells of fees: the same sums as the record, and how each is known."""

from decimal import Decimal
from pathlib import Path

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.venues.simulated.terms import VenueTerms
from messages.reconciliation import ReconcileNow
from supervisors import paths
from tests.engine.harness import World, begun, settings_with
from tests.engine.test_fees import BOT, BOUGHT, BTC, HELD, KEPT, market
from tests.ops.why_worlds import Asking, explained, on_disk, page, world_ledger


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Asking, str, str]:
    """A coin bought, compared and sold again, with fees; not compared since."""
    folder: Path = tmp_path_factory.mktemp("fees")
    world = World(
        market(),
        ledger_path=world_ledger(folder),
        settings=settings_with({"guards.deadlines.reconcile_every_seconds": 3600}),
        terms=VenueTerms(crypto_fee_bps=Decimal(25)),
    )
    life = begun(world)
    entry = life.enter(bot=BOT, symbol=BTC, quantity=BOUGHT)
    life.run_for(2 * MINUTE)
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.advance(10 * SECOND)
    leave = life.exit(bot=BOT, symbol=BTC, quantity=HELD)
    life.run_for(2 * MINUTE)
    life.die()
    return on_disk(folder, life), entry, leave


def test_a_purchase_says_what_the_venue_kept_of_the_coin_and_what_is_left(
    traded: tuple[Asking, str, str],
) -> None:
    run, entry, _ = traded

    (execution,) = explained(run, entry)["order"]["executions"]

    assert (Decimal(execution["position_before"]), Decimal(execution["position_after"])) == (
        Decimal(0),
        HELD,
    )
    assert (Decimal(execution["fee"]), execution["fee_asset"]) == (KEPT, BTC)
    assert execution["fee_basis"] == "booked"
    assert Decimal(execution["realised"]) == -KEPT * 100


def test_a_sale_says_what_the_venue_kept_of_the_cash(traded: tuple[Asking, str, str]) -> None:
    run, entry, leave = traded
    taken = HELD * 100 * Decimal("0.0025")

    told = explained(run, leave)["order"]
    (execution,) = told["executions"]

    assert (Decimal(execution["position_before"]), Decimal(execution["position_after"])) == (
        HELD,
        Decimal(0),
    )
    assert (Decimal(execution["fee"]), execution["fee_basis"]) == (taken, "accrued")
    assert Decimal(execution["cash"]) == HELD * 100 - taken
    (bought,) = explained(run, entry)["order"]["executions"]
    realised = Decimal(bought["realised"]) + Decimal(execution["realised"])
    assert realised == Decimal(told["realised_now"])
    assert Decimal(bought["cash"]) + Decimal(execution["cash"]) == Decimal(told["cash_now"])


def test_the_page_tells_it_step_by_step_and_once(traded: tuple[Asking, str, str]) -> None:
    run, entry, _ = traded

    lines = page(run, entry)

    (accrued,) = [line for line in lines if "is taken to keep" in line]
    assert "0.008333334 of BTC/USD" in accrued
    assert "journal" in accrued and "ledger" in accrued
    (booked,) = [line for line in lines if "booked a fee" in line]
    assert "sim-f-" in booked
    assert any("of it the venue kept 0.008333334 BTC/USD (booked)" in line for line in lines)
