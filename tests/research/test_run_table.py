"""The results of parameter runs: their order, the word on luck, and files of the same bytes."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from hydra.research.overrides import Chosen, Grid
from hydra.research.run_table import (
    CSV,
    JSON,
    BadSort,
    luck_warning,
    show_runs,
    sorted_runs,
    write_runs,
)
from hydra.research.runs import FAILED, OK, Run, RunResult

KEY = "momentum_bots[mom].exits.stop_loss_pct"


def result(realised: str, *, seconds: float = 1.0) -> RunResult:
    return RunResult(
        trades=3,
        realised=Decimal(realised),
        fees=Decimal(0),
        final_equity=Decimal(100_000) + Decimal(realised),
        max_drawdown_pct=0.25,
        orders=8,
        denials=1,
        standing=(),
        ledger="abcdef" * 10,
        seconds=seconds,
    )


def choice(text: str) -> tuple[Chosen, ...]:
    return (Chosen(KEY, text, text, ("momentum_bots", 0, "exits", "stop_loss_pct")),)


RUNS = (
    Run(number=1, choice=choice("0.3"), outcome=OK, result=result("5")),
    Run(number=2, choice=choice("0.4"), outcome=FAILED, why="ReplayFailed: it did not stop"),
    Run(number=3, choice=choice("0.5"), outcome=OK, result=result("-7.5")),
    Run(number=4, choice=choice("0.6"), outcome=OK, result=result("5")),
)
GRID = Grid((KEY,), tuple(run.choice for run in RUNS))


@pytest.mark.parametrize(
    ("by", "order"),
    [
        (None, [1, 2, 3, 4]),
        ("realised", [3, 1, 4, 2]),
        ("-realised", [1, 4, 3, 2]),
        ("-number", [4, 3, 2, 1]),
    ],
)
def test_runs_are_sorted_by_a_figure_and_those_without_come_last(
    by: str | None, order: list[int]
) -> None:
    assert [run.number for run in sorted_runs(RUNS, by)] == order


def test_a_figure_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadSort, match="found --sort sharpe; wanted one of number, trades"):
        sorted_runs(RUNS, "sharpe")


def test_the_best_of_several_comes_with_a_warning_that_counts_those_that_were_played() -> None:
    assert luck_warning(RUNS[:1]) is None
    warning = luck_warning(RUNS)
    assert warning is not None
    assert warning.startswith("3 configurations were tried on one stretch of data")


def test_the_table_says_why_a_run_has_no_figures(capsys: pytest.CaptureFixture[str]) -> None:
    show_runs(sorted_runs(RUNS, "-final_equity"), GRID)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["RUN", "stop_loss_pct", "TRADES"]
    assert lines[1].split()[:4] == ["1", "0.3", "3", "5"]
    assert lines[4].endswith("failed: ReplayFailed: it did not stop")
    assert lines[5].startswith("note: 3 configurations were tried")


def test_what_all_runs_share_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    shared = (*choice("0.3"), Chosen("risk.max_orders_per_minute", "5", "5", ("risk", "x")))

    show_runs((RUNS[0],), Grid((KEY, "risk.max_orders_per_minute"), (shared,)))

    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"all with --set {KEY}=0.3 --set risk.max_orders_per_minute=5"


def test_keys_that_end_alike_keep_what_tells_them_apart(
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = KEY.replace("[mom]", "[dip]")
    both = [
        (*choice(text), Chosen(other, text, text, ("momentum_bots", 1, "exits", "stop_loss_pct")))
        for text in ("0.3", "0.4")
    ]

    show_runs(RUNS[:1], Grid((KEY, other), tuple(both)))

    titles = capsys.readouterr().out.splitlines()[0].split()
    assert titles[1:3] == [KEY, other]


def test_the_files_of_the_same_runs_are_the_same_bytes_however_long_they_took(
    tmp_path: Path,
) -> None:
    slower = [
        run
        if run.result is None
        else structs.replace(run, result=structs.replace(run.result, seconds=9))
        for run in RUNS
    ]
    contents = []
    for number, runs in enumerate((RUNS, slower)):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_runs(folder, runs, GRID)
        contents.append([(folder / name).read_bytes() for name in (CSV, JSON)])

    assert contents[0] == contents[1]
    table = list(csv.DictReader(io.StringIO(contents[0][0].decode())))
    assert [row[KEY] for row in table] == ["0.3", "0.4", "0.5", "0.6"]
    assert [row["realised"] for row in table] == ["5", "", "-7.5", "5"]
    assert table[1]["why"] == "ReplayFailed: it did not stop"
    told = json.loads(contents[0][1])
    assert told["tried"] == 3
    assert told["runs"][2]["result"]["realised"] == "-7.5"
    assert told["runs"][1]["set"] == {KEY: "0.4"}
