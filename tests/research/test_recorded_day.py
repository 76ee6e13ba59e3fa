"""`hydra-trader replay --bars-of`: a recorded day by settings and terms of one's choice."""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hydra.cli import app
from hydra.ops.config.looking import SHIPPED
from hydra.ops.exit_codes import ExitCode
from hydra.ops.flight import FOLDER
from hydra.research.recorded_day import NoRecordedDay, RecordedDay, recorded_day
from hydra.settings import Settings
from tests.engine.scenery import bars_of, market_of, rising, shipped_settings
from tests.research.bar_files import config_with
from tests.research.gated_sessions import session as bundle
from tests.research.recorded_sessions import recorded_session

pytestmark = pytest.mark.timeout(60)
MARKET = market_of(bars_of(rising(40)))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session on threads, by the shipped settings, with its recording."""
    folder = tmp_path_factory.mktemp("session") / "run"
    recorded_session(folder, MARKET)
    return folder


def replay(session: Path, output_dir: Path, *words: str) -> tuple[int, str, str]:
    where = ("--bars-of", str(session), "--output-dir", str(output_dir), "--config", str(SHIPPED))
    command = ["replay", *where, "--no-tear-sheet", *words]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def test_the_day_is_played_anew_and_another_limit_makes_another_day(
    session: Path, tmp_path: Path
) -> None:
    tight = "guards.exposure.max_symbol_usd=500"

    as_it_was = json.loads(replay(session, tmp_path / "was", "--json")[1])
    what_if = json.loads(replay(session, tmp_path / "if", "--json", "--set", tight)[1])

    assert as_it_was["trades"] > 0
    assert what_if["trades"] == 0
    assert list(what_if["denials"]) == ["symbol_exposure_is_within_limit"]
    assert as_it_was["data_digests"] == what_if["data_digests"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--data", "AAPL_1m.csv"), "--data"),
        (("--window", "P1D", "--symbol", "AAPL"), "--window, --symbol"),
    ],
)
def test_other_bars_beside_it_are_refused_and_nothing_is_made(
    words: tuple[str, ...], found: str, session: Path, tmp_path: Path
) -> None:
    code, out, err = replay(session, tmp_path / "out", *words)

    assert (code, out) == (ExitCode.USAGE, "")
    assert err == (
        f"found --bars-of with {found}; wanted one of the two, as the session has its own bars and"
        " window; take the rest away\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    code, out, err = replay(tmp_path, tmp_path / "out")

    assert (code, out, len(err.splitlines())) == (ExitCode.USAGE, "", 1)
    assert "found no recording of a session" in err


def day_of(folder: Path, settings: Settings) -> RecordedDay:
    return recorded_day(folder, settings, history=10)


def test_the_cash_is_what_the_session_began_with_if_that_is_known(
    session: Path, tmp_path: Path
) -> None:
    bundle(tmp_path / "bundle", MARKET)
    shutil.copytree(session / FOLDER, tmp_path / "bundle" / FOLDER)

    known, unknown = (day_of(each, shipped_settings()) for each in (tmp_path / "bundle", session))

    assert unknown.cash is None
    assert unknown.remarks == (
        "nobody knows with what cash the session began; here it begins flat, with what --cash says",
    )
    assert (known.cash, known.remarks) == (Decimal(100_000), ())
    assert known.data.market.bars == unknown.data.market.bars == MARKET.bars


def test_that_the_session_ran_with_other_settings_is_said(session: Path, tmp_path: Path) -> None:
    other = config_with({"max_trades_per_day: 3": "max_trades_per_day: 2"}, tmp_path)

    same = replay(session, tmp_path / "same")
    differs = replay(session, tmp_path / "other", "--config", str(other))

    words = "the session ran with other settings ("
    assert (same[0], differs[0]) == (ExitCode.CLEAN, ExitCode.CLEAN)
    assert (words in same[1], words in differs[1]) == (False, True)


def test_a_story_that_is_none_of_ours_is_refused(session: Path, tmp_path: Path) -> None:
    shutil.copytree(session / FOLDER, tmp_path / FOLDER)
    (tmp_path / "state.jsonl").write_text('{"event": "bundle_opened", "ts": 1, "cash": []}\n')

    with pytest.raises(NoRecordedDay, match="its first line is none of ours"):
        day_of(tmp_path, shipped_settings())
