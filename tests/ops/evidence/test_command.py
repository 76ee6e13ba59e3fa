"""`hydra-trader evidence`, as a person calls it."""

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from hydra.cli import app
from hydra.ops.code_version import code_version
from hydra.ops.drill.drills import DRILLS
from hydra.ops.drill.report import DrillReport, DrillResult
from hydra.ops.drill.report import as_json as report_json
from hydra.ops.evidence.controls import CONTROLS
from hydra.ops.evidence.results import (
    Outcome,
    SuiteResults,
    SuiteRun,
    known_tests,
    names_in,
)
from hydra.ops.exit_codes import ExitCode
from hydra.settings import VenueName, load_settings
from tests.ops.sessions import HOME

AT = "2026-01-05T14:30:00Z"


@pytest.fixture(scope="module")
def code() -> str:
    return code_version().code


def evidence(folder: Path, *words: str) -> Result:
    where = ["--tests", str(folder / "tests.json"), "--drill", str(folder / "drill.json")]
    where += ["--prove", str(folder / "prove.json"), "--output-dir", str(folder / "pack")]
    return CliRunner().invoke(app, ["evidence", "--config", str(HOME / "config"), *where, *words])


def leave_all_green(folder: Path, code: str) -> None:
    """What tests, drills and proof of this code leave when nothing is wrong."""
    keys = [key for each in CONTROLS for key in (*each.invariants, *each.tests)]
    names = names_in(known_tests(), keys)
    run = SuiteRun(code=code, commit="", at=AT)
    results = SuiteResults().with_run(run, dict.fromkeys(names, Outcome.PASSED))
    (folder / "tests.json").write_bytes(msgspec.json.encode(results))
    done = tuple(
        DrillResult(drill=each.name, fault="", rule="", invariants="", bound_s=1.0, took_s=0.5)
        for each in DRILLS
    )
    report = DrillReport(
        version="0.1.0", code=code, commit="", drilled="", at=AT, venue="", lasted_s=1.0,
        configuration=load_settings(HOME / "config", venue=VenueName.EMBEDDED).digest,
        results=done,
    )  # fmt: skip
    (folder / "drill.json").write_bytes(report_json(report))
    proof = {"version": "0.1.0", "code": code, "at": AT, "asked": 10, "days": 10, "lives": 20}
    (folder / "prove.json").write_bytes(
        msgspec.json.encode({**proof, "orders": 5, "failed": [], "struck": {}})
    )


def test_with_all_green_it_is_complete_and_can_be_verified(tmp_path: Path, code: str) -> None:
    leave_all_green(tmp_path, code)

    done = evidence(tmp_path)

    assert done.exit_code == 0, done.output
    pack = tmp_path / "pack"
    assert sorted(path.name for path in pack.iterdir()) == [
        *("bots.yaml", "drill-1.json", "evidence.json", "evidence.md", "manifest.json"),
        *("prove.json", "settings.yaml", "tests.json"),
    ]
    said = json.loads((pack / "evidence.json").read_bytes())
    assert said["is_complete"] is True
    assert said["version"]["code"] == code
    assert [control["name"] for control in said["controls"]] == [each.name for each in CONTROLS]
    verified = evidence(tmp_path, "--verify")
    assert verified.exit_code == 0
    (manifest,) = (line.rpartition(" ")[2] for line in done.stdout.splitlines()[-1:])
    assert manifest in verified.stdout


def test_with_nothing_at_hand_nothing_is_proven_and_one_line_says_so(tmp_path: Path) -> None:
    done = evidence(tmp_path)

    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"NOT PROVEN: 0 of {len(CONTROLS)} controls are proven; order gate: ")
    assert "have no result" in line
    assert "the proof: prove was not run" in line
    assert evidence(tmp_path, "--verify").exit_code == 0  # it is a pack all the same


def test_results_of_other_code_prove_nothing(tmp_path: Path) -> None:
    leave_all_green(tmp_path, "old")

    done = evidence(tmp_path, "--json")

    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert not any(control["is_proven"] for control in said["controls"])
    standings = {each["standing"] for control in said["controls"] for each in control["shown"]}
    assert standings == {"of other code"}
    assert said["proof"]["standing"] == "of other code"


def test_what_cannot_be_read_is_missing_and_said(tmp_path: Path, code: str) -> None:
    leave_all_green(tmp_path, code)
    (tmp_path / "prove.json").write_text("{}")

    done = evidence(tmp_path)

    assert done.exit_code == 1
    first, line = done.stderr.splitlines()
    assert first.startswith(f"{tmp_path / 'prove.json'}: cannot be read, and counts as missing: ")
    assert line.endswith("the proof: prove was not run")


def test_a_folder_that_is_no_pack_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mine.txt").write_text("mine")

    refused = evidence(tmp_path)

    assert refused.exit_code == ExitCode.DURABILITY_REFUSED
    assert "mine.txt" in refused.stderr
    assert evidence(tmp_path, "--verify").exit_code == 1
    assert [path.name for path in (tmp_path / "pack").iterdir()] == ["mine.txt"]
