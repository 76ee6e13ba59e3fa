"""What fuzzing found once is found no more: every kept input, and every seed, in a moment."""

from pathlib import Path

import pytest

from tests.fuzz.engine import checked
from tests.fuzz.kept import BYTES_MAX, FOLDER, kept_inputs
from tests.fuzz.target import Verdict
from tests.fuzz.targets import NAMES, target_named


@pytest.mark.parametrize("name", NAMES)
def test_no_kept_input_shows_anything_to_be_mended(name: str, tmp_path: Path) -> None:
    with target_named(name, tmp_path) as target:
        found = {what: checked(target, data) for what, data in kept_inputs(name).items()}

    assert {what: finding for what, finding in found.items() if finding is not None} == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_target_takes_a_seed_of_its_own(name: str, tmp_path: Path) -> None:
    with target_named(name, tmp_path) as target:
        assert any(target.feed(seed) is Verdict.ACCEPTED for seed in target.seeds)


def test_kept_inputs_are_small_and_of_a_target_that_there_is() -> None:
    folders = sorted(folder.name for folder in FOLDER.iterdir())

    assert set(folders) <= set(NAMES)
    assert [path for path in FOLDER.rglob("*") if path.stat().st_size > BYTES_MAX] == []
