"""Whole days of the engine under faults: nothing is done that never may be (K1)."""

import shutil
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from hydra.proving.day import lived
from hydra.proving.plan import CONTRACTS, HALF_DAY, DayPlan, day_of
from hydra.proving.telling import plan_from
from hydra.store.engine_files import EngineFiles
from hydra.testkit.judge.evidence import lives_in
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Side
from hydra.venues.simulated.misbehaviour import Misbehaviour
from tests.thinned import thinned

SEEDS = 10
SEEDS_OF_THE_SLOW_SUITE = 1_000
AT_ONCE = 10
KEPT = tuple(sorted((Path(__file__).parent / "kept").glob("*.json")))
"""Every plan of which a day ever failed, made small; each is named for what happens in it."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_in_a_day_under_faults_no_invariant_is_broken_i01_i09_i13_i16_i20_i31_i61(
    seed: int, tmp_path: Path
) -> None:
    assert lived(day_of(seed), tmp_path / "day").breaches == ()


def is_short(plan: DayPlan, explored: bool, options: bool) -> bool:
    is_explored = plan.schedule is not None
    is_wanted = (is_explored, plan.has_options) == (explored, options)
    return is_wanted and plan.minutes == HALF_DAY and len(plan.acts) > 20


@pytest.mark.parametrize("kept", thinned(KEPT, 2), ids=lambda kept: kept.stem)
def test_nor_in_a_day_that_once_failed(kept: Path, tmp_path: Path) -> None:
    assert lived(plan_from(kept.read_bytes()), tmp_path / "day").breaches == ()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(SEEDS, SEEDS_OF_THE_SLOW_SUITE, AT_ONCE))
def test_nor_in_many_more(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + AT_ONCE):
        assert lived(day_of(seed), tmp_path / str(seed)).breaches == (), seed


@pytest.mark.parametrize(
    ("explored", "options"),
    [
        (False, False),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in [(False, True), (True, False)]),
        pytest.param(True, True, marks=pytest.mark.slow),
    ],
)
def test_the_same_plan_gives_the_same_day_to_the_last_byte_of_its_journal(
    explored: bool, options: bool, tmp_path: Path
) -> None:
    plan = next(plan for plan in map(day_of, count()) if is_short(plan, explored, options))
    folder = tmp_path / "day"  # what is said of a file has its path

    one = lived(plan, folder)
    journal = (folder / "logs" / "journal.jsonl").read_bytes()
    shutil.rmtree(folder)
    other = lived(plan, folder)

    assert one == other
    assert one.orders > 3 and one.executions > 3
    assert (folder / "logs" / "journal.jsonl").read_bytes() == journal


def test_trouble_is_counted_by_the_phase_that_it_struck_in(tmp_path: Path) -> None:
    plan = next(plan for plan in map(day_of, range(100)) if len(plan.acts) > 20)

    hits = lived(plan, tmp_path / "day").hits

    acts = [type(act).__name__ for act in plan.acts]
    assert {kind: sum(hits[kind].values()) for kind in acts} == {k: acts.count(k) for k in acts}


def test_in_a_calm_day_contracts_are_bought_and_sold_again_several_times(tmp_path: Path) -> None:
    plan = DayPlan(
        market=1,
        minutes=HALF_DAY,
        schedule=None,
        venue=Misbehaviour(),
        acts=(),
        premium_usd=1_000,
    )
    folder = tmp_path / "day"

    assert lived(plan, folder).breaches == ()

    files = EngineFiles.under(folder, folder / "logs", "ledger.db", "journal.jsonl")
    (life,) = lives_in(files)
    traded = Counter(
        (each.order.side, each.status)
        for each in life.orders.values()
        if each.order.symbol in CONTRACTS
    )
    assert traded[Side.BUY, OrderStatus.FILLED] == traded[Side.SELL, OrderStatus.FILLED] >= 4
