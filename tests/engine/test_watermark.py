"""From when on the venue is read: what was settled before is not read again, over restarts too."""

from decimal import Decimal
from pathlib import Path

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.trading.trading_state import TradingState
from hydra.trading.watermark import OVERLAP
from hydra.venues.simulated.faults import DriftCash, FailLook
from hydra.venues.simulated.requests import TakeSnapshot
from messages.reconciliation import WATERMARK
from supervisors import paths
from tests.engine.harness import OPEN_AT, Life, World, begun, plan_of, quiet, struck
from tests.engine.judge import require_agreement, require_sound

HALTED = TradingState.HALTED


def sinces(world: World) -> list[int]:
    """From when on each reading of the account began."""
    return [request.since for request in world.asked(TakeSnapshot)]


def on_record(life: Life) -> int:
    return int(life.ledger.get(WATERMARK) or 0)


def test_the_first_start_reads_everything_and_the_next_one_from_the_watermark_on_i62(
    tmp_path: Path,
) -> None:
    world = World(quiet(minutes=90), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.enter(3)
    life.run_to(OPEN_AT + 80 * MINUTE)
    settled, readings = on_record(life), len(sinces(world))
    life.die()

    life = begun(world)

    assert sinces(world)[0] == 0
    assert OPEN_AT + 50 * MINUTE < settled <= OPEN_AT + 80 * MINUTE
    assert sinces(world)[readings] == settled - OVERLAP
    assert life.causes == {}
    require_sound(world)
    require_agreement(world)


def test_an_order_that_ended_while_the_engine_was_down_is_found_however_old_it_is_i62(
    tmp_path: Path,
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    name = life.enter(3, limit="97")
    sent_at = life.now
    life.run_to(OPEN_AT + 24 * MINUTE)
    readings = len(sinces(world))
    life.die()
    world.exchange.engine.cancel(name, world.now)

    life = begun(world)

    assert sinces(world)[readings] <= sent_at - OVERLAP
    assert (life.status_of(name), life.causes) == ("canceled", {})
    require_agreement(world)


def test_reading_moves_on_when_the_oldest_order_is_over_i62() -> None:
    world = World(quiet())
    life = begun(world)
    life.enter(3, limit="97")
    sent_at = life.now
    life.run_for(12 * MINUTE)
    while_it_works = sinces(world)[-1]
    life.exit(1)  # denied: nothing is held
    life.halt_by_operator()  # takes it out
    life.run_for(2 * MINUTE)

    assert while_it_works == sent_at - OVERLAP
    assert sinces(world)[-1] > sent_at - OVERLAP
    require_agreement(world)


@pytest.mark.parametrize("is_readable", [True, False])
def test_what_is_not_clean_does_not_move_it_i60_i62(is_readable: bool) -> None:
    wrong = struck(DriftCash(amount=Decimal(1)), from_event=8)
    unreadable = struck(FailLook(), what="snapshot", times=None, from_event=8)
    world = World(quiet(), plan_of(wrong if is_readable else unreadable))
    life = begun(world)
    life.run_for(MINUTE)
    before = on_record(life)

    life.run_for(15 * MINUTE)

    assert life.state is HALTED
    assert on_record(life) == before > 0
    assert sinces(world)[-1] <= OPEN_AT + 9 * MINUTE - OVERLAP


@pytest.mark.parametrize("text", ["nonsense", "-5", str(OPEN_AT + 10**6 * MINUTE)])
def test_a_watermark_that_cannot_be_one_has_everything_read_and_is_told_i62(
    tmp_path: Path, text: str
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.ledger.put(WATERMARK, text, life.now)
    life.ledger.commit()
    readings = len(sinces(world))
    life.die()

    life = begun(world)

    assert sinces(world)[readings] == 0
    assert [line["found"] for line in life.journal.events("watermark_refused")] == [text]
    assert life.causes == {}
    assert OPEN_AT - 2 * MINUTE < on_record(life) <= life.now  # written anew


def test_a_gateway_that_starts_anew_goes_on_from_what_is_on_record_i62() -> None:
    world = World(quiet())
    life = begun(world)
    life.run_for(12 * MINUTE)
    settled, readings = on_record(life), len(sinces(world))

    life.crash(paths.BROKER_GATEWAY)
    life.advance(5 * SECOND)

    assert sinces(world)[readings] == settled - OVERLAP
