"""Ctrl-C while a replay runs is the operator's, and no failure of the actor that it comes upon."""

import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from actors.momentum_bot import Inbox, MomentumBot
from hydra.actor import Context
from hydra.cli import app
from hydra.ops.config.looking import SHIPPED
from hydra.research.blocker import UNDER_WAY, verdict_in
from messages.market import BarClosed
from tests.engine.scenery import bars_of, market_of, rising
from tests.research.bar_files import written
from tests.research.gated_sessions import NAME, session
from tests.research.recorded_sessions import recorded_session

INTERRUPTED = 130
MARKET = market_of(bars_of(rising(20)))

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def at_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody presses Ctrl-C while a bot looks at a bar."""
    receive, pressed = MomentumBot.receive, list[object]()

    def interrupted(self: MomentumBot, message: Inbox, ctx: Context) -> None:
        if isinstance(message, BarClosed) and not pressed:
            pressed.append(message)
            signal.raise_signal(signal.SIGINT)
        receive(self, message, ctx)

    monkeypatch.setattr(MomentumBot, "receive", interrupted)


def asked(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.stdout


def test_a_replay_of_a_session_that_is_interrupted_tells_of_no_difference(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    recorded_session(tmp_path / "run", MARKET)
    request.getfixturevalue("at_a_bar")

    assert asked("replay", "--session", str(tmp_path / "run")) == (INTERRUPTED, "")


@pytest.mark.usefixtures("at_a_bar")
def test_a_regression_run_that_is_interrupted_tells_of_no_difference(tmp_path: Path) -> None:
    assert asked("regress", "--output-dir", str(tmp_path)) == (INTERRUPTED, "")
    assert list(tmp_path.iterdir()) == []


def test_a_check_of_the_gate_that_is_interrupted_finds_nothing_and_leaves_red(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    state = tmp_path / "state"
    (state / "runs").mkdir(parents=True)
    state.chmod(0o700)
    session(state / "runs" / NAME, MARKET)
    request.getfixturevalue("at_a_bar")

    done = asked("gate", "--config", str(SHIPPED), "--state-dir", str(state), *bars_in(tmp_path))

    assert done == (INTERRUPTED, "")
    found = verdict_in(state / "replay_gate", datetime.now(UTC))
    assert found.blocker is not None
    assert found.blocker.reasons == (UNDER_WAY,)


def bars_in(folder: Path) -> tuple[str, str]:
    """The market's, for the gate."""
    return "--data", str(written(folder / "AAPL_1m.csv", MARKET.bars))
