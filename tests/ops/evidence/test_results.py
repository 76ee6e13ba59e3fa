import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from hydra.ops.code_version import CodeVersion
from hydra.ops.evidence.results import (
    Outcome,
    SuiteResults,
    SuiteRun,
    names_in,
    results_from,
)
from tests.deploy.shipped import ROOT
from tests.docs.pages import by_what_they_serve
from tests.results import ResultsKept

CODE = CodeVersion(version="0.1.0", code="c0de", commit="c0ffee")
AT = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
FIRST, SECOND = (
    SuiteRun(code="old", commit="", at="2026-01-05T14:30:00Z"),
    SuiteRun(code="new", commit="", at="2026-01-05T15:30:00Z"),
)
PASSED, FAILED, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED


def test_each_test_keeps_its_last_result_and_runs_without_any_go() -> None:
    results = SuiteResults().with_run(FIRST, {"a": PASSED, "b": PASSED})

    results = results.with_run(SECOND, {"b": FAILED})
    assert [results.last(test) for test in "abc"] == [(FIRST, PASSED), (SECOND, FAILED), None]

    results = results.with_run(SECOND, {"a": SKIPPED, "b": PASSED})
    assert results.runs == (SECOND,)
    assert results.last("a") == (SECOND, SKIPPED)
    assert results_from(msgspec.json.encode(results)) == results


def test_results_of_a_run_that_is_not_there_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="a run that is not there"):
        results_from(b'{"runs": [], "tests": {"a": [0, "passed"]}}')


@pytest.mark.parametrize(
    ("cases", "outcome"),
    [
        ([PASSED, FAILED, PASSED], FAILED),
        ([FAILED, SKIPPED], FAILED),
        ([SKIPPED, PASSED], PASSED),
        ([SKIPPED], SKIPPED),
    ],
)
def test_a_test_is_as_good_as_its_worst_case(
    cases: list[Outcome], outcome: Outcome, tmp_path: Path
) -> None:
    kept = ResultsKept(tmp_path / "runs" / "results.json", CODE)
    for number, case in enumerate(cases):
        kept.heard(f"tests/test_a.py::test_one[{number}-[x]]", case)

    kept.write(CODE, AT)

    results = results_from((tmp_path / "runs" / "results.json").read_bytes())
    run = SuiteRun(code="c0de", commit="c0ffee", at=FIRST.at)
    assert results.last("tests/test_a.py::test_one") == (run, outcome)


def test_code_that_changed_while_it_was_tested_is_named_by_nothing(tmp_path: Path) -> None:
    kept = ResultsKept(tmp_path / "results.json", CODE)
    kept.heard("tests/test_a.py::test_one", PASSED)

    kept.write(CodeVersion(version="0.1.0", code="other", commit="c0ffee"), AT)

    (run,) = results_from((tmp_path / "results.json").read_bytes()).runs
    assert (run.code, run.commit) == ("", "")


def test_a_file_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("{")
    kept = ResultsKept(tmp_path / "results.json", CODE)
    kept.heard("tests/test_a.py::test_one", PASSED)

    kept.write(CODE, AT)

    assert len(results_from((tmp_path / "results.json").read_bytes()).tests) == 1


def test_tests_are_found_by_their_invariants_and_by_their_files(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_a.py").write_text(
        "def test_one_i01_i12() -> None: ...\nasync def test_two(a, b): ...\n"
        "    def test_inner_i01(): ...\ndef helper_i01(): ...\n"
    )
    (tests / "test_b.py").write_text("def test_i18n_i12(): ...\n")

    found = by_what_they_serve(tests, {"tests/test_a.py"})

    assert found == {
        "I01": {"tests/test_a.py": ("test_one_i01_i12",)},
        "I12": {"tests/test_a.py": ("test_one_i01_i12",), "tests/test_b.py": ("test_i18n_i12",)},
        "tests/test_a.py": {"tests/test_a.py": ("test_one_i01_i12", "test_two")},
    }
    assert names_in(found, ("I01", "I12", "I99")) == (
        "tests/test_a.py::test_one_i01_i12",
        "tests/test_b.py::test_i18n_i12",
    )


def test_the_suites_are_run_again_beside_results_that_are_kept_already(tmp_path: Path) -> None:
    """pytest takes an option's value that is a file of its own for what is to be tested, before it
    knows the options of tests/conftest.py.
    """
    kept = tmp_path / "results.json"
    kept.touch()
    (told,) = re.findall(r"^RESULTS = (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    arguments = told.replace("runs/tests/results.json", str(kept)).split()

    asked = [sys.executable, "-m", "pytest", "--markers", *arguments]
    ran = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)

    assert str(kept) in " ".join(arguments)
    assert ran.returncode == 0, ran.stderr
