"""What a result is worth: only one of this code, of all tests and drills, is a proof."""

import pytest
from msgspec import structs

from hydra.ops.code_version import CodeVersion
from hydra.ops.drill.report import DrillReport, DrillResult
from hydra.ops.evidence.assembling import (
    Evidence,
    Inputs,
    ProofReport,
    Standing,
    assembled,
)
from hydra.ops.evidence.controls import CONTROLS, Control
from hydra.ops.evidence.results import Outcome, SuiteResults, SuiteRun
from hydra.ops.evidence.telling import line_of, page_of
from hydra.settings import Settings, load_settings
from tests.ops.sessions import HOME

NOW = CodeVersion(version="0.1.0", code="new", commit="c0ffee")
AT = "2026-01-05T14:30:00Z"
CONTROL = Control(
    name="kill switch",
    rule="It stops.",
    causes=("kill_switch:",),
    settings=("guards.order.price_collar_pct",),
    invariants=("I12",),
    drills=("kill_switch",),
)
ONE, TWO = "tests/test_a.py::test_one_i12", "tests/test_a.py::test_two_i12"
RUN = SuiteRun(code="new", commit="c0ffee", at=AT)
PASSED = Outcome.PASSED


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(HOME / "config")


@pytest.fixture
def fine(settings: Settings) -> Inputs:
    result = DrillResult(
        drill="kill_switch", fault="f", rule="r", invariants="I12", bound_s=1, took_s=0.1
    )
    report = DrillReport(
        version="0.1.0", code="new", commit="", configuration=settings.digest, drilled="", at=AT,
        venue="the embedded venue", lasted_s=20, results=(result,),
    )  # fmt: skip
    return Inputs(
        tests={"I12": {"tests/test_a.py": ("test_one_i12", "test_two_i12")}},
        results=SuiteResults().with_run(RUN, {ONE: PASSED, TWO: PASSED}),
        drills=(report,),
        proof=ProofReport(
            version="0.1.0", code="new", at=AT, days=100, asked=100, lives=300, orders=9, failed=()
        ),
        configurations=frozenset({settings.digest}),
    )


def made(inputs: Inputs, settings: Settings, control: Control = CONTROL) -> Evidence:
    found = assembled((control,), settings, NOW, inputs, AT)
    # What the one control leaves out is the business of `test_controls`.
    return structs.replace(found, unlisted=())


def lacks_of(inputs: Inputs, settings: Settings, control: Control = CONTROL) -> tuple[str, ...]:
    evidence = made(inputs, settings, control)
    assert evidence.is_complete is not bool(evidence.controls[0].lacks)
    return evidence.controls[0].lacks


def test_a_control_is_proven_when_all_that_shows_it_passed_with_this_code(
    fine: Inputs, settings: Settings
) -> None:
    evidence = made(fine, settings)

    assert evidence.is_complete
    assert line_of(evidence) == "1 controls, each proven by results of this code new"
    (control,) = evidence.controls
    assert [(each.name, each.standing) for each in control.shown] == [
        ("kill_switch", Standing.PASSED),
        (ONE, Standing.PASSED),
        (TWO, Standing.PASSED),
    ]
    assert [(each.key, each.value) for each in control.settings] == [
        ("guards.order.price_collar_pct", "5")
    ]


@pytest.mark.parametrize(
    ("run", "outcomes", "lack"),
    [
        (RUN, {ONE: PASSED, TWO: Outcome.FAILED}, f"failed: {TWO}"),
        (RUN, {ONE: PASSED}, "1 of 2 tests have no result"),
        (structs.replace(RUN, code="old"), {ONE: PASSED, TWO: PASSED}, "2 of 2 tests ran with"),
        (structs.replace(RUN, code=""), {ONE: PASSED, TWO: PASSED}, "2 of 2 tests ran with"),
        (RUN, {ONE: Outcome.SKIPPED, TWO: Outcome.SKIPPED}, "not one of its tests has passed"),
    ],
    ids=["red", "missing", "of other code", "of code that changed meanwhile", "all left out"],
)
def test_a_result_that_is_red_missing_or_old_is_no_proof(
    run: SuiteRun, outcomes: dict[str, Outcome], lack: str, fine: Inputs, settings: Settings
) -> None:
    inputs = structs.replace(fine, results=SuiteResults().with_run(run, outcomes))

    lacks = lacks_of(inputs, settings)

    assert lacks[0].startswith(lack)


