"""A process of a proved day: what fails in it, and what a person does about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.actor import SECOND, Ref
from hydra.ops.embedded import LEAD
from hydra.proving import scene
from hydra.proving.engine_life import EngineLife, Place
from hydra.proving.machine import Machine
from hydra.proving.plan import GIVEN_UP_AFTER, MAY_FAIL, TRADING_BOTS
from hydra.store.engine_files import EngineFiles
from hydra.venues.simulated.exchange import SimulatedExchange
from supervisors import paths


@pytest.fixture
def life(tmp_path: Path) -> Iterator[EngineLife]:
    files = EngineFiles.under(tmp_path, tmp_path / "logs", "ledger.db", "journal.jsonl")
    data = scene.market_of(seed=1, minutes=30)
    with Machine.of(files):
        place = Place(scene.settings_in(tmp_path), files, data, SimulatedExchange())
        life = EngineLife(place, data.begins_at - LEAD, schedule=None)
        yield life
        life.kill()


def test_everybody_may_fail_whom_a_day_runs(life: EngineLife) -> None:
    living = {cell.path for cell in life.runtime.cells.values() if not cell.spec.actor.supervises}

    assert {ref.path for ref in MAY_FAIL} == living


@pytest.mark.parametrize("bot", TRADING_BOTS)
def test_a_person_starts_again_what_its_supervisor_gave_up(bot: str, life: EngineLife) -> None:
    for _ in range(GIVEN_UP_AFTER):
        life.fail_actor(Ref(paths.bot(bot).path))
        life.advance_to(life.now + 2 * SECOND)
    assert [cell.name for cell in life.given_up] == [bot]

    life.restart_what_is_down()
    life.advance_to(life.now + SECOND)

    assert life.given_up == ()
    assert life.runtime.cells[paths.bot(bot).path].shown_status == "running"
