"""A process of a proved day: what fails in it, and what a person does about it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from hydra.actor import SECOND, Ref
from hydra.ops.embedded import LEAD
from hydra.proving import scene
from hydra.proving.day import STREAMS
from hydra.proving.engine_life import EngineLife, Place
from hydra.proving.machine import Machine
from hydra.proving.option_feed import OptionFeed
from hydra.proving.option_market import OptionMarket
from hydra.proving.plan import GIVEN_UP_AFTER, MAY_FAIL, OPTIONS_BOT, TRADING_BOTS
from hydra.store.engine_files import EngineFiles
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.market_data import MarketData
from supervisors import paths


def living_in(tmp_path: Path, data: MarketData, options: OptionMarket | None) -> EngineLife:
    files = EngineFiles.under(tmp_path, tmp_path / "logs", "ledger.db", "journal.jsonl")
    feed = None if options is None else partial(OptionFeed, options, STREAMS)
    settings = scene.settings_in(tmp_path, None)
    place = Place(settings, files, data, SimulatedExchange(), feed)
    return EngineLife(place, data.begins_at - LEAD, schedule=None)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[None]:
    files = EngineFiles.under(tmp_path, tmp_path / "logs", "ledger.db", "journal.jsonl")
    with Machine.of(files):
        yield


@pytest.fixture
def life(machine: None, tmp_path: Path) -> Iterator[EngineLife]:
    life = living_in(tmp_path, scene.market_of(seed=1, minutes=30), None)
    yield life
    life.kill()


@pytest.fixture
def life_with_options(machine: None, tmp_path: Path) -> Iterator[EngineLife]:
    life = living_in(tmp_path, *scene.option_market_of(seed=1, minutes=30))
    yield life
    life.kill()


def actors_of(life: EngineLife) -> set[str]:
    cells = life.runtime.cells.values()
    return {cell.path for cell in cells if not cell.spec.actor.supervises}


def test_everybody_may_fail_whom_a_day_runs(life: EngineLife) -> None:
    assert {ref.path for ref in MAY_FAIL} == actors_of(life)


def test_where_there_are_options_their_bot_may_fail_too(life_with_options: EngineLife) -> None:
    may_fail = {ref.path for ref in (*MAY_FAIL, paths.bot(OPTIONS_BOT))}

    assert may_fail == actors_of(life_with_options)


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
