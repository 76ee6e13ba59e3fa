"""`hydra-trader regret`, as a person calls it."""

import json
import re
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from hydra.ops.artefacts.folder import STORY
from hydra.ops.config.looking import SHIPPED
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.research.regret_command import regret
from hydra.settings import VenueName, load_settings
from tests.engine.scenery import bars_of, market_of, rising
from tests.research.bar_files import written
from tests.research.gated_sessions import NAME, session

BARS = bars_of(rising(40))
app = typer.Typer()
app.command()(regret)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The shipped configuration, and a state folder without a session."""
    shutil.copytree(SHIPPED, tmp_path / "config")
    (tmp_path / "state" / "runs").mkdir(parents=True, mode=0o700)
    (tmp_path / "state").chmod(0o700)
    return tmp_path


def asked(home: Path, *words: str) -> Result:
    """The command on this configuration and state."""
    where = ["--config", str(home / "config"), "--state-dir", str(home / "state")]
    return CliRunner().invoke(app, [*where, *words])


def played(home: Path, *, symbol_usd: int) -> None:
    """One session, which has no recording, with so much allowed in a symbol."""
    file = home / "config" / "settings.yaml"
    file.write_text(
        re.sub(r"max_symbol_usd: \d+", f"max_symbol_usd: {symbol_usd}", file.read_text())
    )
    settings = load_settings(
        home / "config",
        venue=VenueName.EMBEDDED,
        signal_check=fault_in_signal,
        plugin_check=fault_in_plugin,
    )
    assert settings.guards.exposure.max_symbol_usd == symbol_usd
    session(home / "state" / "runs" / NAME, market_of(BARS), settings)


def test_where_there_is_no_session_that_is_said_in_one_line(home: Path) -> None:
    found = asked(home)

    assert found.exit_code == 2
    assert len(found.stderr.splitlines()) == 1


def test_of_a_session_without_refusals_no_bars_are_needed(home: Path) -> None:
    played(home, symbol_usd=10_000)

    found = asked(home)

    assert (found.exit_code, found.stdout) == (0, "the guardian refused no entry\n")


def test_without_its_bars_nothing_is_said_of_a_session(home: Path) -> None:
    played(home, symbol_usd=900)

    found = asked(home)

    assert (found.exit_code, found.stdout) == (2, "")
    assert len(found.stderr.splitlines()) == 1
    assert found.stderr.endswith("; or name its bars with --data\n")


@pytest.mark.slow  # the exchange's calendar takes a second
def test_what_was_refused_is_shown_by_the_bars_that_are_named(home: Path) -> None:
    played(home, symbol_usd=900)
    data = ("--data", str(written(home / "AAPL_1m.csv", BARS)))

    table, told, rows = (asked(home, *data, *how) for how in ((), ("--json",), ("--trades",)))

    (guard,) = json.loads(told.stdout)["guards"]
    assert guard["check"] == "symbol_exposure_is_within_limit"
    assert guard["trades"] == len(rows.stdout.splitlines()) - 1 > 0
    assert table.stdout.splitlines()[1].split()[:2] == [guard["check"], str(guard["refusals"])]


@pytest.mark.parametrize("part", ["intent", "decided_at"])
def test_a_story_with_a_line_that_is_none_of_ours_is_refused_in_one_line(
    part: str, home: Path
) -> None:
    played(home, symbol_usd=900)
    story = home / "state" / "runs" / NAME / STORY
    story.write_text(story.read_text().replace(f'"{part}":', f'"{part}_":', 1))

    found = asked(home)

    assert (found.exit_code, found.stdout, len(found.stderr.splitlines())) == (2, "", 1)
    assert found.stderr.startswith(f"{story}: found a line of an entry that is none of ours (")


def test_a_session_without_its_story_is_not_said_to_have_refused_nothing(home: Path) -> None:
    played(home, symbol_usd=900)
    story = home / "state" / "runs" / NAME / STORY
    story.unlink()

    found = asked(home)

    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr == f"{story}: found no such file; wanted the session's story\n"
