import json

import msgspec
import pytest
from msgspec import structs

from hydra.ops.drill.report import (
    DrillReport,
    DrillResult,
    Verdict,
    as_json,
    details_of,
    line_of,
    lines_of,
    report_from,
)

FINE = DrillResult(
    drill="kill_switch",
    fault="halt_all in the kill file",
    rule="a halt is durable",
    invariants="I01 I12",
    bound_s=1.0,
    took_s=0.093,
)
REPORT = DrillReport(
    version="0.1.0",
    code="c0de",
    commit="",
    configuration="abc",
    drilled="def",
    at="2026-01-05T14:30:00Z",
    venue="the embedded venue",
    lasted_s=21.3,
    results=(FINE,),
)


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (FINE, Verdict.PASSED),
        (structs.replace(FINE, took_s=1.0), Verdict.PASSED),
        (structs.replace(FINE, took_s=1.01), Verdict.FAILED),
        (structs.replace(FINE, took_s=None), Verdict.FAILED),
        (structs.replace(FINE, took_s=float("nan")), Verdict.FAILED),
        (structs.replace(FINE, faults=("I15: sent twice",)), Verdict.FAILED),
        (structs.replace(FINE, not_done="no order was sent"), Verdict.NOT_DONE),
        (structs.replace(FINE, took_s=None, not_done="no order"), Verdict.NOT_DONE),
    ],
)
def test_a_drill_passes_in_time_and_without_a_fault_alone(
    result: DrillResult, verdict: Verdict
) -> None:
    assert result.verdict is verdict
    assert structs.replace(REPORT, results=(FINE, result)).passed is (verdict is Verdict.PASSED)


def test_nothing_drilled_is_nothing_proven() -> None:
    assert not structs.replace(REPORT, results=()).passed


def test_a_drill_is_one_line_with_verdict_time_bound_and_rule() -> None:
    words = " ".join(line_of(FINE).split())

    assert words == "passed kill_switch 0.09 s of 1 s a halt is durable (I01 I12)"
    assert "never of" in line_of(structs.replace(FINE, took_s=None))
    assert list(details_of(FINE)) == []


def test_what_is_wrong_is_said_below_its_line() -> None:
    bad = structs.replace(FINE, took_s=None, faults=("3 orders were sent",), kept="runs/x")

    lines = list(lines_of(structs.replace(REPORT, results=(FINE, bad))))

    assert lines[2:4] == ["    3 orders were sent", "    what it left: runs/x"]
    assert lines[4] == (
        "1 of 2 drills passed on the embedded venue, in 21 s; not passed: kill_switch"
    )
    assert lines[5] == "Hydra 0.1.0, code c0de, configuration abc"


def test_a_report_is_read_back_as_it_was_and_programs_see_the_verdicts() -> None:
    content = as_json(REPORT)

    assert report_from(content) == REPORT
    said = json.loads(content)
    assert said["passed"] is True
    assert [each["verdict"] for each in said["results"]] == ["passed"]


def test_a_report_that_lacks_something_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="results"):
        report_from(b'{"version": "0.1.0", "code": "", "commit": "", "configuration": "", '
                    b'"drilled": "", "at": "", "venue": "", "lasted_s": 1}')  # fmt: skip
