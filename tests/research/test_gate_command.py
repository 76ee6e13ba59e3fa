"""`hydra-trader gate`, `gate status` and `gate override`, as a person or a timer calls them."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hydra.ops.config.looking import SHIPPED
from hydra.research import gate
from hydra.research.blocker import BLOCKER, Blocker, verdict_in
from hydra.research.gate_command import app, gate_folder
from hydra.store.engine_files import EngineFiles
from hydra.store.folder_lock import held_alone
from hydra.trading.durations import SECOND
from tests.engine.scenery import bars_of, market_of, rising
from tests.research.gated_sessions import NAME, session

BARS = bars_of(rising(40))


def asked(tmp_path: Path, *words: str) -> Result:
    """The command on the state in this folder."""
    where = ["--config", str(SHIPPED), "--state-dir", str(tmp_path / "state")]
    verb = [word for word in words if word in ("status", "override")]
    rest = [word for word in words if word not in verb]
    return CliRunner().invoke(app, [*verb, *where, *rest])


def gate_dir(tmp_path: Path) -> Path:
    return tmp_path / "state" / "replay_gate"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """With one session, which has no recording."""
    runs = tmp_path / "state" / "runs"
    runs.mkdir(parents=True, mode=0o700)
    (tmp_path / "state").chmod(0o700)
    session(runs / NAME, market_of(BARS))
    return tmp_path


def bars_file(folder: Path) -> Path:
    """The session's bars."""
    path = folder / "AAPL_1m.csv"
    lines = ["ts_utc,open,high,low,close,volume,session"]
    for bar in BARS:
        at = datetime.fromtimestamp(bar.start_at // SECOND, UTC)
        prices = f"{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume:.0f}"
        lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{prices},regular")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_before_any_check_the_status_is_blocked(tmp_path: Path) -> None:
    found = asked(tmp_path, "status")

    assert found.exit_code == 1
    assert "found no such file; run `hydra-trader gate` first" in found.stdout


@pytest.mark.slow  # the exchange's calendar takes a second
def test_a_session_without_a_recording_is_red_though_its_trades_are_the_same(state: Path) -> None:
    found = asked(state, "--data", str(bars_file(state)), "--window-minutes", "600")

    assert found.exit_code == 1, found.output
    lines = found.stdout.splitlines()
    assert lines[0] == f"session {NAME}: red"
    assert lines[1].startswith("- the recording could not be replayed: ")
    assert lines[2] == "trades: 1 on both sides, 0 of them differing, 0 on one side alone"
    (place,) = gate_dir(state).glob("*/report.md")
    assert lines[3] == f"report: {place}"
    assert (place.parent / "replay" / "trades.csv").is_file()
    assert asked(state, "status").stdout.startswith("blocked: red: the recording could not be")


def test_without_recording_and_files_nothing_can_be_compared(state: Path) -> None:
    found = asked(state, "--json")

    assert found.exit_code == 1
    reasons = json.loads(found.stdout)["reasons"]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "the recording could not be replayed",
        "the trades could not be compared",
    ]


def test_an_override_is_told_and_the_status_stays_blocked(state: Path) -> None:
    assert asked(state).exit_code == 1
    words = ("override", "--who", "ada", "--reason", "the feed was down", "--hours", "2")

    given = asked(state, *words)
    found = asked(state, "status")
    told = json.loads(asked(state, "status", "--json").stdout)

    assert given.exit_code == 0, given.output
    assert found.exit_code == 1
    assert "overridden by ada until " in found.stdout
    assert (told["may_release"], told["override"]["why"]) == (True, "the feed was down")
    assert asked(state).exit_code == 1
    assert "the override of ada was given for another check" in asked(state, "status").stdout


def test_a_check_that_dies_leaves_red_behind(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(gate, "checked", die)

    assert isinstance(asked(state).exception, MemoryError)
    verdict = verdict_in(gate_dir(state), datetime.now(UTC))
    assert verdict.blocked == "red: a check has begun and not ended: it runs, or was killed"
    assert isinstance(verdict.blocker, Blocker)


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("--price-tolerance-bps", "wide"), 2, "wanted a number of at least 0"),
        (("--price-tolerance-bps", "-1"), 2, "wanted a number of at least 0"),
        (("--window-minutes", "0"), 2, ""),
    ],
)
def test_options_that_are_not_fit_are_refused_and_change_nothing(
    state: Path, words: tuple[str, ...], code: int, why: str
) -> None:
    found = asked(state, *words)

    assert found.exit_code == code
    assert why in found.output
    assert not (gate_dir(state) / BLOCKER).exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [((), "found no session's bundle"), (("--session", "nowhere"), "this is no session's bundle")],
)
def test_a_session_that_is_not_there_is_refused_and_red(
    tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    found = asked(tmp_path, *words)

    assert found.exit_code == 2
    assert why in found.output
    status = asked(tmp_path, "status")
    assert status.exit_code == 1
    assert why in status.stdout


def test_two_checks_at_once_are_refused(state: Path) -> None:
    gate_dir(state).mkdir(mode=0o700)
    with held_alone(gate_dir(state), "gate"):
        found = asked(state)

    assert found.exit_code == 11
    assert not (gate_dir(state) / BLOCKER).exists()


def test_what_is_said_before_the_verb_counts_for_it_too(state: Path) -> None:
    elsewhere = state / "elsewhere"

    found = CliRunner().invoke(app, ["--gate-dir", str(elsewhere), "status"])

    assert str(elsewhere / BLOCKER) in found.stdout


def test_each_venue_has_a_blocker_of_its_own(tmp_path: Path) -> None:
    def of(runs: Path) -> Path:
        return gate_folder(
            EngineFiles.under(tmp_path / "state", tmp_path / "logs", "l.db", "j.jsonl", runs=runs)
        )

    assert of(tmp_path / "runs") == tmp_path / "replay_gate"
    assert of(tmp_path / "runs" / "embedded") == tmp_path / "replay_gate" / "embedded"


def served_session(folder: Path) -> bool:
    """Run one on the embedded venue; whether the machine kept up.

    Where it is starved, the guardian's lease runs out, and the order gate lets nothing through.
    """
    words = ["--config", str(SHIPPED), "--data", str(bars_file(folder)), "--speed", "6000"]
    words += ["--state-dir", str(folder / "state"), "--log-dir", str(folder / "logs")]
    subprocess.run(
        [sys.executable, "-m", "hydra.main", "--plain", *words],
        check=True,
        capture_output=True,
        timeout=120,
        cwd=folder,
    )
    (orders,) = (folder / "state" / "runs").glob("*/orders.csv")
    return "lease has run out" not in orders.read_text()


@pytest.mark.slow
def test_a_session_over_rest_and_websocket_is_green_by_its_recording_and_by_its_trades(
    tmp_path: Path,
) -> None:
    folder = tmp_path
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        if served_session(folder):
            break
        assert asked(folder, "--window-minutes", "600").exit_code == 1
    for data in ((), ("--data", str(folder / "AAPL_1m.csv"))):
        found = asked(folder, "--window-minutes", "600", *data)

        assert found.exit_code == 0, found.output
        assert "trades: 1 on both sides, 0 of them differing, 0 on one side alone" in found.stdout
    status = asked(folder, "status")
    assert status.exit_code == 0
    assert status.stdout.startswith("green: session ")
