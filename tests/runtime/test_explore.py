"""The explore schedule: the same seed is the same run anywhere, and it finds what FIFO hides."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hydra.runtime.explore import ExploreOptions
from tests.runtime.planted import Model, hashes

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(30)

HASHES = {
    "canonical": "c7bddbc4cfce94a2b0b3de8971a49370",
    "explore 7": "a2e6ee74e9986c44b0b5a08c88b99b64",
    "explore 8": "0951852d3192befd842fa5b90d3e3fc9",
}
"""Of these runs on every Python, system and machine. Whoever changes what the kernel says to its
cells, or what the dice are thrown for, changes them in the same commit."""


def other_pythons() -> list[str]:
    """Those on this machine that have what Hydra needs."""
    found = [shutil.which(f"python3.{minor}") for minor in range(11, 15)]
    return [python for python in found if python is not None and has_requirements(python)]


def has_requirements(python: str) -> bool:
    tried = subprocess.run(
        [python, "-c", "import msgspec, pykka"], capture_output=True, timeout=30, check=False
    )
    return tried.returncode == 0


def test_the_same_seed_is_the_same_run_always_and_everywhere() -> None:
    assert hashes() == HASHES


@pytest.mark.parametrize("python", [sys.executable, *other_pythons()])
@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_the_same_seed_is_the_same_run_in_another_process(python: str, hash_seed: str) -> None:
    ran = subprocess.run(
        [python, "-m", "tests.runtime.planted"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert dict(line.rsplit(" ", 1) for line in ran.stdout.splitlines()) == HASHES


def test_other_seeds_are_other_runs() -> None:
    assert len({Model(seed).run().trace_hash for seed in range(8)}) > 4


@pytest.mark.parametrize(
    ("bug", "violation"), [("ignores_pending", "limit"), ("looks_early", "halt")]
)
def test_a_planted_race_is_found_within_a_few_seeds_and_not_by_the_canonical_schedule(
    bug: str, violation: str
) -> None:
    assert Model(None, **{bug: True}).run().violations == set()

    found = [seed for seed in SEEDS if Model(seed, **{bug: True}).run().violations == {violation}]

    assert len(found) >= 5


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert [Model(seed).run().violations for seed in (None, *SEEDS)] == [set()] * 31


def test_order_without_delays_finds_nothing() -> None:
    calm = [
        ExploreOptions(seed=seed, delayed=0.0, edge_min=0, service_mean=0, timer_late_mean=0)
        for seed in SEEDS
    ]

    runs = [Model(options, ignores_pending=True, looks_early=True).run() for options in calm]

    assert [run.violations for run in runs] == [set()] * len(SEEDS)


def test_each_seed_draws_its_own_mixture_of_disturbances() -> None:
    drawn = [ExploreOptions.drawn(seed) for seed in range(100)]

    assert ExploreOptions.drawn(7) == drawn[7]
    assert any(options.delayed == 0.0 for options in drawn)
    assert any(options.starved for options in drawn)
    assert any(options.priority_changes for options in drawn)


@pytest.mark.parametrize(
    "disturbance", [{"starved": 1.0}, {"priority_changes": 10}, {"heavy": 0.5}]
)
def test_under_every_disturbance_all_is_handled_in_the_end(disturbance: dict[str, float]) -> None:
    options = ExploreOptions(seed=3, **disturbance)  # type: ignore[arg-type]  # whole numbers too

    runtime = Model(options).run().runtime

    assert all(
        not cell.mailbox.user and not cell.mailbox.control for cell in runtime.cells.values()
    )
