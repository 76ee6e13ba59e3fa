"""`hydra-trader prove`, as a person calls it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hydra.cli import app
from hydra.ops.code_version import code_version
from hydra.ops.exit_codes import ExitCode
from hydra.proving import prove_command
from hydra.proving.day import Breach, DayOutcome
from hydra.proving.plan import day_of
from hydra.proving.proof import Day, Proof
from hydra.proving.telling import KINDS, PHASES, lines_of, plan_as_json


def outcome(*breaches: Breach) -> DayOutcome:
    hits = {"ProcessKilled": {"entering": 2, "idle": 1}}
    return DayOutcome(breaches=breaches, hits=hits, orders=3, executions=2, lives=2)


def proof(*breaches: Breach) -> Proof:
    days = (
        Day(seed=4, outcome=outcome(), breaches=()),
        Day(seed=5, outcome=outcome(*breaches), breaches=breaches),
    )
    return Proof(days=days)


def test_days_without_a_breach_end_with_code_0_and_a_report(tmp_path: Path) -> None:
    words = ["prove", "--days", "2", "--seed", "3", "--jobs", "2", "--output-dir", str(tmp_path)]

    done = CliRunner().invoke(app, words)

    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("2 days, ")
    assert "no invariant was broken" in done.stdout
    assert (tmp_path / "report.txt").read_text() in done.stdout
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert (report["days"], report["asked"], report["failed"]) == (2, 2, [])
    assert report["code"] == code_version().code


def test_the_report_names_each_breach_and_the_command_that_shows_it_again() -> None:
    broken = Breach("I31", "exposure in AAPL is 9771.59, of 9000 allowed")

    lines = list(lines_of(proof(broken)))

    assert lines[0].startswith("2 days, 4 lives of the engine, 6 orders, 4 executions; Hydra ")
    assert lines[1:3] == [
        f"seed 5: {broken}",
        "seed 5: again with  hydra-trader prove --days 1 --seed 5",
    ]
    (row,) = (line for line in lines if line.startswith("ProcessKilled"))
    assert row.split()[1:] == [
        "4" if p == "entering" else "2" if p == "idle" else "·" for p in PHASES
    ]
    cells = len(KINDS) * len(PHASES)
    assert lines[-1].startswith(f"never struck ({cells - 2} of {cells}): ActorFails while down, ")


def test_a_day_that_fails_leaves_its_plan_made_smaller_and_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Breach("I31", "too much")
    monkeypatch.setattr(prove_command, "_proved", lambda seeds, jobs: proof(broken))
    small = plan_as_json(day_of(7))
    monkeypatch.setattr("hydra.proving.proof.shrunk", lambda plan, seen: seen(day_of(7)))

    done = CliRunner().invoke(app, ["prove", "--days", "2", "--output-dir", str(tmp_path)])

    assert done.exit_code == 1
    assert "seed 5: I31: too much" in done.stdout
    assert (tmp_path / "failed-5.json").read_bytes() == small


def test_where_no_report_can_be_left_no_day_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = list[range]()
    monkeypatch.setattr(prove_command, "_proved", lambda seeds, jobs: played.append(seeds))
    (tmp_path / "taken").write_text("a file where the folder should be")

    done = CliRunner().invoke(app, ["prove", "--output-dir", str(tmp_path / "taken" / "report")])

    assert (done.exit_code, played) == (ExitCode.DURABILITY_REFUSED, [])
    assert done.stderr == f"{tmp_path / 'taken' / 'report'}: Not a directory\n"


def test_a_plan_is_played_again_and_a_file_that_is_none_is_refused_in_one_line(
    tmp_path: Path,
) -> None:
    calm = next(plan for plan in map(day_of, range(100)) if plan.size == 0)
    (tmp_path / "plan.json").write_bytes(plan_as_json(calm))
    (tmp_path / "other.json").write_text("{}")

    played = CliRunner().invoke(app, ["prove", "--plan", str(tmp_path / "plan.json")])
    refused = CliRunner().invoke(app, ["prove", "--plan", str(tmp_path / "other.json")])

    assert (played.exit_code, played.stdout) == (0, "no invariant was broken\n")
    assert refused.exit_code == ExitCode.USAGE
    assert refused.stderr.startswith(f"{tmp_path / 'other.json'}: found no plan (")
    assert refused.stderr.count("\n") == 1