def test_a_test_that_was_left_out_is_said_and_takes_nothing_from_the_others(
    fine: Inputs, settings: Settings
) -> None:
    outcomes = {ONE: PASSED, TWO: Outcome.SKIPPED}
    inputs = structs.replace(fine, results=SuiteResults().with_run(RUN, outcomes))

    evidence = made(inputs, settings)

    assert evidence.is_complete
    assert f"skipped: `{TWO}`" in page_of(evidence)


def test_a_drill_that_is_missing_old_of_other_settings_or_failed_is_no_proof(
    fine: Inputs, settings: Settings
) -> None:
    (report,) = fine.drills
    late = structs.replace(report, results=(structs.replace(report.results[0], took_s=1.1),))
    said = {
        word: lacks_of(structs.replace(fine, drills=drills), settings)
        for word, drills in {
            "missing": (),
            "other": (structs.replace(report, results=()),),
            "old": (structs.replace(report, code="old"),),
            "settings": (structs.replace(report, configuration="another"),),
            "late": (late,),
        }.items()
    }

    elsewhere = ("drill kill_switch was done with other code or another configuration",)
    assert said == {
        "missing": ("drill kill_switch was not done",),
        "other": ("drill kill_switch was not done",),
        "old": elsewhere,
        "settings": elsewhere,
        "late": ("drill kill_switch did not pass",),
    }


def test_of_many_reports_the_newest_of_this_code_counts(fine: Inputs, settings: Settings) -> None:
    (report,) = fine.drills
    red = structs.replace(report, results=(structs.replace(report.results[0], took_s=None),))
    later_elsewhere = structs.replace(red, code="old", at="2026-01-06T00:00:00Z")
    later = structs.replace(red, at="2026-01-06T00:00:00Z")

    assert lacks_of(structs.replace(fine, drills=(later_elsewhere, report)), settings) == ()
    assert lacks_of(structs.replace(fine, drills=(report, later)), settings) == (
        "drill kill_switch did not pass",
    )


def test_a_control_without_a_test_is_not_proven_by_a_drill(
    fine: Inputs, settings: Settings
) -> None:
    bare = structs.replace(CONTROL, invariants=(), drills=())

    assert lacks_of(fine, settings, bare) == ("no test shows it",)
    assert lacks_of(fine, settings, structs.replace(bare, drills=CONTROL.drills)) == (
        "no test shows it",
    )


@pytest.mark.parametrize(
    ("change", "standing"),
    [
        (None, Standing.MISSING),
        ({"code": "old"}, Standing.STALE),
        ({"code": ""}, Standing.STALE),
        ({"failed": ({"seed": 3},)}, Standing.FAILED),
        ({"days": 99}, Standing.FAILED),
        ({"asked": 0, "days": 0}, Standing.FAILED),
        ({}, Standing.PASSED),
    ],
)
def test_without_a_whole_and_clean_proof_of_this_code_it_is_not_complete(
    change: dict[str, object] | None, standing: Standing, fine: Inputs, settings: Settings
) -> None:
    assert fine.proof is not None
    proof = None if change is None else structs.replace(fine.proof, **change)

    evidence = made(structs.replace(fine, proof=proof), settings)

    assert evidence.proof.standing is standing
    assert evidence.is_complete is (standing is Standing.PASSED)
    assert ("the proof: " in line_of(evidence)) is (standing is not Standing.PASSED)


def test_what_is_in_no_control_keeps_it_from_being_complete(
    fine: Inputs, settings: Settings
) -> None:
    evidence = assembled((CONTROL,), settings, NOW, fine, AT)

    assert not evidence.is_complete
    assert "check trading_is_open" in evidence.unlisted
    assert "in the code, and in no control: check trading_is_open" in line_of(evidence)


def test_nothing_is_not_complete(fine: Inputs, settings: Settings) -> None:
    assert not structs.replace(made(fine, settings), controls=()).is_complete


def test_the_page_names_each_control_with_its_rule_and_why_it_is_not_proven(
    settings: Settings,
) -> None:
    page = page_of(assembled(CONTROLS, settings, NOW, Inputs(tests={}), AT))

    assert f"0 of {len(CONTROLS)} controls are proven; order gate: no test shows it" in page
    for control in CONTROLS:
        assert f"## {control.name}\n\n{control.rule}\n" in page
    assert page.count("**NOT PROVEN**") == len(CONTROLS)
    assert "- `guards.exposure.max_symbol_usd`: 25000 USD\n" in page
    assert "prove was not run" in page
