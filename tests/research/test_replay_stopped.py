"""A replay that is stopped on its way: its files are of what was played, and say so."""

import json
from pathlib import Path

import pytest
from msgspec import structs
from typer.testing import CliRunner

from hydra.cli import app
from hydra.ops.bench.replayed_bars import walk
from hydra.ops.exit_codes import ExitCode
from hydra.ports import Journal
from hydra.research.replay_run import Outcome, ReplayPlan, run_replay
from hydra.research.replaying import Replayed, ReplayTask, replayed
from hydra.store.ledger import Ledger
from hydra.venues.simulated.terms import VenueTerms
from tests.engine.scenery import shipped_settings
from tests.ops.sessions import HOME
from tests.research.bar_files import written
from tests.research.gated_sessions import as_data

PLAYED = 400
STOPPED = f"stopped after {PLAYED} of 780 bars, before the end of the window"


def plan_in(folder: Path) -> ReplayPlan:
    return ReplayPlan(
        settings=shipped_settings(),
        data=as_data(walk(("AAPL",), 2, seed=5)),
        terms=VenueTerms(),
        seed=0,
        label="short",
        folder=folder,
        with_sheet=True,
    )


def stopped(plan: ReplayPlan, after: int = PLAYED) -> Outcome:
    seen = [0]
    return run_replay(plan, seen=seen.append, is_stopping=lambda: seen[-1] >= after)


def test_its_figures_are_of_the_bars_that_were_played_and_of_no_other(tmp_path: Path) -> None:
    plan = plan_in(tmp_path / "stopped")

    came = stopped(plan)

    bars = plan.data.market.bars
    assert came.replayed.bars == came.metrics.bars == PLAYED < len(bars)
    assert came.metrics.final_equity == came.replayed.equity
    market = structs.replace(plan.data.market, bars=bars[:PLAYED])
    shorter = structs.replace(plan, data=as_data(market), folder=tmp_path / "shorter")
    whole = run_replay(shorter)
    assert came.metrics.statistics == whole.metrics.statistics
    curves = [(folder / "equity_curve.csv").read_bytes() for folder in tmp_path.iterdir()]
    assert curves[0] == curves[1]


def test_every_file_for_people_says_that_it_was_stopped(tmp_path: Path) -> None:
    plan = plan_in(tmp_path / "stopped")

    stopped(plan)

    folder = plan.folder
    assert json.loads((folder / "metrics.json").read_bytes())["terms"]["ended"] == STOPPED
    assert f"It ended: {STOPPED} (exit code 0)." in (folder / "session.md").read_text()
    assert f"It was {STOPPED}" in (folder / "tear_sheet.html").read_text()
    assert STOPPED in (folder / "logs" / "run.log").read_text().splitlines()


def test_one_that_is_stopped_before_its_first_bar_has_figures_of_nothing(tmp_path: Path) -> None:
    came = stopped(plan_in(tmp_path / "stopped"), after=0)

    assert (came.metrics.bars, came.metrics.statistics.days) == (0, 0)
    assert came.metrics.pnl == 0


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_what_is_on_the_screen_says_so_and_for_programs_it_is_json_alone(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [0]

    def play_a_part(task: ReplayTask, *, ledger: Ledger, journal: Journal, **_: object) -> Replayed:
        return replayed(
            task,
            ledger=ledger,
            journal=journal,
            seen=seen.append,
            is_stopping=lambda: seen[-1] >= PLAYED,
        )

    monkeypatch.setattr("hydra.research.replay_run.replayed", play_a_part)
    data = written(tmp_path / "AAPL_1m.csv", walk(("AAPL",), 2, seed=5).bars)
    where = ["--output-dir", str(tmp_path / "replays"), "--config", str(HOME / "config")]

    done = CliRunner().invoke(
        app, ["replay", "--data", str(data), "--window", "P2D", "--no-tear-sheet", *where, *words]
    )

    assert done.exit_code == ExitCode.CLEAN
    if words:
        assert json.loads(done.stdout)["terms"]["ended"] == STOPPED
    else:
        assert STOPPED in done.stdout.splitlines()
