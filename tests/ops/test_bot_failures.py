"""A run says which of its bots failed: one that trades nothing is else taken for idle."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from actors.momentum_bot import MomentumBot
from hydra.actor import Context
from hydra.cli import app
from hydra.main import main
from hydra.ops.bench.replayed_bars import walk
from hydra.ops.bot_failures import BotFailure, failures_of_bots
from hydra.ops.exit_codes import ExitCode
from hydra.runtime.sim_runtime import SimRuntime
from hydra.venues.one_line import LENGTH_MAX
from messages.market import BarClosed
from tests.ops.sessions import HOME, shares_alone
from tests.research.bar_files import written

BROKEN = "mom_AAPL"
"""Of the two bots on AAPL; the other one goes on."""
GIVEN_UP = (
    f"{BROKEN:<18} FAILED 11 times, the last time of ValueError: no such column; it is quarantined,"
    " until the next start"
)
"""At the eleventh bar within an hour."""


@pytest.fixture
def fails_at_each_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = MomentumBot.receive

    def failing(self: MomentumBot, message: Any, ctx: Context) -> None:
        if isinstance(message, BarClosed) and self._plan.bot_id == BROKEN:
            raise ValueError("no such\ncolumn")
        receive(self, message, ctx)

    monkeypatch.setattr(MomentumBot, "receive", failing)


@pytest.fixture
def never_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    start = MomentumBot.start

    def failing(self: MomentumBot, ctx: Context) -> None:
        if self._plan.bot_id == BROKEN:
            raise ValueError("it has no file, " + "x" * 500)
        start(self, ctx)

    monkeypatch.setattr(MomentumBot, "start", failing)


def lines_of(folder: Path, capfd: pytest.CaptureFixture[str], *words: str) -> list[str]:
    config = shares_alone(folder)
    where = ["--state-dir", f"{folder}/state", "--log-dir", f"{folder}/logs"]
    code = main(["--config", str(config), "--clock", "virtual", *where, *words])
    assert code == ExitCode.CLEAN
    return [line for line in capfd.readouterr().out.splitlines() if "FAILED" in line]


@pytest.mark.usefixtures("fails_at_each_bar")
def test_a_bot_that_fails_at_each_bar_is_told_with_its_error_and_how_often(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (line,) = lines_of(tmp_path, capfd, "--loops", "900")

    assert line == GIVEN_UP


@pytest.mark.usefixtures("never_starts")
def test_a_bot_that_is_given_up_is_told_as_quarantined(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (line,) = lines_of(tmp_path, capfd, "--loops", "30")

    said, _, rest = line.partition("…")
    assert said.startswith(f"{BROKEN:<18} FAILED 4 times, the last time of ValueError: it has no f")
    assert len(said) < 2 * LENGTH_MAX
    assert rest == "; it is quarantined, until the next start"


def test_what_a_bot_puts_into_its_error_does_nothing_to_a_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: MomentumBot, ctx: Context) -> None:
        raise ValueError("read \x1b[2J\x07 from the file")

    monkeypatch.setattr(MomentumBot, "start", failing)

    lines = lines_of(tmp_path, capfd, "--loops", "30")

    assert lines
    assert [line for line in lines if not line.isprintable()] == []


@pytest.mark.usefixtures("fails_at_each_bar")
def test_a_replay_tells_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = written(tmp_path / "AAPL_1m.csv", walk(("AAPL",), 1, seed=5).bars)
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(
        app, ["replay", "--data", str(bars), "--window", "P1D", "--config", str(HOME / "config")]
    )

    assert result.exit_code == ExitCode.CLEAN
    (line,) = [line for line in result.stdout.splitlines() if "FAILED" in line]
    assert line == GIVEN_UP


def test_where_none_failed_there_is_nothing_to_tell() -> None:
    assert failures_of_bots(SimRuntime(seed=0)) == ()


def test_once_is_once() -> None:
    assert str(BotFailure("dip", 1, "KeyError: 'x'", is_quarantined=False)) == (
        "dip                FAILED once of KeyError: 'x'"
    )
