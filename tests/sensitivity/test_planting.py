"""The planted bugs can be planted, are known to docs/, and nearly all of them are caught."""

import ast
from pathlib import Path

import pytest

from tests.docs.invariants import SECTIONS
from tests.sensitivity.plant import ROOT, NotPlantable, Plant
from tests.sensitivity.plants.all import ALL
from tests.sensitivity.playing import Result, Tried, Void, play
from tests.sensitivity.results import PAGE, WANTED_PCT, caught_pct, keep, kept, sensitivity_page
from tests.sensitivity.selections import Layer, selection

SAMPLE = ALL[:: len(ALL) // 6][:6]


def test_each_bug_replaces_what_is_there_once_by_what_is_python_too() -> None:
    for plant in ALL:
        ast.parse(plant.source(), str(plant.file))


def test_each_bug_has_a_sentence_of_its_own_and_an_invariant_that_there_is() -> None:
    known = {invariant.id for section in SECTIONS for invariant in section.invariants}

    assert len({plant.bug for plant in ALL}) == len({plant.digest for plant in ALL}) == len(ALL)
    assert [plant.bug for plant in ALL if not plant.bug.endswith(".")] == []
    assert {plant.invariant for plant in ALL} == known


def test_what_was_found_out_is_of_the_bugs_as_they_are() -> None:
    assert {result.bug: result.digest for result in kept()} == {
        plant.bug: plant.digest for plant in ALL
    }, "run: make sensitivity ARGS=--left"


def test_nearly_all_of_them_are_caught() -> None:
    assert caught_pct(kept()) >= WANTED_PCT


def test_the_tests_that_caught_them_are_still_there() -> None:
    """By the names of their files and functions."""
    gone = [
        test
        for result in kept()
        if (caught := result.caught) is not None
        and not _is_there(test := caught.test.partition("[")[0])
    ]

    assert gone == [], "run: make sensitivity"


def test_the_page_names_every_bug_and_what_caught_it() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")

    assert page == sensitivity_page(ALL, kept())
    assert [plant.bug for plant in ALL if f"| {plant.bug} |" not in page] == []


def test_what_is_not_there_once_cannot_be_planted() -> None:
    gone = Plant("It is of before.", "I01", "hydra.runtime.gate", "nobody ever wrote this", "")
    many = Plant("It is meant for one.", "I01", "hydra.runtime.gate", "self", "")

    for plant in (gone, many):
        with pytest.raises(NotPlantable, match=r"times in hydra\.runtime\.gate"):
            plant.source()


def test_a_result_takes_the_place_of_the_older_one_of_the_same_bug(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    first, second = ALL[0], ALL[1]
    caught = Tried(Layer.UNIT, "tests/runtime/test_gate.py::test_it")

    keep([_result(second), _result(first)], file)
    keep([_result(first, Tried(Layer.PROOF, ""), caught)], file)

    assert kept(file) == (_result(first, Tried(Layer.PROOF, ""), caught), _result(second))
    assert caught_pct(kept(file)) == 50


def test_the_tests_of_a_bug_are_those_of_its_module_and_those_of_its_invariant() -> None:
    plant = Plant("Any.", "I31", "hydra.trading.budgets", "", "")

    unit, engine = selection(plant, Layer.UNIT), selection(plant, Layer.ENGINE)

    assert "tests/trading/test_budgets.py" in unit
    assert all("::" not in test or "_i31" in test for test in (*unit, *engine))
    assert all(test.startswith("tests/engine/") for test in engine)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("plant", SAMPLE, ids=[plant.bug for plant in SAMPLE])
def test_a_bug_is_caught_again(plant: Plant) -> None:
    (before,) = (result for result in kept() if result.bug == plant.bug)

    assert (play(plant, everywhere=False).caught is None) is (before.caught is None)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_is_no_bug_is_caught_by_nobody() -> None:
    words = "What an operator said before does not cover it."
    plant = Plant("Other words.", "I05", "hydra.trading.standing", words, "It is as it was.")

    assert play(plant, [Layer.UNIT], everywhere=True).caught is None


@pytest.mark.slow
def test_a_module_that_no_test_sees_says_nothing() -> None:
    words = "A figure alone says little on a machine"
    unseen = Plant("Nobody looks.", "I99", "hydra.ops.bench.rows", words, words.upper())

    with pytest.raises(Void, match="no test has to do with it"):
        play(unseen, [Layer.CRASH], everywhere=True)


def _is_there(test: str) -> bool:
    file, *_, name = test.split("::")
    path = ROOT / file
    return path.exists() and f"def {name}(" in path.read_text(encoding="utf-8")


def _result(plant: Plant, *tried: Tried) -> Result:
    return Result(plant.bug, plant.digest, tried)
