"""`hydra-trader replay --session`: a recorded day again, message by message."""

import errno
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hydra.cli import app
from hydra.ops.exit_codes import ExitCode
from hydra.ops.flight import FOLDER, LEDGER
from hydra.runtime.recording import SUFFIX
from tests.engine.scenery import bars_of, market_of, rising
from tests.research.recorded_sessions import recorded_session

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("session") / "run"
    recorded_session(folder, market_of(bars_of(rising(20))))
    return folder


def replay(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["replay", *words], catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def test_a_session_that_comes_out_the_same_is_said_in_one_line(session: Path) -> None:
    code, out, _ = replay("--session", str(session))
    told = json.loads(replay("--session", str(session), "--json")[1])

    assert code == ExitCode.CLEAN
    assert len(out.splitlines()) == 1
    assert out.startswith("the same: ")
    assert told["is_same"] is True
    assert told["recorded_hash"] == told["replayed_hash"]


def test_a_recording_that_was_changed_is_refused_and_so_is_a_folder_without_one(
    session: Path, tmp_path: Path
) -> None:
    first = min((session / FOLDER).glob(f"*{SUFFIX}"))
    content = first.read_bytes()
    first.write_bytes(content[:200] + b"?" + content[201:])
    try:
        damaged = replay("--session", str(session))
    finally:
        first.write_bytes(content)
    missing = replay("--session", str(tmp_path))

    assert (damaged[0], missing[0]) == (ExitCode.USAGE, ExitCode.USAGE)
    assert "found no recording of a session" in missing[2]
    assert len(damaged[2].splitlines()) == len(missing[2].splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--window", "P1D"), "--window"),
        (("--data", "AAPL_1m.csv", "--symbol", "AAPL"), "--data, --symbol"),
        (("--set", "risk.max_orders_per_minute=5"), "--set"),
        (("--bot", "mom_AAPL", "--cash", "5", "--fees", "0"), "--bot, --fees, --cash"),
        (("--config", "config"), "--config"),
    ],
)
def test_a_session_is_replayed_as_it_was_so_nothing_of_it_is_to_be_chosen(
    words: tuple[str, ...], found: str, session: Path
) -> None:
    code, out, err = replay("--session", str(session), *words)

    assert (code, out) == (ExitCode.USAGE, "")
    assert err == (
        f"found --session with {found}; wanted the session alone, which has its own bars, window,"
        " configuration and terms; take the rest away\n"
    )


def test_a_seed_of_the_environment_is_not_for_a_session(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYDRA_SEED", "5")

    assert replay("--session", str(session))[0] == ExitCode.CLEAN


def test_a_recording_whose_ledger_is_torn_is_refused_like_any_other_damage(
    session: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(session / FOLDER, tmp_path / FOLDER))
    ledger = folder / LEDGER
    ledger.write_bytes(ledger.read_bytes()[:5_000])

    code, _, err = replay("--session", str(folder))

    assert code == ExitCode.USAGE
    assert err.startswith(f"{ledger}: found a damaged ledger")
    assert len(err.splitlines()) == 1


def test_a_recording_that_cannot_be_read_is_said_with_the_code_of_that(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/ledger.db")

    monkeypatch.setattr("hydra.research.recorded.shutil.copyfile", no_room)

    code, _, err = replay("--session", str(session))

    assert (code, err) == (ExitCode.DURABILITY_REFUSED, "/tmp/ledger.db: No space left on device\n")
